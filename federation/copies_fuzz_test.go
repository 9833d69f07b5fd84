// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/federation/fedtest"
	"essaim/federation/fetch"
	"essaim/federation/proof"
)

var updateCopies = flag.Bool("update-copies", false, "write testdata/copies.json and pages.json again")

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
	return s.signBy(t, s.key, members)
}

func (s *copiesSample) signBy(t testing.TB, key ed25519.PrivateKey, members string) string {
	t.Helper()
	doc := `{"@context":["https://www.w3.org/ns/activitystreams",{"essaim":"https://w3id.org/essaim#"}],` + members + `}`
	signed, err := proof.Sign([]byte(doc), key, sampleActor+"#"+proof.KeyFragment(key.Public().(ed25519.PublicKey)), s.Now())
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
func sheet(heads string, items ...string) json.RawMessage {
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
	return json.RawMessage(`{"type":"OrderedCollectionPage","essaim:of":"brest.example","essaim:heads":[` + heads + `],` + cursor + `"orderedItems":[` + strings.Join(items, ",") + `]}`)
}

// added is a document with a member that its proof does not cover (FEP-8b32).
func added(document string) string {
	return strings.Replace(document, `,"type":`, `,"signature":{"type":"RsaSignature2017"},"type":`, 1)
}

// FuzzCopies: whatever a node answers about the copies that it holds of another,
// nothing is believed but the documents that the other signed.
func FuzzCopies(f *testing.F) {
	s := newCopiesSample(f)
	whole := sheet(s.head, s.record)
	if p, err := s.page(context.Background(), fetch.Answer{Body: whole}); err != nil || len(p.Copies) != 1 || len(p.Heads) != 1 || p.Copies[0].Version != (essaim.RecordVersion{Incarnation: 1, Revision: 2}) {
		f.Fatalf("a true page: %+v, %v", p, err) // else nothing below could fail
	}
	f.Add([]byte(whole))
	f.Add([]byte(sheet("", s.tombstone)))
	f.Add([]byte(sheet(s.head+","+s.head, s.person, s.tombstone, s.record)))
	f.Add([]byte(sheet(strings.Replace(s.head, `"essaim:n":2`, `"essaim:n":9`, 1), strings.Replace(s.record, "Une", "Autre", 1))))
	f.Add([]byte(sheet(added(s.head), added(s.record), added(s.tombstone))))
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
