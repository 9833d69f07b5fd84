// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"essaim"
)

// fanTogether is how many deliveries one dispatch transaction writes at most.
const fanTogether = 500

// event is a publication to be fanned out.
type event struct {
	n          int64
	activityID string
	actor      string
	orderKey   string
	verb       essaim.Verb
}

// audience is whose followers receive an event: those of actor and, but for
// those that take except, of node; no inbox that a follower of but has. With
// them, the followers of those that announced the object told.
type audience struct{ actor, node, except, but, told string }

// audience says who receives an event. What is published goes to the followers
// of who publishes it and to those of the node, of whom some read announces in
// its place (replication.md): to them goes the node's own announce, unless the
// same inbox gets the activity itself. Other announces are for an actor's own
// followers. Who was told of a record by an announce holds it: its changes and
// its end go there too.
func (e event) audience(node, territory string) audience {
	switch {
	case e.verb == verbAnnounce && e.actor == node:
		return audience{actor: node, node: node, except: "activity", but: territory}
	case e.verb == verbAnnounce:
		return audience{actor: e.actor, node: e.actor}
	case e.verb == essaim.VerbCreate:
		return audience{actor: e.actor, node: node, except: takesAnnounce}
	case e.verb == essaim.VerbUpdate || e.verb == essaim.VerbDelete:
		return audience{actor: e.actor, node: node, told: e.orderKey}
	}
	return audience{actor: e.actor, node: node}
}

// Dispatch takes up to n events after the cursor, in the order of their numbers,
// and writes one delivery for each distinct inbox of the event's audience:
// followers of its actor, of nodeActor, of who announced it. Deliveries and the cursor's move are one
// transaction; an event with more inboxes than one short transaction writes
// takes several, and the cursor keeps how far it is. It returns how many events
// it completed. One process dispatches at a time.
func (s *Store) Dispatch(ctx context.Context, nodeActor string, n int) (int, error) {
	if due, err := list(ctx, s.query(), only[int], "dispatch_due"); err != nil || len(due) == 0 {
		return 0, err
	}
	done := 0
	for done < n {
		var completed int
		var more bool
		err := s.write(ctx, patient, func(tx *Tx) error {
			var err error
			completed, more, err = tx.dispatch(ctx, nodeActor, n-done)
			return err
		})
		if err != nil {
			return done, fmt.Errorf("dispatch: %w", err)
		}
		done += completed
		if !more {
			break
		}
	}
	return done, nil
}

// dispatch fans out events until fanTogether rows are written. more tells that
// it stopped for that reason and not for want of events.
func (tx *Tx) dispatch(ctx context.Context, nodeActor string, n int) (completed int, more bool, err error) {
	var at int64
	var reached progress
	if err := tx.row(ctx, "dispatch_cursor").Scan(&at, &reached); err != nil {
		return 0, false, err
	}
	events, err := tx.events(ctx, at, n)
	if err != nil || len(events) == 0 {
		return 0, false, err
	}
	node, err := tx.knownNode(ctx)
	if err != nil {
		return 0, false, err
	}
	now, room := micros(tx.s.now()), int64(fanTogether)
	for _, e := range events {
		after := ""
		if reached.n == e.n {
			after = reached.inbox
		}
		to := e.audience(nodeActor, node.Territory.Actor)
		wrote, err := tx.exec(ctx, "dispatch_fan", e.n, now, to.actor, to.node, after, room, to.except, to.but, to.told)
		if err != nil {
			return 0, false, fmt.Errorf("event %d: %w", e.n, err)
		}
		if wrote > 0 {
			tx.wake()
		}
		if more = wrote == room; more {
			// There may be further inboxes: the next transaction goes on behind the last.
			reached.n = e.n
			if err := tx.row(ctx, "dispatch_reached", to.actor, to.node, after, room, to.except, to.but, to.told).Scan(&reached.inbox); err != nil {
				return 0, false, fmt.Errorf("event %d: %w", e.n, err)
			}
			break
		}
		if e.verb == essaim.VerbDelete && e.orderKey == e.actor {
			// It told them that it is gone: nobody follows it any more.
			if _, err := tx.exec(ctx, "follower_remove_local", e.actor); err != nil {
				return 0, false, err
			}
		}
		at, reached, room = e.n, progress{}, room-wrote
		completed++
	}
	_, err = tx.exec(ctx, "dispatch_move", at, reached.String())
	return completed, more, err
}

// progress is how far an event is that takes several transactions: the last
// inbox that has its delivery. It names the event, which may have been erased
// since.
type progress struct {
	n     int64
	inbox string
}

// String is how it is kept; empty for none.
func (p progress) String() string {
	if p.n == 0 {
		return ""
	}
	return strconv.FormatInt(p.n, 10) + " " + p.inbox
}

// Scan implements sql.Scanner.
func (p *progress) Scan(src any) error {
	text, ok := src.(string)
	if !ok {
		return fmt.Errorf("progress kept as %T", src)
	}
	*p = progress{}
	if text == "" {
		return nil
	}
	var n string
	var err error
	n, p.inbox, _ = strings.Cut(text, " ")
	p.n, err = strconv.ParseInt(n, 10, 64)
	return err
}

func (tx *Tx) events(ctx context.Context, after int64, n int) ([]event, error) {
	return list(ctx, tx, func(scan scanFunc) (e event, err error) {
		err = scan(&e.n, &e.activityID, &e.actor, &e.orderKey, &e.verb)
		return e, err
	}, "dispatch_next", after, n)
}
