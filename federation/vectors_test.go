// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/federation/fedtest"
	"essaim/federation/fetch"
	"essaim/federation/proof"
)

// copiesVector is a page of copies that other implementations can be held to.
type copiesVector struct {
	Name string `json:"name"`
	// Keys are those of the origin, oldest first, where they are more than the one of
	// the file; Digests the nodes of the digest tree of who is asked, by prefix; Held
	// what is held already, by id.
	Keys    []string                   `json:"keys,omitempty"`
	Digests map[string]json.RawMessage `json:"digests,omitempty"`
	Held    map[string]heldVector      `json:"held,omitempty"`
	Page    json.RawMessage            `json:"page"`
	Invalid bool                       `json:"invalid,omitempty"` // nothing of it is taken
	Copies  []copyVector               `json:"copies"`            // that are taken, in their order
	Heads   []string                   `json:"heads"`             // numbers, the newest first
	Refused []string                   `json:"refused"`           // ids
	Left    int                        `json:"left,omitempty"`    // proven, and say no more than what is held
}

type copyVector struct {
	ID            string `json:"id"`
	ContentDigest string `json:"contentDigest"`
	CopyDigest    string `json:"copyDigest"`
}

type heldVector struct {
	Tombstone   bool   `json:"tombstone,omitempty"`
	CopyDigest  string `json:"copyDigest,omitempty"`
	Incarnation int64  `json:"incarnation,omitempty"`
	Revision    int64  `json:"revision,omitempty"`
}

// treeOf answers with nodes of a digest tree.
type treeOf map[string]json.RawMessage

func (s treeOf) Changed(_ context.Context, address, _ string) (fetch.Answer, error) {
	path, _, _ := strings.Cut(strings.TrimPrefix(address, "https://holder.example/commons/copies/digest"), "?")
	node, ok := s[strings.TrimPrefix(path, "/")]
	if !ok {
		return fetch.Answer{}, essaim.ErrNotFound
	}
	return fetch.Answer{Body: node}, nil
}

// read fills in what is taken of the page.
func (v *copiesVector) read(t *testing.T, s *copiesSample) {
	t.Helper()
	c := s.CopiesOf
	c.Client, c.Holder = treeOf(v.Digests), "https://holder.example"
	if len(v.Keys) > 0 {
		c.Keys = nil
		for _, k := range v.Keys {
			c.Keys = append(c.Keys, essaim.PeerKey{Key: k})
		}
	}
	c.Standing = func(context.Context, []string) (map[string]essaim.HeldCopy, error) {
		held := map[string]essaim.HeldCopy{}
		for id, h := range v.Held {
			held[id] = essaim.HeldCopy{Gone: h.Tombstone, CopyDigest: h.CopyDigest, Version: essaim.RecordVersion{Incarnation: h.Incarnation, Revision: h.Revision}}
		}
		return held, nil
	}
	r, err := newCopiesReader(c)
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.page(t.Context(), fetch.Answer{Body: v.Page})
	if v.Invalid = err != nil; !v.Invalid {
		if err := r.leaveOut(t.Context(), &p); err != nil {
			t.Fatal(err)
		}
	}
	v.Copies, v.Heads, v.Refused, v.Left = []copyVector{}, []string{}, []string{}, p.Held
	for _, c := range p.Copies {
		v.Copies = append(v.Copies, copyVector{c.ID, c.ContentDigest, c.CopyDigest})
	}
	for _, h := range p.Heads {
		v.Heads = append(v.Heads, h.Number.String())
	}
	for _, r := range p.Refused {
		v.Refused = append(v.Refused, r.ID)
	}
}

func TestCopiesAreTakenAsTheVectorsSay(t *testing.T) {
	t.Parallel()
	s := newCopiesSample(t)
	changed := strings.Replace(s.record, "Une", "Autre", 1)
	elsewhere := strings.ReplaceAll(s.record, "brest.example", "mallory.example")
	later := s.sign(t, `"id":"https://brest.example/commons","type":"OrderedCollection","attributedTo":"`+sampleActor+
		`","essaim:incarnation":1,"essaim:n":3,"essaim:count":3,"essaim:root":"`+strings.Repeat("b", 64)+`","essaim:at":"2026-03-03T09:30:00Z"`)
	file := struct {
		Origin string         `json:"origin"`
		Key    string         `json:"key"`
		Now    time.Time      `json:"now"`
		Cases  []copiesVector `json:"cases"`
	}{sampleActor, s.public(), s.Now(), nil}
	const record, tombstone = "https://brest.example/objects/1", "https://brest.example/objects/2"
	held := func(id, digest string, gone bool, revision int64) map[string]heldVector {
		return map[string]heldVector{id: {gone, digest, 1, revision}}
	}
	another := strings.Repeat("c", 64)
	retired := []string{proof.EncodeMultikey(fedtest.Ed25519("brest.example, once").Public().(ed25519.PublicKey)), s.public()}
	old, witness, listed := s.once(t)
	for _, c := range []copiesVector{
		{Name: "a record, a tombstone, an actor, two heads", Page: sheet(s.head+","+later, s.record, s.tombstone, s.person)},
		{Name: "nothing", Page: sheet("")},
		{Name: "a head alone", Page: sheet(s.head)},
		{Name: "a record changed after it was signed", Page: sheet(s.head, changed, s.tombstone)},
		{Name: "a document of another origin", Page: sheet("", s.tombstone, elsewhere)},
		{Name: "a document without proof", Page: sheet("", `{"@context":["https://www.w3.org/ns/activitystreams"],"id":"https://brest.example/objects/3","type":"Tombstone","attributedTo":"`+sampleActor+`"}`)},
		{Name: "a head changed after it was signed", Page: sheet(strings.Replace(s.head, `"essaim:n":2`, `"essaim:n":9`, 1), s.record)},
		{Name: "items that are not in the order of their keys", Page: bytes.Replace(sheet("", s.record, s.tombstone), []byte(`"orderedItems":[`), []byte(`"orderedItems":[`+s.person+`,`), 1)},
		{Name: "copies of another host", Page: bytes.Replace(sheet("", s.record), []byte(`"essaim:of":"brest.example"`), []byte(`"essaim:of":"mallory.example"`), 1)},
		{Name: "items without a cursor", Page: bytes.Replace(sheet("", s.record), []byte(`"essaim:cursor"`), []byte(`"cursor"`), 1)},
		{Name: "a record of which an older version is held", Held: held(record, another, false, 1), Page: sheet("", s.record)},
		{Name: "a record of which a newer version is held", Held: held(record, another, false, 3), Page: sheet("", s.record, s.person)},
		{Name: "a record that is held as it is", Held: held(record, digest(t, s.record), false, 2), Page: sheet("", s.record)},
		{Name: "a record under an id of which a tombstone is held", Held: held(record, another, true, 0), Page: sheet("", s.record)},
		{Name: "a tombstone of a record that is held", Held: held(tombstone, another, false, 9), Page: sheet("", s.tombstone)},
		{Name: "a record by a retired key, which a head by the key that holds shows", Keys: retired, Digests: listed, Page: sheet(witness, old)},
		{Name: "a record by a retired key, in the tree of no head", Keys: retired, Digests: listed, Page: sheet(s.head, old)},
		{Name: "a record by a retired key, without the tree that a head is of", Keys: retired, Page: sheet(witness, old)},
		{
			Name: "a record by a retired key, in a tree that is not the head's", Keys: retired, Page: sheet(witness, old),
			Digests: map[string]json.RawMessage{"": bytes.Replace(listed[""], []byte("objects/5"), []byte("objects/6"), 1)},
		},
		{Name: "a record by a key that never was the origin's", Page: sheet(witness, old), Digests: listed},
		{Name: "a record and a head with a member that was added, which is part of no proof", Page: sheet(added(s.head), added(s.record))},
	} {
		c.read(t, s)
		file.Cases = append(file.Cases, c)
	}
	for i, want := range map[int]int{11: 1, 12: 1, 13: 1, 14: 0} { // else nothing of what is held was tried
		if got := file.Cases[i]; got.Left != want || len(got.Refused) > 0 {
			t.Errorf("%s: %d left, %v refused", got.Name, got.Left, got.Refused)
		}
	}
	for i, want := range map[int]int{15: 1, 16: 0, 17: 0, 18: 0, 19: 0, 20: 0} {
		if got := file.Cases[i]; len(got.Copies) != want || len(got.Refused) != 1-want {
			t.Errorf("%s: %d taken, %v refused", got.Name, len(got.Copies), got.Refused)
		}
	}
	heldTo(t, "testdata/copies.json", file)
}

// once is a record by a key that was retired since, a head by the key that holds in
// whose tree it is, and that tree, of two items.
func (s *copiesSample) once(t *testing.T) (record, head string, digests map[string]json.RawMessage) {
	t.Helper()
	const id = "https://brest.example/objects/4"
	record = s.signBy(t, fedtest.Ed25519("brest.example, once"), `"id":"`+id+`","type":"Article","attributedTo":"`+sampleActor+
		`","essaim:kind":"initiative","essaim:incarnation":1,"essaim:revision":1,"name":"Autrefois","updated":"2026-02-01T00:00:00Z"`)
	lines := []essaim.CommonsItem{{ID: id, Digest: digest(t, record)}, {ID: "https://brest.example/objects/5", Digest: strings.Repeat("d", 64)}}
	root := essaim.CommonsTree("", lines)[""]
	if essaim.CommonsKey(lines[0].ID) > essaim.CommonsKey(lines[1].ID) {
		lines[0], lines[1] = lines[1], lines[0]
	}
	node := fmt.Sprintf(`{"type":"Collection","essaim:of":"brest.example","essaim:prefix":"","essaim:hash":%q,"totalItems":2,"essaim:lines":[`, root.Hash.String())
	for i, l := range lines {
		node += strings.Repeat(",", min(i, 1)) + fmt.Sprintf(`{"id":%q,"essaim:copyDigest":%q}`, l.ID, l.Digest)
	}
	head = s.sign(t, `"id":"https://brest.example/commons","type":"OrderedCollection","attributedTo":"`+sampleActor+
		`","essaim:incarnation":1,"essaim:n":4,"essaim:count":2,"essaim:root":"`+root.Hash.String()+`","essaim:at":"2026-03-03T09:40:00Z"`)
	return record, head, map[string]json.RawMessage{"": json.RawMessage(node + `]}`)}
}

func digest(t *testing.T, document string) string {
	t.Helper()
	_, exact, err := proof.Digests([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return exact
}

// pageVector is a page of a commons, asked for after a number and read under a
// signed head of another.
type pageVector struct {
	Name    string          `json:"name"`
	After   string          `json:"after"`
	Head    string          `json:"head"`
	Page    json.RawMessage `json:"page"`
	Invalid bool            `json:"invalid,omitempty"` // nothing of it is taken, and the cursor stays
	Cursor  string          `json:"cursor,omitempty"`  // where to go on
	Items   []string        `json:"items,omitempty"`   // ids, each to be proven by itself
}

var errNoHead = errors.New("its head is not asked for again")

// headless has no head but the one that was read.
type headless struct{}

func (headless) Changed(context.Context, string, string) (fetch.Answer, error) {
	return fetch.Answer{}, errNoHead
}

func TestPagesAreReadAsTheVectorsSay(t *testing.T) {
	t.Parallel()
	s := newCopiesSample(t)
	page := func(cursor string, items ...string) json.RawMessage {
		return json.RawMessage(`{"type":"OrderedCollectionPage","partOf":"https://brest.example/commons","essaim:head":"1.9","essaim:cursor":"` + cursor + `","orderedItems":[` + strings.Join(items, ",") + `]}`)
	}
	number := func(text string) essaim.CommonsNumber {
		n, err := essaim.ParseCommonsNumber(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	var file []pageVector
	valid := 0
	for _, v := range []pageVector{
		{Name: "the first page", After: "0.0", Head: "1.9", Page: page("1.2", s.record, s.tombstone)},
		{Name: "the last page", After: "1.2", Head: "1.9", Page: page("1.9", s.person)},
		{Name: "a page after which nothing changed", After: "1.9", Head: "1.9", Page: page("1.9")},
		{Name: "a page of a later incarnation", After: "1.9", Head: "7.1", Page: page("7.1", s.record)},
		{Name: "a cursor above the signed head", After: "1.2", Head: "1.9", Page: page("1.10", s.record)},
		{Name: "a cursor of an incarnation above the signed head's", After: "1.2", Head: "1.9", Page: page("2.0", s.record)},
		{Name: "a cursor that goes back", After: "1.2", Head: "1.9", Page: page("1.1", s.record)},
		{Name: "items, and a cursor that stays", After: "1.2", Head: "1.9", Page: page("1.2", s.record)},
		{Name: "a cursor with a leading zero", After: "1.2", Head: "1.9", Page: page("1.09", s.record)},
		{Name: "a cursor that is no number", After: "1.2", Head: "1.9", Page: page("9", s.record)},
		{Name: "no cursor", After: "1.2", Head: "1.9", Page: bytes.Replace(page("1.9", s.record), []byte("essaim:cursor"), []byte("cursor"), 1)},
	} {
		cursor, items, err := readPage(v.Page, number(v.After))
		if err == nil && cursor.Compare(number(v.Head)) > 0 {
			c := crawl{Replicator: &Replicator{Client: headless{}, Now: s.Now}, last: number(v.Head), origin: s.Origin, base: s.Origin.Origin()}
			if _, err = c.page(t.Context(), fetch.Answer{Body: v.Page}, &essaim.CommonsProgress{Cursor: number(v.After)}); !errors.Is(err, errNoHead) {
				t.Errorf("%s: %v, and its head is not asked for", v.Name, err)
			}
		}
		if v.Invalid = err != nil; !v.Invalid {
			valid++
			v.Cursor = cursor.String()
			for _, item := range items {
				v.Items = append(v.Items, item.Get("id").TextOr())
			}
		}
		file = append(file, v)
	}
	if valid != 4 {
		t.Errorf("%d pages are read, want the first four", valid)
	}
	heldTo(t, "testdata/pages.json", file)
}

// heldTo compares what was made with a file, or writes that.
func heldTo(t *testing.T, name string, made any) {
	t.Helper()
	got, err := json.MarshalIndent(made, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *updateCopies {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(name); err != nil || !bytes.Equal(got, want) {
		t.Errorf("not what %s says (%v):\n%s", name, err, got)
	}
}
