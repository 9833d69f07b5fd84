// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// named is every test that the suite has.
func named() (names []string) {
	for _, s := range fediverse {
		for _, verb := range s.verbs {
			names = append(names, s.name+"/"+verb)
		}
	}
	for _, t := range fedifyTests {
		names = append(names, t.name)
	}
	return names
}

func TestTheMatrixClaimsWhatIsTestedAndNothingElse(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../" + matrixFile)
	if err != nil {
		t.Fatal(err)
	}
	doc := string(raw)
	if err := checkMatrix(doc, named()); err != nil {
		t.Errorf("as it stands: %v", err)
	}
	for _, c := range []struct{ what, old, new string }{
		{"a claim of another test", "`mastodon/like`", "`mastodon/love`"},
		{"a claim without a test", "`mastodon/like`", ""},
		{"a claim where nothing is possible", "| boost | not possible there | people there", "| boost | shown | people there"},
		{"a cell that was tried and says not tried", "| like | shown | 1.7", "| like | not tried | 1.7"},
		{"a cell that no document shows and is claimed", "| title | not tried | 1.4", "| title | shown | 1.4"},
		{"a cell that no document shows, said to rest on some", "| its source; no document of it has `name` | `mastodon/title`", "| its documents | `mastodon/title`"},
		{"a cell that says no way", "| its documents | `mastodon/like`", "|  | `mastodon/like`"},
		{"Fedify's way for another", "| its documents | `mastodon/like`", "| Fedify | `mastodon/like`"},
		{"another way for Fedify", "| Fedify | `fedify/like`", "| its documents | `fedify/like`"},
		{"another server's test", "`misskey/like`", "`mastodon/like`"},
		{"a word that says nothing", "| like | shown |", "| like | perhaps |"},
		{"no source", "(`packages/backend/src/core/activitypub/models/ApNoteService.ts`)", ""},
		{"a cell less", "| reply | shown | 1.4: Note with `inReplyTo`; 1.7: Update with a newer `updated`, Delete of a Tombstone | its documents | `mastodon/reply` |\n", ""},
		{"an overview that says otherwise", "| Mastodon | shown |", "| Mastodon | not tried |"},
		{"a server less", "## Friendica", "## Friendly"},
	} {
		changed := strings.Replace(doc, c.old, c.new, 1)
		if changed == doc {
			t.Errorf("%s: %q is not there", c.what, c.old)
		}
		if checkMatrix(changed, named()) == nil {
			t.Errorf("%s passes", c.what)
		}
	}
	without := slices.DeleteFunc(named(), func(n string) bool { return n == "lemmy/edit" })
	if checkMatrix(doc, without) == nil {
		t.Error("a test that did not pass is claimed")
	}
}

func TestTheFortyChecksAreNumbered(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for i, c := range checks {
		if c.run == nil || c.text == "" || seen[c.text] {
			t.Errorf("check %d: %q", c.number, c.text)
		}
		seen[c.text] = true
		if c.number != i+1 {
			t.Errorf("%d stands where %d should", c.number, i+1)
		}
	}
	if len(checks) != 40 {
		t.Errorf("%d checks", len(checks))
	}
}
