// SPDX-License-Identifier: AGPL-3.0-or-later

package french

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxQueryTerms is the number of terms of a query that count. The rest is
// ignored: a longer query costs time and finds nothing more.
const MaxQueryTerms = 32

// maxNone is how many things at most may be excluded: for each the index is read from
// one end to the other.
const maxNone = 6

// A Query is what a person asked for, as terms.
type Query struct {
	// All are the words that must all be present, without repetition.
	All []string
	// Phrases are the sequences that must be present in this order, each of at
	// least two terms. Stop words do not count: "recette de pain" is found in
	// « recettes du pain ».
	Phrases [][]string
	// Either are choices: of each, at least two sequences, mostly of one word, of
	// which one must be present.
	Either [][][]string
	// None are the sequences, mostly of one word, that must not be present.
	None [][]string
}

// Parse reads a query as people type it: words, "phrases" in straight,
// typographic or French quotation marks, a minus before what is not wanted (six
// things at most), AND in capitals, which says what is so without it, and
// OU (or OR) in capitals between two of which one is enough: it binds the words
// or phrases on its sides and nothing further. Any text is a query; Parse never
// fails.
func Parse(text string) Query {
	var q Query
	left := MaxQueryTerms
	var run []sequence // what OU joins, up to here
	joined := false    // OU stands before what comes
	for piece := range pieces(text) {
		switch {
		case piece.operator("OU", "OR"):
			joined = len(run) > 0
			continue
		case piece.operator("AND"): // ET is no word to look for in any case
			continue
		}
		terms := Terms(piece.text)
		if len(terms) > left {
			terms = terms[:left]
		}
		left -= len(terms)
		switch {
		case len(terms) == 0:
		case piece.minus:
			q.want(run)
			run, joined = nil, false
			if len(q.None) < maxNone && !slices.ContainsFunc(q.None, func(n []string) bool { return slices.Equal(n, terms) }) {
				q.None = append(q.None, terms)
			}
		case joined:
			run, joined = append(run, sequence{terms, piece.quoted}), false
		default:
			q.want(run)
			run = []sequence{{terms, piece.quoted}}
		}
	}
	q.want(run)
	return q
}

// sequence is the terms of one piece of a query.
type sequence struct {
	terms  []string
	quoted bool
}

// want adds sequences of which one must be present. One that stands alone
// without quotation marks is words, in whatever order.
func (q *Query) want(run []sequence) {
	var choice [][]string
	for _, s := range run {
		if !slices.ContainsFunc(choice, func(c []string) bool { return slices.Equal(c, s.terms) }) {
			choice = append(choice, s.terms)
		}
	}
	switch {
	case len(choice) > 1:
		q.Either = append(q.Either, choice)
	case len(choice) == 1 && run[0].quoted && len(choice[0]) > 1:
		if !slices.ContainsFunc(q.Phrases, func(p []string) bool { return slices.Equal(p, choice[0]) }) {
			q.Phrases = append(q.Phrases, choice[0])
		}
	case len(choice) == 1:
		for _, t := range choice[0] {
			if !slices.Contains(q.All, t) {
				q.All = append(q.All, t)
			}
		}
	}
}

type piece struct {
	text          string
	minus, quoted bool
}

// operator tells whether the piece is one of some words that say how to search.
func (p piece) operator(words ...string) bool {
	return !p.minus && !p.quoted && slices.Contains(words, p.text)
}

// pieces cuts a query at spaces and quotation marks.
func pieces(text string) func(yield func(piece) bool) {
	return func(yield func(piece) bool) {
		for text = strings.TrimLeftFunc(text, unicode.IsSpace); text != ""; text = strings.TrimLeftFunc(text, unicode.IsSpace) {
			var p piece
			if rest, ok := cutMinus(text); ok {
				p.minus, text = true, rest
			}
			r, size := utf8.DecodeRuneInString(text)
			if closing := quotes[r]; closing != 0 {
				text = text[size:]
				p.quoted = true
				p.text, text = cutRune(text, closing)
			} else {
				end := strings.IndexFunc(text, func(r rune) bool { return unicode.IsSpace(r) || quotes[r] != 0 })
				if end < 0 {
					end = len(text)
				}
				p.text, text = text[:end], text[end:]
			}
			if !yield(p) {
				return
			}
		}
	}
}

// quotes maps an opening quotation mark to its closing one. The apostrophe is
// not one of them.
var quotes = map[rune]rune{'"': '"', '«': '»', '“': '”', '„': '”', '”': '”', '»': '»'}

// cutMinus tells whether text starts with a minus that is followed by what it
// excludes, and returns that.
func cutMinus(text string) (rest string, ok bool) {
	for _, sign := range []string{"-", "−", "–"} {
		if rest, ok := strings.CutPrefix(text, sign); ok {
			r, _ := utf8.DecodeRuneInString(rest)
			return rest, wordRune(r) || quotes[r] != 0
		}
	}
	return text, false
}

// cutRune returns what stands before the first r and what stands after it. A
// quotation that is never closed goes to the end.
func cutRune(text string, r rune) (before, after string) {
	i := strings.IndexRune(text, r)
	if i < 0 {
		return text, ""
	}
	return text[:i], text[i+utf8.RuneLen(r):]
}
