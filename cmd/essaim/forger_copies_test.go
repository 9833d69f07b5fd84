// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/federation"
)

// reset makes a host be read from its beginning.
func (w *forgery) reset(t *testing.T, host string) {
	t.Helper()
	if err := w.toulon.SaveCommonsProgress(t.Context(), essaim.CommonsProgress{Host: host}); err != nil {
		t.Fatal(err)
	}
}

// copies answers with forged copies of another node: none is believed.
func (w *forgery) copies(t *testing.T, surface string, n int) {
	t.Helper()
	origin, err := essaim.ParseIRI(w.brest.base + "/actor")
	if err != nil {
		t.Fatal(err)
	}
	read := func(items []object, heads ...json.RawMessage) (believed int) {
		slices.SortFunc(items, func(a, b object) int {
			return strings.Compare(essaim.CommonsKey(fmt.Sprint(a["id"])), essaim.CommonsKey(fmt.Sprint(b["id"])))
		})
		last := items[len(items)-1]
		body := encodeObject(object{
			"type": "OrderedCollectionPage", "essaim:of": brestHost, "essaim:heads": heads, "orderedItems": items, "essaim:cursor": essaim.CommonsKey(fmt.Sprint(last["id"])),
		})
		w.lie(mallory, func(path string) (int, []byte) {
			if strings.HasPrefix(path, "/commons/copies?") {
				return http.StatusOK, body
			}
			return -1, nil
		})
		err := federation.ReadCopies(t.Context(), federation.CopiesOf{
			Client: w.toulon.server.Replicator().Client, Holder: w.mallory.base, Origin: origin, Keys: []essaim.PeerKey{{Key: w.keys.known[0]}}, Now: w.now,
		}, func(_ context.Context, p essaim.CopiesPage) error {
			for _, c := range p.Copies {
				if !w.signed[exact(c.Document)] {
					t.Errorf("believed a copy that its origin never signed: %s", c.Document)
				}
			}
			for _, h := range p.Heads {
				if !w.heads[exact(h.Document)] {
					t.Errorf("believed a head that its origin never signed: %s", h.Document)
				}
			}
			believed += len(p.Copies) + len(p.Heads)
			return nil
		})
		if errors.Is(err, essaim.ErrInvalid) {
			return 0 // a number that JSON cannot say refuses the whole page
		}
		if err != nil {
			t.Fatal(err)
		}
		return believed
	}
	for n > 0 {
		some := min(n, 80)
		n -= some
		var items []object
		for range some {
			w.class(surface, "forged")
			items = append(items, w.document(surface))
		}
		read(items, encodeObject(w.forgedHead(t, surface)))
	}
	_, head := w.head(t)
	got := read([]object{cloned(w.others[3])}, head)
	w.honestly(t, "copies", got == 2, "%d of an honest copy and an honest head are believed", got)
}

// headForgeries are changes of a signed head.
var headForgeries = map[string]func(w *forgery, h object){
	"head as it was":     func(*forgery, object) {},
	"a later head":       func(w *forgery, h object) { h["essaim:n"] = 1_000_000 + w.rng.IntN(1000) },
	"a later life":       func(w *forgery, h object) { h["essaim:incarnation"] = w.now().Unix() + w.rng.Int64N(7200) },
	"another root":       func(w *forgery, h object) { h["essaim:root"] = essaim.CommonsKey(fmt.Sprint(w.rng.Uint64())) },
	"another count":      func(w *forgery, h object) { h["essaim:count"] = w.rng.IntN(1000) },
	"of another":         func(w *forgery, h object) { h["attributedTo"] = pick(w.rng, append(w.actors, w.territory())) },
	"head of another id": func(w *forgery, h object) { h["id"] = pick(w.rng, w.ids) },
	"from the future":    func(w *forgery, h object) { h["essaim:at"] = w.now().Add(3 * time.Hour).UTC().Format(time.RFC3339) },
	"a number below zero": func(w *forgery, h object) {
		h[pick(w.rng, []string{"essaim:n", "essaim:count", "essaim:incarnation"})] = -1 - w.rng.IntN(9)
	},
	"no number": func(w *forgery, h object) {
		h[pick(w.rng, []string{"essaim:n", "essaim:count", "essaim:incarnation"})] = pick(w.rng, []any{"7", 1.5, nil, json.Number("1e400")})
	},
}

// forgedHead is one of the other node's, changed.
func (w *forgery) forgedHead(t *testing.T, surface string) object {
	t.Helper()
	_, raw := w.head(t)
	h := decode(t, raw)
	if surface != "head" {
		headForgeries[pick(w.rng, slices.Sorted(maps.Keys(headForgeries)))](w, h)
	} else {
		some(w.material, surface, headForgeries)(w, h)
	}
	some(w.material, surface, proofs)(w.material, h)
	return h
}

// forgedHeads shows forged heads at the other's address, and its own at his.
func (w *forgery) forgedHeads(t *testing.T, surface string, n int) {
	t.Helper()
	for range n {
		w.class(surface, "forged")
		head := encodeObject(w.forgedHead(t, surface))
		host := pick(w.rng, []string{brestHost, brestHost, mallory})
		w.lie(host, func(path string) (int, []byte) {
			if path == "/commons" {
				return http.StatusOK, head
			}
			return -1, nil
		})
		if host == brestHost {
			w.reset(t, host)
		}
		p, err := w.toulon.server.Replicator().CatchUp(t.Context(), host)
		if err == nil && host == mallory {
			t.Errorf("he shows the head of another and is read up to %s", p.Cursor)
		}
		w.lie(host, nil)
	}
	w.pass(6 * time.Minute)
	w.readOn(t, brestHost)
}
