// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"crypto/ed25519"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/federation/fedtest"
	"essaim/federation/fetch"
	"essaim/federation/proof"
)

// lost is a store in which sources of a recovery are to be asked, each once.
type lost struct {
	RescueStore // what is not asked for here
	due         []essaim.RecoverySource
	saved       []essaim.RecoverySource
	gave        []bool // whether those that gave something were asked for first
}

func (l *lost) ClaimRecoverySource(_ context.Context, _ time.Duration, gave bool) (from essaim.RecoverySource, err error) {
	l.gave = append(l.gave, gave)
	if len(l.due) > 0 {
		from, l.due = l.due[0], l.due[1:]
	}
	return from, nil
}

func (l *lost) SaveRecoverySource(_ context.Context, from essaim.RecoverySource) error {
	l.saved = append(l.saved, from)
	return nil
}

func (l *lost) Recovery(context.Context) (essaim.Recovery, error) { return essaim.Recovery{}, nil }
func (l *lost) Recovering(context.Context) (bool, error)          { return true, nil }

// ending is a store in which a recovery is under way.
type ending struct {
	lost
	sources []essaim.RecoverySource
	ended   bool
}

func (e *ending) Recovery(context.Context) (essaim.Recovery, error) {
	return essaim.Recovery{BeganAt: time.Date(2026, time.March, 3, 12, 0, 0, 0, time.UTC), Sources: e.sources}, nil
}

func (e *ending) EndRecovery(context.Context) (bool, error) {
	e.ended = true
	return true, nil
}

func TestARecoveryWaitsForNobodyWhoIsSaidToBeGone(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, time.March, 3, 12, 0, 0, 0, time.UTC)
	silent, gone := essaim.RecoverySource{Host: "lyon.example"}, essaim.RecoverySource{Host: "toulon.example", Gone: true}
	read := essaim.RecoverySource{Host: "nantes.example", DoneAt: began}
	for _, c := range []struct {
		sources []essaim.RecoverySource
		after   time.Duration
		want    bool
	}{
		{[]essaim.RecoverySource{read, gone}, time.Minute, true},
		{[]essaim.RecoverySource{read, gone, silent}, time.Minute, false},
		{[]essaim.RecoverySource{read, gone, silent}, rescuePatience, true},
	} {
		e := &ending{sources: c.sources}
		r := &Rescuer{Store: e, Now: func() time.Time { return began.Add(c.after) }, Logger: slog.New(slog.DiscardHandler)}
		if err := r.Step(t.Context()); err != nil || e.ended != c.want {
			t.Errorf("%+v after %s: ended %v (%v), want %v", c.sources, c.after, e.ended, err, c.want)
		}
	}
}

func TestAPanicOverASourceOfARecoveryLeavesTheOthersTheirTurn(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.March, 3, 12, 0, 0, 0, time.UTC)
	node, err := essaim.ParseIRI("https://brest.example/actor")
	if err != nil {
		t.Fatal(err)
	}
	for _, anonymous := range []bool{false, true} {
		l := &lost{due: []essaim.RecoverySource{{Host: "lyon.example"}, {Host: "toulon.example"}}}
		r := &Rescuer{
			Store: l, Client: hostile{anonymous}, Node: node, Keys: []essaim.PeerKey{{Key: proof.EncodeMultikey(fedtest.Ed25519("brest").Public().(ed25519.PublicKey))}},
			Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
		}
		if err := r.Step(t.Context()); err != nil {
			t.Errorf("anonymous %v: %v", anonymous, err)
		}
		again := slices.DeleteFunc(l.saved, func(s essaim.RecoverySource) bool {
			return !s.NextAt.Equal(now.Add(rescueRetry)) || !strings.Contains(s.Reason, "of its own sort")
		})
		if want := []bool{true, false, true}; !slices.Equal(l.gave, want) {
			t.Errorf("turns of those that gave something: %v, want %v", l.gave, want)
		}
		if len(again) != 2 {
			t.Errorf("anonymous %v: asked again later: %+v", anonymous, again)
		}
	}
}

// vacant is a client of a host that has no node behind it, or of a node that holds
// nothing.
type vacant struct {
	library
	shown error
}

func (n *vacant) NodeActor(_ context.Context, host string) (string, error) {
	return "https://" + host + "/actor", n.shown
}

// A node that holds nothing is asked no more, nor is other software that follows, such
// as a relay; a host that shows no node, as a proxy does whose node is away, is asked
// again.
func TestAHostWithoutANodeIsAskedAgain(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.March, 3, 12, 0, 0, 0, time.UTC)
	node, err := essaim.ParseIRI("https://brest.example/actor")
	if err != nil {
		t.Fatal(err)
	}
	for shown, again := range map[error]bool{nil: false, fetch.ErrNoNode: false, essaim.ErrNotFound: true} {
		l := &lost{}
		r := &Rescuer{
			Store: l, Client: &vacant{library{none: essaim.ErrNotFound}, shown}, Node: node,
			Keys: []essaim.PeerKey{{Key: proof.EncodeMultikey(fedtest.Ed25519("brest.example").Public().(ed25519.PublicKey))}},
			Now:  func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
		}
		if err := r.read(t.Context(), essaim.RecoverySource{Host: "lyon.example"}); err != nil || len(l.saved) != 1 {
			t.Fatalf("saved %v, %v", l.saved, err)
		}
		if from := l.saved[0]; from.DoneAt.IsZero() != again || again && !from.NextAt.After(now) {
			t.Errorf("shown %v: noted %+v", shown, from)
		}
	}
}

// silence is a store of a node that recovers, and a client of nodes that never answer.
type silence struct {
	lost
	library
	stepped chan struct{}
}

func (s *silence) RecoveryHosts(context.Context) ([]string, error) {
	return []string{"lyon.example"}, nil
}

func (s *silence) NodeActor(ctx context.Context, _ string) (string, error) {
	<-ctx.Done()
	return "", ctx.Err()
}

func (s *silence) ClaimRecoverySource(context.Context, time.Duration, bool) (from essaim.RecoverySource, err error) {
	select {
	case s.stepped <- struct{}{}:
	default:
	}
	return from, nil
}

func TestARecoveryGoesOnBesideWhoDoesNotAnswer(t *testing.T) {
	t.Parallel()
	s := &silence{stepped: make(chan struct{}, 1)}
	r := &Rescuer{Store: s, Client: s, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	select {
	case <-s.stepped:
	case <-ctx.Done():
		t.Error("nothing was got back while one did not answer")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
