// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"essaim"
)

func TestTheDictionaryNamesEachColumn(t *testing.T) {
	t.Parallel()
	var names []string
	for _, c := range Dictionary() {
		names = append(names, c.Name)
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

// What the dictionary says of a column holds for what is exported.
func TestColumnsAreOfTheTypeThatTheDictionarySays(t *testing.T) {
	t.Parallel()
	partial := regexp.MustCompile(`^\d{4}(-\d\d){0,2}$`)
	fits := map[string]func(string) bool{
		"text": func(string) bool { return true }, "markdown": func(string) bool { return true },
		"texts": func(string) bool { return true }, "hours": func(string) bool { return true },
		"code":     func(v string) bool { return regexp.MustCompile(`^[0-9A-Za-z.-]+$`).MatchString(v) },
		"codes":    func(v string) bool { return regexp.MustCompile(`^[0-9a-z;-]+$`).MatchString(v) },
		"language": func(v string) bool { return regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]+)*$`).MatchString(v) },
		"number":   func(v string) bool { _, err := strconv.ParseFloat(v, 64); return err == nil },
		"boolean":  func(v string) bool { return v == "true" },
		"date":     partial.MatchString,
		"instant": func(v string) bool {
			_, err := time.Parse(time.RFC3339, v)
			return err == nil && strings.HasSuffix(v, "Z")
		},
		"url":  func(v string) bool { u, err := url.Parse(v); return err == nil && u.Host != "" },
		"iri":  func(v string) bool { u, err := url.Parse(v); return err == nil && u.Host != "" },
		"json": func(v string) bool { return json.Valid([]byte(v)) },
	}
	var b bytes.Buffer
	if _, err := Export(&b, "csv", items(sampleRecords())); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) < 5 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	filled := 0
	for i, c := range Dictionary() {
		check := fits[c.Type]
		if check == nil {
			t.Errorf("%s is of type %q, which says nothing", c.Name, c.Type)
			continue
		}
		for _, row := range rows[1:] {
			if row[i] == "" {
				continue
			}
			filled++
			if !check(unguard(row[i])) {
				t.Errorf("%s holds %q, which is no %s", c.Name, row[i], c.Type)
			}
			if values := c.Values(); len(values) > 0 && !slices.Contains(values, row[i]) {
				t.Errorf("%s holds %q, which is none of %v", c.Name, row[i], values)
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
	if err != nil || len(rows) != len(ownColumns)+1 {
		t.Fatalf("%d lines, %v", len(rows), err)
	}
	stage := rows[1+slices.Index(ownColumns, "stage")]
	if !strings.Contains(stage[2], essaim.ListStage.Terms()[0].ID) {
		t.Errorf("values of the stage: %q", stage[2])
	}
}
