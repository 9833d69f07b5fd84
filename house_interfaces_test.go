// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strings"
	"testing"
)

// maxMethods is how many methods an interface may have of its own.
const maxMethods = 10

// largeInterfaces are those that have more, and why each is one thing.
var largeInterfaces = map[string]struct {
	methods int
	reason  string
}{
	"federation.DocumentStore": {11, "what is served as stored bytes, read by the one handler that knows all collections: to cut it would leave parts that nobody needs alone"},
	"federation.ReplicaStore":  {14, "the readings of a followed node, claimed, kept on and noted, beside four roles that it takes from others"},
	"store.database":           {13, "all that differs between the two databases, listed in one place so that nothing else may; it has two implementations and no user outside of its package"},
}

func TestInterfacesAreSmallOrSayWhyNot(t *testing.T) {
	t.Parallel()
	found := map[string]int{}
	files, interfaces := 0, 0
	for _, f := range houseFiles(t) {
		if path.Ext(f.path) != ".go" || f.isTest() || f.generated() {
			continue
		}
		files++
		parsed, err := parser.ParseFile(token.NewFileSet(), f.path, f.text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			i, ok := spec.Type.(*ast.InterfaceType)
			if !ok {
				return true
			}
			interfaces++
			methods := 0
			for _, m := range i.Methods.List {
				methods += len(m.Names) // an interface within has none: it is counted where it stands
			}
			if methods > maxMethods {
				found[strings.TrimPrefix(path.Dir(f.path)+".", "./")+spec.Name.Name] = methods
			}
			return true
		})
	}
	if files < 200 || interfaces < 40 {
		t.Fatalf("%d interfaces found in %d files", interfaces, files)
	}
	for name, methods := range found {
		if known, ok := largeInterfaces[name]; !ok || methods > known.methods {
			t.Errorf("%s has %d methods, want %d at most: cut it by role, or say why not", name, methods, max(maxMethods, known.methods))
		}
	}
	for name, known := range largeInterfaces {
		if found[name] != known.methods || known.reason == "" {
			t.Errorf("%s has %d methods and is listed with %d (%q)", name, found[name], known.methods, known.reason)
		}
	}
}
