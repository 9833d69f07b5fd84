// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"essaim"
	"essaim/store/french"
)

// searchDoc is what search knows of a record, as terms.
type searchDoc struct {
	head   []string          // of title and tagline
	names  []string          // how words of the title begin, unstemmed
	body   []string          // of everything else that is public
	filter []string          // one for each value of a facet, each map cell and each day
	labels map[string]string // of filter terms, as people wrote them
}

// filters is the filter terms as they are kept.
func (d *searchDoc) filters() string { return strings.Join(d.filter, " ") }

// heads is the words of the head as SQLite keeps them: in their order, then
// each once more with a mark, and how those of the title begin with another. A
// word that is frequent elsewhere and rare in titles is so found as fast as a
// rare one, and a title by how a word of it begins.
func (d *searchDoc) heads() string {
	var b strings.Builder
	b.WriteString(strings.Join(d.head, " "))
	seen := map[string]bool{}
	for _, term := range d.head {
		if !seen[term] {
			seen[term] = true
			b.WriteString(" " + headMark + term)
		}
	}
	for _, word := range d.names {
		b.WriteString(" " + nameMark + word)
	}
	return b.String()
}

// searchRow is what is to be indexed of a record, in its place.
type searchRow struct {
	position, rid int64
	doc           searchDoc
}

// Bounds of what is indexed of one record. PostgreSQL counts places up to
// 16,383 and keeps 255 of a word; the same bounds on both keep the results the
// same.
const (
	maxHead   = 500
	maxBody   = 15_000
	maxRepeat = 200
	maxFilter = 1000 // bytes of a filter term: PostgreSQL takes 2,046
)

// A filter term starts with a character that no word holds, and a letter for
// its sort.
const (
	filterMark      = "·"
	filterAny       = filterMark + "x" // every record has it
	filterKind      = filterMark + "k"
	filterTheme     = filterMark + "t"
	filterStage     = filterMark + "s"
	filterTerritory = filterMark + "a"
	filterOrigin    = filterMark + "o"
	filterCommune   = filterMark + "c"
	filterPurpose   = filterMark + "p"
	filterPublic    = filterMark + "b"
	filterLicence   = filterMark + "l"
	filterHelp      = filterMark + "h"
	filterDay       = filterMark + "d"
	filterCell      = filterMark + "g"
	headMark        = filterMark + "w" // a word of the head
	nameMark        = filterMark + "n" // how a word of the title begins, as it is written
)

// here stands for the empty origin of local records.
const here = "here"

// filterTerm makes a facet's value into a term that no tokenizer cuts: letters
// and digits as they are, every other byte as the mark and two hex digits.
func filterTerm(sort, value string) string {
	const hex = "0123456789abcdef"
	b := []byte(sort)
	for i := range len(value) {
		if len(b) > maxFilter {
			break
		}
		if c := value[i]; c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			b = append(b, c)
		} else {
			b = append(b, filterMark...)
			b = append(b, hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}

// filterValue is the inverse of filterTerm.
func filterValue(term string) (sort, value string) {
	sort, rest := term[:len(filterKind)], term[len(filterKind):]
	first, escaped, found := strings.Cut(rest, filterMark)
	if !found {
		return sort, first
	}
	b := []byte(first)
	for part := range strings.SplitSeq(escaped, filterMark) {
		if len(part) < 2 {
			continue
		}
		if n, err := strconv.ParseUint(part[:2], 16, 8); err == nil {
			b = append(b, byte(n))
		}
		b = append(b, part[2:]...)
	}
	return sort, string(b)
}

// searchDoc makes the terms of a record, with the labels of this node's own concepts.
func (tx *Tx) searchDoc(ctx context.Context, r *essaim.Record) (searchDoc, error) {
	var themes essaim.Thesaurus
	if hasLocal(r) {
		var err error
		if themes, err = tx.thesaurus(ctx); err != nil {
			return searchDoc{}, err
		}
	}
	return tx.s.newSearchDoc(r, themes), nil
}

func hasLocal(r *essaim.Record) bool {
	return slices.ContainsFunc(r.Themes, func(t string) bool {
		_, _, local := essaim.LocalTheme(t)
		return local
	})
}

// newSearchDoc makes the terms of a record.
func (s *Store) newSearchDoc(r *essaim.Record, themes essaim.Thesaurus) searchDoc {
	cutter, _ := s.cutters.Get().(*french.Cutter)
	if cutter == nil {
		cutter = new(french.Cutter)
	}
	defer s.cutters.Put(cutter)
	return cutSearchDoc(r, themes, cutter.Terms)
}

// cutSearchDoc is newSearchDoc with who cuts text into terms.
func cutSearchDoc(r *essaim.Record, themes essaim.Thesaurus, terms func(string) []string) searchDoc {
	d := newFilters(r)
	d.head = bounded(terms(r.Title+"\n"+r.Tagline), maxHead)
	d.names = beginnings(bounded(french.Words(r.Title), maxHead))
	d.body = bounded(terms(bodyText(r, themes)), maxBody)
	return d
}

// newFilters makes the filter terms of a record, each once.
func newFilters(r *essaim.Record) searchDoc {
	d := searchDoc{filter: []string{filterAny}, labels: map[string]string{}}
	add := func(sort, value string) {
		if value == "" {
			return
		}
		if term := filterTerm(sort, value); !slices.Contains(d.filter, term) {
			d.filter = append(d.filter, term)
		}
	}
	all := func(sort string, values []string) {
		for _, v := range values {
			add(sort, v)
		}
	}
	add(filterKind, string(r.Kind))
	for _, t := range allThemes(r.Themes) {
		add(filterTheme, t.id)
	}
	add(filterStage, stageOf(&r.Content))
	add(filterTerritory, r.Territory)
	d.labels[filterTerm(filterTerritory, r.Territory)] = r.TerritoryName
	add(filterOrigin, originOf(r))
	add(filterLicence, r.Licence)
	all(filterHelp, helpDays(&r.Content))
	all(filterDay, meetingDays(&r.Content))
	if b, ok := r.Body.(*essaim.Initiative); ok {
		all(filterPurpose, b.Purposes)
		for _, word := range b.Publics {
			add(filterPublic, essaim.Slug(word))
			d.labels[filterTerm(filterPublic, essaim.Slug(word))] = word
		}
	}
	seen := map[string]bool{}
	for _, p := range r.Places {
		add(filterCommune, p.INSEE)
		if p.Located() {
			for _, level := range cellLevels {
				if c := cellAt(level, *p.Lat, *p.Lon); !seen[c] {
					seen[c] = true
					d.filter = append(d.filter, c)
				}
			}
		}
	}
	return d
}

func originOf(r *essaim.Record) string {
	if r.Origin == "" {
		return here
	}
	return r.Origin
}

func stageOf(c *essaim.Content) string {
	if b, ok := c.Body.(*essaim.Initiative); ok {
		return b.Stage
	}
	return ""
}

type theme struct {
	id     string
	direct bool
}

// allThemes lists chosen themes and those above them, each once.
func allThemes(chosen []string) []theme {
	var all []theme
	at := map[string]int{}
	for _, c := range chosen {
		for i, id := range essaim.ThemeAndBroader(c) {
			if k, ok := at[id]; ok {
				all[k].direct = all[k].direct || i == 0
				continue
			}
			at[id] = len(all)
			all = append(all, theme{id, i == 0})
		}
	}
	return all
}

// bounded cuts a list of terms to what both databases index alike.
func bounded(terms []string, n int) []string {
	if len(terms) > n {
		terms = terms[:n]
	}
	count := make(map[string]int, len(terms))
	out := terms[:0]
	for _, t := range terms {
		if count[t]++; count[t] <= maxRepeat {
			out = append(out, t)
		}
	}
	return out
}

// bodyText is what a record says beside its title and tagline, with the names
// and synonyms of its themes, its places with their postcodes, and the people who
// may be named.
func bodyText(r *essaim.Record, themes essaim.Thesaurus) string {
	var b strings.Builder
	say := func(words ...string) {
		for _, w := range words {
			if w != "" {
				b.WriteString(w)
				b.WriteByte('\n')
			}
		}
	}
	say(r.Text)
	for _, t := range r.Themes {
		if known, ok := themes.Theme(t); ok {
			say(known.French, known.English)
			say(known.Synonyms...)
		}
		if _, _, local := essaim.LocalTheme(t); local {
			say(essaim.Thesaurus{}.Label("", t))
		}
	}
	say(r.Keywords...)
	for _, p := range r.Places {
		say(p.Label, p.City, p.Postcode)
	}
	for _, c := range r.PublicCredits() {
		say(c.Name)
	}
	for _, h := range append(append([]essaim.HelpNotice{}, r.HelpWanted...), r.HelpOffered...) {
		say(h.Text)
	}
	say(r.TerritoryName)
	if r.Body != nil {
		words(reflect.ValueOf(r.Body), say)
	}
	return b.String()
}

// words says every text of a body, in the order of its fields, so that a new
// kind is found without a line here. Addresses are not words.
func words(v reflect.Value, say func(...string)) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			words(v.Elem(), say)
		}
	case reflect.String:
		if s := v.String(); !strings.HasPrefix(s, "http://") && !strings.HasPrefix(s, "https://") {
			say(s)
		}
	case reflect.Slice:
		for i := range v.Len() {
			words(v.Index(i), say)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				words(v.Field(i), say)
			}
		}
	}
}

// Map cells: the world is 2^level by 2^level rectangles of degrees. A place
// has the cell of each level as a filter term, so that "near here" is found in
// the same index, and in the same order, as words and facets.
var cellLevels = [...]int{4, 6, 8, 10, 12, 14}

func cellAt(level int, lat, lon float64) string {
	x, y := cellXY(level, lat, lon)
	return cellTerm(level, x, y)
}

func cellXY(level int, lat, lon float64) (x, y int) {
	n := float64(int(1) << level)
	at := func(f float64) int { return int(math.Max(0, math.Min(n-1, math.Floor(f*n)))) }
	return at((lon + 180) / 360), at((lat + 90) / 180)
}

func cellTerm(level, x, y int) string {
	return filterCell + strconv.Itoa(level) + filterMark + strconv.Itoa(x) + filterMark + strconv.Itoa(y)
}
