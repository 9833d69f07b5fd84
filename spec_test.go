// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim_test

import (
	"bytes"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"essaim/federation/fedtest"
)

// specRow is a line of docs/spec.tsv.
type specRow struct{ id, source, rule, status, test string }

func specRows(t *testing.T) []specRow {
	t.Helper()
	b, err := os.ReadFile("docs/spec.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var rows []specRow
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n")[2:] {
		c := strings.Split(line, "\t")
		if len(c) != 5 {
			t.Fatalf("%q has %d columns", line, len(c))
		}
		rows = append(rows, specRow{c[0], c[1], c[2], c[3], c[4]})
	}
	if len(rows) < 100 {
		t.Fatalf("read %d rules", len(rows))
	}
	return rows
}

func TestEachRuleThatIsKeptNamesATest(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	for _, f := range houseFiles(t) {
		if f.isTest() {
			for _, m := range declared.FindAllSubmatch(f.text, -1) {
				tests[string(m[1])] = true
			}
		}
	}
	seen := map[string]bool{}
	for _, r := range specRows(t) {
		switch {
		case seen[r.id] || r.id == "" || r.source == "" || r.rule == "":
			t.Errorf("%s: said twice, or not whole", r.id)
		case !slices.Contains([]string{"Yes", "Partial", "No"}, r.status):
			t.Errorf("%s: status %q", r.id, r.status)
		case r.status == "No" && r.test != "":
			t.Errorf("%s: a test of what is not done", r.id)
		case r.status != "No" && !tests[r.test]:
			t.Errorf("%s: no test is named %q", r.id, r.test)
		}
		seen[r.id] = true
	}
	for _, rule := range fedtest.Rules {
		if !seen["lint-"+rule.ID] {
			t.Errorf("the rule %s of the linter is not listed", rule.ID)
		}
	}
}

// TestEachCitedTextIsListed holds that a protocol's text that the code cites has
// its rules in the list.
func TestEachCitedTextIsListed(t *testing.T) {
	t.Parallel()
	listed := map[string]bool{}
	for _, r := range specRows(t) {
		listed[r.source] = true
	}
	cited := regexp.MustCompile(`FEP-[0-9a-f]{4}\b|ActivityPub [0-9]+(?:\.[0-9]+)*`)
	rfc := regexp.MustCompile(`RFC [0-9]{4}`)
	n := 0
	for _, f := range houseFiles(t) {
		if path.Ext(f.path) != ".go" || f.isTest() || within(path.Dir(f.path), "e2e") || within(path.Dir(f.path), "tools") {
			continue
		}
		found := cited.FindAll(f.text, -1)
		if within(path.Dir(f.path), "federation") {
			found = append(found, rfc.FindAll(f.text, -1)...)
		}
		for _, text := range found {
			n++
			if source := string(bytes.TrimSpace(text)); !listed[source] {
				t.Errorf("%s cites %s, of which docs/spec.tsv lists no rule", f.path, source)
			}
		}
	}
	if n < 50 {
		t.Fatalf("found %d citations", n)
	}
}
