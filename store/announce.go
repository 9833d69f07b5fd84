// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"essaim"
)

// How feeds announce (vocabulary.md): at once, unless more than busyHour records
// are published in an hour; then, and what waited longer than fresh, one each
// spacing.
const (
	busyHour         = 20
	spacing          = 3 * time.Minute
	fresh            = time.Minute
	announceTogether = 16  // in a transaction
	announceLooked   = 200 // announces that are due, oldest first
)

// verbAnnounce is the type of an announce, as an event's.
const verbAnnounce essaim.Verb = "Announce"

// announce plans the announces of a publication: by the node's own actor and all
// feeds at the first, by the feeds of themes that were added at another.
func (tx *Tx) announce(ctx context.Context, e *entry, p *publication, feeds []announcer) error {
	now := tx.s.now()
	if p.verb == essaim.VerbCreate {
		node, err := tx.nodeActor(ctx)
		if err != nil {
			return err
		}
		// Those of its followers that get the activity itself need no announce.
		if err := tx.later(ctx, "announce_add", node, e.ID, micros(now), micros(now), takesAnnounce); err != nil {
			return err
		}
	}
	for _, f := range feeds {
		if p.verb != essaim.VerbCreate && (f.kind != essaim.ActorTheme || e.was[f.feed]) {
			continue
		}
		due, err := tx.announceAt(ctx, f.id, now)
		if err != nil {
			return err
		}
		if err := tx.later(ctx, "announce_add", f.id, e.ID, micros(due), micros(now), ""); err != nil {
			return err
		}
	}
	tx.wake()
	return nil
}

// announceAt is when a feed announces what is published now.
func (tx *Tx) announceAt(ctx context.Context, actor string, now time.Time) (time.Time, error) {
	var a essaim.LocalActor
	var profile string
	err := tx.row(ctx, "local_actor", actor).Scan(&a.Kind, &a.Subject, &profile, bit{&a.Gone}, stamp{&a.CreatedAt}, stamp{&a.UpdatedAt})
	if errors.Is(err, essaim.ErrNotFound) {
		return now, nil // made by this transaction
	}
	if err == nil {
		err = json.Unmarshal([]byte(profile), &a.Profile)
	}
	if err != nil || a.Profile.Weekly == "" {
		return now, err
	}
	return a.Profile.NextWeekly(now), nil
}

// Announce makes the activities of announces that are due, and returns how many
// it ended. One process does it at a time.
func (s *Store) Announce(ctx context.Context) (ended int, err error) {
	if due, err := list(ctx, s.query(), only[int], "announce_waiting", micros(s.now())); err != nil || len(due) == 0 {
		return 0, err
	}
	err = s.write(ctx, patient, func(tx *Tx) error {
		// Who fans out announces, one process at a time.
		var at int64
		var reached progress
		if err := tx.row(ctx, "dispatch_cursor").Scan(&at, &reached); err != nil {
			return err
		}
		ended, err = tx.announceDue(ctx)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("announce: %w", err)
	}
	return ended, nil
}

// due is an announce that may be made.
type due struct {
	actor, object string
	at            time.Time // of the publication
}

func (tx *Tx) announceDue(ctx context.Context) (int, error) {
	now := tx.s.now()
	actors, err := list(ctx, tx, only[string], "announce_actors", micros(now), announceLooked)
	if err != nil {
		return 0, err
	}
	node, err := tx.nodeActor(ctx)
	if err != nil {
		return 0, err
	}
	var lately int
	if err := tx.row(ctx, "announce_lately", node, micros(now.Add(-time.Hour)), busyHour+1).Scan(&lately); err != nil {
		return 0, err
	}
	var made []*publication
	ended := 0
	for _, actor := range actors {
		if ended >= announceTogether {
			break
		}
		batch, err := tx.dueOf(ctx, actor, now, actor != node && actor != tx.s.group, lately > busyHour)
		if err != nil {
			return 0, err
		}
		for _, d := range batch {
			p, err := tx.tellAnnounce(ctx, d, node, now)
			if err != nil {
				return 0, fmt.Errorf("%s by %s: %w", d.object, d.actor, err)
			}
			made = append(made, p)
			ended++
		}
	}
	return ended, tx.number(ctx, made...)
}

// dueOf is what an actor may announce now; what a feed may not yet is put off.
func (tx *Tx) dueOf(ctx context.Context, actor string, now time.Time, feed, busy bool) ([]due, error) {
	batch, err := list(ctx, tx, func(scan scanFunc) (due, error) {
		d := due{actor: actor}
		err := scan(&d.object, stamp{&d.at})
		return d, err
	}, "announce_next", actor, micros(now), announceTogether)
	if err != nil || len(batch) == 0 || !feed || !busy && now.Sub(batch[0].at) <= fresh {
		return batch, err
	}
	var last time.Time
	var at int64
	if err := tx.row(ctx, "announce_last", actor).Scan(&at); err != nil {
		return nil, err
	}
	if at != 0 {
		last = time.UnixMicro(at)
	}
	if next := last.Add(spacing); next.After(now) {
		_, err := tx.exec(ctx, "announce_put_off", actor, micros(next))
		return nil, err
	}
	return batch[:1], nil
}

// tellAnnounce makes one announce; nil when there is nothing to announce any
// more, or nobody to tell. It is dated by the first publication of its object, as
// the outbox shows it before it is sent: an id has one document.
func (tx *Tx) tellAnnounce(ctx context.Context, d due, node string, now time.Time) (*publication, error) {
	takes := ""
	if d.actor == node {
		takes = takesAnnounce
	}
	followed, err := tx.found(ctx, "follower_any", d.actor, takes)
	if err != nil {
		return nil, err
	}
	if !followed {
		return nil, tx.later(ctx, "announce_end", d.actor, d.object, "quiet", nil)
	}
	var rid int64
	told := essaim.Told{Verb: string(verbAnnounce), Actor: d.actor, Object: d.object}
	var p *publication
	err = tx.row(ctx, "announce_record", d.object).Scan(&rid, &told.Author, stamp{&told.At})
	switch {
	case errors.Is(err, essaim.ErrNotFound):
		p, err = tx.tellWhole(ctx, told)
	case err == nil:
		p, err = tx.tell(ctx, told, rid)
	}
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, tx.later(ctx, "announce_end", d.actor, d.object, "dropped", nil)
	}
	return p, tx.later(ctx, "announce_end", d.actor, d.object, "sent", micros(now))
}

// tell makes and keeps an activity about a record, or about an actor when rid is
// 0; nil for an Update that would tell nothing new.
func (tx *Tx) tell(ctx context.Context, told essaim.Told, rid int64) (*publication, error) {
	if tx.s.cfg.Tell == nil {
		return nil, fmt.Errorf("nothing makes activities: %w", essaim.ErrUnavailable)
	}
	node, err := tx.knownNode(ctx)
	if err != nil {
		return nil, err
	}
	if told.ID = essaim.AnnounceID(told.Actor, told.Object); told.Verb != string(verbAnnounce) {
		told.ID = node.BaseURL + "/activities/" + tx.s.cfg.NewID()
	}
	body, err := tx.s.cfg.Tell(told)
	if err != nil {
		return nil, err
	}
	if told.Was != nil {
		told.Is = told.Was
		same, err := tx.s.cfg.Tell(told)
		if err != nil || bytes.Equal(same, body) {
			return nil, err
		}
	}
	var of any
	if rid != 0 {
		of = rid
	}
	p := &publication{id: told.Object, verb: essaim.Verb(told.Verb), activity: told.ID, body: body, actor: told.Actor}
	return p, tx.later(ctx, "activity_insert", p.activity, told.Verb, p.actor, of, body, micros(tx.s.now()))
}
