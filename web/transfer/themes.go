// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"essaim"
)

// aliasesTSV maps the words of other vocabularies to our themes: data.inclusion
// (before its "--") and TransforMap's type_of_initiative.
//
//go:embed aliases.tsv
var aliasesTSV string

// themeWords finds a theme by any of its names, folded.
var themeWords = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	put := func(word, id string) {
		if w := Fold(word); w != "" && m[w] == "" {
			m[w] = id
		}
	}
	all := essaim.Themes()
	for _, t := range all { // names before synonyms: a synonym may be another's name
		put(t.ID, t.ID)
		put(t.French, t.ID)
		put(t.English, t.ID)
	}
	// The narrower theme first, since a word may stand under both.
	for _, t := range slices.Backward(all) {
		for _, s := range t.Synonyms {
			put(s, t.ID)
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(aliasesTSV), "\n") {
		if word, id, ok := strings.Cut(line, "\t"); ok {
			put(word, id)
		}
	}
	return m
})

// matchTheme finds the theme that a value of a file names, the node's own first.
func (c *Converter) matchTheme(value string) (string, bool) {
	word := Fold(value)
	for _, t := range c.cfg.Thesaurus.Own {
		if word == Fold(t.Name()) || word == Fold(t.French) || t.English != "" && word == Fold(t.English) {
			return t.ID, true
		}
	}
	return matchTheme(value)
}

// matchTheme finds the common theme that a value of a file names.
func matchTheme(value string) (string, bool) {
	head, _, _ := strings.Cut(value, "--") // data.inclusion: "numerique--acquerir-un-equipement"
	id, ok := themeWords()[Fold(head)]
	return id, ok
}

// Bounds of essaim.Content.Validate that values of files may exceed.
const (
	maxThemes   = 10
	maxKeywords = 30
	maxKeyword  = 60
)

// splitThemes separates the values of a theme column into themes and, for those
// that the thesaurus does not know, keywords.
func splitThemes(cells []string, match func(string) (string, bool)) (themes, keywords []string) {
	for _, cell := range cells {
		for _, v := range splitValues(cell) {
			if id, ok := match(v); ok {
				if !slices.Contains(themes, id) {
					themes = append(themes, id)
				}
				continue
			}
			v = strings.TrimSpace(strings.ReplaceAll(strings.TrimLeft(v, "#"), "_", " "))
			if v == "" || utf8.RuneCountInString(v) > maxKeyword || otherWord(v) ||
				slices.Contains(keywords, v) || len(keywords) >= maxKeywords {
				continue
			}
			keywords = append(keywords, v)
		}
	}
	return themes, keywords
}

// fewer are the first of some themes of which, with the common theme above each of the
// node's own, there are not too many.
func (c *Converter) fewer(themes []string) (out []string) {
	for _, id := range themes {
		if len(out) >= maxThemes {
			break
		}
		// What is unknown is for the row to be refused for.
		more := c.cfg.Thesaurus.Complete(essaim.Problems{}, append(slices.Clone(out), id), nil)
		if !slices.Contains(out, id) && len(more) <= maxThemes {
			out = more
		}
	}
	return out
}

// otherWord says that a value only says "something else".
func otherWord(v string) bool {
	first, _, _ := strings.Cut(Fold(v), " ")
	return first == "other" || first == "othe" || first == "autre" || first == "autres"
}

// splitValues separates a cell of several values: by line, ";", "|" or ",", by
// an en dash or hyphen between spaces, by two spaces.
func splitValues(cell string) []string {
	if _, ok := matchTheme(cell); ok {
		return []string{cell} // "Réemploi, réparation, zéro déchet" is one name
	}
	seps := strings.NewReplacer("\n", ";", "|", ";", ",", ";", " – ", ";", " - ", ";", "  ", ";")
	var out []string
	for _, v := range strings.Split(seps.Replace(cell), ";") {
		if v = strings.TrimSpace(v); v != "" {
			out = append(out, v)
		}
	}
	return out
}
