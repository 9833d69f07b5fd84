// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"essaim"
	"essaim/federation/vocab"
)

// taker is a store that takes what comes.
type taker struct {
	ReplicaStore // what is not asked for here
}

func (taker) TakeCopies(context.Context, string, []essaim.CommonsTaken) (map[int]string, error) {
	return nil, nil
}

func TestOnlyANodeThatIsAwayEndsAComparison(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		tree   string // what it answers of its digest tree
		item   error
		whyNot error
	}{
		{"it answers nothing", "", essaim.ErrUnavailable, essaim.ErrUnavailable},
		{"it answers all but the items", `{"essaim:head":"0-0","essaim:lines":[]}`, essaim.ErrUnavailable, nil},
		{"it changed meanwhile", `{"essaim:head":"9-9","essaim:lines":[]}`, essaim.ErrUnavailable, nil},
		{"it is contested", `{"essaim:head":"0-0","essaim:lines":[]}`, essaim.ErrConflict, essaim.ErrConflict},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := &library{none: tt.item, pages: map[string]string{}}
			r := &Replicator{Client: l, Store: taker{}, Logger: slog.New(slog.DiscardHandler)}
			c, err := r.crawl(essaim.Peer{Host: "toulon.example", Actor: "https://toulon.example/actor"}, essaim.CommonsProgress{})
			if err != nil {
				t.Fatal(err)
			}
			w := &walk{crawl: c, differs: map[string]string{}, held: map[string]string{}}
			if tt.tree != "" {
				l.pages[vocab.CommonsDigests(w.base, "")] = tt.tree
			}
			err = w.mendSome(t.Context(), []string{"https://toulon.example/objects/1"})
			if !errors.Is(err, tt.whyNot) || (err == nil) != (tt.whyNot == nil) {
				t.Errorf("got %v, want %v", err, tt.whyNot)
			}
		})
	}
}
