// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"essaim"
)

// formServer is enough of a site for forms.
func formServer(t *testing.T) (*Server, *locale) {
	t.Helper()
	l := testLocales(t)["fr"]
	return &Server{cfg: Config{Gazetteer: essaim.EmbeddedGazetteer(), Zone: l.zone}, communes: []string{"29019", "29212"}}, l
}

func TestEveryKindHasItsFormAndItsPage(t *testing.T) {
	t.Parallel()
	for _, k := range essaim.Kinds() {
		if f, ok := bodyForms[k.Kind]; !ok || f.read == nil || f.write == nil {
			t.Errorf("%s has no form", k.Kind)
		}
		for _, name := range []string{formTemplate(k.Kind), kindTemplate(k.Kind)} {
			if _, err := templateFiles.ReadFile("templates/" + name + ".html"); err != nil {
				t.Errorf("%s has no template %s", k.Kind, name)
			}
		}
	}
	if got, want := len(bodyForms), len(essaim.Kinds()); got != want {
		t.Errorf("%d forms for %d kinds", got, want)
	}
}

func TestFormGivesBackWhatItWasFilledWith(t *testing.T) {
	t.Parallel()
	s, l := formServer(t)
	for _, want := range fullContents() {
		t.Run(string(want.Kind), func(t *testing.T) {
			t.Parallel()
			if p := want.Validate(true); len(p) > 0 {
				t.Fatalf("the sample is not valid: %v", p)
			}
			f := &recordForm{kind: want.Kind, values: url.Values{}, problems: essaim.Problems{}, l: l}
			f.write(want)
			got := f.read(s, want)
			if len(f.problems) > 0 {
				t.Errorf("problems: %v", f.problems)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("content: %s", d)
			}
		})
	}
}

func creditsByName(c essaim.Content) map[string]essaim.Credit {
	out := map[string]essaim.Credit{}
	for _, cr := range c.Credits {
		out[cr.Name] = cr
	}
	return out
}

func TestCommuneTypedByNameIsPlaced(t *testing.T) {
	t.Parallel()
	s, l := formServer(t)
	tests := []struct{ name, typed, code, shown string }{
		{"name", "brest", "29019", "Brest (29019)"},
		{"name and code", "Plouzané (29212)", "29212", "Plouzané (29212)"},
		{"code", "31555", "31555", "Toulouse (31555)"},
		{"SIREN of an EPCI", "242900314", "242900314", "Brest Métropole (242900314)"},
		{"number of a département", "2a", "2A", "Corse-du-Sud (2A)"},
		{"région", "région 53", "53", "Bretagne (région 53)"},
		{"département with its name", "Mayenne (53)", "53", "Mayenne (53)"},
		{"commune and its département", "Montreuil (93)", "93048", "Montreuil (93048)"},
		{"commune and its département overseas", "Saint-Denis (974)", "97411", "Saint-Denis (97411)"},
		{"commune and its postcode", "Vannes (56000)", "56260", "Vannes (56260)"},
		{"commune abbreviated, and its code", "St Etienne (42218)", "42218", "Saint-Étienne (42218)"},
		{"arrondissement", "Lyon 3e (69383)", "69123", "Lyon (69123)"},
		{"EPCI by another name", "La métropole (242900314)", "242900314", "Brest Métropole (242900314)"},
		{"town abroad and its postcode", "Bruxelles (1000)", "", "Bruxelles (1000)"},
		{"number that is no code", "Lyon (3e)", "", "Lyon (3e)"},
		{"unknown", "Nulle-Part-les-Oies", "", "Nulle-Part-les-Oies"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := &recordForm{kind: essaim.KindVenue, problems: essaim.Problems{}, l: l, values: url.Values{"places.0.commune": {tt.typed}, "places.0.label": {"La halle"}}}
			got := f.readPlaces(s, nil)
			if len(got) != 1 || got[0].Label != "La halle" || len(f.problems) > 0 {
				t.Fatalf("%q gives %+v, problems %v", tt.typed, got, f.problems)
			}
			if _, code := got[0].Smallest(); code != tt.code {
				t.Errorf("%q gives %+v, want code %q", tt.typed, got[0], tt.code)
			}
			if tt.code != "" && (!got[0].Located() || !got[0].Approximate) {
				t.Errorf("%q is not at the middle of its area: %+v", tt.typed, got[0])
			}
			back := &recordForm{kind: essaim.KindVenue, values: url.Values{}, l: l}
			back.writePlace("places.0.", got[0])
			if shown := back.values.Get("places.0.commune"); shown != tt.shown {
				t.Errorf("%q comes back as %q, want %q", tt.typed, shown, tt.shown)
			}
		})
	}
}

// A PETR has a SIREN that no list of EPCI has: the form takes it as the API does.
func TestASIRENOfNoEPCIIsTakenWithItsLabel(t *testing.T) {
	t.Parallel()
	s, l := formServer(t)
	for label, refused := range map[string]bool{"Pays de la halle": false, "": true} {
		f := &recordForm{kind: essaim.KindVenue, problems: essaim.Problems{}, l: l, values: url.Values{"places.0.commune": {"252902457"}, "places.0.label": {label}}}
		got := f.readPlaces(s, nil)
		if len(got) != 1 || got[0].EPCI != "252902457" || got[0].City != "" || (f.problems["places.0"] == "bad_code") != refused {
			t.Errorf("label %q: %+v, problems %v", label, got, f.problems)
		}
	}
}

func TestTheNameOfACodeFollowsTheCode(t *testing.T) {
	t.Parallel()
	s, l := formServer(t)
	f := &recordForm{kind: essaim.KindVenue, problems: essaim.Problems{}, l: l, values: url.Values{"places.0.commune": {"242900314"}}}
	before := f.readPlaces(s, nil)
	if len(before) != 1 || before[0].Label != "Brest Métropole" {
		t.Fatalf("got %+v", before)
	}
	f.values = url.Values{}
	f.writePlace("places.0.", before[0])
	if got := f.readPlaces(s, before); len(got) != 1 || got[0] != before[0] {
		t.Errorf("an edit that changes nothing gives %+v, want %+v", got, before)
	}
	f.values.Set("places.0.commune", "29")
	if got := f.readPlaces(s, before); len(got) != 1 || got[0].Label != "Finistère" || got[0].EPCI != "" || len(f.problems) > 0 {
		t.Errorf("another code gives %+v, problems %v", got, f.problems)
	}
}

func TestACodeThatNamesNothingIsAProblemOfItsRow(t *testing.T) {
	t.Parallel()
	s, l := formServer(t)
	for _, typed := range []string{"99999", "299999999", "00", "2C", "1000", "Là-bas (99999)", "Bretagne (53)", "Toulouse (29019)", "Normandie (région 53)", "Montreuil (29)"} {
		for _, state := range []string{"draft", "published"} {
			f := &recordForm{kind: essaim.KindVenue, problems: essaim.Problems{}, l: l, values: url.Values{
				"state": {state}, "places.0.commune": {"Brest"}, "places.1.commune": {typed}, "places.1.label": {"La halle"},
			}}
			f.readPlaces(s, nil)
			if len(f.problems) != 1 || f.problems["places.1"] != "bad_code" {
				t.Errorf("%s %q: problems %v", state, typed, f.problems)
			}
			if msg := f.RowError("places", 1); !strings.Contains(msg, "n’existe pas") {
				t.Errorf("%q: the row says %q", typed, msg)
			}
		}
	}
	stood := []essaim.Place{{INSEE: "99999", Label: "La halle"}}
	f := &recordForm{kind: essaim.KindVenue, problems: essaim.Problems{}, l: l, values: url.Values{}}
	f.writePlace("places.0.", stood[0])
	f.values.Set("places.0.street", "1 rue de la Paix")
	if got := f.readPlaces(s, stood); len(f.problems) > 0 || len(got) != 1 || got[0].INSEE != "99999" {
		t.Errorf("a code that the record had: %+v, problems %v", got, f.problems)
	}
}

func TestUnknownCommuneIsNotPublishedUnlessNamedOtherwise(t *testing.T) {
	t.Parallel()
	s, l := formServer(t)
	for _, tt := range []struct {
		name, state, label string
		refused            bool
	}{
		{"published", "published", "", true},
		{"kept as a draft", "draft", "", false},
		{"with a name of its own", "published", "Maison des associations", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := &recordForm{kind: essaim.KindVenue, problems: essaim.Problems{}, l: l, values: url.Values{
				"state": {tt.state}, "places.0.commune": {"Nulle-Part-les-Oies"}, "places.0.label": {tt.label},
			}}
			f.readPlaces(s, nil)
			if got := f.problems["places.0"] == "unknown_commune"; got != tt.refused {
				t.Errorf("problems %v, refused %v wanted", f.problems, tt.refused)
			}
			again := &recordForm{kind: essaim.KindVenue, problems: essaim.Problems{}, l: l, values: f.values}
			if again.readPlaces(s, []essaim.Place{{City: "Nulle-Part-les-Oies", Label: tt.label}}); len(again.problems) > 0 {
				t.Errorf("a place that the record had already is refused: %v", again.problems)
			}
		})
	}
}

func TestPersonsStandApartAndAreNotLostByTheForm(t *testing.T) {
	t.Parallel()
	s, l := formServer(t)
	before := fullContents()[0]
	f := &recordForm{kind: before.Kind, values: url.Values{}, problems: essaim.Problems{}, l: l}
	f.write(before)
	for name, v := range f.values {
		if len(v) > 0 && v[0] == "Voisine" && !strings.HasPrefix(name, "people.") {
			t.Errorf("the form shows a person in %s, among those who need not agree", name)
		}
	}
	f.values.Set("credits.0.name", "Autre association")
	after := f.read(s, before)
	if _, ok := creditsByName(after)["Voisine"]; !ok {
		t.Error("a person was lost by an edit")
	}
}

func TestAProblemStandsAtTheRowThatItIsAbout(t *testing.T) {
	t.Parallel()
	s, l := formServer(t)
	values := url.Values{
		"credits.0.name": {"Vert le Jardin"}, "credits.0.role": {"porteur"}, "credits.0.kind": {"association"},
		"people.0.name": {""}, "people.0.since": {""}, // blank: her row was emptied
		"people.1.name": {"Voisine"}, "people.1.role": {"porteur"}, "people.1.since": {"hier"},
	}
	f := &recordForm{kind: essaim.KindInitiative, values: values, problems: essaim.Problems{}, l: l}
	c := f.read(s, essaim.Content{})
	f.check(&c, essaim.StateDraft)
	if f.problems["people.1.since"] == "" || f.problems["credits.0.since"] != "" || f.problems["credits.1.since"] != "" {
		t.Errorf("problems %v, want one at people.1.since", f.problems)
	}
	stored := &essaim.ValidationError{Problems: essaim.Problems{"credits.1.since": "date"}}
	if !f.refused(&c, stored) || len(f.problems) != 1 || f.problems["people.1.since"] != "date" {
		t.Errorf("problems of the store %v, want one at people.1.since", f.problems)
	}
}

func FuzzFormIsReadWithoutPanicAndValidated(f *testing.F) {
	paris := "Europe/Paris"
	f.Add("initiative", "title=a&places.0.commune=Brest&themes=numerique&body.indicators.0.label=x")
	f.Add("meeting", "body.start=2026-03-14T17:30&body.timezone="+paris)
	f.Add("venue", "places.199.label=x&places.-1.label=y&places.0.point=91,200")
	f.Add("recipe", "body.steps.0.name=a&body.steps.99999999999999999999.name=b&ajouter=body.steps")
	gazetteer := essaim.EmbeddedGazetteer()
	locales, _, err := newLocales(localeFiles, nil, gazetteer)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, kind, query string) {
		k := essaim.Kind(kind)
		if _, ok := k.Info(); !ok {
			return
		}
		v, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		l := *locales["fr"]
		l.zone = testZone
		s := &Server{cfg: Config{Gazetteer: gazetteer, Zone: testZone}}
		form := &recordForm{kind: k, values: v, problems: essaim.Problems{}, l: &l}
		c := form.read(s, essaim.Content{})
		form.check(&c, essaim.StatePublished)
		if len(c.Places) > 200 || c.Kind != k || c.Body == nil || c.Body.Kind() != k {
			t.Fatalf("%q gives %+v", query, c)
		}
		for _, p := range form.Problems() {
			if p.Text == "" || p.ID == "" {
				t.Fatalf("%q gives a problem without words: %+v", query, p)
			}
		}
	})
}
