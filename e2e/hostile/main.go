// SPDX-License-Identifier: AGPL-3.0-or-later

// Command hostile sends a real node all that ../shared/tests/bad-inputs.jsonl
// holds: forged activities, broken JSON, servers that lie, loop or hang,
// addresses that lead inwards, pages that would run what they show. It judges
// each answer and what became of the node afterwards.
//
// It runs in a network namespace of its own, where every address of the world
// leads to itself: fake servers stand on public names and addresses, the node
// runs as in production, and a packet to a private address is seen whatever
// its port. It needs root, iproute2 and bin/essaim (make build).
//
//go:debug rsa1024min=0
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"essaim/e2e/rig"
)

type options struct {
	db     string
	turn   bool
	only   *regexp.Regexp
	corpus string
}

func main() {
	var opt options
	var seed uint64
	flag.StringVar(&opt.db, "db", "both", "sqlite, postgres or both")
	flag.BoolVar(&opt.turn, "turn", false, "each item on one database only, by turns")
	only := flag.String("only", "", "regular expression of the items to send")
	flag.Uint64Var(&seed, "seed", 0, "seed of every random choice; 0 takes one")
	inside := flag.Bool("inside", false, "already in the namespace (set by the suite itself)")
	flag.Parse()
	var err error
	if opt.only, err = regexp.Compile(*only); err != nil || opt.db != "sqlite" && opt.db != "postgres" && opt.db != "both" {
		fmt.Fprintln(os.Stderr, "hostile: -db is sqlite, postgres or both, -only a regular expression")
		os.Exit(2)
	}
	if opt.corpus = os.Getenv("ESSAIM_CORPUS"); opt.corpus == "" {
		opt.corpus = "../shared"
	}
	if _, err := os.Stat(opt.corpus); err != nil {
		fmt.Fprintln(os.Stderr, "hostile: ESSAIM_CORPUS names no directory with tests/bad-inputs.jsonl:", err)
		os.Exit(2)
	}
	if *inside {
		run(opt, seed)
		return
	}
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	databases := []string{"sqlite", "postgres"}
	if opt.db != "both" {
		databases = []string{opt.db}
	}
	fmt.Printf("hostile: seed %d\n", seed)
	// By turns, the two runs share the machine: neither measures anything that
	// the other could spoil beyond what the checks allow for.
	ends := make([]end, len(databases))
	var wg sync.WaitGroup
	for i, db := range databases {
		wg.Go(func() { ends[i] = enter(db, seed, opt.turn && len(databases) > 1) })
		if !opt.turn {
			wg.Wait()
		}
	}
	wg.Wait()
	status, passed, failed := 0, 0, 0
	for _, e := range ends {
		status, passed, failed = max(status, e.status), passed+e.passed, failed+e.failed
	}
	if len(databases) > 1 {
		if !opt.turn && (*only == "" || len(ends[0].compared)+len(ends[1].compared) > 0) {
			if err := alike(ends[0].compared, ends[1].compared); err != nil {
				fmt.Printf("FAIL  the same answers on both databases: %v\n", err)
				status, failed = max(status, 1), failed+1
			} else {
				fmt.Printf("ok    the same answers on both databases (%d)\n", len(ends[0].compared))
				passed++
			}
		}
		fmt.Printf("%d passed, %d failed\n", passed, failed)
	}
	os.Exit(status)
}

var closingLine = regexp.MustCompile(`(?m)^(\d+) passed, (\d+) failed$`)

// comparedLine is an answer that is to be the same on both databases.
var comparedLine = regexp.MustCompile(`(?m)^\{"figure":"compared_([^"]+)","suite":"[^"]*","unit":"","value":"([^"]*)"\}$`)

// end is what came of the suite on one database.
type end struct {
	status, passed, failed int
	compared               map[string]string // by item
}

// alike holds that answers are those of the other database.
func alike(one, other map[string]string) error {
	var wrong []error
	for id, got := range one {
		if want, ok := other[id]; !ok || got != want {
			wrong = append(wrong, fmt.Errorf("%s: %q and %q", id, got, want))
		}
	}
	if len(one) == 0 {
		return errors.New("none is compared")
	}
	if len(one) != len(other) {
		wrong = append(wrong, fmt.Errorf("%d answers and %d", len(one), len(other)))
	}
	return errors.Join(wrong...)
}

// enter runs the suite on one database in a network and mount namespace. What
// it says is held back to its end when another runs beside it.
func enter(db string, seed uint64, beside bool) end {
	if os.Getuid() != 0 {
		fmt.Fprintln(os.Stderr, "hostile: needs root, for a network namespace of its own")
		return end{status: 2}
	}
	cmd := exec.Command("/proc/self/exe", append([]string{"-inside", "-seed", fmt.Sprint(seed)}, flagsBut(db)...)...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(os.Stdout, &said), os.Stderr
	if beside {
		cmd.Stdout = &said
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGTERM}
	// The signal comes when the thread ends that started the process, so it must
	// not end before.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := cmd.Run()
	if beside {
		_, _ = os.Stdout.Write(said.Bytes()) // nobody else to tell
	}
	last := closingLine.FindSubmatch(said.Bytes())
	if cmd.ProcessState == nil || last == nil {
		fmt.Fprintln(os.Stderr, "hostile:", err)
		return end{status: 2, failed: 1}
	}
	passed, _ := strconv.Atoi(string(last[1])) // the expression matches digits
	failed, _ := strconv.Atoi(string(last[2]))
	compared := map[string]string{}
	for _, m := range comparedLine.FindAllSubmatch(said.Bytes(), -1) {
		compared[string(m[1])] = string(m[2])
	}
	return end{cmd.ProcessState.ExitCode(), passed, failed, compared}
}

// flagsBut repeats the flags given, with this database.
func flagsBut(db string) []string {
	out := []string{"-db", db}
	flag.Visit(func(f *flag.Flag) {
		if f.Name == "turn" || f.Name == "only" {
			out = append(out, "-"+f.Name+"="+f.Value.String())
		}
	})
	return out
}

func run(opt options, seed uint64) {
	ctx, cancel := context.WithTimeout(context.Background(), 25*time.Minute)
	defer cancel()
	s := rig.NewSuite("hostile "+opt.db, seed)
	bin, err := rig.Binary()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	dir, err := os.MkdirTemp("", "essaim-hostile-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	s.Cleanup(func() { _ = os.RemoveAll(dir) }) // a leftover temporary directory harms nobody
	var items []item
	s.Must("the hostile inputs", func() (err error) {
		items, err = readItems(filepath.Join(opt.corpus, "tests", "bad-inputs.jsonl"))
		// Before the floods: whoever floods is told to wait for a while after.
		first := slices.IndexFunc(items, func(it item) bool { return it.Category == "FLOOD" })
		items = slices.Insert(items, max(first, 0), ownItems()...)
		return err
	})
	w := &world{suite: s, dir: dir, opt: opt}
	s.Must("a world of its own", func() error { return w.build(ctx, bin) })
	w.judge(ctx, items)
	s.End()
}
