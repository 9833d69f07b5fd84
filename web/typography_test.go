// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"essaim/store/storetest"
)

// misset finds what French typography forbids (Lexique des règles typographiques
// en usage à l'Imprimerie nationale): an ordinary space before a high mark or
// inside quotation marks, a straight apostrophe or quotation mark, dots for an
// ellipsis, a plural in brackets.
var misset = regexp.MustCompile(`[ ][;:!?»%€]|« |\pL'\pL|"|\.\.\.|\(s\)|\(e\)|  `)

func TestFrenchSentencesKeepTheRulesOfTypography(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("locale/fr.json")
	if err != nil {
		t.Fatal(err)
	}
	var sentences map[string]any
	if err := json.Unmarshal([]byte(typo(string(b), "fr")), &sentences); err != nil {
		t.Fatal(err)
	}
	check := func(key, text string) {
		if m := misset.FindString(text); m != "" {
			t.Errorf("%s: %q in %q", key, m, text)
		}
		if n := strings.Count(text, "«") - strings.Count(text, "»"); n != 0 {
			t.Errorf("%s: quotation marks that do not match in %q", key, text)
		}
	}
	for key, v := range sentences {
		switch v := v.(type) {
		case string:
			check(key, v)
		case map[string]any:
			for _, form := range v {
				check(key, form.(string))
			}
			if v["one"] == nil || v["many"] == nil || v["other"] == nil {
				t.Errorf("%s: French counts one, many and other", key)
			}
		}
	}
}

// Words stand in the files of languages alone, where this test and translators
// find them.
func TestTemplatesHoldNoWords(t *testing.T) {
	t.Parallel()
	actions, tags := regexp.MustCompile(`(?s)\{\{.*?\}\}`), regexp.MustCompile(`(?s)<code.*?</code>|<pre.*?</pre>|<[^>]*>`)
	words := regexp.MustCompile(`[\pL«»“”]{2,}`)
	// Names of units, programs, files and terms are the same in all languages.
	same := []string{"km", "essaim", "user", "link", "kind", "ActivityStreams", "id", "skos", "broader", "nbsp", "amp", "SHA", "SUMS", "dictionnaire", "csv"}
	files, err := filepath.Glob("templates/*.html")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d templates, %v", len(files), err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range words.FindAllString(tags.ReplaceAllString(actions.ReplaceAllString(string(b), "\n"), "\n"), -1) {
			if !slices.Contains(same, w) {
				t.Errorf("%s says %q in every language", name, w)
			}
		}
	}
}

// machineDate is a date as programs write them.
var machineDate = regexp.MustCompile(`\b20\d\d-\d\d(-\d\d)?\b|\b\d\d?/\d\d?/20\d\d\b`)

func TestFrenchPagesKeepTheRulesOfTypography(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t), withLinks).fill(t)
	s.person(t)
	for _, path := range s.addresses(t) {
		resp := s.ask(http.MethodGet, path, "", header("Accept-Language", "fr"))
		if resp.StatusCode == http.StatusSeeOther || strings.HasPrefix(path, "/ns/") || strings.HasPrefix(path, mapPath) { // words of programs; towns as the gazetteer writes them
			continue
		}
		for _, text := range readable(read(t, resp, path, resp.StatusCode).root) {
			if m := misset.FindString(text); m != "" {
				t.Errorf("%s: %q in %q", path, m, text)
			}
			if m := machineDate.FindString(text); m != "" {
				t.Errorf("%s: the date %q in %q", path, m, text)
			}
		}
	}
}

// readable are the texts that a French reader of a page reads, without addresses,
// code and what is typed.
func readable(n *html.Node) []string {
	if n.Type == html.TextNode {
		return []string{strings.TrimSpace(strings.ReplaceAll(n.Data, "\n", " "))}
	}
	if n.Type == html.ElementNode {
		if slices.Contains([]string{"script", "style", "code", "pre", "textarea", "option"}, n.Data) || strings.Contains(value(n, "class"), "handle") {
			return nil
		}
		if lang := value(n, "lang"); lang != "" && lang != "fr" {
			return nil
		}
	}
	var out []string
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		out = append(out, readable(c)...)
	}
	return out
}
