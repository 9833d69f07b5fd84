// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"reflect"
	"slices"
	"strings"
)

// Difference is how one field of a content differs between two versions.
type Difference struct {
	Field string // as essaim.Problems names it: "title", "body.steps"
	Lines []DifferenceLine
}

// DifferenceLine is a line that both versions have, or only one of them.
type DifferenceLine struct {
	Gone, New bool // neither for one of both
	Text      string
}

// Differences tells what changed from one version of what may be adapted to
// another, in the order of the form: the fields that an adaptation takes over.
func Differences(before, after *Content) []Difference {
	from, to := before.TakenOver(), after.TakenOver()
	old, now := adaptedFields(&from), adaptedFields(&to)
	var out []Difference
	cells := maxCells
	for i, f := range now {
		was := ""
		for _, o := range old {
			if o.name == f.name {
				was = o.text
			}
		}
		if a, b := textLines(was), textLines(f.text); !slices.Equal(a, b) {
			out = append(out, Difference{Field: now[i].name, Lines: lineDifference(a, b, &cells)})
		}
	}
	return out
}

// ChangedFields names the fields in which two versions of a record differ, all that
// people write of it, in the order of the content.
func ChangedFields(before, after *Content) []string {
	out := unlike("", reflect.ValueOf(*before), reflect.ValueOf(*after))
	if a, b := reflect.ValueOf(before.Body), reflect.ValueOf(after.Body); a.IsValid() && b.IsValid() && a.Type() == b.Type() && !a.IsNil() && !b.IsNil() {
		out = append(out, unlike("body.", a.Elem(), b.Elem())...)
	}
	return out
}

func unlike(prefix string, a, b reflect.Value) (out []string) {
	for i := range a.NumField() {
		name, _, _ := strings.Cut(a.Type().Field(i).Tag.Get("json"), ",")
		if name != "body" && !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			out = append(out, prefix+name)
		}
	}
	return out
}

type namedText struct{ name, text string }

// adaptedFields writes what an adaptation takes over as text, a line an item.
func adaptedFields(c *Content) []namedText {
	links := make([]string, len(c.Links))
	for i, l := range c.Links {
		links[i] = strings.TrimSpace(l.Name + " " + l.URL)
	}
	out := []namedText{
		{"title", c.Title},
		{"tagline", c.Tagline},
		{"text", c.Text},
		{"themes", strings.Join(c.Themes, "\n")},
		{"keywords", strings.Join(c.Keywords, "\n")},
		{"links", strings.Join(links, "\n")},
	}
	body := reflect.ValueOf(c.Body)
	if body.Kind() != reflect.Pointer || body.IsNil() {
		return out
	}
	body = body.Elem()
	for i := range body.NumField() {
		name, _, _ := strings.Cut(body.Type().Field(i).Tag.Get("json"), ",")
		out = append(out, namedText{"body." + name, asLines(body.Field(i))})
	}
	return out
}

// asLines writes a value as the texts in it, one a line; what is no text, such
// as a picture, is left out.
func asLines(v reflect.Value) string {
	var lines []string
	add := func(s string) {
		if s = strings.TrimSpace(s); s != "" {
			lines = append(lines, s)
		}
	}
	switch v.Kind() {
	case reflect.String:
		add(v.String())
	case reflect.Slice:
		for i := range v.Len() {
			add(asLines(v.Index(i)))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				add(asLines(v.Field(i)))
			}
		}
	}
	return strings.Join(lines, "\n")
}

// maxCells bounds the pairs of lines that are compared in all fields of two
// contents; a field beyond is a difference as a whole.
const maxCells = 400 * 400

// lineDifference is the shortest way from one text to another by lines. cells
// are the pairs that may still be compared.
func lineDifference(a, b []string, cells *int) []DifferenceLine {
	var out, end []DifferenceLine
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		out = append(out, DifferenceLine{Text: a[0]})
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		end = append(end, DifferenceLine{Text: a[len(a)-1]})
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	slices.Reverse(end)
	if len(a)*len(b) > *cells {
		out = append(out, wholly(a, b)...)
	} else {
		*cells -= len(a) * len(b)
		out = append(out, compared(a, b)...)
	}
	return append(out, end...)
}

func compared(a, b []string) []DifferenceLine {
	// common[i][j] is how many lines a[i:] and b[j:] share, in order.
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var out []DifferenceLine
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == b[j]:
			out = append(out, DifferenceLine{Text: a[i]})
			i, j = i+1, j+1
		case common[i+1][j] >= common[i][j+1]:
			out = append(out, DifferenceLine{Gone: true, Text: a[i]})
			i++
		default:
			out = append(out, DifferenceLine{New: true, Text: b[j]})
			j++
		}
	}
	return append(out, wholly(a[i:], b[j:])...)
}

func wholly(a, b []string) []DifferenceLine {
	var out []DifferenceLine
	for _, s := range a {
		out = append(out, DifferenceLine{Gone: true, Text: s})
	}
	for _, s := range b {
		out = append(out, DifferenceLine{New: true, Text: s})
	}
	return out
}

// textLines are the lines of a text that hold something. What kind of space
// stands between words is typography, which forms do not keep.
func textLines(s string) []string {
	var out []string
	for line := range strings.SplitSeq(s, "\n") {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			out = append(out, line)
		}
	}
	return out
}
