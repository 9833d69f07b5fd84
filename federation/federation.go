// SPDX-License-Identifier: AGPL-3.0-or-later

// Package federation speaks ActivityPub: it serves the node's actors, objects
// and activities, receives what others send, applies it, and delivers what the
// territory publishes.
//
// Inwards: inbox.go (gate, signature, owner rules, one durable row) →
// ingest.go (what an activity comes to, as essaim.Effects) → the store.
// Outwards: dispatch.go (an event becomes a delivery per inbox) → deliver.go
// (hosts are scheduled, not rows).
package federation

import (
	"context"
	"crypto/ed25519"
	"crypto/rsa"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"essaim"
	"essaim/store/blob"
)

// Keys are the node's key pairs; every local actor publishes them as its own.
type Keys struct {
	RSA     *rsa.PrivateKey
	Ed25519 ed25519.PrivateKey
}

// PeerPolicy decides whether a Follow of /actor is accepted at once.
type PeerPolicy string

// The policies of ESSAIM_PEER_POLICY.
const (
	PeerPolicyOpen      PeerPolicy = "open"
	PeerPolicyApprove   PeerPolicy = "approve"
	PeerPolicyAllowlist PeerPolicy = "allowlist"
)

// Config is what a Server needs. Node, Keys and Store are required.
type Config struct {
	Node       essaim.Node
	Keys       Keys
	Store      Store
	PeerPolicy PeerPolicy           // PeerPolicyOpen when empty
	Comments   essaim.CommentPolicy // essaim.CommentsHeld when empty
	// Allowlist takes activities only from who is allowed by a measure, or of a
	// node that is followed. Reading stays open.
	Allowlist bool
	Version   string // of the software, for NodeInfo
	SourceURL string // where its source code can be had, for NodeInfo
	// Now and NewID (a ULID in lower case) are injected by tests.
	Now    func() time.Time
	NewID  func() string
	Logger *slog.Logger
	// AllowPrivate lists ranges that may be reached over plain HTTP, for
	// development and tests.
	AllowPrivate []netip.Prefix
	// Transport carries outgoing requests in tests; the guarded client of
	// federation/fetch when nil.
	Transport http.RoundTripper
	// Caller tells the address that a request comes from, or the network that one
	// client holds whole: it pays for the keys that are fetched before its
	// signature is checked. Nobody does when nil.
	Caller func(*http.Request) netip.Prefix
	// PanicName, for development alone, is the name of an object whose activity
	// panics when it is applied, so that what must survive it can be tried.
	PanicName string
	Workers   int // deliveries under way at once; 64 when 0
	// Pictures keeps copies of avatars; none are made when nil.
	Pictures Pictures
}

// Pictures keeps pictures as files; *blob.Dir is the one.
type Pictures interface {
	Put(p blob.Picture) (file string, err error)
}

// Store is what federation needs of the database, by role.
type Store interface {
	InboxStore
	ActorStore
	DocumentStore
	DeliveryStore
	PeerStore
	LocalActorStore
	AccountStore
	GatherStore
	CommonsStore
	ReplicaStore
	RescueStore
}

// InboxStore keeps what came and applies it once.
type InboxStore interface {
	// ReceiveActivity stores the row; it is durable when it returns. fresh is
	// false when an activity of this id was received before.
	ReceiveActivity(ctx context.Context, in essaim.Inbound) (fresh bool, err error)
	// ClaimInbound leases up to n rows that are due, oldest first.
	ClaimInbound(ctx context.Context, n int, lease time.Duration) ([]essaim.Inbound, error)
	// Apply writes each activity's effects and its row in one transaction of its
	// own or, where the database groups commits, in a savepoint of its own: one
	// that fails leaves no trace and its error stands at its index.
	Apply(ctx context.Context, batch []essaim.Applied) []error
	// Standing is what the measures come to for an actor, or for any address on
	// its host.
	Standing(ctx context.Context, actor string) (essaim.Standing, error)
}

// ActorStore caches actors elsewhere.
type ActorStore interface {
	TrustStore
	// RemoteActor is essaim.ErrNotFound for one never fetched.
	RemoteActor(ctx context.Context, id string) (essaim.RemoteActor, error)
	// RemoteActorByKey finds the actor whose document lists a key id.
	RemoteActorByKey(ctx context.Context, keyID string) (essaim.RemoteActor, error)
	SaveRemoteActor(ctx context.Context, a essaim.RemoteActor) error
	// StaleActors claims up to n actors whose copy is older than age and lists
	// those that are to be fetched anew.
	StaleActors(ctx context.Context, age time.Duration, n int) ([]string, error)
	// LoseActor notes that an actor's home says that it is gone; the second time,
	// a day later, all that it left goes.
	LoseActor(ctx context.Context, id string) error
	// DueAvatars claims up to n avatars of which a copy is to be made; SaveAvatar
	// notes its file, empty for none.
	DueAvatars(ctx context.Context, n int) ([]essaim.Avatar, error)
	SaveAvatar(ctx context.Context, a essaim.Avatar, file string) error
}

// Stored is a document as it is served.
type Stored = essaim.Stored

// DocumentStore reads what is published.
type DocumentStore interface {
	// Object is a local record's document or its Tombstone; essaim.ErrNotFound
	// for what was never published.
	Object(ctx context.Context, id string) (Stored, error)
	// Activity is a local activity's bytes; essaim.ErrGone once its object is erased.
	Activity(ctx context.Context, id string) (Stored, error)
	// Outbox lists the activities of the current publications of an actor, newest
	// first, those with a change number below before (0 = from the newest);
	// numbers[i] is that of activities[i].
	Outbox(ctx context.Context, actor string, before int64, n int) (activities [][]byte, numbers []int64, err error)
	// OutboxAfter reads from the other end: of the activities with a change number
	// above after, the n oldest, newest first.
	OutboxAfter(ctx context.Context, actor string, after int64, n int) (activities [][]byte, numbers []int64, err error)
	// Counts are totals for the collections of a local actor and NodeInfo.
	Counts(ctx context.Context, actor string) (Counts, error)
	// Reactions counts the likes or announces of a local record.
	Reactions(ctx context.Context, object string, kind essaim.ReactionKind) (int, error)
	// Stamp is the document of a quote's stamp; essaim.ErrNotFound for one that
	// was never given, or revoked.
	Stamp(ctx context.Context, id string) ([]byte, error)
	// Members lists a collection about a local record: up to n ids after a number,
	// and how many there are in all.
	Members(ctx context.Context, record string, c essaim.CollectionKind, after int64, n int) (essaim.Members, error)
	// Number is the last change number committed, by any process: it moves with
	// every commit that changes what Object or Activity answers.
	Number(ctx context.Context) (int64, error)
	// Changes moves as Number does, and costs nothing to read; false where the
	// store does not know of every commit by itself.
	Changes() (n int64, ok bool)
	// Record is a record by its id.
	Record(ctx context.Context, id string) (essaim.Record, error)
}

// Counts are totals of one local actor.
type Counts = essaim.Totals

// DeliveryStore is the durable queue.
type DeliveryStore interface {
	// Dispatch takes up to n events after the cursor, in the order of their
	// numbers, and writes one delivery per distinct inbox of the followers of the
	// event's actor and of nodeActor, with the cursor's move, in one transaction.
	// It returns how many events it took. One process dispatches at a time.
	// Followers of nodeActor that read announces get no Create; see Announce.
	Dispatch(ctx context.Context, nodeActor string, n int) (int, error)
	// Announce makes the announces that are due into events, and returns how many.
	Announce(ctx context.Context) (int, error)
	// DueHosts lists hosts with a delivery that is due, with their state.
	DueHosts(ctx context.Context, n int) ([]essaim.HostState, error)
	// ClaimDeliveries leases up to n due deliveries of a host, oldest first; never
	// one behind an earlier live delivery with the same inbox and order key, and
	// none within a pause that the host asked for.
	ClaimDeliveries(ctx context.Context, host string, n int, lease time.Duration) ([]essaim.Delivery, error)
	// FinishDeliveries writes results; those whose claim was lost are left alone.
	FinishDeliveries(ctx context.Context, results []essaim.DeliveryResult) error
	// SaveHost keeps the later pause of a host, which another process may have written.
	SaveHost(ctx context.Context, h essaim.HostState) error
	// WakeHost makes what waits for a host due now, WakeHosts for any host; but for
	// what has its last try before it: after 410, or misplaced for essaim.MisplacedAfter.
	WakeHost(ctx context.Context, host string) error
	WakeHosts(ctx context.Context) error
	// LoseInbox removes the followers behind an inbox that is gone for good.
	LoseInbox(ctx context.Context, inbox string) error
	// Notify returns a channel that gets a value, at the latest within a second,
	// after work was committed, by this process or another.
	Notify() <-chan struct{}
}

// PeerStore keeps the nodes that we follow.
type PeerStore interface {
	Peers(ctx context.Context) ([]essaim.Peer, error)
	Peer(ctx context.Context, host string) (essaim.Peer, error)
	// FollowPeer stores the peer as requested and queues the Follow, in one transaction.
	FollowPeer(ctx context.Context, p essaim.Peer, follow essaim.Outgoing) error
	// UnfollowPeer removes the peer and queues the Undo; its records stay, marked.
	UnfollowPeer(ctx context.Context, host string, undo essaim.Outgoing) error
	// FollowsHere tells whether an actor elsewhere follows any of this node.
	FollowsHere(ctx context.Context, actor string) (bool, error)
	// FollowersAt lists up to n followers of a local actor that are of a host.
	FollowersAt(ctx context.Context, local, host string, n int) ([]string, error)
	// OurFollow is our follow of a node or an account; essaim.ErrNotFound for none.
	OurFollow(ctx context.Context, actor string) (essaim.OurFollow, error)
	// FollowLost notes that one does not list us, and queues the Follow once more.
	FollowLost(ctx context.Context, f essaim.OurFollow, follow essaim.Outgoing) error
	// Send queues an activity of a type for one inbox.
	Send(ctx context.Context, typ string, out essaim.Outgoing) error
	// Followers lists the followers of a local actor by id, after one.
	Followers(ctx context.Context, local, after string, n int) ([]string, error)
}
