// SPDX-License-Identifier: AGPL-3.0-or-later

package french

import (
	"strings"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
)

// Cutter is [Terms] for many texts, whose words are mostly the same: it remembers
// what it met, for a stem costs more than anything else about a word. The zero value
// is ready. Not for several goroutines.
type Cutter struct {
	env   *snowballstem.Env
	known map[string]string // the one term of a word, empty for a stop word
}

// maxKnown is how many words are remembered; then it begins anew.
const maxKnown = 4096

// Terms is the function of that name.
func (c *Cutter) Terms(text string) []string {
	if c.env == nil {
		c.env, c.known = snowballstem.NewEnv(""), map[string]string{}
	}
	var terms []string
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !wordRune(r) {
			i += size
			continue
		}
		start := i
		i = wordEnd(text, i)
		terms = c.word(terms, text[start:i])
	}
	return terms
}

// word adds the terms of one word.
func (c *Cutter) word(terms []string, raw string) []string {
	if t, ok := c.known[raw]; ok {
		if t == "" {
			return terms
		}
		return append(terms, t)
	}
	n, last := len(terms), ""
	word(c.env, raw, 0, func(_, _ int, t string) { terms, last = append(terms, t), t })
	if len(terms)-n <= 1 && len(raw) <= MaxTerm {
		if len(c.known) >= maxKnown {
			clear(c.known)
		}
		c.known[strings.Clone(raw)] = strings.Clone(last)
	}
	return terms
}
