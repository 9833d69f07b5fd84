// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
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
		moment{&p.NextCompared}, stamp{&p.ComparedAt}, &p.Differences, &p.Mended, &kept)
	p.Kept = strings.Fields(kept)
	return p, err
}

// DueCommons lists up to n nodes that are followed and whose commons are to be
// read now, those that wait longest first.
func (s *Store) DueCommons(ctx context.Context, n int) ([]string, error) {
	hosts, err := list(ctx, s.query(), only[string], "sync_due", instant(s.now()), n)
	if err != nil {
		return nil, fmt.Errorf("commons that are due: %w", err)
	}
	return hosts, nil
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

// SaveCommonsProgress notes how far a reading is.
func (s *Store) SaveCommonsProgress(ctx context.Context, p essaim.CommonsProgress) error {
	if err := s.write(ctx, patient, func(tx *Tx) error { return tx.saveProgress(ctx, p) }); err != nil {
		return fmt.Errorf("commons of %s: %w", p.Host, err)
	}
	return nil
}

func (tx *Tx) saveProgress(ctx context.Context, p essaim.CommonsProgress) error {
	return tx.later(ctx, "sync_save", p.Host, p.Cursor.Incarnation, p.Cursor.N, p.Tag, p.Items, p.Total, p.Pages, p.Bytes,
		instant(p.StartedAt), micros(p.DoneAt), micros(p.CheckedAt), instant(p.NextAt), p.Reason)
}

// ApplyCommons writes what a page of a node's commons comes to and the progress
// that it makes, in one transaction: after a crash the reading goes on at a page
// that was taken whole or not at all. It tells why effects came to nothing, by
// the index of their item. An item that cannot be written is left out and told
// too; only an error of the database is one of the page.
func (s *Store) ApplyCommons(ctx context.Context, items [][]essaim.Effect, p essaim.CommonsProgress) (why map[int]string, err error) {
	bad := map[int]string{}
	for {
		at := -1
		err = s.write(ctx, patient, func(tx *Tx) error {
			at, why = -1, map[int]string{}
			if err := tx.lockObjects(ctx, objectsOf([]essaim.Applied{{Effects: flatten(items)}})); err != nil {
				return err
			}
			now := tx.s.now()
			st, err := tx.standing(ctx, "https://"+p.Host+"/")
			if err != nil {
				return err
			}
			for i, effects := range items {
				if bad[i] != "" {
					continue
				}
				for _, e := range effects {
					if st.Blocked && !takesBack(e) {
						why[i] = blockedMeanwhile
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
				}
			}
			at = -1
			return tx.saveProgress(ctx, p)
		})
		if err == nil || at < 0 || errors.Is(err, essaim.ErrUnavailable) || ctx.Err() != nil {
			break
		}
		bad[at] = err.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("commons of %s: %w", p.Host, err)
	}
	for i, reason := range bad {
		why[i] = reason
	}
	return why, nil
}

func flatten(items [][]essaim.Effect) (all []essaim.Effect) {
	for _, effects := range items {
		all = append(all, effects...)
	}
	return all
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
