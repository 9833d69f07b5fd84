// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
)

// A search that finds little of what many records have would read all of them: those that
// have two words which hardly ever come together, or one and not another. So one request
// goes back through a stretch of all records, in which about as many have the rarest of
// what is asked for as it may look at; the next page goes on behind it. How far that is
// follows from a sample: the terms of one record in a thousand, by the number of its row,
// which nobody chooses. See docs/adr/0022-a-stretch-of-all-records.md.

// sampleOf is one record in how many is in the sample: a prime, for what is imported may
// alternate.
const sampleOf = 1009

// How many of the sample a stretch holds of what is rarest; fewer where words must follow
// one another, for which each record that has them is read.
const (
	stretchOf       = 50
	phraseStretchOf = 10
)

func (s *Store) sampleOf() int64 {
	if s.cfg.SearchSample > 0 {
		return int64(s.cfg.SearchSample)
	}
	return sampleOf
}

// sample keeps the terms of a row that is in the sample.
func (tx *Tx) sample(ctx context.Context, row *searchRow) error {
	if row.rid%tx.s.sampleOf() != 0 {
		return nil
	}
	terms, err := json.Marshal(row.doc.terms())
	if err != nil {
		return err
	}
	return tx.later(ctx, "sample_insert", row.position, string(terms))
}

// terms are those by which the record is found, each once.
func (d *searchDoc) terms() []string {
	list := slices.Concat(d.head, d.body, d.filter)
	for _, term := range d.head {
		list = append(list, headMark+term)
	}
	for _, word := range d.names {
		list = append(list, nameMark+word)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// groups are what the rows of a match must have: of each group one of its sequences of
// terms. Nil where whatever has one group matches, so that no stretch is needed.
func (m match) groups(t tier) (groups [][][]string) {
	for _, choice := range m.filter {
		group := make([][]string, len(choice))
		for i, term := range choice {
			group[i] = []string{term}
		}
		groups = append(groups, group)
	}
	for _, choice := range m.words {
		if t != inHead {
			groups = append(groups, choice)
			continue
		}
		group := make([][]string, len(choice))
		for i, seq := range choice {
			for _, term := range seq {
				group[i] = append(group[i], headMark+term)
			}
		}
		groups = append(groups, group)
	}
	if m.prefix != "" {
		groups = append(groups, [][]string{{nameMark + m.prefix}})
	}
	if len(groups) == 1 && len(m.none) == 0 && m.area == nil && t != notInHead && !m.phrases() {
		return nil
	}
	return groups
}

// phrases tells whether words must follow one another somewhere.
func (m match) phrases() bool {
	long := func(seq []string) bool { return len(seq) > 1 }
	return slices.ContainsFunc(m.none, long) ||
		slices.ContainsFunc(m.words, func(choice [][]string) bool { return slices.ContainsFunc(choice, long) })
}

// stretch is the position above which one request looks for a match below another: the
// match's own, where so few have what it asks for that all of them may be looked at.
func (tx *Tx) stretch(ctx context.Context, m match, t tier, below int64) (since int64, err error) {
	most := stretchOf
	if m.phrases() {
		most = phraseStretchOf
	}
	list, err := tx.stretches(ctx, []match{m}, t, below, most)
	if err != nil || list[0] == m.since {
		return m.since, err
	}
	if tx.reaches != nil && !tx.s.db.ordered() {
		r, err := tx.reach(ctx, below, m.since)
		if err != nil {
			return m.since, err
		}
		r.since, r.first = list[0], list[0]+1 // which is in the sample
		tx.reaches[r.between] = r
	}
	return list[0], nil
}

// stretches are those of several matches that are of one time, each with so many of the
// sample.
func (tx *Tx) stretches(ctx context.Context, list []match, t tier, below int64, most int) (since []int64, err error) {
	since = make([]int64, len(list))
	groups := make([][][][]string, len(list))
	asked := [][][]string{}
	for i, m := range list {
		since[i], groups[i] = m.since, m.groups(t)
		asked = append(asked, groups[i]...)
	}
	if len(asked) == 0 {
		return since, nil
	}
	if !tx.s.db.ordered() {
		// With fewer records there is no need to ask.
		r, err := tx.reach(ctx, below, list[0].since)
		if err != nil || !r.has(int64(most)*tx.s.sampleOf()/2) {
			return since, err
		}
	}
	had, err := tx.sampled(ctx, asked, below, list[0].since, most)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if len(groups[i]) > 0 {
			since[i] = max(since[i], furthest(groups[i], had, most))
		}
	}
	return since, nil
}

// furthest is before the position up to which so many of the sample have one of each
// group; the oldest when fewer have one of some.
func furthest(groups [][][]string, had map[string][]int64, most int) int64 {
	since := int64(newest)
	for _, group := range groups {
		var latest []int64
		for _, seq := range group {
			latest = append(latest, rarest(seq, had)...)
		}
		slices.SortFunc(latest, func(a, b int64) int { return cmp.Compare(b, a) })
		if latest = slices.Compact(latest); len(latest) < most {
			return oldest
		}
		since = min(since, latest[most-1]-1)
	}
	return since
}

// rarest is, of the terms of a sequence, where the one is that goes back furthest.
func rarest(seq []string, had map[string][]int64) (at []int64) {
	for i, term := range seq {
		if has := had[term]; i == 0 || len(has) < len(at) || len(has) == len(at) && len(has) > 0 && has[len(has)-1] < at[len(at)-1] {
			at = has
		}
	}
	return at
}

// sampled lists, of each term of groups, the latest records of the sample that have it.
func (tx *Tx) sampled(ctx context.Context, groups [][][]string, below, since int64, most int) (had map[string][]int64, err error) {
	var terms []string
	for _, group := range groups {
		terms = append(terms, slices.Concat(group...)...)
	}
	slices.Sort(terms)
	terms = slices.Compact(terms)
	had = make(map[string][]int64, len(terms))
	add := func(scan func(...any) error) error {
		var term string
		var position int64
		err := scan(&term, &position)
		had[term] = append(had[term], position)
		return err
	}
	if !tx.s.db.ordered() {
		return had, tx.each(ctx, "sample_latest", add, terms, below, since, most)
	}
	for _, term := range terms {
		if err := tx.each(ctx, "sample_latest", add, term, below, since, most); err != nil {
			return nil, err
		}
	}
	return had, nil
}

// has tells whether about so many records are known to stand between the last and the
// first.
func (r reach) has(rows int64) bool {
	return slices.ContainsFunc(r.back, func(m mark) bool { return m.rows >= rows && m.position > r.first })
}
