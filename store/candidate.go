// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"essaim"
)

// maxCandidates is how many of one account may wait: a moderator reads them all.
const maxCandidates = 500

// Bounds of what the accounts of one host may have this node fetch, from wherever:
// who is followed must not turn it against others.
const (
	maxWanted   = 100              // that wait
	namedApart  = 2 * time.Second  // between two, so that they stand before nobody else's
	namedAtOnce = 60               // so close
	namedCounts = 20 * time.Second // between two from then on
)

// candidate is the row beside the record made of an object elsewhere. Without
// its record it says that people set the object aside: it does not come again.
type candidate struct {
	object, record, author, by, announce string
	updated                              time.Time
}

func scanCandidate(scan scanFunc) (c candidate, err error) {
	err = scan(&c.object, &c.record, &c.author, &c.by, &c.announce, moment{&c.updated})
	return c, err
}

func (tx *Tx) candidate(ctx context.Context, object string) (c candidate, ok bool, err error) {
	c, err = scanCandidate(tx.row(ctx, "candidate_by_object", object).Scan)
	if errors.Is(err, essaim.ErrNotFound) {
		return c, false, nil
	}
	return c, err == nil, err
}

// about is what decides whether an object elsewhere is wanted here.
type about struct {
	followed bool   // who brings it
	agreed   string // licence that its author agreed to
	name     string // of its author
	refuses  bool   // its author, to be indexed
	gone     bool   // its tombstone stands
}

func (tx *Tx) about(ctx context.Context, object, by, author string) (a about, err error) {
	err = tx.row(ctx, "candidate_context", object, by, author, authority(by)).Scan(bit{&a.followed}, &a.agreed, &a.name, bit{&a.refuses}, bit{&a.gone})
	if err == nil && !a.gone {
		a.gone, err = tx.erasedObject(ctx, object)
	}
	return a, err
}

// propose makes an object a candidate, or refreshes the one made of it.
func (tx *Tx) propose(ctx context.Context, e essaim.Propose, now time.Time) (outcome, error) {
	p := e.Proposal
	about, err := tx.about(ctx, p.Object, e.By, p.Author)
	switch {
	case err != nil:
		return did, err
	case !about.followed:
		return nothing("its account is not followed"), nil
	case about.gone:
		return outcome{nothing: "deleted before", erase: true}, nil
	case about.refuses:
		return outcome{nothing: "its author refuses to be indexed", erase: true}, nil
	}
	if _, ok, err := tx.locked(ctx, p.Object); err != nil || ok {
		return nothing("held as a record"), err
	}
	// Whoever boosts it: nothing of who is silenced is shown.
	if st, err := tx.standing(ctx, p.Author); err != nil || st.Muted() {
		return nothing("its author is blocked or silenced"), err
	}
	content := p.Candidate(about.name, about.agreed, now)
	if problems := content.Validate(false); len(problems) > 0 {
		return nothing("not a content of ours: " + problems.Err().Error()), nil
	}
	digest, err := digestOf(p.Candidate(about.name, about.agreed, time.Time{}))
	if err != nil {
		return did, err
	}
	held, ok, err := tx.candidate(ctx, p.Object)
	switch {
	case err != nil:
		return did, err
	case !ok:
		return tx.newCandidate(ctx, e, content, digest, now)
	case held.author != p.Author:
		// Of its host: that host says who may change it.
		return tx.want(ctx, essaim.Want{Object: p.Object, By: held.by, Announce: held.announce}, now)
	}
	return tx.refreshCandidate(ctx, e, held, content, digest, now)
}

func digestOf(c essaim.Content) (string, error) {
	b, err := json.Marshal(&c)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

func (tx *Tx) newCandidate(ctx context.Context, e essaim.Propose, c essaim.Content, digest string, now time.Time) (outcome, error) {
	var waiting int
	if err := tx.row(ctx, "candidates_brought", e.By, maxCandidates).Scan(&waiting); err != nil {
		return did, err
	}
	if waiting >= maxCandidates {
		return nothing("too many candidates of its account wait"), nil
	}
	made, err := tx.planNew(ctx, essaim.NewRecord{Content: c, State: essaim.StateCandidate}, "", digest)
	if err != nil {
		return did, err
	}
	if err := tx.keep(ctx, made, essaim.Author{Name: authority(e.Proposal.Object)}, nil); err != nil {
		return did, err
	}
	_, err = tx.exec(ctx, "candidate_insert", e.Proposal.Object, made.ID, e.Proposal.Author, e.By, e.Announce,
		instant(later(e.Proposal.Published, e.Proposal.Updated)), micros(now))
	if err != nil {
		return did, err
	}
	_, err = tx.addItem(ctx, essaim.Item{
		Kind: essaim.ItemCandidate, Ref: e.Proposal.Object, State: essaim.ItemHeld, Actor: e.Proposal.Author, About: made.ID, Excerpt: c.Title, ReceivedAt: now,
	})
	return did, err
}

func (tx *Tx) refreshCandidate(ctx context.Context, e essaim.Propose, held candidate, c essaim.Content, digest string, now time.Time) (outcome, error) {
	updated := later(e.Proposal.Published, e.Proposal.Updated)
	if updated.Before(held.updated) {
		return outcome{nothing: past, erase: true}, nil
	}
	r, touched, err := tx.touched(ctx, held)
	switch {
	case err != nil:
		return did, err
	case touched:
		return nothing("people took it over here"), nil
	case r.digest == digest:
		return nothing("nothing new in it"), nil
	case r.Kind != c.Kind:
		return nothing("its kind never changes"), nil
	}
	if _, err := tx.planNext(ctx, &r, c, essaim.StateCandidate); err != nil {
		return did, err
	}
	r.digest = digest
	if err := tx.keep(ctx, &r, essaim.Author{Name: authority(held.object)}, nil); err != nil {
		return did, err
	}
	if _, err := tx.exec(ctx, "candidate_changed", held.object, instant(updated), micros(now)); err != nil {
		return did, err
	}
	_, err = tx.exec(ctx, "candidate_item", held.object, excerpt(c.Title))
	return outcome{newer: true}, err
}

// forgetCandidates erases what is kept beside a record that goes of the objects
// that it was made of; their ids stay, so that they do not come again.
func (tx *Tx) forgetCandidates(ctx context.Context, record string) error {
	all, err := list(ctx, tx, scanCandidate, "candidates_of_record", record)
	if err != nil {
		return err
	}
	for _, c := range all {
		if err := tx.later(ctx, "candidate_item", c.object, ""); err != nil {
			return err
		}
		if err := tx.eraseRaw(ctx, c.object); err != nil {
			return err
		}
	}
	return nil
}

// touched reads the record made of an object, and tells whether people made it
// theirs: edited, opened, published or removed it, or set it aside.
func (tx *Tx) touched(ctx context.Context, c candidate) (entry, bool, error) {
	r, theirs, err := tx.takenOver(ctx, c)
	if err != nil || theirs {
		return r, true, err
	}
	i, err := scanItem(tx.row(ctx, "item_by_ref", string(essaim.ItemCandidate), c.object).Scan)
	return r, i.State != essaim.ItemHeld, err
}

func (tx *Tx) takenOver(ctx context.Context, c candidate) (entry, bool, error) {
	r, ok, err := tx.locked(ctx, c.record)
	if err != nil || !ok || r.State != essaim.StateCandidate {
		return r, true, err
	}
	edited, err := tx.edited(ctx, r.rid)
	return r, edited, err
}

// withdrawCandidate removes what nobody made theirs, with its record: its author
// refuses to be indexed, or who announced it does no more. The bytes that brought it
// go in any case. Of what its author deleted, see takeBack.
func (tx *Tx) withdrawCandidate(ctx context.Context, c candidate) (outcome, error) {
	if err := tx.eraseRaw(ctx, c.object); err != nil {
		return did, err
	}
	r, theirs, err := tx.takenOver(ctx, c)
	if err != nil {
		return did, err
	}
	if theirs && r.rid != 0 {
		return nothing("people took it over here"), nil
	}
	if r.rid != 0 {
		if err := tx.remove(ctx, &r); err != nil {
			return did, err
		}
	}
	if err := tx.removeItem(ctx, essaim.ItemCandidate, c.object); err != nil {
		return did, err
	}
	if _, err = tx.exec(ctx, "candidate_remove", c.object); err != nil {
		return did, err
	}
	return did, tx.noteNamed(ctx, essaim.ErasedCandidate, c.object)
}

// candidatesOf ends all that was made of what an author wrote.
func (tx *Tx) candidatesOf(ctx context.Context, author string, end func(context.Context, candidate) (outcome, error)) error {
	all, err := list(ctx, tx, scanCandidate, "candidates_of_author", author)
	if err != nil {
		return err
	}
	for _, c := range all {
		if _, err := end(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// unannounce takes back what an Announce brought, by its id or by its object.
func (tx *Tx) unannounce(ctx context.Context, e essaim.Unreact) (outcome, error) {
	n, err := tx.exec(ctx, "wanted_remove_announced", e.ActivityID, e.Actor, e.Object)
	if err != nil {
		return did, err
	}
	all, err := list(ctx, tx, scanCandidate, "candidate_announced", e.ActivityID, e.Actor, e.Object)
	if err != nil || len(all) == 0 {
		if n == 0 {
			return nothing("no such reaction"), err
		}
		return did, err
	}
	out := did
	for _, c := range all {
		if out, err = tx.withdrawCandidate(ctx, c); err != nil {
			return did, err
		}
	}
	return out, nil
}
