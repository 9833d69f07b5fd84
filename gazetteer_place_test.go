// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim_test

import (
	"slices"
	"strings"
	"testing"

	"essaim"
)

func TestACodeGivesAPlaceItsNameAndItsMiddle(t *testing.T) {
	t.Parallel()
	g := essaim.EmbeddedGazetteer()
	lat, lon := essaim.Point(48.4, -4.4)
	for _, c := range []struct {
		what        string
		pl          essaim.Place
		label, city string
		insee       string
		near        [2]float64
		km          float64
	}{
		{"commune", essaim.Place{INSEE: "29019"}, "", "Brest", "29019", [2]float64{48.39, -4.49}, 5},
		{"former commune", essaim.Place{INSEE: "59355"}, "", "Lille", "59350", [2]float64{50.63, 3.06}, 5},
		{"commune with a name of its own", essaim.Place{INSEE: "29019", Label: "La halle"}, "La halle", "Brest", "29019", [2]float64{48.39, -4.49}, 5},
		{"EPCI", essaim.Place{EPCI: "242900314"}, "Brest Métropole", "", "", [2]float64{48.39, -4.49}, 10},
		{"département", essaim.Place{Departement: "29"}, "Finistère", "", "", [2]float64{48.25, -4.2}, 40},
		{"overseas", essaim.Place{Departement: "974"}, "La Réunion", "", "", [2]float64{-21.1, 55.5}, 40},
		{"région", essaim.Place{Region: "53"}, "Bretagne", "", "", [2]float64{48.1, -2.9}, 60},
		{"the smallest of several", essaim.Place{EPCI: "242900314", Departement: "29", Region: "53"}, "Brest Métropole", "", "", [2]float64{48.39, -4.49}, 10},
		{"with a name of its own", essaim.Place{Departement: "29", Label: "Bout du monde"}, "Bout du monde", "", "", [2]float64{48.25, -4.2}, 40},
		{"with a point of its own", essaim.Place{Region: "53", Lat: lat, Lon: lon}, "Bretagne", "", "", [2]float64{48.4, -4.4}, 0.001},
	} {
		pl := c.pl
		if unknown := g.Locate(&pl); len(unknown) > 0 {
			t.Errorf("%s: unknown %v", c.what, unknown)
			continue
		}
		if pl.Label != c.label || pl.City != c.city || pl.INSEE != c.insee || !pl.Located() {
			t.Errorf("%s: got %+v", c.what, pl)
			continue
		}
		if d := essaim.Distance(*pl.Lat, *pl.Lon, c.near[0], c.near[1]); d > c.km {
			t.Errorf("%s: %.1f km from where it is", c.what, d)
		}
		if pl.Approximate == c.pl.Located() {
			t.Errorf("%s: approximate is %v", c.what, pl.Approximate)
		}
		again := pl
		if g.Locate(&again); again != pl {
			t.Errorf("%s: a second look gives %+v, want %+v", c.what, again, pl)
		}
	}
}

func TestACodeThatNamesNothingIsToldByItsLevel(t *testing.T) {
	t.Parallel()
	g := essaim.EmbeddedGazetteer()
	for _, c := range []struct {
		what string
		pl   essaim.Place
		want []essaim.AreaLevel
	}{
		{"no code", essaim.Place{City: "Bruxelles", Country: "BE"}, nil},
		{"commune", essaim.Place{INSEE: "99999"}, []essaim.AreaLevel{essaim.AreaCommune}},
		{"commune with a name", essaim.Place{INSEE: "99999", Label: "Ici"}, []essaim.AreaLevel{essaim.AreaCommune}},
		{"EPCI", essaim.Place{EPCI: "299999999"}, []essaim.AreaLevel{essaim.AreaEPCI}},
		{"SIREN that cannot be, with a name", essaim.Place{EPCI: "299999999", Label: "Syndicat"}, []essaim.AreaLevel{essaim.AreaEPCI}},
		{"syndicat mixte without its name", essaim.Place{EPCI: "254200363"}, []essaim.AreaLevel{essaim.AreaEPCI}},
		{"syndicat mixte", essaim.Place{EPCI: "254200363", Label: "Parc naturel régional du Pilat"}, nil},
		{"département and région", essaim.Place{Departement: "00", Region: "99"}, []essaim.AreaLevel{essaim.AreaDepartement, essaim.AreaRegion}},
		{"one of two", essaim.Place{INSEE: "29019", Departement: "99"}, []essaim.AreaLevel{essaim.AreaDepartement}},
	} {
		pl := c.pl
		if got := g.Locate(&pl); !slices.Equal(got, c.want) {
			t.Errorf("%s: unknown %v, want %v", c.what, got, c.want)
		}
	}
}

func TestAnAreaThatIsNotPlacedGivesNoPoint(t *testing.T) {
	t.Parallel()
	g, err := essaim.LoadGazetteer(strings.NewReader("insee\tname\tepci\n29019\tBrest\t242900314\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, pl := range []essaim.Place{{INSEE: "29019"}, {EPCI: "242900314"}, {Departement: "29"}, {Region: "53"}} {
		if unknown := g.Locate(&pl); len(unknown) > 0 || pl.Located() || pl.Approximate || pl.Label+pl.City == "" {
			t.Errorf("got %+v, unknown %v", pl, unknown)
		}
	}
}
