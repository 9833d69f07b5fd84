// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Problem is a line of the summary above a refused form; it leads to its field.
type Problem struct{ ID, Label, Text string }

// anchor is the field of the form that a problem's path belongs to.
func (f *recordForm) anchor(name string) string {
	for _, l := range append(slices.Clone(lineFields), "themes", "body.purposes", "body.forms") {
		if strings.HasPrefix(name, l+".") {
			return l
		}
	}
	if parts := strings.Split(name, "."); len(parts) == 2 && parts[0] == "places" {
		return name + ".commune"
	}
	return name
}

// formOrder is the order in which forms ask, by the beginnings of fields.
var formOrder = [...]string{
	"relations-remakes", "title", "tagline", "text", "body.start", "body.end", "places", "themes", "body",
	"help", "helpWanted", "helpOffered", "credits", "people", "relations", "links", "keywords", "networks", "sources",
}

// rank is where a field stands among them; the licence and its holder come last.
func rank(field string) int {
	for i, name := range formOrder {
		if below(field, name) {
			return i
		}
	}
	return len(formOrder)
}

// Problems lists what is wrong with the address of each field, in the order in
// which the form asks.
func (f *recordForm) Problems() []Problem {
	fields := make([]string, 0, len(f.problems))
	for name := range f.problems {
		fields = append(fields, name)
	}
	slices.SortFunc(fields, func(a, b string) int { return cmp.Or(rank(a)-rank(b), strings.Compare(a, b)) })
	out := make([]Problem, 0, len(fields))
	for _, name := range fields {
		at := f.anchor(name)
		label := f.l.T("field." + fieldKey(at))
		for part := range strings.SplitSeq(at, ".") {
			if row, err := strconv.Atoi(part); err == nil {
				label = f.l.F("form.in_row", "Label", label, "Row", row+1)
			}
		}
		out = append(out, Problem{ID: fieldID(at), Label: label, Text: f.l.T("problem." + f.problems[name])})
	}
	return out
}

// atRow says at which row of the form the problem of an item is: rows left empty make
// no item.
func (f *recordForm) atRow(field string) string {
	for _, group := range []string{"places", "helpWanted", "helpOffered", "body.indicators", "body.steps"} {
		rest, ok := strings.CutPrefix(field, group+".")
		if !ok {
			continue
		}
		n, part, more := strings.Cut(rest, ".")
		item, err := strconv.Atoi(n)
		if err != nil {
			return field
		}
		for row := range f.count(group) {
			if at := group + "." + strconv.Itoa(row); f.holds(at) {
				if item == 0 && more {
					return at + "." + part
				} else if item == 0 {
					return at
				}
				item--
			}
		}
	}
	return field
}
