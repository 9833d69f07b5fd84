// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"essaim"
	"essaim/federation/proof"
	"essaim/federation/wire"
)

// Times of getting back what was lost.
const (
	// rescuePatience is how long nothing is published for want of an answer: what
	// comes later is taken where nothing was written since.
	rescuePatience = 15 * time.Minute
	rescueLease    = 5 * time.Minute
	rescueRetry    = 20 * time.Second // while nothing is published
	rescueLater    = time.Hour        // afterwards
	rescueTogether = 4                // nodes asked at a time
	rescueWrites   = 50               // documents of a transaction
	headBytes      = 16 << 10
)

// RescueStore keeps what this node gets back.
type RescueStore interface {
	MendStore
	// BeginRecovery is durable; for essaim.RecoveryHead it does nothing unless the
	// head goes beyond the node's own, and adds the nodes that it knows of. It tells
	// whether a recovery is under way.
	BeginRecovery(ctx context.Context, cause essaim.RecoveryCause, head essaim.CommonsHead, hosts ...string) (bool, error)
	NoteLostHead(ctx context.Context, head essaim.CommonsHead) error
	Recovery(ctx context.Context) (essaim.Recovery, error)
	Recovering(ctx context.Context) (bool, error)
	// RecoveryHosts lists the nodes that may hold copies of this one.
	RecoveryHosts(ctx context.Context) ([]string, error)
	// ClaimRecoverySource leases one that is to be asked now, those that gave something
	// before the others or after them; its Host is empty when there is none.
	ClaimRecoverySource(ctx context.Context, lease time.Duration, gave bool) (essaim.RecoverySource, error)
	SaveRecoverySource(ctx context.Context, from essaim.RecoverySource) error
	TakeRecovered(ctx context.Context, items []essaim.Recovered, from essaim.RecoverySource) (why map[int]string, err error)
	EndRecovery(ctx context.Context) (bool, error)
	// HeldCopies says what stands under ids.
	HeldCopies(ctx context.Context, ids []string) (map[string]essaim.HeldCopy, error)
}

// MendStore looks at what this node published, and puts in order what was damaged.
type MendStore interface {
	// Copies lists the documents of this node, for no host, in the order of their keys.
	Copies(ctx context.Context, host, after string, n int) ([]essaim.CommonsCopy, error)
	// Remade makes a document of this node again from what was published.
	Remade(ctx context.Context, id string) (essaim.Remade, error)
	// Mend puts a document in the place of one that is damaged, if that still has the
	// digest noted.
	Mend(ctx context.Context, it essaim.Recovered, noted string) error
	// MendRow writes the row of a record of this node again from its document, if that
	// is still the one that stands.
	MendRow(ctx context.Context, it essaim.Recovered) error
}

// Rescuer gets back from other nodes what this one published and lost, as after
// the restoring of a backup (replication.md, "rollback guard"). At start and daily
// it asks them for the latest head that they hold of it; one that goes beyond its
// own, proven by its own key, begins a recovery, which ends by itself. It looks once
// a day at each document that stands here, too, and mends what was damaged.
type Rescuer struct {
	Store  RescueStore
	Client interface {
		Changer
		NodeActor(ctx context.Context, host string) (string, error)
	}
	Node essaim.IRI // its own actor
	// Keys are its own, as published, oldest first: the last holds.
	Keys []essaim.PeerKey
	// Renderer signs again what a key before the last did; nobody does when nil.
	Renderer Resigner
	// Pages bounds one reading of what a node holds, as CopiesOf.Pages.
	Pages  int
	Now    func() time.Time
	Logger *slog.Logger

	woken    chan struct{}
	told     chan string          // ids of what is damaged
	tried    map[string]time.Time // when those were mended, or not
	examined time.Time            // up to when the day's part was looked at
}

// key is the one that holds.
func (r *Rescuer) key() string { return r.Keys[len(r.Keys)-1].Key }

// Run asks and gets back until ctx ends.
func (r *Rescuer) Run(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	var ask time.Time // when it asks next
	var asking sync.WaitGroup
	defer asking.Wait()
	for {
		if now := r.Now(); !now.Before(ask) {
			ask = now.Add(compareEvery + jitter(r.Node.Host(), now, compareJitter))
			// Beside the rest: of many who do not answer each takes its time, and a
			// recovery is to end meanwhile.
			asking.Go(func() { r.Ask(ctx) })
		}
		if err := r.Step(ctx); err != nil && ctx.Err() == nil {
			r.Logger.Warn("what was lost is not got back", "error", err)
		}
		if err := r.examineDue(ctx); err != nil && ctx.Err() == nil {
			r.Logger.Warn("documents of this node not looked at", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-r.woken:
		case <-tick.C:
		}
	}
}

// Ask asks the nodes that may hold copies of this one for the latest heads that
// they know of it.
func (r *Rescuer) Ask(ctx context.Context) {
	hosts, err := r.Store.RecoveryHosts(ctx)
	if err != nil {
		if ctx.Err() == nil {
			r.Logger.Warn("nodes that hold copies of this one not read", "error", err)
		}
		return
	}
	eachOf(ctx, r.Logger, rescueTogether, hosts, func(host string) {
		asked, stop := context.WithTimeout(ctx, readTime)
		defer stop()
		// Behind the last key there are heads only.
		err := r.copies(asked, host, strings.Repeat("f", 64), func(ctx context.Context, page essaim.CopiesPage) error { return r.heard(ctx, page.Heads) })
		if err != nil && ctx.Err() == nil {
			r.Logger.LogAttrs(ctx, slog.LevelDebug, "not told of a head of this node", slog.String("host", host), slog.String("reason", err.Error()))
		}
	})
}

// heard begins a recovery if a head goes beyond this node's own.
func (r *Rescuer) heard(ctx context.Context, heads []essaim.CommonsHead) error {
	if len(heads) == 0 {
		return nil
	}
	_, err := r.Begin(ctx, heads[0])
	return err
}

// Begin takes a head that is proven to be this node's: it tells whether what it
// knows of is being got back. Those who brought it are asked besides the nodes that
// this one knows of.
func (r *Rescuer) Begin(ctx context.Context, head essaim.CommonsHead, by ...string) (bool, error) {
	before, err := r.Store.Recovering(ctx)
	if err != nil {
		return false, err
	}
	under, err := r.Store.BeginRecovery(ctx, essaim.RecoveryHead, head, by...)
	if under && !before {
		r.Logger.LogAttrs(ctx, slog.LevelWarn, "this node lost changes that it signed; it gets them back and publishes nothing meanwhile",
			slog.String("head", head.Number.String()))
		select {
		case r.woken <- struct{}{}:
		default:
		}
	}
	return under, err
}

// Step asks the sources of a recovery that are due, and ends it once all were
// read, or answered nothing for too long.
func (r *Rescuer) Step(ctx context.Context) error {
	// One after the other: they hold the same. Between two that are not known yet, who
	// may be many and silent, one that gave something goes on.
	for gave := true; ; gave = !gave {
		from, err := r.Store.ClaimRecoverySource(ctx, rescueLease, gave)
		if err != nil {
			return err
		}
		if from.Host != "" {
			err = r.read(ctx, from)
		}
		if err == nil {
			err = r.end(ctx)
		}
		if err != nil || from.Host == "" {
			return err
		}
	}
}

// end lets the node publish again if nothing is to be waited for.
func (r *Rescuer) end(ctx context.Context) error {
	rec, err := r.Store.Recovery(ctx)
	if err != nil || !rec.UnderWay() {
		return err
	}
	left := 0
	for _, s := range rec.Sources {
		if s.DoneAt.IsZero() && !s.Gone {
			left++
		}
	}
	if left > 0 && r.Now().Before(rec.BeganAt.Add(rescuePatience)) {
		return nil
	}
	ended, err := r.Store.EndRecovery(ctx)
	if ended {
		r.Logger.LogAttrs(ctx, slog.LevelWarn, "what was lost came back; this node publishes again",
			slog.Int("recovered", rec.Recovered), slog.Int("erased_again", rec.Withdrawn), slog.Int("nodes_without_answer", left))
	}
	return err
}

// hearHead takes a head of this node that somebody holds: who was shown an older
// one answers so (docs/PROFILE.md). It counts by the proof of this node's own key,
// whoever brings it: 202 when it goes beyond what stands here, 204 when not.
func (s *Server) hearHead(w http.ResponseWriter, r *http.Request) {
	if !s.admits(w, r) {
		return
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, headBytes))
	if err != nil {
		s.refuse(w, r, http.StatusRequestEntityTooLarge)
		return
	}
	head, err := s.ownHead(raw)
	if err != nil {
		answerProblem(w, http.StatusForbidden, cut(err.Error(), 300))
		return
	}
	var by []string
	if host := r.URL.Query().Get("by"); isHost(host) && !s.isHost(host) {
		by = append(by, host)
	}
	under, err := s.rescuer.Begin(r.Context(), head, by...)
	switch {
	case err != nil:
		s.fail(w, r, err)
	case under:
		w.WriteHeader(http.StatusAccepted)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// ownHead reads a head that this node signed.
func (s *Server) ownHead(raw []byte) (h essaim.CommonsHead, err error) {
	doc, err := wire.Parse(raw, wire.Limits{})
	if err != nil {
		return h, err
	}
	if h, err = readHead(doc.Root(), s.rescuer.Node, s.now()); err != nil {
		return h, err
	}
	_, err = proof.Of(raw).VerifyWhole(keysOf(s.rescuer.key())...)
	return h, err
}

// whole refuses with 503 while this node gets back what it lost: what is missing
// then is not gone.
func (s *Server) whole(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if under, err := s.store.Recovering(r.Context()); err != nil || under {
			s.fail(w, r, errors.Join(err, essaim.ErrRecovering))
			return
		}
		h(w, r)
	}
}
