// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"essaim"
)

// settleTogether is how many accounts a measure reaches in one transaction.
const settleTogether = 100

// Measures lists them by scope and value.
func (s *Store) Measures(ctx context.Context) ([]essaim.Measure, error) {
	all, err := list(ctx, s.query(), func(scan scanFunc) (m essaim.Measure, err error) {
		err = scan((*string)(&m.Scope), &m.Value, (*string)(&m.Level), &m.Reason, moment{&m.At})
		return m, err
	}, "measure_list")
	if err != nil {
		return nil, fmt.Errorf("measures: %w", err)
	}
	return all, nil
}

// Standing is what the measures come to for an actor, or for any address on its
// host.
func (s *Store) Standing(ctx context.Context, actor string) (essaim.Standing, error) {
	return s.query().standing(ctx, actor)
}

func (tx *Tx) standing(ctx context.Context, actor string) (st essaim.Standing, err error) {
	q := standingAsked(actor)
	err = tx.each(ctx, q.name, func(scan func(...any) error) error {
		var level string
		if err := scan(&level); err != nil {
			return err
		}
		switch essaim.MeasureLevel(level) {
		case essaim.LevelBlock:
			st.Blocked = true
		case essaim.LevelSilence:
			st.Silenced = true
		case essaim.LevelAllow:
			st.Listed = true
		}
		return nil
	}, q.args...)
	if err != nil {
		return st, fmt.Errorf("standing of %s: %w", actor, err)
	}
	return st, nil
}

// standingAsked is the question how an actor stands.
func standingAsked(actor string) question {
	h := looked(authority(actor))
	return question{"standing", []any{actor, h[0], h[1], h[2], h[3], h[4], h[5]}}
}

// AddMeasure treats a host or an account elsewhere as said from now on, in
// place of what was said before, which it returns, with a line in the journal. by is the account
// that decides, 0 for the command line. A host that is followed is not silenced
// (essaim.ErrConflict): its records are kept here to be shown.
//
// A block ends what waits to be sent, and the follows and thanks; comments are
// kept, not shown.
func (s *Store) AddMeasure(ctx context.Context, m essaim.Measure, by int64) (before essaim.MeasureLevel, err error) {
	err = s.write(ctx, urgent, func(tx *Tx) error {
		if err := tx.permitted(ctx, m); err != nil {
			return err
		}
		if before, err = tx.measure(ctx, m); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, "measure_add", string(m.Scope), m.Value, string(m.Level), m.Reason, micros(s.now())); err != nil {
			return err
		}
		if m.Level == essaim.LevelBlock {
			if err := tx.sever(ctx, m); err != nil {
				return err
			}
		} else if before == essaim.LevelBlock {
			if err := tx.reconcile(ctx, m); err != nil {
				return err
			}
		}
		return tx.journal(ctx, essaim.Decision{
			Account: by, Action: string(m.Level), Kind: string(m.Scope), Subject: m.Value, Before: string(before), After: string(m.Level), Reason: m.Reason,
		})
	})
	if err == nil && m.Level == essaim.LevelBlock && m.Scope == essaim.MeasureHost {
		err = s.dropDeliveries(ctx, m.Value)
	}
	if err == nil {
		err = s.settle(ctx, m)
	}
	if err != nil {
		return before, fmt.Errorf("%s %s %s: %w", m.Level, m.Scope, m.Value, err)
	}
	return before, nil
}

// LiftMeasure ends the measure that stands, and returns its level; essaim.ErrNotFound when there is none. What a
// silence kept from view is shown again; a blocked peer is known again, and may
// be followed.
func (s *Store) LiftMeasure(ctx context.Context, m essaim.Measure, by int64) (before essaim.MeasureLevel, err error) {
	err = s.write(ctx, urgent, func(tx *Tx) error {
		if before, err = tx.measure(ctx, m); err != nil {
			return err
		}
		if before == "" {
			return essaim.ErrNotFound
		}
		if _, err := tx.exec(ctx, "measure_remove", string(m.Scope), m.Value); err != nil {
			return err
		}
		if err := tx.reconcile(ctx, m); err != nil {
			return err
		}
		return tx.journal(ctx, essaim.Decision{
			Account: by, Action: "lift", Kind: string(m.Scope), Subject: m.Value, Before: string(before), Reason: m.Reason,
		})
	})
	if err == nil {
		err = s.settle(ctx, m)
	}
	if err != nil {
		return before, fmt.Errorf("%s: %w", m.Value, err)
	}
	return before, nil
}

// permitted refuses a measure against this node, and the silence of a node that
// is followed.
func (tx *Tx) permitted(ctx context.Context, m essaim.Measure) error {
	node, err := tx.nodeActor(ctx)
	if err != nil {
		return err
	}
	here, host := authority(node), m.Value
	if m.Scope == essaim.MeasureActor {
		host = authority(m.Value)
	}
	if host == here || m.Scope == essaim.MeasureHost && slices.Contains(domains(here), host) {
		return fmt.Errorf("this node itself: %w", essaim.ErrInvalid)
	}
	if m.Level != essaim.LevelSilence || m.Scope != essaim.MeasureHost {
		return nil
	}
	peers, err := list(ctx, tx, only[string], "peers_followed")
	if err != nil {
		return err
	}
	for _, p := range peers {
		if slices.Contains(domains(p), host) {
			return fmt.Errorf("%s is followed, and its records shown: essaim peer remove it first: %w", p, essaim.ErrConflict)
		}
	}
	return nil
}

// measure is the level that stands for exactly this subject; empty for none.
func (tx *Tx) measure(ctx context.Context, m essaim.Measure) (level essaim.MeasureLevel, err error) {
	err = tx.row(ctx, "measure_level", string(m.Scope), m.Value).Scan((*string)(&level))
	if errors.Is(err, essaim.ErrNotFound) {
		err = nil
	}
	return level, err
}

// sever ends the follows of who is blocked, both ways.
func (tx *Tx) sever(ctx context.Context, m essaim.Measure) error {
	accounts, err := list(ctx, tx, only[string], "followed_actors")
	if err != nil {
		return err
	}
	for _, actor := range accounts {
		if actor == m.Value || m.Scope == essaim.MeasureHost && slices.Contains(domains(authority(actor)), m.Value) {
			if _, err := tx.exec(ctx, "followed_remove", actor); err != nil {
				return err
			}
		}
	}
	if m.Scope == essaim.MeasureActor {
		_, err := tx.exec(ctx, "follower_remove_actor", m.Value)
		return err
	}
	for _, step := range []struct{ hosts, change string }{{"follower_hosts", "follower_remove_host"}, {"peer_hosts", "peer_block"}} {
		hosts, err := list(ctx, tx, only[string], step.hosts)
		if err != nil {
			return err
		}
		for _, host := range hosts {
			if slices.Contains(domains(host), m.Value) {
				if _, err := tx.exec(ctx, step.change, host); err != nil {
					return err
				}
				// '0' comes after '/': every id of the host, and no other.
				if err := tx.later(ctx, "adaptations_erase_host", "https://"+host+"/", "https://"+host+"0"); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// reconcile makes peers of a host known again that nothing blocks any more.
func (tx *Tx) reconcile(ctx context.Context, m essaim.Measure) error {
	if m.Scope == essaim.MeasureActor {
		return nil
	}
	hosts, err := list(ctx, tx, only[string], "peer_hosts")
	if err != nil {
		return err
	}
	for _, host := range hosts {
		if !slices.Contains(domains(host), m.Value) {
			continue
		}
		st, err := tx.standing(ctx, "https://"+host+"/")
		if err != nil {
			return err
		}
		if !st.Blocked {
			if _, err := tx.exec(ctx, "peer_unblock", host); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropDeliveries gives up what waits for a host, or one below it.
func (s *Store) dropDeliveries(ctx context.Context, value string) error {
	hosts, err := list(ctx, s.query(), only[string], "delivery_hosts")
	if err != nil {
		return err
	}
	for _, host := range hosts {
		if !slices.Contains(domains(host), value) {
			continue
		}
		for n := int64(wakeTogether); n == wakeTogether; {
			err := s.write(ctx, urgent, func(tx *Tx) (err error) {
				n, err = tx.exec(ctx, "delivery_drop_host", host, micros(s.now()), wakeTogether)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// settle brings what accounts left here in line with how they stand now.
func (s *Store) settle(ctx context.Context, m essaim.Measure) error {
	actors := []string{m.Value}
	if m.Scope == essaim.MeasureHost {
		all, err := list(ctx, s.query(), only[string], "actors_present")
		if err != nil {
			return err
		}
		actors = slices.DeleteFunc(all, func(a string) bool { return !slices.Contains(domains(authority(a)), m.Value) })
	}
	for some := range slices.Chunk(actors, settleTogether) {
		err := s.write(ctx, urgent, func(tx *Tx) error {
			for _, actor := range some {
				if err := tx.settleActor(ctx, actor); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) settleActor(ctx context.Context, actor string) error {
	st, err := tx.standing(ctx, actor)
	if err != nil {
		return err
	}
	if st.Blocked {
		for _, name := range []string{"reaction_remove_actor", "quote_remove_actor"} {
			if _, err := tx.exec(ctx, name, actor); err != nil {
				return err
			}
		}
	}
	for _, name := range []string{"reaction_mute", "comment_mute"} {
		if _, err := tx.exec(ctx, name, actor, flag(st.Muted())); err != nil {
			return err
		}
	}
	return nil
}

// authority is the host of an IRI with its port, in lower case; empty when it
// has none.
func authority(iri string) string {
	u, err := url.Parse(iri)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// domains lists a host with its port, without it, and the domains above it.
func domains(host string) []string {
	names := []string{host}
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
		names = append(names, name)
	}
	if net.ParseIP(strings.Trim(name, "[]")) != nil {
		return names
	}
	for {
		_, above, ok := strings.Cut(name, ".")
		if !ok || !strings.Contains(above, ".") {
			return names
		}
		names = append(names, above)
		name = above
	}
}

// looked are the names of a host that measures are looked up by: its own, and
// the five shortest, for whoever owns a domain makes names below it at will.
func looked(host string) (names [6]string) {
	all := domains(host)
	names[0] = all[0]
	copy(names[1:], all[max(1, len(all)-5):])
	return names
}
