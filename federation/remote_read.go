// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"essaim"
	"essaim/federation/proof"
	"essaim/federation/sig"
	"essaim/federation/wire"
	"essaim/web/markup"
)

// Limits on what is kept of an actor elsewhere.
const (
	maxActorName = 2048 // bytes, Mastodon's
	maxActorKeys = 10
)

// readActor reads an actor's document. Its inbox must be on its own origin, so
// that nobody makes us send to a third party (interop.md, rule 4); of other
// addresses those elsewhere are left out. Errors wrap essaim.ErrInvalid.
func readActor(v wire.Value, now time.Time) (essaim.RemoteActor, error) {
	id, ok := v.Get("id").IRI()
	typ := v.Get("type").TextOr()
	for e := range v.Get("type").Elements() {
		if t := e.TextOr(); wire.IsActor(t) {
			typ = t
			break
		}
	}
	if !ok || !wire.IsActor(typ) {
		return essaim.RemoteActor{}, fmt.Errorf("document of type %q is no actor: %w", cut(typ, 64), essaim.ErrInvalid)
	}
	near := func(v wire.Value) string {
		if s, ok := v.Text(); ok {
			if iri, err := essaim.ParseIRI(s); err == nil && iri.SameOrigin(id) {
				return iri.String()
			}
		}
		return ""
	}
	a := essaim.RemoteActor{
		ID: id.String(), Type: typ, FetchedAt: now, Document: v.Raw(),
		Username:    userName(v.Get("preferredUsername").TextOr()),
		Name:        cut(wire.TextOf(v, "name").In("fr"), maxActorName),
		Inbox:       near(v.Get("inbox")),
		SharedInbox: near(v.Get("endpoints").Get("sharedInbox")),
		Outbox:      near(v.Get("outbox")),
		URL:         near(v.Get("url")),
	}
	if a.Inbox == "" {
		return essaim.RemoteActor{}, fmt.Errorf("actor %s without an inbox of its own: %w", id, essaim.ErrInvalid)
	}
	if a.URL == "" {
		a.URL = a.ID
	}
	for icon := range v.Get("icon").Elements() {
		if iri, ok := icon.Get("url").IRI(); ok {
			a.Icon = iri.String()
			break
		}
	}
	// One that was never changed says when it was made.
	for _, stamp := range [...]string{"updated", "published"} {
		if at, ok := v.Get(stamp).Time(); ok && !at.After(now.Add(maxAhead)) {
			a.Updated = at
			break
		}
	}
	a.Keys = readKeys(v, id)
	a.Unindexed = refusesIndexing(v)
	return a, nil
}

// refusesIndexing tells whether an actor says that others are to make no index of
// what it publishes: "indexable" set to false (FEP-5feb; absent it says nothing),
// or one of the words that people write in their presentation.
func refusesIndexing(v wire.Value) bool {
	if indexable, said := v.Get("indexable").Bool(); said && !indexable {
		return true
	}
	refusals := []string{"#nobot", "#nobots", "#noindex", "#noarchive"}
	words := strings.FieldsFunc(strings.ToLower(markup.Plain(cut(wire.TextOf(v, "summary").In("fr"), 20_000))), func(r rune) bool {
		return r != '#' && !unicode.IsLetter(r)
	})
	for e := range v.Get("tag").Elements() {
		words = append(words, strings.ToLower(cut(e.Get("name").TextOr(), 64)))
	}
	return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(refusals, w) })
}

// userName is a name as it may stand in a handle, "@name@host": letters, digits
// and what joins them. Any other would let an account look like one of another
// host, "@ana@known.example" of evil.example; it counts as none. The host of a
// handle that we show is always the actor's own: nobody claims another's
// (interop.md 1.1).
func userName(s string) string {
	if len(s) > 255 {
		return ""
	}
	for _, c := range s {
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("_.-", c) {
			return ""
		}
	}
	return s
}

// readKeys lists the keys that an actor publishes as its own: publicKey, and
// Ed25519 under assertionMethod (FEP-521a). A key that says it is another's, or
// that no signature could be checked with, is left out.
func readKeys(v wire.Value, id essaim.IRI) []essaim.PublicKey {
	var keys []essaim.PublicKey
	add := func(k essaim.PublicKey) {
		if len(keys) < maxActorKeys {
			keys = append(keys, k)
		}
	}
	for k := range v.Get("publicKey").Elements() {
		kid, ok := k.Get("id").IRI()
		owner, owned := k.Get("owner").IRI()
		text := k.Get("publicKeyPem").TextOr()
		if !ok || !kid.SameOrigin(id) || !owned || owner != id {
			continue
		}
		if _, err := sig.ParsePublicKey(text); err == nil {
			add(essaim.PublicKey{ID: kid.String(), PEM: text})
		}
	}
	for k := range v.Get("assertionMethod").Elements() {
		kid, ok := k.Get("id").IRI()
		controller, owned := k.Get("controller").IRI()
		if !ok || !kid.SameOrigin(id) || !owned || controller != id {
			continue
		}
		public, err := proof.DecodeMultikey(k.Get("publicKeyMultibase").TextOr())
		if err != nil {
			continue
		}
		if der, err := x509.MarshalPKIXPublicKey(public); err == nil {
			add(essaim.PublicKey{ID: kid.String(), PEM: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))})
		}
	}
	return keys
}

// cut shortens a text to n bytes at a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.TrimSpace(s[:n])
}
