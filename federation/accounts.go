// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"essaim"
)

// AccountStore keeps the accounts elsewhere that the node follows.
type AccountStore interface {
	FollowedAccounts(ctx context.Context) ([]essaim.Followed, error)
	// FollowAccount stores the account as requested and queues the Follow, in one
	// transaction; UnfollowAccount removes it and queues the Undo.
	FollowAccount(ctx context.Context, f essaim.Followed, reason string, follow essaim.Outgoing) error
	UnfollowAccount(ctx context.Context, actor string, undo essaim.Outgoing) error
}

// FollowAccount follows an account elsewhere, "@user@host" or the address of its
// actor, by a Follow of our /actor. What it publishes becomes candidates. agreed
// is the licence of our table under which its author lets the whole be kept,
// empty to quote only, and reason how that is known. Errors are those of FollowPeer.
func (s *Server) FollowAccount(ctx context.Context, typed, agreed, reason string) (essaim.Followed, error) {
	fail := func(err error) (essaim.Followed, error) {
		return essaim.Followed{}, fmt.Errorf("follow %s: %w", typed, err)
	}
	if agreed != "" && !essaim.Reusable(agreed) {
		return fail(fmt.Errorf("licence %q lets nothing be kept: %w", agreed, essaim.ErrInvalid))
	}
	actor, known, err := s.findAccount(ctx, typed)
	if err != nil {
		return fail(err)
	}
	st, err := s.store.Standing(ctx, actor.ID)
	if err == nil && st.Blocked {
		err = fmt.Errorf("blocked: %w", essaim.ErrForbidden)
	}
	if err != nil {
		return fail(err)
	}
	f := essaim.Followed{
		Actor: actor.ID, Handle: known, Name: actor.Name, URL: actor.URL, Inbox: actor.Inbox,
		State: essaim.PeerRequested, FollowID: s.activityID(), Agreed: strings.ToLower(agreed),
	}
	body, err := s.renderer.Follow(f.FollowID, s.nodeActor(), f.Actor)
	if err != nil {
		return fail(err)
	}
	err = s.store.FollowAccount(ctx, f, reason, essaim.Outgoing{
		ActivityID: f.FollowID, Actor: s.nodeActor(), Receiver: f.Actor, Inbox: f.Inbox, OrderKey: s.nodeActor() + " " + f.Actor, Body: body,
	})
	return f, err
}

// UnfollowAccount takes our Follow of an account back. What it brought stays.
func (s *Server) UnfollowAccount(ctx context.Context, typed string) (essaim.Followed, error) {
	all, err := s.store.FollowedAccounts(ctx)
	if err != nil {
		return essaim.Followed{}, fmt.Errorf("unfollow %s: %w", typed, err)
	}
	user, host, ok := handle(typed)
	named := func(f essaim.Followed) bool { return f.Actor == typed || strings.EqualFold(f.Handle, user+"@"+host) }
	if ok && !slices.ContainsFunc(all, named) {
		// A name that was lent to it: who goes by it is asked as when it was followed.
		if actor, _, err := s.findAccount(ctx, typed); err == nil {
			typed = actor.ID
		}
	}
	for _, f := range all {
		if !named(f) {
			continue
		}
		follow, err := s.renderer.Follow(f.FollowID, s.nodeActor(), f.Actor)
		if err != nil {
			return f, fmt.Errorf("unfollow %s: %w", typed, err)
		}
		id := s.activityID()
		body, err := s.renderer.Undo(id, s.nodeActor(), f.Actor, follow)
		if err != nil {
			return f, fmt.Errorf("unfollow %s: %w", typed, err)
		}
		return f, s.store.UnfollowAccount(ctx, f.Actor, essaim.Outgoing{
			ActivityID: id, Actor: s.nodeActor(), Receiver: f.Actor, Inbox: f.Inbox, OrderKey: s.nodeActor() + " " + f.Actor, Body: body,
		})
	}
	return essaim.Followed{}, fmt.Errorf("unfollow %s: %w", typed, essaim.ErrNotFound)
}

// handle reads "@user@host", with or without the first "@" or "acct:".
func handle(typed string) (user, host string, ok bool) {
	typed = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(typed), "acct:"), "@")
	user, host, ok = strings.Cut(typed, "@")
	host = strings.ToLower(host)
	if !ok || user == "" || strings.ContainsAny(user, "/:?#") || host == "" {
		return "", "", false
	}
	_, err := essaim.ParseIRI("https://" + host + "/")
	return user, host, err == nil && !strings.Contains(host, "/")
}

// findAccount finds the actor behind what a person typed, and the handle by which
// it goes. A host may lend one of its names to an actor elsewhere, and to one of
// its own that is called otherwise; whether the actor goes by that name is for the
// actor's host to say, which names the actor for its own name and that handle as
// the subject. Else its own name counts (RFC 7033, as Mastodon reads it).
func (s *Server) findAccount(ctx context.Context, typed string) (actor essaim.RemoteActor, known string, err error) {
	user, host, ok := handle(typed)
	if !ok {
		iri, err := essaim.ParseIRI(strings.TrimSpace(typed))
		if err != nil {
			return actor, "", err
		}
		actor, err = s.fetchAccount(ctx, iri)
		return actor, actor.Username + "@" + iri.Host(), err
	}
	if s.isHost(host) {
		return actor, "", fmt.Errorf("an account of this node: %w", essaim.ErrInvalid)
	}
	iri, _, err := s.finger(ctx, user, host)
	if err != nil {
		return actor, "", err
	}
	if actor, err = s.fetchAccount(ctx, iri); err != nil {
		return actor, "", err
	}
	if actor.Username == "" && host == iri.Host() {
		return actor, user + "@" + host, nil // it has no name but that one
	}
	known = actor.Username + "@" + iri.Host()
	if strings.EqualFold(known, user+"@"+host) {
		return actor, known, nil
	}
	back, subject, err := s.finger(ctx, actor.Username, iri.Host())
	switch {
	case err != nil:
		return actor, "", err
	case back != iri:
		return actor, "", fmt.Errorf("%s does not name %s: %w", iri.Host(), iri, essaim.ErrInvalid)
	case strings.EqualFold(subject, "acct:"+user+"@"+host):
		known = user + "@" + host
	}
	return actor, known, nil
}

// finger is the id that a host gives for a name, and the name that it gives back.
func (s *Server) finger(ctx context.Context, user, host string) (id essaim.IRI, subject string, err error) {
	jrd, err := s.client.WebFinger(ctx, host, "acct:"+user+"@"+host)
	if err != nil {
		return id, "", err
	}
	self, ok := jrd.Self()
	if !ok {
		return id, "", fmt.Errorf("%s names no actor for %s: %w", host, user, essaim.ErrNotFound)
	}
	id, err = essaim.ParseIRI(self)
	return id, jrd.Subject, err
}

func (s *Server) fetchAccount(ctx context.Context, iri essaim.IRI) (essaim.RemoteActor, error) {
	if s.isHost(iri.Host()) {
		return essaim.RemoteActor{}, fmt.Errorf("an account of this node: %w", essaim.ErrInvalid)
	}
	return s.remote.Fetch(ctx, iri)
}
