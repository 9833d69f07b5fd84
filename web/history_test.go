// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

func TestHistorySaysThatAnImportWrote(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	ctx := t.Context()
	id, err := s.store.BeginImport(ctx, essaim.Import{File: "liste-reservee.csv", Licence: "cc-by-4.0", Attribution: "Secret"})
	if err != nil {
		t.Fatal(err)
	}
	bring := func(title string, sources ...essaim.Source) string {
		c := storetest.Initiative(title, func(c *essaim.Content) { c.Sources = sources })
		if _, err := s.store.ImportRows(ctx, id, []essaim.ImportRow{{Key: title, Digest: "1", Content: c, State: essaim.StatePublished}}); err != nil {
			t.Fatal(err)
		}
		return "/initiatives/" + essaim.Slug(title) + "/historique"
	}
	listed := bring("Un verger", essaim.Source{Name: "Annuaire des vergers", Fetched: "2026-03-03"})
	bare := bring("Un four")
	s.get(t, listed, http.StatusOK).says(t, "par un import (source : Annuaire des vergers)")
	s.get(t, listed+"?lang=en", http.StatusOK).says(t, "by an import (source: Annuaire des vergers)")
	d := s.get(t, bare, http.StatusOK)
	d.says(t, "par un import")
	d.hides(t, "import 1", "(source", "reservee", "Secret")
	// A person may call herself so.
	rec, err := s.store.CreateRecord(ctx, essaim.NewRecord{Content: storetest.Initiative("Un lavoir"), State: essaim.StatePublished, Author: essaim.Author{User: 1, Name: "import export"}})
	if err != nil {
		t.Fatal(err)
	}
	s.get(t, recordPath(rec)+"/historique", http.StatusOK).says(t, "par import export")
}
