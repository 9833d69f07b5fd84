// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "time"

// Query selects records: the same for pages, API, feeds and exports. The zero
// Query is every published record, local and replicated, newest change first.
type Query struct {
	// Text is words as typed, "phrases", -exclusions and OU; see store/french.
	Text        string
	Kinds       []Kind
	Themes      []string // a broader theme finds the narrower ones
	Territories []string // actor IRIs
	Stages      []string // ListStage
	Communes    []string // INSEE codes
	Beyond      []string // INSEE codes of communes whose records are left out
	Purposes    []string // ListPurpose
	Publics     []string // whom it is for, as Slug writes it
	Licences    []string
	NeedsHelp   bool // asks for help that is still wanted
	// Origin: "" for all, OriginLocal, OriginElsewhere, or a host.
	Origin string
	// State is StatePublished when empty; others are for those who may see them.
	State State
	Near  *Circle
	Box   *Box
	Since time.Time // changed after
	Until time.Time // changed before
	// From and To keep meetings that take place between two days, as "2006-01-02",
	// both included, in the zone of each; either may be empty.
	From, To string
	// Upcoming keeps meetings that have not ended at that time, soonest first.
	Upcoming time.Time
	// Newest orders by the latest change alone, also what words are looked for in:
	// feeds and files are read so. Nothing is counted, unless by facets.
	Newest bool
	After  string // Results.Next of the page before
	Limit  int    // 20 when 0, at most 100
	Facets bool   // count facets too
	// OwnKind says that Kinds is the list's own and no choice: its facet is not widened.
	OwnKind bool
}

// Circle is a radius around a point; degrees and kilometres.
type Circle struct{ Lat, Lon, Radius float64 }

// Box is a rectangle in degrees.
type Box struct{ South, West, North, East float64 }

// OriginLocal asks for what this node publishes.
const OriginLocal = "local"

// OriginElsewhere asks for what comes from any other node.
const OriginElsewhere = "elsewhere"

// CountCap is up to where counts are exact; beyond it reads "1 000+".
const CountCap = 1000

// Results is one page of what a query found.
type Results struct {
	Records []Record // fewer than the limit on the last page, and where Back is set
	Total   int      // exact up to CountCap
	Capped  bool     // there are more than CountCap
	Least   bool     // not all was looked at: there may be more than Total
	Facets  Facets
	Next    string // empty on the last page
	// Back is since when all that changed was looked at, where this page ends there: the
	// next one goes further back.
	Back time.Time
}

// Facets counts what a query found by value, most frequent first. Of a question of
// which values are chosen it counts what would be found with each of them instead:
// one more of it finds more, and is to be offered.
type Facets struct {
	Kinds       []Count
	Themes      []Count
	Territories []Count // Label is the territory's name
	Stages      []Count
	Communes    []Count // the most frequent; Value is an INSEE code
	Purposes    []Count
	Publics     []Count // the most frequent; Label is how somebody wrote it
	Licences    []Count
	NeedsHelp   []Count // one at most; Value is FacetHelp
}

// FacetHelp is the one value of the facet of records that need help.
const FacetHelp = "1"

// Count is a facet's value and how many records have it, exact up to CountCap.
type Count struct {
	Value  string
	Label  string
	N      int
	Capped bool
}

// Related is a record that points to another, and how.
type Related struct {
	Type   RelationType
	Record Record
	Claim  ClaimState // of one that adapts it: how far that is acknowledged
}
