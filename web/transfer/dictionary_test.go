// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/federation/fedtest"
)

func TestTheDictionaryNamesEachColumn(t *testing.T) {
	t.Parallel()
	var names []string
	for _, c := range Dictionary() {
		if c.Field() == "" {
			names = append(names, c.Name)
		}
		if c.French == "" || c.English == "" || c.Type == "" {
			t.Errorf("%s: %+v", c.Name, c)
		}
		if c.List != "" && c.List != "theme" && len(c.Values()) == 0 {
			t.Errorf("%s: list %q has no values", c.Name, c.List)
		}
	}
	if !slices.Equal(names, ownColumns) {
		t.Errorf("the dictionary has %v, files %v", names, ownColumns)
	}
}

// fits says what a value of a type looks like.
func fits() map[string]func(string) bool {
	partial := regexp.MustCompile(`^\d{4}(-\d\d){0,2}$`)
	code := regexp.MustCompile(`^[0-9A-Za-z.-]+$`)
	codes := regexp.MustCompile(`^[0-9a-z;-]+$`)
	language := regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]+)*$`)
	address := func(v string) bool { u, err := url.Parse(v); return err == nil && u.Host != "" }
	return map[string]func(string) bool{
		"text": func(string) bool { return true }, "markdown": func(string) bool { return true },
		"texts": func(string) bool { return true }, "hours": func(string) bool { return true },
		"code": code.MatchString, "codes": codes.MatchString, "language": language.MatchString,
		"number":  func(v string) bool { _, err := strconv.ParseFloat(v, 64); return err == nil },
		"boolean": func(v string) bool { return v == "true" },
		"date":    partial.MatchString,
		"instant": func(v string) bool {
			_, err := time.Parse(time.RFC3339, v)
			return err == nil && strings.HasSuffix(v, "Z")
		},
		"url": address, "iri": address,
		"json": func(v string) bool { return json.Valid([]byte(v)) },
	}
}

// holds says that a value is of the type and of the list of its line.
func (c Column) holds(t *testing.T, value string) {
	t.Helper()
	if check := fits()[c.Type]; check == nil || !check(value) {
		t.Errorf("%s holds %q, which is no %s", c.Name, value, c.Type)
	}
	if values := c.Values(); len(values) > 0 && !slices.Contains(values, value) {
		t.Errorf("%s holds %q, which is none of %v", c.Name, value, values)
	}
}

// What the dictionary says of a column holds for what is exported.
func TestColumnsAreOfTheTypeThatTheDictionarySays(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if _, err := Export(&b, "csv", items(sampleRecords())); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) < 5 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	filled := 0
	for i, c := range Dictionary()[:len(ownColumns)] {
		for _, row := range rows[1:] {
			if row[i] != "" {
				filled++
				c.holds(t, unguard(row[i]))
			}
		}
	}
	if filled < 60 {
		t.Errorf("%d values looked at", filled)
	}
}

func TestTheDictionaryAsCSV(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := WriteDictionary(&b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != len(Dictionary())+1 {
		t.Fatalf("%d lines, %v", len(rows), err)
	}
	stage := rows[1+slices.Index(ownColumns, "stage")]
	if !strings.Contains(stage[2], essaim.ListStage.Terms()[0].ID) {
		t.Errorf("values of the stage: %q", stage[2])
	}
	advice := rows[1+slices.IndexFunc(Dictionary(), func(c Column) bool { return c.Field() == "body.advice" })]
	if advice[5] != "initiative;recipe;remake" {
		t.Errorf("advice is of %q", advice[5])
	}
}

// leaves calls f with the values in a JSON and where they stand: "body.steps[].name".
func leaves(at string, v any, f func(at, value string)) {
	switch v := v.(type) {
	case map[string]any:
		for name, item := range v {
			leaves(strings.TrimPrefix(at+"."+name, "."), item, f)
		}
	case []any:
		for _, item := range v {
			leaves(at+"[]", item, f)
		}
	default:
		f(at, fmt.Sprint(v))
	}
}

// What an export may write of a record in essaim_details, the dictionary says: a field
// added to records gets its line, or this fails. The record has every field (see
// fedtest.FullRecord), and twice those whose first has columns.
func TestTheDictionaryNamesEachFieldOfTheDetails(t *testing.T) {
	t.Parallel()
	lines, met := map[string]Column{}, map[string][]essaim.Kind{}
	for _, c := range Dictionary() {
		if c.Field() != "" {
			lines[c.Field()] = c
		}
	}
	for _, info := range essaim.Kinds() {
		rec := fedtest.FullRecord(t, info)
		rec.Places = append(rec.Places, rec.Places[0])
		rec.Sources = append(rec.Sources, rec.Sources[0])
		rec.Keywords = append(rec.Keywords, "a;b")
		values, err := flatten(rec)
		if err != nil {
			t.Fatal(err)
		}
		var details any
		if err := json.Unmarshal([]byte(values["essaim_details"]), &details); err != nil {
			t.Fatal(err)
		}
		leaves("", details, func(at, value string) {
			line, ok := lines[at]
			switch {
			case value == "":
			case !ok:
				t.Errorf("a %s has essaim_details.%s, which the dictionary does not tell", info.Kind, at)
			default:
				line.holds(t, value)
				if !slices.Contains(met[at], info.Kind) {
					met[at] = append(met[at], info.Kind)
				}
			}
		})
	}
	for field, c := range lines {
		if want := c.Kinds(); len(met[field]) == 0 || len(want) > 0 && !slices.Equal(met[field], want) {
			t.Errorf("%s is of %v, and the dictionary says of %v", c.Name, met[field], want)
		}
	}
}
