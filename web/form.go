// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"essaim"
)

// recordForm is what a person typed about a record. It is kept as typed, so
// that a form that is refused comes back as it was.
//
// A field's name is the path under which essaim.Problems speaks of it
// ("title", "body.need", "body.steps.0.name"); lists of words are one line an
// item under the path of the list.
type recordForm struct {
	kind     essaim.Kind
	values   url.Values
	problems essaim.Problems
	l        *locale
	communes []string
}

// maxFormBytes bounds a form: the longest texts of a record and room to spare.
const maxFormBytes = 1 << 20

// formError tells a form that is too large from one that cannot be read.
func formError(err error) error {
	if status, _ := classify(err); status == http.StatusRequestEntityTooLarge {
		return err
	}
	return fmt.Errorf("form: %w", essaim.ErrInvalid)
}

// Field is one question of a form, ready to be drawn.
type Field struct {
	Name, ID    string
	Label, Hint string
	Value       string
	Error       string // a sentence, empty when there is none
	Required    bool
	Mode        string // of a phone's keyboard
	Low         bool   // takes a few short lines
	Lang        string
}

// DescribedBy are the ids of what is said about the field.
func (f Field) DescribedBy() string {
	var ids []string
	if f.Error != "" {
		ids = append(ids, "e-"+f.ID)
	}
	if f.Hint != "" {
		ids = append(ids, "h-"+f.ID)
	}
	return strings.Join(ids, " ")
}

// Field makes the field of a name; its words are field.{key} and hint.{key},
// where key is the name without numbers.
func (f *recordForm) Field(name string) Field {
	key := fieldKey(name)
	out := Field{Name: name, ID: fieldID(name), Label: f.l.T("field." + key), Value: f.values.Get(name), Lang: f.l.lang}
	if f.l.Has("hint." + key) {
		out.Hint = f.l.T("hint." + key)
	}
	if reason := f.reason(name); reason != "" {
		out.Error = f.l.T("problem." + reason)
		if n := utf8.RuneCountInString(out.Value); reason == "too_long" && n > 0 && !slices.Contains(lineFields, name) {
			out.Error = f.l.F("problem.too_long_now", "Count", f.l.Number(n))
		}
	}
	out.Required = f.required(name)
	out.Low = name == "tagline" || slices.Contains(lineFields, name) || strings.HasPrefix(name, "relations-")
	switch name {
	case "body.registration", "body.online":
		out.Mode = "url"
	case "body.siren":
		out.Mode = "numeric"
	}
	return out
}

// reason is the problem of a field, or of an item of its lines.
func (f *recordForm) reason(name string) string {
	if r, ok := f.problems[name]; ok {
		return r
	}
	if !slices.Contains(lineFields, name) && name != "themes" && !strings.HasPrefix(name, "relations-") {
		return ""
	}
	first := ""
	for field := range f.problems {
		if strings.HasPrefix(field, name+".") && (first == "" || field < first) {
			first = field
		}
	}
	return f.problems[first]
}

// required tells whether publication asks for a field.
func (f *recordForm) required(name string) bool {
	switch name {
	case "title", "licence":
		return true
	case "tagline", "themes":
		return f.kind == essaim.KindInitiative
	case "places":
		return f.kind == essaim.KindInitiative || f.kind == essaim.KindVenue || f.kind == essaim.KindOrganisation
	case "body.start":
		return f.kind == essaim.KindMeeting
	case "body.outcome", "relations-remakes":
		return f.kind == essaim.KindRemake
	}
	return false
}

// Checked tells whether a box of a name and value is ticked.
func (f *recordForm) Checked(name, value string) bool { return slices.Contains(f.values[name], value) }

// Rows numbers the rows of a repeated group: those that hold something, or as many
// as an empty form has, and two more when they are asked for.
func (f *recordForm) Rows(name string, least int) []int {
	n := max(f.count(name), least)
	if f.values.Get("ajouter") == name {
		n += 2
	}
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// Row is the field of a row: Row "places" 0 "city".
func (f *recordForm) Row(name string, i int, part string) Field {
	return f.Field(name + "." + strconv.Itoa(i) + "." + part)
}

// Kind is that of the record.
func (f *recordForm) Kind() essaim.Kind { return f.kind }

// RowError is the problem of a row as a whole, in words.
func (f *recordForm) RowError(name string, i int) string {
	if r, ok := f.problems[name+"."+strconv.Itoa(i)]; ok {
		return f.l.T("problem." + r)
	}
	return ""
}

// Open tells whether a folded part of the form holds something or has a problem.
func (f *recordForm) Open(names ...string) bool {
	if slices.Contains(names, f.values.Get("ajouter")) {
		return true
	}
	for _, n := range names {
		for field := range f.problems {
			if below(field, n) {
				return true
			}
		}
		// Every imported record says its language.
		if n != "language" && f.holds(n) {
			return true
		}
	}
	return false
}

// holds tells whether a field, or one below it, is filled in.
func (f *recordForm) holds(name string) bool {
	for field, v := range f.values {
		if below(field, name) && len(v) > 0 && strings.TrimSpace(v[0]) != "" {
			return true
		}
	}
	return false
}

// below tells whether a field is the one of a name, or a part of it.
func below(field, name string) bool {
	rest, ok := strings.CutPrefix(field, name)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '-')
}

// Communes are those of the territory, offered while typing.
func (f *recordForm) Communes() []string {
	const offered = 120
	var out []string
	for _, code := range f.communes {
		if c, ok := f.l.gazetteer.Commune(code); ok && len(out) < offered {
			out = append(out, communeText(c))
		}
	}
	slices.SortFunc(out, func(a, b string) int { return strings.Compare(essaim.Slug(a), essaim.Slug(b)) })
	return out
}

func communeText(c essaim.Commune) string { return c.Name + " (" + c.Code + ")" }

// Choice is a field that takes an entry of a closed list.
type Choice struct {
	Field Field
	List  string
}

// Boxes are fields that take several.
type Boxes struct {
	Form       *recordForm
	Name, List string
}

// Themes are the boxes of the thesaurus, and of other nodes' concepts already
// chosen.
func (f *recordForm) Themes() []FacetOption {
	var out []FacetOption
	thesaurus := f.l.themes.get()
	for _, t := range thesaurus.Themes() {
		out = append(out, FacetOption{Value: t.ID, Label: f.l.label(t), Checked: f.Checked("themes", t.ID), Narrower: t.Broader != ""})
	}
	for _, id := range f.values["themes"] {
		if _, known := thesaurus.Theme(id); !known && id != "" {
			out = append(out, FacetOption{Value: id, Label: f.l.theme(id), Checked: true})
		}
	}
	return out
}

// Licences are those that a record may be written under: free ones, and the
// one it has.
func (f *recordForm) Licences() []essaim.Licence {
	var out []essaim.Licence
	for _, l := range essaim.Licences() {
		if l.Free || l.ID == f.values.Get("licence") {
			out = append(out, l)
		}
	}
	return out
}

// HelpNames are the two lists of help.
func (f *recordForm) HelpNames() []string { return []string{"helpWanted", "helpOffered"} }

// StepImage carries a step's picture through the form, which does not ask for it.
func (f *recordForm) StepImage(i int) []Field {
	var out []Field
	for _, part := range []string{"image.url", "image.alt", "image.author", "image.licence"} {
		name := "body.steps." + strconv.Itoa(i) + "." + part
		if v := f.values.Get(name); v != "" {
			out = append(out, Field{Name: name, Value: v})
		}
	}
	return out
}

func fieldID(name string) string { return "f-" + strings.ReplaceAll(name, ".", "-") }

// fieldKey is the name of a field without the numbers of its rows.
func fieldKey(name string) string {
	parts := strings.Split(name, ".")
	kept := parts[:0:0]
	for _, p := range parts {
		if _, err := strconv.Atoi(p); err != nil && p != "body" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "_")
}

// count is how many rows of a group hold something.
func (f *recordForm) count(name string) int {
	n := 0
	for key, v := range f.values {
		rest, ok := strings.CutPrefix(key, name+".")
		if !ok || len(v) == 0 || strings.TrimSpace(v[0]) == "" {
			continue
		}
		number, _, _ := strings.Cut(rest, ".")
		if i, err := strconv.Atoi(number); err == nil && i >= n && i < 200 {
			n = i + 1
		}
	}
	return n
}

// text is a value without spaces around it and with one kind of line break.
func (f *recordForm) text(name string) string {
	return strings.TrimSpace(strings.ReplaceAll(f.values.Get(name), "\r\n", "\n"))
}

// line is a value that stands on one line.
func (f *recordForm) line(name string) string {
	return strings.Join(strings.Fields(f.values.Get(name)), " ")
}

// lines are the lines of a value that hold something.
func (f *recordForm) lines(name string) []string {
	var out []string
	for line := range strings.SplitSeq(f.text(name), "\n") {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// boxes are the ticked values of a name.
func (f *recordForm) boxes(name string) []string { return given(f.values, name) }

func (f *recordForm) set(name, value string) {
	if value != "" {
		f.values.Set(name, value)
	}
}

func (f *recordForm) setLines(name string, items []string) { f.set(name, strings.Join(items, "\n")) }

func (f *recordForm) setBoxes(name string, items []string) {
	if len(items) > 0 {
		f.values[name] = slices.Clone(items)
	}
}

// lineFields are lists written one item a line.
var lineFields = []string{
	"keywords", "networks", "links", "sources", "body.publics", "body.methods", "body.ingredients", "body.tools", "body.services", "body.openingHours",
}

// localTime is the form in which browsers write a date and time.
const localTime = "2006-01-02T15:04"

// when reads a local date and time; an empty one is no time.
func (f *recordForm) when(name string, zone *time.Location) time.Time {
	v := f.text(name)
	if v == "" {
		return time.Time{}
	}
	for _, layout := range []string{localTime, "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, v, zone); err == nil {
			return t
		}
	}
	f.problems.Add(name, "bad_date")
	return time.Time{}
}
