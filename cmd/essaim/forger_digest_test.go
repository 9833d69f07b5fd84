// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/federation/vocab"
)

// treeForgeries are changes of a node of a digest tree, each of which its hash
// tells.
var treeForgeries = map[string]struct {
	inner  bool
	change func(w *forgery, n object)
}{
	"a digit of a line": {false, func(w *forgery, n object) {
		line := pick(w.rng, n["essaim:lines"].([]any)).(object)
		line["essaim:copyDigest"] = essaim.CommonsKey(fmt.Sprint(w.rng.Uint64()))
	}},
	"a line of another id": {false, func(w *forgery, n object) {
		pick(w.rng, n["essaim:lines"].([]any)).(object)["id"] = pick(w.rng, append(w.ids, w.territory()))
	}},
	"a line less": {false, func(_ *forgery, n object) { n["essaim:lines"] = n["essaim:lines"].([]any)[1:] }},
	"a line more": {false, func(w *forgery, n object) {
		n["essaim:lines"] = append(n["essaim:lines"].([]any), object{"id": pick(w.rng, w.ids), "essaim:copyDigest": essaim.CommonsKey("more")})
	}},
	"no lines": {false, func(_ *forgery, n object) { n["essaim:lines"] = []any{} }},
	"a digit of a child": {true, func(w *forgery, n object) {
		n["essaim:children"].([]any)[w.rng.IntN(16)] = essaim.CommonsKey(fmt.Sprint(w.rng.Uint64()))
	}},
	"no child":    {true, func(w *forgery, n object) { n["essaim:children"].([]any)[w.rng.IntN(16)] = "" }},
	"no children": {true, func(_ *forgery, n object) { delete(n, "essaim:children"); n["essaim:lines"] = []any{} }},
}

// digests answers a comparison with a forged tree, under the head that the other
// node signed: it is refused. The true tree mends what is damaged; and his own,
// with lines of others, concerns nothing of theirs.
func (w *forgery) digests(t *testing.T, surface string, n int) {
	t.Helper()
	damaged := pick(w.rng, w.others)["id"].(string)
	if err := w.toulon.NoteCopies(t.Context(), []essaim.CommonsItem{{ID: damaged}}); err != nil {
		t.Fatal(err)
	}
	for range n {
		w.class(surface, "forged")
		forge := some(w.material, surface, treeForgeries)
		asked := false
		w.lie(brestHost, func(path string) (int, []byte) {
			if !strings.HasPrefix(path, "/commons/digest") {
				return -1, nil
			}
			_, _, body := w.brest.get(t, w.brest.base+path, "")
			o := decode(t, body)
			// What was published honestly meanwhile makes the tree deeper.
			if inner := o["essaim:children"] != nil; inner != forge.inner {
				return -1, nil
			}
			asked = true
			for honest := encodeObject(o); bytes.Equal(encodeObject(o), honest); { // what was drawn may be what stands there
				forge.change(w, o)
			}
			return http.StatusOK, encodeObject(o)
		})
		c, err := w.toulon.server.Replicator().Compare(t.Context(), brestHost)
		// One without any child is no node at all.
		if !errors.Is(err, essaim.ErrForbidden) && !errors.Is(err, essaim.ErrInvalid) || !asked {
			t.Errorf("a forged tree is believed: %+v, %v (asked %v)", c, err, asked)
		}
		w.lie(brestHost, nil)
		w.pass(time.Second)
	}
	c, err := w.toulon.server.Replicator().Compare(t.Context(), brestHost)
	w.honestly(t, "comparison", err == nil && c.Mended == 1 && c.Differences == 1, "the true tree mends %+v, %v", c, err)
	w.ownTree(t, surface)
}

// ownTree shows a true tree of his that lists what is not his.
func (w *forgery) ownTree(t *testing.T, surface string) {
	t.Helper()
	w.class(surface, "others' items in his own tree")
	var lines []essaim.CommonsItem
	for range 30 {
		lines = append(lines, essaim.CommonsItem{ID: pick(w.rng, w.ids), Digest: essaim.CommonsKey(fmt.Sprint(w.rng.Uint64()))})
	}
	h, head := w.ownHead(t, lines...)
	list := make([]object, len(lines))
	for i, l := range lines {
		list[i] = object{"id": l.ID, "essaim:copyDigest": l.Digest}
	}
	tree := encodeObject(object{"essaim:head": h.Number.String(), "essaim:lines": list})
	w.lie(mallory, func(path string) (int, []byte) {
		switch {
		case path == "/commons":
			return http.StatusOK, head
		case strings.HasPrefix(path, "/commons?"):
			return http.StatusOK, page(mallory, h.Number)
		case path == "/commons/digest":
			return http.StatusOK, tree
		case strings.HasPrefix(path, vocab.Commons("")):
			return http.StatusNotFound, nil
		}
		return -1, nil
	})
	if _, err := w.toulon.server.Replicator().Compare(t.Context(), mallory); err != nil {
		t.Errorf("his own tree is not compared: %v", err)
	}
}

// end looks at everything once more: the database is whole, and the other node's
// copies are what it serves.
func (w *forgery) end(t *testing.T) {
	t.Helper()
	if broken, err := w.toulon.Check(t.Context()); err != nil || len(broken) > 0 {
		t.Errorf("broken: %v %v", broken, err)
	}
	w.readOn(t, brestHost)
	if different := w.differences(t); len(different) > 0 {
		t.Errorf("%d differ: %v", len(different), different[:1])
	}
}
