// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
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
