// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"essaim"
	"essaim/federation/fetch"
)

// library is a client that has some addresses, and notes what it is asked for.
type library struct {
	pages map[string]string
	none  error // of an address that it does not have
	asked []string
}

func (l *library) Changed(_ context.Context, address, _ string) (fetch.Answer, error) {
	l.asked = append(l.asked, address)
	body, ok := l.pages[address]
	if !ok {
		return fetch.Answer{}, fmt.Errorf("%s: %w", address, l.none)
	}
	return fetch.Answer{Body: []byte(body)}, nil
}

func adaptedOne(n int) essaim.Adapted {
	id := fmt.Sprintf("https://brest.example/objects/%d", n)
	return essaim.Adapted{ID: id, Document: fmt.Appendf(nil, `{"id":"%s","essaim:adaptations":"%s/adaptations"}`, id, id)}
}

func TestTheFirstPageIsReadOnceThoughEachPageNamesIt(t *testing.T) {
	t.Parallel()
	list := "https://brest.example/objects/1/adaptations"
	l := &library{none: essaim.ErrNotFound, pages: map[string]string{
		list:             `{"type":"OrderedCollection","first":"` + list + `?page=1"}`,
		list + "?page=1": `{"type":"OrderedCollectionPage","first":"` + list + `?page=1","next":"` + list + `?page=2","orderedItems":["https://lyon.example/objects/1"]}`,
		list + "?page=2": `{"type":"OrderedCollectionPage","first":"` + list + `?page=1","orderedItems":["https://lyon.example/objects/2"]}`,
	}}
	got, err := (&Replicator{Client: l}).acknowledged(t.Context(), adaptedOne(1))
	if want := []string{"https://lyon.example/objects/1", "https://lyon.example/objects/2"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	if len(l.asked) != 3 {
		t.Errorf("asked for %v", l.asked)
	}
}

// adapted is a store of records that are adapted.
type adapted struct {
	ReplicaStore // what is not asked for here
	all          []essaim.Adapted
}

func (a adapted) AdaptedOf(context.Context, string, int) ([]essaim.Adapted, error) { return a.all, nil }

func TestANodeThatAnswersNoListOfAdaptationsIsAskedForNoOther(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		none  error
		asked int
	}{{essaim.ErrUnavailable, 1}, {essaim.ErrNotFound, 3}} {
		l := &library{none: tt.none}
		r := &Replicator{Client: l, Store: adapted{all: []essaim.Adapted{adaptedOne(1), adaptedOne(2), adaptedOne(3)}}, Logger: slog.New(slog.DiscardHandler)}
		err := r.readLineage(t.Context(), "brest.example")
		if len(l.asked) != tt.asked || (err != nil) != (tt.asked == 1) {
			t.Errorf("%v: asked for %v, %v", tt.none, l.asked, err)
		}
	}
}
