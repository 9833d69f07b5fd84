// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"essaim"
	"essaim/federation/fetch"
	"essaim/federation/sig"
	"essaim/federation/wire"
)

// FEP-8fcf: with what it sends to its followers, a server says which of them it
// believes to be at the receiving one. Both sides compare, and mend what a lost
// Accept or Undo left.
const (
	maxSynced  = 5000 // followers at one host; more are not compared
	syncKept   = time.Minute
	syncEvery  = time.Hour // comparisons with one actor that differs
	maxUndone  = 10        // of our actors that it lists by mistake
	syncCached = 10_000
)

// followerDigest is the exclusive or of the SHA-256 of each id, in hex.
func followerDigest(ids []string) string {
	var all [sha256.Size]byte
	for _, id := range ids {
		sum := sha256.Sum256([]byte(id))
		for i := range all {
			all[i] ^= sum[i]
		}
	}
	return hex.EncodeToString(all[:])
}

// addressesFollowers tells whether an activity of ours goes to its actor's
// followers. These are our own bytes: the address stands there in one form.
func addressesFollowers(body []byte, actor string) bool {
	return strings.Contains(string(body), `"`+actor+`/followers"`)
}

// digests keeps what is said to each host for a moment: a fan-out asks for it
// once per inbox.
type digests struct {
	mu   sync.Mutex
	held map[string]heldDigest
}

type heldDigest struct {
	value string
	until time.Time
}

// synchronization is the header for one host; none when the database does not
// answer or there are too many.
func (s *Server) synchronization(ctx context.Context, actor, host string) string {
	key, now := actor+" "+host, s.now()
	s.digests.mu.Lock()
	d, ok := s.digests.held[key]
	s.digests.mu.Unlock()
	if ok && now.Before(d.until) {
		return d.value
	}
	ids, err := s.store.FollowersAt(ctx, actor, host, maxSynced+1)
	if err != nil || len(ids) > maxSynced {
		return ""
	}
	d = heldDigest{until: now.Add(syncKept), value: fmt.Sprintf(`collectionId="%s/followers", url="%s/followers/sync", digest="%s"`, actor, actor, followerDigest(ids))}
	s.digests.mu.Lock()
	defer s.digests.mu.Unlock()
	if s.digests.held == nil || len(s.digests.held) >= syncCached {
		s.digests.held = map[string]heldDigest{}
	}
	s.digests.held[key] = d
	return d.value
}

// showFollowersOfHost lists the followers of an actor that are of the host that
// signs, and to nobody else.
func (s *Server) showFollowersOfHost(w http.ResponseWriter, r *http.Request, a essaim.LocalActor) error {
	w.Header().Set("Cache-Control", "private, no-store")
	key, err := s.inbox.verify(r.WithContext(asStranger(r.Context(), s.inbox.caller(r))), nil)
	if err != nil {
		status := http.StatusUnauthorized
		if errors.Is(err, errTooMany) {
			status = http.StatusTooManyRequests
		} else if errors.Is(err, essaim.ErrUnavailable) && !errors.Is(err, sig.ErrUnauthorized) {
			status = http.StatusServiceUnavailable
		}
		answerProblem(w, status, reasonFor(status, err))
		return nil
	}
	standing, err := s.store.Standing(r.Context(), key.Owner.String())
	if err != nil {
		return err
	}
	if standing.Blocked {
		answerProblem(w, http.StatusForbidden, "blocked")
		return nil
	}
	ids, err := s.store.FollowersAt(r.Context(), a.ID, key.Owner.Host(), maxSynced)
	if err != nil {
		return err
	}
	if ids == nil {
		ids = []string{}
	}
	w.Header().Add("Vary", "Signature, Signature-Input")
	s.serveCollection(w, r, collection{Type: "OrderedCollection", TotalItems: len(ids), Items: ids})
	return nil
}

// synced is what a server says of its followers here.
type synced struct {
	collection, url essaim.IRI
	digest          string
}

// readSynced reads the header; false for one that cannot be read one way only.
func readSynced(header string) (v synced, ok bool) {
	seen := map[string]bool{}
	for _, part := range strings.Split(header, ",") {
		name, value, found := strings.Cut(strings.TrimSpace(part), "=")
		if value = strings.TrimSpace(value); !found || len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' || seen[name] {
			return v, false
		}
		value, seen[name] = value[1:len(value)-1], true
		var err error
		switch name {
		case "collectionId":
			v.collection, err = essaim.ParseIRI(value)
		case "url":
			v.url, err = essaim.ParseIRI(value)
		case "digest":
			var sum []byte
			if sum, err = hex.DecodeString(value); err == nil && len(sum) != sha256.Size {
				return v, false
			}
			v.digest = strings.ToLower(value)
		}
		if err != nil {
			return v, false
		}
	}
	return v, !v.collection.IsZero() && !v.url.IsZero() && v.digest != ""
}

// compare looks, beside the answer, at what the actor that signed says of us. Only
// of whom we follow, or did: whom we never followed cannot have lost us.
func (s *Server) compare(ctx context.Context, header string, actor essaim.IRI) {
	v, ok := readSynced(header)
	if !ok || !v.url.SameOrigin(actor) || !v.collection.SameOrigin(actor) {
		return
	}
	select {
	case s.hearing <- struct{}{}:
	default:
		return
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), greetTime)
	s.tasks.Go(func() {
		defer func() {
			stop()
			<-s.hearing
			if p := recover(); p != nil {
				s.log.Error("comparing followers panicked", "panic", p)
			}
		}()
		if err := s.reconcile(ctx, v, actor); err != nil {
			s.log.LogAttrs(ctx, slog.LevelInfo, "followers not compared", slog.String("actor", actor.String()), slog.String("reason", err.Error()))
		}
	})
}

// reconcile mends a difference. What the actor's server lists is believed only
// when it comes to the digest that it sent (Mastodon's rule): a list that is
// being changed takes nothing away.
func (s *Server) reconcile(ctx context.Context, v synced, actor essaim.IRI) error {
	f, err := s.store.OurFollow(ctx, actor.String())
	if err != nil {
		return ignoreMissing(err)
	}
	var ours []string
	if f.State == essaim.PeerFollowed {
		ours = []string{s.nodeActor()}
	}
	if followerDigest(ours) == v.digest || f.State == essaim.PeerRequested || !s.ingest.mayWake("sync "+f.Actor, syncEvery) {
		return nil
	}
	if err := s.remote.Continues(ctx, actor.Host()); err != nil {
		return err
	}
	held, err := s.remote.Actor(ctx, actor)
	if err != nil {
		return err
	}
	if doc, err := wire.Parse(held.Document, wire.Limits{}); err != nil || doc.Get("followers").TextOr() != v.collection.String() {
		return fmt.Errorf("%s is not its followers: %w", v.collection, essaim.ErrInvalid)
	}
	listed, err := s.listedBy(ctx, v)
	if err != nil {
		return err
	}
	if followerDigest(listed) != v.digest {
		return fmt.Errorf("the list is not the one announced: %w", essaim.ErrInvalid)
	}
	return s.mend(ctx, f, ours, listed)
}

// listedBy is what the actor's server lists of this node.
func (s *Server) listedBy(ctx context.Context, v synced) ([]string, error) {
	answer, err := s.client.Get(ctx, v.url.String(), "application/activity+json, application/ld+json", false)
	if err != nil {
		return nil, err
	}
	if !fetch.IsActivity(answer.ContentType) {
		return nil, fmt.Errorf("%s: content type %q: %w", v.url, answer.ContentType, essaim.ErrInvalid)
	}
	doc, err := wire.Parse(answer.Body, wire.Limits{Array: maxSynced})
	if err != nil {
		return nil, err
	}
	items := doc.Get("orderedItems")
	if !items.Present() {
		items = doc.Get("items")
	}
	var ids []string
	for e := range items.Elements() {
		if iri, ok := e.IRI(); ok && strings.HasPrefix(iri.String(), s.base+"/") && !slices.Contains(ids, iri.String()) {
			ids = append(ids, iri.String())
		}
	}
	return ids, nil
}

// mend asks again for a follow that the other side lost, which an administrator
// wanted, and takes back what it believes to have.
func (s *Server) mend(ctx context.Context, f essaim.OurFollow, ours, listed []string) error {
	if len(ours) > 0 && !slices.Contains(listed, s.nodeActor()) {
		f.FollowID = s.activityID()
		body, err := s.renderer.Follow(f.FollowID, s.nodeActor(), f.Actor)
		if err != nil {
			return err
		}
		s.log.LogAttrs(ctx, slog.LevelWarn, "our follow was lost; it is asked again", slog.String("actor", f.Actor))
		if err := s.store.FollowLost(ctx, f, essaim.Outgoing{
			ActivityID: f.FollowID, Actor: s.nodeActor(), Receiver: f.Actor, Inbox: f.Inbox, OrderKey: s.nodeActor() + " " + f.Actor, Body: body,
		}); err != nil {
			return err
		}
	}
	undone := 0
	for _, id := range listed {
		if slices.Contains(ours, id) || undone == maxUndone {
			continue
		}
		if local, err := s.isLocal(ctx, id); err != nil || !local {
			if err != nil {
				return err
			}
			continue
		}
		undone++
		follow, err := s.renderer.Follow(s.activityID(), id, f.Actor)
		if err != nil {
			return err
		}
		undo := s.activityID()
		body, err := s.renderer.Undo(undo, id, f.Actor, follow)
		if err != nil {
			return err
		}
		if err := s.store.Send(ctx, "Undo", essaim.Outgoing{ActivityID: undo, Actor: id, Receiver: f.Actor, Inbox: f.Inbox, OrderKey: id + " " + f.Actor, Body: body}); err != nil {
			return err
		}
	}
	return nil
}
