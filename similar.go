// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"cmp"
	"math"
	"slices"
)

// Word is a word of a record: the form that search compares, and how its author
// wrote it.
type Word struct {
	Term, Shown string
	Rare        bool // few of the records that it is compared with have it
}

// Described is a record with its words, each once: what records are compared by.
type Described struct {
	Record
	Head []Word // of the title, the tagline and the keywords
	Need []Word // of an initiative's need
	Text []Word // of the beginning of the text
}

// ReasonSort says in what two records are alike.
type ReasonSort string

// In what two records are alike. The values of a reason are ids of themes or of
// a list's entries, or words as the first of the two records writes them.
const (
	ReasonOrigin   ReasonSort = "origin" // both adapt the same record
	ReasonNeed     ReasonSort = "need"
	ReasonTheme    ReasonSort = "theme"
	ReasonNear     ReasonSort = "related_theme" // the broader theme of both
	ReasonPurpose  ReasonSort = "purpose"
	ReasonPublic   ReasonSort = "public"
	ReasonMethod   ReasonSort = "method"
	ReasonWords    ReasonSort = "words"
	ReasonKind     ReasonSort = "kind"
	ReasonActivity ReasonSort = "activity"
	ReasonDistance ReasonSort = "distance" // how far apart; it gives no points
)

// Reason is one thing in which two records are alike, and what it counts for.
type Reason struct {
	Sort       ReasonSort `json:"reason"`
	Values     []string   `json:"values,omitempty"`
	Points     int        `json:"points"`
	Kilometres int        `json:"kilometres,omitempty"` // of distance
}

// Likeness is a record that resembles another, and why.
type Likeness struct {
	Record  Record
	Score   int // the points of the reasons
	Reasons []Reason
}

// Likest is what is asked of those that resemble a record.
type Likest struct {
	// Here asks for those of the same territory too.
	Here  bool
	Limit int // 6 when 0, at most 20
}

// What the sorts of likeness count for. Nothing depends on how often a record is
// read, nor on who reads it.
const (
	pointsOrigin = 12
	pointsTheme  = 8 // the first; each other half
	pointsNear   = 4
	mostNeed     = 12
	mostWords    = 16
	// leastAlike is what two records must have in common beside their kind: one
	// theme is enough, the theme above it is not.
	leastAlike = 8
	// ofOneTerritory is how many of one territory come before those of others.
	ofOneTerritory = 2
	saidWords      = 3
	comparedPlaces = 8 // of a record
)

// MostAlike gives, of some records, up to n that resemble one most. Those that it
// is linked with are left out: its page names them already. It depends on nothing
// but what it is given, not even on the order.
func MostAlike(of *Described, others []Described, n int) []Likeness {
	var list []Likeness
	for i := range others {
		if others[i].ID == of.ID || tied(&of.Record, &others[i].Record) {
			continue
		}
		if l, ok := alike(of, &others[i]); ok {
			list = append(list, l)
		}
	}
	slices.SortFunc(list, func(a, b Likeness) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.distance(), b.distance()), b.Record.Updated.Compare(a.Record.Updated), cmp.Compare(a.Record.ID, b.Record.ID))
	})
	return ofSeveral(list, n)
}

// ofSeveral takes the first n, but those of a territory that has some already
// after those of others.
func ofSeveral(list []Likeness, n int) []Likeness {
	had := map[string]int{}
	first, rest := make([]Likeness, 0, len(list)), []Likeness(nil)
	for _, l := range list {
		if had[l.Record.Territory]++; had[l.Record.Territory] <= ofOneTerritory {
			first = append(first, l)
		} else {
			rest = append(rest, l)
		}
	}
	first = append(first, rest...)
	return first[:min(n, len(first))]
}

// distance is how far a record is, for sorting: one without a place is last.
func (l *Likeness) distance() int {
	for _, r := range l.Reasons {
		if r.Sort == ReasonDistance {
			return r.Kilometres
		}
	}
	return math.MaxInt
}

// tied tells whether one of two records names the other.
func tied(a, b *Record) bool {
	names := func(r *Record, id string) bool {
		return r.DerivedFrom != nil && r.DerivedFrom.ID == id || r.TranslationOf == id ||
			slices.ContainsFunc(r.Relations, func(rel Relation) bool { return rel.Target == id })
	}
	return names(a, b.ID) || names(b, a.ID)
}

// alike compares two records; false when they have too little in common.
func alike(of, other *Described) (Likeness, bool) {
	l := Likeness{Record: other.Record}
	add := func(sort ReasonSort, points int, values ...string) {
		if points > 0 {
			l.Reasons = append(l.Reasons, Reason{Sort: sort, Values: values, Points: points})
			l.Score += points
		}
	}
	if a, b := of.DerivedFrom, other.DerivedFrom; a != nil && b != nil && a.ID == b.ID {
		add(ReasonOrigin, pointsOrigin, a.Name)
	}
	need := shared(of.Need, other.Need)
	if points := min(mostNeed, weight(need, 3)); points >= 3 {
		add(ReasonNeed, points, said(need)...)
	} else {
		need = nil
	}
	sharedThemes(of, other, add)
	a, _ := of.Body.(*Initiative)
	b, _ := other.Body.(*Initiative)
	if a != nil && b != nil {
		for _, both := range []struct {
			sort   ReasonSort
			of, to []string
		}{{ReasonPurpose, a.Purposes, b.Purposes}, {ReasonPublic, a.Publics, b.Publics}, {ReasonMethod, a.Methods, b.Methods}} {
			if same := common(both.of, both.to); len(same) > 0 {
				add(both.sort, 2+min(len(same), 3), same...)
			}
		}
	}
	words := without(shared(all(of), all(other)), need)
	// A word that both have in title, tagline or keywords counts once more.
	points := min(mostWords, weight(words, 4)+weight(without(shared(of.Head, other.Head), need), 4))
	rare := rareOf(words)
	if rare < 2 { // both may have one by chance: with nothing else it is too little
		points = min(points, leastAlike-2)
	}
	if rare > 0 || len(words) > 1 {
		add(ReasonWords, points, said(words)...)
	}
	if l.Score < leastAlike {
		return l, false
	}
	if of.Kind == other.Kind {
		add(ReasonKind, 2, string(of.Kind))
	}
	if a != nil && b != nil && a.Activity != "" && a.Activity == b.Activity {
		add(ReasonActivity, 1, a.Activity)
	}
	if km, ok := apart(of.Places, other.Places); ok {
		l.Reasons = append(l.Reasons, Reason{Sort: ReasonDistance, Kilometres: km})
	}
	return l, true
}

// sharedThemes adds the themes that both were given or, without any, the
// nearest one above both.
func sharedThemes(of, other *Described, add func(ReasonSort, int, ...string)) {
	if same := common(of.Themes, other.Themes); len(same) > 0 {
		add(ReasonTheme, pointsTheme+pointsTheme/2*(min(len(same), 3)-1), same...)
		return
	}
	above := func(themes []string) (ids []string) {
		for _, t := range themes {
			ids = append(ids, ThemeAndBroader(t)...)
		}
		return ids
	}
	if near := common(above(of.Themes), above(other.Themes)); len(near) > 0 {
		add(ReasonNear, pointsNear, near[0])
	}
}

// common are the values of one list that the other has too, each once.
func common(a, b []string) (both []string) {
	for _, v := range a {
		if slices.Contains(b, v) && !slices.Contains(both, v) {
			both = append(both, v)
		}
	}
	return both
}

// all are a record's words.
func all(d *Described) []Word { return slices.Concat(d.Head, d.Need, d.Text) }

func has(list []Word, term string) bool {
	return slices.ContainsFunc(list, func(w Word) bool { return w.Term == term })
}

// shared are the words of one list that the other has too, each once, the rare
// ones first.
func shared(a, b []Word) (both []Word) {
	terms := make(map[string]bool, len(b))
	for _, w := range b {
		terms[w.Term] = true
	}
	for _, w := range a {
		if terms[w.Term] && !has(both, w.Term) {
			both = append(both, w)
		}
	}
	slices.SortStableFunc(both, func(a, b Word) int {
		switch {
		case a.Rare == b.Rare:
			return 0
		case a.Rare:
			return -1
		}
		return 1
	})
	return both
}

func without(list, less []Word) (out []Word) {
	for _, w := range list {
		if !has(less, w.Term) {
			out = append(out, w)
		}
	}
	return out
}

// weight is what words count for: a rare one so much, another one.
func weight(list []Word, rare int) (points int) {
	for _, w := range list {
		if points++; w.Rare {
			points += rare - 1
		}
	}
	return points
}

func rareOf(list []Word) (n int) {
	for _, w := range list {
		if w.Rare {
			n++
		}
	}
	return n
}

func said(list []Word) (words []string) {
	for _, w := range list[:min(saidWords, len(list))] {
		words = append(words, w.Shown)
	}
	return words
}

// apart is how far the nearest of two records' places are, in whole kilometres.
func apart(a, b []Place) (km int, ok bool) {
	least := math.Inf(1)
	for _, p := range a[:min(comparedPlaces, len(a))] {
		for _, q := range b[:min(comparedPlaces, len(b))] {
			if p.Located() && q.Located() {
				least = min(least, Distance(*p.Lat, *p.Lon, *q.Lat, *q.Lon))
			}
		}
	}
	return int(math.Round(min(least, math.Pi*EarthRadius))), !math.IsInf(least, 1)
}
