// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"essaim"
)

// What is kept, and for how long, once it is of no use to the node itself.
const (
	keepDelivered = 30 * 24 * time.Hour  // deliveries done or dropped, and what was for one actor; failed deliveries stay for an administrator, with what they send
	keepRaw       = 90 * 24 * time.Hour  // activities; their id, digest and outcome stay
	keepUnknown   = 30 * 24 * time.Hour  // of those of a type that is not known here
	keepContact   = 365 * 24 * time.Hour // addresses of people who reported something
	keepReport    = 365 * 24 * time.Hour // reports, once they came and were decided
	keepTombstone = 400 * 24 * time.Hour // ids that strangers deleted; those of nodes that we follow stay for good
	keepOffered   = 90 * 24 * time.Hour  // offers of adaptations whose record did not come; each edit of it offers it again
	tidyTogether  = 500                  // rows of one transaction
)

// Tidy removes sessions and sign-in links that ended, reports decided and
// deliveries done long ago, what was between two actors, what strangers deleted
// long ago, and the bytes of activities applied long ago; it compacts the index and
// writes over what was erased, see Scrub. It is to be called now and then, by any
// process.
func (s *Store) Tidy(ctx context.Context) error {
	now := s.now()
	err := s.write(ctx, patient, func(tx *Tx) error {
		for _, name := range []string{"session_expire", "signin_expire"} {
			if _, err := tx.exec(ctx, name, micros(now)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = s.write(ctx, patient, func(tx *Tx) error {
			_, err := tx.exec(ctx, "tidy_reports", micros(now.Add(-keepContact)))
			return err
		})
	}
	if err == nil {
		err = s.tidyReports(ctx, now)
	}
	if err == nil {
		err = s.tidyAll(ctx, "tidy_deliveries", micros(now.Add(-keepDelivered)))
	}
	if err == nil {
		err = s.tidyAll(ctx, "tidy_direct", micros(now.Add(-keepDelivered)))
	}
	if err == nil {
		err = s.tidyAll(ctx, "tidy_tombstones", micros(now.Add(-keepTombstone)))
	}
	if err == nil {
		err = s.tidyAll(ctx, "tidy_adaptations", micros(now.Add(-keepOffered)))
	}
	if err == nil {
		err = s.tidyAll(ctx, "tidy_gathered", micros(now))
	}
	if err == nil {
		err = s.tidyInbox(ctx, now)
	}
	if err == nil {
		err = s.compareErasures(ctx) // what other processes erased
	}
	if err == nil {
		// A scrub compacts the index as well; one that others keep from its end does not
		// keep it from being compacted.
		err = errors.Join(s.scrubDue(ctx, now), s.db.compact(ctx))
	}
	if err != nil {
		return fmt.Errorf("tidy: %w", err)
	}
	return nil
}

// tidyReports erases the reports whose time is over. The journal keeps that
// something was decided.
func (s *Store) tidyReports(ctx context.Context, now time.Time) error {
	for {
		var over []string
		err := s.write(ctx, patient, func(tx *Tx) (err error) {
			if over, err = list(ctx, tx, only[string], "reports_over", micros(now.Add(-keepReport)), tidyTogether); err != nil {
				return err
			}
			for _, id := range over {
				if err := tx.removeItem(ctx, essaim.ItemReport, id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || len(over) < tidyTogether {
			return err
		}
	}
}

// tidyInbox reduces the activities whose time is over, however long ago: a node
// may have been stopped, or its days changed.
func (s *Store) tidyInbox(ctx context.Context, now time.Time) error {
	raw, unknown := cmp.Or(s.cfg.KeepRaw, keepRaw), cmp.Or(s.cfg.KeepUnknown, keepUnknown)
	for state, keep := range map[essaim.InboundState]time.Duration{
		essaim.InboundApplied: raw, essaim.InboundIgnored: raw, essaim.InboundFailed: raw, essaim.InboundUnknown: unknown,
	} {
		if err := s.tidyAll(ctx, "tidy_inbox", string(state), micros(now.Add(-keep))); err != nil {
			return err
		}
	}
	return nil
}

// tidyAll runs a statement whose last argument is a number of rows until it
// finds fewer.
func (s *Store) tidyAll(ctx context.Context, name string, args ...any) error {
	args = append(args, tidyTogether)
	for {
		var n int64
		err := s.write(ctx, patient, func(tx *Tx) (err error) {
			n, err = tx.exec(ctx, name, args...)
			return err
		})
		if err != nil || n < tidyTogether {
			return err
		}
	}
}
