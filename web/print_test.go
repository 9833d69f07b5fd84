// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

var pathRun = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`)

func TestQRPathDrawsEveryDarkModule(t *testing.T) {
	t.Parallel()
	const address = "https://brest.example/initiatives/le-jardin-partage"
	q := newQR(address)
	if q == nil {
		t.Fatal("no code")
	}
	side := q.code.Size
	drawn := map[[2]int]bool{}
	path := q.Path()
	for _, m := range pathRun.FindAllStringSubmatch(path, -1) {
		x, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		n, _ := strconv.Atoi(m[3])
		if m[3] != m[4] {
			t.Errorf("a run that does not close: %s", m[0])
		}
		for i := range n {
			drawn[[2]int{x + i, y}] = true
		}
	}
	if left := pathRun.ReplaceAllString(path, ""); left != "" {
		t.Errorf("the path holds something else: %q", left)
	}
	for y := range side {
		for x := range side {
			if drawn[[2]int{x, y}] != q.code.Black(x, y) {
				t.Fatalf("module %d,%d: drawn %v, dark %v", x, y, drawn[[2]int{x, y}], q.code.Black(x, y))
			}
		}
	}
	// The finder patterns stand in three corners (ISO/IEC 18004, 6.3.3).
	for _, c := range [][2]int{{0, 0}, {side - 7, 0}, {0, side - 7}} {
		if !drawn[c] || !drawn[[2]int{c[0] + 3, c[1] + 3}] || drawn[[2]int{c[0] + 1, c[1] + 1}] {
			t.Errorf("no finder pattern at %v", c)
		}
	}
	if newQR("https://brest.example/?q="+strings.Repeat("a", maxQR)) != nil {
		t.Error("an address too long for paper has a code")
	}
}

func TestPaperTellsWhereThePageIsRead(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	recipe := s.records[essaim.KindRecipe]
	for path, address := range map[string]string{
		recordPath(recipe):                          recipe.URL,
		"/ailleurs/toulouse.example/" + recipe.Slug: "https://toulouse.example/fiches/" + recipe.Slug,
		"/recherche?q=table":                        storetest.Base + "/recherche?q=table",
		"/initiatives":                              storetest.Base + "/initiatives",
	} {
		d := s.get(t, path, http.StatusOK)
		printed := d.with("div", "class", "printed")
		if len(printed) != 1 || !strings.Contains(textOf(printed[0]), address) {
			t.Errorf("%s does not say %s on paper", path, address)
		}
		q := newQR(address)
		if len(d.with("path", "d", q.Path())) != 1 {
			t.Errorf("%s has no code of %s", path, address)
		}
	}
}

func TestCreditNamesWhatTheLicenceAsksFor(t *testing.T) {
	t.Parallel()
	l := testLocales(t)["fr"]
	rec := essaim.Record{URL: "https://brest.example/recettes/soupe", TerritoryName: "Brest", Content: essaim.Content{Title: "La soupe: mode d'emploi", Licence: "cc-by-sa-4.0"}}
	if got, want := plain(credit(l, rec)), "« La soupe: mode d'emploi », Brest, CC BY-SA 4.0, https://brest.example/recettes/soupe"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	rec.Holder = "Les Cantines"
	rec.DerivedFrom = &essaim.Derivation{Name: "La disco soupe", ID: "https://toulouse.example/objects/1"}
	want := "« La soupe: mode d'emploi », Les Cantines (Brest), CC BY-SA 4.0, https://brest.example/recettes/soupe ; d'après « La disco soupe », https://toulouse.example/objects/1"
	if got := plain(credit(l, rec)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	s := newSite(t, storetest.SQLite(t)).fill(t)
	for kind, rec := range s.records {
		d := s.get(t, recordPath(rec), http.StatusOK)
		if cite := d.with("span", "class", "handle cite"); len(cite) != 1 || textOf(cite[0]) != plain(credit(s.locales["fr"], rec)) {
			t.Errorf("%s: no line to copy", kind)
		}
	}
}
