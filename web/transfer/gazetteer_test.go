// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"essaim"
)

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

func TestImportsRefuseCodesThatNameNothing(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"elsewhere": "nom,codgeo,echelon\nA,99999,commune\nB,299999999,epci\nC,00,departement\nD,99,region\nE,29019,commune\nF,29,departement\nG,242900314,epci\n",
		"ours": "essaim_kind,title,insee,epci,departement,region,licence\n" +
			"venue,A,99999,,,,\nvenue,B,,299999999,,,\nvenue,C,,,00,,\nvenue,D,,,,99,\nvenue,E,29019,,,,\nvenue,F,,,29,,\nvenue,G,,242900314,,,\n",
	} {
		f, err := Open(strings.NewReader(text), FormatAuto)
		if err != nil {
			t.Fatal(err)
		}
		rows, refused := converted(t, f, ConvertConfig{})
		want := map[int]string{
			2: `commune code "99999" is not known`, 3: `EPCI code "299999999" is not known`,
			4: `département code "00" is not known`, 5: `region code "99" is not known`,
		}
		if diff := cmp.Diff(want, refused); diff != "" {
			t.Errorf("%s: refusals (-want +got):\n%s", name, diff)
		}
		var names []string
		for _, r := range rows {
			pl := r.Content.Places[0]
			if !pl.Located() || !pl.Approximate {
				t.Errorf("%s: %s is not at the middle of its area: %+v", name, r.Content.Title, pl)
			}
			names = append(names, pl.City+pl.Label)
		}
		if diff := cmp.Diff([]string{"Brest", "Finistère", "Brest Métropole"}, names); diff != "" {
			t.Errorf("%s: names (-want +got):\n%s", name, diff)
		}
	}
}
