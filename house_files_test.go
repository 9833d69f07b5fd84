// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim_test

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// topLevel are the directories of the house.
var topLevel = []string{"cmd", "federation", "store", "web", "deploy", "docs", "e2e", "tools", "testdata", ".ci"}

// houseFile is a text file of the repository.
type houseFile struct {
	path string // slash-separated, from the root
	text []byte
}

// houseFiles reads the text files, without what is made, vendored or data.
func houseFiles(t *testing.T) []houseFile {
	t.Helper()
	var files []houseFile
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if d.IsDir() {
			switch {
			case slices.Contains([]string{".git", "bin", "demo", "tmp"}, name), d.Name() == "node_modules", d.Name() == "vendor", d.Name() == "testdata":
				return fs.SkipDir
			}
			return nil
		}
		switch path.Ext(name) {
		case ".go", ".html", ".css", ".js", ".cjs", ".sql", ".md", ".sh", ".yml", ".yaml", ".toml", ".txtar", ".service", ".tsv", ".json", "":
		default:
			return nil
		}
		if d.Name() == "LICENSE" || d.Type()&fs.ModeType != 0 {
			return nil
		}
		text, err := os.ReadFile(name)
		files = append(files, houseFile{name, text})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("read %d files only: not run from the root of the repository?", len(files))
	}
	return files
}

func (f houseFile) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

func (f houseFile) generated() bool {
	return bytes.Contains(f.text[:min(len(f.text), 400)], []byte("Code generated"))
}

func TestFilesStayReadable(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		return // the whole tree is read once, by the full run
	}
	for _, f := range houseFiles(t) {
		switch path.Ext(f.path) {
		case ".go":
			if first, _, _ := bytes.Cut(f.text, []byte("\n")); string(first) != "// SPDX-License-Identifier: AGPL-3.0-or-later" {
				t.Errorf("%s: the first line is not the licence", f.path)
			}
		case ".html", ".js", ".cjs", ".css", ".sql":
		default:
			continue
		}
		if lines := bytes.Count(f.text, []byte("\n")); lines > 400 && !f.generated() {
			t.Errorf("%s: %d lines; split it by concept at 400", f.path, lines)
		}
	}
}

func TestDirectoriesAreThoseOfTheHouse(t *testing.T) {
	t.Parallel()
	ignored := []string{".git", "bin", "demo", "tmp", "node_modules"}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !slices.Contains(topLevel, e.Name()) && !slices.Contains(ignored, e.Name()) {
			t.Errorf("%s/ is not a directory of the house: %v", e.Name(), topLevel)
		}
	}
	for _, p := range modulePackages(t) {
		for _, part := range strings.Split(p.ImportPath, "/") {
			if slices.Contains([]string{"internal", "pkg", "util", "utils", "common", "models", "helpers"}, part) {
				t.Errorf("%s: packages are named by concept", p.ImportPath)
			}
		}
	}
}

// TestFilesSayNothingTheyShouldNot looks for what has no place in a repository
// that others read: paths of one machine, unfinished work, addresses of people.
func TestFilesSayNothingTheyShouldNot(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		return // the whole tree is read once, by the full run
	}
	// Written in pieces, so that this file does not find itself.
	rules := []struct {
		what string
		re   *regexp.Regexp
	}{
		{"a path of one machine", regexp.MustCompile(`/wor` + `k/|/tmp/b` + `ash_jobs|/ro` + `ot/|/ho` + `me/[a-z]`)},
		{"unfinished work", regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b|not impl` + `emented|unimpl` + `emented`)},
		{"a package registry's host", regexp.MustCompile(`proxy\.gol` + `ang\.org|registry\.np` + `mjs\.org`)},
		{"how it was written", regexp.MustCompile(`(?i)\b(clau` + `de|anthro` + `pic|open` + `ai|chat` + `gpt|copi` + `lot|sub` + `agent|language mo` + `del)\b`)},
		{"a test that is skipped", regexp.MustCompile(`\b[tb]\.Sk` + `ip(f|Now)?\(`)},
	}
	mail := regexp.MustCompile(`[\w.+-]+@[\w-]+(\.[\w-]+)*\.(fr|com|org|net|eu|bzh)\b`)
	for _, f := range houseFiles(t) {
		for n, line := range bytes.Split(f.text, []byte("\n")) {
			for _, r := range rules {
				if m := r.re.Find(line); m != nil {
					t.Errorf("%s:%d: %s: %q", f.path, n+1, r.what, m)
				}
			}
			if m := mail.Find(line); m != nil && !regexp.MustCompile(`@([\w-]+\.)*example\.(com|org|net)$`).Match(m) {
				t.Errorf("%s:%d: an address that may be somebody's: %q", f.path, n+1, m)
			}
		}
	}
}

// stopwatches are the files that measure how long something takes, which no
// test wants to move.
var stopwatches = []string{"store/write_sqlite.go"}

// TestTimeIsGivenNeverTaken keeps clocks out of the logic, so that a test can
// move thirty days, and sleeps out of tests.
func TestTimeIsGivenNeverTaken(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		return // the whole tree is read once, by the full run
	}
	clock, sleep := regexp.MustCompile(`\btime\.(Now|Since|Until)\(`), regexp.MustCompile(`\btime\.Sleep\(`)
	for _, f := range houseFiles(t) {
		top, _, nested := strings.Cut(f.path, "/")
		if path.Ext(f.path) != ".go" || nested && slices.Contains([]string{"cmd", "e2e", "tools"}, top) {
			continue
		}
		for n, line := range bytes.Split(f.text, []byte("\n")) {
			// In a bubble, sleeping moves the clock and waits for nobody.
			if sleep.Match(line) && !bytes.Contains(f.text, []byte(`"testing/synctest"`)) {
				t.Errorf("%s:%d: sleeps; wait for what is awaited", f.path, n+1)
			}
			if clock.Match(line) && !f.isTest() && !slices.Contains(stopwatches, f.path) && !isTestPackage("essaim/"+path.Dir(f.path)) {
				t.Errorf("%s:%d: takes the time; Config.Now gives it", f.path, n+1)
			}
		}
	}
}

// TestStatementsLiveUnderStore looks for SQL and HTML written elsewhere.
func TestStatementsLiveUnderStore(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		return // the whole tree is read once, by the full run
	}
	statement := regexp.MustCompile("[\"`](SELECT |INSERT INTO |UPDATE \\w+ SET |DELETE FROM |CREATE TABLE )")
	for _, f := range houseFiles(t) {
		top, _, nested := strings.Cut(f.path, "/")
		if !nested {
			top = ""
		}
		if slices.Contains([]string{"e2e", "tools"}, top) {
			continue
		}
		switch path.Ext(f.path) {
		case ".sql":
			if top != "store" {
				t.Errorf("%s: SQL lives under store", f.path)
			}
		case ".html":
			if top != "web" {
				t.Errorf("%s: HTML lives under web", f.path)
			}
		case ".go":
			if m := statement.Find(f.text); m != nil && top != "store" && !f.isTest() {
				t.Errorf("%s: a statement (%q) outside store", f.path, m)
			}
		}
	}
}
