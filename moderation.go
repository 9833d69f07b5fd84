// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"fmt"
	"time"
)

// ItemKind is a kind of thing that a moderator decides about.
type ItemKind string

// The kinds of item.
const (
	ItemComment   ItemKind = "comment"   // an answer that came from elsewhere
	ItemReport    ItemKind = "report"    // somebody says that something here must not be
	ItemCandidate ItemKind = "candidate" // something published elsewhere that may be shown here
	// ItemWithdrawal is a record that this node shows no more, for a reason of its own.
	ItemWithdrawal ItemKind = "withdrawal"
)

// ItemKinds lists them.
func ItemKinds() []ItemKind {
	return []ItemKind{ItemComment, ItemReport, ItemCandidate, ItemWithdrawal}
}

// ItemState is what was decided about an item; the words are the same for all
// kinds.
type ItemState string

// The states of an item. An accepted comment or candidate is shown; an accepted
// report was found right and acted upon. A hidden report was found wrong. An
// accepted withdrawal stands; a hidden one was lifted.
const (
	ItemHeld     ItemState = "held" // nobody decided yet
	ItemAccepted ItemState = "accepted"
	ItemHidden   ItemState = "hidden"
)

// ItemStates lists them.
func ItemStates() []ItemState { return []ItemState{ItemHeld, ItemAccepted, ItemHidden} }

// ItemAction is what a moderator does to an item.
type ItemAction string

// The actions on an item. ItemRestore undoes the last ItemHide, and lifts a
// withdrawal. ItemWithdraw stands in the journal where one was made.
const (
	ItemAccept  ItemAction = "accept"
	ItemHide    ItemAction = "hide"
	ItemRestore ItemAction = "restore"

	ItemWithdraw ItemAction = "withdraw"
)

// After is the state that an action leads to. was is the state that the item
// was in before it was hidden. An action that changes nothing is ErrConflict,
// one that does not exist ErrInvalid.
func (a ItemAction) After(now, was ItemState) (ItemState, error) {
	next := ItemState("")
	switch a {
	case ItemAccept:
		next = ItemAccepted
	case ItemHide:
		next = ItemHidden
	case ItemRestore:
		if now != ItemHidden {
			return "", fmt.Errorf("it is not hidden: %w", ErrConflict)
		}
		next = was
		if next == "" {
			next = ItemHeld
		}
	default:
		return "", fmt.Errorf("action %q: %w", a, ErrInvalid)
	}
	if next == now {
		return "", fmt.Errorf("it is %s already: %w", now, ErrConflict)
	}
	return next, nil
}

// MaxExcerpt is how many characters of an item a list shows.
const MaxExcerpt = 200

// Item is something that waits for a moderator, or was decided about. All kinds
// are numbered together.
type Item struct {
	N          int64     `json:"n"`
	Kind       ItemKind  `json:"kind"`
	Ref        string    `json:"ref"` // id of the comment, report or candidate
	State      ItemState `json:"state"`
	Actor      string    `json:"actor,omitempty"` // id of the account elsewhere that it is of
	About      string    `json:"about,omitempty"` // id of the record, or else of the actor, here that it is about
	Excerpt    string    `json:"excerpt"`         // its first words, plain text
	ReceivedAt time.Time `json:"receivedAt"`
}

// ItemFilter chooses items, the oldest first.
type ItemFilter struct {
	State ItemState // required
	Kind  ItemKind  // all kinds when empty
	After int64     // the last number of the page before; 0 for the first
	Limit int       // at most 100; 50 when 0
}

// ItemDetail is an item with what it holds and what was decided.
type ItemDetail struct {
	Item
	// Muted: its account is silenced or blocked, so that it is not shown whatever
	// is decided.
	Muted     bool       `json:"muted"`
	Comment   *Comment   `json:"comment,omitempty"`
	Candidate *Candidate `json:"candidate,omitempty"`
	Report    *Report    `json:"report,omitempty"`
	Decisions []Decision `json:"decisions"` // the oldest first
}

// Decision is a line of the moderation journal.
type Decision struct {
	N       int64     `json:"n"`
	At      time.Time `json:"at"`
	Account int64     `json:"account"` // who decided; 0 for the command line, AuthorDeleted
	Action  string    `json:"action"`
	Kind    string    `json:"kind"`    // of the subject: an ItemKind, "host" or "actor"
	Subject string    `json:"subject"` // an item's Ref, a host or an actor's id
	Before  string    `json:"before"`
	After   string    `json:"after"`
	Reason  string    `json:"reason"`
}

// MaxReason bounds the reason of a decision, in characters.
const MaxReason = 2000

// Comment is an answer to a record, or to another comment, that came from an
// account elsewhere.
type Comment struct {
	N         int64  `json:"n"` // number of its item; comments of a record are in this order
	ID        string `json:"id"`
	Record    string `json:"record"`    // id of the record that the thread is about
	InReplyTo string `json:"inReplyTo"` // that record, or another comment of it
	URL       string `json:"url"`       // its page at its home
	Actor     string `json:"actor"`
	Name      string `json:"name"`   // of its author; the handle when there is none
	Handle    string `json:"handle"` // of its author: @user@host
	ActorURL  string `json:"actorUrl"`
	Avatar    string `json:"avatar,omitempty"` // path here, of our own copy; empty when there is none
	// Content is HTML that went through the sanitizer.
	Content   string    `json:"content"`
	Warning   string    `json:"warning,omitempty"`  // plain text to show in its place until asked for more
	Language  string    `json:"language,omitempty"` // BCP 47
	Published time.Time `json:"published"`
	Updated   time.Time `json:"updated"`
}

// CommentPolicy says which comments are shown without a moderator.
type CommentPolicy string

// The comment policies (ESSAIM_COMMENTS).
const (
	CommentsHeld  CommentPolicy = "held"  // none
	CommentsKnown CommentPolicy = "known" // those of authors of whom one was accepted and none is hidden
	CommentsShown CommentPolicy = "shown" // all
)
