// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"essaim"
	"essaim/federation/fetch"
)

// hostile is a client of which each document makes its reader panic: that which
// says who the node is too when it is anonymous.
type hostile struct{ anonymous bool }

func (hostile) Changed(context.Context, string, string) (fetch.Answer, error) {
	panic("a document of its own sort")
}

func (h hostile) NodeActor(_ context.Context, host string) (string, error) {
	if h.anonymous {
		panic("an actor of its own sort")
	}
	return "https://" + host + "/actor", nil
}

// duties is a store in which Toulon's turn has come, until it is put off.
type duties struct {
	ReplicaStore // what is not asked for here
	peer         essaim.Peer
	progress     essaim.CommonsProgress
	putOff       map[string]time.Time
}

func (d *duties) due(what string) ([]string, error) {
	if d.putOff[what].IsZero() {
		return []string{d.peer.Host}, nil
	}
	return nil, nil
}

func (d *duties) DueComparisons(context.Context, int) ([]string, error) { return d.due("comparison") }
func (d *duties) DueCopyChecks(context.Context, int) ([]string, error)  { return d.due("check") }

func (d *duties) PutOffComparison(_ context.Context, _ string, at time.Time) error {
	d.putOff["comparison"] = at
	return nil
}

func (d *duties) PutOffCopyCheck(_ context.Context, _ string, at time.Time) error {
	d.putOff["check"] = at
	return nil
}

func (d *duties) Peer(context.Context, string) (essaim.Peer, error) { return d.peer, nil }

func (d *duties) Copies(context.Context, string, string, int) ([]essaim.CommonsCopy, error) {
	return nil, nil
}

func (d *duties) CommonsProgress(context.Context, string) (essaim.CommonsProgress, error) {
	if d.progress.CheckedAt.IsZero() {
		return d.progress, essaim.ErrNotFound
	}
	return d.progress, nil
}

func (d *duties) Heads(context.Context, string, int) ([]essaim.CommonsHead, error) { return nil, nil }

func (d *duties) CommonsNode(context.Context, string) (h essaim.CommonsHead, n essaim.CommonsNode, c [16]essaim.CommonsNode, i []essaim.CommonsItem, err error) {
	return h, n, c, i, nil
}

func (d *duties) CopyTree(context.Context, string) (map[string]essaim.CommonsNode, error) {
	return nil, nil
}

func TestAPanicOverCopiesThatOneNodeHoldsLeavesTheOthersToBeAsked(t *testing.T) {
	t.Parallel()
	r := &Replicator{Store: &duties{}, Client: hostile{}}
	_, _, err := r.compareOther(t.Context(), essaim.Peer{Host: "toulon.example", Actor: "https://toulon.example/actor"},
		essaim.Peer{Host: "lyon.example", Actor: "https://lyon.example/actor"})
	if !errors.Is(err, essaim.ErrInvalid) {
		t.Errorf("error %v", err)
	}
}

func TestAPanicOverWhatANodeAnswersPutsItOff(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.March, 3, 12, 0, 0, 0, time.UTC)
	for what, turn := range map[string]func(*Replicator){
		"comparison": func(r *Replicator) { r.compareDue(t.Context()) },
		"check":      func(r *Replicator) { r.checkDue(t.Context()) },
	} {
		// Said to be gone: its head is asked for before its pages are.
		d := &duties{putOff: map[string]time.Time{}, peer: essaim.Peer{
			Host: "toulon.example", Actor: "https://toulon.example/actor", State: essaim.PeerFollowed, GoneAt: now.Add(-time.Hour),
		}}
		c := corpusIngester(t)
		r := &Replicator{Store: d, Client: hostile{}, Ingester: c.Ingester, Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler)}
		turn(r)
		if at := d.putOff[what]; !at.After(now) {
			t.Errorf("%s put off until %s", what, at)
		}
	}
}

// Its copies are looked at before it is known that it does not answer.
func TestANodeThatIsSilentForLongIsComparedDaily(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.March, 3, 12, 0, 0, 0, time.UTC)
	for ago, want := range map[time.Duration]time.Duration{time.Hour: readEvery, essaim.PeerSilence + time.Hour: compareEvery} {
		d := &duties{
			putOff: map[string]time.Time{}, progress: essaim.CommonsProgress{Host: "toulon.example", CheckedAt: now.Add(-ago)},
			peer: essaim.Peer{Host: "toulon.example", Actor: "https://toulon.example/actor", State: essaim.PeerFollowed},
		}
		c := corpusIngester(t)
		r := &Replicator{
			Store: d, Client: &library{none: essaim.ErrUnavailable}, Ingester: c.Ingester,
			Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
		}
		r.compareDue(t.Context())
		if got := d.putOff["comparison"].Sub(now); got != want {
			t.Errorf("silent for %s: compared again in %s, want %s", ago, got, want)
		}
	}
}

func TestEachIsFirstInItsTurn(t *testing.T) {
	t.Parallel()
	for at, want := range map[int64]string{9: "[a b c]", 10: "[b c a]", 11: "[c a b]"} {
		if got := fmt.Sprint(inTurn([]string{"a", "b", "c"}, time.Unix(at, 0))); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
	if got := inTurn([]string(nil), time.Unix(9, 0)); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}
