// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/federation/fedtest"
	"essaim/federation/fetch"
	"essaim/federation/proof"
)

var updateCopies = flag.Bool("update-copies", false, "write testdata/copies.json again")

// copiesSample makes pages of copies of brest.example, and remembers what that node
// signed of them.
type copiesSample struct {
	*copiesReader
	key                             ed25519.PrivateKey
	signed                          map[string]bool // by copy digest
	record, tombstone, person, head string
}

const sampleActor = "https://brest.example/actor"

func newCopiesSample(t testing.TB) *copiesSample {
	t.Helper()
	s := &copiesSample{key: fedtest.Ed25519("brest.example"), signed: map[string]bool{}}
	origin, err := essaim.ParseIRI(sampleActor)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC)
	s.copiesReader, err = newCopiesReader(CopiesOf{Origin: origin, Keys: []essaim.PeerKey{{Key: s.public()}}, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	s.record = s.sign(t, `"id":"https://brest.example/objects/1","type":"Article","attributedTo":"`+sampleActor+
		`","essaim:kind":"initiative","essaim:incarnation":1,"essaim:revision":2,"name":"Une","updated":"2026-03-01T00:00:00Z"`)
	s.tombstone = s.sign(t, `"id":"https://brest.example/objects/2","type":"Tombstone","attributedTo":"`+sampleActor+`","deleted":"2026-03-01T00:00:00Z"`)
	s.person = s.sign(t, `"id":"`+sampleActor+`","type":"Organization","preferredUsername":"brest","inbox":"`+sampleActor+`/inbox","outbox":"`+sampleActor+`/outbox"`)
	s.head = s.sign(t, `"id":"https://brest.example/commons","type":"OrderedCollection","attributedTo":"`+sampleActor+
		`","essaim:incarnation":1,"essaim:n":2,"essaim:count":3,"essaim:root":"`+strings.Repeat("a", 64)+`","essaim:at":"2026-03-03T09:00:00Z"`)
	return s
}

func (s *copiesSample) public() string {
	return proof.EncodeMultikey(s.key.Public().(ed25519.PublicKey))
}

// sign gives a document of brest.example the members and its proof.
func (s *copiesSample) sign(t testing.TB, members string) string {
	t.Helper()
	doc := `{"@context":["https://www.w3.org/ns/activitystreams",{"essaim":"https://w3id.org/essaim#"}],` + members + `}`
	signed, err := proof.Sign([]byte(doc), s.key, sampleActor+"#"+proof.KeyFragment(s.key.Public().(ed25519.PublicKey)), s.Now())
	if err != nil {
		t.Fatal(err)
	}
	_, exact, err := proof.Digests(signed.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	s.signed[exact] = true
	return string(signed.Bytes)
}

// sheet is a page of documents in the order of their keys, behind heads.
func sheet(heads string, items ...string) string {
	keyOf := func(doc string) string {
		var o struct{ ID string }
		_ = json.Unmarshal([]byte(doc), &o)
		return essaim.CommonsKey(o.ID)
	}
	slices.SortFunc(items, func(a, b string) int { return strings.Compare(keyOf(a), keyOf(b)) })
	cursor := ""
	if n := len(items); n > 0 {
		cursor = fmt.Sprintf(`"essaim:cursor":%q,`, keyOf(items[n-1]))
	}
	return `{"type":"OrderedCollectionPage","essaim:of":"brest.example","essaim:heads":[` + heads + `],` + cursor + `"orderedItems":[` + strings.Join(items, ",") + `]}`
}

// copiesVector is a page of copies that other implementations can be held to.
type copiesVector struct {
	Name    string          `json:"name"`
	Page    json.RawMessage `json:"page"`
	Invalid bool            `json:"invalid,omitempty"` // nothing of it is taken
	Copies  []copyVector    `json:"copies"`            // that are taken, in their order
	Heads   []string        `json:"heads"`             // numbers, the newest first
	Refused []string        `json:"refused"`           // ids
}

type copyVector struct {
	ID            string `json:"id"`
	ContentDigest string `json:"contentDigest"`
	CopyDigest    string `json:"copyDigest"`
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
	for _, c := range []struct{ name, page string }{
		{"a record, a tombstone, an actor, two heads", sheet(s.head+","+later, s.record, s.tombstone, s.person)},
		{"nothing", sheet("")},
		{"a head alone", sheet(s.head)},
		{"a record changed after it was signed", sheet(s.head, changed, s.tombstone)},
		{"a document of another origin", sheet("", s.tombstone, elsewhere)},
		{"a document without proof", sheet("", `{"@context":["https://www.w3.org/ns/activitystreams"],"id":"https://brest.example/objects/3","type":"Tombstone","attributedTo":"`+sampleActor+`"}`)},
		{"a head changed after it was signed", sheet(strings.Replace(s.head, `"essaim:n":2`, `"essaim:n":9`, 1), s.record)},
		{"items that are not in the order of their keys", strings.Replace(sheet("", s.record, s.tombstone), `"orderedItems":[`, `"orderedItems":[`+s.person+`,`, 1)},
		{"copies of another host", strings.Replace(sheet("", s.record), `"essaim:of":"brest.example"`, `"essaim:of":"mallory.example"`, 1)},
		{"items without a cursor", strings.Replace(sheet("", s.record), `"essaim:cursor"`, `"cursor"`, 1)},
	} {
		v := copiesVector{Name: c.name, Page: json.RawMessage(c.page), Copies: []copyVector{}, Heads: []string{}, Refused: []string{}}
		p, err := s.page(t.Context(), fetch.Answer{Body: []byte(c.page)})
		v.Invalid = err != nil
		for _, c := range p.Copies {
			v.Copies = append(v.Copies, copyVector{c.ID, c.ContentDigest, c.CopyDigest})
		}
		for _, h := range p.Heads {
			v.Heads = append(v.Heads, h.Number.String())
		}
		for _, r := range p.Refused {
			v.Refused = append(v.Refused, r.ID)
		}
		file.Cases = append(file.Cases, v)
	}
	got, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	const name = "testdata/copies.json"
	if *updateCopies {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(name); err != nil || !bytes.Equal(got, want) {
		t.Errorf("not what %s says (%v):\n%s", name, err, got)
	}
}

// FuzzCopies: whatever a node answers about the copies that it holds of another,
// nothing is believed but the documents that the other signed.
func FuzzCopies(f *testing.F) {
	s := newCopiesSample(f)
	whole := sheet(s.head, s.record)
	if p, err := s.page(context.Background(), fetch.Answer{Body: []byte(whole)}); err != nil || len(p.Copies) != 1 || len(p.Heads) != 1 || p.Copies[0].Version != (essaim.RecordVersion{Incarnation: 1, Revision: 2}) {
		f.Fatalf("a true page: %+v, %v", p, err) // else nothing below could fail
	}
	f.Add([]byte(whole))
	f.Add([]byte(sheet("", s.tombstone)))
	f.Add([]byte(sheet(s.head+","+s.head, s.person, s.tombstone, s.record)))
	f.Add([]byte(sheet(strings.Replace(s.head, `"essaim:n":2`, `"essaim:n":9`, 1), strings.Replace(s.record, "Une", "Autre", 1))))
	f.Add([]byte(sheet("")))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := s.page(t.Context(), fetch.Answer{Body: body})
		if err != nil {
			return
		}
		last := ""
		for _, c := range p.Copies {
			_, exact, err := proof.Digests(c.Document)
			if err != nil || exact != c.CopyDigest || !s.signed[exact] {
				t.Errorf("believed %s", c.Document)
			}
			if k := essaim.CommonsKey(c.ID); k <= last || k > p.Cursor {
				t.Errorf("%s out of its place", c.ID)
			} else {
				last = k
			}
		}
		for _, h := range p.Heads {
			if _, exact, err := proof.Digests(h.Document); err != nil || !s.signed[exact] {
				t.Errorf("believed head %s", h.Document)
			}
		}
	})
}
