// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	_ "embed"
	"strings"
	"sync"
)

// Namespace is the one namespace of Essaim's terms and concepts on the wire.
const Namespace = "https://w3id.org/essaim#"

// ThemeBase is what a common theme's concept IRI begins with.
const ThemeBase = "https://w3id.org/essaim/themes#"

// Theme is a concept of the thesaurus, in the manner of SKOS. A node adds local
// concepts under a common one; their id holds the node's host: "brest.example:algues".
type Theme struct {
	ID       string   `json:"id"`
	Broader  string   `json:"broader,omitempty"` // id of the broader theme, empty at the top
	French   string   `json:"fr"`
	English  string   `json:"en,omitempty"`
	Synonyms []string `json:"synonyms,omitempty"` // for matching, lower case or as usually written
}

// Name is the last part of its id, by which its IRI ends.
func (t Theme) Name() string {
	_, name, _ := LocalTheme(t.ID)
	return name
}

// Label is the theme's name in a language, French unless "en".
func (t Theme) Label(lang string) string {
	if lang == "en" && t.English != "" {
		return t.English
	}
	return t.French
}

//go:embed themes.tsv
var themesTSV string

var themes = sync.OnceValues(func() ([]Theme, map[string]int) {
	rows := tsv(themesTSV)
	list, byID := make([]Theme, len(rows)), make(map[string]int, len(rows))
	for i, r := range rows {
		list[i] = Theme{ID: r[0], Broader: r[1], French: r[2], English: r[3]}
		for _, s := range strings.Split(r[4], ",") {
			if s = strings.TrimSpace(s); s != "" {
				list[i].Synonyms = append(list[i].Synonyms, s)
			}
		}
		byID[r[0]] = i
	}
	return list, byID
})

// Themes is the common thesaurus; a theme comes after the one above it.
func Themes() []Theme {
	list, _ := themes()
	return list
}

// CommonTheme finds a theme of the common thesaurus by its id.
func CommonTheme(id string) (Theme, bool) {
	list, byID := themes()
	i, ok := byID[id]
	if !ok {
		return Theme{}, false
	}
	return list[i], true
}

// ThemeAndBroader lists a theme's id and those above it, nearest first.
func ThemeAndBroader(id string) []string {
	ids := []string{id}
	for t, ok := CommonTheme(id); ok && t.Broader != ""; t, ok = CommonTheme(t.Broader) {
		ids = append(ids, t.Broader)
	}
	return ids
}

// LocalTheme takes the id of a local concept apart: the host of the node that
// defines it, which may have a port, and its name there; false for another id.
func LocalTheme(id string) (host, name string, ok bool) {
	i := strings.LastIndexByte(id, ':')
	if i < 0 {
		return "", id, false
	}
	return id[:i], id[i+1:], true
}

// ThemeIRI is the concept IRI of a theme id. A local concept "host:name" lives
// at its node.
func ThemeIRI(id string) string {
	if host, name, local := LocalTheme(id); local {
		return "https://" + host + "/ns/essaim/themes#" + name
	}
	return ThemeBase + id
}

// ThemeID is the inverse of ThemeIRI; false for what is no theme of ours.
func ThemeID(iri string) (string, bool) {
	if id, ok := strings.CutPrefix(iri, ThemeBase); ok {
		return id, validThemeRef(id)
	}
	rest, ok := strings.CutPrefix(iri, "https://")
	if !ok {
		return "", false
	}
	host, name, ok := strings.Cut(rest, "/ns/essaim/themes#")
	id := host + ":" + name
	return id, ok && validThemeRef(id)
}

// validThemeRef accepts a common theme or a well-formed local concept.
func validThemeRef(id string) bool {
	if host, name, local := LocalTheme(id); local {
		return host != "" && Slug(name) == name && name != "" && len(id) < 200 && !strings.ContainsAny(host, "/#?@ ")
	}
	_, ok := CommonTheme(id)
	return ok
}
