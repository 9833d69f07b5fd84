// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"essaim"
)

// maxReported bounds the objects of one report.
const maxReported = 50

// Report stores a report by a person: essaim.ErrNotFound when none of its
// objects is published here.
func (s *Store) Report(ctx context.Context, r essaim.Report) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		out, err := tx.fileReport(ctx, essaim.FileReport{Report: r}, s.now())
		if err == nil && out.nothing != "" {
			err = fmt.Errorf("%s: %w", out.nothing, essaim.ErrNotFound)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// Receipt tells who reported what became of it.
func (s *Store) Receipt(ctx context.Context, id string) (r essaim.Receipt, err error) {
	err = s.read(ctx, func(tx *Tx) error {
		if err := tx.row(ctx, "receipt", id).Scan(&r.ID, (*string)(&r.State), moment{&r.ReceivedAt}); err != nil {
			return err
		}
		err := tx.row(ctx, "receipt_decision", id).Scan(moment{&r.DecidedAt}, &r.Reason)
		if errors.Is(err, essaim.ErrNotFound) {
			err = nil
		}
		return err
	})
	if err != nil {
		return r, fmt.Errorf("report %s: %w", id, err)
	}
	return r, nil
}

// fileReport keeps of what is reported the records and comments of this node, for a
// person those of other territories that it shows too, or when there are none its actors.
func (tx *Tx) fileReport(ctx context.Context, e essaim.FileReport, now time.Time) (outcome, error) {
	r := e.Report
	if known, err := tx.found(ctx, "report_known", r.ID); err != nil || known {
		return nothing("reported already"), err
	}
	var ours []string
	about := ""
	for _, id := range r.Objects[:min(len(r.Objects), maxReported)] {
		record := id
		shown := "published_here"
		if r.Withdrawn != "" || r.Host == "" {
			// A notice may be of any territory's record, and a reader reports what is read here.
			shown = "published_anywhere"
		}
		here, err := tx.found(ctx, shown, id)
		if err == nil && !here {
			err = tx.row(ctx, "comment_thread", id).Scan(&record)
			here = err == nil
			if errors.Is(err, essaim.ErrNotFound) {
				err = nil
			}
		}
		if err != nil {
			return did, err
		}
		if here && !slices.Contains(ours, id) {
			ours = append(ours, id)
			if about == "" {
				about = record
			}
		}
	}
	if len(ours) == 0 && len(e.Actors) > 0 {
		ours, about = e.Actors[:min(len(e.Actors), maxReported)], e.Actors[0]
	}
	if len(ours) == 0 {
		return nothing("reports nothing of ours"), nil
	}
	if text := []rune(r.Text); len(text) > essaim.MaxReport {
		r.Text = string(text[:essaim.MaxReport])
	}
	if r.Host != "" {
		objects, err := json.Marshal(ours)
		if err != nil {
			return did, err
		}
		if waits, err := tx.found(ctx, "report_waits", about, r.Host, string(objects)); err != nil || waits {
			return nothing("its server reported it already"), err
		}
		var waiting int
		if err := tx.row(ctx, "reports_held", r.Host, maxHeldReports).Scan(&waiting); err != nil || waiting >= maxHeldReports {
			return nothing("too many reports of its server wait"), err
		}
	}
	r.Objects = ours
	return did, tx.addReport(ctx, r, about, now)
}

// addReport writes a report, and the item that has moderators decide about it.
func (tx *Tx) addReport(ctx context.Context, r essaim.Report, about string, now time.Time) error {
	objects, err := json.Marshal(r.Objects)
	if err != nil {
		return err
	}
	n, err := tx.addItem(ctx, essaim.Item{
		Kind: essaim.ItemReport, Ref: r.ID, State: essaim.ItemHeld, About: about, Excerpt: strings.Join(strings.Fields(r.Text), " "), ReceivedAt: now,
	})
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, "report_add", r.ID, n, r.Host, r.Contact, string(objects), r.Text, micros(now), r.Withdrawn)
	return err
}

func (tx *Tx) report(ctx context.Context, id string) (*essaim.Report, error) {
	var r essaim.Report
	var objects string
	if err := tx.row(ctx, "report_by_id", id).Scan(&r.ID, &r.Host, &r.Contact, &objects, &r.Text, moment{&r.ReceivedAt}, &r.Withdrawn); err != nil {
		return nil, err
	}
	return &r, json.Unmarshal([]byte(objects), &r.Objects)
}

// uphold hides the comments that a report rightly is about, and withdraws here the
// records of others that a notice is about. One of this node is withdrawn by
// whoever may, on its page.
func (tx *Tx) uphold(ctx context.Context, i essaim.Item, by int64) error {
	r, err := tx.report(ctx, i.Ref)
	if err != nil {
		return err
	}
	for _, id := range r.Objects {
		if r.Withdrawn != "" {
			if err := tx.withdrawAsTold(ctx, id, r, i, by); err != nil {
				return err
			}
			continue
		}
		c, err := scanItem(tx.row(ctx, "item_by_ref", string(essaim.ItemComment), id).Scan)
		if err == nil && c.State != essaim.ItemHidden {
			_, err = tx.decide(ctx, c, essaim.ItemHide, "", by, fmt.Sprintf("report %d", i.N))
		}
		if err != nil && !errors.Is(err, essaim.ErrNotFound) {
			return err
		}
	}
	return nil
}

// withdrawAsTold withdraws here what another node withdrew.
func (tx *Tx) withdrawAsTold(ctx context.Context, id string, r *essaim.Report, i essaim.Item, by int64) error {
	e, ok, err := tx.locked(ctx, id)
	if err != nil || !ok || e.Origin == "" || e.State != essaim.StatePublished {
		return err
	}
	reason := fmt.Sprintf("report %d, of %s", i.N, r.Host)
	w, err := tx.withdrawalItem(ctx, id, reason)
	if err != nil {
		return err
	}
	// Not told to others again: those who are to know were told by whom it comes from.
	if err := tx.withdrawReplica(ctx, &e); err != nil {
		return err
	}
	return tx.journal(ctx, essaim.Decision{
		Account: by, Action: string(essaim.ItemWithdraw), Kind: string(essaim.ItemWithdrawal), Subject: id,
		Before: string(w.State), After: string(essaim.ItemAccepted), Reason: reason,
	})
}

// refuse ends what a local actor has to do with one that blocks it.
func (tx *Tx) refuse(ctx context.Context, e essaim.Refuse, now time.Time) (outcome, error) {
	if _, err := tx.exec(ctx, "follower_remove", e.Local, e.Actor, ""); err != nil {
		return did, err
	}
	inbox := ""
	err := tx.row(ctx, "actor_inbox", e.Actor).Scan(&inbox)
	if err != nil && !errors.Is(err, essaim.ErrNotFound) {
		return did, err
	}
	if inbox != "" {
		if _, err := tx.exec(ctx, "delivery_drop_refused", inbox, e.Local, micros(now)); err != nil {
			return did, err
		}
	}
	node, err := tx.nodeActor(ctx)
	if err != nil || node != e.Local {
		return did, err
	}
	_, err = tx.exec(ctx, "peer_refuses", authority(e.Actor), e.Actor)
	return did, err
}
