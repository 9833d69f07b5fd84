// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"strings"
	"testing"

	"essaim"
	"essaim/federation/fedtest"
	"essaim/federation/vocab"
	"essaim/store"
	"essaim/store/storetest"
)

// The actor of a concept of this node is called by the concept and says its label,
// also where the node's address has a port. Concepts of other nodes take no name here.
func TestTheActorOfALocalThemeIsCalledByTheTheme(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		const base = "https://127.0.0.1:8080"
		ctx := t.Context()
		node := essaim.Node{BaseURL: base, Incarnation: 1_767_225_600, Territory: essaim.Territory{Actor: base + "/actors/ville", Username: "ville", Name: "Ville"}}
		renderer, err := vocab.New(vocab.Config{Node: node, Ed25519: fedtest.Ed25519(base), RSA: &fedtest.RSA().PublicKey})
		if err != nil {
			t.Fatal(err)
		}
		s := db.Open(t, func(c *store.Config) { c.Render, c.Actor = renderer.Render, renderer.CommonsActor })
		if err := s.CreateNode(ctx, node); err != nil {
			t.Fatal(err)
		}
		if _, err := s.DefineTheme(ctx, "algues", "nature", "Énergies citoyennes", "Citizens’ energy"); err != nil {
			t.Fatal(err)
		}
		themes := func(ids ...string) func(*essaim.Content) {
			return func(c *essaim.Content) { c.Themes = ids }
		}
		storetest.Publish(t, s, storetest.Initiative("Ramassage", themes("127.0.0.1:8080:algues", "autre.example:alimentation", "ailleurs.example:8080:sante")))
		storetest.Publish(t, s, storetest.Initiative("Cantine", themes("alimentation")))
		for name, subject := range map[string]string{"theme_algues": "127.0.0.1:8080:algues", "theme_nature": "nature", "theme_alimentation": "alimentation"} {
			a, err := s.LocalActor(ctx, name)
			if err != nil || a.Subject != subject {
				t.Errorf("%s is of %q, want %q (%v)", name, a.Subject, subject, err)
				continue
			}
			doc, err := renderer.Actor(a, false)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range fedtest.Lint(doc) {
				t.Errorf("%s: %s", name, f)
			}
			if want := "Énergies citoyennes – Ville"; name == "theme_algues" && !strings.Contains(string(doc), want) {
				t.Errorf("%s does not say %q: %s", name, want, doc)
			}
		}
		actors, err := s.LocalActors(ctx)
		if err != nil {
			t.Fatal(err)
		}
		feeds := 0
		for _, a := range actors {
			if a.Kind == essaim.ActorTheme {
				feeds++
			}
		}
		if _, err := s.LocalActor(ctx, "theme_8080:algues"); feeds != 3 || !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("%d themes have an actor: %+v", feeds, actors)
		}
		for _, words := range []string{"citoyennes", "citizens", "algues"} {
			if found, err := s.Search(ctx, essaim.Query{Text: words}); err != nil || found.Total != 1 {
				t.Errorf("%q finds %d (%v)", words, found.Total, err)
			}
		}
	})
}
