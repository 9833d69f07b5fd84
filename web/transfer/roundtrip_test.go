// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"essaim"
)

// awkward is text that each format and each reader would like to change.
const awkward = "  =SOMME(A1)\n'quoted' \"double\"; été &eacute; FranÃ§ois\tfin – NULL  "

func sampleRecords() []essaim.Record {
	lat, lon := essaim.Point(48.390394, -4.486076)
	at := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	head := func(i int, c essaim.Content) essaim.Record {
		if c.Licence == "" {
			c.Licence = "cc-by-sa-4.0"
		}
		for i := range c.Places {
			essaim.EmbeddedGazetteer().Locate(&c.Places[i])
		}
		return essaim.Record{
			ID: fmt.Sprintf("https://brest.example/objects/%d", i), URL: fmt.Sprintf("https://brest.example/x/%d", i),
			TerritoryName: "Brest", State: essaim.StatePublished, Published: at, Updated: at, Content: c,
		}
	}
	return []essaim.Record{
		head(1, essaim.Content{
			Kind: essaim.KindInitiative, Title: "NULL", Tagline: "-", Text: awkward, Language: "fr",
			Themes: []string{"communs", "alimentation"}, Keywords: []string{"a;b", "c"},
			Places: []essaim.Place{{INSEE: "29019", City: "Brest", Lat: lat, Lon: lon, Approximate: true}, {EPCI: "242900314", Level: "epci"}},
			Links:  []essaim.Link{{URL: "https://a.example"}, {URL: "https://b.example", Name: "B"}},
			Credits: []essaim.Credit{
				{Name: "Association", Kind: "association", Role: "porteur"},
				{Name: "Someone", Role: "porteur", Person: true},
			},
			Contacts: []essaim.Contact{{Kind: "email", Value: "a@secret.example"}},
			Body:     &essaim.Initiative{Stage: "essaimage", Since: "2003", Need: "x", Indicators: []essaim.Indicator{{Label: "l", Value: "1"}}},
		}),
		head(2, essaim.Content{
			Kind: essaim.KindRecipe, Title: "'=1+1", Licence: "cc0-1.0", Holder: "Collectif",
			Sources: []essaim.Source{{URL: "https://s.example", Name: "S", Fetched: "2026-01-01", Key: "k:1"}, {URL: "https://t.example"}},
			Body:    &essaim.Recipe{Steps: []essaim.Step{{Name: "Couper"}}, Ingredients: []string{"sel"}},
		}),
		head(3, essaim.Content{
			Kind: essaim.KindVenue, Title: "@home", Licence: "odbl-1.0", Keywords: []string{"x", "y"},
			Places: []essaim.Place{{Label: "#N/A", Street: "1 rue", Postcode: "01200", City: "Valserhône", Country: "FR"}},
			Body:   &essaim.Venue{OpeningHours: []string{"Mo-Fr 09:00-12:00", "Sa 10:00-12:00"}, Services: []string{"imprimante"}},
		}),
		head(4, essaim.Content{
			Kind: essaim.KindOrganisation, Title: "-12 ans", Places: []essaim.Place{{Departement: "2A", Region: "94", Level: "departement"}},
			Body: &essaim.Organisation{SIREN: "123456789", Founded: "1997", LegalForm: "association"},
		}),
		head(5, essaim.Content{
			Kind: essaim.KindMeeting, Title: "Forum", Everywhere: true,
			Body: &essaim.Meeting{Start: at, End: at.Add(time.Hour), Timezone: "Europe/Paris", Series: "Forum"},
		}),
	}
}

func items(records []essaim.Record) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for _, r := range records {
			if !yield(Item{Record: r, Document: []byte(`{"id":"` + r.ID + `"}`)}, nil) {
				return
			}
		}
	}
}

// imported reads an export as an empty node would and gives its records.
func imported(t *testing.T, data []byte) []essaim.Record {
	t.Helper()
	f, err := Open(bytes.NewReader(data), FormatAuto)
	if err != nil {
		t.Fatal(err)
	}
	if !f.Own {
		t.Fatal("the export is not known as ours")
	}
	rows, refused := converted(t, f, ConvertConfig{Licence: "etalab-2.0", Attribution: "Ailleurs"})
	if len(refused) > 0 {
		t.Fatalf("refused %v", refused)
	}
	var out []essaim.Record
	for i, r := range rows {
		out = append(out, essaim.Record{
			ID: fmt.Sprintf("https://toulouse.example/objects/%d", i), URL: "https://toulouse.example/y",
			TerritoryName: "Toulouse", State: r.State, Content: r.Content,
		})
	}
	return out
}

// withoutIdentity drops the ids, addresses and dates of rows.
func withoutIdentity(t *testing.T, format string, data []byte) []map[string]string {
	t.Helper()
	var rows []map[string]string
	if format == "geojson" {
		var fc struct {
			Features []struct {
				Geometry   any
				Properties map[string]string
			}
		}
		if err := json.Unmarshal(data, &fc); err != nil {
			t.Fatal(err)
		}
		for _, f := range fc.Features {
			f.Properties["geometry"] = fmt.Sprint(f.Geometry)
			rows = append(rows, f.Properties)
		}
	} else {
		records, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range records[1:] {
			row := map[string]string{}
			for i, v := range rec {
				row[records[0][i]] = v
			}
			rows = append(rows, row)
		}
	}
	for _, r := range rows {
		for _, column := range []string{"essaim_id", "territory", "territory_name", "url", "published", "updated", "source_fetched"} {
			delete(r, column)
		}
	}
	return rows
}

func TestAnExportImportedAndExportedAgainGivesTheSameRows(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"csv", "geojson"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			records := sampleRecords()
			var first, second bytes.Buffer
			n, err := Export(&first, format, items(records))
			if err != nil || n != len(records) {
				t.Fatalf("got %d rows, %v; want %d", n, err, len(records))
			}
			if strings.Contains(first.String(), "secret.example") || strings.Contains(first.String(), "Someone") {
				t.Error("the export names a person without consent or gives a contact")
			}
			if _, err := Export(&second, format, items(imported(t, first.Bytes()))); err != nil {
				t.Fatal(err)
			}
			got, want := withoutIdentity(t, format, second.Bytes()), withoutIdentity(t, format, first.Bytes())
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("rows (-first +second):\n%s", diff)
			}
		})
	}
}

func TestImportedContentIsTheExportedOne(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	records := sampleRecords()
	if _, err := Export(&b, "csv", items(records)); err != nil {
		t.Fatal(err)
	}
	for i, got := range imported(t, b.Bytes()) {
		want := records[i].Content
		want.Contacts = nil
		want.Credits = want.PublicCredits()
		if want.Holder == "" {
			want.Holder = "Brest"
		}
		if len(want.Sources) == 0 {
			want.Sources = []essaim.Source{{URL: records[i].URL, Name: "Brest"}}
		}
		want.Sources[0].Key = ""
		if diff := cmp.Diff(want, got.Content); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.Title, diff)
		}
	}
}

func TestWhatMayNotBeCopiedIsNotExported(t *testing.T) {
	t.Parallel()
	records := sampleRecords()[:3]
	records[0].State = essaim.StateDraft
	records[1].Licence = "tous-droits"
	for _, format := range []string{"csv", "geojson", "jsonld"} {
		var b bytes.Buffer
		n, err := Export(&b, format, items(records))
		if err != nil || n != 1 {
			t.Errorf("%s: got %d, %v; want 1 record", format, n, err)
		}
		if strings.Contains(b.String(), records[0].ID) || strings.Contains(b.String(), records[1].ID) {
			t.Errorf("%s holds a draft or a record that is not free", format)
		}
	}
}

func TestJSONLDHoldsTheStoredBytes(t *testing.T) {
	t.Parallel()
	odd := []byte("{\"b\": 1.0,\n \"a\": \"\\u00e9\"}")
	rec := sampleRecords()[0]
	var b bytes.Buffer
	_, err := Export(&b, "jsonld", func(yield func(Item, error) bool) { yield(Item{rec, odd}, nil) })
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b.Bytes(), odd) || !json.Valid(b.Bytes()) {
		t.Errorf("got %s", b.Bytes())
	}
}

func TestNoCellOfAnExportRunsInASpreadsheet(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if _, err := Export(&b, "csv", items(sampleRecords())); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range records {
		for i, v := range rec {
			if _, err := degrees(v); strings.IndexAny(v, guardPrefixes) == 0 && err != nil {
				t.Errorf("column %s: %q", records[0][i], v)
			}
		}
	}
}

func FuzzGuard(f *testing.F) {
	for _, s := range []string{"", "=1", "'=1", "''+x", "-4.5", "'", "'a", "\tx"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := unguard(guard(s)); got != s {
			t.Errorf("%q came back as %q", s, got)
		}
	})
}

func TestWideLettersBeginAFormulaToo(t *testing.T) {
	t.Parallel()
	for _, v := range []string{"＝1+1", "＋1", "－2＋3", "＠SUM(A1)", "'＝1"} {
		if got := guard(v); got != "'"+v {
			t.Errorf("guard(%q) = %q", v, got)
		}
	}
	if got := guard("Été"); got != "Été" {
		t.Errorf("guard of a word = %q", got)
	}
}
