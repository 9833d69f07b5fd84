// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"fmt"
	"unicode/utf8"

	"essaim"
	"essaim/store/french"
)

// minBeginning is how many letters of a word are needed to look for those that
// begin so: fewer begin half of all titles.
const minBeginning = 3

// Suggest lists up to n published records whose title has the words of a text, of
// which the last may only be begun; the latest change first.
func (s *Store) Suggest(ctx context.Context, text string, n int) (found []essaim.Record, err error) {
	words := french.Words(text)
	if len(words) == 0 || len(words) > french.MaxQueryTerms || n <= 0 {
		return nil, nil
	}
	m := match{prefix: words[len(words)-1], until: newest, since: oldest}
	if utf8.RuneCountInString(m.prefix) < minBeginning {
		return nil, nil
	}
	for _, word := range words[:len(words)-1] {
		for _, term := range french.Terms(word) {
			m.words = append(m.words, [][]string{{term}})
		}
	}
	err = s.read(ctx, func(tx *Tx) error {
		positions, err := tx.page(ctx, look{match: m, tier: inHead, below: newest, n: min(n, maxLimit)})
		if err != nil {
			return err
		}
		found, err = tx.recordsAt(ctx, positions)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("suggestions: %w", err)
	}
	return found, nil
}
