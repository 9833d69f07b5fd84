// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

// A node that has its records from its peers alone knows no more of which row of
// which file each was made: an import that runs every night must not make them
// again, nor undo what people wrote since.
func TestAnImportFindsTheRecordsThatCameBackFromPeers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p, other := newPair(t, db), anew(t, db)
		ctx := t.Context()
		p.brest.publish(t, "Fiche d’avant")
		p.follow(t)
		if _, err := p.brest.server.FollowPeer(ctx, "toulon.example"); err != nil {
			t.Fatal(err)
		}
		p.catchUp(t)
		backup := p.brest.backup(t)
		rows := []string{
			"id;nom;adresse;code insee;thématique", "7;Atelier du port;1 quai de Léon;29019;numérique", "8;Jardin du vallon;2 rue du Vallon;29019;numérique", "9;Four de Lambé;3 rue de Lambé;29019;numérique",
		}
		runs := func(dry bool) string {
			t.Helper()
			o := importOptions{Licence: "etalab-2.0", Attribution: "Réseau des lieux", Kind: "venue", DryRun: dry}
			return lastLine(importText(t, p.brest.Store, "lieux.csv", strings.Join(rows, "\n")+"\n", o))
		}
		if got := runs(false); !strings.Contains(got, "created 3") {
			t.Fatal(got)
		}
		edited, err := p.brest.RecordBySlug(ctx, essaim.KindVenue, "", "four-de-lambe")
		if err != nil {
			t.Fatal(err)
		}
		c := edited.Content
		c.Tagline = "On y cuit le pain le samedi."
		if _, err := p.brest.UpdateRecord(ctx, edited.ID, 0, c, essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		p.pass(time.Hour)
		p.catchUp(t)
		p.restored(t, backup, other)
		if err := p.brest.server.Rescuer().Step(ctx); err != nil {
			t.Fatal(err)
		}
		p.toulon.moved.Store(p.brest.moved.Load())
		p.pass(time.Minute)
		if r, err := p.brest.Record(ctx, edited.ID); err != nil || r.Tagline == "" {
			t.Fatalf("it did not come back: %+v, %v", r, err)
		}
		rows = append(rows, "10;Verger de Keredern;4 rue de Keredern;29019;numérique")
		for _, dry := range []bool{true, false} {
			if got := runs(dry); !strings.Contains(got, "created 1 changed 0 unchanged 3") {
				t.Errorf("dry %t: %s", dry, got)
			}
		}
		// What the source changes since is taken, but of what nobody here may have written.
		rows[1] = strings.Replace(rows[1], "port", "port de commerce", 1)
		rows[3] = strings.Replace(rows[3], "3 rue", "33 rue", 1)
		if got := runs(false); !strings.Contains(got, "created 0 changed 1 unchanged 3") {
			t.Error(got)
		}
		if r, err := p.brest.Record(ctx, edited.ID); err != nil || r.Tagline != c.Tagline || r.Revision != 2 {
			t.Errorf("what a person wrote is %q, %v", r.Tagline, err)
		}
		var venues int
		if err := p.brest.DB().QueryRowContext(ctx, "SELECT count(*) FROM record WHERE url LIKE '%/lieux/%'").Scan(&venues); err != nil || venues != 4 {
			t.Errorf("%d venues, %v", venues, err)
		}
	})
}
