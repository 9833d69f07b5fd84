// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"essaim"
	"essaim/store/french"
)

// minBeginning is how many letters of a word are needed to look for those that
// begin so: fewer begin half of all titles. maxBeginning is how many the index knows.
const (
	minBeginning = 3
	maxBeginning = 12
)

// beginnings are how words begin, each once. Each is a term of the index: to gather the
// words that begin in a way is to read all that have one of them.
func beginnings(words []string) (list []string) {
	for _, word := range words {
		letters := []rune(word)
		for n := minBeginning; n <= min(len(letters), maxBeginning); n++ {
			list = append(list, string(letters[:n]))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Suggest lists up to n published records whose title has the words of a text, of
// which the last may only be begun; the latest change first.
func (s *Store) Suggest(ctx context.Context, text string, n int) (found []essaim.Record, err error) {
	words := french.Words(text)
	if len(words) == 0 || len(words) > french.MaxQueryTerms || n <= 0 {
		return nil, nil
	}
	begun := []rune(words[len(words)-1])
	if len(begun) < minBeginning {
		return nil, nil
	}
	m := match{prefix: string(begun[:min(len(begun), maxBeginning)]), until: newest, since: oldest}
	for _, word := range words[:len(words)-1] {
		for _, term := range french.Terms(word) {
			m.words = append(m.words, [][]string{{term}})
		}
	}
	err = s.read(ctx, func(tx *Tx) (err error) {
		if m.since, err = tx.stretch(ctx, m, inHead, newest); err != nil {
			return err
		}
		positions, err := tx.page(ctx, look{match: m, tier: inHead, below: newest, n: min(n, maxLimit)})
		if err != nil {
			return err
		}
		found, err = tx.recordsAt(ctx, positions)
		found = slices.DeleteFunc(found, func(r essaim.Record) bool {
			return len(begun) > maxBeginning && !slices.ContainsFunc(french.Words(r.Title), func(w string) bool { return strings.HasPrefix(w, string(begun)) })
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("suggestions: %w", err)
	}
	return found, nil
}
