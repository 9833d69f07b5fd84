// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
)

// described is an initiative of a territory, its words given as they are compared.
func described(id, territory, head, need string, themes ...string) essaim.Described {
	words := func(text string) (list []essaim.Word) {
		for _, w := range strings.Fields(text) {
			term, rare := strings.CutPrefix(w, "!")
			list = append(list, essaim.Word{Term: strings.ToLower(term), Shown: term, Rare: rare})
		}
		return list
	}
	return essaim.Described{
		Record: essaim.Record{
			ID: "https://" + territory + ".example/objects/" + id, Territory: territory,
			Content: essaim.Content{Kind: essaim.KindInitiative, Title: id, Themes: themes, Body: &essaim.Initiative{}},
		},
		Head: words(head), Need: words(need),
	}
}

func alike(of essaim.Described, others ...essaim.Described) []string {
	var said []string
	for _, l := range essaim.MostAlike(&of, others, 6) {
		line, total := l.Record.Title+":", 0
		for _, r := range l.Reasons {
			line += fmt.Sprintf(" %s%v%d", r.Sort, r.Values, r.Points+r.Kilometres)
			total += r.Points
		}
		if total != l.Score {
			line += fmt.Sprintf(" (score %d, the reasons make %d)", l.Score, total)
		}
		said = append(said, line)
	}
	return said
}

func TestRecordsAreAlikeForReasonsThatAreSaid(t *testing.T) {
	t.Parallel()
	of := described("jardin", "brest", "!jardin partagé quartier", "!isolement voisins", "jardins")
	of.Body = &essaim.Initiative{Purposes: []string{"lien-social"}, Publics: []string{"aînés"}, Activity: "active"}
	of.Places = []essaim.Place{at(48.39, -4.49)}

	with := func(d essaim.Described, change func(*essaim.Described)) essaim.Described { change(&d); return d }
	place := func(d *essaim.Described) { d.Places = []essaim.Place{at(50.72, 3.16)} }
	tests := []struct {
		name  string
		other essaim.Described
		want  string
	}{
		{"one theme is enough", described("a", "toulouse", "", "", "jardins"), "a: theme[jardins]8 kind[initiative]2"},
		{"how far it is counts for nothing", with(described("b", "tourcoing", "", "", "jardins"), place), "b: theme[jardins]8 kind[initiative]2 distance[]609"},
		{"the theme above is not", described("c", "toulouse", "", "", "circuits-courts"), ""},
		{"with rare words of both titles it is", described("d", "toulouse", "jardin", "", "circuits-courts"), "d: related_theme[alimentation]4 words[jardin]6 kind[initiative]2"},
		{"one rare word alone is too little", described("k", "toulouse", "jardin", ""), ""},
		{"a frequent word alone is no reason", described("e", "toulouse", "quartier", "", "circuits-courts"), ""},
		{"the same need", described("f", "toulouse", "", "isolement voisins", "jardins"), "f: need[isolement voisins]4 theme[jardins]8 kind[initiative]2"},
		{"purpose and public are too little", with(described("g", "toulouse", "", ""), func(d *essaim.Described) { d.Body = of.Body }), ""},
		{"with a theme they count", with(described("g", "toulouse", "", "", "jardins"), func(d *essaim.Described) { d.Body = of.Body }), "g: theme[jardins]8 purpose[lien-social]3 public[aînés]3 kind[initiative]2 activity[active]1"},
		{"what is linked is named elsewhere", with(described("h", "toulouse", "jardin", "", "jardins"), func(d *essaim.Described) {
			d.Relations = []essaim.Relation{{Type: essaim.RelationAnswers, Target: of.ID}}
		}), ""},
		{"what adapts it too", with(described("i", "toulouse", "jardin", "", "jardins"), func(d *essaim.Described) {
			d.DerivedFrom = &essaim.Derivation{ID: of.ID}
		}), ""},
	}
	for _, test := range tests {
		if got := strings.Join(alike(of, test.other), "\n"); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
	if got := alike(of, of); len(got) != 0 {
		t.Errorf("a record resembles itself: %v", got)
	}
	both := func(d *essaim.Described) {
		d.DerivedFrom = &essaim.Derivation{ID: "https://lille.example/objects/x", Name: "Le premier"}
	}
	both(&of)
	if got, want := alike(of, with(described("j", "toulouse", "", ""), both)), []string{"j: origin[Le premier]12 kind[initiative]2"}; !slices.Equal(got, want) {
		t.Errorf("of one origin: %v, want %v", got, want)
	}
}

func at(lat, lon float64) essaim.Place { return essaim.Place{Lat: &lat, Lon: &lon} }

func TestThoseOfOneTerritoryLeaveRoomForOthersInAnyOrder(t *testing.T) {
	t.Parallel()
	of := described("jardin", "brest", "!jardin", "", "jardins")
	var others []essaim.Described
	for i := range 5 {
		d := described(fmt.Sprint("t", i), "toulouse", "jardin", "", "jardins")
		d.Updated = time.Unix(int64(100-i), 0)
		others = append(others, d)
	}
	others = append(others, described("l0", "lille", "", "", "jardins"))
	want := []string{"t0", "t1", "l0", "t2", "t3", "t4"}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		rng.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
		var got []string
		for _, l := range essaim.MostAlike(&of, others, 6) {
			got = append(got, l.Record.Title)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	}
}
