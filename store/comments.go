// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"essaim"
)

// Comments lists the comments of a record that everyone may see, in the order
// in which they came: up to n after the one numbered after (0 = from the
// first). One that waits, is hidden, or whose author is silenced is not there.
func (s *Store) Comments(ctx context.Context, record string, after int64, n int) ([]essaim.Comment, error) {
	all, err := list(ctx, s.query(), scanComment, "comments_shown", record, after, n)
	if err != nil {
		return nil, fmt.Errorf("comments of %s: %w", record, err)
	}
	return all, nil
}

// CountComments counts what Comments lists.
func (s *Store) CountComments(ctx context.Context, record string) (int, error) {
	var n int
	if err := s.query().row(ctx, "comments_count", record).Scan(&n); err != nil {
		return 0, fmt.Errorf("comments of %s: %w", record, err)
	}
	return n, nil
}

func scanComment(scan scanFunc) (c essaim.Comment, err error) {
	var username, avatar string
	err = scan(&c.N, &c.ID, &c.Record, &c.InReplyTo, &c.URL, &c.Actor, &c.Name, &username, &c.ActorURL,
		&c.Content, &c.Warning, &c.Language, moment{&c.Published}, moment{&c.Updated}, &avatar)
	if err != nil {
		return c, err
	}
	c.Avatar = essaim.PicturePath(avatar)
	c.Handle = authority(c.Actor)
	if username != "" {
		c.Handle = "@" + username + "@" + c.Handle
	}
	if c.Name == "" {
		c.Name = c.Handle
	}
	if c.ActorURL == "" {
		c.ActorURL = c.Actor
	}
	if c.URL == "" {
		c.URL = c.ID
	}
	return c, nil
}

// known is what is held of a comment that comes again.
type knownComment struct {
	n       int64
	actor   string
	updated time.Time
	state   essaim.ItemState
}

// commentAsked are the questions of holdComment about a comment that is new.
func commentAsked(e essaim.HoldComment) []question {
	return []question{
		{"comment_context", []any{e.ID, e.InReplyTo}},
		erasedAsked(e.ID),
	}
}

func (tx *Tx) holdComment(ctx context.Context, e essaim.HoldComment, st essaim.Standing, now time.Time) (outcome, error) {
	var gone, known, answers bool
	err := tx.row(ctx, "comment_context", e.ID, e.InReplyTo).Scan(bit{&gone}, bit{&known}, bit{&answers})
	if err == nil && !gone && !known {
		gone, err = tx.erasedObject(ctx, e.ID)
	}
	switch {
	case err != nil:
		return did, err
	case gone:
		return outcome{nothing: "deleted before", erase: true}, nil
	case !known:
		return tx.newComment(ctx, e, answers, st, now)
	}
	var k knownComment
	if err := tx.row(ctx, "comment_known", e.ID).Scan(&k.n, &k.actor, moment{&k.updated}, (*string)(&k.state)); err != nil {
		return did, err
	}
	return tx.renewComment(ctx, e, k, st)
}

// newComment adds a comment; here says that it answers a record of ours.
func (tx *Tx) newComment(ctx context.Context, e essaim.HoldComment, here bool, st essaim.Standing, now time.Time) (outcome, error) {
	record := e.InReplyTo
	if !here {
		err := tx.row(ctx, "comment_thread", e.InReplyTo).Scan(&record)
		switch {
		case errors.Is(err, essaim.ErrNotFound):
			return nothing("in reply to nothing of ours"), nil
		case err != nil:
			return did, err
		}
	}
	state, err := tx.commentState(ctx, e)
	if err != nil {
		return did, err
	}
	if state == essaim.ItemHeld {
		if many, err := tx.manyHeld(ctx, e.Actor); err != nil || many {
			return outcome{nothing: "too many comments of its author or server wait", erase: true}, err
		}
	}
	n, err := tx.addItem(ctx, essaim.Item{
		Kind: essaim.ItemComment, Ref: e.ID, State: state, Actor: e.Actor, About: record, Excerpt: e.Excerpt, ReceivedAt: now,
	})
	if err != nil {
		return did, err
	}
	_, err = tx.exec(ctx, "comment_add", e.ID, n, e.Actor, record, e.InReplyTo, e.URL, e.Content, e.Warning, e.Language,
		flag(state == essaim.ItemAccepted && !st.Muted()), instant(e.Published), instant(later(e.Published, e.Updated)))
	return did, err
}

// Bounds of what waits for moderators, who read it all: what comes beyond them is
// taken and dropped, bytes and all, until they decided about some.
const (
	maxHeldComments       = 20  // of one account
	maxHeldCommentsOfHost = 500 // of all accounts of a host
	maxHeldReports        = 100 // of one server
)

// manyHeld tells whether as many comments of an account, or of its host, wait as
// may.
func (tx *Tx) manyHeld(ctx context.Context, actor string) (bool, error) {
	from, below := ofOrigin(actor)
	for _, c := range []struct {
		from, below string
		most        int
	}{{actor, actor + "\x01", maxHeldComments}, {from, below, maxHeldCommentsOfHost}} {
		var waiting int
		if err := tx.row(ctx, "comments_held", c.from, c.below, c.most).Scan(&waiting); err != nil || waiting >= c.most {
			return true, err
		}
	}
	return false, nil
}

// ofOrigin bounds the ids that begin with the address of an actor's host: "0" follows
// "/".
func ofOrigin(actor string) (from, below string) {
	origin := actor
	if u, err := url.Parse(actor); err == nil {
		origin = u.Scheme + "://" + u.Host
	}
	return origin + "/", origin + "0"
}

// renewComment takes a newer version by the same author. What a moderator hid
// stays hidden; what was shown is decided about anew.
func (tx *Tx) renewComment(ctx context.Context, e essaim.HoldComment, k knownComment, st essaim.Standing) (outcome, error) {
	updated := later(e.Published, e.Updated)
	if k.actor != e.Actor || !updated.After(k.updated) {
		return outcome{nothing: notNewer, erase: k.actor == e.Actor && updated.Before(k.updated)}, nil
	}
	state := k.state
	if state == essaim.ItemAccepted {
		var err error
		if state, err = tx.commentState(ctx, e); err != nil {
			return did, err
		}
	}
	if _, err := tx.exec(ctx, "item_renew", k.n, string(state), excerpt(e.Excerpt)); err != nil {
		return did, err
	}
	_, err := tx.exec(ctx, "comment_renew", e.ID, e.URL, e.Content, e.Warning, e.Language, flag(state == essaim.ItemAccepted && !st.Muted()), instant(updated))
	return outcome{newer: true}, err
}

// commentState is the territory's policy about a comment that nobody read yet.
func (tx *Tx) commentState(ctx context.Context, e essaim.HoldComment) (essaim.ItemState, error) {
	switch e.Policy {
	case essaim.CommentsShown:
		return essaim.ItemAccepted, nil
	case essaim.CommentsKnown:
		known, err := tx.found(ctx, "item_known_author", e.Actor)
		if err == nil && known {
			return essaim.ItemAccepted, nil
		}
		return essaim.ItemHeld, err
	}
	return essaim.ItemHeld, nil
}

func (tx *Tx) eraseComment(ctx context.Context, e essaim.EraseComment, now time.Time) (outcome, error) {
	_, ok, err := tx.locked(ctx, e.ID)
	if err != nil {
		return did, err
	}
	if ok {
		return nothing("not a comment"), nil
	}
	out, err := tx.erase(ctx, essaim.Erase{ID: e.ID, Actor: e.Actor, At: now}, now)
	out.erase = true
	return out, err
}

// removeComment leaves the tombstone, which keeps a late Create out.
func (tx *Tx) removeComment(ctx context.Context, id string, now time.Time) error {
	if err := tx.removeItem(ctx, essaim.ItemComment, id); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "tombstone_insert", id, "comment", authority(id), micros(now), nil); err != nil {
		return err
	}
	if err := tx.noteDeleted(ctx, id, false); err != nil {
		return err
	}
	return tx.eraseRaw(ctx, id)
}

// removeComments erases the comments of a record that is withdrawn.
func (tx *Tx) removeComments(ctx context.Context, record string) error {
	ids, err := list(ctx, tx, only[string], "comment_ids_of_record", record)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := tx.removeItem(ctx, essaim.ItemComment, id); err != nil {
			return err
		}
		if err := tx.eraseRaw(ctx, id); err != nil {
			return err
		}
	}
	return nil
}
