// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim_test

import (
	"strings"
	"testing"

	"essaim"
)

func TestThesaurusIsATreeWithLabels(t *testing.T) {
	t.Parallel()
	themes := essaim.Themes()
	if len(themes) != 41 {
		t.Errorf("themes: got %d, want 41", len(themes))
	}
	seen := map[string]bool{}
	for _, th := range themes {
		if seen[th.ID] || essaim.Slug(th.ID) != th.ID {
			t.Errorf("theme %q: id twice or not a slug", th.ID)
		}
		if th.Broader != "" && !seen[th.Broader] {
			t.Errorf("theme %q: broader %q does not come before", th.ID, th.Broader)
		}
		if th.French == "" || th.English == "" {
			t.Errorf("theme %q: a label is missing", th.ID)
		}
		seen[th.ID] = true
		if id, ok := essaim.ThemeID(essaim.ThemeIRI(th.ID)); !ok || id != th.ID {
			t.Errorf("theme %q: its IRI reads back as %q, %v", th.ID, id, ok)
		}
	}
	if got := strings.Join(essaim.ThemeAndBroader("circuits-courts"), " "); got != "circuits-courts alimentation" {
		t.Errorf("broader of circuits-courts: %q", got)
	}
	for _, iri := range []string{"https://w3id.org/essaim/themes#lune", "https://brest.example/ns/essaim/themes#Éé", "https:///ns/essaim/themes#a", "x"} {
		if id, ok := essaim.ThemeID(iri); ok {
			t.Errorf("ThemeID(%q) accepted as %q", iri, id)
		}
	}
	if id, ok := essaim.ThemeID("https://brest.example/ns/essaim/themes#algues"); !ok || id != "brest.example:algues" {
		t.Errorf("local concept: got %q, %v", id, ok)
	}
}

func TestClosedListsAreCompleteInBothLanguages(t *testing.T) {
	t.Parallel()
	for list, want := range map[essaim.List]int{
		essaim.ListStage: 6, essaim.ListActivity: 5, essaim.ListRole: 12, essaim.ListActor: 11, essaim.ListPurpose: 6,
		essaim.ListForm: 5, essaim.ListLevel: 8, essaim.ListCallKind: 9, essaim.ListEvent: 15,
		essaim.ListDifficulty: 3, essaim.ListReadiness: 3, essaim.ListMeetingStatus: 3, essaim.ListOutcome: 3,
	} {
		if got := len(list.Terms()); got != want {
			t.Errorf("%s: got %d terms, want %d", list, got, want)
		}
		for _, term := range list.Terms() {
			if term.ID == "" || term.French == "" || term.English == "" {
				t.Errorf("%s: incomplete term %+v", list, term)
			}
		}
	}
}

func TestLicencesReadBackByIdAndAddress(t *testing.T) {
	t.Parallel()
	for _, l := range essaim.Licences() {
		if got, ok := essaim.LicenceByID(strings.ToUpper(l.ID)); !ok || got != l {
			t.Errorf("%s by id in capitals: %+v, %v", l.ID, got, ok)
		}
		http := "http://" + strings.TrimSuffix(strings.TrimPrefix(l.IRI, "https://"), "/")
		if got, ok := essaim.LicenceByIRI(http); !ok || got != l {
			t.Errorf("%s by %s: %+v, %v", l.ID, http, got, ok)
		}
		if essaim.Reusable(l.ID) == (l.ID == "cc-by-nc-nd" || l.ID == "tous-droits") {
			t.Errorf("%s: reusable is %v", l.ID, essaim.Reusable(l.ID))
		}
	}
	if essaim.Reusable("") || essaim.Reusable("mit") {
		t.Error("what has no known licence is not reusable")
	}
}

func TestSlugIsStableASCII(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{
		"Repair café de Recouvrance":   "repair-cafe-de-recouvrance",
		"Le BAL ! Fabrique de communs": "le-bal-fabrique-de-communs",
		"L’Œuvre d'à côté":             "l-oeuvre-d-a-cote",
		"  --  ":                       "",
		"北京":                           "",
		strings.Repeat("mot ", 40):     strings.TrimSuffix(strings.Repeat("mot-", 15), "-"),
	} {
		if got := essaim.Slug(title); got != want {
			t.Errorf("Slug(%q) = %q, want %q", title, got, want)
		}
	}
	if got := essaim.Username("Communauté d’agglomération de très longue dénomination"); len(got) > 30 || strings.HasSuffix(got, "_") {
		t.Errorf("Username: %q", got)
	}
}

func FuzzSlug(f *testing.F) {
	f.Add("Repair café")
	f.Add("\xff\x00-ÉÀ")
	f.Fuzz(func(t *testing.T, s string) {
		slug := essaim.Slug(s)
		if essaim.Slug(slug) != slug {
			t.Errorf("Slug is not idempotent on %q: %q, then %q", s, slug, essaim.Slug(slug))
		}
		if len(slug) > 60 || strings.Trim(slug, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || strings.Contains(slug, "--") {
			t.Errorf("Slug(%q) = %q", s, slug)
		}
	})
}

func TestMayDecidesByRoleAlone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		user   *essaim.User
		action essaim.Action
		want   bool
	}{
		{nil, essaim.ActionWrite, false},
		{&essaim.User{Role: essaim.RoleAdmin, Disabled: true}, essaim.ActionAdminister, false},
		{&essaim.User{Role: essaim.RoleAdmin}, essaim.ActionAdminister, true},
		{&essaim.User{Role: essaim.RoleFacilitator}, essaim.ActionAdminister, false},
		{&essaim.User{Role: essaim.RoleFacilitator}, essaim.ActionWithdraw, true},
		{&essaim.User{Role: essaim.RoleContributor}, essaim.ActionWrite, false},
		{&essaim.User{Role: essaim.RoleAdmin}, "fly", false},
	} {
		if got := essaim.May(tt.user, tt.action); got != tt.want {
			t.Errorf("May(%+v, %s) = %v, want %v", tt.user, tt.action, got, tt.want)
		}
	}
}

func TestDistanceAgreesWithKnownCities(t *testing.T) {
	t.Parallel()
	// Brest to Toulouse: about 700 km as the crow flies.
	if d := essaim.Distance(48.3904, -4.4861, 43.6047, 1.4442); d < 690 || d > 720 {
		t.Errorf("Brest–Toulouse: %.1f km", d)
	}
	if d := essaim.Distance(0, 0, 0, 180); d < 20015 || d > 20016 {
		t.Errorf("half of the equator: %.3f km", d)
	}
}
