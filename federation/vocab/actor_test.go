// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"html"
	"slices"
	"strings"
	"testing"

	"essaim"
	"essaim/federation/fedtest"
	"essaim/federation/proof"
)

func TestActorsCarryBothKeysAsTheirOwn(t *testing.T) {
	t.Parallel()
	r := testRenderer(t)
	key := r.key.Public().(ed25519.PublicKey)
	initiative, organisation := fedtest.FullRecord(t, essaim.Kinds()[0]), fedtest.FullRecord(t, essaim.Kinds()[3])
	yes := true
	for name, a := range map[string]essaim.LocalActor{
		"actor-application.json": r.NodeLocalActor(),
		"actor-territory.json":   {ID: "https://brest.example/actors/brest", Username: "brest", Kind: essaim.ActorTerritory},
		"actor-theme.json":       {ID: "https://brest.example/actors/theme_circuits-courts", Username: "theme_circuits-courts", Kind: essaim.ActorTheme, Subject: "circuits-courts", CreatedAt: noon},
		"actor-commune.json":     {ID: "https://brest.example/actors/commune_brest", Username: "commune_brest", Kind: essaim.ActorCommune, Subject: "29019", CreatedAt: noon},
		"actor-initiative.json": {
			ID: "https://brest.example/actors/fiche_repair-cafe", Username: "fiche_repair-cafe", Kind: essaim.ActorInitiative,
			Subject: initiative.ID, Record: initiative, CreatedAt: initiative.Published, UpdatedAt: initiative.Updated,
		},
		"actor-organisation.json": {
			ID: "https://brest.example/actors/structure_atelier", Username: "structure_atelier", Kind: essaim.ActorOrganisation,
			Subject: organisation.ID, Record: organisation, CreatedAt: organisation.Published, UpdatedAt: organisation.Updated,
		},
		"actor-person.json": {
			ID: "https://brest.example/actors/camille", Username: "camille", Kind: essaim.ActorPerson, Subject: "7", CreatedAt: noon,
			Profile: essaim.Profile{
				Name: "Contributrice de démonstration", Summary: "Je raconte ce qui *pousse* ici.", Discoverable: &yes,
				Fields:      []essaim.ProfileField{{Name: "Jardin", Value: "https://jardin.example/"}, {Name: "Pronom", Value: "elle"}},
				AlsoKnownAs: []string{"https://social.example/users/camille"},
			},
		},
		"actor-group.json": {ID: "https://brest.example/actors/groupe_brest", Username: "groupe_brest", Kind: essaim.ActorGroup, CreatedAt: noon},
	} {
		doc, err := r.Actor(a, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fedtest.Lint(doc) {
			t.Errorf("%s: %s", name, f)
		}
		if err := proof.Verify(doc, key); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		golden(t, name, doc)
		var a struct {
			ID         string
			PublicKey  struct{ ID, Owner string }
			Assertion  []struct{ ID, Controller, PublicKeyMultibase string } `json:"assertionMethod"`
			Domains    []string                                              `json:"attributionDomains"`
			Implements []struct{ Href string }
			Generator  struct {
				ID, Type   string
				Implements []struct{ Href string }
			}
		}
		if err := json.Unmarshal(doc, &a); err != nil {
			t.Fatal(err)
		}
		if a.PublicKey.Owner != a.ID || a.PublicKey.ID != a.ID+"#main-key" {
			t.Errorf("%s: got key %+v, want that of %s", name, a.PublicKey, a.ID)
		}
		if got, err := proof.DecodeMultikey(a.Assertion[0].PublicKeyMultibase); err != nil || !got.Equal(key) || a.Assertion[0].ID != r.ProofKeyID(a.ID) {
			t.Errorf("%s: got %+v, %v", name, a.Assertion, err)
		}
		// Whose handle stands on our pages lets them name it (Mastodon).
		if got, want := strings.Join(a.Domains, " ") == "brest.example", name == "actor-territory.json" || name == "actor-person.json"; got != want {
			t.Errorf("%s: pages of %q may name it", name, a.Domains)
		}
		understood := a.Generator.Implements
		if a.ID == r.NodeActor() {
			understood = a.Implements
		} else if a.Generator.ID != r.NodeActor() || a.Generator.Type != "Application" || a.Implements != nil {
			t.Errorf("%s: made by %+v", name, a.Generator)
		}
		if len(understood) != 2 || understood[0].Href != "https://datatracker.ietf.org/doc/html/rfc9421" {
			t.Errorf("%s: implements %+v", name, understood)
		}
	}
}

func TestACommunesArticleContracts(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Brest": "à Brest", "Le Relecq-Kerhuon": "au Relecq-Kerhuon", "Les Abrets": "aux Abrets", "La Rochelle": "à La Rochelle", "Lesneven": "à Lesneven",
	} {
		if got := inCommune(name); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestARecordsActorPinsANoteOfItsOwnThatLinksTheRecord(t *testing.T) {
	t.Parallel()
	r := testRenderer(t)
	key := r.key.Public().(ed25519.PublicKey)
	rec := fedtest.FullRecord(t, essaim.Kinds()[0])
	actor := essaim.LocalActor{ID: "https://brest.example/actors/fiche_repair-cafe", Username: "fiche_repair-cafe", Kind: essaim.ActorInitiative, Record: rec, CreatedAt: noon, UpdatedAt: noon}
	note, err := r.Presentation(actor)
	if err != nil {
		t.Fatal(err)
	}
	gone, err := r.Farewell(actor.ID, FormerType(actor.Kind), noon)
	if err != nil {
		t.Fatal(err)
	}
	feed := "https://brest.example/actors/theme_circuits-courts"
	announce, err := r.Tell(essaim.Told{
		ID: essaim.AnnounceID(feed, rec.ID), Verb: "Announce", Actor: feed, Object: rec.ID, Author: rec.Territory, At: noon,
	})
	if err != nil {
		t.Fatal(err)
	}
	farewell, err := r.Tell(essaim.Told{ID: "https://brest.example/activities/01JD", Verb: "Delete", Actor: actor.ID, Object: actor.ID, At: noon})
	if err != nil {
		t.Fatal(err)
	}
	was := actor
	was.Record.Title = "Café"
	update, err := r.Tell(essaim.Told{
		ID: "https://brest.example/activities/01JE", Verb: "Update", Actor: actor.ID, Object: actor.ID, Is: &actor, Was: &was, At: noon,
	})
	if err != nil {
		t.Fatal(err)
	}
	if doc, err := r.Actor(actor, false); err != nil || !bytes.Contains(update, doc) {
		t.Errorf("the Update does not carry the actor's bytes, %v", err)
	}
	for name, doc := range map[string][]byte{"presentation.json": note, "update-actor.json": update, "tombstone-actor.json": gone, "announce.json": announce, "delete-actor.json": farewell} {
		if err := proof.Verify(doc, key); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, f := range fedtest.Lint(doc) {
			t.Errorf("%s: %s", name, f)
		}
		golden(t, name, doc)
	}
	var n struct{ AttributedTo, Type, Content, URL string }
	if err := json.Unmarshal(note, &n); err != nil {
		t.Fatal(err)
	}
	// Mastodon pins only what the actor itself wrote, as a Note.
	if n.AttributedTo != actor.ID || n.Type != "Note" || n.URL != rec.URL || !strings.Contains(n.Content, html.EscapeString(rec.Title)) || !strings.Contains(n.Content, rec.URL) {
		t.Errorf("got %+v", n)
	}
	if !bytes.Contains(announce, []byte(`"object":"`+rec.ID+`"`)) {
		t.Errorf("the announce does not name its object: %s", announce)
	}
}

// Lemmy takes a post into the community that it is addressed to, and what the
// community announces whole (FEP-1b12).
func TestWhatIsPublishedIsAddressedToTheCommunity(t *testing.T) {
	t.Parallel()
	const group = "https://brest.example/actors/groupe_brest"
	r, err := New(Config{
		Node: testNode(), Group: group, Ed25519: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)), RSA: testRSA(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	key := r.key.Public().(ed25519.PublicKey)
	out, err := r.Render(request(fedtest.FullRecord(t, essaim.Kinds()[0]), essaim.VerbCreate))
	if err != nil {
		t.Fatal(err)
	}
	announce, err := r.Tell(essaim.Told{
		ID: essaim.AnnounceID(group, "https://brest.example/activities/01JC"), Verb: "Announce", Actor: group, Object: "https://brest.example/activities/01JC",
		Embedded: out.Activity, At: noon,
	})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(announce, out.Activity) {
		t.Error("the announce does not carry the activity's bytes")
	}
	for name, doc := range map[string][]byte{"document": out.Document, "activity": out.Activity, "announce": announce} {
		if err := proof.Verify(doc, key); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, f := range fedtest.Lint(doc) {
			t.Errorf("%s: %s", name, f)
		}
		var d struct {
			Audience string
			To, CC   []string
		}
		if err := json.Unmarshal(doc, &d); err != nil {
			t.Fatal(err)
		}
		if addressed := slices.Concat(d.To, d.CC); !slices.Contains(addressed, group) || !slices.Contains(addressed, Public) || name != "announce" && d.Audience != group {
			t.Errorf("the %s is for %s, %v", name, d.Audience, addressed)
		}
	}
	golden(t, "announce-group.json", announce)
}

func TestOfAPersonOnlyWhatSheChoseIsSaid(t *testing.T) {
	t.Parallel()
	r := testRenderer(t)
	yes := true
	for _, tt := range []struct {
		name                    string
		kind                    essaim.ActorKind
		profile                 essaim.Profile
		discoverable, indexable bool
	}{
		{"a feed", essaim.ActorTheme, essaim.Profile{}, true, true},
		{"a person", essaim.ActorPerson, essaim.Profile{}, false, false},
		{"a person who said yes", essaim.ActorPerson, essaim.Profile{Discoverable: &yes, Indexable: &yes}, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			doc, err := r.Actor(essaim.LocalActor{ID: "https://brest.example/actors/a", Username: "a", Kind: tt.kind, Subject: "jardins", Profile: tt.profile}, false)
			if err != nil {
				t.Fatal(err)
			}
			var a struct{ Discoverable, Indexable bool }
			if err := json.Unmarshal(doc, &a); err != nil {
				t.Fatal(err)
			}
			if a.Discoverable != tt.discoverable || a.Indexable != tt.indexable {
				t.Errorf("got %+v", a)
			}
		})
	}
}
