// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestTheShapesAreThoseOfTheDocuments reads the documents of the corpus again that
// testdata/shapes.tsv names; of the others it holds the form of what names them.
func TestTheShapesAreThoseOfTheDocuments(t *testing.T) {
	t.Parallel()
	root := os.Getenv("ESSAIM_CORPUS")
	if root == "" {
		root = "../../../shared"
	}
	corpus := filepath.Join(root, "data/fediverse")
	_, err := os.Stat(corpus)
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("no corpus: %v", err)
	}
	absent := err != nil
	reference := regexp.MustCompile(`^[\w.-]+/[\w.-]+ [\w./@-]+\.(json|kt|go|php)$`)
	read, named, names := 0, 0, map[string]bool{}
	for _, w := range writings {
		if names[w.document+w.at+w.kind] {
			t.Errorf("%s %s stands twice", w.document, w.at)
		}
		names[w.document+w.at+w.kind] = true
		if !slices.ContainsFunc(fediverse, func(s software) bool { return s.name == w.software }) || len(w.shape) < 3 {
			t.Errorf("%s of %q: %v", w.kind, w.software, w.shape)
		}
		if w.commit != "corpus" {
			if named++; !reference.MatchString(w.document) || len(w.commit) != 40 {
				t.Errorf("%q at %q is no file of a repository", w.document, w.commit)
			}
			continue
		}
		if read++; absent {
			continue
		}
		raw := corpusFile(t, filepath.Join(corpus, w.document))
		got := shapeOf(within(t, raw, w.at))
		if w.shape["object"] == "any" { // given whole by whoever passed the document on
			for path := range got {
				if path == "object" || strings.HasPrefix(path, "object.") {
					delete(got, path)
				}
			}
			got["object"] = "any"
		}
		for path := range got {
			if got[path] != w.shape[path] {
				t.Errorf("%s: %s is %q there, %q in the table", w.document, path, got[path], w.shape[path])
			}
		}
		if len(got) != len(w.shape) {
			t.Errorf("%s: %d keys there, %d in the table", w.document, len(got), len(w.shape))
		}
	}
	if read != fromCorpus || named != fromRepositories {
		t.Errorf("%d documents of the corpus and %d of repositories, want %d and %d", read, named, fromCorpus, fromRepositories)
	}
	if absent {
		t.Logf("not read again: no corpus under %s", root)
	}
}

// corpusFile is a file of the corpus by its name, or by the first digits of the digest
// of its bytes where a person is named in its name.
func corpusFile(t *testing.T, path string) []byte {
	t.Helper()
	if filepath.Ext(path) != "" {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprintf("%.8x", sha256.Sum256(raw)) == filepath.Base(path) {
			return raw
		}
	}
	t.Fatalf("none of %d files is %s", len(files), path)
	return nil
}

// How many documents stand in testdata/shapes.tsv.
const fromCorpus, fromRepositories = 11, 71

// within is the part of a document under a dotted path; a text that is JSON is
// read on.
func within(t *testing.T, raw []byte, path string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	for name := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			if name != "-" {
				v = at[name]
			}
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(at) {
				t.Fatalf("%q is nowhere", path)
			}
			v = at[i]
		}
		if s, ok := v.(string); ok {
			if err := json.Unmarshal([]byte(s), &v); err != nil {
				t.Fatal(err)
			}
		}
	}
	return v
}

// activities are what people of another server send, in that server's shapes.
func (s software) activities() (all []map[string]any) {
	p := &peer{URL: "https://127.0.0.2:1", node: "https://127.0.0.1:1"}
	a := &actor{peer: p, id: p.URL + "/users/alix", name: "alix", keyID: p.URL + "/users/alix#main-key"}
	dressed := func(kind string, object any, more map[string]any) map[string]any {
		doc := a.activity(kind, object, more)
		s.dress(a, doc)
		all = append(all, doc)
		return doc
	}
	dressed("Undo", dressed("Follow", p.node+"/actors/brest", nil), nil)
	note := a.note(p.node+"/objects/1", "<p>Bravo</p>")
	note["tag"], note["cc"] = []any{map[string]any{"type": "Mention", "href": p.node + "/actors/brest", "name": "@brest"}}, []any{p.node + "/actors/brest"}
	dressed("Create", note, nil)
	note["updated"] = note["published"]
	dressed("Update", note, nil)
	dressed("Delete", map[string]any{"id": note["id"], "type": "Tombstone"}, nil)
	if s.can("like") {
		dressed("Undo", dressed("Like", p.node+"/objects/1", nil), nil)
	}
	if s.can("boost") {
		dressed("Undo", dressed("Announce", p.node+"/objects/1", map[string]any{"published": note["published"], "cc": []any{a.id + "/followers"}}), nil)
	}
	return all
}

// TestWhatIsSentLooksAsItsSoftwareWroteIt: as the documents of each software have
// it, key by key; and not once a key is another.
func TestWhatIsSentLooksAsItsSoftwareWroteIt(t *testing.T) {
	t.Parallel()
	held := map[string]int{}
	for _, s := range fediverse {
		for _, doc := range s.activities() {
			if err := asWritten(s.name, doc); err != nil {
				t.Error(err)
			}
			if len(wrote(s.name, text(doc, "type"))) == 0 {
				continue
			}
			held[s.name]++
			for name, changed := range map[string]any{"audience": map[string]any{"type": "Group"}, "actor": 1, "of our own": "", "object": true} {
				was, there := doc[name]
				doc[name] = changed
				if asWritten(s.name, doc) == nil {
					t.Errorf("%s: a %s with %s as %v passes", s.name, doc["type"], name, changed)
				}
				if doc[name] = was; !there {
					delete(doc, name)
				}
			}
			for _, name := range []string{"actor", "object"} {
				was := doc[name]
				delete(doc, name)
				if asWritten(s.name, doc) == nil {
					t.Errorf("%s: a %s without %s passes", s.name, doc["type"], name)
				}
				doc[name] = was
			}
		}
	}
	want := map[string]int{"mastodon": 9, "lemmy": 7, "friendica": 7, "pleroma": 8, "misskey": 6, "gotosocial": 8, "wordpress": 1, "mobilizon": 1}
	for name, n := range want {
		if held[name] != n {
			t.Errorf("%d activities of %s are held against documents of it, want %d", held[name], name, n)
		}
	}
}

func TestShapesDiffer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ours, theirs string
		want         string // the differences, joined
	}{
		{`{"a":"x","b":1}`, `{"b":2.5,"a":"y"}`, ""},
		{`{"a":"x"}`, `{"a":["x","y"]}`, ""},
		{`{"a":"x"}`, `{"a":{"id":"x"}}`, "besides a:text, no a.id:text"},
		{`{"a":[]}`, `{"a":[{"type":"Mention"}]}`, ""},
		{`{}`, `{"a":[]}`, "no a:list"},
		{`{"a":null}`, `{"a":"x"}`, ""},
		{`{"a":"1"}`, `{"a":1}`, "besides a:text, no a:number"},
		{`{"contentMap":{"fr":"x"}}`, `{"contentMap":{"de":"y"}}`, ""},
		{`{"id":"x","updated":"y","@context":[],"signature":{}}`, `{}`, ""},
		{`{"object":{"type":"Note","a":1}}`, `{"object":{"type":"Note"}}`, ""},
		{`{"object":{"type":"Tombstone","id":"x"}}`, `{"object":"x"}`, "besides object.id:text, besides object.type:text, no object:text"},
	} {
		var ours, theirs any
		if json.Unmarshal([]byte(c.ours), &ours) != nil || json.Unmarshal([]byte(c.theirs), &theirs) != nil {
			t.Fatal(c)
		}
		if got := strings.Join(shapeOf(ours).differs(shapeOf(theirs)), ", "); got != c.want {
			t.Errorf("%s and %s: got %q, want %q", c.ours, c.theirs, got, c.want)
		}
	}
}

func TestCoordinatesAreFloats(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]bool{
		`{"latitude":48.0,"longitude":-4.5}`:  true,
		`{"latitude":48,"longitude":-4.5}`:    false,
		`{"latitude":"48.0","longitude":1.5}`: false,
		`{"name":"Brest"}`:                    false,
	} {
		var j judge
		takesNumbers(&j, []byte(raw))
		if got := len(j.failed) == 0; got != want {
			t.Errorf("%s: taken %v, want %v", raw, got, want)
		}
	}
}
