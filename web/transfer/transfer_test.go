// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
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
	if cfg.Gazetteer == nil {
		cfg.Gazetteer = smallGazetteer
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

	alone := "nom,ville\nJardin,Montaud\n"
	got := oneRow(t, alone)
	if got.Places[0].INSEE != "" {
		t.Errorf("name alone: got %s, want no code", got.Places[0].INSEE)
	}
	got = oneRow(t, "nom,ville,code postal\nJardin,Montaud,38210\n")
	if want := "38248"; got.Places[0].INSEE != want {
		t.Errorf("name and postcode: got %q, want %s", got.Places[0].INSEE, want)
	}
	got = oneRow(t, "nom,ville,lat,lon\nJardin,Montaud,43.76,3.96\n")
	if want := "34164"; got.Places[0].INSEE != want {
		t.Errorf("name and point: got %q, want %s", got.Places[0].INSEE, want)
	}
	got = oneRow(t, "nom,ville,code postal,lat,lon\nJardin,Montaud,38210,43.76,3.96\n")
	if got.Places[0].INSEE != "" {
		t.Errorf("postcode and point disagree: got %s, want no code", got.Places[0].INSEE)
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

func TestBrokenCodesAreRefusedAndLostZerosMendedWhereTheNameAgrees(t *testing.T) {
	t.Parallel()
	f := openFile(t, "territories.csv")
	rows, refused := converted(t, f, ConvertConfig{})
	want := map[int]string{
		7: "column codgeo holds a spreadsheet's error",
		8: `commune code "9225" is too short, and 09225 is Pamiers, not "Vichy"`,
	}
	if diff := cmp.Diff(want, refused); diff != "" {
		t.Errorf("refusals (-want +got):\n%s", diff)
	}
	got := map[string]string{}
	for _, r := range rows {
		pl := r.Content.Places[0]
		got[r.Content.Title] = pl.INSEE + pl.EPCI + pl.Departement + pl.Region
		if r.State != essaim.StateCandidate {
			t.Errorf("%s without tagline and theme: got %s, want a candidate", r.Content.Title, r.State)
		}
	}
	wantCodes := map[string]string{
		"Montaud": "34164", "CC du Clunisois": "200040293", "Tarascon-sur-Ariège": "09306",
		"Alpes-Maritimes": "06", "Occitanie": "76", "SM du parc naturel régional": "254200363",
	}
	if diff := cmp.Diff(wantCodes, got); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
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

// endless repeats a row for ever, as a file too large for memory does.
type endless struct {
	head, row string
	left      int
	buf       string
}

func (e *endless) Read(p []byte) (int, error) {
	if e.buf == "" {
		e.buf, e.head = e.head, ""
	}
	if e.buf == "" {
		if e.left == 0 {
			return 0, io.EOF
		}
		e.left--
		e.buf = e.row
	}
	n := copy(p, e.buf)
	e.buf = e.buf[n:]
	return n, nil
}

func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	heap := func(rows int, src io.Reader) uint64 {
		f, err := Open(src, FormatAuto)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		var m runtime.MemStats
		for r, err := range f.Rows() {
			if err != nil || r.Err != nil {
				t.Fatal(err, r.Err)
			}
			if n++; n == rows {
				runtime.GC()
				runtime.ReadMemStats(&m)
			}
		}
		if n != rows {
			t.Fatalf("got %d rows, want %d", n, rows)
		}
		return m.HeapAlloc
	}
	csvOf := func(n int) io.Reader {
		return &endless{head: "nom,ville,description\n", row: "Jardin,Dijon," + strings.Repeat("terre ", 100) + "\n", left: n}
	}
	geoOf := func(n int) io.Reader {
		feature := `{"type":"Feature","properties":{"name":"Jardin","description":"` + strings.Repeat("terre ", 100) + `"},"geometry":null}`
		return io.MultiReader(
			strings.NewReader(`{"type":"FeatureCollection","features":[`+feature),
			&endless{row: "," + feature, left: n - 1},
			strings.NewReader("]}"))
	}
	for name, of := range map[string]func(int) io.Reader{"csv": csvOf, "geojson": geoOf} {
		small, large := heap(1_000, of(1_000)), heap(40_000, of(40_000))
		if large > small+4<<20 {
			t.Errorf("%s: heap %d bytes after 1,000 rows, %d after 40,000", name, small, large)
		}
	}
}

func TestARowThatNeverEndsIsRefused(t *testing.T) {
	t.Parallel()
	src := &endless{head: "nom,ville\n\"jamais fermé,", row: strings.Repeat("x", 1<<16), left: 1 << 10}
	f, err := Open(src, FormatCSV)
	if err != nil {
		t.Fatal(err)
	}
	var last error
	for _, err := range f.Rows() {
		last = err
	}
	if !errors.Is(last, ErrTooLong) {
		t.Errorf("got %v, want ErrTooLong", last)
	}
	if src.left < 1<<9 {
		t.Errorf("read %d KiB beyond the bound", (1<<10-src.left)*64)
	}
}

func TestSeparatorsAndHeaders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, columns string }{
		{"a,b\n1,2\n", "a|b"},
		{"a;b\n1;2\n", "a|b"},
		{"a\tb\n1\t2\n", "a|b"},
		{"a|b\n1|2\n", "a|b"},
		{"\"x;y,z\";b\r\n1;2\r\n", "x;y,z|b"},
		{"a,a,,a\n1,2,3,4\n", "a|a_2|a_3"},
		{"\xff\xfea\x00;\x00b\x00\n\x001\x00;\x002\x00\n\x00", "a|b"},
		{"nom;d\xe9partement\nA;21\n", "nom|département"},
	} {
		f, err := Open(strings.NewReader(c.text), FormatCSV)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if got := strings.Join(f.Columns, "|"); got != c.columns {
			t.Errorf("%q: got %q, want %q", c.text, got, c.columns)
		}
		if got := len(f.Sample()); got != 1 {
			t.Errorf("%q: got %d rows, want 1", c.text, got)
		}
	}
	for _, text := range []string{"", "\n\n", ",,\n1,2,3\n"} {
		if _, err := Open(strings.NewReader(text), FormatCSV); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: got %v, want ErrFormat", text, err)
		}
	}
	for _, text := range []string{"{", "[]", `{"a":1}`, `{"features":{}}`, `{"type":"FeatureCollection"}`} {
		if _, err := Open(strings.NewReader(text), FormatGeoJSON); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: got %v, want ErrFormat", text, err)
		}
	}
}

func TestCleanMendsOnlyWhatIsCertain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"  Café ", "Café"},
		{"Caf&eacute; &amp;amp; th&#233;", "Café & thé"},
		{"FranÃ§ois et la forÃªt", "François et la forêt"},
		{"lâ€™Ã©cole", "l’école"},
		{"Ã‰cole", "École"},
		{"ASSOCIAÇÃO AMANHÃ »", "ASSOCIAÇÃO AMANHÃ »"},
		{"AMANHÃ", "AMANHÃ"},
		{"e\u0301te\u0301", "été"},
		{"a\x00b\u200bc", "abc"},
		{"10 < 20 & 30", "10 < 20 & 30"},
	} {
		if got := Clean(c.in); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

func TestHoursAreReadOrLeftOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		want string
		ok   bool
	}{
		{"09:00 - 12:00 / 13:30 - 17:00", "[{540 720} {810 1020}]", true},
		{"8h30-12h", "[{510 720}]", true},
		{"9h12h", "[{540 720}]", true},
		{"14h à 18h30", "[{840 1110}]", true},
		{"9h-12h et 14h-17h", "[{540 720} {840 1020}]", true},
		{"00:00 - 00:00 / 09:00 - 12:00", "[{540 720}]", true},
		{"09:45 - 12:00 / 09:45 - 12:00", "[{585 720}]", true},
		{"09:00 - 17:00 / 09:00 - 12:00 / 14:00 - 17:00", "[{540 1020}]", true},
		{"-", "[]", true},
		{"x", "[]", true},
		{"souscondition", "[]", false},
		{"17h-9h", "[]", false},
		{"9h75-12h", "[]", false},
	} {
		got, ok := parseSpans(c.in)
		if fmt.Sprint(got) != c.want || ok != c.ok {
			t.Errorf("%q: got %v %v, want %v %v", c.in, got, ok, c.want, c.ok)
		}
	}
	if got, want := hoursRules("Mo-Fr 09:00-12:00,14:00-17:00; Sa 09:00-12:00"), []string{"Mo-Fr 09:00-12:00", "Mo-Fr 14:00-17:00", "Sa 09:00-12:00"}; !cmp.Equal(got, want) {
		t.Errorf("OpenStreetMap: got %q, want %q", got, want)
	}
	if got := hoursRules("normal market timetable"); got != nil {
		t.Errorf("prose: got %q", got)
	}
}
