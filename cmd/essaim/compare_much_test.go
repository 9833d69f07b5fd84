// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"essaim"
	"essaim/federation/vocab"
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

// A node whose key is its own may still serve pages without end, each a little
// further on: the reading of it stops at a bound, and goes on after the others.
func TestAReadingOfPagesWithoutEndStopsAtABound(t *testing.T) {
	t.Parallel()
	lite := storetest.SQLite(t)
	p := newPairOn(t, lite, storetest.SQLite(t))
	p.brest.damage(t, lite, "UPDATE counter SET n = 1099511627776")
	p.brest.publish(t, "Une")
	p.follow(t)
	pad, served := 0, 0
	p.network.Serve(brestHost, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		after, err := essaim.ParseCommonsNumber(r.URL.Query().Get("after"))
		if err != nil {
			p.brest.router.ServeHTTP(w, r)
			return
		}
		node, err := p.brest.Node(r.Context())
		if err != nil {
			panic(err)
		}
		served++
		cursor := essaim.CommonsNumber{Incarnation: node.Incarnation, N: after.N + 1}
		w.Header().Set("Content-Type", vocab.ContentType)
		fmt.Fprintf(w, `{"type":"OrderedCollectionPage","essaim:cursor":%q,"orderedItems":[{"id":"%s/objects/%d"}],"pad":"%s"}`, cursor, p.brest.base, after.N, strings.Repeat("x", pad))
	}))
	for _, tt := range []struct{ pad, most int }{{0, 1000}, {1000 << 10, 263}, {1 << 20, 0}} {
		pad, served = tt.pad, 0
		before, err := p.toulon.CommonsProgress(t.Context(), brestHost)
		if err != nil && !errors.Is(err, essaim.ErrNotFound) {
			t.Fatal(err)
		}
		progress, err := p.toulon.server.Replicator().CatchUp(t.Context(), brestHost)
		read := progress.Pages - before.Pages
		if read > tt.most || served > tt.most+2 || tt.most > 0 && (err != nil || read == 0) || !progress.DoneAt.IsZero() {
			t.Errorf("pages of %d bytes: %d read, %d served, %v; want %d at most", pad, read, served, err, tt.most)
		}
	}
}
