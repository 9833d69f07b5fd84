// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"essaim"
)

func openFile(t *testing.T, name string) *File {
	t.Helper()
	r, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	f, err := Open(r, FormatAuto)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// converted reads a whole file and gives its rows and its refusals by line.
func converted(t *testing.T, f *File, cfg ConvertConfig) (rows []essaim.ImportRow, refused map[int]string) {
	t.Helper()
	m, err := Guess(f, nil)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Kind == "" {
		cfg.Kind, _ = m.GuessKind(f)
	}
	if cfg.Licence == "" {
		cfg.Licence, cfg.Attribution = "etalab-2.0", "Agence d’essai"
	}
	cfg.Now = func() time.Time { return time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC) }
	c, err := NewConverter(f, m, cfg)
	if err != nil {
		t.Fatal(err)
	}
	refused = map[int]string{}
	for r, err := range f.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		row, err := c.Convert(r)
		if err != nil {
			refused[r.Line] = Reason(err)
			continue
		}
		rows = append(rows, row)
	}
	return rows, refused
}

func TestVenuesOfACSVFileKeepHoursAndCodes(t *testing.T) {
	t.Parallel()
	f := openFile(t, "venues.csv")
	rows, refused := converted(t, f, ConvertConfig{})
	if len(rows) != 2 || len(refused) != 0 {
		t.Fatalf("got %d rows, refused %v", len(rows), refused)
	}
	first, second := rows[0].Content, rows[1].Content
	if got, want := first.Kind, essaim.KindVenue; got != want {
		t.Errorf("kind: got %s, want %s", got, want)
	}
	if got, want := first.Title, "France services de la Place"; got != want {
		t.Errorf("title: got %q, want %q", got, want)
	}
	if got, want := first.Places[0].INSEE, "01033"; got != want {
		t.Errorf("commune: got %s, want %s", got, want)
	}
	want := []string{"Mo,Tu 13:30-17:00", "Tu 09:00-12:00"}
	if got := first.Body.(*essaim.Venue).OpeningHours; !cmp.Equal(got, want) {
		t.Errorf("hours: got %q, want %q", got, want)
	}
	want = []string{"Tu,Sa 09:00-12:00", "Tu 14:00-17:00"}
	if got := second.Body.(*essaim.Venue).OpeningHours; !cmp.Equal(got, want) {
		t.Errorf("hours with an empty span: got %q, want %q", got, want)
	}
	if got, want := second.Places[0].INSEE, "75056"; got != want {
		t.Errorf("arrondissement: got %s, want its city %s", got, want)
	}
	if got, want := second.Places[0].Street, "Place de la Mairie, Mairie annexe"; got != want {
		t.Errorf("street: got %q, want %q", got, want)
	}
	if len(first.Contacts) != 0 {
		t.Errorf("contacts came in without being asked: %v", first.Contacts)
	}
	if got, want := rows[0].Key, "agence-d-essai:id_fs:1"; got != want {
		t.Errorf("key: got %q, want %q", got, want)
	}
	if got, want := rows[0].State, essaim.StatePublished; got != want {
		t.Errorf("state: got %s, want %s", got, want)
	}
	contacts, _ := converted(t, openFile(t, "venues.csv"), ConvertConfig{Contacts: true})
	if got, want := len(contacts[0].Content.Contacts), 2; got != want {
		t.Errorf("contacts asked for: got %d, want %d", got, want)
	}
}

func TestCommuneByNameNeedsASecondWitness(t *testing.T) {
	t.Parallel()
	rows, refused := converted(t, openFile(t, "mediation.csv"), ConvertConfig{})
	if len(rows) != 2 || len(refused) != 0 {
		t.Fatalf("got %d rows, refused %v", len(rows), refused)
	}
	first, second := rows[0].Content, rows[1].Content
	if got, want := second.Places[0].INSEE, "21023"; got != want {
		t.Errorf("ARNAY LE DUC with its département: got %q, want %q", got, want)
	}
	if got, want := first.Places[0].Street, "38 avenue de l'Université"; got != want {
		t.Errorf("Windows-1252: got %q, want %q", got, want)
	}
	if got, want := *first.Places[0].Lat, 47.36; got != want {
		t.Errorf("decimal comma: got %v, want %v", got, want)
	}
	if got, want := first.Links[0].URL, "http://www.espace.example"; got != want {
		t.Errorf("address without scheme: got %q, want %q", got, want)
	}
	if got, want := first.ReviewedOn, "2021-03-02"; got != want {
		t.Errorf("French date: got %q, want %q", got, want)
	}
	want := []string{"Mo 08:30-12:00", "Mo 13:30-17:00", "Tu 09:00-12:00"}
	if got := first.Body.(*essaim.Venue).OpeningHours; !cmp.Equal(got, want) {
		t.Errorf("half-days: got %q, want %q", got, want)
	}
	if got, want := first.Themes, []string{"mediation-numerique"}; !cmp.Equal(got, want) {
		t.Errorf("theme by its name: got %q, want %q", got, want)
	}
	if got, want := second.Keywords, []string{"Cuisine de rue"}; !cmp.Equal(got, want) {
		t.Errorf("unknown theme: got keywords %q, want %q", got, want)
	}
	if len(second.Links) != 0 {
		t.Errorf("« Non renseigné » became a link: %v", second.Links)
	}

	for _, c := range []struct{ witness, values, want string }{
		{"nothing", "", ""},
		{",code postal", ",93200", "93066"},
		{",code postal", ",97400", "97411"},
		{",departement", ",93", "93066"},
		{",lat,lon", ",48.936,2.357", "93066"},
		{",code postal,lat,lon", ",97400,48.936,2.357", ""},
		{",departement,code postal", ",93,97400", ""},
		{",pays", ",Belgique", ""},
	} {
		got := oneRow(t, "nom,ville"+strings.TrimPrefix(c.witness, "nothing")+"\nJardin,St Denis"+c.values+"\n").Places[0].INSEE
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.witness, got, c.want)
		}
	}
}

// oneRow converts a file of one row that must be accepted.
func oneRow(t *testing.T, text string) essaim.Content {
	t.Helper()
	f, err := Open(strings.NewReader(text), FormatAuto)
	if err != nil {
		t.Fatal(err)
	}
	rows, refused := converted(t, f, ConvertConfig{})
	if len(rows) != 1 {
		t.Fatalf("%q: got %d rows, refused %v", text, len(rows), refused)
	}
	return rows[0].Content
}

func TestOrganisationsOfAGeoJSONFile(t *testing.T) {
	t.Parallel()
	f := openFile(t, "organisations.geojson")
	if got, want := f.Declared, (Declared{Licence: "Public Domain", Source: "https://data.example/place"}); got != want {
		t.Errorf("declared: got %+v, want %+v", got, want)
	}
	if id, ok := MatchLicence(f.Declared.Licence); !ok || id != "cc-pddc" {
		t.Errorf("licence: got %q, want cc-pddc", id)
	}
	rows, refused := converted(t, f, ConvertConfig{Kind: essaim.KindOrganisation})
	if len(rows) != 2 || !strings.Contains(refused[3], "degrees") {
		t.Fatalf("got %d rows, refused %v", len(rows), refused)
	}
	first, second := rows[0].Content, rows[1].Content
	if got, want := first.Title, "Banque alimentaire d'essai"; got != want {
		t.Errorf("entities: got %q, want %q", got, want)
	}
	if got, want := second.Title, "Jardin des légumes"; got != want {
		t.Errorf("mojibake: got %q, want %q", got, want)
	}
	if got, want := first.Links[0].URL, "http://banque.example/accueil"; got != want {
		t.Errorf("website beside a wrong one: got %q, want %q", got, want)
	}
	if got, want := first.Places[0].Street, "106 бул. Васил Левски"; got != want {
		t.Errorf("street: got %q, want %q", got, want)
	}
	if got, want := first.Places[0].Country, "BG"; got != want {
		t.Errorf("country: got %q, want %q", got, want)
	}
	if got, want := first.Language, "und"; got != want {
		t.Errorf("language of a text that does not say its own: got %q, want %q", got, want)
	}
	if got, want := second.Language, "fr"; got != want {
		t.Errorf("language of description:fr: got %q, want %q", got, want)
	}
	if got, want := first.Themes, []string{"alimentation"}; !cmp.Equal(got, want) {
		t.Errorf("themes: got %q, want %q", got, want)
	}
	if got, want := first.Keywords, []string{"toy library"}; !cmp.Equal(got, want) {
		t.Errorf("keywords: got %q, want %q", got, want)
	}
	if got, want := first.Sources[0], (essaim.Source{URL: "https://data.example/place/e98f", Name: "Agence d’essai", Fetched: "2026-03-01", Key: "e98f"}); got != want {
		t.Errorf("source: got %+v, want %+v", got, want)
	}
	if got, want := second.Places[0].INSEE, "21231"; got != want {
		t.Errorf("commune by name, postcode and point: got %q, want %q", got, want)
	}
	if lat, lon := *second.Places[0].Lat, *second.Places[0].Lon; lat < 47.349 || lat > 47.351 || lon < 5.049 || lon > 5.051 {
		t.Errorf("centroid of a square: got %v, %v, want 47.35, 5.05", lat, lon)
	}
}

func TestRowsThatLackTitleOrPlaceAreRefused(t *testing.T) {
	t.Parallel()
	f, err := Open(strings.NewReader("nom;ville;lat\n;Dijon;\nSans lieu;;\nDébordé;Dijon;47.1;en;trop\nFaux;Dijon;douze\n"), FormatCSV)
	if err != nil {
		t.Fatal(err)
	}
	rows, refused := converted(t, f, ConvertConfig{})
	if len(rows) != 0 {
		t.Errorf("got rows %v", rows)
	}
	for line, want := range map[int]string{2: "no title", 3: "no place", 4: "5 fields for 3 columns", 5: `coordinates "douze", ""`} {
		if got := refused[line]; got != want {
			t.Errorf("line %d: got %q, want %q", line, got, want)
		}
	}
}

func TestMapOverridesTheGuessAndRefusesWhatIsUnknown(t *testing.T) {
	t.Parallel()
	open := func() *File {
		f, err := Open(strings.NewReader("nom,autre nom,ville\nA,B,Dijon\n"), FormatCSV)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	m, err := Guess(open(), map[string]string{"title": "autre nom", "city": ""})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := m.Columns[FieldTitle], []string{"autre nom"}; !cmp.Equal(got, want) {
		t.Errorf("title: got %q, want %q", got, want)
	}
	if got := m.Columns[FieldCity]; got != nil {
		t.Errorf("a field left out: got %q", got)
	}
	for _, wrong := range []map[string]string{{"titel": "nom"}, {"title": "noms"}} {
		if _, err := Guess(open(), wrong); !errors.Is(err, essaim.ErrInvalid) {
			t.Errorf("%v: got %v, want ErrInvalid", wrong, err)
		}
	}
}

func TestLicenceAndAttributionAreRequired(t *testing.T) {
	t.Parallel()
	f := openFile(t, "venues.csv")
	m, err := Guess(f, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, cfg := range []ConvertConfig{
		{Kind: essaim.KindVenue, Attribution: "A"},
		{Kind: essaim.KindVenue, Licence: "etalab-2.0"},
		{Kind: essaim.KindVenue, Licence: "no-such", Attribution: "A"},
		{Kind: "thing", Licence: "etalab-2.0", Attribution: "A"},
	} {
		if _, err := NewConverter(f, m, cfg); !errors.Is(err, essaim.ErrInvalid) {
			t.Errorf("%+v: got %v, want ErrInvalid", cfg, err)
		}
	}
}

func TestImportsKnowTheNodesOwnThemes(t *testing.T) {
	t.Parallel()
	own := essaim.ThesaurusOf("https://brest.example", []essaim.Theme{{ID: "brest.example:algues", Broader: "nature", French: "Algues vertes"}})
	const nine = "mobilite|energie-climat|habitat|fabrication|sante|solidarite|age-autonomie|handicap|circuits-courts"
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"by its name":       {"nom,ville,thématique\nA,Brest,algues vertes\n", []string{"brest.example:algues", "nature"}},
		"in a file of ours": {"essaim_kind,title,insee,themes\nvenue,A,29019,brest.example:algues;sante\n", []string{"brest.example:algues", "nature", "sante"}},
		"of another node":   {"essaim_kind,title,insee,themes\nvenue,A,29019,autre.example:rien\n", []string{"autre.example:rien"}},
		"first of too many": {
			"nom,ville,thématique\nA,Brest,algues vertes|" + nine + "\n",
			[]string{"brest.example:algues", "nature", "mobilite", "energie-climat", "habitat", "fabrication", "sante", "solidarite", "age-autonomie", "handicap"},
		},
		"last of too many": {
			"nom,ville,thématique\nA,Brest," + nine + "|algues vertes\n",
			[]string{"mobilite", "energie-climat", "habitat", "fabrication", "sante", "solidarite", "age-autonomie", "handicap", "circuits-courts"},
		},
		"that nothing defines": {"essaim_kind,title,insee,themes\nvenue,A,29019,brest.example:rien\n", nil},
	} {
		f, err := Open(strings.NewReader(c.text), FormatAuto)
		if err != nil {
			t.Fatal(err)
		}
		rows, refused := converted(t, f, ConvertConfig{Kind: essaim.KindVenue, Thesaurus: own})
		if c.want == nil {
			if len(rows) != 0 || !strings.Contains(refused[2], "themes.0: unknown") {
				t.Errorf("%s: %d rows, refused %v", name, len(rows), refused)
			}
			continue
		}
		if len(rows) != 1 || !cmp.Equal(rows[0].Content.Themes, c.want) {
			t.Errorf("%s: got %+v, refused %v, want %v", name, rows, refused, c.want)
		}
	}
}
