// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"essaim"
)

// creditsTogether is how many records are looked for at a time.
const creditsTogether = 50

// EraseCredits takes a person out of the credits of every record of this node:
// of its current version, which is published anew without her, of its revisions,
// and of what was sent of it, which is reduced to ids. who names her by the
// address of her actor, or else by her name as it is written. It returns how
// many records named her. by signs the new versions. What the texts say stays.
func (s *Store) EraseCredits(ctx context.Context, who essaim.Credit, by essaim.Author) (n int, err error) {
	is := func(c essaim.Credit) bool { return c.Actor == who.Actor }
	key, value := "actor", who.Actor
	if who.Actor == "" {
		is = func(c essaim.Credit) bool { return c.Person && c.Name == who.Name }
		key, value = "name", who.Name
	}
	if value == "" {
		return 0, fmt.Errorf("credits of nobody: %w", essaim.ErrInvalid)
	}
	pattern, err := jsonPattern(key, value)
	if err != nil {
		return 0, err
	}
	type found struct {
		rid int64
		id  string
	}
	for after, more := int64(0), true; more; {
		page, err := list(ctx, s.query(), func(scan scanFunc) (f found, err error) {
			err = scan(&f.rid, &f.id)
			return f, err
		}, "records_crediting", after, pattern, creditsTogether)
		if err != nil {
			return n, fmt.Errorf("credits: %w", err)
		}
		for _, f := range page {
			after = f.rid
			named := false
			err := s.write(ctx, patient, func(tx *Tx) (err error) {
				named, err = tx.eraseCredits(ctx, f.id, is, by)
				return err
			})
			if err != nil {
				return n, fmt.Errorf("credits of %s: %w", f.id, err)
			}
			if named {
				n++
			}
		}
		more = len(page) == creditsTogether
	}
	return n, nil
}

// EraseCredit takes a person out of the credits of one record, as EraseCredits does
// of all: by her name as it is written there.
func (s *Store) EraseCredit(ctx context.Context, record, name string, by essaim.Author) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		_, err := tx.eraseCredits(ctx, record, func(c essaim.Credit) bool { return c.Person && c.Name == name }, by)
		return err
	})
	if err != nil {
		return fmt.Errorf("credits of %s: %w", record, err)
	}
	return nil
}

// jsonPattern finds a key with a value in what json.Marshal writes.
func jsonPattern(key, value string) (string, error) {
	b, err := json.Marshal(map[string]string{key: value})
	if err != nil {
		return "", err
	}
	return "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(string(bytes.Trim(b, "{}"))) + "%", nil
}

// eraseCredits takes who is meant out of one record, and tells whether any version
// of it named her.
func (tx *Tx) eraseCredits(ctx context.Context, id string, is func(essaim.Credit) bool, by essaim.Author) (named bool, err error) {
	e, ok, err := tx.locked(ctx, id)
	if err != nil || !ok || e.State == essaim.StateWithdrawn {
		return false, err
	}
	var p *publication
	c, at := e.Content, e.Updated
	taken := map[string]bool{} // names
	out := func(cr essaim.Credit) bool {
		if is(cr) {
			taken[cr.Name] = true
			return true
		}
		return false
	}
	if c.Credits = slices.DeleteFunc(slices.Clone(c.Credits), out); len(c.Credits) < len(e.Credits) {
		named = true
		if p, err = tx.update(ctx, &e, c, e.State, by, false); err != nil {
			return false, err
		}
		if err := tx.flush(ctx); err != nil {
			return false, err
		}
	}
	inHistory, err := tx.rewriteRevisions(ctx, e.rid, func(c *essaim.Content) (bool, error) {
		n := len(c.Credits)
		c.Credits = slices.DeleteFunc(c.Credits, out)
		return len(c.Credits) < n, nil
	})
	if err != nil || !named && !inHistory {
		return false, err
	}
	for name := range taken {
		if err := tx.noteCredit(ctx, id, name, at); err != nil {
			return false, err
		}
	}
	if err := tx.eraseSent(ctx, &e); err != nil {
		return false, err
	}
	if p == nil {
		return true, tx.flush(ctx)
	}
	return true, tx.number(ctx, p)
}

// noteCredit notes that a record names somebody no more; at is of the last version
// that may have.
func (tx *Tx) noteCredit(ctx context.Context, record, name string, at time.Time) error {
	return tx.noteErasure(ctx, essaim.Erasure{
		Sort: essaim.ErasedCredit, Ref: creditRef(record, name), At: later(at, tx.s.now()),
		ErasureDetail: essaim.ErasureDetail{Record: record},
	})
}

func creditRef(record, name string) string {
	return essaim.ErasureRef(essaim.ErasedCredit, record+" "+name)
}

// eraseCreditsAgain takes out of records whom they named before, in an older state
// of the database that was put back. Who agreed anew since is named by a version
// that was written later than what took her out.
func (s *Store) eraseCreditsAgain(ctx context.Context, known []essaim.Erasure) error {
	last := map[string]map[string]time.Time{} // by record and digest
	for _, e := range known {
		if e.Sort != essaim.ErasedCredit {
			continue
		}
		if last[e.Record] == nil {
			last[e.Record] = map[string]time.Time{}
		}
		last[e.Record][e.Ref] = later(last[e.Record][e.Ref], e.At)
	}
	for id, refs := range last {
		err := s.write(ctx, patient, func(tx *Tx) error {
			e, ok, err := tx.locked(ctx, id)
			if err != nil || !ok {
				return err
			}
			_, err = tx.eraseCredits(ctx, id, func(c essaim.Credit) bool {
				at, gone := refs[creditRef(id, c.Name)]
				return c.Person && gone && !slices.ContainsFunc(e.Credits, func(is essaim.Credit) bool {
					return is.Person && is.Name == c.Name && e.Updated.After(at)
				})
			}, essaim.Author{})
			return err
		})
		if err != nil {
			return fmt.Errorf("credits of %s: %w", id, err)
		}
	}
	return nil
}

// eraseSent reduces to ids what was sent of a record before its latest version.
func (tx *Tx) eraseSent(ctx context.Context, e *entry) error {
	for _, name := range []string{"deliveries_erase_older", "events_erase_older", "activities_erase_older"} {
		if err := tx.later(ctx, name, e.rid, e.activityID); err != nil {
			return err
		}
	}
	return tx.noteErased(ctx)
}

// version is a revision as it is kept.
type version struct {
	revision int64
	by       essaim.Author
	content  essaim.Content
}

// versions lists a record's revisions, the oldest first.
func (tx *Tx) versions(ctx context.Context, rid int64) ([]version, error) {
	return list(ctx, tx, func(scan scanFunc) (v version, err error) {
		var content string
		if err = scan(&v.revision, &v.by.User, &v.by.Name, &content); err == nil {
			err = json.Unmarshal([]byte(content), &v.content)
		}
		return v, err
	}, "revision_texts", rid)
}

// rewriteRevisions writes those of a record's revisions anew that change says it
// changed, and tells whether there was any.
func (tx *Tx) rewriteRevisions(ctx context.Context, rid int64, change func(*essaim.Content) (bool, error)) (changed bool, err error) {
	all, err := tx.versions(ctx, rid)
	if err != nil {
		return false, err
	}
	for i := range all {
		t := &all[i]
		touched, err := change(&t.content)
		if err != nil {
			return false, err
		}
		if !touched {
			continue
		}
		changed = true
		content, err := json.Marshal(&t.content)
		if err != nil {
			return false, err
		}
		if err := tx.later(ctx, "revision_rewrite", rid, t.revision, string(content)); err != nil {
			return false, err
		}
	}
	return changed, nil
}
