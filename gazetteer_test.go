// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim_test

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"essaim"
)

func TestEmbeddedGazetteerHoldsTheWholeCountry(t *testing.T) {
	t.Parallel()
	g := essaim.EmbeddedGazetteer()
	if got, want := g.Len(), 34969; got != want {
		t.Errorf("communes: got %d, want %d", got, want)
	}
	for _, c := range []struct {
		siren, name, member string
		members             int
	}{
		{"242900314", "Brest Métropole", "29019", 8},
		{"243100518", "Toulouse Métropole", "31555", 37},
		{"243100633", "CA du Sicoval", "31446", 36},
		{"200093201", "Métropole Européenne de Lille", "59599", 95},
	} {
		e, ok := g.EPCI(c.siren)
		if !ok || e.Name != c.name || len(e.Communes) != c.members || !strings.Contains(strings.Join(e.Communes, " "), c.member) {
			t.Errorf("EPCI %s: got %q with %d communes, want %q with %d, %s among them", c.siren, e.Name, len(e.Communes), c.name, c.members, c.member)
		}
	}
	if d, ok := g.Departement("29"); !ok || d.Name != "Finistère" || d.Region != "53" {
		t.Errorf("département 29: got %+v", d)
	}
	if r, ok := g.Region("53"); !ok || r.Name != "Bretagne" {
		t.Errorf("région 53: got %+v", r)
	}
	if _, ok := g.EPCI("000000000"); ok {
		t.Error("an EPCI that does not exist was found")
	}
}

func TestCommuneIsFoundByCode(t *testing.T) {
	t.Parallel()
	g := essaim.EmbeddedGazetteer()
	for _, c := range []struct{ code, want, departement, region string }{
		{"29019", "Brest", "29", "53"},
		{"2A004", "Ajaccio", "2A", "94"},
		{"97411", "Saint-Denis", "974", "04"},
		{"59355", "Lille", "59", "32"},     // Lomme, associated
		{"75111", "Paris", "75", "11"},     // an arrondissement
		{"98735", "Papeete", "987", "987"}, // overseas, no EPCI
	} {
		got, ok := g.Commune(c.code)
		if !ok || got.Name != c.want || got.Departement != c.departement || got.Region != c.region {
			t.Errorf("%s: got %+v, want %s in %s, %s", c.code, got, c.want, c.departement, c.region)
		}
	}
	for _, code := range []string{"", "29", "99999", "29019 ", "Brest"} {
		if got, ok := g.Commune(code); ok {
			t.Errorf("%q: got %s, want nothing", code, got.Name)
		}
	}
}

func TestCommuneIsFoundByNameHoweverWritten(t *testing.T) {
	t.Parallel()
	g := essaim.EmbeddedGazetteer()
	for name, want := range map[string]string{
		"brest": "29019", "TOURCOING": "59599", "St Etienne": "42218", "saint-étienne": "42218",
		"Ramonville St-Agne": "31446", "Ramonville-Saint-Agne": "31446", "L’Haÿ les Roses": "94038",
		"villeneuve d'ascq": "59009", "Ste-Foy-lès-Lyon": "69202",
	} {
		got := g.Named(name)
		if len(got) == 0 || got[0].Code != want {
			t.Errorf("%q: got %v, want %s first", name, got, want)
		}
	}
	if got := g.Named("Saint-Denis"); len(got) < 3 || got[0].Population < got[1].Population {
		t.Errorf("homonyms: got %d, want several, the most peopled first", len(got))
	}
	if got := g.Named(""); len(got) != 0 {
		t.Errorf("no name: got %d communes", len(got))
	}
	if got := g.WithPostcode("29200"); len(got) != 1 || got[0].Code != "29019" {
		t.Errorf("29200: got %v, want Brest", got)
	}
}

func TestPerimeterIsTheUnionOfItsParts(t *testing.T) {
	t.Parallel()
	g := essaim.EmbeddedGazetteer()
	toulouse := essaim.Territory{EPCIs: []string{"243100518", "243100633"}, Communes: []string{"29019"}}
	if got, want := len(g.Within(toulouse)), 37+36+1; got != want {
		t.Errorf("communes: got %d, want %d", got, want)
	}
	for code, want := range map[string]bool{"31555": true, "31446": true, "29019": true, "29232": false, "": false, "99999": false} {
		if got := g.Covers(toulouse, code); got != want {
			t.Errorf("covers %q: got %v, want %v", code, got, want)
		}
	}
	if got, want := len(g.Within(essaim.Territory{Departements: []string{"29"}})), 277; math.Abs(float64(got-want)) > 5 {
		t.Errorf("Finistère: got %d communes, want about %d", got, want)
	}
	if !g.Covers(essaim.Territory{EPCIs: []string{"200093201"}}, "59355") {
		t.Error("a commune absorbed by one of the perimeter is outside")
	}
	lat, lon, ok := g.Centre(essaim.Territory{EPCIs: []string{"242900314"}})
	if !ok || essaim.Distance(lat, lon, 48.39, -4.49) > 10 {
		t.Errorf("centre of Brest: got %v, %v, %v", lat, lon, ok)
	}
	if _, _, ok := g.Centre(essaim.Territory{}); ok {
		t.Error("an empty perimeter has a centre")
	}
}

func TestNearestCommuneSaysHowFar(t *testing.T) {
	t.Parallel()
	g := essaim.EmbeddedGazetteer()
	c, km := g.Nearest(48.391, -4.487)
	if c.Code != "29019" || km > 2 {
		t.Errorf("got %s at %.1f km, want Brest within 2", c.Code, km)
	}
	if _, km := g.Nearest(52.52, 13.40); km < 300 {
		t.Errorf("Berlin: got %.0f km from a French commune", km)
	}
}

func TestLoadGazetteerRefusesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	const header = "insee\tname\tdept\tregion\tepci\tlat\tlon\tcoord_source\tpopulation\n"
	for name, text := range map[string]string{
		"nothing":             "",
		"no communes":         header,
		"no header":           "29019\tBrest\n",
		"bad code":            header + "2901\tBrest\n",
		"no name":             header + "29019\t\n",
		"twice":               header + "29019\tBrest\n29019\tBrest\n",
		"bad latitude":        header + "29019\tBrest\t29\t53\t242900314\t98\t-4\tx\t1\n",
		"latitude not number": header + "29019\tBrest\t29\t53\t242900314\tNaN\t-4\tx\t1\n",
		"bad population":      header + "29019\tBrest\t29\t53\t242900314\t48\t-4\tx\t-1\n",
		"bad EPCI":            header + "29019\tBrest\t29\t53\tBrest\t48\t-4\tx\t1\n",
		"cut gzip":            "\x1f\x8b\x08\x00",
	} {
		if _, err := essaim.LoadGazetteer(strings.NewReader(text)); !errors.Is(err, essaim.ErrInvalid) {
			t.Errorf("%s: got %v, want invalid", name, err)
		}
	}
	g, err := essaim.LoadGazetteer(strings.NewReader(header + "29019\tBrest\t29\t53\t242900314\t48.4\t-4.5\thexasmal\t139600\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c, ok := g.Commune("29019"); !ok || c.Lat != 48.4 || c.Lon != -4.5 || c.EPCI != "242900314" || c.Region != "53" {
		t.Errorf("got %+v", c)
	}
	if e, _ := g.EPCI("242900314"); e.Name != "Brest Métropole" {
		t.Errorf("a name that the file lacks: got %q, want the built-in one", e.Name)
	}
}

func TestLoadGazetteerReadsTheCompleteOne(t *testing.T) {
	t.Parallel()
	path := filepath.Join(corpus(t), "data", "territory", "gazetteer-communes-2026.tsv.gz")
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) && os.Getenv("CI") != "true" {
		t.Logf("left out: %s is not there", path)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	g, err := essaim.LoadGazetteer(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := g.Len(), 34969; got != want {
		t.Errorf("communes: got %d, want %d", got, want)
	}
	if e, ok := g.EPCI("200093201"); !ok || len(e.Communes) != 95 || e.Name == "" {
		t.Errorf("Lille: got %q with %d communes", e.Name, len(e.Communes))
	}
	if c, _ := g.Commune("29019"); c.Approximate || essaim.Distance(c.Lat, c.Lon, 48.39, -4.49) > 10 {
		t.Errorf("Brest: got %+v", c)
	}
}

// corpus is the directory of real files that ESSAIM_CORPUS names, by default
// beside the repository.
func corpus(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("ESSAIM_CORPUS"); dir != "" {
		return dir
	}
	dir, err := filepath.Abs("../shared")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func FuzzLoadGazetteer(f *testing.F) {
	f.Add([]byte("insee\tname\tlat\tlon\n29019\tBrest\t48.4\t-4.5\n"))
	f.Add([]byte("#epci\t242900314\tBrest\nname\tinsee\tepci\nBrest\t29019\t242900314\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := essaim.LoadGazetteer(bytes.NewReader(b))
		if err != nil {
			if !errors.Is(err, essaim.ErrInvalid) {
				t.Fatalf("%v is not an error about the input", err)
			}
			return
		}
		// What was read can be found again.
		for _, c := range g.Within(essaim.Territory{Departements: []string{"29"}}) {
			if got, ok := g.Commune(c.Code); !ok || got != c {
				t.Fatalf("commune %s: got %+v, want %+v", c.Code, got, c)
			}
		}
	})
}

func BenchmarkLoadGazetteer(b *testing.B) {
	text, err := os.ReadFile("gazetteer.tsv.gz")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := essaim.LoadGazetteer(bytes.NewReader(text)); err != nil {
			b.Fatal(err)
		}
	}
}

func TestCommunesAreFoundByHowTheirNameBegins(t *testing.T) {
	t.Parallel()
	g := essaim.EmbeddedGazetteer()
	for beginning, want := range map[string]string{"bres": "29019", "Saint-Bri": "22278", "st bri": "22278", "TOULOUS": "31555"} {
		if got := g.Beginning(beginning, 3); len(got) == 0 || len(got) > 3 || got[0].Code != want {
			t.Errorf("%q: %+v, want %s first of three at most", beginning, got, want)
		}
	}
	for _, none := range []string{"", "'", "zzzz"} {
		if got := g.Beginning(none, 3); len(got) > 0 {
			t.Errorf("%q: %+v, want none", none, got)
		}
	}
}

// The four communes of no EPCI are islands: at the mean of their département they
// stood far inland.
func TestIslandsStandInTheSea(t *testing.T) {
	t.Parallel()
	g := essaim.EmbeddedGazetteer()
	for code, at := range map[string][2]float64{"22016": {48.85, -3.00}, "29083": {48.04, -4.85}, "29155": {48.46, -5.10}, "85113": {46.71, -2.35}} {
		c, ok := g.Commune(code)
		if d := essaim.Distance(c.Lat, c.Lon, at[0], at[1]); !ok || d > 5 || c.Approximate {
			t.Errorf("%s %s is %.0f km away: %+v", code, c.Name, d, c)
		}
	}
	for c := range g.All() {
		if c.EPCI == "" && c.Approximate {
			t.Errorf("%s stands at the mean of a département", c.Name)
		}
	}
}
