// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/json"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/web/transfer"
)

func testLocales(t *testing.T) map[string]*locale {
	t.Helper()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	l, _, err := newLocales(localeFiles, paris, essaim.EmbeddedGazetteer())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func localeKeys(t *testing.T, lang string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("locale", lang+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(m))
}

func difference(a, b []string) []string {
	var out []string
	for _, s := range a {
		if !slices.Contains(b, s) {
			out = append(out, "+"+s)
		}
	}
	for _, s := range b {
		if !slices.Contains(a, s) {
			out = append(out, "-"+s)
		}
	}
	return out
}

// key is a sentence asked for by name in a template or in Go.
var (
	templateKeys = regexp.MustCompile(`(?:^|[^$\w])[tnf] "([a-z]+[.][A-Za-z_.-]+)"`)
	goKeys       = regexp.MustCompile(`\b(?:l\.[TNF]|s\.tr)\((?:r, )?"([a-z]+[.][A-Za-z_.-]+)"[),]`)
)

func TestEverySentenceAskedForExists(t *testing.T) {
	t.Parallel()
	known := localeKeys(t, "fr")
	asked := 0
	for _, pattern := range []string{"templates/*.html", "*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			find := templateKeys
			if strings.HasSuffix(name, ".go") {
				find = goKeys
			}
			for _, m := range find.FindAllStringSubmatch(string(b), -1) {
				asked++
				if !slices.Contains(known, m[1]) {
					t.Errorf("%s asks for %q, which no language says", name, m[1])
				}
			}
		}
	}
	if asked < 200 {
		t.Errorf("found %d sentences in templates and code: the patterns no longer fit", asked)
	}
}

func TestSentencesMadeFromListsExist(t *testing.T) {
	t.Parallel()
	known := localeKeys(t, "fr")
	var want []string
	for _, k := range essaim.Kinds() {
		for _, f := range []string{"kind.%", "kinds.%", "list.%.lede", "list.%.search", "list.%.empty", "form.%.new", "form.%.lede"} {
			want = append(want, strings.Replace(f, "%", string(k.Kind), 1))
		}
	}
	for _, c := range transfer.Dictionary() {
		want = append(want, "export.type."+c.Type)
	}
	for _, format := range transfer.DumpFormats() {
		want = append(want, "export.format."+format)
	}
	for _, s := range []essaim.State{essaim.StateDraft, essaim.StateCandidate, essaim.StatePublished, essaim.StateWithdrawn} {
		want = append(want, "state."+string(s))
	}
	for _, r := range []essaim.RelationType{
		essaim.RelationAdapts, essaim.RelationDocuments, essaim.RelationRemakes, essaim.RelationAbout, essaim.RelationAnswers,
		essaim.RelationHosts, essaim.RelationWithin, essaim.RelationMember, essaim.RelationCites,
	} {
		want = append(want, "relation."+string(r), "relation."+string(r)+"_by")
	}
	for _, r := range essaim.Roles() {
		want = append(want, "role."+string(r))
	}
	for _, f := range flashes {
		want = append(want, f)
	}
	for _, k := range want {
		if !slices.Contains(known, k) {
			t.Errorf("no language says %q", k)
		}
	}
}

func TestNumbersFollowTheLanguage(t *testing.T) {
	t.Parallel()
	l := testLocales(t)
	tests := []struct {
		n      int
		fr, en string
	}{{0, "0", "0"}, {999, "999", "999"}, {1000, "1\u202f000", "1,000"}, {1234567, "1\u202f234\u202f567", "1,234,567"}, {-12345, "-12\u202f345", "-12,345"}}
	for _, tt := range tests {
		if got := l["fr"].Number(tt.n); got != tt.fr {
			t.Errorf("%d in French is %q, want %q", tt.n, got, tt.fr)
		}
		if got := l["en"].Number(tt.n); got != tt.en {
			t.Errorf("%d in English is %q, want %q", tt.n, got, tt.en)
		}
	}
	for n, want := range map[int]string{0: "0 fiche", 1: "1 fiche", 2: "2 fiches", 1000: "1\u202f000 fiches"} {
		if got := l["fr"].N("list.count", n); got != want {
			t.Errorf("%d records in French: %q, want %q", n, got, want)
		}
	}
}

func TestDistancesFollowTheLanguage(t *testing.T) {
	t.Parallel()
	l := testLocales(t)
	for _, tt := range []struct {
		km     float64
		fr, en string
	}{
		{0, "0\u00a0km", "0\u00a0km"},
		{0.01, "0,1\u00a0km", "0.1\u00a0km"},
		{0.5, "0,5\u00a0km", "0.5\u00a0km"},
		{2, "2\u00a0km", "2\u00a0km"},
		{2.5, "2,5\u00a0km", "2.5\u00a0km"},
		{9.96, "10\u00a0km", "10\u00a0km"},
		{12.4, "12\u00a0km", "12\u00a0km"},
		{1234.4, "1\u202f234\u00a0km", "1,234\u00a0km"},
	} {
		if fr, en := l["fr"].Kilometres(tt.km), l["en"].Kilometres(tt.km); fr != tt.fr || en != tt.en {
			t.Errorf("%g: %q and %q, want %q and %q", tt.km, fr, en, tt.fr, tt.en)
		}
	}
}

func TestDatesReadAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	l := testLocales(t)
	paris := l["fr"].zone
	at := func(y, mo, d, h, mi int) time.Time { return time.Date(y, time.Month(mo), d, h, mi, 0, 0, paris) }
	plain := strings.NewReplacer("\u00a0", " ", "\u202f", " ", "\u2009", " ")
	tests := []struct{ name, got, want string }{
		{"first of a month", l["fr"].Date(at(2026, 4, 1, 12, 0)), "1er avril 2026"},
		{"day", l["fr"].Date(at(2026, 3, 3, 12, 0)), "3 mars 2026"},
		{"late in UTC is the next day here", l["fr"].Date(time.Date(2026, 3, 3, 23, 30, 0, 0, time.UTC)), "4 mars 2026"},
		{"long ago", l["fr"].Ago(at(2026, 4, 1, 12, 0), at(2026, 7, 1, 12, 0)), "le 1er avril 2026"},
		{"English", l["en"].Date(at(2026, 3, 3, 12, 0)), "3 March 2026"},
		{"one evening", l["fr"].When(&essaim.Meeting{Start: at(2026, 3, 14, 17, 30), End: at(2026, 3, 14, 20, 0)}), "samedi 14 mars 2026, de 17 h 30 à 20 h"},
		{"start only", l["fr"].When(&essaim.Meeting{Start: at(2026, 3, 14, 17, 30)}), "samedi 14 mars 2026 à 17 h 30"},
		{"several days", l["fr"].When(&essaim.Meeting{Start: at(2026, 3, 14, 9, 0), End: at(2026, 3, 15, 18, 0)}), "du samedi 14 mars 2026 à 9 h au dimanche 15 mars 2026 à 18 h"},
		{"whole days", l["fr"].When(&essaim.Meeting{Start: at(2026, 3, 14, 0, 0), End: at(2026, 3, 14, 23, 59)}), "samedi 14 mars 2026"},
		{"a day", l["fr"].When(&essaim.Meeting{Start: at(2026, 3, 14, 0, 0)}), "samedi 14 mars 2026"},
		{"two days", l["fr"].When(&essaim.Meeting{Start: at(2026, 3, 14, 0, 0), End: at(2026, 3, 15, 23, 59)}), "du samedi 14 mars 2026 au dimanche 15 mars 2026"},
		{"until midnight", l["fr"].When(&essaim.Meeting{Start: at(2026, 3, 14, 20, 0), End: at(2026, 3, 15, 0, 0)}), "samedi 14 mars 2026, de 20 h à 0 h"},
		{"a last day without its hour", l["fr"].When(&essaim.Meeting{Start: at(2026, 3, 13, 20, 0), End: at(2026, 3, 15, 0, 0)}), "du vendredi 13 mars 2026 à 20 h au dimanche 15 mars 2026"},
		{"another zone", l["en"].When(&essaim.Meeting{Start: at(2026, 3, 14, 17, 30), Timezone: "America/Montreal"}), "Saturday 14 March 2026 at 12:30"},
		{"not known yet", l["fr"].When(&essaim.Meeting{}), "Date à venir"},
		{"year", l["fr"].Partial("2003"), "2003"},
		{"month", l["fr"].Partial("2006-03"), "mars 2006"},
		{"partial day", l["fr"].Partial("2006-03-26"), "26 mars 2006"},
		{"no date at all", l["fr"].Partial("vers 1990"), "vers 1990"},
		{"just now", l["fr"].Ago(at(2026, 3, 14, 12, 0), at(2026, 3, 14, 12, 0)), "à l’instant"},
		{"minutes", l["fr"].Ago(at(2026, 3, 14, 12, 0), at(2026, 3, 14, 12, 2)), "il y a 2 minutes"},
		{"days", l["en"].Ago(at(2026, 3, 14, 12, 0), at(2026, 3, 17, 12, 0)), "3 days ago"},
		{"never", l["fr"].Ago(time.Time{}, at(2026, 3, 14, 12, 0)), "jamais"},
	}
	for _, tt := range tests {
		if got := plain.Replace(tt.got); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := l["fr"].When(&essaim.Meeting{Start: at(2026, 3, 14, 14, 0), End: at(2026, 3, 14, 17, 0)}); !strings.HasSuffix(got, ", de\u00a014\u00a0h\u00a0à\u00a017\u00a0h") {
		t.Errorf("%q may break within its hours", got)
	}
	rows := l["fr"].hoursRows([]string{"Mo-Fr 09:00-12:00", "Mo-Fr 14:00-18:30", "Sa 10:00-12:00"})
	if len(rows) != 2 || len(rows[0].Hours) != 2 || rows[0].Days != "du lundi au vendredi" || plain.Replace(rows[0].Hours[1]) != "14 h – 18 h 30" {
		t.Errorf("hours read %q", rows)
	}
}

// Names of places take « à » and « de » as French does.
func TestFrenchJoinsArticlesToNamesOfPlaces(t *testing.T) {
	t.Parallel()
	l := testLocales(t)
	for _, tt := range []struct{ key, name, place, want string }{
		{"commune.lede", "Commune", "Le Relecq-Kerhuon", "Ce qui se passe au Relecq-Kerhuon, ici"},
		{"commune.lede", "Commune", "Brest", "Ce qui se passe à Brest, ici"},
		{"commune.lede", "Commune", "Orvault", "Ce qui se passe à Orvault, ici"},
		{"commune.lede", "Commune", "La Rochelle", "Ce qui se passe à La Rochelle, ici"},
		{"subject.here", "Territory", "Les Ulis", "Aux Ulis"},
		{"subject.here", "Territory", "Le Havre", "Au Havre"},
		{"chip.near", "Place", "Les Ulis (91)", "20 km des Ulis (91)"},
		{"chip.near", "Place", "Le Havre (76)", "km du Havre (76)"},
		{"chip.near", "Place", "Angers (49)", "km d’Angers (49)"},
		{"chip.near", "Place", "48.39,-4.48", "km de 48.39,-4.48"},
		{"booklet.title", "Territory", "Évry", "Recueil d’Évry"},
	} {
		if got := l["fr"].F(tt.key, tt.name, tt.place, "Distance", "20 km"); !strings.Contains(got, tt.want) {
			t.Errorf("%s of %s: %q, want %q", tt.key, tt.place, got, tt.want)
		}
	}
	if got := l["en"].F("commune.lede", "Commune", "Le Havre"); !strings.Contains(got, "in Le Havre") {
		t.Errorf("in English: %q", got)
	}
}

func TestLanguageComesFromTheAddressThenTheBrowser(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, address, accept, lang string
		explicit                    bool
	}{
		{"nothing said", "/", "", "fr", false},
		{"browser", "/", "en-GB,en;q=0.8,fr;q=0.5", "en", false},
		{"browser prefers a language we lack", "/", "br,fr;q=0.7", "fr", false},
		{"address wins", "/?lang=fr", "en", "fr", true},
		{"address asks what we lack", "/?lang=xx", "en", "en", false},
		{"nonsense", "/", ";;;q=", "fr", false},
		{"a language like one of ours", "/", "br,en;q=0.7", "en", false},
		{"of another country", "/", "fr-CA", "fr", false},
		{"of no country", "/", "pt,en;q=0.7", "pt-BR", false},
		{"of the country", "/", "de,pt-br;q=0.9,en;q=0.8", "pt-BR", false},
		{"written otherwise", "/?lang=pt-BR", "en", "pt-BR", true},
		{"anything", "/", "*", "fr", false},
	}
	languages := []string{"fr", "en", "pt-BR"}
	s := &Server{languages: languages, offered: offer(languages)}
	for _, tt := range tests {
		r := httptest.NewRequest("GET", tt.address, nil)
		r.Header.Set("Accept-Language", tt.accept)
		if lang, explicit := s.negotiate(r); lang != tt.lang || explicit != tt.explicit {
			t.Errorf("%s: %s %v, want %s %v", tt.name, lang, explicit, tt.lang, tt.explicit)
		}
	}
	for in, want := range map[string]string{"/a": "/a?lang=en", "/a?b=c": "/a?b=c&lang=en", "/a#d": "/a?lang=en#d", "https://x.example/": "https://x.example/"} {
		if got := withLang(in, "en"); got != want {
			t.Errorf("%s in English is %s, want %s", in, got, want)
		}
	}
}

func TestEveryReasonOfAProblemIsSaid(t *testing.T) {
	t.Parallel()
	known := localeKeys(t, "fr")
	files, err := filepath.Glob("../*.go")
	if err != nil {
		t.Fatal(err)
	}
	reason := regexp.MustCompile(`\.Add\([^\n]*, "([a-z_]+)"\)`)
	found := 0
	for _, name := range append(files, "form.go", "form_content.go", "query.go", "session.go") {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range reason.FindAllStringSubmatch(string(b), -1) {
			found++
			if !slices.Contains(known, "problem."+m[1]) {
				t.Errorf("%s gives the reason %q, which no language says", name, m[1])
			}
		}
	}
	if found < 20 {
		t.Errorf("found %d reasons: the pattern no longer fits", found)
	}
}
