// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"essaim"
	"essaim/federation/fetch"
	"essaim/federation/vocab"
)

// bare is a store that holds nothing of anybody.
type bare struct{ taker }

func (bare) CopyItems(context.Context, string, string, int) ([]essaim.CommonsItem, error) {
	return nil, nil
}

func (bare) Heads(context.Context, string, int) ([]essaim.CommonsHead, error) { return nil, nil }

func (bare) WithdrawnHere(context.Context, string) (map[string]bool, error) { return nil, nil }

// nothing is a client of a node that has none of what it lists.
type nothing struct{ asked atomic.Int64 }

func (n *nothing) Changed(context.Context, string, string) (fetch.Answer, error) {
	n.asked.Add(1)
	return fetch.Answer{}, essaim.ErrNotFound
}

// walking is a walk of a node of which nothing is held here.
func walking(t *testing.T, client Changer) *walk {
	t.Helper()
	r := &Replicator{Client: client, Store: bare{}, Logger: slog.New(slog.DiscardHandler)}
	c, err := r.crawl(essaim.Peer{Host: "toulon.example", Actor: "https://toulon.example/actor"}, essaim.CommonsProgress{})
	if err != nil {
		t.Fatal(err)
	}
	w := &walk{crawl: c, holds: walkHolds, differs: map[string]string{}, held: map[string]string{}}
	w.full = w.mendFound
	return w
}

func TestDifferencesAreMendedBeforeTheyAreMoreThanMemoryHolds(t *testing.T) {
	t.Parallel()
	items := make([]essaim.CommonsItem, 2000)
	for i := range items {
		items[i] = essaim.CommonsItem{ID: fmt.Sprint("https://toulon.example/objects/", i), Digest: strings.Repeat("a", 64)}
	}
	tree := essaim.CommonsTree("", items)
	var client nothing
	w := walking(t, &client)
	w.holds, w.most = 100, 2*len(items)
	w.asks = func(_ context.Context, prefix string) (*answered, error) {
		if n := len(w.differs); n > w.holds {
			t.Fatalf("%d differences are held", n)
		}
		n, a := tree[prefix], &answered{}
		if a.inner = !n.Leaf(); a.inner {
			for i := range a.children {
				a.children[i] = tree[prefix+essaim.CommonsDigits[i:i+1]]
			}
			return a, nil
		}
		for _, it := range items {
			if strings.HasPrefix(essaim.CommonsKey(it.ID), prefix) {
				a.lines = append(a.lines, it)
			}
		}
		return a, nil
	}
	err := w.node(t.Context(), "", tree[""].Hash)
	if err == nil {
		err = w.mendFound(t.Context())
	}
	if asked := int(client.asked.Load()); err != nil || w.found != len(items) || asked != len(items) {
		t.Errorf("%d found, %d asked for, %v; want all of %d", w.found, asked, err, len(items))
	}
}

// Each hash of a digest tree is right, and there is no end to it: sixteen times the
// same below, and so on.
func TestADigestTreeWithoutEndIsRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name            string
		most, below     int
		asks, wantAsked int
	}{
		{"deeper than keys are long", 1 << 20, 1, 100, keyDigits + 1},
		{"wider than its items", 130, 16, 6, 130},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			levels := make([]answered, tt.asks) // from the root down
			for i := tt.asks - 2; i >= 0; i-- {
				levels[i].inner = true
				for k := range tt.below {
					levels[i].children[k].Hash = levels[i+1].hash()
				}
			}
			w := walking(t, &nothing{})
			w.most = tt.most
			asked := 0
			w.asks = func(_ context.Context, prefix string) (*answered, error) {
				asked++
				return &levels[len(prefix)], nil
			}
			if err := w.node(t.Context(), "", levels[0].hash()); !errors.Is(err, essaim.ErrForbidden) || asked != tt.wantAsked {
				t.Errorf("%d asked for, %v; want %d and an end", asked, err, tt.wantAsked)
			}
		})
	}
}

func TestTheIDsOfADigestTreeAreBounded(t *testing.T) {
	t.Parallel()
	for n, ok := range map[int]bool{maxItemID: true, maxItemID + 1: false} {
		id := "https://toulon.example/" + strings.Repeat("a", n-len("https://toulon.example/"))
		l := &library{pages: map[string]string{"tree": `{"of":"x","essaim:lines":[{"id":"` + id + `","essaim:copyDigest":"` + strings.Repeat("b", 64) + `"}]}`}}
		if _, err := askDigests(t.Context(), l, "tree", "of", "x"); (err == nil) != ok {
			t.Errorf("an id of %d bytes: %v", n, err)
		}
	}
}

func TestThePlaceBeforeAnother(t *testing.T) {
	t.Parallel()
	zeros := strings.Repeat("0", keyDigits)
	for key, want := range map[string]string{
		zeros:                          "",
		zeros[1:] + "1":                zeros,
		"a" + zeros[1:]:                "9" + strings.Repeat("f", keyDigits-1),
		zeros[2:] + "10":               zeros[1:] + "f",
		strings.Repeat("f", keyDigits): strings.Repeat("f", keyDigits-1) + "e",
		"":                             "",
	} {
		if got := keyBefore(key); got != want {
			t.Errorf("before %q: %q, want %q", key, got, want)
		}
	}
}

// A reading that brings nothing, for the first that differs is never taken and the next
// are held, is followed by one of the next that differs.
func TestWhatIsNeverTakenKeepsNothingBehindItFromBeingRead(t *testing.T) {
	t.Parallel()
	s := newCopiesSample(t)
	var forged []string
	for i := range 4 {
		forged = append(forged, added(s.sign(t, fmt.Sprintf(`"id":"https://brest.example/objects/%d","type":"Tombstone","attributedTo":%q`, i, sampleActor))))
	}
	sheet("", forged...) // in the order of their keys
	l := &library{none: essaim.ErrNotFound, pages: map[string]string{}}
	third := &thirdWalk{walk: *walking(t, l)}
	address := func(after string) string { return vocab.CopiesOf("https://lyon.example", "brest.example", "", after) }
	var want []string
	for i, doc := range forged {
		var o struct{ ID string }
		if err := json.Unmarshal([]byte(doc), &o); err != nil {
			t.Fatal(err)
		}
		at := address(keyBefore(essaim.CommonsKey(o.ID)))
		l.pages[at] = strings.Replace(string(sheet("", doc)), `{`, `{"next":"https://lyon.example/more",`, 1)
		if i == 0 || i == 2 {
			third.differs[o.ID] = "another"
			want = append(want, at)
		}
	}
	third.copies = s.CopiesOf
	third.copies.Client, third.copies.Holder, third.copies.Pages = l, "https://lyon.example", 1
	if err := third.fetchAll(t.Context()); err != nil || !slices.Equal(l.asked, want) {
		t.Errorf("asked for %q (%v), want %q", l.asked, err, want)
	}
}

// began is a store that notes a reading that begins anew.
type began struct {
	taker
	saved essaim.CommonsProgress
}

func (b *began) SaveCommonsProgress(_ context.Context, p essaim.CommonsProgress) error {
	b.saved = p
	return nil
}

// A node that is away once its reading began anew is tried once a day some time after
// its last answer, as any other.
func TestAReadingThatBeginsAnewForgetsNoAnswer(t *testing.T) {
	t.Parallel()
	answered := time.Date(2026, time.March, 3, 12, 0, 0, 0, time.UTC)
	b := &began{}
	w := walking(t, &nothing{})
	w.Store = b
	read := essaim.CommonsProgress{Host: "toulon.example", Items: 5, StartedAt: answered, DoneAt: answered, CheckedAt: answered}
	if err := w.anew(t.Context(), read); !errors.Is(err, errMoved) {
		t.Fatal(err)
	}
	if !silent(b.saved, answered.Add(essaim.PeerSilence+time.Hour)) || b.saved.Items != 0 || !b.saved.DoneAt.IsZero() {
		t.Errorf("saved %+v", b.saved)
	}
}

// full is a store that holds many items of one node, of which it gives so many at once.
type full struct {
	bare
	items []essaim.CommonsItem
	given int // at most at once
}

func (f *full) CopyItems(_ context.Context, _, prefix string, n int) (list []essaim.CommonsItem, err error) {
	for _, it := range f.items {
		if strings.HasPrefix(essaim.CommonsKey(it.ID), prefix) && len(list) < n {
			list = append(list, it)
		}
	}
	f.given = max(f.given, len(list))
	return list, nil
}

// A node, or whoever holds copies of it, may list nothing, or little, of much that is
// held here.
func TestWhatIsListedNoMoreIsLookedAtInPortions(t *testing.T) {
	t.Parallel()
	items := make([]essaim.CommonsItem, 2000)
	for i := range items {
		items[i] = essaim.CommonsItem{ID: fmt.Sprint("https://toulon.example/objects/", i), Digest: strings.Repeat("a", 64)}
	}
	changed := essaim.CommonsItem{ID: items[7].ID, Digest: strings.Repeat("b", 64)}
	for _, tt := range []struct {
		name           string
		third          bool
		listed         []essaim.CommonsItem
		root           essaim.Digest
		differs, extra int
		given          int
	}{
		{"nothing", false, nil, essaim.CommonsLeafHash(nil), 0, 2000, essaim.CommonsLeaf},
		{"no tree", false, nil, essaim.Digest{}, 0, 2000, essaim.CommonsLeaf},
		{"little", false, []essaim.CommonsItem{items[3], changed}, essaim.CommonsLeafHash([]essaim.CommonsItem{items[3], changed}), 1, 1998, essaim.CommonsLeaf},
		{"nothing, by a third", true, nil, essaim.CommonsLeafHash(nil), 0, 0, 0},
		{"little, by a third", true, []essaim.CommonsItem{items[3], changed}, essaim.CommonsLeafHash([]essaim.CommonsItem{items[3], changed}), 1, 0, essaim.CommonsLeaf},
	} {
		held := &full{items: items}
		w := walking(t, &nothing{})
		w.Store, w.third, w.here, w.holds, w.most = held, tt.third, essaim.CommonsTree("", items), 100, 100
		w.asks = func(context.Context, string) (*answered, error) { return &answered{lines: tt.listed}, nil }
		differs, extra := 0, 0
		w.full = func(context.Context) error {
			if n := len(w.differs) + len(w.extra); n > w.holds+essaim.CommonsLeaf {
				t.Errorf("%s: %d held in memory", tt.name, n)
			}
			differs, extra = differs+len(w.differs), extra+len(w.extra)
			clear(w.differs)
			w.extra = nil
			return nil
		}
		err := w.node(t.Context(), "", tt.root)
		if differs, extra = differs+len(w.differs), extra+len(w.extra); err != nil || differs != tt.differs || extra != tt.extra || held.given > tt.given {
			t.Errorf("%s: %d differ, %d are not listed, %d at once, %v", tt.name, differs, extra, held.given, err)
		}
	}
}
