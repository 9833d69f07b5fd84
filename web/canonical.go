// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"net/url"
)

// asks are the parameters that make another page of an address: those of a search,
// and where it goes on. What others add to a link, to count who follows it, is none.
var asks = []string{
	paramText, paramKind, paramTheme, paramTerritory, paramStage, paramOrigin, paramNear, paramRadius, paramSince, paramUntil, paramFrom, paramTo,
	paramCommune, paramPurpose, paramPublic, paramLicence, paramHelp, paramWhen, paramBox, paramPage, paramAfter,
}

// askedOf is the address of a page with what was asked of it, and nothing else. The
// language is not of it.
func askedOf(r *http.Request) string {
	v, typed := url.Values{}, r.URL.Query()
	for _, name := range asks {
		if values := given(typed, name); len(values) > 0 {
			v[name] = values
		}
	}
	return address(r.URL.EscapedPath(), v)
}

// standFor names the one address of a page, unless it has one already, and those of the
// same in each language. Searches read a page without a language in the default one, so
// that it stands for both; another has an address of its own once it is asked for.
func (s *Server) standFor(r *http.Request, b *Base) {
	if b.Canonical != "" {
		return
	}
	path := askedOf(r)
	b.Canonical = s.abs(path)
	for _, lang := range s.languages {
		at := s.abs(path)
		if lang != defaultLanguage {
			at = s.abs(withLang(path, lang))
		}
		if r.URL.Query().Get("lang") == lang {
			b.Canonical = at
		}
		b.Languages = append(b.Languages, OtherLanguage{Lang: lang, Path: at})
	}
	b.Languages = append(b.Languages, OtherLanguage{Lang: "x-default", Path: s.abs(path)})
	if b.NoIndex {
		b.Languages = nil
	}
}
