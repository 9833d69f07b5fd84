// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"essaim/store"
	"essaim/store/storetest"
)

// A statement is found by its name when it is run: a name that no file has
// would fail only there.
func TestStatementsAreThoseThatTheCodeNames(t *testing.T) {
	t.Parallel()
	statements := map[string]bool{}
	for _, s := range []*store.Store{storetest.SQLite(t).Open(t), storetest.Postgres(t).Open(t)} {
		for _, name := range s.Statements().Names() {
			statements[name] = true
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)+$`)
	runs := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || !runsStatement(call) {
				return true
			}
			for _, arg := range call.Args {
				lit, ok := arg.(*ast.BasicLit)
				if !ok || lit.Kind != token.STRING {
					continue
				}
				if s, err := strconv.Unquote(lit.Value); err == nil && named.MatchString(s) {
					if runs++; !statements[s] {
						t.Errorf("%s runs %q, which no file has", file, s)
					}
				}
				break // what follows are the statement's arguments
			}
			return true
		})
	}
	if runs < 150 {
		t.Errorf("%d statements named in the code were looked at", runs)
	}
}

// runsStatement tells whether a call takes the name of a statement.
func runsStatement(c *ast.CallExpr) bool {
	name := ""
	switch f := c.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
	}
	switch name {
	case "exec", "row", "rows", "found", "later", "list", "remoteActor":
		return true
	}
	return false
}
