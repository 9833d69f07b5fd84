// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// leaves are the packages that store, federation and web may share. They
// import the root package and libraries only. A new one needs a decision
// record in docs/adr.
var leaves = []string{
	"essaim/federation/fetch", "essaim/store/french", "essaim/store/blob",
	"essaim/web/markup", "essaim/web/transfer", "essaim/web/mail",
}

// adapters stand beside each other on the root package.
var adapters = []string{"essaim/store", "essaim/federation", "essaim/web"}

// owners says under which directory alone a library may be imported.
var owners = map[string][]string{
	"database/sql":                    {"essaim/store"},
	"github.com/jackc/pgx":            {"essaim/store"},
	"modernc.org/sqlite":              {"essaim/store"},
	"html/template":                   {"essaim/web"},
	"github.com/yuin/goldmark":        {"essaim/web"},
	"github.com/microcosm-cc":         {"essaim/web"},
	"golang.org/x/net/html":           {"essaim/web"},
	"github.com/go-fed":               {"essaim/federation"},
	"github.com/dadrus/httpsig":       {"essaim/federation"},
	"github.com/gowebpki/jcs":         {"essaim/federation"},
	"github.com/alecthomas/kong":      {"essaim/cmd"},
	"github.com/caddyserver":          {"essaim/cmd"},
	"github.com/pelletier/go-toml":    {"essaim/cmd"},
	"github.com/prometheus":           {"essaim/cmd"},
	"github.com/rogpeppe/go-internal": {}, // tests only
	"github.com/google/go-cmp":        {}, // tests only
	"pgregory.net/rapid":              {}, // tests only
	"github.com/mmcdole":              {}, // tests only
	"github.com/arran4":               {}, // tests only
	"github.com/peterstace":           {}, // tests only
	"github.com/piprate":              {}, // tests only
	"github.com/chromedp":             {"essaim/e2e"},
}

type goPackage struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Deps       []string
}

// packages lists the module's packages and what they import, tests aside.
var packages = sync.OnceValues(func() ([]goPackage, error) {
	out, err := exec.Command("go", "list", "-e", "-json=ImportPath,Standard,Imports,Deps", "./...").Output()
	if err != nil {
		return nil, err
	}
	var list []goPackage
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
})

func modulePackages(t *testing.T) []goPackage {
	t.Helper()
	// Read here too, so that go test does not answer from its cache after a
	// change that only go list sees.
	houseFiles(t)
	list, err := packages()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 5 {
		t.Fatalf("go list gave %d packages", len(list))
	}
	return list
}

// within tells whether a package is a directory or lies under it.
func within(pkg, dir string) bool { return pkg == dir || strings.HasPrefix(pkg, dir+"/") }

func isTestPackage(pkg string) bool {
	return within(pkg, "essaim") && strings.HasSuffix(pkg, "test")
}

func isLeaf(pkg string) bool {
	return slices.ContainsFunc(leaves, func(l string) bool { return within(pkg, l) })
}

func TestRootPackageImportsTheStandardLibraryOnly(t *testing.T) {
	t.Parallel()
	for _, p := range modulePackages(t) {
		if p.ImportPath != "essaim" {
			continue
		}
		for _, dep := range p.Deps {
			first, _, _ := strings.Cut(dep, "/")
			if strings.Contains(first, ".") || first == "essaim" {
				t.Errorf("the root package reaches %s", dep)
			}
			if dep == "net/http" || dep == "database/sql" || dep == "html/template" {
				t.Errorf("the root package reaches %s: it holds words and rules", dep)
			}
		}
		return
	}
	t.Error("go list does not know the root package")
}

func TestAdaptersNeverImportEachOther(t *testing.T) {
	t.Parallel()
	for _, p := range modulePackages(t) {
		if isTestPackage(p.ImportPath) {
			continue
		}
		for _, dep := range p.Deps {
			if !within(dep, "essaim") || dep == "essaim" || within(dep, p.ImportPath) {
				continue
			}
			if isLeaf(p.ImportPath) && !slices.ContainsFunc(leaves, func(l string) bool { return within(dep, l) && within(p.ImportPath, l) }) {
				t.Errorf("leaf %s reaches %s: leaves import the root package and libraries only", p.ImportPath, dep)
			}
			for _, a := range adapters {
				if within(p.ImportPath, a) && !within(dep, a) && !isLeaf(dep) {
					t.Errorf("%s reaches %s: store, federation and web never import each other", p.ImportPath, dep)
				}
			}
			if p.ImportPath == "essaim" || within(dep, "essaim/cmd") {
				t.Errorf("%s reaches %s", p.ImportPath, dep)
			}
		}
	}
}

func TestLibrariesStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	for _, p := range modulePackages(t) {
		if isTestPackage(p.ImportPath) || within(p.ImportPath, "essaim/e2e") {
			continue
		}
		for _, imported := range p.Imports {
			for library, homes := range owners {
				if strings.HasPrefix(imported, library) && !slices.ContainsFunc(homes, func(h string) bool { return within(p.ImportPath, h) }) {
					t.Errorf("%s imports %s, which belongs to %v", p.ImportPath, imported, homes)
				}
			}
		}
	}
}

func TestTestPackagesAreImportedByTestsOnly(t *testing.T) {
	t.Parallel()
	for _, p := range modulePackages(t) {
		if isTestPackage(p.ImportPath) || within(p.ImportPath, "essaim/e2e") {
			continue
		}
		for _, imported := range p.Imports {
			if isTestPackage(imported) {
				t.Errorf("%s imports %s", p.ImportPath, imported)
			}
		}
	}
}

func TestOnlyCommandsWireAdaptersTogether(t *testing.T) {
	t.Parallel()
	for _, p := range modulePackages(t) {
		if within(p.ImportPath, "essaim/cmd") || isTestPackage(p.ImportPath) {
			continue
		}
		var reached []string
		for _, a := range adapters {
			if slices.ContainsFunc(p.Deps, func(d string) bool { return within(d, a) && !isLeaf(d) }) {
				reached = append(reached, a)
			}
		}
		if len(reached) > 1 {
			t.Errorf("%s reaches %v: cmd alone wires them", p.ImportPath, reached)
		}
	}
}

// TestDatabaseDriverHasItsOwnC checks that modernc.org/libc is the version that
// modernc.org/sqlite was generated with; another one compiles and corrupts.
func TestDatabaseDriverHasItsOwnC(t *testing.T) {
	t.Parallel()
	requirement := regexp.MustCompile(`(?m)^\s*(?:require )?modernc\.org/libc (\S+)`)
	read := func(file string) string {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m := requirement.FindSubmatch(b)
		if m == nil {
			t.Fatalf("%s does not require modernc.org/libc", path.Base(file))
		}
		return string(m[1])
	}
	out, err := exec.Command("go", "list", "-m", "-f", "{{.GoMod}}", "modernc.org/sqlite").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := read("go.mod"), read(strings.TrimSpace(string(out))); got != want {
		t.Errorf("modernc.org/libc: got %s, want %s as modernc.org/sqlite requires", got, want)
	}
}

// TestLibrariesAreDecidedAndPinned keeps each direct requirement in the record
// that says why it is there, and the mandated ones at their one version.
func TestLibrariesAreDecidedAndPinned(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		return // the full run reads the records
	}
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	record, err := os.ReadFile("docs/adr/0001-libraries.md")
	if err != nil {
		t.Fatal(err)
	}
	direct := regexp.MustCompile(`(?m)^\t(\S+\.\S+) (v\S+)$`).FindAllStringSubmatch(string(mod), -1)
	if len(direct) < 20 {
		t.Fatalf("read %d direct requirements of go.mod", len(direct))
	}
	pinned := map[string]string{"github.com/go-fed/activity": "v1.0.0", "github.com/go-fed/httpsig": "v1.1.0"}
	for _, m := range direct {
		if !strings.Contains(string(record), m[1]+" "+m[2]) {
			t.Errorf("docs/adr/0001-libraries.md does not decide %s %s", m[1], m[2])
		}
		if want, ok := pinned[m[1]]; ok && m[2] != want {
			t.Errorf("%s: got %s, want %s", m[1], m[2], want)
		}
	}
	if strings.Contains(string(mod), "\nreplace") {
		t.Error("go.mod replaces a module")
	}
}
