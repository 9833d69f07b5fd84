// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"essaim"
)

// Adapt makes a draft that adapts a published record, of here or elsewhere, and
// keeps what it takes over of the version that it comes from. essaim.ErrForbidden when its kind or its
// licence does not allow it.
func (s *Store) Adapt(ctx context.Context, id string, by essaim.Author) (essaim.Record, error) {
	var made essaim.Record
	err := s.write(ctx, urgent, func(tx *Tx) error {
		parent, ok, err := tx.locked(ctx, id)
		switch {
		case err != nil:
			return err
		case !ok:
			return essaim.ErrNotFound
		case parent.State == essaim.StateWithdrawn:
			return essaim.ErrGone
		}
		c, err := parent.Adaptation()
		if err != nil {
			return err
		}
		kept := parent.TakenOver()
		content, err := json.Marshal(&kept)
		if err != nil {
			return err
		}
		if err := tx.later(ctx, "parent_version_keep", parent.ID, parent.ContentDigest, string(content), micros(s.now())); err != nil {
			return err
		}
		e, _, err := tx.create(ctx, essaim.NewRecord{Content: c, State: essaim.StateDraft, Author: by}, "", "")
		if err == nil {
			made = e.Record
		}
		return err
	})
	if err != nil {
		return essaim.Record{}, fmt.Errorf("adapt %s: %w", id, err)
	}
	return made, nil
}

// ParentVersion is a version of a record that one of here adapts;
// essaim.ErrNotFound when it is not kept, or erased.
func (s *Store) ParentVersion(ctx context.Context, d essaim.Derivation) (essaim.Content, error) {
	var c essaim.Content
	var content string
	err := s.query().row(ctx, "parent_version", d.ID, d.Digest).Scan(&content)
	if err == nil {
		err = json.Unmarshal([]byte(content), &c)
	}
	if err != nil {
		return c, fmt.Errorf("version %.12s of %s: %w", d.Digest, d.ID, err)
	}
	return c, nil
}

// forgetParent erases the version that a record of here adapted, when it was the
// last one that adapts it.
func (tx *Tx) forgetParent(ctx context.Context, rid int64, d *essaim.Derivation) error {
	if d == nil {
		return nil
	}
	return tx.later(ctx, "parent_version_drop", d.ID, d.Digest, rid)
}

// Claim is how far an adaptation is acknowledged; empty when nobody was asked,
// or none of it is known here.
func (s *Store) Claim(ctx context.Context, child string) (essaim.ClaimState, error) {
	var state essaim.ClaimState
	err := s.query().row(ctx, "adaptation_state", child).Scan((*string)(&state))
	if err != nil && !errors.Is(err, essaim.ErrNotFound) {
		return "", fmt.Errorf("claim of %s: %w", child, err)
	}
	return state, nil
}

// Branches lists up to n published adaptations of any of some records, latest
// change first.
func (s *Store) Branches(ctx context.Context, parents []string, n int) ([]essaim.Branch, error) {
	ids, err := json.Marshal(parents)
	if err != nil {
		return nil, err
	}
	all, err := list(ctx, s.query(), func(scan scanFunc) (b essaim.Branch, err error) {
		r := &b.Record
		err = scan(&b.Parent, &r.ID, (*string)(&r.Kind), &r.Slug, &r.Origin, &r.Title, &r.TerritoryName, moment{&r.Published}, (*string)(&b.Claim))
		return b, err
	}, "branches", string(ids), n)
	if err != nil {
		return nil, fmt.Errorf("adaptations of %d records: %w", len(parents), err)
	}
	return all, nil
}

// offer tells the origin of what a record adapts that it was adapted, at each
// publication, and daily (OfferAgain), until it is acknowledged: an origin that
// follows us only later answers the next one (replication.md, "Lineage between
// territories").
func (tx *Tx) offer(ctx context.Context, e *entry, p *publication) error {
	d := e.DerivedFrom
	if d == nil || p == nil || p.silent || p.verb == essaim.VerbDelete {
		return nil
	}
	var state string
	err := tx.row(ctx, "adaptation_state", e.ID).Scan(&state)
	if err != nil && !errors.Is(err, essaim.ErrNotFound) {
		return err
	}
	if essaim.ClaimState(state) == essaim.ClaimAcknowledged {
		return nil
	}
	return tx.offerToOrigin(ctx, e)
}

func (tx *Tx) offerToOrigin(ctx context.Context, e *entry) error {
	d, now := e.DerivedFrom, tx.s.now()
	parent, ok, err := tx.locked(ctx, d.ID)
	if err != nil {
		return err
	}
	if ok && parent.Origin == "" {
		// Both are ours: there is nobody to ask.
		return tx.later(ctx, "adaptation_offer", e.ID, d.ID, e.Territory, "", string(essaim.ClaimAcknowledged), micros(now))
	}
	if authority(d.AttributedTo) != authority(d.ID) {
		return nil // not of whom it is said to be
	}
	offer, err := tx.tellPeer(ctx, essaim.Told{Verb: "Offer", Actor: e.Territory, Object: d.ID, Subject: e.ID, Author: d.AttributedTo, At: now}, e.ID)
	if err != nil || offer == "" {
		return err
	}
	return tx.later(ctx, "adaptation_offer", e.ID, d.ID, d.AttributedTo, offer, string(essaim.ClaimOffered), micros(now))
}

const (
	offerEvery     = 24 * time.Hour
	offersTogether = 50
)

// OfferAgain offers the adaptations made here once more, daily until their origin
// answers: an Offer that was taken, or the answer to it, may have been lost since,
// and who knew no way to the origin may know one now.
func (s *Store) OfferAgain(ctx context.Context) error {
	type open struct {
		rid int64
		id  string
	}
	for after, more := int64(0), true; more; {
		page, err := list(ctx, s.query(), func(scan scanFunc) (o open, err error) {
			err = scan(&o.rid, &o.id)
			return o, err
		}, "adaptations_open", after, micros(s.now().Add(-offerEvery)), offersTogether)
		if err == nil && len(page) > 0 {
			after = page[len(page)-1].rid
			err = s.write(ctx, patient, func(tx *Tx) error {
				for _, o := range page {
					e, ok, err := tx.locked(ctx, o.id)
					if err == nil && ok && e.State == essaim.StatePublished && e.DerivedFrom != nil {
						err = tx.offerToOrigin(ctx, &e)
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err != nil {
			return fmt.Errorf("offers of adaptations: %w", err)
		}
		more = len(page) == offersTogether
	}
	return nil
}

// acknowledge lists an adaptation made by a node that we follow: what others
// claim is shown nowhere here. One that is not held yet waits for its record,
// which its Offer may overtake; see settleClaim.
func (tx *Tx) acknowledge(ctx context.Context, e essaim.Acknowledge, now time.Time) (outcome, error) {
	// The child first, as when it is stored.
	child, held, err := tx.locked(ctx, e.Child)
	if err != nil {
		return did, err
	}
	parent, ok, err := tx.adapted(ctx, e.Parent)
	if err != nil || !ok {
		return nothing("not a published record of ours"), err
	}
	state := ""
	err = tx.row(ctx, "peer_state", authority(e.Child)).Scan(&state)
	if err != nil && !errors.Is(err, essaim.ErrNotFound) {
		return did, err
	}
	if essaim.PeerState(state) != essaim.PeerFollowed {
		return nothing("its node is not followed"), nil
	}
	gone, err := tx.found(ctx, "tombstone_stands", e.Child)
	if err != nil {
		return did, err
	}
	if gone {
		return nothing("deleted before"), nil
	}
	if !held {
		n, err := tx.exec(ctx, "adaptation_offer", e.Child, e.Parent, e.Actor, e.Offer, string(essaim.ClaimWaiting), micros(now))
		if err == nil && n == 0 {
			return nothing("offered otherwise before"), nil
		}
		return did, err
	}
	if child.Origin == "" || !derives(&child.Record, e.Parent, e.Actor) {
		return nothing("it does not say that it comes from it"), nil
	}
	if !lawful(&parent.Record, &child.Record) {
		return nothing("its licence is none that the record's allows"), nil
	}
	if err := tx.later(ctx, "adaptation_list", e.Child, e.Parent, e.Actor, e.Offer, micros(now)); err != nil {
		return did, err
	}
	return did, tx.enqueue(ctx, "Accept", e.Accept, now)
}

// derives tells whether a record says that its territory adapted another.
func derives(child *essaim.Record, parent, territory string) bool {
	d := child.DerivedFrom
	return child.State == essaim.StatePublished && d != nil && d.ID == parent && child.Territory == territory
}

// lawful tells whether an adaptation is under a licence that the terms of the version
// adapted allow. Of an older version its licence is believed: what was given under
// one stays so.
func lawful(parent, child *essaim.Record) bool {
	d, under := child.DerivedFrom, parent.Licence
	if d.Digest != parent.ContentDigest {
		under = d.Licence
	}
	return essaim.MayAdaptUnder(under, child.Licence)
}

// adapted tells whether a record is one of ours that adaptations are listed of.
// It is locked, for places in its collection are taken one after the other.
func (tx *Tx) adapted(ctx context.Context, id string) (entry, bool, error) {
	parent, ok, err := tx.locked(ctx, id)
	return parent, ok && parent.Origin == "" && parent.State == essaim.StatePublished, err
}

// settleClaim looks again at what was offered of a record from elsewhere, now
// that a version of it is held: what waited for it is listed and answered, what
// it does not say, or says no more, is forgotten.
func (tx *Tx) settleClaim(ctx context.Context, r *essaim.Record, now time.Time) error {
	var parent, actor, offer, state string
	err := tx.row(ctx, "adaptation_claim", r.ID).Scan(&parent, &actor, &offer, &state)
	if errors.Is(err, essaim.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	node, err := tx.knownNode(ctx)
	if err != nil {
		return err
	}
	if authority(parent) != authority(node.BaseURL) && derives(r, parent, actor) {
		return nil // between two others; see NoteAcknowledged
	}
	ours, ok, err := tx.adapted(ctx, parent)
	switch {
	case err != nil:
		return err
	case !ok || !derives(r, parent, actor) || !lawful(&ours.Record, r):
		return tx.later(ctx, "adaptations_erase_child", r.ID)
	case essaim.ClaimState(state) != essaim.ClaimWaiting:
		return nil
	}
	if err := tx.later(ctx, "adaptation_list", r.ID, parent, actor, offer, micros(now)); err != nil {
		return err
	}
	_, err = tx.tellPeer(ctx, essaim.Told{Verb: "Accept", Actor: ours.Territory, Object: offer, Author: actor, At: now}, parent+" "+r.ID)
	return err
}

// tellPeer makes and queues an activity for its author of the object, and gives
// its id: none when no node that we know answers for that author.
func (tx *Tx) tellPeer(ctx context.Context, told essaim.Told, order string) (string, error) {
	var inbox string
	err := tx.row(ctx, "peer_inbox", authority(told.Author)).Scan(&inbox)
	if errors.Is(err, essaim.ErrNotFound) || err == nil && inbox == "" {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if tx.s.cfg.Tell == nil {
		return "", fmt.Errorf("nothing makes activities: %w", essaim.ErrUnavailable)
	}
	node, err := tx.knownNode(ctx)
	if err != nil {
		return "", err
	}
	told.ID = node.BaseURL + "/activities/" + tx.s.cfg.NewID()
	body, err := tx.s.cfg.Tell(told)
	if err != nil {
		return "", err
	}
	return told.ID, tx.enqueue(ctx, told.Verb, essaim.Outgoing{
		ActivityID: told.ID, Actor: told.Actor, Receiver: told.Author, Inbox: inbox, OrderKey: order, Body: body,
	}, told.At)
}

func (tx *Tx) offerAnswered(ctx context.Context, e essaim.OfferAnswer) (outcome, error) {
	state := essaim.ClaimRefused
	if e.Accepted {
		state = essaim.ClaimAcknowledged
	}
	n, err := tx.exec(ctx, "adaptation_answered", e.Offer, e.Actor, string(state))
	if err == nil && n == 0 {
		return nothing("no such offer of ours"), nil
	}
	return did, err
}
