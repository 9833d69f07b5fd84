// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"essaim"
)

// applyTogether is how many activities share one commit: enough to spread its
// cost, few enough that a write transaction stays short.
const applyTogether = 32

// Apply writes the effects and the new state of each activity of the batch, in
// its order. Each is whole or leaves no trace; its error stands at its index,
// essaim.ErrConflict when its claim was lost to another process.
func (s *Store) Apply(ctx context.Context, batch []essaim.Applied) []error {
	errs := make([]error, len(batch))
	for start := 0; start < len(batch); {
		end := start + together(batch[start:])
		s.applyTogether(ctx, batch[start:end], errs[start:end])
		start = end
	}
	return errs
}

// together is how many of a batch share a transaction: never two that are about
// the same object, for the second has to find what the first wrote.
func together(batch []essaim.Applied) int {
	batch = batch[:min(applyTogether, len(batch))]
	seen := map[string]int{}
	for i := range batch {
		for _, id := range append(objectsOf(batch[i:i+1]), batch[i].Object) {
			if id == "" {
				continue
			}
			if by, ok := seen[id]; ok && by != i {
				return i
			}
			seen[id] = i
		}
	}
	return len(batch)
}

// applyTogether applies a few activities in one transaction. When one is refused
// none is kept; the others are applied again without it, and it alone.
func (s *Store) applyTogether(ctx context.Context, batch []essaim.Applied, errs []error) {
	refused := -1
	err := s.write(ctx, urgent, func(tx *Tx) error {
		refused = -1
		if err := tx.lockObjects(ctx, objectsOf(batch)); err != nil {
			return err
		}
		now := tx.s.now()
		actors, err := tx.finishInbound(ctx, batch, errs, now)
		if err == nil {
			err = tx.r.ahead(ctx, questions(batch, actors))
		}
		if err != nil {
			return err
		}
		for i, in := range batch {
			if errs[i] != nil {
				continue // its claim is lost
			}
			if errs[i] = tx.apply(ctx, in, actors[i], now); errs[i] != nil {
				refused = i
				return errs[i]
			}
		}
		return nil
	})
	switch n := len(batch); {
	case err == nil:
	case n == 1 && !errors.Is(err, essaim.ErrUnavailable) && errors.Is(err, essaim.ErrConflict):
		// Not a lost claim, which is no error of the transaction.
		errs[0] = fmt.Errorf("%w: %s", essaim.ErrInvalid, err.Error())
	case n == 1 || errors.Is(err, essaim.ErrUnavailable) || ctx.Err() != nil:
		for i := range errs {
			errs[i] = err
		}
	default:
		// What was gathered is refused at the end, and does not say whose it was.
		from, to := n/2, n/2
		if refused >= 0 {
			from, to = refused, refused+1
		}
		for _, part := range [][2]int{{0, from}, {from, to}, {to, n}} {
			if part[0] < part[1] {
				s.applyTogether(ctx, batch[part[0]:part[1]], errs[part[0]:part[1]])
			}
		}
	}
}

// errClaimLost says that another process has the activity now, or finished it.
var errClaimLost = fmt.Errorf("claim lost: %w", essaim.ErrConflict)

// objectsOf lists what a batch may create or erase.
func objectsOf(batch []essaim.Applied) []string {
	var ids []string
	for _, in := range batch {
		for _, e := range in.Effects {
			if id := objectOf(e); id != "" {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

func objectOf(e essaim.Effect) string {
	switch e := e.(type) {
	case essaim.Replicate:
		return e.Record.ID
	case essaim.HoldComment:
		return e.ID
	case essaim.Acknowledge:
		return e.Child
	case essaim.Erase:
		return e.ID
	case essaim.EraseComment:
		return e.ID
	case essaim.Propose:
		return e.Proposal.Object
	case essaim.Want:
		return e.Object
	case essaim.SaveActor:
		return e.Actor.ID
	}
	return ""
}

// outcome is what an effect came to: nothing, and then why.
type outcome struct {
	nothing string
	// erase is set when the activity's own bytes hold what is erased for good, or what
	// a newer version took the place of.
	erase bool
	// newer is set when a version took the place of another, whose bytes go.
	newer bool
}

var did = outcome{}

func nothing(why string) outcome { return outcome{nothing: why} }

// finishInbound writes the row of each activity of a batch first, which locks it, and
// gives their actors: where the claim is no longer ours nothing else happens.
func (tx *Tx) finishInbound(ctx context.Context, batch []essaim.Applied, errs []error, now time.Time) (actors []string, err error) {
	list := make([]question, len(batch))
	for i, in := range batch {
		list[i] = finished(in, now)
	}
	if err := tx.r.ahead(ctx, list); err != nil {
		return nil, err
	}
	actors = make([]string, len(batch))
	for i, q := range list {
		errs[i] = tx.row(ctx, q.name, q.args...).Scan(&actors[i])
		switch {
		case errors.Is(errs[i], essaim.ErrNotFound):
			errs[i] = fmt.Errorf("inbound activity %d: %w", batch[i].ID, errClaimLost)
		case errs[i] != nil:
			return nil, errs[i]
		}
	}
	return actors, nil
}

// finished is the statement that writes the outcome of an activity.
func finished(in essaim.Applied, now time.Time) question {
	var done any
	next := int64(0)
	if in.State == essaim.InboundWaiting {
		next = instant(in.RetryAt)
	} else {
		done = micros(now)
	}
	object := in.Object
	for _, e := range slices.Backward(in.Effects) {
		object = cmp.Or(objectOf(e), object)
	}
	return question{"inbox_finish", []any{in.ID, in.Attempt, string(in.State), in.Reason, next, done, object}}
}

// questions are those that the effects of a batch will ask, as far as no effect of
// the same batch changes the answers: see effect.
func questions(batch []essaim.Applied, actors []string) (list []question) {
	for i, in := range batch {
		if len(in.Effects) == 0 || actors[i] == "" {
			continue
		}
		list = append(list, standingAsked(actors[i]))
		for _, e := range in.Effects {
			switch e := e.(type) {
			case essaim.Replicate:
				list = append(list, replicaAsked(e)...)
			case essaim.HoldComment:
				list = append(list, commentAsked(e)...)
			}
		}
	}
	return list
}

// apply does what an activity of an actor comes to.
func (tx *Tx) apply(ctx context.Context, in essaim.Applied, actor string, now time.Time) (err error) {
	var st essaim.Standing
	if len(in.Effects) > 0 {
		// A measure may have come while the activity waited.
		if st, err = tx.standing(ctx, actor); err != nil {
			return err
		}
	}
	why, changed := "", len(in.Effects) == 0 || in.State != essaim.InboundApplied
	for _, e := range in.Effects {
		if st.Blocked && !takesBack(e) {
			why = blockedMeanwhile
			continue
		}
		out, err := tx.effect(ctx, e, st, now)
		if err != nil {
			return fmt.Errorf("inbound activity %d: %T: %w", in.ID, e, err)
		}
		if out.erase {
			if err := tx.eraseReceived(ctx, in.ID); err != nil {
				return err
			}
		}
		if out.newer {
			if err := tx.eraseOlder(ctx, objectOf(e), in.ID); err != nil {
				return err
			}
		}
		if out.nothing != "" {
			why = out.nothing
			continue
		}
		changed = true
		if err := tx.pushed(ctx, e, now); err != nil {
			return err
		}
	}
	if !changed {
		return tx.later(ctx, "inbox_ignore", in.ID, why)
	}
	return nil
}

// blockedMeanwhile is why what a blocked account sent before its block does
// nothing after it.
const blockedMeanwhile = "its actor is blocked"

// takesBack tells whether an effect only removes what its own actor left here:
// to take back one's words stays a right of who is blocked (GDPR 17).
func takesBack(e essaim.Effect) bool {
	switch e.(type) {
	case essaim.RemoveFollower, essaim.Unreact, essaim.Erase, essaim.EraseComment, essaim.ForgetActor, essaim.Refuse:
		return true
	}
	return false
}

// effect writes one; st is how its actor stands, who is not blocked unless it
// takes back.
func (tx *Tx) effect(ctx context.Context, e essaim.Effect, st essaim.Standing, now time.Time) (outcome, error) {
	switch e := e.(type) {
	case essaim.Replicate:
		return tx.replicate(ctx, e, now)
	case essaim.HoldComment:
		return tx.holdComment(ctx, e, st, now)
	}
	// What was asked ahead may be other afterwards.
	tx.r.forget()
	switch e := e.(type) {
	case essaim.AddFollower:
		return tx.addFollower(ctx, e, now)
	case essaim.RemoveFollower:
		return tx.removeFollower(ctx, e)
	case essaim.PeerAnswer:
		return tx.peerAnswer(ctx, e, now)
	case essaim.Erase:
		return tx.erase(ctx, e, now)
	case essaim.React:
		return tx.react(ctx, e, st)
	case essaim.Unreact:
		return tx.unreact(ctx, e)
	case essaim.Moved:
		return tx.noteMove(ctx, e, now)
	case essaim.AllowQuote:
		return tx.allowQuote(ctx, e, now)
	case essaim.Reply:
		return tx.reply(ctx, e, now)
	case essaim.Acknowledge:
		return tx.acknowledge(ctx, e, now)
	case essaim.OfferAnswer:
		return tx.offerAnswered(ctx, e)
	case essaim.EraseComment:
		return tx.eraseComment(ctx, e, now)
	case essaim.Propose:
		return tx.propose(ctx, e, now)
	case essaim.Want:
		return tx.want(ctx, e, now)
	case essaim.FileReport:
		return tx.fileReport(ctx, e, now)
	case essaim.Refuse:
		return tx.refuse(ctx, e, now)
	case essaim.ForgetActor:
		return tx.forgetActor(ctx, e, now)
	case essaim.SaveActor:
		return tx.takeActor(ctx, e)
	}
	return did, fmt.Errorf("effect %T: %w", e, essaim.ErrInvalid)
}
