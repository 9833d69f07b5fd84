// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

// Kind names what a record is, as written in essaim:kind.
type Kind string

// The kinds of record.
const (
	KindInitiative   Kind = "initiative"
	KindRecipe       Kind = "recipe"       // recette (comment faire)
	KindVenue        Kind = "venue"        // lieu
	KindOrganisation Kind = "organisation" // structure, réseau
	KindMeeting      Kind = "meeting"      // rencontre
	KindRemake       Kind = "remake"       // reprise, « Nous l'avons refait »
)

// KindInfo is a line of the table of kinds: all that the mechanism needs to
// know of a kind besides its body type.
type KindInfo struct {
	Kind Kind
	// Type is the ActivityStreams type on the wire: one string, never ours.
	Type string
	// Path is the first segment of its pages ("initiatives", "recettes").
	Path string
	// API is its segment under /api/v1 ("initiatives", "recipes").
	API string
	// Body makes an empty body of the kind.
	Body func() Body
}

// kinds is in the order in which the interface shows them.
var kinds = [...]KindInfo{
	{KindInitiative, "Article", "initiatives", "initiatives", func() Body { return new(Initiative) }},
	{KindRecipe, "Article", "recettes", "recipes", func() Body { return new(Recipe) }},
	{KindVenue, "Article", "lieux", "venues", func() Body { return new(Venue) }},
	{KindOrganisation, "Article", "structures", "organisations", func() Body { return new(Organisation) }},
	{KindMeeting, "Event", "rencontres", "meetings", func() Body { return new(Meeting) }},
	{KindRemake, "Note", "reprises", "remakes", func() Body { return new(Remake) }},
}

// Kinds lists the kinds of record in display order.
func Kinds() []KindInfo { return kinds[:] }

// Info finds the line of a kind; false for one that this version does not know.
func (k Kind) Info() (KindInfo, bool) {
	for _, i := range kinds {
		if i.Kind == k {
			return i, true
		}
	}
	return KindInfo{}, false
}

// Body is the part of a record that only its kind has. Validate adds what is
// wrong with it, with paths below "body."; publish tells whether the record is
// about to be public, which requires more than a draft.
type Body interface {
	Kind() Kind
	Validate(p Problems, publish bool)
}
