// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"essaim"
)

// WithdrawHere withdraws a record on a founded request, whoever its origin is: one
// of this node as WithdrawRecord does, one of another by a local tombstone, which is
// offered to the nodes that are followed. address is its id, or that of its page
// here or at its origin. by is the moderator's account, 0 for the command line. What
// is withdrawn already is essaim.ErrConflict, what is not known essaim.ErrNotFound.
func (s *Store) WithdrawHere(ctx context.Context, address string, by int64, reason string) (essaim.ItemDetail, error) {
	var d essaim.ItemDetail
	err := s.write(ctx, urgent, func(tx *Tx) error {
		id, err := tx.addressed(ctx, address)
		if err != nil {
			return err
		}
		e, ok, err := tx.locked(ctx, id)
		switch {
		case err != nil:
			return err
		case !ok || e.State != essaim.StatePublished && e.State != essaim.StateWithdrawn:
			return essaim.ErrNotFound
		case e.State == essaim.StateWithdrawn:
			return fmt.Errorf("withdrawn already: %w", essaim.ErrConflict)
		}
		i, err := tx.withdrawalItem(ctx, e.ID, reason)
		if err != nil {
			return err
		}
		p, err := tx.withdrawHere(ctx, e, reason)
		if err != nil {
			return err
		}
		err = tx.journal(ctx, essaim.Decision{
			Account: by, Action: string(essaim.ItemWithdraw), Kind: string(essaim.ItemWithdrawal), Subject: e.ID,
			Before: string(i.State), After: string(essaim.ItemAccepted), Reason: reason,
		})
		if err != nil {
			return err
		}
		if err := tx.number(ctx, p...); err != nil {
			return err
		}
		if err := tx.flush(ctx); err != nil {
			return err
		}
		d, err = tx.itemDetail(ctx, i.N)
		return err
	})
	if err != nil {
		return d, fmt.Errorf("withdraw %s: %w", address, err)
	}
	return d, nil
}

// withdrawalItem is the item of a withdrawal, accepted; its state is the one before.
func (tx *Tx) withdrawalItem(ctx context.Context, id, reason string) (essaim.Item, error) {
	i, err := scanItem(tx.row(ctx, "item_by_ref", string(essaim.ItemWithdrawal), id).Scan)
	if err == nil {
		_, err = tx.exec(ctx, "item_renew", i.N, string(essaim.ItemAccepted), excerpt(reason))
		return i, err
	}
	if !errors.Is(err, essaim.ErrNotFound) {
		return i, err
	}
	i = essaim.Item{Kind: essaim.ItemWithdrawal, Ref: id, State: essaim.ItemAccepted, About: id, Excerpt: reason, ReceivedAt: tx.s.now()}
	i.N, err = tx.addItem(ctx, i)
	i.State = ""
	return i, err
}

// addressed finds the id of what an address names: an id, or a page.
func (tx *Tx) addressed(ctx context.Context, address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("no address: %w", essaim.ErrInvalid)
	}
	e, err := tx.entry(ctx, "record_by_id", address)
	if err == nil || !errors.Is(err, essaim.ErrNotFound) {
		return e.ID, err
	}
	node, err := tx.knownNode(ctx)
	if err != nil {
		return "", err
	}
	path := strings.Split(strings.Trim(u.Path, "/"), "/")
	switch here := authority(node.BaseURL) == authority(address); {
	case here && len(path) == 3 && path[0] == "ailleurs":
		e, err = tx.entry(ctx, "record_by_origin_slug", path[1], path[2])
	case here && len(path) == 2:
		for _, k := range essaim.Kinds() {
			if k.Path == path[0] {
				e, err = tx.entry(ctx, "record_by_slug", string(k.Kind), "", path[1])
				return e.ID, err
			}
		}
		return "", essaim.ErrNotFound
	case !here && len(path) == 2:
		// Its page at its origin mostly has the slug that is held.
		if e, err = tx.entry(ctx, "record_by_origin_slug", authority(address), path[1]); err == nil && e.URL != address {
			return "", essaim.ErrNotFound
		}
	default:
		return "", essaim.ErrNotFound
	}
	return e.ID, err
}

// withdrawHere erases a published record: what it gives is to be numbered.
func (tx *Tx) withdrawHere(ctx context.Context, e entry, reason string) ([]*publication, error) {
	if e.Origin == "" {
		return tx.withdraw(ctx, &e, false)
	}
	digest := e.ContentDigest
	if err := tx.withdrawReplica(ctx, &e); err != nil {
		return nil, err
	}
	return nil, tx.offerWithdrawal(ctx, e.ID, digest, reason)
}

// withdrawReplica erases a record of another territory and leaves the local
// tombstone.
func (tx *Tx) withdrawReplica(ctx context.Context, e *entry) error {
	now := tx.s.now()
	digest := e.ContentDigest
	e.State, e.Content = essaim.StateWithdrawn, blank(e.Kind)
	e.document, e.ContentDigest, e.CopyDigest = nil, "", ""
	if now.After(e.Updated) {
		e.Updated = now
	}
	if err := tx.eraseBeside(ctx, e); err != nil {
		return err
	}
	if err := tx.eraseRaw(ctx, e.ID); err != nil {
		return err
	}
	// Its line stays, with the digest that its origin lists: the two are not
	// different because one is not shown.
	if err := tx.later(ctx, "commons_withdraw", e.ID); err != nil {
		return err
	}
	err := tx.noteErasure(ctx, essaim.Erasure{Sort: essaim.ErasedHere, Ref: e.ID, At: now, ErasureDetail: essaim.ErasureDetail{Origin: e.Origin, Digest: digest}})
	if err != nil {
		return err
	}
	return tx.later(ctx, "withdrawal_add", e.ID, e.Origin, digest, micros(now))
}

// offerWithdrawal tells the nodes that are followed, the origin among them, what is
// withdrawn here and why. What they do is their moderators' to decide.
func (tx *Tx) offerWithdrawal(ctx context.Context, id, digest, reason string) error {
	node, err := tx.nodeActor(ctx)
	if err != nil || tx.s.cfg.Tell == nil {
		return err
	}
	peers, err := list(ctx, tx, only[string], "peer_actors")
	if err != nil {
		return err
	}
	for _, peer := range peers {
		_, err := tx.tellPeer(ctx, essaim.Told{
			Verb: "Flag", Actor: node, Object: id, Author: peer, Digest: digest, Text: reason, At: tx.s.now(),
		}, id)
		if err != nil {
			return err
		}
	}
	return nil
}

// withdrawnAgain keeps out what brings a record again that is withdrawn here, and
// notes the copy digest that its origin lists from now on.
func (tx *Tx) withdrawnAgain(ctx context.Context, id, copyDigest string) (outcome, error) {
	return outcome{nothing: "withdrawn here", erase: true}, tx.later(ctx, "commons_withdrawn", id, copyDigest)
}

// decideWithdrawal lifts a withdrawal, or makes it stand again.
func (tx *Tx) decideWithdrawal(ctx context.Context, i essaim.Item, next essaim.ItemState) error {
	if next != essaim.ItemAccepted {
		return tx.lift(ctx, i.Ref)
	}
	e, ok, err := tx.locked(ctx, i.Ref)
	if err != nil || !ok || e.State != essaim.StatePublished {
		return errors.Join(err, fmt.Errorf("it is not held: %w", essaim.ErrConflict))
	}
	return tx.withdrawReplica(ctx, &e)
}

// lift ends a withdrawal. The record is fetched again: with it goes the line of the
// digest tree, so that the next comparison, which is due now, finds it missing. One
// that its origin deleted meanwhile stays gone.
func (tx *Tx) lift(ctx context.Context, id string) error {
	e, ok, err := tx.locked(ctx, id)
	switch {
	case err != nil:
		return err
	case ok && e.Origin == "":
		return fmt.Errorf("it is of this node, and its tombstone is published: %w", essaim.ErrForbidden)
	}
	if err := tx.noteErasure(ctx, essaim.Erasure{Sort: essaim.ErasureLifted, Ref: id}); err != nil {
		return err
	}
	if err := tx.later(ctx, "withdrawal_remove", id); err != nil {
		return err
	}
	gone, err := tx.found(ctx, "tombstone_stands", id)
	if err != nil || gone {
		return err
	}
	if ok { // else it was withdrawn before a restore, and did not come back
		if err := tx.deleteRow(ctx, e.rid); err != nil {
			return err
		}
	}
	if err := tx.later(ctx, "commons_lift", id); err != nil {
		return err
	}
	if err := tx.later(ctx, "compare_put_off", authority(id), int64(0)); err != nil {
		return err
	}
	tx.wake()
	return nil
}

// Withdrawal is the local tombstone of a record; essaim.ErrNotFound without one.
func (s *Store) Withdrawal(ctx context.Context, id string) (w essaim.Withdrawal, err error) {
	w.ID = id
	if err = s.query().row(ctx, "withdrawal_of", id).Scan(&w.Origin, &w.Digest, stamp{&w.At}, &w.Item); err != nil {
		return w, fmt.Errorf("withdrawal of %s: %w", id, err)
	}
	return w, nil
}

// WithdrawnHere lists the records of a host that are withdrawn here.
func (s *Store) WithdrawnHere(ctx context.Context, host string) (map[string]bool, error) {
	ids, err := list(ctx, s.query(), only[string], "withdrawals_of", host)
	if err != nil {
		return nil, fmt.Errorf("withdrawals of %s: %w", host, err)
	}
	here := make(map[string]bool, len(ids))
	for _, id := range ids {
		here[id] = true
	}
	return here, nil
}
