// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// ErasureSort says what was erased (effacement).
type ErasureSort string

// What is noted of an erasure. Where an id may name a person, there is only its
// digest (ErasureRef).
const (
	// ErasedRecord: a record, by its id; by its author here, or by its origin.
	ErasedRecord ErasureSort = "record"
	// ErasedHere: a record of another territory that is withdrawn here, by its id.
	ErasedHere ErasureSort = "withdrawal"
	// ErasureLifted: the withdrawal of that id stands no more.
	ErasureLifted ErasureSort = "lifted"
	// ErasedObject: a comment, a candidate or a post that quotes, which its author
	// elsewhere deleted.
	ErasedObject ErasureSort = "object"
	// ErasedCandidate: a candidate that whoever brought it took back.
	ErasedCandidate ErasureSort = "candidate"
	// ErasedReaction: a like or a boost that was taken back, by its object, its kind
	// and its actor.
	ErasedReaction ErasureSort = "reaction"
	// ErasedActor: an account elsewhere, with what it left.
	ErasedActor ErasureSort = "actor"
	// ErasedPerson: the Fediverse account of a person here.
	ErasedPerson ErasureSort = "person"
	// ErasedAccount: an account here, by its number and the microsecond of its making,
	// for numbers may be given anew.
	ErasedAccount ErasureSort = "account"
	// ErasedCredit: the name of a person whom a record of this node credited, by the
	// record's id and the name.
	ErasedCredit ErasureSort = "credit"
	// ErasedToken: an API token, by its account's number and its own id.
	ErasedToken ErasureSort = "token"
)

// Known tells whether it is a sort of this program.
func (s ErasureSort) Known() bool {
	switch s {
	case ErasedRecord, ErasedHere, ErasureLifted, ErasedObject, ErasedCandidate, ErasedReaction, ErasedActor, ErasedPerson, ErasedAccount, ErasedCredit, ErasedToken:
		return true
	}
	return false
}

// Erasure says that something was erased here, so that no older state of the
// database brings it back.
type Erasure struct {
	Sort ErasureSort `json:"sort"`
	Ref  string      `json:"ref"` // an id, or a digest of one
	At   time.Time   `json:"at"`  // to the microsecond
	ErasureDetail
}

// ErasureDetail is what is needed to erase again, and names nobody.
type ErasureDetail struct {
	Origin   string `json:"origin,omitempty"`   // host, of a withdrawal
	Digest   string `json:"digest,omitempty"`   // of a withdrawal the content digest of what was held, of a tombstone its copy digest
	Document []byte `json:"document,omitempty"` // tombstone of a record of this node, as it was signed
	Record   string `json:"record,omitempty"`   // of a credit: the id of what named the person
	KeepName bool   `json:"keepName,omitempty"` // of an account: revisions stay signed by its name
	// Unpublished says of a record, or of what an author elsewhere deleted, that no
	// published record of this node held anything of it.
	Unpublished bool `json:"unpublished,omitempty"`
}

// ErasureReach says which dumps of the commons may hold what was erased.
type ErasureReach int

// In no dump; in those with the records of other territories; in those too of what
// this node publishes alone.
const (
	ReachNone ErasureReach = iota
	ReachNetwork
	ReachOwn
)

// Reach tells which dumps may hold what was erased; own says that it is a record of
// this node. Dumps are of published records: there are no comments in them, no likes
// and no candidates. What a candidate brought into a published record is noted with it.
// An account elsewhere may be credited by a record of its own territory.
func (e Erasure) Reach(own bool) ErasureReach {
	switch {
	case e.Sort == ErasedReaction, e.Sort == ErasedCandidate, e.Sort == ErasedToken, e.Sort == ErasureLifted:
		return ReachNone
	case e.Unpublished && (e.Sort == ErasedRecord || e.Sort == ErasedObject):
		return ReachNone
	case e.Sort == ErasedHere, e.Sort == ErasedActor, e.Sort == ErasedRecord && !own:
		return ReachNetwork
	}
	return ReachOwn
}

// ErasureRef is the digest that stands for an id that may name a person: hex.
func ErasureRef(sort ErasureSort, id string) string {
	sum := sha256.Sum256([]byte("essaim erasure\n" + string(sort) + "\n" + id))
	return hex.EncodeToString(sum[:])
}
