// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"essaim/e2e/rig"
)

// similarAsked is of how many records it is asked what resembles them.
const similarAsked = 200

// similar asks what resembles each of some records of a filled node: those of the
// same territory too, for all of it come from one.
func (b *bench) similar(node *rig.Node) error {
	var ids []string
	for after := ""; len(ids) < similarAsked; {
		var page struct {
			Items []struct{ ID string }
			Next  string
		}
		if err := node.API(b.ctx, http.MethodGet, "venues?limit=100&after="+url.QueryEscape(after), nil, &page); err != nil {
			return err
		}
		for _, item := range page.Items {
			ids = append(ids, item.ID)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	var all []float64
	found := 0
	for round := range 3 {
		for _, id := range ids {
			var list struct{ Items []struct{ Score int } }
			start := time.Now()
			if err := node.API(b.ctx, http.MethodGet, "similar?here=true&id="+url.QueryEscape(id), nil, &list); err != nil {
				return err
			}
			if round > 0 { // caches are cold once
				all = append(all, time.Since(start).Seconds()*1000)
				found += len(list.Items)
			}
		}
	}
	if found == 0 {
		return fmt.Errorf("nothing resembles any of %d records", len(ids))
	}
	slices.Sort(all)
	for _, p := range []int{50, 95, 99} {
		b.line(fmt.Sprintf("similar_p%d", p), all[(len(all)-1)*p/100], fmt.Sprintf("ms over %d records at %d", len(ids), b.records), "bare GET (ms)", 1000/b.ceilings.gets)
	}
	return nil
}
