// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim_test

import (
	"reflect"
	"strings"
	"testing"

	"essaim"
)

func TestDifferencesTellEachFieldThatAnAdaptationTakesOver(t *testing.T) {
	t.Parallel()
	for _, kind := range []essaim.Kind{essaim.KindInitiative, essaim.KindRecipe} {
		r := essaim.Record{ID: "https://brest.example/objects/1", State: essaim.StatePublished, ContentDigest: "d", Content: full(t, kind)}
		r.Licence = "cc-by-4.0"
		c, err := r.Adaptation()
		if err != nil {
			t.Fatal(err)
		}
		if got := essaim.Differences(&c, &c); len(got) != 0 {
			t.Errorf("%s: a version differs from itself: %+v", kind, got)
		}
		if got := essaim.Differences(&r.Content, &c); len(got) != 0 {
			t.Errorf("%s: what is not taken over differs: %+v", kind, got)
		}
		info, _ := kind.Info()
		empty := essaim.Content{Kind: kind, Body: info.Body()}
		told := map[string]bool{}
		for _, d := range essaim.Differences(&empty, &c) {
			told[d.Field] = true
		}
		head, body := reflect.ValueOf(c), reflect.ValueOf(c.Body).Elem()
		checked := 0
		for _, v := range []reflect.Value{head, body} {
			for i := range v.NumField() {
				name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
				if v == body {
					name = "body." + name
				}
				switch name {
				case "kind", "language", "licence", "derivedFrom", "body": // said elsewhere on the page
					continue
				}
				if checked++; !v.Field(i).IsZero() != told[name] {
					t.Errorf("%s: %s is taken over: %v, told: %v", kind, name, !v.Field(i).IsZero(), told[name])
				}
			}
		}
		if checked < 20 {
			t.Errorf("%s: %d fields were looked at", kind, checked)
		}
	}
}

func TestADifferenceIsTheShortestByLines(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ before, after, want string }{
		{"a\nb\nc", "a\nc\nd", " a -b  c +d"},
		{"", "a", "+a"},
		{"a", "", "-a"},
		{"a\n\nb", "b\na", "-a  b +a"},
	} {
		d := essaim.Differences(&essaim.Content{Text: tt.before}, &essaim.Content{Text: tt.after})
		if len(d) != 1 {
			t.Fatalf("%q to %q: %+v", tt.before, tt.after, d)
		}
		var got []string
		for _, l := range d[0].Lines {
			sign := " "
			if l.Gone {
				sign = "-"
			} else if l.New {
				sign = "+"
			}
			got = append(got, sign+l.Text)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%q to %q: %q, want %q", tt.before, tt.after, strings.Join(got, " "), tt.want)
		}
	}
	if d := essaim.Differences(&essaim.Content{Text: "coût\u202f: 1\u00a0700"}, &essaim.Content{Text: "coût : 1 700"}); len(d) != 0 {
		t.Errorf("spaces alone differ: %+v", d)
	}
	many := strings.Repeat("x\n", 500)
	if d := essaim.Differences(&essaim.Content{Text: many}, &essaim.Content{Text: many + "y"}); len(d) != 1 || len(d[0].Lines) != 501 {
		t.Errorf("a line at the end of many: %+v", d)
	}
	before, after := "a\n"+many+"b", "b\n"+many+"a"
	if d := essaim.Differences(&essaim.Content{Text: before}, &essaim.Content{Text: after}); len(d) != 1 || len(d[0].Lines) != 1004 {
		t.Errorf("a field of many lines is compared whole: %d", len(d[0].Lines))
	}
}

func TestWhatIsComparedIsBoundedOverAllFields(t *testing.T) {
	t.Parallel()
	many := strings.Repeat("x\n", 300)
	before, after := "a\n"+many+"b", "b\n"+many+"a"
	d := essaim.Differences(
		&essaim.Content{Text: before, Body: &essaim.Initiative{Need: before}, Kind: essaim.KindInitiative},
		&essaim.Content{Text: after, Body: &essaim.Initiative{Need: after}, Kind: essaim.KindInitiative})
	if len(d) != 2 || len(d[0].Lines) != 304 || len(d[1].Lines) != 604 {
		t.Errorf("%d fields", len(d))
	}
}
