// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

// CollectionKind is a collection about a record, whose address stands in its
// document.
type CollectionKind string

// The collections of members that are listed; thanks are only counted.
const (
	CollectionReplies     CollectionKind = "replies"     // shown comments that answer the record itself
	CollectionThread      CollectionKind = "context"     // all its shown comments
	CollectionAdaptations CollectionKind = "adaptations" // published records that adapt it, here and elsewhere
)

// Members are some members of a collection, in its order.
type Members struct {
	IDs   []string
	Last  int64 // number of the last of IDs: the next page is after it
	Total int   // of the whole collection
}
