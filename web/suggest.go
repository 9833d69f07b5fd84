// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"essaim"
)

// Suggestion is what a search may go on to: a record, a theme or a place.
type Suggestion struct {
	Type  string `json:"type"` // record, theme, commune
	Label string `json:"label"`
	Hint  string `json:"hint,omitempty"` // what it is, in the reader's language
	URL   string `json:"url"`
}

// Bounds of suggestions.
const (
	maxSuggestions = 10
	maxNamed       = 3 // themes, and communes
	minTyped       = 2 // letters
)

// suggest answers GET /recherche/suggestions?q= while somebody types.
func (s *Server) suggest(w http.ResponseWriter, r *http.Request) error {
	typed := strings.TrimSpace(r.URL.Query().Get(paramText))
	if utf8.RuneCountInString(typed) > maxQueryText || !utf8.ValidString(typed) {
		s.failJSON(w, r, http.StatusUnprocessableEntity, "invalid", essaim.Problems{paramText: "too_long"}.Err())
		return nil
	}
	l := s.locale(r)
	lang, explicit := s.negotiate(r)
	href := func(path string) string {
		if explicit {
			return withLang(path, lang)
		}
		return path
	}
	list := []Suggestion{}
	if utf8.RuneCountInString(typed) >= minTyped {
		list = append(s.themesBeginning(l, typed), s.communesBeginning(l, typed)...)
		records, err := s.store.Suggest(r.Context(), typed, maxSuggestions-len(list))
		if err != nil {
			return err
		}
		titles := make([]Suggestion, 0, maxSuggestions)
		for i := range records {
			hint := l.T("kind."+string(records[i].Kind)) + ", " + records[i].TerritoryName
			titles = append(titles, Suggestion{"record", records[i].Title, hint, recordPath(records[i])})
		}
		list = append(titles, list...)
		for i := range list {
			list[i].URL = href(list[i].URL)
		}
	}
	w.Header().Set("Cache-Control", "private, max-age=60")
	writeJSON(w, http.StatusOK, list)
	return nil
}

func (s *Server) themesBeginning(l *locale, typed string) (list []Suggestion) {
	key := essaim.Slug(typed)
	for _, t := range s.themes.get().Themes() {
		label := l.label(t)
		begins := func(words string) bool {
			slug := essaim.Slug(words)
			return strings.HasPrefix(slug, key) || strings.Contains(slug, "-"+key)
		}
		if key == "" || !begins(label) && !slices.ContainsFunc(t.Synonyms, begins) {
			continue
		}
		list = append(list, Suggestion{"theme", label, l.T("facet.theme"), address("/recherche", url.Values{paramTheme: {t.ID}})})
		if len(list) == maxNamed {
			break
		}
	}
	return list
}

func (s *Server) communesBeginning(l *locale, typed string) (list []Suggestion) {
	for _, c := range s.cfg.Gazetteer.Beginning(typed, maxNamed) {
		label := c.Name + " (" + c.Departement + ")"
		list = append(list, Suggestion{"commune", label, l.T("suggest.near"), address("/recherche", url.Values{paramNear: {c.Code}})})
	}
	return list
}
