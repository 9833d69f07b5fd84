// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	_ "embed"
	"encoding/csv"
	"io"
	"strings"

	"essaim"
)

// dictionaryTSV has a line for each column of the files that Export writes: its
// name, type, list of values, and what it means in French and in English.
//
//go:embed dictionary.tsv
var dictionaryTSV string

// Column is a line of the data dictionary.
type Column struct {
	Name string
	// Type is text, texts, markdown, code, codes, number, boolean, date, instant, url,
	// iri, language, hours or json; texts and codes are separated by ";".
	Type    string
	List    string // kind, theme, licence or an essaim.List; empty when values are free
	French  string
	English string
}

// Meaning is what the column means in a language, French unless "en".
func (c Column) Meaning(lang string) string {
	if lang == "en" {
		return c.English
	}
	return c.French
}

// Dictionary describes the columns of the files that Export writes, in their order;
// GeoJSON has them as properties.
func Dictionary() []Column {
	var out []Column
	for line := range strings.Lines(dictionaryTSV) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		out = append(out, Column{f[0], f[1], f[2], f[3], f[4]})
	}
	return out
}

// Values lists what a column may hold; none when it is free, or has the themes of a
// territory.
func (c Column) Values() []string {
	var out []string
	switch c.List {
	case "", "theme":
	case "kind":
		for _, k := range essaim.Kinds() {
			out = append(out, string(k.Kind))
		}
	case "licence":
		for _, l := range essaim.Licences() {
			if l.Free {
				out = append(out, l.ID)
			}
		}
	default:
		for _, t := range essaim.List(c.List).Terms() {
			out = append(out, t.ID)
		}
	}
	return out
}

// WriteDictionary writes the dictionary as CSV.
func WriteDictionary(w io.Writer) error {
	cw := csv.NewWriter(w)
	if err := cw.Write([]string{"name", "type", "values", "fr", "en"}); err != nil {
		return err
	}
	for _, c := range Dictionary() {
		if err := cw.Write([]string{c.Name, c.Type, strings.Join(c.Values(), ";"), c.French, c.English}); err != nil {
			return err
		}
	}
	cw.Flush()
	return cw.Error()
}
