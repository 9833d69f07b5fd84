// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"fmt"
	"net/http"
	"slices"

	"essaim/e2e/rig"
	"essaim/federation/fedtest"
)

// lint crawls both nodes by HTTP and holds every document that they serve
// against the linter.
func (w *world) lint(j *judge) {
	for _, n := range []*rig.Node{w.a, w.b} {
		start := []string{n.URL + "/actor", text(w.document(n.URL+"/nodeinfo/2.1"), "metadata", "territory")}
		if n == w.a {
			start = append(start, w.everyActor()...)
		}
		served, err := fedtest.Crawl(w.ctx, w.client.Transport, start...)
		j.no(err)
		types := map[string]int{}
		for _, s := range served {
			types[s.Type]++
			for _, f := range s.Findings {
				j.no(fmt.Errorf("%s: %s", s.Address, f))
			}
		}
		if w.Figure("linted_"+w.db, len(served), "documents"); n == w.b {
			j.that(len(served) >= 8, "only %d documents at the second node", len(served))
			continue
		}
		// Behind a signature, where no link leads.
		sync := w.territory + "/followers/sync"
		told := w.signedGet(w.peer.someone(), sync)
		for _, f := range fedtest.LintServed(sync, &http.Response{StatusCode: told.status, Header: told.header}, told.body) {
			j.no(fmt.Errorf("%s: %s", sync, f))
		}
		j.that(len(served) > 150, "only %d documents", len(served))
		var missing []string
		for _, kind := range []string{"Application", "Organization", "Service", "Person", "Article", "Event", "Note", "Create", "OrderedCollection", "OrderedCollectionPage", "Collection"} {
			if types[kind] == 0 {
				missing = append(missing, kind)
			}
		}
		slices.Sort(missing)
		j.that(len(missing) == 0, "no document of type %v in %v", missing, types)
	}
}
