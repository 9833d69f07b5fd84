// SPDX-License-Identifier: AGPL-3.0-or-later

package french

import (
	"strings"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
	snowball "github.com/blevesearch/snowballstem/french"
)

// MaxTerm is the length in bytes at which a term is cut. Nothing that people
// write as a word comes near; it bounds what hostile text puts in an index.
const MaxTerm = 64

// A Span is a piece of a text and the term that it stands for.
type Span struct {
	Start, End int    // byte offsets in the text given
	Term       string // as [Terms] returns it
}

// Terms cuts text into the terms to index or to look up, in their order and
// with their repetitions, stop words left out. A term holds only letters,
// digits and marks in lower case: no database cuts it further.
func Terms(text string) []string {
	var terms []string
	each(text, func(_, _ int, term string) { terms = append(terms, term) })
	return terms
}

// Words is [Terms] before the stemmer: the words of a text as [Fold] writes them,
// without articles and stop words, to find one by its beginning.
func Words(text string) []string {
	var words []string
	cut(nil, text, func(_, _ int, word string) { words = append(words, word) })
	return words
}

// Spans is [Terms] with the place of each term in the text, to show why a
// text was found. Several spans may cover the same piece ("½").
func Spans(text string) []Span {
	var spans []Span
	each(text, func(start, end int, term string) { spans = append(spans, Span{start, end, term}) })
	return spans
}

// each calls found for each term of text.
func each(text string, found func(start, end int, term string)) {
	cut(snowballstem.NewEnv(""), text, found)
}

// cut calls found for each term, or each word where there is nothing to stem with.
func cut(env *snowballstem.Env, text string, found func(start, end int, term string)) {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !wordRune(r) {
			i += size
			continue
		}
		start := i
		i = wordEnd(text, i)
		word(env, text[start:i], start, found)
	}
}

// wordEnd returns the end of the word that starts at i. An apostrophe belongs
// to a word when a word goes on behind it.
func wordEnd(text string, i int) int {
	for i < len(text) {
		r, size := utf8.DecodeRuneInString(text[i:])
		if apostrophe(r) {
			next, _ := utf8.DecodeRuneInString(text[i+size:])
			if !wordRune(next) {
				return i
			}
		} else if !wordRune(r) {
			return i
		}
		i += size
	}
	return i
}

// word calls found for the terms of one word: none, one, or several when an
// elision is cut off a word that folding splits.
func word(env *snowballstem.Env, raw string, start int, found func(start, end int, term string)) {
	folded := Fold(raw)
	end := start + len(raw)
	if !hasBreak(folded) {
		if t := term(env, folded); t != "" {
			found(start, end, t)
		}
		return
	}
	for _, part := range strings.FieldsFunc(folded, func(r rune) bool { return r != '\'' && !wordRune(r) }) {
		head, rest := elide(strings.Trim(part, "'"))
		cut := start
		if head != "" && strings.HasPrefix(folded, head+"'") {
			cut = afterApostrophe(raw, start)
		}
		if t := term(env, strings.ReplaceAll(rest, "'", "")); t != "" {
			found(cut, end, t)
		}
	}
}

// elide cuts the elided words from the front of a folded word, as in
// "d'aujourd'hui", "qu'l'autre", and returns what it cut first.
func elide(w string) (head, rest string) {
	for {
		before, after, ok := strings.Cut(w, "'")
		if !ok || !elisions[before] {
			return head, w
		}
		if head == "" {
			head = before
		}
		w = strings.TrimLeft(after, "'")
	}
}

// afterApostrophe returns the offset of what follows the first apostrophe of
// raw, so that a highlighted "l’école" marks the school and not its article.
func afterApostrophe(raw string, start int) int {
	for i, r := range raw {
		if apostrophe(r) {
			return start + i + utf8.RuneLen(r)
		}
	}
	return start
}

// term returns the term of a folded word, or nothing for a stop word.
func term(env *snowballstem.Env, w string) string {
	if stopWords[w] {
		return ""
	}
	if len(w) > MaxTerm {
		w = w[:MaxTerm]
		for !utf8.ValidString(w) {
			w = w[:len(w)-1]
		}
		return w
	}
	if env == nil || !letters(w) {
		return w
	}
	if singular, ok := irregular[w]; ok {
		w = singular
	}
	// The stemmer keeps the s of words in -os, -as, -us, -is, which it takes
	// for singulars: vélos, repas, abus, logis. Words of three letters are.
	if n := len(w); n > 3 && w[n-1] == 's' && strings.IndexByte("aiou", w[n-2]) >= 0 {
		w = w[:n-1]
	}
	// Without its accent the stemmer does not see the participle of organisée.
	if base := strings.TrimSuffix(w, "s"); len(base) > 3 && strings.HasSuffix(base, "ee") {
		w = base[:len(base)-1]
	}
	env.SetCurrent(w)
	snowball.Stem(env)
	s := env.Current()
	// Nor does it know that people who plant « plantent »; -ence is -ent to it, so
	// that résidence stays with résident and résider. Short words are nouns.
	if base, ok := strings.CutSuffix(s, "ent"); ok && len(base) > 4 && !strings.HasSuffix(base, "m") {
		s = base
	}
	if s != "" {
		return s
	}
	return w
}

// letters tells whether w is made of the letters a to z, which is what the
// stemmer's rules are about once accents are gone.
func letters(w string) bool {
	for i := range len(w) {
		if w[i] < 'a' || w[i] > 'z' {
			return false
		}
	}
	return true
}

// hasBreak tells whether folding put something in a word that ends words, as
// it does for "½" and for some ligatures, or an apostrophe.
func hasBreak(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !wordRune(r) }) >= 0
}
