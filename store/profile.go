// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"essaim"
)

// Followed is an actor of this node with the number of its followers.
type Followed struct {
	essaim.LocalActor
	Followers int
}

// LocalActors lists the territory's actor, those that have a row, and those of
// records that somebody follows; not those that are deleted.
func (s *Store) LocalActors(ctx context.Context) (actors []Followed, err error) {
	err = s.read(ctx, func(tx *Tx) error {
		actors = nil
		node, err := tx.knownNode(ctx)
		if err != nil {
			return err
		}
		followers := map[string]int{}
		err = tx.each(ctx, "follower_totals", func(scan func(...any) error) error {
			var id string
			var n int
			err := scan(&id, &n)
			followers[id] = n
			return err
		})
		if err != nil {
			return err
		}
		names := []string{node.Territory.Username}
		listed := map[string]bool{node.BaseURL + "/actor": true, node.Territory.Actor: true}
		add := func(id string) {
			if !listed[id] {
				listed[id] = true
				names = append(names, id[len(node.BaseURL+"/actors/"):])
			}
		}
		rows, err := list(ctx, tx, only[string], "local_actor_ids")
		if err != nil {
			return err
		}
		for _, id := range rows {
			add(id)
		}
		ids, err := list(ctx, tx, only[string], "follower_locals")
		if err != nil {
			return err
		}
		for _, id := range ids {
			add(id)
		}
		for _, name := range names {
			a, err := tx.localActor(ctx, name)
			if err != nil && !errors.Is(err, essaim.ErrNotFound) {
				return err
			}
			if err == nil && !a.Gone {
				actors = append(actors, Followed{a, followers[a.ID]})
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("actors: %w", err)
	}
	return actors, nil
}

// SetProfile changes what was chosen of an actor; essaim.ErrGone for one that
// is deleted. Its followers are told. What a feed holds back for its weekly batch
// follows a change of its day.
func (s *Store) SetProfile(ctx context.Context, username string, p essaim.Profile) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		if err := p.Validate().Err(); err != nil {
			return err
		}
		a, err := tx.localActor(ctx, username)
		if err != nil {
			return err
		}
		if a.Gone {
			return essaim.ErrGone
		}
		if p.Weekly != "" && !a.Kind.Feed() {
			return fmt.Errorf("a weekly batch is for themes and communes: %w", essaim.ErrInvalid)
		}
		profile, err := json.Marshal(p)
		if err != nil {
			return err
		}
		now := tx.s.now()
		if _, err := tx.exec(ctx, "local_actor_save", a.ID, username, string(a.Kind), a.Subject, string(profile), micros(later(a.CreatedAt, time.Unix(1, 0))), micros(now)); err != nil {
			return err
		}
		if p.Weekly != a.Profile.Weekly {
			at := now
			if p.Weekly != "" {
				at = p.NextWeekly(now)
			}
			for _, name := range []string{"announce_bring_forward", "announce_put_off"} {
				if _, err := tx.exec(ctx, name, a.ID, micros(at)); err != nil {
					return err
				}
			}
		}
		is := a
		is.Profile, is.UpdatedAt = p, later(a.UpdatedAt, now)
		told, err := tx.tellChange(ctx, a, is)
		if err != nil {
			return err
		}
		if told == nil {
			// Documents that are kept in memory are as old as the counter.
			told = &publication{silent: true}
		}
		if told.listing, err = tx.actorListing(ctx, is); err != nil {
			return err
		}
		return tx.number(ctx, told)
	})
	if err != nil {
		return fmt.Errorf("actor %s: %w", username, err)
	}
	return nil
}

// CreatePerson gives an account an actor of the name that it chose, which must
// be free; its consent is the row. An account has one at a time: another is
// essaim.ErrConflict.
func (s *Store) CreatePerson(ctx context.Context, user int64, name string, p essaim.Profile) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		name, err := essaim.PersonName(name)
		if err != nil {
			return err
		}
		if err := p.Validate().Err(); err != nil {
			return err
		}
		subject := strconv.FormatInt(user, 10)
		if has, err := tx.found(ctx, "local_actor_of", string(essaim.ActorPerson), subject); err != nil || has {
			return errors.Join(err, fmt.Errorf("the account has an actor: %w", essaim.ErrConflict))
		}
		var ref string
		err = tx.row(ctx, "name_ref", actorNames, name).Scan(&ref)
		if err == nil {
			return fmt.Errorf("the name is taken: %w", essaim.ErrConflict)
		}
		if !errors.Is(err, essaim.ErrNotFound) {
			return err
		}
		if _, err := tx.newActor(ctx, name, essaim.ActorPerson, subject, p); err != nil {
			return err
		}
		return tx.numberActor(ctx, name)
	})
	if err != nil {
		return fmt.Errorf("actor %s: %w", name, err)
	}
	return nil
}

// PersonOf is the username of an account's actor; essaim.ErrNotFound without one.
func (s *Store) PersonOf(ctx context.Context, user int64) (string, error) {
	var id string
	err := s.query().row(ctx, "local_actor_of", string(essaim.ActorPerson), strconv.FormatInt(user, 10)).Scan(&id)
	if err != nil {
		return "", fmt.Errorf("actor of account %d: %w", user, err)
	}
	node, err := s.Node(ctx)
	if err != nil {
		return "", err
	}
	return id[len(node.BaseURL+"/actors/"):], nil
}

// DeletePerson erases a person's actor: what it said of her goes, its followers
// are told, its name stays reserved without a link to her account.
func (s *Store) DeletePerson(ctx context.Context, username string) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		a, err := tx.localActor(ctx, username)
		if err != nil {
			return err
		}
		if a.Kind != essaim.ActorPerson || a.Gone {
			return essaim.ErrNotFound
		}
		return tx.retire(ctx, a.ID)
	})
	if err != nil {
		return fmt.Errorf("actor %s: %w", username, err)
	}
	return nil
}

// retire erases an actor of a person that is not gone.
func (tx *Tx) retire(ctx context.Context, id string) error {
	now := tx.s.now()
	if err := tx.retireRow(ctx, id, now); err != nil {
		return err
	}
	if err := tx.noteNamed(ctx, essaim.ErasedPerson, id); err != nil {
		return err
	}
	farewell, err := tx.farewell(ctx, essaim.LocalActor{ID: id, Kind: essaim.ActorPerson, Gone: true, UpdatedAt: now})
	if err != nil {
		return err
	}
	if farewell == nil {
		farewell = &publication{silent: true}
	}
	return tx.number(ctx, farewell)
}

// retireRow leaves of a person's actor its name and address.
func (tx *Tx) retireRow(ctx context.Context, id string, at time.Time) error {
	if _, err := tx.exec(ctx, "local_actor_retire", id, micros(at)); err != nil {
		return err
	}
	node, err := tx.knownNode(ctx)
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "name_forget", id[len(node.BaseURL+"/actors/"):]); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "credits_forget", id); err != nil {
		return err
	}
	if err := tx.silence(ctx, id); err != nil {
		return err
	}
	return tx.noteErased(ctx)
}

// silence erases what an actor said of itself, sent or not, before it says that
// it is gone.
func (tx *Tx) silence(ctx context.Context, actor string) error {
	for _, name := range []string{"deliveries_erase_actor", "activities_erase_actor"} {
		if err := tx.later(ctx, name, actor); err != nil {
			return err
		}
	}
	return nil
}

// tellChange sends an actor's document to its followers after something of it
// changed; nil when its document did not, or nobody follows it. Labels of themes
// and communes are the program's own and change with it alone.
func (tx *Tx) tellChange(ctx context.Context, was, is essaim.LocalActor) (*publication, error) {
	followed, err := tx.found(ctx, "follower_any", is.ID, "")
	if err != nil || !followed {
		return nil, err
	}
	was.UpdatedAt = is.UpdatedAt // the date alone is no change
	return tx.tell(ctx, essaim.Told{Verb: string(essaim.VerbUpdate), Actor: is.ID, Object: is.ID, Is: &is, Was: &was, At: tx.s.now()}, 0)
}

// Listed lists what an actor announces, the latest change first: what has a
// change number below before (0 = from the newest). It is what is published, not
// what was sent.
func (s *Store) Listed(ctx context.Context, a essaim.LocalActor, before int64, n int) ([]essaim.ListEntry, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	return s.listed(ctx, a, "", before, n)
}

// ListedAfter reads it from the other end: of what has a number above after, the
// n oldest, newest first.
func (s *Store) ListedAfter(ctx context.Context, a essaim.LocalActor, after int64, n int) ([]essaim.ListEntry, error) {
	entries, err := s.listed(ctx, a, "_after", after, n)
	slices.Reverse(entries)
	return entries, err
}

func (s *Store) listed(ctx context.Context, a essaim.LocalActor, way string, from int64, n int) ([]essaim.ListEntry, error) {
	name, args := "listed_all", []any{from, n}
	switch a.Kind {
	case essaim.ActorTheme:
		name, args = "listed_theme", append(args, a.Subject)
	case essaim.ActorCommune:
		name, args = "listed_commune", append(args, a.Subject)
	}
	all, err := list(ctx, s.query(), func(scan scanFunc) (e essaim.ListEntry, err error) {
		err = scan(&e.ID, &e.Number, stamp{&e.Published})
		return e, err
	}, name+way, args...)
	if err != nil {
		return nil, fmt.Errorf("list of %s: %w", a.ID, err)
	}
	return all, nil
}

// CountListed is how many Listed lists.
func (s *Store) CountListed(ctx context.Context, a essaim.LocalActor) (n int, err error) {
	name, args := "count_published", []any(nil)
	switch a.Kind {
	case essaim.ActorTheme:
		name, args = "count_theme", []any{a.Subject}
	case essaim.ActorCommune:
		name, args = "count_commune", []any{a.Subject}
	}
	if err := s.query().row(ctx, name, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("list of %s: %w", a.ID, err)
	}
	return n, nil
}
