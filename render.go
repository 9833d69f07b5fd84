// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "time"

// Verb is what a publication does to a record, as the activity's type.
type Verb string

// The verbs of publication.
const (
	VerbCreate Verb = "Create"
	VerbUpdate Verb = "Update"
	VerbDelete Verb = "Delete"
)

// RenderRequest asks for the bytes that publish one version of a record.
type RenderRequest struct {
	Verb       Verb
	ActivityID string
	// Record is complete: id, slug, URL, territory, version and dates are set.
	// For VerbDelete only its identity, kind, version and dates are.
	Record Record
	At     time.Time
	// Signed is the version's document where it was signed before and only came
	// back: then its activity alone is made.
	Signed []byte
}

// Rendered is what federation/vocab makes of a record; store keeps it as bytes
// and never looks inside.
type Rendered struct {
	Document      []byte // the object with its proof; for VerbDelete the Tombstone
	Activity      []byte // the activity that embeds it, with its own proof
	ContentDigest string // hex
	CopyDigest    string // hex
}

// RenderFunc makes the bytes of a publication. It is pure but for the keys it
// holds: the same request gives the same bytes.
type RenderFunc func(RenderRequest) (Rendered, error)

// ActorFunc makes the document of an actor of this node, or the tombstone of one
// that is gone, with its digests; Activity is empty.
type ActorFunc func(LocalActor) (Rendered, error)

// ReadActorFunc reads from a document of an actor of this node what was chosen of
// it: where it differs from that of the same actor of which nothing was.
type ReadActorFunc func(a LocalActor, document []byte) (Profile, error)
