// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	_ "embed"
	"encoding/csv"
	"io"
	"reflect"
	"strings"

	"essaim"
)

// dictionaryTSV has a line for each column of the files that Export writes, then one
// for each field of the JSON in essaim_details: its name, type, list of values, and
// what it means in French and in English.
//
//go:embed dictionary.tsv
var dictionaryTSV string

// Column is a line of the data dictionary.
type Column struct {
	Name string
	// Type is text, texts, markdown, code, codes, number, boolean, date, instant, url,
	// iri, language, hours or json; texts and codes are separated by ";".
	Type    string
	List    string // kind, theme, licence, relation or an essaim.List; empty when values are free
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

// Field is where in the JSON of essaim_details a line's value stands, as in
// "body.steps[].name"; empty for a column.
func (c Column) Field() string {
	_, field, _ := strings.Cut(c.Name, "essaim_details.")
	return field
}

// Kinds are the kinds of record that alone have a field; none when all have it.
func (c Column) Kinds() []essaim.Kind {
	field, ok := strings.CutPrefix(c.Field(), "body.")
	if !ok {
		return nil
	}
	field = strings.FieldsFunc(field, func(r rune) bool { return r == '.' || r == '[' })[0]
	var out []essaim.Kind
	for _, k := range essaim.Kinds() {
		body := reflect.TypeOf(k.Body()).Elem()
		for i := range body.NumField() {
			if name, _, _ := strings.Cut(body.Field(i).Tag.Get("json"), ","); name == field {
				out = append(out, k.Kind)
			}
		}
	}
	return out
}

// Dictionary describes the columns of the files that Export writes, in their order,
// then the fields of essaim_details; GeoJSON has columns as properties.
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
	case "relation":
		for _, r := range []essaim.RelationType{
			essaim.RelationAdapts, essaim.RelationDocuments, essaim.RelationRemakes, essaim.RelationAbout, essaim.RelationAnswers,
			essaim.RelationHosts, essaim.RelationWithin, essaim.RelationMember, essaim.RelationCites,
		} {
			out = append(out, string(r))
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
	if err := cw.Write([]string{"name", "type", "values", "fr", "en", "kinds"}); err != nil {
		return err
	}
	for _, c := range Dictionary() {
		var kinds []string
		for _, k := range c.Kinds() {
			kinds = append(kinds, string(k))
		}
		if err := cw.Write([]string{c.Name, c.Type, strings.Join(c.Values(), ";"), c.French, c.English, strings.Join(kinds, ";")}); err != nil {
			return err
		}
	}
	cw.Flush()
	return cw.Error()
}
