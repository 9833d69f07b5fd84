// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree is a module with one function, which one test covers.
func tree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":    "module m\n\ngo 1.26\n",
		"go.sum":    "",
		"m.go":      "package m\n\nfunc Double(n int) int { return 2 * n }\n\nfunc Half(n int) int { return n / 2 }\n",
		"m_test.go": "package m\n\nimport \"testing\"\n\nfunc TestDouble(t *testing.T) {\n\tif Double(3) != 6 {\n\t\tt.Fail()\n\t}\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFaultIsCaughtOrSurvives(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"covered", "2 * n", "3 * n", "caught"},
		{"not covered", "n / 2", "n / 3", "SURVIVED"},
		{"not there", "n - 2", "n - 3", `holds 0 times "n - 2"`},
		{"twice there", "(n int)", "(n int64)", "holds 2 times"},
		{"does not build", "2 * n", "nothing", "does not build"},
	} {
		dir := tree(t)
		f := fault{name: c.name, edits: []edit{{file: "m.go", old: c.old, new: c.new}}, test: []string{"."}}
		got := plant(dir, f, map[string]error{})
		if !strings.Contains(got.Outcome, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got.Outcome, c.want)
		}
		if text, _ := os.ReadFile(filepath.Join(dir, "m.go")); !strings.Contains(string(text), "2 * n") || !strings.Contains(string(text), "n / 2") {
			t.Errorf("%s: the fault was left in the tree", c.name)
		}
	}
}

func TestFaultWhoseTestIsBrokenIsNotCaught(t *testing.T) {
	dir := tree(t)
	broken := strings.Replace("package m\n\nfunc Double(n int) int { return 2 * n }\n", "2 *", "4 *", 1)
	if err := os.WriteFile(filepath.Join(dir, "m.go"), []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	f := fault{edits: []edit{{file: "m.go", old: "4 * n", new: "3 * n"}}, test: []string{"."}}
	if got := plant(dir, f, map[string]error{}); !strings.Contains(got.Outcome, "fails without it") {
		t.Errorf("got %q", got.Outcome)
	}
}

func TestNamesOfFaultsAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range faults() {
		if seen[f.name] || f.name == "" || len(f.edits) == 0 || len(f.test) == 0 {
			t.Errorf("fault %q is incomplete or stands twice", f.name)
		}
		seen[f.name] = true
	}
}

// A fault whose place is gone is no longer planted: the change that moved it
// has to move the fault too.
func TestEveryFaultHasItsPlace(t *testing.T) {
	root, places := filepath.Join("..", ".."), 0
	for _, f := range faults() {
		for _, e := range f.edits {
			if e.module != "" {
				continue // in a library, which does not change
			}
			text, err := os.ReadFile(filepath.Join(root, e.file))
			if err != nil {
				t.Errorf("%s: %v", f.name, err)
				continue
			}
			if n := strings.Count(string(text), e.old); n != 1 {
				t.Errorf("%s: %s holds its place %d times, want once", f.name, e.file, n)
			}
			places++
		}
	}
	if places < 7 {
		t.Errorf("%d places looked at, want all of those in this repository", places)
	}
}
