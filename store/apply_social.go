// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"time"

	"essaim"
)

// takesAnnounce marks a follower that gets announces, not what is announced.
const takesAnnounce = "announce"

// found tells whether a statement finds a row.
func (tx *Tx) found(ctx context.Context, name string, args ...any) (bool, error) {
	var one int
	err := tx.row(ctx, name, args...).Scan(&one)
	if errors.Is(err, essaim.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (tx *Tx) addFollower(ctx context.Context, e essaim.AddFollower, now time.Time) (outcome, error) {
	if _, err := tx.saveActor(ctx, e.Follower); err != nil {
		return did, err
	}
	asked := "accepted"
	if e.Pending {
		asked = "pending"
	}
	takes := "activity"
	if e.Announced {
		takes = takesAnnounce
	}
	inbox := e.Follower.Target()
	var state string
	err := tx.row(ctx, "follower_add", e.Local, e.Follower.ID, e.FollowID, inbox, authority(inbox), asked, micros(now), takes).Scan(&state)
	if err != nil {
		return did, err
	}
	if _, err := tx.exec(ctx, "follower_replace", e.Local, e.Follower.ID); err != nil {
		return did, err
	}
	node, err := tx.nodeActor(ctx)
	if err != nil {
		return did, err
	}
	if e.Local == node && e.Follower.Type == "Application" {
		// A node that follows ours: shown in the network, with the offer to follow back.
		_, err := tx.exec(ctx, "peer_known", authority(e.Follower.ID), e.Follower.ID, e.Follower.Username, e.Follower.URL, e.Follower.Inbox, micros(now))
		if err != nil {
			return did, err
		}
	}
	if state != "accepted" || e.Accept.ActivityID == "" {
		return did, nil
	}
	return did, tx.enqueue(ctx, "Accept", e.Accept, now)
}

func (tx *Tx) removeFollower(ctx context.Context, e essaim.RemoveFollower) (outcome, error) {
	var n int64
	var err error
	if e.Local == "" {
		n, err = tx.exec(ctx, "follower_remove_by_id", e.Follower, e.FollowID)
	} else {
		n, err = tx.exec(ctx, "follower_remove", e.Local, e.Follower, e.FollowID)
	}
	if err == nil && n == 0 {
		return nothing("no such follow"), nil
	}
	return did, err
}

func (tx *Tx) peerAnswer(ctx context.Context, e essaim.PeerAnswer, now time.Time) (outcome, error) {
	state := essaim.PeerRefused
	if e.Accepted {
		state = essaim.PeerFollowed
	}
	n, err := tx.exec(ctx, "peer_answered", e.FollowID, e.Actor, string(state), micros(now))
	if err == nil && n > 0 && e.Accepted {
		tx.wake() // there is something to be read
		_, err = tx.exec(ctx, "sync_again", authority(e.Actor))
	}
	if err == nil && n == 0 {
		n, err = tx.exec(ctx, "followed_answered", e.FollowID, e.Actor, string(state), micros(now))
	}
	if err == nil && n == 0 {
		return nothing("no such follow of ours"), nil
	}
	return did, err
}

func (tx *Tx) react(ctx context.Context, e essaim.React, st essaim.Standing) (outcome, error) {
	here, err := tx.found(ctx, "published_here", e.Object)
	if err != nil {
		return did, err
	}
	if !here {
		return nothing("not a published record of ours"), nil
	}
	n, err := tx.exec(ctx, "reaction_add", string(e.Kind), e.Object, e.Actor, e.ActivityID, instant(e.At), flag(st.Silenced))
	if err == nil && n == 0 {
		return nothing("counted already"), nil
	}
	return did, err
}

func (tx *Tx) unreact(ctx context.Context, e essaim.Unreact) (outcome, error) {
	var gone []string
	var err error
	if e.ActivityID != "" {
		gone, err = list(ctx, tx, only[string], "reaction_remove_by_id", e.ActivityID, e.Actor)
	}
	if err == nil && len(gone) == 0 && e.Kind != "" && e.Object != "" {
		gone, err = list(ctx, tx, only[string], "reaction_remove", e.Object, string(e.Kind), e.Actor)
	}
	if err == nil && len(gone) == 0 {
		return tx.unannounce(ctx, e)
	}
	for _, reaction := range gone {
		err = errors.Join(err, tx.noteNamed(ctx, essaim.ErasedReaction, reaction))
	}
	return did, err
}

func (tx *Tx) forgetActor(ctx context.Context, e essaim.ForgetActor, now time.Time) (outcome, error) {
	had, err := tx.forgetItems(ctx, e.Actor, now)
	if err != nil {
		return did, err
	}
	inbox := ""
	err = tx.row(ctx, "actor_inbox", e.Actor).Scan(&inbox)
	if err != nil && !errors.Is(err, essaim.ErrNotFound) {
		return did, err
	}
	if err := tx.candidatesOf(ctx, e.Actor, tx.takeBack); err != nil {
		return did, err
	}
	for _, name := range []string{"followed_remove", "wanted_remove_brought", "follower_remove_actor", "reaction_remove_actor", "quote_remove_actor", "moved_remove_actor", "avatar_remove", "actor_remove", "commons_forget", "deliveries_forget", "direct_forget"} {
		n, err := tx.exec(ctx, name, e.Actor)
		if err != nil {
			return did, err
		}
		had += n
	}
	if had > 0 { // most that are deleted somewhere left nothing here
		if err := tx.noteNamed(ctx, essaim.ErasedActor, e.Actor); err != nil {
			return did, err
		}
	}
	if inbox != "" {
		used, err := tx.found(ctx, "follower_inbox_used", inbox)
		if err != nil {
			return did, err
		}
		if !used {
			if _, err := tx.exec(ctx, "delivery_drop_inbox", inbox, micros(now)); err != nil {
				return did, err
			}
		}
	}
	if _, err = tx.exec(ctx, "inbox_erase_actor", e.Actor, micros(now)); err != nil {
		return did, err
	}
	return did, tx.noteErased(ctx)
}

// later is the later of two times.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
