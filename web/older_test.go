// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

// far answers a search as a store that looked at what is recent only: the first page has
// nothing, the second one record, the third the others, and the last one nothing.
type far struct{ Store }

func (f far) Search(ctx context.Context, q essaim.Query) (essaim.Results, error) {
	after := q.After
	q.After, q.Limit = "", 100
	all, err := f.Store.Search(ctx, q)
	if len(all.Records) == 0 {
		return all, err
	}
	back := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	switch after {
	case "":
		return essaim.Results{Least: true, Back: back, Next: "2.1.0.-1"}, err
	case "2.1.0.-1":
		return essaim.Results{Records: all.Records[:1], Total: 1, Least: true, Back: back.AddDate(-1, 0, 0), Next: "2.2.0.-2"}, err
	}
	if after == "2.3.0.-2" {
		return essaim.Results{Least: true, Total: 1}, err
	}
	all.Records, all.Total, all.Least, all.Next = all.Records[1:], 2, true, "2.3.0.-2"
	return all, err
}

// A page that ends before all was looked at says so and leads to the older records; what
// takes a whole search goes on by itself.
func TestASearchThatLookedAtWhatIsRecentLeadsToTheRest(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t), func(c *Config) { c.Store = far{c.Store} })
	for _, title := range []string{"Paille et terre", "Bottes de paille", "Enduit à la paille"} {
		storetest.Publish(t, s.store, storetest.Initiative(title))
	}
	for path, want := range map[string][]string{
		"/recherche?q=paille":               {"Aucune fiche récente", "Rien parmi les fiches changées depuis le 1er mars 2026", "Le reste n’a pas encore été regardé", "Chercher dans les plus anciennes", "page=2.1.0.-1"},
		"/recherche?q=paille&lang=en":       {"No recent record", "Nothing among the records changed since 1 March 2026", "Search older records"},
		"/recherche?q=paille&page=2.1.0.-1": {"Au moins 1 fiche", "Ce qui a changé avant le 1er mars 2025 n’a pas", "Chercher dans les plus anciennes", "page=2.2.0.-2", "Première page"},
		"/recherche?q=paille&page=2.2.0.-2": {"Au moins 2 fiches", "Page suivante"},
		"/recherche?q=paille&page=2.3.0.-2": {"Au moins 1 fiche", "Rien de plus", "Toutes les fiches ont été regardées", "Première page"},
		"/carte?q=paille":                   {"Chercher dans les plus anciennes"},
		"/carte/cadre?q=paille&vue=liste":   {"Aucune fiche récente"},
		"/recueil?q=paille":                 {"Paille et terre", "Bottes de paille", "Enduit à la paille"},
		"/recherche.csv?q=paille":           {"Paille et terre", "Bottes de paille", "Enduit à la paille"},
		"/recherche.atom?q=paille":          {`rel="next"`, "page=2.1.0.-1"},
		"/recherche?q=introuvable":          {"Rien pour"},
	} {
		body, _ := s.body(t, path, http.StatusOK)
		plain := strings.NewReplacer("\u00a0", " ", "\u202f", " ", "&nbsp;", " ").Replace(body)
		for _, text := range want {
			if !strings.Contains(plain, text) {
				t.Errorf("%s does not say %q", path, text)
			}
		}
	}
	body, _ := s.body(t, "/recueil?q=paille", http.StatusOK)
	if strings.Contains(body, "Plus de") {
		t.Error("a booklet that has all says that there are more")
	}
	if body, _ = s.body(t, "/recherche?q=paille&page=2.1.0.-1", http.StatusOK); strings.Contains(body, lotPath) {
		t.Error("a page behind the first stretch leads to one at random of that one")
	}
	var page APIList
	body, _ = s.body(t, "/api/v1/initiatives?q=paille", http.StatusOK)
	if err := json.Unmarshal([]byte(body), &page); err != nil || len(page.Items) != 0 || page.Next == "" || !page.Capped || page.Back.Year() != 2026 {
		t.Errorf("the API says %s, %v", body, err)
	}
}
