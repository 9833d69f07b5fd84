// SPDX-License-Identifier: AGPL-3.0-or-later

// Package e2e runs the suites on the real binary in their short form; make
// stories, make crash and their like run them in full.
package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

var closing = regexp.MustCompile(`(?m)^([1-9][0-9]*) passed, 0 failed\n\z`)

func TestSuitesInShortForm(t *testing.T) {
	if testing.Short() {
		t.Log("left out with -short: the suites run the real binary for minutes")
		return
	}
	dir := t.TempDir()
	bin := filepath.Join(dir, "essaim")
	build(t, bin, "essaim/cmd/essaim")
	hostile := corpus(t)
	// Stories mostly waits: for a node to come back, for a dump to be due. The
	// others run meanwhile, one after another.
	for lane, suites := range [][]short{
		{{"stories", nil}},
		{
			{"conformance", []string{"-db", "sqlite"}},
			{"conformance", []string{"-db", "postgres"}},
			{"second", []string{"-db", "sqlite"}},
			{"second", []string{"-db", "postgres"}},
			{"browser", []string{"-short"}},
			{"crash", []string{"-db", "sqlite", "-n", "1000", "-kills", "5", "-records", "1600", "-readkills", "2"}},
			{"crash", []string{"-db", "postgres", "-n", "1000", "-kills", "5", "-publications", "120", "-records", "1600", "-readkills", "1"}},
			{"hostile", []string{"-turn"}},
			{"flap", []string{"-db", "sqlite", "-parts", "hosts,poison", "-hosts", "10", "-for", "8s", "-poisons", "32"}},
		},
	} {
		t.Run(fmt.Sprintf("lane %d", lane+1), func(t *testing.T) {
			t.Parallel()
			for _, s := range suites {
				if s.suite != "hostile" || hostile {
					s.run(t, dir, bin)
				}
			}
		})
	}
}

// short is a suite and the arguments that make it short.
type short struct {
	suite string
	args  []string
}

func (s short) run(t *testing.T, dir, bin string) {
	name := s.suite
	if len(s.args) > 1 {
		name += " on " + s.args[1]
	}
	t.Run(name, func(t *testing.T) {
		rig := filepath.Join(dir, s.suite)
		build(t, rig, "essaim/e2e/"+s.suite)
		// A suite that hangs ends here; a machine three times slower than a laptop does not.
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, rig, s.args...)
		cmd.Dir = ".." // where make runs them
		cmd.Env = append(os.Environ(), "ESSAIM_BIN="+bin)
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it stops what it started
		cmd.WaitDelay = 20 * time.Second
		start := time.Now()
		out, err := cmd.CombinedOutput()
		if err != nil || !closing.Match(out) {
			t.Errorf("after %s: %v\n%s", time.Since(start).Round(time.Second), err, out)
		}
	})
}

// corpus tells whether the hostile inputs are there, and may be: they need a
// network namespace.
func corpus(t *testing.T) bool {
	t.Helper()
	dir := os.Getenv("ESSAIM_CORPUS")
	if dir == "" {
		dir = "../../shared"
		t.Setenv("ESSAIM_CORPUS", dir)
	}
	_, err := os.Stat(filepath.Join(dir, "tests", "bad-inputs.jsonl"))
	switch {
	case err == nil && os.Getuid() == 0:
		return true
	case os.Getenv("CI") == "true":
		t.Errorf("hostile inputs: as user %d, %v", os.Getuid(), err)
	default:
		t.Logf("left out, as user %d: hostile inputs: %v", os.Getuid(), err)
	}
	return false
}

func build(t *testing.T, out, pkg string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", out, pkg)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", pkg, err, b)
	}
}
