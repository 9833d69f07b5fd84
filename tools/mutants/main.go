// SPDX-License-Identifier: AGPL-3.0-or-later

// Command mutants plants faults in a copy of the tree, one at a time, and runs
// the tests that must catch each. A fault that no test catches is a test that
// is missing.
//
//	cd tools && go run ./mutants -C .. [-only REGEXP] [-seed N]
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// fault is something wrong, small, and plausible.
type fault struct {
	name string
	// edits are made together.
	edits []edit
	// test is the command that must fail; packages and flags of go test.
	test []string
}

// edit replaces the one occurrence of a text in a file. With a module, the file
// is that library's, of which a copy takes the place in go.mod.
type edit struct{ module, file, old, new string }

// result is a line of the report.
type result struct {
	Mutant  string  `json:"mutant"`
	Outcome string  `json:"outcome"` // caught, SURVIVED, or why it could not be planted
	By      string  `json:"by,omitempty"`
	Seconds float64 `json:"seconds"`
}

func main() {
	dir := flag.String("C", ".", "the repository")
	only := flag.String("only", "", "a regular expression: the faults to plant")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "order of the faults")
	flag.Parse()
	failed, err := run(*dir, *only, *seed)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
	if failed > 0 {
		os.Exit(1)
	}
}

func run(dir, only string, seed uint64) (failed int, err error) {
	fmt.Printf("seed %d\n", seed)
	start := time.Now()
	chosen, err := regexp.Compile(only)
	if err != nil {
		return 0, err
	}
	list := faults()
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	copied, err := copyTree(dir)
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(copied)
	defer os.RemoveAll(libraries(copied))
	healthy := map[string]error{}
	planted := 0
	for _, f := range list {
		if !chosen.MatchString(f.name) {
			continue
		}
		planted++
		r := plant(copied, f, healthy)
		line, err := json.Marshal(r)
		if err != nil {
			return 0, err
		}
		fmt.Printf("%s\n", line)
		if r.Outcome != "caught" {
			failed++
		}
	}
	if planted == 0 {
		return 0, fmt.Errorf("no fault is named like %q", only)
	}
	fmt.Printf("duration %s\n", time.Since(start).Round(time.Second))
	fmt.Printf("%d passed, %d failed\n", planted-failed, failed)
	return failed, nil
}

// plant makes the fault, runs its test and takes the fault away again. The test
// has to pass without it: healthy remembers those that did.
func plant(dir string, f fault, healthy map[string]error) (r result) {
	start := time.Now()
	r.Mutant = f.name
	defer func() { r.Seconds = time.Since(start).Seconds() }()
	command := strings.Join(f.test, " ")
	err, known := healthy[command]
	if !known {
		var out string
		if out, err = goCommand(dir, append([]string{"test", testLimit}, f.test...)...); err != nil {
			err = fmt.Errorf("its test fails without it: %w\n%.2000s", err, out)
		}
		healthy[command] = err
	}
	if err != nil {
		r.Outcome = err.Error()
		return r
	}
	undo, err := apply(dir, f.edits)
	defer undo()
	if err != nil {
		r.Outcome = err.Error()
		return r
	}
	out, err := goCommand(dir, append([]string{"test", testLimit, "-count=1"}, f.test...)...)
	switch {
	case err == nil:
		r.Outcome = "SURVIVED"
		return r
	case strings.Contains(out, "[build failed]") || strings.Contains(out, "[setup failed]"):
		r.Outcome = fmt.Sprintf("does not build: %.2000s", out)
		return r
	}
	r.Outcome, r.By = "caught", firstFailure(out)
	return r
}

// firstFailure names the test that caught a fault.
func firstFailure(out string) string {
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		for _, sign := range []string{"--- FAIL: ", "panic: ", "FAIL\t"} {
			if strings.HasPrefix(line, sign) {
				return strings.TrimPrefix(line, "--- ")
			}
		}
	}
	return ""
}

// apply makes the edits; undo puts everything back, also after an error.
func apply(dir string, edits []edit) (undo func(), err error) {
	var back []func()
	undo = func() {
		for i := len(back) - 1; i >= 0; i-- {
			back[i]()
		}
	}
	for _, e := range edits {
		file := filepath.Join(dir, e.file)
		if e.module != "" {
			library, restore, err := replaceModule(dir, e.module)
			back = append(back, restore)
			if err != nil {
				return undo, err
			}
			file = filepath.Join(library, e.file)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return undo, err
		}
		if n := strings.Count(string(text), e.old); n != 1 {
			return undo, fmt.Errorf("%s holds %d times %q, want once: has the code changed?", e.file, n, e.old)
		}
		back = append(back, func() { _ = os.WriteFile(file, text, 0o644) })
		if err := os.WriteFile(file, []byte(strings.Replace(string(text), e.old, e.new, 1)), 0o644); err != nil {
			return undo, err
		}
	}
	return undo, nil
}

// limit is how long one command may take, and what its tests are given: a
// fault may make a test hang, and a changed library takes a while to compile.
const (
	limit     = 10 * time.Minute
	testLimit = "-timeout=5m"
)

func goCommand(dir string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return output(ctx, dir, "go", args...)
}
