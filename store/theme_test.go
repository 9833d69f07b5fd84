// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"
)

func TestALocalThemeIsFoundByTheCommonOneAboveIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		const algues, rien, autre = "brest.example:algues-vertes", "brest.example:rien", "autre.example:rien"
		if _, err := s.DefineTheme(t.Context(), "", "nature", "Algues vertes", "Green algae"); err != nil {
			t.Fatal(err)
		}
		made := storetest.Publish(t, s, storetest.Initiative("Ramassage", func(c *essaim.Content) { c.Themes = []string{algues, autre} }))
		if want := []string{algues, "nature", autre}; !slices.Equal(made.Themes, want) {
			t.Errorf("themes %v, want %v", made.Themes, want)
		}
		for _, q := range []essaim.Query{{Themes: []string{"nature"}}, {Themes: []string{algues}}, {Themes: []string{autre}}, {Text: "algues"}} {
			if res, err := s.Search(t.Context(), q); err != nil || res.Total != 1 {
				t.Errorf("%+v finds %d, %v", q, res.Total, err)
			}
		}
		var invalid *essaim.ValidationError
		undefined := storetest.Initiative("Rien", func(c *essaim.Content) { c.Themes = []string{"sante", rien} })
		for _, state := range []essaim.State{essaim.StateDraft, essaim.StatePublished} {
			_, err := s.CreateRecord(t.Context(), essaim.NewRecord{Content: undefined, State: state, Author: storetest.Author})
			if !errors.As(err, &invalid) || invalid.Problems["themes.1"] != "unknown" {
				t.Errorf("%s with what nothing defines: %v", state, err)
			}
		}
		changed := made.Content
		changed.Themes = []string{algues, rien}
		if _, err := s.UpdateRecord(t.Context(), made.ID, 0, changed, essaim.StatePublished, storetest.Author); !errors.As(err, &invalid) {
			t.Errorf("an edit with what nothing defines: %v", err)
		}
		// A record of before this was asked for keeps what it has.
		id, err := s.BeginImport(t.Context(), essaim.Import{File: "f", Licence: "etalab-2.0", Attribution: "A"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.ImportRows(t.Context(), id, []essaim.ImportRow{{Key: "a:1", Digest: "1", Content: undefined, State: essaim.StatePublished}}); err != nil {
			t.Fatal(err)
		}
		old, err := s.RecordBySlug(t.Context(), essaim.KindInitiative, "", "rien")
		if err != nil {
			t.Fatal(err)
		}
		changed = old.Content
		changed.Tagline = "Autre chose."
		if after, err := s.UpdateRecord(t.Context(), old.ID, 0, changed, essaim.StatePublished, storetest.Author); err != nil || !slices.Equal(after.Themes, old.Themes) {
			t.Errorf("an edit that leaves the themes: %v, %v", after.Themes, err)
		}
	})
}

func TestAThemeKeepsItsPlaceAndMayGoUnused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		define := func(name, broader, french string) error {
			_, err := s.DefineTheme(t.Context(), name, broader, french, "")
			return err
		}
		before, err := s.Number(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(define("algues", "nature", "Algues"), define("algues", "nature", "Algues vertes"), define("zones", "nature", "Zones humides")); err != nil {
			t.Fatal(err)
		}
		if after, err := s.Number(t.Context()); err != nil || after != before+3 {
			t.Errorf("change number %d after %d, %v: pages would not know", after, before, err)
		}
		if err := define("algues", "alimentation", "Algues"); !errors.Is(err, essaim.ErrConflict) {
			t.Errorf("under another theme: %v", err)
		}
		all, err := s.Thesaurus(t.Context())
		if err != nil || all.Host != "brest.example" || len(all.Own) != 2 || all.Own[0].ID != "brest.example:algues" || all.Own[0].French != "Algues vertes" || all.Own[0].Broader != "nature" {
			t.Errorf("thesaurus %+v, %v", all, err)
		}
		storetest.Publish(t, s, storetest.Initiative("Ramassage", func(c *essaim.Content) { c.Themes = []string{"brest.example:algues"} }))
		if err := s.RemoveTheme(t.Context(), "algues"); !errors.Is(err, essaim.ErrConflict) {
			t.Errorf("removal of one that a record has: %v", err)
		}
		if err := s.RemoveTheme(t.Context(), "zones"); err != nil {
			t.Errorf("removal: %v", err)
		}
		if err := s.RemoveTheme(t.Context(), "zones"); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("removal of nothing: %v", err)
		}
		var backup bytes.Buffer
		if _, err := s.Backup(t.Context(), &backup, nil); err != nil {
			t.Fatal(err)
		}
		again := storetest.SQLite(t).Open(t, func(c *store.Config) { c.Render = storetest.Render })
		if _, err := again.Restore(t.Context(), &backup); err != nil {
			t.Fatal(err)
		}
		if restored, err := again.Thesaurus(t.Context()); err != nil || len(restored.Own) != 1 || restored.Own[0].French != "Algues vertes" {
			t.Errorf("restored %+v, %v", restored, err)
		}
	})
}
