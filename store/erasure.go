// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"essaim"
)

// What is erased is noted in the transaction that erases it, and in a file beside
// the database before whoever asked is answered. A database that is put back to an
// older state does not know the last lines of the file: what they say is erased
// again, before anything is served (docs/adr/0014-what-is-erased-stays-erased.md).

// noteErasure notes what this transaction erases; at the time of now, unless it says.
func (tx *Tx) noteErasure(ctx context.Context, e essaim.Erasure) error {
	if tx.again {
		return nil
	}
	if e.At.IsZero() {
		e.At = tx.s.now()
	}
	tx.erasures = append(tx.erasures, e)
	return tx.addErasure(ctx, e)
}

func (tx *Tx) addErasure(ctx context.Context, e essaim.Erasure) error {
	detail, err := json.Marshal(e.ErasureDetail)
	if err != nil {
		return err
	}
	own := false
	if e.Sort == essaim.ErasedRecord {
		node, err := tx.knownNode(ctx)
		if err != nil {
			return err
		}
		own = authority(e.Ref) == authority(node.BaseURL)
	}
	return tx.later(ctx, "erasure_add", string(e.Sort), e.Ref, micros(e.At), string(detail), int(e.Reach(own)))
}

// noteDeleted notes what its author elsewhere deleted; published says that it may be
// in a published record.
func (tx *Tx) noteDeleted(ctx context.Context, id string, published bool) error {
	e := essaim.Erasure{Sort: essaim.ErasedObject, Ref: essaim.ErasureRef(essaim.ErasedObject, id)}
	e.Unpublished = !published
	return tx.noteErasure(ctx, e)
}

// noteNamed notes what is known by a digest of its id alone.
func (tx *Tx) noteNamed(ctx context.Context, sort essaim.ErasureSort, id string) error {
	return tx.noteErasure(ctx, essaim.Erasure{Sort: sort, Ref: essaim.ErasureRef(sort, id)})
}

// erasedObject tells whether its author deleted an object of which nothing else is
// kept here.
func (tx *Tx) erasedObject(ctx context.Context, id string) (bool, error) {
	q := erasedAsked(id)
	return tx.found(ctx, q.name, q.args...)
}

// erasedAsked is the question of erasedObject.
func erasedAsked(id string) question {
	return question{"erasure_known", []any{string(essaim.ErasedObject), essaim.ErasureRef(essaim.ErasedObject, id)}}
}

// accountKey is how an account is told apart from one that gets its number later.
func accountKey(id int64, created time.Time) string {
	return strconv.FormatInt(id, 10) + " " + strconv.FormatInt(created.UnixMicro(), 10)
}

// Erasures lists what was erased here, the oldest first.
func (s *Store) Erasures(ctx context.Context) ([]essaim.Erasure, error) {
	all, err := s.query().knownErasures(ctx)
	if err != nil {
		return nil, fmt.Errorf("what was erased: %w", err)
	}
	return all, nil
}

func (tx *Tx) knownErasures(ctx context.Context) ([]essaim.Erasure, error) {
	return list(ctx, tx, func(scan scanFunc) (e essaim.Erasure, err error) {
		var detail string
		if err := scan((*string)(&e.Sort), &e.Ref, moment{&e.At}, &detail); err != nil {
			return e, err
		}
		return e, json.Unmarshal([]byte(detail), &e.ErasureDetail)
	}, "erasure_all")
}

// keepErasures adds what a transaction erased to the file, after its commit. What
// fails is erased all the same; the file is completed at the next comparison.
func (s *Store) keepErasures(ctx context.Context, made []essaim.Erasure) {
	if s.cfg.Dir == "" {
		return
	}
	if err := appendErasures(s.cfg.Dir, made); err != nil {
		s.cfg.Logger.LogAttrs(ctx, slog.LevelError, "what was erased is not in its file", slog.String("file", ErasureFile), slog.String("error", err.Error()))
	}
}

// compareErasures erases again what the file knows and the database does not, which
// is older then, and completes the file. A database of no node yet is left alone.
func (s *Store) compareErasures(ctx context.Context) error {
	if s.cfg.Dir == "" {
		return nil
	}
	told, err := readErasures(s.cfg.Dir)
	if err != nil {
		return err
	}
	if _, err := s.Node(ctx); err != nil {
		if errors.Is(err, essaim.ErrNotFound) {
			return nil
		}
		return err
	}
	known, err := s.Erasures(ctx)
	if err != nil {
		return err
	}
	if lost := missingFrom(told, known); len(lost) > 0 {
		again := slices.ContainsFunc(lost, func(e essaim.Erasure) bool { return e.Sort == essaim.ErasedCredit })
		err = s.write(ctx, patient, func(tx *Tx) error {
			if again { // what is to be signed anew waits for the later versions that peers hold
				hosts, err := list(ctx, tx, only[string], "recovery_hosts")
				if err == nil {
					err = tx.beginRecovery(ctx, essaim.RecoveryRestore, essaim.CommonsHead{}, hosts)
				}
				if err != nil {
					return err
				}
			}
			_, err := tx.eraseAgain(ctx, told)
			return err
		})
		if err != nil {
			return fmt.Errorf("what was erased: %w", err)
		}
		s.forgetNode()
		s.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "the database was put back: what was erased since is erased again", slog.Int("erasures", len(lost)))
	}
	return appendErasures(s.cfg.Dir, missingFrom(known, told))
}

// eraseAgain erases what this state of the database does not know as erased, and
// tells how many erasures that were.
func (tx *Tx) eraseAgain(ctx context.Context, told []essaim.Erasure) (int, error) {
	known, err := tx.knownErasures(ctx)
	if err != nil {
		return 0, err
	}
	lost := missingFrom(told, known)
	if len(lost) == 0 {
		return 0, nil
	}
	slices.SortStableFunc(lost, func(a, b essaim.Erasure) int { return a.At.Compare(b.At) })
	tx.again, tx.recovers = true, true
	tx.s.forgetNode() // a restore makes its incarnation another
	tx.recoveries = nil
	named, err := tx.named(ctx, lost)
	if err != nil {
		return 0, err
	}
	last := map[erasureKey]time.Time{} // of any time
	for _, e := range lost {
		last[erasureKey{sort: e.Sort, ref: e.Ref}] = e.At
	}
	for _, e := range lost {
		if err := tx.addErasure(ctx, e); err != nil {
			return 0, err
		}
		// Of a tombstone, as the last key signed it.
		if e.At.Before(last[erasureKey{sort: e.Sort, ref: e.Ref}]) || e.Sort == essaim.ErasedHere && e.At.Before(last[erasureKey{sort: essaim.ErasureLifted, ref: e.Ref}]) {
			continue
		}
		if err := tx.eraseOnceMore(ctx, e, named[e.Ref]); err != nil {
			return 0, fmt.Errorf("%s %s: %w", e.Sort, e.Ref, err)
		}
		if err := tx.flush(ctx); err != nil {
			return 0, err
		}
	}
	return len(lost), tx.noteErased(ctx)
}

// namedBy lists, with the sorts that are known by a digest, what there is of each.
var namedBy = []struct {
	sort      essaim.ErasureSort
	statement string
}{
	{essaim.ErasedObject, "erasure_objects"},
	{essaim.ErasedCandidate, "erasure_candidates"},
	{essaim.ErasedReaction, "erasure_reactions"},
	{essaim.ErasedActor, "erasure_actors"},
	{essaim.ErasedPerson, "erasure_people"},
	{essaim.ErasedAccount, "erasure_accounts"},
	{essaim.ErasedToken, "erasure_tokens"},
}

// named finds the ids, by digest, of what is held and was erased.
func (tx *Tx) named(ctx context.Context, lost []essaim.Erasure) (map[string]string, error) {
	want := map[essaim.ErasureSort]map[string]bool{}
	for _, e := range lost {
		if want[e.Sort] == nil {
			want[e.Sort] = map[string]bool{}
		}
		want[e.Sort][e.Ref] = true
	}
	ids := map[string]string{}
	for _, n := range namedBy {
		if len(want[n.sort]) == 0 {
			continue
		}
		err := tx.each(ctx, n.statement, func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			if ref := essaim.ErasureRef(n.sort, id); want[n.sort][ref] {
				ids[ref] = id
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// eraseOnceMore erases one thing; id is what its digest is of, empty when nothing of
// it is held.
func (tx *Tx) eraseOnceMore(ctx context.Context, e essaim.Erasure, id string) error {
	switch e.Sort {
	case essaim.ErasedRecord:
		return tx.recordOnceMore(ctx, e)
	case essaim.ErasedHere:
		return tx.withdrawOnceMore(ctx, e)
	case essaim.ErasedCredit:
		return nil // what is signed anew waits for TakeBackAgain
	}
	if id == "" {
		return nil
	}
	var err error
	switch e.Sort {
	case essaim.ErasedObject:
		return tx.objectOnceMore(ctx, id, e.At)
	case essaim.ErasedCandidate:
		var c candidate
		var ok bool
		if c, ok, err = tx.candidate(ctx, id); err == nil && ok {
			_, err = tx.withdrawCandidate(ctx, c)
		}
	case essaim.ErasedReaction:
		if part := strings.Split(id, " "); len(part) == 3 {
			_, err = list(ctx, tx, only[string], "reaction_remove", part[0], part[1], part[2])
		}
	case essaim.ErasedActor:
		_, err = tx.forgetActor(ctx, essaim.ForgetActor{Actor: id}, e.At)
	case essaim.ErasedPerson:
		err = tx.personOnceMore(ctx, id, e.At)
	case essaim.ErasedAccount, essaim.ErasedToken:
		number, rest, _ := strings.Cut(id, " ")
		var user int64
		if user, err = strconv.ParseInt(number, 10, 64); err != nil {
			return err
		}
		if e.Sort == essaim.ErasedToken {
			_, err = tx.exec(ctx, "token_remove", user, rest+"%")
			return err
		}
		return tx.accountOnceMore(ctx, user, e)
	}
	return err
}

// recordOnceMore erases a record; of what is not held the tombstone alone stays.
func (tx *Tx) recordOnceMore(ctx context.Context, e essaim.Erasure) error {
	node, err := tx.knownNode(ctx)
	if err != nil {
		return err
	}
	held, ok, err := tx.locked(ctx, e.Ref)
	if err != nil || ok && held.State == essaim.StateWithdrawn {
		return err
	}
	host := authority(e.Ref)
	switch own := host == authority(node.BaseURL); {
	case own && e.Document != nil:
		if ok { // the node signs the tombstone of its actor once it is served
			id, _, err := tx.actorOf(ctx, &held)
			if err == nil && id != "" {
				_, err = tx.exec(ctx, "commons_blank", id)
			}
			if err != nil {
				return err
			}
		}
		p, _, err := tx.recoverTombstone(ctx, &essaim.Recovered{VerifiedCopy: essaim.VerifiedCopy{
			ID: e.Ref, Sort: essaim.CopyTombstone, Document: e.Document, CopyDigest: e.Digest, Updated: e.At,
		}})
		if err != nil {
			return err
		}
		return tx.number(ctx, p...)
	case own && ok && held.State != essaim.StatePublished:
		if err := tx.leave(ctx, &held); err != nil {
			return err
		}
		return tx.remove(ctx, &held)
	case own:
		return nil
	case ok:
		if err := tx.eraseReplica(ctx, held, nil, "", e.At); err != nil {
			return err
		}
		return tx.eraseRaw(ctx, e.Ref)
	}
	_, err = tx.exec(ctx, "tombstone_insert", e.Ref, "", host, micros(e.At), nil)
	return err
}

// withdrawOnceMore withdraws a record of another territory, held or not. The nodes
// that are followed were told the first time.
func (tx *Tx) withdrawOnceMore(ctx context.Context, e essaim.Erasure) error {
	held, ok, err := tx.locked(ctx, e.Ref)
	if err != nil || ok && held.Origin == "" {
		return err
	}
	if _, err := tx.withdrawalItem(ctx, e.Ref, ""); err != nil {
		return err
	}
	switch {
	case ok && held.State == essaim.StatePublished:
		err = tx.withdrawReplica(ctx, &held)
	case !ok:
		err = tx.enlistCopy(ctx, e.Origin, &listing{id: e.Ref, sort: sortWithdrawn})
	}
	if err != nil {
		return err
	}
	return tx.later(ctx, "withdrawal_add", e.Ref, e.Origin, e.Digest, micros(e.At))
}

func (tx *Tx) objectOnceMore(ctx context.Context, id string, at time.Time) error {
	c, ok, err := tx.candidate(ctx, id)
	if err == nil && ok {
		_, err = tx.takeBack(ctx, c)
	}
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "quotes_of_post", id); err != nil {
		return err
	}
	return tx.removeComment(ctx, id, at)
}

// personOnceMore retires an actor of a person. Its signed tombstone takes the place
// of its document once the node is served.
func (tx *Tx) personOnceMore(ctx context.Context, id string, at time.Time) error {
	if err := tx.retireRow(ctx, id, at); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "commons_blank", id); err != nil {
		return err
	}
	return tx.number(ctx, &publication{silent: true})
}

func (tx *Tx) accountOnceMore(ctx context.Context, user int64, e essaim.Erasure) error {
	var person string
	err := tx.row(ctx, "local_actor_of", string(essaim.ActorPerson), strconv.FormatInt(user, 10)).Scan(&person)
	if err != nil && !errors.Is(err, essaim.ErrNotFound) {
		return err
	}
	if _, err := tx.removeAccount(ctx, user, credit(e.KeepName)); err != nil || person == "" {
		return err
	}
	return tx.personOnceMore(ctx, person, e.At)
}
