// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"essaim"
	"essaim/federation/proof"
	"essaim/federation/vocab"
	"essaim/federation/wire"
)

// signedDocuments are the vectors of docs/PROFILE.md: by their name, with the keys
// that their node had, the first one first.
func signedDocuments(t testing.TB) (keys []string, documents map[string][]byte) {
	t.Helper()
	b, err := os.ReadFile("testdata/documents.json")
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Keys      []string
		Documents []struct {
			Name     string
			Document json.RawMessage
		}
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	documents = map[string][]byte{}
	for _, d := range v.Documents {
		var compact bytes.Buffer
		if err := json.Compact(&compact, d.Document); err != nil {
			t.Fatal(err)
		}
		documents[d.Name] = compact.Bytes()
	}
	if len(v.Keys) != 3 || len(documents) != 4 {
		t.Fatalf("%d keys and %d documents are read", len(v.Keys), len(documents))
	}
	return v.Keys, documents
}

// FuzzPage holds that a page which is read goes on, within its bounds, and that
// its items are bytes of it; and, of each, that whom it is taken from is who it
// says wrote it.
func FuzzPage(f *testing.F) {
	// Small ones: what is large takes the fuzzer a minute each to make smaller.
	item := func(n int, kind, more string) string {
		return fmt.Sprintf(`{"@context":"https://www.w3.org/ns/activitystreams","id":"https://a.example/%d","type":%q%s}`, n, kind, more)
	}
	page := func(cursor string, items ...string) []byte {
		return fmt.Appendf(nil, `{"type":"OrderedCollectionPage","essaim:cursor":%q,"orderedItems":[%s]}`, cursor, strings.Join(items, ","))
	}
	f.Add(page("7.3", item(1, "Article", `,"attributedTo":"https://a.example/2"`), item(3, "Tombstone", `,"attributedTo":{"id":"https://a.example/2"}`)), int64(7), int64(2))
	f.Add(page("7.3", item(2, "Person", ""), item(4, "Article", `,"attributedTo":["https://a.example/2","https://b.example/1"]`)), int64(6), int64(9))
	f.Add(page("7.3"), int64(7), int64(3))
	f.Add([]byte(`{"essaim:cursor":"7.3","orderedItems":{}}`), int64(7), int64(3))
	f.Fuzz(func(t *testing.T, body []byte, incarnation, n int64) {
		after := essaim.CommonsNumber{Incarnation: incarnation, N: n}
		cursor, items, err := readPage(body, after)
		if err != nil {
			return
		}
		switch c := cursor.Compare(after); {
		case c < 0, c == 0 && len(items) > 0, len(items) > 2*commonsPage:
			t.Errorf("from %s to %s with %d items", after, cursor, len(items))
		}
		if again, err := essaim.ParseCommonsNumber(cursor.String()); err != nil || again != cursor {
			t.Errorf("cursor %s is read as %s, %v", cursor, again, err)
		}
		for _, it := range items {
			if !json.Valid(it.Raw()) || !bytes.Contains(body, it.Raw()) {
				t.Errorf("item %q is no value of the page", it.Raw())
			}
			a, err := wire.Published(it.Raw(), wire.Limits{})
			if err != nil {
				continue
			}
			if a.ID != a.Object.ID || (a.Type == "Delete") != (a.Object.Type == "Tombstone") {
				t.Errorf("%s of %s is read from %s", a.Type, a.Object.ID, it.Raw())
			}
			if a.Actor != a.Object.ID && !slices.Equal(a.Object.Authors, []essaim.IRI{a.Actor}) {
				t.Errorf("by %s, whom the item does not name as its author: %s", a.Actor, it.Raw())
			}
		}
	})
}

// FuzzDigests holds that a node of a digest tree is read as it would be written
// again, and hashed as what it lists.
func FuzzDigests(f *testing.F) {
	digest := strings.Repeat("ab", 32)
	for _, seed := range []string{
		`{"essaim:lines":[]}`,
		`{"essaim:lines":[{"id":"https://brest.example/objects/1","essaim:copyDigest":"` + digest + `"}]}`,
		`{"essaim:children":["` + digest + strings.Repeat(`","`, 15) + `"]}`,
		`{"essaim:children":["` + strings.Repeat(digest+`","`, 15) + digest + `"],"essaim:lines":[]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		doc, err := wire.Parse(body, wire.Limits{})
		if err != nil {
			return
		}
		n, err := readDigests(doc)
		if err != nil {
			return
		}
		written := map[string]any{}
		if n.inner {
			var children [16]string
			for i, c := range n.children {
				if children[i] = c.Hash.String(); !bytes.Contains(body, []byte(children[i])) && !bytes.Contains(body, []byte(`\`)) {
					t.Errorf("child %s is nowhere in %s", children[i], body)
				}
			}
			written["essaim:children"] = children
		} else {
			lines := make([]map[string]string, len(n.lines))
			for i, l := range n.lines {
				if len(l.Digest) != 64 || strings.Trim(l.Digest, essaim.CommonsDigits) != "" {
					t.Errorf("digest %q", l.Digest)
				}
				lines[i] = map[string]string{"id": l.ID, "essaim:copyDigest": l.Digest}
			}
			if len(lines) > essaim.CommonsLeaf {
				t.Errorf("a leaf of %d", len(lines))
			}
			written["essaim:lines"] = lines
		}
		again, err := json.Marshal(written)
		if err != nil {
			t.Fatal(err)
		}
		if doc, err = wire.Parse(again, wire.Limits{}); err != nil {
			t.Fatal(err)
		}
		m, err := readDigests(doc)
		if err != nil || m.inner != n.inner || m.hash() != n.hash() || !slices.Equal(m.lines, n.lines) {
			t.Errorf("read as %+v, then as %+v, %v", n, m, err)
		}
	})
}

// FuzzKeyHistory holds that a history of keys leads only where the keys of the
// vectors signed that it leads: whatever is changed in it introduces no other key,
// nor in another order.
func FuzzKeyHistory(f *testing.F) {
	keys, documents := signedDocuments(f)
	actor, err := essaim.ParseIRI("https://brest.example/actor")
	if err != nil {
		f.Fatal(err)
	}
	if next := continued(keys[0], actor, documents["actor"]); len(next) != 2 || next[1].Key != keys[2] {
		f.Fatalf("the history of the vectors leads to %+v", next) // else nothing below could fail
	}
	var whole struct {
		History []json.RawMessage `json:"essaim:keyHistory"`
	}
	if err := json.Unmarshal(documents["actor"], &whole); err != nil {
		f.Fatal(err)
	}
	// Small ones: what is large takes the fuzzer a minute each to make smaller.
	for _, h := range [][]json.RawMessage{whole.History, whole.History[:1], whole.History[1:], {whole.History[1], whole.History[0]}} {
		seed, err := json.Marshal(map[string]any{"essaim:keyHistory": h})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		for i, pinned := range keys {
			next := continued(pinned, actor, document)
			if len(next) > len(keys)-1-i {
				t.Fatalf("from key %d on: %+v", i, next)
			}
			for j, k := range next {
				if k.Key != keys[i+1+j] || k.How != essaim.KeyContinued || !proves(k.Statement, keys[i+j]) {
					t.Errorf("key %d leads to %+v by %s", i+j, k, k.Statement)
				}
			}
		}
	})
}

// FuzzHead holds that a head which is read is of who it should be, dated no more
// than an hour ahead, and that this node would write one which is read the same.
func FuzzHead(f *testing.F) {
	keys, documents := signedDocuments(f)
	origin, err := essaim.ParseIRI("https://brest.example/actor")
	if err != nil {
		f.Fatal(err)
	}
	doc, err := wire.Parse(documents["head"], wire.Limits{})
	if err != nil {
		f.Fatal(err)
	}
	signed, err := vocab.ReadCommonsHead(doc.Root())
	if err != nil || !proves(documents["head"], keys[2]) {
		f.Fatalf("the head of the vectors: %+v, %v", signed, err)
	}
	now := signed.At
	f.Add(documents["head"])
	f.Add([]byte(`{"id":"https://brest.example/commons","attributedTo":"https://brest.example/actor","essaim:incarnation":1,"essaim:n":2,"essaim:count":3,"essaim:root":"` + strings.Repeat("a", 64) + `","essaim:at":"2026-03-03T09:00:00.5+01:00"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		doc, err := wire.Parse(body, wire.Limits{})
		if err != nil {
			return
		}
		h, err := readHead(doc.Root(), origin, now)
		if err != nil {
			return
		}
		if h.At.After(now.Add(maxAhead)) || h.Number.Incarnation > now.Add(maxAhead).Unix() || h.Number.N < 0 || h.Number.Incarnation < 0 || h.Count < 0 || h.Root == (essaim.Digest{}) {
			t.Errorf("read %+v", h)
		}
		if by, ok := doc.Get("attributedTo").IRI(); !ok || by != origin || doc.Get("id").TextOr() != "https://brest.example/commons" {
			t.Errorf("a head of another is read: %s", body)
		}
		if !bytes.Equal(h.Document, body) && !bytes.Equal(h.Document, bytes.TrimSpace(body)) {
			t.Errorf("kept as %s, was %s", h.Document, body)
		}
		_, exact, err := proof.Digests(body)
		_, want, errWant := proof.Digests(documents["head"])
		if proves(body, keys[2]) && (err != nil || errWant != nil || exact != want) {
			t.Errorf("a head that nobody signed is proven: %s", body)
		}
		if _, err := essaim.ParseCommonsNumber(h.Number.String()); err != nil {
			t.Errorf("number %s: %v", h.Number, err)
		}
	})
}
