// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"context"
	"time"

	"essaim"
)

// Reader finds records, local and replicated.
type Reader interface {
	// Search runs a query; a text or cursor that cannot be read is essaim.ErrInvalid.
	Search(ctx context.Context, q essaim.Query) (essaim.Results, error)
	// Cells counts what a query finds by cell of the map: at a zoom, most cells at most.
	Cells(ctx context.Context, q essaim.Query, zoom, most int) (essaim.MapCells, error)
	// Suggest lists up to n records whose title has the words of a text, of which
	// the last may only be begun.
	Suggest(ctx context.Context, text string, n int) ([]essaim.Record, error)
	// Record is a record by its id, whatever its state.
	Record(ctx context.Context, id string) (essaim.Record, error)
	// RecordBySlug finds by kind and slug; origin is a host, empty for local
	// records. kind may be empty when origin is set.
	RecordBySlug(ctx context.Context, kind essaim.Kind, origin, slug string) (essaim.Record, error)
	// Revisions lists a local record's, newest first.
	Revisions(ctx context.Context, id string) ([]essaim.Revision, error)
	// RelatedTo lists published records that point to one, and the relation.
	RelatedTo(ctx context.Context, id string) ([]Related, error)
	// Thanks counts likes and announces of a record.
	Thanks(ctx context.Context, id string) (likes, announces int, err error)
	// Comments lists those of a record that everyone may see, in the order in
	// which they came, after one (0 = from the first).
	Comments(ctx context.Context, record string, after int64, n int) ([]essaim.Comment, error)
	CountComments(ctx context.Context, record string) (int, error)
}

// Whole is what files and sitemaps are written from, besides searches.
type Whole interface {
	// Document is the stored bytes of a published record, local or replicated.
	Document(ctx context.Context, id string) ([]byte, error)
	// Addresses lists where the published records of an origin stand, the oldest change
	// first, from a position on; AddressParts cuts them into runs of a size.
	Addresses(ctx context.Context, origin string, from int64, n int) ([]essaim.Address, error)
	AddressParts(ctx context.Context, origin string, size int) ([]essaim.AddressPart, error)
}

// Explorer finds records for those who look for none in particular.
type Explorer interface {
	// SearchEach runs several queries.
	SearchEach(ctx context.Context, queries ...essaim.Query) ([]essaim.Results, error)
	// Communes lists up to n communes with their published records, most first.
	Communes(ctx context.Context, n int) ([]essaim.Count, error)
	// Random is a record that a query finds, as random bytes fall; essaim.ErrNotFound
	// when there is none.
	Random(ctx context.Context, q essaim.Query, draw []byte) (essaim.Record, error)
	// Similar lists published records that resemble one, the likest first.
	Similar(ctx context.Context, rec *essaim.Record, q essaim.Likest) ([]essaim.Likeness, error)
}

// Lineage is how records come of one another.
type Lineage interface {
	// ParentVersion is a version of a record that one of here adapts;
	// essaim.ErrNotFound when it is not kept, or erased.
	ParentVersion(ctx context.Context, d essaim.Derivation) (essaim.Content, error)
	// Branches lists up to n published adaptations of any of some records.
	Branches(ctx context.Context, parents []string, n int) ([]essaim.Branch, error)
	// Claim is how far an adaptation is acknowledged by the origin of what it adapts.
	Claim(ctx context.Context, child string) (essaim.ClaimState, error)
}

// Cast is the actors of this node, and what they have a part in.
type Cast interface {
	// RecordActor is the username of a record's own actor, LocalActor any actor of
	// this node by its username; essaim.ErrNotFound for none.
	RecordActor(ctx context.Context, record string) (string, error)
	LocalActor(ctx context.Context, username string) (essaim.LocalActor, error)
	// Feed is the actor of a theme or a commune; essaim.ErrNotFound before the
	// first publication about it.
	Feed(ctx context.Context, kind essaim.ActorKind, subject string) (essaim.LocalActor, error)
	// Credited lists the published records that credit a person of this node, the
	// latest change first, from a cursor on.
	Credited(ctx context.Context, actor, after string, limit int) (essaim.Results, error)
	// People lists, by name, up to n people of this node who let directories list
	// them: those after one. PersonOf is the username of an account's own actor;
	// essaim.ErrNotFound when she has none.
	People(ctx context.Context, after string, n int) ([]essaim.LocalActor, error)
	PersonOf(ctx context.Context, user int64) (string, error)
}

// Related is a record that points to another.
type Related = essaim.Related

// Writer changes local records. Each call is one transaction.
type Writer interface {
	CreateRecord(ctx context.Context, n essaim.NewRecord) (essaim.Record, error)
	// UpdateRecord writes a new revision; revision is the one that was edited, and
	// another in between is essaim.ErrConflict (0 skips the check). state is draft
	// or published; a published record stays published.
	UpdateRecord(ctx context.Context, id string, revision int, c essaim.Content, state essaim.State, by essaim.Author) (essaim.Record, error)
	// Adapt makes a draft that adapts a published record of here or elsewhere;
	// essaim.ErrForbidden when its kind or its licence does not allow it.
	Adapt(ctx context.Context, id string, by essaim.Author) (essaim.Record, error)
	// EraseCredit takes a person, by her name as it is written, out of the credits of
	// a record and of its history.
	EraseCredit(ctx context.Context, record, name string, by essaim.Author) error
	// WithdrawRecord erases the content and publishes the tombstone; a draft just goes.
	WithdrawRecord(ctx context.Context, id string, by essaim.Author) error
}

// Accounts signs people in. Secrets are given in clear and stored hashed.
type Accounts interface {
	// UseSignIn spends a sign-in link and opens a session.
	UseSignIn(ctx context.Context, secret, session string, until time.Time) (essaim.User, error)
	UserBySession(ctx context.Context, session string) (essaim.User, error)
	EndSession(ctx context.Context, session string) error
	UserByToken(ctx context.Context, token string) (essaim.User, error)
	UserByEmail(ctx context.Context, email string) (essaim.User, error)
	// NewSignIn stores a sign-in link for an account.
	NewSignIn(ctx context.Context, user int64, secret string, until time.Time) error
}

// Network lists the peers with their state.
type Network interface {
	Peers(ctx context.Context) ([]essaim.Peer, error)
	Peer(ctx context.Context, host string) (essaim.Peer, error)
	// Brought tells what each of them brought here, by host.
	Brought(ctx context.Context) (map[string]essaim.Brought, error)
	// Unwell lists those that are followed and of which something is wrong, and those
	// that are followed no more and of which copies are held.
	Unwell(ctx context.Context) ([]essaim.Peer, error)
	// CopyHolders lists the nodes that were asked what they hold under an id.
	CopyHolders(ctx context.Context, id string) ([]essaim.CopyHolder, error)
	// CopyReceived is when the version of a record of another node came.
	CopyReceived(ctx context.Context, id string) (time.Time, error)
}

// Moderation decides about what came from elsewhere. by is the account that
// decides; each decision goes to the journal with its reason.
type Moderation interface {
	// Items lists by state, the oldest first.
	Items(ctx context.Context, f essaim.ItemFilter) ([]essaim.Item, error)
	Item(ctx context.Context, n int64) (essaim.ItemDetail, error)
	// DecideItem is essaim.ErrConflict when the action changes nothing.
	DecideItem(ctx context.Context, n int64, a essaim.ItemAction, by int64, reason string) (essaim.ItemDetail, error)
	AcceptCandidate(ctx context.Context, n int64, as essaim.Kind, by int64, reason string) (essaim.ItemDetail, error)
	// Report stores a person's report; essaim.ErrNotFound when none of its objects
	// is published here. Receipt tells her what became of it.
	Report(ctx context.Context, r essaim.Report) error
	Receipt(ctx context.Context, id string) (essaim.Receipt, error)
	// Measures lists how hosts and accounts elsewhere are treated; AddMeasure and
	// LiftMeasure return the level that stood before.
	Measures(ctx context.Context) ([]essaim.Measure, error)
	AddMeasure(ctx context.Context, m essaim.Measure, by int64) (essaim.MeasureLevel, error)
	LiftMeasure(ctx context.Context, m essaim.Measure, by int64) (essaim.MeasureLevel, error)
	// Decisions is the journal, newest first, before a line (0 = from the newest).
	Decisions(ctx context.Context, before int64, n int) ([]essaim.Decision, error)
}

// Withdrawals are the records of others that this node shows no more.
type Withdrawals interface {
	// WithdrawHere is essaim.ErrNotFound for an address of nothing published here,
	// essaim.ErrConflict for what is withdrawn already.
	WithdrawHere(ctx context.Context, address string, by int64, reason string) (essaim.ItemDetail, error)
	// Withdrawal is essaim.ErrNotFound for what is not withdrawn here.
	Withdrawal(ctx context.Context, id string) (essaim.Withdrawal, error)
}

// Classification is how records are classified here.
type Classification interface {
	// Thesaurus is the common themes with the node's own.
	Thesaurus(ctx context.Context) (essaim.Thesaurus, error)
}

// Health tells whether the database answers and its schema is the program's, and
// whether the node gets back what it lost and publishes nothing meanwhile.
type Health interface {
	Ready(ctx context.Context) error
	Recovering(ctx context.Context) (bool, error)
}

// Store is what web needs of the database.
type Store interface {
	Reader
	Explorer
	Whole
	Lineage
	Cast
	Writer
	Accounts
	Network
	Moderation
	Withdrawals
	PictureStore
	Classification
	Health
}
