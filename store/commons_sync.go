// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"essaim"
)

// CommonsProgress is how far the commons of a node are read; essaim.ErrNotFound
// for one that never were.
func (s *Store) CommonsProgress(ctx context.Context, host string) (essaim.CommonsProgress, error) {
	p, err := scanProgress(s.query().row(ctx, "sync_of", host).Scan)
	if err != nil {
		return essaim.CommonsProgress{Host: host}, fmt.Errorf("commons of %s: %w", host, err)
	}
	return p, nil
}

// CommonsProgresses is that of all nodes, by host.
func (s *Store) CommonsProgresses(ctx context.Context) (map[string]essaim.CommonsProgress, error) {
	all, err := list(ctx, s.query(), scanProgress, "sync_all")
	if err != nil {
		return nil, fmt.Errorf("commons of others: %w", err)
	}
	by := make(map[string]essaim.CommonsProgress, len(all))
	for _, p := range all {
		by[p.Host] = p
	}
	return by, nil
}

func scanProgress(scan scanFunc) (p essaim.CommonsProgress, err error) {
	var kept string
	err = scan(&p.Host, &p.Cursor.Incarnation, &p.Cursor.N, &p.Tag, &p.Items, &p.Total, &p.Pages, &p.Bytes,
		moment{&p.StartedAt}, stamp{&p.DoneAt}, stamp{&p.CheckedAt}, moment{&p.NextAt}, &p.Reason,
		moment{&p.NextCompared}, stamp{&p.ComparedAt}, &p.Differences, &p.Mended, &kept, &p.Refused, &p.Refusal)
	p.Kept = strings.Fields(kept)
	return p, err
}

// commonsLease is for how long a reading is its process's alone after each page
// that it takes.
const commonsLease = time.Minute

// DueCommons claims up to n nodes that are followed and whose commons are to be
// read now, those that wait longest first. No other process gets them until the
// reading is noted, or takes no page for a minute.
func (s *Store) DueCommons(ctx context.Context, n int) ([]string, error) {
	return s.claimHosts(ctx, "sync_due", "sync_claim", commonsLease, n)
}

// DueErasures claims, as DueCommons does, nodes that are followed no more and of
// which copies are held, whose deletions are to be read now.
func (s *Store) DueErasures(ctx context.Context, n int) ([]string, error) {
	return s.claimHosts(ctx, "erasures_due", "sync_claim", commonsLease, n)
}

// claimHosts claims up to n hosts that a statement says are due, by another.
func (s *Store) claimHosts(ctx context.Context, due, claim string, lease time.Duration, n int) (claimed []string, err error) {
	now := s.now()
	hosts, err := list(ctx, s.query(), only[string], due, instant(now), n)
	if err == nil && len(hosts) > 0 {
		err = s.write(ctx, patient, func(tx *Tx) error {
			claimed = nil
			for _, host := range hosts {
				n, err := tx.exec(ctx, claim, host, instant(now.Add(lease)), instant(now))
				if err != nil {
					return err
				}
				if n > 0 {
					claimed = append(claimed, host)
				}
			}
			return nil
		})
	}
	if err != nil {
		return nil, fmt.Errorf("%s: hosts that are due: %w", due, err)
	}
	return claimed, nil
}

// pushedReadAfter is when the commons of a node are read at the latest after a change
// that it pushed: until then nobody holds the head that it moved, and nobody could
// tell the node that its disk was put back behind it.
const pushedReadAfter = 2 * time.Minute

// pushed makes the commons of a node due soon after a change that it pushed.
func (tx *Tx) pushed(ctx context.Context, e essaim.Effect, now time.Time) error {
	host := ""
	switch e := e.(type) {
	case essaim.Replicate:
		host = e.Record.Origin
	case essaim.Erase:
		host = authority(e.ID)
	case essaim.SaveActor:
		host = authority(e.Actor.ID)
	}
	if host == "" || tx.soon[host] {
		return nil
	}
	if tx.soon == nil {
		tx.soon = map[string]bool{}
	}
	tx.soon[host] = true
	return tx.later(ctx, "sync_soon", host, instant(now.Add(pushedReadAfter)))
}

// WakeCommons makes the commons of all nodes due by a time, which may be now.
func (s *Store) WakeCommons(ctx context.Context, by time.Time) error {
	err := s.write(ctx, patient, func(tx *Tx) error {
		_, err := tx.exec(ctx, "sync_wake", instant(by))
		return err
	})
	if err != nil {
		return fmt.Errorf("commons of others: %w", err)
	}
	return nil
}

// SaveCommonsProgress notes how far a reading is, which ends here; another process
// may do the next.
func (s *Store) SaveCommonsProgress(ctx context.Context, p essaim.CommonsProgress) error {
	if err := s.write(ctx, patient, func(tx *Tx) error { return tx.saveProgress(ctx, p, time.Time{}, nil) }); err != nil {
		return fmt.Errorf("commons of %s: %w", p.Host, err)
	}
	return nil
}

func (tx *Tx) saveProgress(ctx context.Context, p essaim.CommonsProgress, until time.Time, refused []string) error {
	first := ""
	if len(refused) > 0 {
		first = refused[0]
	}
	return tx.later(ctx, "sync_save", p.Host, p.Cursor.Incarnation, p.Cursor.N, p.Tag, p.Items, p.Total, p.Pages, p.Bytes,
		instant(p.StartedAt), micros(p.DoneAt), micros(p.CheckedAt), instant(p.NextAt), p.Reason,
		instant(until), len(refused), first)
}

// ApplyCommons writes what a page of a node's commons comes to and the progress
// that it makes, in one transaction: after a crash the reading goes on at a page
// that was taken whole or not at all. It tells why effects came to nothing, by
// the index of their item. An item that cannot be written is left out and told
// too; only an error of the database is one of the page. Refused items are counted.
func (s *Store) ApplyCommons(ctx context.Context, items []essaim.CommonsTaken, p essaim.CommonsProgress) (why map[int]string, err error) {
	return s.take(ctx, p.Host, items, func(tx *Tx, refused []string) error {
		return tx.saveProgress(ctx, p, tx.s.now().Add(commonsLease), refused)
	})
}

// TakeCopies is ApplyCommons for items of a host that were asked for by themselves:
// the progress of its reading, which may go on meanwhile, is left alone.
func (s *Store) TakeCopies(ctx context.Context, host string, items []essaim.CommonsTaken) (why map[int]string, err error) {
	return s.take(ctx, host, items, func(*Tx, []string) error { return nil })
}

// take writes what items come to; then notes it in the same transaction.
func (s *Store) take(ctx context.Context, host string, items []essaim.CommonsTaken, then func(tx *Tx, refused []string) error) (why map[int]string, err error) {
	bad := map[int]string{}
	for ahead := true; ; {
		at, asking := -1, false
		err = s.write(ctx, patient, func(tx *Tx) error {
			at, why = -1, map[int]string{}
			if err := tx.lockObjects(ctx, objectsOf([]essaim.Applied{{Effects: flatten(items)}})); err != nil {
				return err
			}
			if asking = ahead; asking {
				if err := tx.r.ahead(ctx, takenAsked(items)); err != nil {
					return err
				}
				asking = false
			}
			now := tx.s.now()
			authors := map[string]essaim.Standing{}
			var refused []string
			refuse := func(item essaim.CommonsTaken, reason string) {
				refused = append(refused, item.ID+": "+reason)
			}
			for i, item := range items {
				if reason := cmp.Or(item.Refused, bad[i]); reason != "" {
					refuse(item, reason)
					continue
				}
				st, known := authors[item.Actor]
				if !known && len(item.Effects) > 0 {
					var err error
					if st, err = tx.standing(ctx, item.Actor); err != nil {
						return err
					}
					authors[item.Actor] = st
				}
				for _, e := range item.Effects {
					if st.Blocked && !takesBack(e) {
						why[i] = blockedMeanwhile
						refuse(item, blockedMeanwhile)
						continue
					}
					out, err := tx.effect(ctx, e, st, now)
					if err != nil {
						at = i
						return err
					}
					if out.nothing != "" {
						why[i] = out.nothing
					}
					if out.newer {
						if err := tx.eraseOlder(ctx, objectOf(e), 0); err != nil {
							at = i
							return err
						}
					}
				}
			}
			at = -1
			return then(tx, refused)
		})
		if asking && err != nil && !errors.Is(err, essaim.ErrUnavailable) && ctx.Err() == nil {
			ahead = false // one of them cannot be asked: which shows when they are asked one by one
			continue
		}
		if err == nil || at < 0 || errors.Is(err, essaim.ErrUnavailable) || ctx.Err() != nil {
			break
		}
		bad[at] = err.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("commons of %s: %w", host, err)
	}
	for i, reason := range bad {
		why[i] = reason
	}
	return why, nil
}

// takenAsked are the questions that the records among items will ask, each in its
// turn. Of what is there twice the first changes the answers for the other.
func takenAsked(items []essaim.CommonsTaken) (list []question) {
	times := map[string]int{}
	for _, e := range flatten(items) {
		times[objectOf(e)]++
	}
	authors := map[string]bool{}
	for _, item := range items {
		if item.Refused != "" || len(item.Effects) == 0 {
			continue
		}
		if !authors[item.Actor] {
			authors[item.Actor] = true
			list = append(list, standingAsked(item.Actor))
		}
		for _, e := range item.Effects {
			if e, ok := e.(essaim.Replicate); ok && times[e.Record.ID] == 1 {
				list = append(list, replicaAsked(e)...)
			}
		}
	}
	return list
}

func flatten(items []essaim.CommonsTaken) (all []essaim.Effect) {
	for _, item := range items {
		all = append(all, item.Effects...)
	}
	return all
}

// takeActor keeps an actor's document that was sent, or read in the commons of its
// node, unless a newer one is held: by what the documents say, for an older one may
// come later. What its home shows when it is asked is not held to that.
func (tx *Tx) takeActor(ctx context.Context, e essaim.SaveActor) (outcome, error) {
	const older = "a newer copy of the actor is held"
	if held, err := tx.holdsCopy(ctx, e.Actor.ID, e.CopyDigest); err != nil || held {
		return nothing("held already"), err
	}
	var updated int64
	var document []byte
	err := tx.row(ctx, "actor_version", e.Actor.ID).Scan(&updated, &document)
	if err != nil && !errors.Is(err, essaim.ErrNotFound) {
		return did, err
	}
	if at := instant(e.Actor.Updated); at != 0 && at < updated {
		return outcome{nothing: older, erase: true}, nil
	}
	changed, err := tx.saveActor(ctx, e.Actor)
	if err == nil && (changed || bytes.Equal(document, e.Actor.Document) || updated != 0 && instant(e.Actor.Updated) == updated) {
		err = tx.enlistActor(ctx, e)
	}
	if err == nil && !changed {
		return nothing(older), nil
	}
	return outcome{newer: changed}, err
}

// enlistActor notes the document of an actor that stands in the commons of a node
// that is followed: of one that writes, and signs what it says of itself.
func (tx *Tx) enlistActor(ctx context.Context, e essaim.SaveActor) error {
	a := &e.Actor
	if e.CopyDigest == "" || a.Type != "Organization" && a.Type != "Person" {
		return nil
	}
	host := authority(a.ID)
	var state essaim.PeerState
	err := tx.row(ctx, "peer_state", host).Scan((*string)(&state))
	if errors.Is(err, essaim.ErrNotFound) || err == nil && state != essaim.PeerFollowed && state != essaim.PeerRequested {
		return nil
	}
	if err != nil {
		return err
	}
	return tx.enlistCopy(ctx, host, &listing{id: a.ID, sort: sortActor, digest: e.CopyDigest, document: a.Document})
}
