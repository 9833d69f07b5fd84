// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"fmt"
	"strings"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

// What a node publishes and this one refuses is refused again however often it is
// read: it is no reason to read everything anew at each comparison.
func TestWhatIsRefusedIsNotReadAnewAtEachComparison(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p := newPair(t, db)
		for i := range 150 {
			p.brest.publish(t, fmt.Sprint("Fiche ", i))
		}
		p.follow(t)
		scope, author, err := essaim.MeasureSubject(p.brest.base + "/actors/brest")
		if err == nil {
			_, err = p.toulon.AddMeasure(t.Context(), essaim.Measure{Scope: scope, Value: author, Level: essaim.LevelBlock}, 0)
		}
		if err != nil {
			t.Fatal(err)
		}
		if progress := p.catchUp(t); progress.DoneAt.IsZero() {
			t.Fatal("not read to the end")
		}
		since := len(p.network.Log())
		if c := p.compare(t); c.Differences < 150 || c.Mended != 0 {
			t.Errorf("comparison %+v, want what is refused found, and nothing mended", c)
		}
		paths, _ := p.asked(since)
		for _, path := range paths {
			if strings.HasSuffix(path, "after=0.0") {
				t.Errorf("%v: all is read anew", paths)
			}
		}
	})
}

// Of a node that is gone, another may hold more than one reading brings: the next
// goes on behind it.
func TestMoreThanOneReadingComesFromAThirdNode(t *testing.T) {
	t.Parallel()
	var titles []string
	for i := range 250 {
		titles = append(titles, fmt.Sprint("Fiche ", i))
	}
	lite := storetest.SQLite(t)
	tr, _ := newTrio(t, lite, titles...)
	tr.network.SetDown(brestHost, true)
	tr.tourcoing.damage(t, lite, "DELETE FROM commons WHERE origin = $1", brestHost)
	tr.tourcoing.server.Replicator().Pages = 1
	if c := tr.compareBrest(t); c.Differences != 251 || c.Mended < 250 {
		t.Errorf("comparison %+v, want all 251 found, and mended", c)
	}
	if got, want := tr.tourcoing.heldRoot(t), tr.toulon.heldRoot(t); got != want {
		t.Errorf("root %s, want %s", got, want)
	}
}
