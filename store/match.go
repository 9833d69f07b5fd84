// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"essaim"
	"essaim/store/french"
)

// match is what a query asks of a record, as terms.
type match struct {
	words  [][][]string // of each, one must be present: a word, or words in this order
	none   [][]string   // none may be
	prefix string       // how a word of the title begins
	filter [][]string   // of each, one filter term must be
	area   *area        // nil for anywhere
	since  int64        // only positions above
	until  int64        // only positions below
}

// tier tells where a match wants the words.
type tier int

// Results come in two parts: with all words in title or tagline, then with
// some of them elsewhere. Within a part, the latest change comes first.
const (
	anywhere tier = iota
	inHead
	notInHead
)

func newMatch(q essaim.Query, now time.Time) match {
	text := french.Parse(q.Text)
	m := match{none: text.None, since: positionAfter(q.Since), until: newest}
	for _, w := range text.All {
		m.words = append(m.words, [][]string{{w}})
	}
	for _, p := range text.Phrases {
		m.words = append(m.words, [][]string{p})
	}
	m.words = append(m.words, text.Either...)
	m.any(filterKind, texts(q.Kinds))
	m.any(filterTheme, q.Themes)
	m.any(filterTerritory, q.Territories)
	m.any(filterStage, q.Stages)
	m.any(filterCommune, q.Communes)
	m.any(filterPurpose, q.Purposes)
	m.any(filterPublic, q.Publics)
	m.any(filterLicence, q.Licences)
	if q.NeedsHelp {
		m.any(filterHelp, helpFrom(now))
	}
	if q.From != "" || q.To != "" {
		m.any(filterDay, append(daysBetween(asked(q.From, firstDay), asked(q.To, lastDay)), "none"))
	}
	if !q.Until.IsZero() {
		m.until = q.Until.UnixMilli() * inMilli
	}
	switch q.Origin {
	case "":
	case essaim.OriginLocal:
		m.any(filterOrigin, []string{here})
	case essaim.OriginElsewhere:
		m.none = append(m.none, []string{filterTerm(filterOrigin, here)})
	default:
		m.any(filterOrigin, []string{q.Origin})
	}
	for _, code := range q.Beyond {
		m.none = append(m.none, []string{filterTerm(filterCommune, code)})
	}
	if m.area = newArea(q); m.area != nil {
		if cells := m.area.cover(); cells != nil {
			m.filter = append(m.filter, cells)
		}
	}
	if len(m.words) == 0 && len(m.filter) == 0 && (len(m.none) > 0 || m.area != nil || !q.Since.IsZero() || !q.Until.IsZero()) {
		m.filter = [][]string{{filterAny}}
	}
	return m
}

// everything tells whether the match refuses nothing.
func (m match) everything() bool { return len(m.words) == 0 && len(m.filter) == 0 && m.prefix == "" }

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

func (m *match) any(sort string, values []string) {
	if len(values) == 0 {
		return
	}
	terms := make([]string, len(values))
	for i, v := range values {
		terms[i] = filterTerm(sort, v)
	}
	m.filter = append(m.filter, terms)
}

// narrow says the same of fewer terms, by what the counters know: an index that is
// asked what it has not, or for much that nobody has, reads most of itself.
func (tx *Tx) narrow(ctx context.Context, m match) (match, error) {
	m, err := tx.narrowHelp(ctx, m)
	if err != nil {
		return m, err
	}
	return tx.narrowOrigin(ctx, m)
}

// fewOrigins is how many nodes are named where whatever is not of here is wanted.
const fewOrigins = 20

// narrowOrigin names the other nodes in place of all but this one, if they are few.
func (tx *Tx) narrowOrigin(ctx context.Context, m match) (match, error) {
	own := filterTerm(filterOrigin, here)
	at := slices.IndexFunc(m.none, func(seq []string) bool { return seq[0] == own })
	if at < 0 {
		return m, nil
	}
	var others []string
	err := tx.each(ctx, "facet_top", func(scan func(...any) error) error {
		var value, label string
		var n int
		err := scan(&value, &label, &n)
		if value != here {
			others = append(others, value)
		}
		return err
	}, facetOf[filterOrigin], fewOrigins+2)
	if err != nil || len(others) > fewOrigins {
		return m, err
	}
	if len(others) == 0 {
		others = []string{"nowhere"} // which finds nothing
	}
	m.none = slices.Delete(slices.Clone(m.none), at, at+1)
	m.filter = slices.DeleteFunc(slices.Clone(m.filter), func(choice []string) bool { return choice[0] == filterAny })
	m.any(filterOrigin, others)
	return m, nil
}

// narrowHelp keeps, of the days until which help may be wanted, those that some record
// names: PostgreSQL looks up each of fifty in each part of all records.
func (tx *Tx) narrowHelp(ctx context.Context, m match) (match, error) {
	at := slices.IndexFunc(m.filter, func(choice []string) bool { return strings.HasPrefix(choice[0], filterHelp) })
	if at < 0 {
		return m, nil
	}
	values := make([]string, len(m.filter[at]))
	for i, term := range m.filter[at] {
		_, values[i] = filterValue(term)
	}
	wanted, err := json.Marshal(values)
	if err != nil {
		return m, err
	}
	known, err := list(ctx, tx, only[string], "facet_known", facetOf[filterHelp], string(wanted))
	if err != nil {
		return m, err
	}
	if len(known) == 0 {
		known = values[:1] // which finds nothing
	}
	m.filter = slices.Delete(slices.Clone(m.filter), at, at+1)
	m.any(filterHelp, known)
	return m, nil
}

// holds applies a match to a record in Go: to those that search does not
// index (drafts, candidates).
func (m match) holds(r *essaim.Record) bool {
	d := newFilters(r)
	if len(m.words) > 0 || len(m.none) > 0 {
		d = cutSearchDoc(r, essaim.Thesaurus{}, french.Terms)
	}
	found := func(seq []string) bool {
		return contains(d.head, seq) || contains(d.body, seq) || contains(d.filter, seq)
	}
	for _, choice := range m.words {
		if !slices.ContainsFunc(choice, found) {
			return false
		}
	}
	if slices.ContainsFunc(m.none, found) {
		return false
	}
	for _, choice := range m.filter {
		if !slices.ContainsFunc(choice, func(f string) bool { return slices.Contains(d.filter, f) }) {
			return false
		}
	}
	return m.area == nil || slices.ContainsFunc(r.Places, m.area.holds)
}

// contains tells whether terms hold seq in its order without a gap.
func contains(terms, seq []string) bool {
	for i := 0; i+len(seq) <= len(terms); i++ {
		if slices.Equal(terms[i:i+len(seq)], seq) {
			return true
		}
	}
	return false
}

// fts5 writes a match for SQLite's full-text index. Terms hold no quotation
// mark, so nothing in them is read as an operator. No part names its column:
// words, filter terms and words of the head are never spelt alike, and the
// index then needs to read no more than who has them.
func (m match) fts5(t tier) string {
	quoted := func(seq []string) string { return `"` + strings.Join(seq, " ") + `"` }
	list := func(parts []string, with string) string { return "(" + strings.Join(parts, with) + ")" }
	headed := func(seq []string) string {
		parts := make([]string, len(seq), len(seq)+1)
		for i, term := range seq {
			parts[i] = quoted([]string{headMark + term})
		}
		if len(seq) > 1 {
			parts = append(parts, "{head} : "+quoted(seq))
		}
		return list(parts, " AND ")
	}
	var all, head []string
	for _, choice := range m.filter {
		parts := make([]string, len(choice))
		for i, f := range choice {
			parts[i] = quoted([]string{f})
		}
		all = append(all, list(parts, " OR "))
	}
	for _, choice := range m.words {
		whole, parts := make([]string, len(choice)), make([]string, len(choice))
		for i, seq := range choice {
			whole[i], parts[i] = quoted(seq), headed(seq)
		}
		head = append(head, list(parts, " OR "))
		if t != inHead {
			all = append(all, list(whole, " OR "))
		}
	}
	if t == inHead {
		all = append(all, head...)
	}
	if m.prefix != "" {
		all = append(all, quoted([]string{nameMark + m.prefix}))
	}
	expr := list(all, " AND ")
	if len(m.none) > 0 {
		parts := make([]string, len(m.none))
		for i, seq := range m.none {
			parts[i] = quoted(seq)
		}
		expr = "(" + expr + " NOT " + list(parts, " OR ") + ")"
	}
	if t == notInHead && len(head) > 0 {
		expr += " NOT " + list(head, " AND ")
	}
	return expr
}

// tsquery writes a match for PostgreSQL's full-text index.
func (m match) tsquery(t tier) string {
	phrase := func(seq []string, head bool) string {
		if head && len(seq) == 1 {
			return "'" + headMark + seq[0] + "'"
		}
		parts, marks := make([]string, len(seq)), ""
		for i, term := range seq {
			parts[i] = "'" + term + "'"
			if head {
				parts[i] += ":A"
				// What the index knows: neither a weight nor an order is in it.
				marks += "'" + headMark + term + "'&"
			}
		}
		return "(" + marks + "(" + strings.Join(parts, "<->") + "))"
	}
	one := func(list [][]string, head bool) string {
		parts := make([]string, len(list))
		for i, seq := range list {
			parts[i] = phrase(seq, head)
		}
		return "(" + strings.Join(parts, "|") + ")"
	}
	words := func(head bool) string {
		parts := make([]string, len(m.words))
		for i, choice := range m.words {
			parts[i] = one(choice, head)
		}
		return "(" + strings.Join(parts, "&") + ")"
	}
	var all []string
	for _, choice := range m.filter {
		parts := make([]string, len(choice))
		for i, f := range choice {
			parts[i] = "'" + f + "'"
		}
		all = append(all, "("+strings.Join(parts, "|")+")")
	}
	if len(m.words) > 0 {
		all = append(all, words(t == inHead))
	}
	if m.prefix != "" {
		all = append(all, "'"+nameMark+m.prefix+"'")
	}
	if len(m.none) > 0 {
		all = append(all, "!"+one(m.none, false))
	}
	if t == notInHead && len(m.words) > 0 {
		all = append(all, "!"+words(true))
	}
	// A row is refused by the first part that refuses it: those that cost least come first.
	slices.SortStableFunc(all, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
	return strings.Join(all, "&")
}

// tsvector is what PostgreSQL indexes of a record: the words of the head with
// weight A and once more with a mark, for a weight is not in the index and
// would be looked up row by row.
func tsvector(d *searchDoc) string {
	at := map[string][]string{}
	var order []string
	add := func(term, place string) {
		if _, ok := at[term]; !ok {
			order = append(order, term)
			at[term] = nil
		}
		if place != "" {
			at[term] = append(at[term], place)
		}
	}
	for i, term := range d.head {
		add(headMark+term, "")
		add(term, strconv.Itoa(i+1)+"A")
	}
	for _, word := range d.names {
		add(nameMark+word, "")
	}
	for i, term := range d.body {
		add(term, strconv.Itoa(len(d.head)+2+i))
	}
	for _, f := range d.filter {
		add(f, "")
	}
	var b strings.Builder
	for _, term := range order {
		b.WriteString("'" + term + "'")
		if places := at[term]; len(places) > 0 {
			b.WriteString(":" + strings.Join(places, ","))
		}
		b.WriteByte(' ')
	}
	return b.String()
}
