// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/json"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"essaim"
	"essaim/store/storetest"
	"essaim/web/transfer"
)

// vocabulary is what a language other than French and English says in its file of
// what those two have in the root package, by key.
func vocabulary() map[string]string {
	out := map[string]string{}
	for _, list := range []essaim.List{
		essaim.ListStage, essaim.ListActivity, essaim.ListRole, essaim.ListActor, essaim.ListPurpose, essaim.ListForm, essaim.ListLevel,
		essaim.ListCallKind, essaim.ListEvent, essaim.ListDifficulty, essaim.ListReadiness, essaim.ListMeetingStatus, essaim.ListOutcome,
	} {
		for _, t := range list.Terms() {
			out["term."+string(list)+"."+t.ID] = t.French
		}
	}
	for _, t := range essaim.Themes() {
		out["theme."+t.ID] = t.French
	}
	for _, l := range essaim.Licences() {
		if rule := essaim.AdaptationRule(l.ID); len(rule.To) == 0 {
			out["adaptation."+l.ID] = rule.French
		}
	}
	for _, c := range transfer.Dictionary() {
		out["column."+c.Name] = c.French
	}
	return out
}

func readLocale(t testing.TB, files fs.FS, lang string) map[string]any {
	t.Helper()
	b, err := fs.ReadFile(files, "locale/"+lang+".json")
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatalf("%s: %v", lang, err)
	}
	return m
}

// missing lists what a language does not say, and what it says that nobody asks for.
func missing(lang string, got, want map[string]any) []string {
	keys := slices.Collect(maps.Keys(want))
	if lang != "fr" && lang != "en" {
		keys = slices.AppendSeq(keys, maps.Keys(vocabulary()))
	}
	slices.Sort(keys)
	have := slices.DeleteFunc(slices.Sorted(maps.Keys(got)), func(key string) bool { return key == "language.plural" })
	return difference(have, keys)
}

func TestLanguagesSayTheSameThings(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(localeFiles, "locale/*.json")
	if err != nil || len(names) < 2 {
		t.Fatalf("%d languages, %v", len(names), err)
	}
	want := readLocale(t, localeFiles, defaultLanguage)
	for _, name := range names {
		lang := strings.TrimSuffix(strings.TrimPrefix(name, "locale/"), ".json")
		if d := missing(lang, readLocale(t, localeFiles, lang), want); len(d) > 0 {
			t.Errorf("%s and %s differ: %v", lang, defaultLanguage, d)
		}
	}
}

// made is a language made of another: each of its sentences is in angles.
func made(of map[string]any) map[string]any {
	names := []string{"date.months", "date.months_short", "date.weekdays", "date.weekdays_short", "size.units"}
	out := map[string]any{}
	for key, v := range of {
		switch v := v.(type) {
		case string:
			switch {
			case slices.Contains(names, key):
				v = "⟦" + strings.Join(strings.Fields(v), "⟧ ⟦") + "⟧"
			case key == "number.group":
				v = "·"
			default:
				v = "⟦" + v + "⟧"
			}
			out[key] = v
		case map[string]any:
			forms := map[string]any{}
			for _, form := range []string{"one", "two", "few", "many", "other"} { // as Breton has
				forms[form] = "⟦" + form + " " + v["other"].(string) + "⟧"
			}
			out[key] = forms
		}
	}
	for key, v := range vocabulary() {
		out[key] = "⟦" + v + "⟧"
	}
	out["language.name"] = "Brezhoneg"
	return out
}

// withLanguage adds a file to the languages of the program.
func withLanguage(t testing.TB, lang string, says map[string]any) fs.FS {
	t.Helper()
	files := fstest.MapFS{}
	for _, name := range []string{"locale/fr.json", "locale/en.json"} {
		b, err := localeFiles.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: b}
	}
	b, err := json.Marshal(says)
	if err != nil {
		t.Fatal(err)
	}
	files["locale/"+lang+".json"] = &fstest.MapFile{Data: b}
	return files
}

func TestANewLanguageIsOneFile(t *testing.T) {
	t.Parallel()
	french := readLocale(t, localeFiles, "fr")
	breton := made(french)
	if d := missing("br", breton, french); len(d) > 0 {
		t.Fatalf("the language of the test lacks %v", d)
	}
	letters := &outbox{}
	s := newSite(t, storetest.SQLite(t), withLinks, func(c *Config) { c.Locales, c.Mail = withLanguage(t, "br", breton), letters }).fill(t)
	s.person(t)
	var sentences []string // of French alone, long enough to be told from a record's words
	for key, v := range french {
		if v, ok := v.(string); ok && len(v) > 24 && !strings.Contains(v, "{{") && !strings.HasPrefix(key, "date.") {
			sentences = append(sentences, typo(v, "fr"))
		}
	}
	for _, v := range vocabulary() {
		if len(v) > 24 {
			sentences = append(sentences, typo(v, "fr"))
		}
	}
	inAngles := func(text, sentence string) bool {
		for rest := text; ; {
			_, after, found := strings.Cut(rest, sentence)
			if !found {
				return true
			}
			if before := strings.TrimSuffix(text, sentence+after); strings.LastIndex(before, "⟦") <= strings.LastIndex(before, "⟧") {
				return false
			}
			rest = after
		}
	}
	for _, path := range s.addresses(t) {
		for _, who := range []asked{func(*http.Request) {}, s.signedIn} {
			resp := s.ask(http.MethodGet, path, "", who, header("Accept-Language", "br"))
			if resp.StatusCode == http.StatusSeeOther {
				continue
			}
			d := read(t, resp, path, resp.StatusCode)
			if !strings.Contains(d.raw, `<html lang="br"`) {
				t.Errorf("%s is not in the language", path)
			}
			text := d.text()
			for _, sentence := range sentences {
				if !inAngles(text, sentence) {
					t.Errorf("%s says in French %q", path, sentence)
				}
			}
		}
	}
	d := s.get(t, "/", http.StatusOK, header("Accept-Language", "fr"))
	if got := d.with("a", "hreflang", "br"); len(got) != 1 || !strings.Contains(d.text(), "Brezhoneg") {
		t.Errorf("%d links lead to the language", len(got))
	}
	s.ask(http.MethodPost, "/connexion", url.Values{"email": {adminEmail}}.Encode(), header("Accept-Language", "br"), header("Content-Type", "application/x-www-form-urlencoded"))
	if letters.subject != "⟦Votre lien de connexion – Brest⟧" {
		t.Errorf("the letter is %q", letters.subject)
	}
	l := s.locales["br"]
	at := time.Date(2026, 3, 3, 12, 0, 0, 0, l.zone)
	for got, want := range map[string]string{
		l.Date(at): "⟦3\u00a0⟦mars⟧ 2026⟧", l.Weekday(at): "⟦mardi⟧ ⟦3\u00a0⟦mars⟧ 2026⟧", l.Number(12345): "12·345",
		l.N("list.count", 2): "⟦two 2 fiches⟧", l.N("list.count", 3): "⟦few 3 fiches⟧", l.Bytes(10): "10\u202f⟦octets⟧",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestALanguageThatLacksSentencesSaysThemInFrench(t *testing.T) {
	t.Parallel()
	// Of Occitan's plurals Unicode says nothing: its file names a language that has the same.
	files := withLanguage(t, "oc", map[string]any{
		"language.name": "Occitan", "language.plural": "fr", "nav.home": "Acuèlh", "theme.alimentation": "Alimentacion",
		"list.count": map[string]any{"one": "{{.Count}} ficha", "other": "{{.Count}} fichas"},
	})
	locales, languages, err := newLocales(files, time.UTC, essaim.EmbeddedGazetteer())
	if err != nil || !slices.Equal(languages, []string{"fr", "en", "oc"}) {
		t.Fatalf("%v, %v", languages, err)
	}
	l := locales["oc"]
	for got, want := range map[string]string{
		l.T("nav.home"): "Acuèlh", l.N("list.count", 0): "0 ficha", l.theme("alimentation"): "Alimentacion", l.T("error.not_found.title"): locales["fr"].T("error.not_found.title"),
		l.N("ago.days", 2): "il y a 2 jours", l.Date(time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)): "1er\u00a0avril 2026", l.F("person.description", "Name", "A", "Territory", "B"): locales["fr"].F("person.description", "Name", "A", "Territory", "B"),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for name, says := range map[string]map[string]any{"of no language": {"language.plural": "x"}, "of thirteen months": {"date.months": "a b c d e f g h i j k l m"}} {
		if _, _, err := newLocales(withLanguage(t, "oc", says), time.UTC, essaim.EmbeddedGazetteer()); err == nil {
			t.Errorf("a file %s is read", name)
		}
	}
}
