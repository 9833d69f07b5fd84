// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"
)

// importText runs an import and gives what the command prints.
func importText(t *testing.T, s *store.Store, name, text string, o importOptions) string {
	t.Helper()
	if o.Format == "" {
		o.Format = "auto"
	}
	var out bytes.Buffer
	a := &app{out: &out, now: func() time.Time { return storetest.Start }}
	if err := o.importFile(t.Context(), a, essaim.EmbeddedGazetteer(), essaim.Thesaurus{}, name, strings.NewReader(text), s); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out.String())
	}
	return out.String()
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

const fewVenues = `id;nom;adresse;code insee;thématique;courriel;lundi;mardi;mercredi;licence
1;Maison des possibles;1 rue de la Paix;29019;numérique;a@secret.example;9h-12h;9h-12h;;
2;Recyclerie;2 rue de la Paix;29019;réemploi;b@secret.example;;;14h-18h;ODbL
3;;3 rue de la Paix;29019;;;;;;
`

func TestImportOnBothDatabases(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		o := importOptions{Licence: "etalab-2.0", Attribution: "Ville d’essai"}
		dry := o
		dry.DryRun = true
		for _, step := range []struct {
			name, text, want string
			o                importOptions
		}{
			{"dry run", fewVenues, "rows 3 created 2 changed 0 unchanged 0 refused 1", dry},
			{"first", fewVenues, "rows 3 created 2 changed 0 unchanged 0 refused 1", o},
			{"second", fewVenues, "rows 3 created 0 changed 0 unchanged 2 refused 1", o},
			{"changed", strings.Replace(fewVenues, "Recyclerie", "Ressourcerie", 1), "rows 3 created 0 changed 1 unchanged 1 refused 1", o},
		} {
			if got := lastLine(importText(t, s, step.name, step.text, step.o)); got != step.want {
				t.Errorf("%s: got %q, want %q", step.name, got, step.want)
			}
			if imports, err := s.Imports(t.Context()); err != nil || step.o.DryRun && len(imports) > 0 {
				t.Errorf("%s: got imports %v, %v", step.name, imports, err)
			}
		}
		found, err := s.Search(t.Context(), essaim.Query{Text: "ressourcerie"})
		if err != nil || len(found.Records) != 1 {
			t.Fatalf("got %v, %v", found.Records, err)
		}
		r := found.Records[0]
		if got, want := r.Licence, "odbl-1.0"; got != want {
			t.Errorf("licence of the row: got %s, want %s", got, want)
		}
		if len(r.Contacts) > 0 {
			t.Errorf("contacts came in: %v", r.Contacts)
		}
	})
}

func TestExportImportedElsewhereAndExportedAgainGivesTheSameRows(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		origin, _ := db.Node(t)
		importText(t, origin, "venues", fewVenues, importOptions{Licence: "etalab-2.0", Attribution: "Ville d’essai", Contacts: true})
		for _, territory := range demoTerritories {
			contents, err := demoRecords(territory.Username, essaim.EmbeddedGazetteer(), demoDay)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range contents {
				for i := range c.Relations {
					c.Relations[i].Target = "https://resolved.example/" // as demoHosts does
				}
				storetest.Publish(t, origin, c)
			}
		}
		for _, format := range []string{"csv", "geojson"} {
			elsewhere, _ := storetest.SQLite(t).Node(t)
			first := exported(t, origin, format)
			got := lastLine(importText(t, elsewhere, "export", first, importOptions{Licence: "cc0-1.0", Attribution: "Ailleurs"}))
			if want := "rows 96 created 96 changed 0 unchanged 0 refused 0"; got != want {
				t.Errorf("%s: got %q, want %q", format, got, want)
			}
			second := exported(t, elsewhere, format)
			if diff := cmp.Diff(rowsOf(t, format, first), rowsOf(t, format, second)); diff != "" {
				t.Errorf("%s (-first +second):\n%s", format, diff)
			}
			if strings.Contains(first, "secret.example") {
				t.Errorf("%s holds contacts", format)
			}
		}
	})
}

func exported(t *testing.T, s *store.Store, format string) string {
	t.Helper()
	var out bytes.Buffer
	if err := writeExport(t.Context(), s, exportRequest{Format: format}, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// rowsOf gives the rows of an export in an order of their own, without ids,
// addresses and dates.
func rowsOf(t *testing.T, format, text string) []string {
	t.Helper()
	apart := []string{"essaim_id", "territory", "territory_name", "url", "published", "updated", "source_fetched"}
	var rows []string
	if format == "csv" {
		records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records[1:] {
			for _, column := range apart {
				r[slices.Index(records[0], column)] = ""
			}
			rows = append(rows, strings.Join(r, "|"))
		}
	} else {
		for line := range strings.Lines(text) {
			for _, column := range apart {
				if _, rest, ok := strings.Cut(line, `"`+column+`":"`); ok {
					value, _, _ := strings.Cut(rest, `"`)
					line = strings.Replace(line, `"`+column+`":"`+value+`"`, "", 1)
				}
			}
			rows = append(rows, strings.Trim(line, ",\n"))
		}
	}
	slices.Sort(rows)
	return rows
}

func TestJSONLDExportIsTheStoredDocuments(t *testing.T) {
	t.Parallel()
	s, _ := storetest.SQLite(t).Node(t)
	r := storetest.Publish(t, s, storetest.Initiative("Jardin"))
	doc, err := s.Document(t.Context(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got := exported(t, s, "jsonld"); !strings.Contains(got, string(doc)) {
		t.Errorf("got %s, want it to hold %s", got, doc)
	}
}

func TestUndoneImportLeavesNothingPublished(t *testing.T) {
	t.Parallel()
	s, _ := storetest.SQLite(t).Node(t)
	importText(t, s, "venues", fewVenues, importOptions{Licence: "etalab-2.0", Attribution: "Ville d’essai"})
	gone, kept, err := s.UndoImport(t.Context(), 1)
	if gone != 2 || kept != 0 || err != nil {
		t.Errorf("got %d gone, %d kept, %v; want 2, 0", gone, kept, err)
	}
	if found, err := s.Search(t.Context(), essaim.Query{}); err != nil || len(found.Records) != 0 {
		t.Errorf("got %v, %v", found.Records, err)
	}
}

func TestImportAsksForLicenceAndProposesTheDeclaredOne(t *testing.T) {
	t.Parallel()
	text := `{"type":"FeatureCollection","license":"Public Domain","source":"https://data.example","features":[]}`
	for _, c := range []struct {
		o    importOptions
		want string
	}{
		{importOptions{}, `add --licence "cc-pddc"`},
		{importOptions{Licence: "cc-pddc"}, `add --attribution "https://data.example"`},
		{importOptions{Licence: "nothing", Attribution: "A"}, "not in the table of licences"},
		{importOptions{Licence: "cc-pddc", Attribution: "A", Map: []string{"title"}}, "FIELD=COLUMN"},
		{importOptions{Licence: "cc-pddc", Attribution: "A", Map: []string{"titel=name"}}, "no such field"},
	} {
		c.o.Format = "auto"
		err := c.o.importFile(t.Context(), &app{out: &bytes.Buffer{}}, nil, essaim.Thesaurus{}, "f", strings.NewReader(text), nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want %q", c.o, err, c.want)
		}
		if _, ok := errors.AsType[usageError](err); !ok {
			t.Errorf("%+v: got %T, want a wrong use", c.o, err)
		}
	}
}
