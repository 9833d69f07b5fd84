// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "time"

// Inbound is an activity that passed the gate, the signature and the owner
// rules, kept as the bytes that came until it is applied.
type Inbound struct {
	ID         int64
	ActivityID string // IRI, unique: what comes twice is applied once
	Transient  bool   // it has no id of its own: once applied it may come again
	Type       string
	Actor      string // IRI of the actor that signed
	Raw        []byte
	ReceivedAt time.Time
	Attempt    int // claims so far, this one included
}

// InboundState is what became of an inbound activity.
type InboundState string

// The states of an inbound activity.
const (
	InboundWaiting InboundState = "waiting"
	InboundApplied InboundState = "applied"
	InboundIgnored InboundState = "ignored" // understood, and nothing to do
	InboundUnknown InboundState = "unknown" // of a type that is not known here
	InboundFailed  InboundState = "failed"  // kept for an administrator, with the reason
)

// Applied tells the store what an inbound activity comes to: its effects and
// its row's new state are written in one transaction, or none is.
type Applied struct {
	ID      int64
	Attempt int // the row is written only if the claim is still ours
	State   InboundState
	Reason  string    // why it was ignored or failed, for an administrator
	RetryAt time.Time // set when State is InboundWaiting: try again then
	Effects []Effect
	// Object is the id of what the activity carries whole, so that its erasure finds
	// the activity's bytes whatever became of it; empty when it carries nothing, or
	// when that is not known: what was noted at an earlier try stays.
	Object string
}

// Effect is one thing an inbound activity does. What depends on the state of
// the database (is the peer followed, is the version newer, does a tombstone
// stand) is decided by the store inside the transaction.
type Effect interface{ effect() }

// AddFollower records that a remote actor follows a local one and queues the
// Accept. A follow that stands already gets its Accept again.
type AddFollower struct {
	Local    string // IRI of the followed actor
	Follower RemoteActor
	FollowID string // id of the Follow
	Accept   Outgoing
	// Pending holds the follow for an administrator (ESSAIM_PEER_POLICY): no Accept is queued.
	Pending bool
	// Announced is set for a follower of the node's own actor that reads
	// announces and not what is published itself.
	Announced bool
}

// RemoveFollower undoes a follow. FollowID may be empty: then any follow of
// this pair goes.
type RemoveFollower struct{ Local, Follower, FollowID string }

// PeerAnswer is a peer's answer to our own Follow.
type PeerAnswer struct {
	FollowID string
	Actor    string // must be the actor that we asked to follow
	Accepted bool
}

// Replicate stores a version of a record of a peer that we follow: exact bytes
// and what was read from them.
type Replicate struct {
	Record   Record
	Document []byte
	// Foreign orders by Updated, then arrival, for software that writes no
	// essaim:revision.
	Foreign bool
	// Repair is set for the version that is proven to stand, when what is held was
	// found to differ from it: it is written whatever the row says that it is. Held
	// is the copy digest that was noted then; where another is noted now, a version
	// came meanwhile and the usual order counts.
	Repair bool
	Held   string
}

// Erase applies the deletion of a record by its origin: content, revisions,
// search rows and stored bytes go, the tombstone stays and wins over late
// versions. An id never seen gets its tombstone too.
type Erase struct {
	ID        string
	Actor     string // who deletes; must be the record's territory or its node's own actor; a comment's author
	Tombstone []byte // as received; may be empty
	// CopyDigest is the Tombstone's; empty when it carries no proof.
	CopyDigest string
	// OfActor is set when the Tombstone says that an actor is gone. Proven by the
	// node that is replicated, it erases what that one left, as ForgetActor.
	OfActor bool
	At      time.Time
}

// ReactionKind is Like or Announce.
type ReactionKind string

// The kinds of reaction.
const (
	ReactionLike     ReactionKind = "Like"
	ReactionAnnounce ReactionKind = "Announce"
)

// React counts a thanks or a boost of a local record; once per actor, object
// and kind.
type React struct {
	Kind       ReactionKind
	ActivityID string
	Actor      string
	Object     string // id of a local record
	At         time.Time
}

// Unreact undoes a reaction: by its activity id, or by kind and object when the
// id is not known here. What a Propose of that Announce brought goes too.
type Unreact struct {
	Kind       ReactionKind // may be empty when ActivityID is set
	ActivityID string
	Actor      string
	Object     string
}

// HoldComment stores a public Note in reply to a local record. Whether it waits
// for a moderator is the territory's policy, which may depend on its author.
type HoldComment struct {
	ID        string
	Actor     string
	InReplyTo string // a local record's id, or another comment's
	URL       string
	Content   string // HTML that went through the sanitizer
	Excerpt   string // its first words, plain text
	Warning   string
	Language  string
	Published time.Time
	Updated   time.Time
	Policy    CommentPolicy
}

// EraseComment removes a comment by its author, with the bytes of the activity
// that it comes from: a public answer that became a private one.
type EraseComment struct{ ID, Actor string }

// Propose makes something published elsewhere a candidate here, or refreshes one
// that nobody touched: when the account that brought it, or its node, is followed.
type Propose struct {
	Proposal Proposal
	// By is the actor whose activity brought it: its author or who announced it.
	By string
	// Announce is the activity that announced it, or the collection in which its
	// account put it, a space and its id; empty for its author's own.
	Announce string
}

// Want asks for an object that a followed account named without giving it: to be
// fetched from its origin, which alone says what it is and whose.
type Want struct {
	Object   string
	By       string
	Announce string // as Propose's
	// Deleted is set when somebody says that the object is deleted: its origin is
	// asked whether it is, and not for a newer version.
	Deleted bool
}

// ForgetActor erases what an actor that deleted itself left here: its follows,
// reactions, comments and its cached document.
type ForgetActor struct{ Actor string }

// SaveActor refreshes the cached copy of a remote actor.
type SaveActor struct {
	Actor RemoteActor
	// CopyDigest is its document's; empty when it carries no proof.
	CopyDigest string
}

func (AddFollower) effect()    {}
func (RemoveFollower) effect() {}
func (PeerAnswer) effect()     {}
func (Replicate) effect()      {}
func (Erase) effect()          {}
func (React) effect()          {}
func (Unreact) effect()        {}
func (HoldComment) effect()    {}
func (EraseComment) effect()   {}
func (Propose) effect()        {}
func (Want) effect()           {}
func (ForgetActor) effect()    {}
func (SaveActor) effect()      {}

// RemoteActor is the cached copy of an actor elsewhere.
type RemoteActor struct {
	ID          string
	Type        string
	Username    string
	Name        string
	URL         string
	Icon        string
	Inbox       string
	SharedInbox string // empty when it has none
	Outbox      string
	// Keys are those the actor's document lists, by key id.
	Keys      []PublicKey
	FetchedAt time.Time
	// Updated is when its document says that it was changed; zero when it does not
	// say, or a time to come.
	Updated  time.Time
	Document []byte
	// Gone is set when its home answered 404 or 410.
	Gone bool
	// Unindexed is set when its document says that it refuses to be indexed
	// (FEP-5feb): nothing that it publishes becomes a candidate.
	Unindexed bool
}

// PublicKey is a key of a remote actor.
type PublicKey struct {
	ID  string // IRI
	PEM string // SPKI; RSA or Ed25519
}

// Target is the inbox to deliver to: the shared one when there is one.
func (a RemoteActor) Target() string {
	if a.SharedInbox != "" {
		return a.SharedInbox
	}
	return a.Inbox
}
