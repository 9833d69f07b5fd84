// SPDX-License-Identifier: AGPL-3.0-or-later

package wire

// single tells whether an activity of this type is about exactly one object.
func single(activity string) bool {
	switch activity {
	case "Create", "Update", "Delete", "Undo", "Follow", "Accept", "Reject",
		"Like", "Announce", "Move", "EmojiReact":
		return true
	}
	return false
}

// nests tells whether the object of such an activity is itself an activity,
// which some software sends without an id.
func nests(activity string) bool {
	switch activity {
	case "Undo", "Accept", "Reject", "TentativeAccept", "TentativeReject":
		return true
	}
	return false
}

// IsActor tells whether a type is one of the five kinds of actor
// (Activity Vocabulary 3.2).
func IsActor(typ string) bool {
	switch typ {
	case "Person", "Organization", "Application", "Service", "Group":
		return true
	}
	return false
}

// IsObject tells whether a type is one of the objects that carry a text
// (Activity Vocabulary 3.3), Question among them: it is both.
func IsObject(typ string) bool {
	switch typ {
	case "Article", "Audio", "Document", "Event", "Image", "Note", "Page", "Question", "Video":
		return true
	}
	return false
}

// IsKnown tells whether ActivityStreams defines the type (Activity Vocabulary
// 2 and 3).
func IsKnown(typ string) bool {
	if IsActor(typ) || single(typ) && typ != "EmojiReact" || nests(typ) {
		return true
	}
	switch typ {
	case "Add", "Arrive", "Block", "Dislike", "Flag", "Ignore", "Invite", "Join",
		"Leave", "Listen", "Offer", "Question", "Read", "Remove", "Travel", "View",
		"Article", "Audio", "Document", "Event", "Image", "Note", "Page", "Place",
		"Profile", "Relationship", "Tombstone", "Video", "Collection",
		"OrderedCollection", "CollectionPage", "OrderedCollectionPage":
		return true
	}
	return false
}
