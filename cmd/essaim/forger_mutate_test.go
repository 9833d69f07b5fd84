// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"essaim/federation/proof"
	"essaim/federation/vocab"
	"essaim/store/storetest"
)

// object is a JSON object that is forged.
type object = map[string]any

// material is what a forger works from: what he signed himself, and what he read
// of others, who signed it.
type material struct {
	rng     *rand.Rand
	me      *commonsNode
	keys    testKeys
	now     func() time.Time
	own     []object // documents
	others  []object
	said    []object // activities of others
	unsaid  []object // what another account could say, and did not
	ids     []string // of what is not his
	actors  []string
	methods []string // ids of keys of others
	follows []string // ids of follows that are not his
	serial  int
	classes map[string]int
}

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

// class counts what was done.
func (m *material) class(surface, name string) { m.classes[surface+": "+name]++ }

// some picks by a name, in an order that a seed repeats, and counts it.
func some[T any](m *material, surface string, of map[string]T) T {
	name := pick(m.rng, slices.Sorted(maps.Keys(of)))
	m.class(surface, name)
	return of[name]
}

// seldom is some for what goes wrong in few ways at a time: mostly nothing is done,
// under its own name, so that what is done is met by the check that is for it.
func seldom[T any](m *material, surface string, of map[string]T, nothing string) T {
	if m.rng.IntN(5) < 3 {
		m.class(surface, nothing)
		return of[nothing]
	}
	return some(m, surface, of)
}

// decode reads a document to be changed; of a proof nothing changes thereby, for
// it is over the canonical form.
func decode(t testing.TB, raw []byte) object {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var o object
	if err := d.Decode(&o); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return o
}

func encodeObject(o object) []byte {
	b, err := json.Marshal(o)
	if err != nil {
		panic(err) // made of what JSON holds
	}
	return b
}

// signed is a document with another proof, by a key in a name.
func signed(t testing.TB, o object, key ed25519.PrivateKey, method string) []byte {
	t.Helper()
	delete(o, "proof")
	s, err := proof.Sign(encodeObject(o), key, method, storetest.Start)
	if err != nil {
		t.Fatal(err)
	}
	return s.Bytes
}

func cloned(o object) object {
	d := json.NewDecoder(bytes.NewReader(encodeObject(o)))
	d.UseNumber()
	var c object
	if err := d.Decode(&c); err != nil {
		panic(err) // just encoded
	}
	return c
}

// spelled writes an address of another in a way that somebody may read as the same.
func (m *material) spelled(id string) string {
	return pick(m.rng, []func(string) string{
		strings.ToUpper,
		func(s string) string { return strings.Replace(s, ".example", ".example:443", 1) },
		func(s string) string { return strings.Replace(s, ".example/", ".example//", 1) },
		func(s string) string { return strings.Replace(s, ".example", ".example.", 1) },
		func(s string) string { return strings.Replace(s, "https://", "https://mallory.example@", 1) },
		func(s string) string { return strings.Replace(s, "https:", "http:", 1) },
		func(s string) string { return s + "#" },
		func(s string) string { return s + "?" },
		func(s string) string { return s + "/../" + s[strings.LastIndexByte(s, '/')+1:] },
		func(s string) string { return strings.Replace(s, "example/", "example/%2e/", 1) },
		func(s string) string { return " " + s },
		func(s string) string { return s + "\u200b" },
		func(s string) string { return strings.Replace(s, "brest", "bre\u017ft", 1) },
		func(s string) string { return strings.Replace(s, ".", "\u3002", 1) },
	})(id)
}

// contents are changes of a document.
var contents = map[string]func(m *material, o object){
	"as it was":          func(*material, object) {},
	"the id of another":  func(m *material, o object) { o["id"] = pick(m.rng, m.ids) },
	"an id spelled anew": func(m *material, o object) { o["id"] = m.spelled(pick(m.rng, m.ids)) },
	"by another":         func(m *material, o object) { o["attributedTo"] = pick(m.rng, m.actors) },
	"by another, spelled anew": func(m *material, o object) {
		o["attributedTo"] = m.spelled(pick(m.rng, m.actors))
	},
	"by both": func(m *material, o object) {
		both := []any{m.territory(), pick(m.rng, m.actors)}
		m.rng.Shuffle(2, func(i, j int) { both[i], both[j] = both[j], both[i] })
		o["attributedTo"] = both
	},
	"id and author of another": func(m *material, o object) {
		o["id"], o["attributedTo"] = pick(m.rng, m.ids), pick(m.rng, m.actors)
	},
	"another type": func(m *material, o object) {
		o["type"] = pick(m.rng, []any{"Note", "Tombstone", "Person", "Application", "Event", "Create", []any{"Article", "Tombstone"}})
	},
	"a later version": func(m *material, o object) {
		o["essaim:incarnation"], o["essaim:revision"] = m.now().Unix()+m.rng.Int64N(1000), 1000+m.rng.IntN(1000)
		o["updated"] = m.now().UTC().Format(time.RFC3339)
	},
	"a later date": func(m *material, o object) {
		o["updated"] = m.now().Add(time.Duration(m.rng.IntN(180)-60) * time.Minute).UTC().Format(time.RFC3339)
	},
	"another text": func(m *material, o object) {
		o["name"], o["essaim:tagline"] = "Détourné", "Par un autre"
		delete(o, "nameMap")
	},
	"a tombstone": func(m *material, o object) {
		for k := range o {
			if k != "@context" && k != "id" && k != "attributedTo" && k != "proof" {
				delete(o, k)
			}
		}
		o["type"], o["formerType"], o["deleted"] = "Tombstone", "Article", m.now().UTC().Format(time.RFC3339)
	},
	"a tombstone of another's": func(m *material, o object) {
		clear(o)
		o["@context"] = []any{"https://www.w3.org/ns/activitystreams", object{"essaim": "https://w3id.org/essaim#"}}
		o["id"], o["type"], o["attributedTo"] = pick(m.rng, m.ids), "Tombstone", pick(m.rng, append(m.actors, m.territory()))
		o["deleted"] = m.now().UTC().Format(time.RFC3339)
	},
	"a member less": func(m *material, o object) { delete(o, pick(m.rng, slices.Sorted(maps.Keys(o)))) },
	"a member of another kind": func(m *material, o object) {
		o[pick(m.rng, slices.Sorted(maps.Keys(o)))] = pick(m.rng, []any{nil, 7, "", []any{}, object{}, true, []any{object{"id": pick(m.rng, m.ids)}}})
	},
	"another context": func(m *material, o object) {
		o["@context"] = pick(m.rng, []any{"https://www.w3.org/ns/activitystreams", []any{}, []any{"https://www.w3.org/ns/activitystreams", object{"id": "@type"}}, nil})
	},
	"his keys in it": func(m *material, o object) {
		id := fmt.Sprint(o["id"])
		o["publicKey"] = object{"id": id + "#main-key", "owner": id, "publicKeyPem": m.keys.pem}
		o["assertionMethod"] = []any{object{"id": id + m.keys.fragment, "type": "Multikey", "controller": id, "publicKeyMultibase": m.keys.multikey}}
	},
	"his keys introduced": func(m *material, o object) {
		id := fmt.Sprint(o["id"])
		statement := object{
			"@context": o["@context"], "actor": id, "essaim:oldKey": pick(m.rng, m.keys.known), "essaim:newKey": m.keys.multikey,
			"published": m.now().UTC().Format(time.RFC3339),
		}
		m.sign(statement, id+m.keys.fragment)
		o["essaim:keyHistory"] = []any{statement}
		o["assertionMethod"] = []any{object{"id": id + m.keys.fragment, "type": "Multikey", "controller": id, "publicKeyMultibase": m.keys.multikey}}
	},
}

// proofs are what becomes of a document's proof.
var proofs = map[string]func(m *material, o object){
	"proof kept":     func(*material, object) {},
	"proof stripped": func(_ *material, o object) { delete(o, "proof") },
	"proof of another document": func(m *material, o object) {
		o["proof"] = cloned(pick(m.rng, append(slices.Clip(m.others), m.own...)))["proof"]
	},
	"signed by his key": func(m *material, o object) { m.sign(o, m.territory()+m.keys.fragment) },
	"signed by his key, of the author's name": func(m *material, o object) {
		m.sign(o, authorOf(o)+m.keys.fragment)
	},
	"signed by his key, under another's name": func(m *material, o object) { m.sign(o, pick(m.rng, m.methods)) },
	"a member of the proof changed": func(m *material, o object) {
		p, ok := o["proof"].(object)
		if !ok {
			return
		}
		switch m.rng.IntN(5) {
		case 0:
			p["verificationMethod"] = pick(m.rng, append(slices.Clip(m.methods), m.territory()+m.keys.fragment))
		case 1:
			p["cryptosuite"] = pick(m.rng, []any{"eddsa-rdfc-2022", "none", ""})
		case 2:
			p["proofPurpose"] = "authentication"
		case 3:
			p["created"] = m.now().Add(time.Hour).UTC().Format(time.RFC3339)
		case 4:
			p["@context"] = []any{"https://www.w3.org/ns/activitystreams"}
		}
	},
	"two proofs": func(m *material, o object) {
		had := o["proof"]
		m.sign(o, m.territory()+m.keys.fragment)
		o["proof"] = []any{o["proof"], had}
	},
}

// bytesOf are changes below the document.
var bytesOf = map[string]func(m *material, raw []byte) []byte{
	"bytes kept": func(_ *material, raw []byte) []byte { return raw },
	"a byte changed": func(m *material, raw []byte) []byte {
		raw[m.rng.IntN(len(raw))] ^= byte(1 << m.rng.IntN(7))
		return raw
	},
	"a member twice": func(m *material, raw []byte) []byte {
		member := pick(m.rng, []string{`"id":"` + pick(m.rng, m.ids) + `"`, `"attributedTo":"` + pick(m.rng, m.actors) + `"`, `"actor":"` + pick(m.rng, m.actors) + `"`, `"type":"Delete"`, `"\u0069d":"` + pick(m.rng, m.ids) + `"`})
		if m.rng.IntN(2) == 0 {
			return append([]byte("{"+member+","), raw[1:]...)
		}
		return append(append(raw[:len(raw)-1:len(raw)-1], []byte(","+member)...), '}')
	},
	"cut short": func(m *material, raw []byte) []byte { return raw[:m.rng.IntN(len(raw))] },
}

// envelopes are changes of an activity.
var envelopes = map[string]func(m *material, a object){
	"envelope as it was":                func(*material, object) {},
	"an actor that is another":          func(m *material, a object) { a["actor"] = pick(m.rng, m.actors) },
	"an actor spelled anew":             func(m *material, a object) { a["actor"] = m.spelled(pick(m.rng, m.actors)) },
	"two actors":                        func(m *material, a object) { a["actor"] = []any{m.territory(), pick(m.rng, m.actors)} },
	"an id at another's":                func(m *material, a object) { a["id"] = pick(m.rng, m.ids) + "/activity" },
	"the id of another's activity":      func(m *material, a object) { a["id"] = pick(m.rng, m.said)["id"] },
	"about another's object, by its id": func(m *material, a object) { a["object"] = pick(m.rng, m.ids) },
	"about another's actor":             func(m *material, a object) { a["object"] = pick(m.rng, m.actors) },
	"about another's activity":          func(m *material, a object) { a["object"] = cloned(pick(m.rng, m.said)) },
	"about another's follow":            func(m *material, a object) { a["object"] = pick(m.rng, m.follows) },
	"around another activity": func(m *material, a object) {
		inner := cloned(a)
		a["object"] = inner
	},
	"another verb": func(m *material, a object) { a["type"] = pick(m.rng, verbs) },
	"put elsewhere": func(m *material, a object) {
		a["target"], a["origin"] = pick(m.rng, append(m.ids, m.actors...)), pick(m.rng, m.actors)
	},
}

var verbs = []any{
	"Create", "Update", "Delete", "Undo", "Accept", "Reject", "Announce", "Like", "Follow", "Offer", "Add", "Remove", "Move", "Flag", "Block",
	"Join", "Leave", "EmojiReact", "QuoteRequest", "View",
}

// sign replaces the proof of a document by one of his key, under a name.
func (m *material) sign(o object, method string) {
	delete(o, "proof")
	if _, ok := o["@context"].([]any); !ok {
		o["@context"] = []any{"https://www.w3.org/ns/activitystreams"}
	}
	signed, err := proof.Sign(encodeObject(o), m.keys.Ed25519, method, m.now())
	if err != nil {
		return
	}
	var p struct{ Proof object }
	if json.Unmarshal(signed.Bytes, &p) == nil {
		o["proof"] = p.Proof
	}
}

func authorOf(o object) string {
	if by, ok := o["attributedTo"].(string); ok {
		return by
	}
	if by, ok := o["actor"].(string); ok {
		return by
	}
	return fmt.Sprint(o["id"])
}

func (m *material) territory() string { return m.me.base + "/actors/mallory" }

// document forges one; base says from what.
func (m *material) document(surface string) object {
	list := m.own
	base := "from his own"
	if m.rng.IntN(2) == 0 {
		list, base = m.others, "from another's"
	}
	m.class(surface, base)
	o := cloned(pick(m.rng, list))
	seldom(m, surface, contents, "as it was")(m, o)
	if m.rng.IntN(2) == 0 && base == "from his own" {
		seldom(m, surface, proofs, "signed by his key, of the author's name")(m, o)
	} else {
		seldom(m, surface, proofs, "proof kept")(m, o)
	}
	if o["id"] == m.territory() && o["type"] != "Organization" {
		o["id"] = m.territory() + "/gone" // he does not leave: the others are to come yet
	}
	return o
}

// activity forges one, as it is sent.
func (m *material) activity(surface string) []byte {
	m.serial++
	a := object{
		"@context": []any{"https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v1", object{"essaim": "https://w3id.org/essaim#"}},
		"id":       fmt.Sprintf("%s/activities/f%d", m.me.base, m.serial), "type": pick(m.rng, verbs[:3]), "actor": m.territory(),
		"to": []any{vocab.Public}, "object": m.document(surface),
	}
	signed := "signed by his key, of the author's name"
	switch m.rng.IntN(8) {
	case 0:
		m.class(surface, "from another's activity")
		a, signed = cloned(pick(m.rng, m.said)), "proof kept"
	case 1:
		m.class(surface, "what another never sent")
		a, signed = cloned(pick(m.rng, m.unsaid)), "proof kept"
	}
	seldom(m, surface, envelopes, "envelope as it was")(m, a)
	if inner, ok := a["object"].(object); ok && a["type"] == "Delete" {
		if inner["id"] == m.territory() {
			inner["id"] = m.territory() + "/gone"
		}
		if m.rng.IntN(2) == 0 {
			a["object"] = inner["id"]
		}
	}
	seldom(m, surface, proofs, signed)(m, a)
	if a["actor"] == m.territory() && a["object"] == m.territory() {
		a["object"] = m.territory() + "/gone"
	}
	if m.rng.IntN(4) > 0 {
		return encodeObject(a)
	}
	return some(m, surface, bytesOf)(m, encodeObject(a))
}
