// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Thesaurus is the common themes with a node's own: local concepts, each under a
// common one. The zero value is the common ones alone.
type Thesaurus struct {
	// Host is the node's, as its address has it: the ids of its concepts begin so.
	Host string `json:"host"`
	// Own are the node's concepts, by id.
	Own []Theme `json:"own"`
}

// ThesaurusOf is that of the node at an address, with its own concepts.
func ThesaurusOf(baseURL string, own []Theme) Thesaurus {
	_, host, _ := strings.Cut(baseURL, "://")
	return Thesaurus{Host: host, Own: own}
}

// Theme finds a common theme or one of the node's own.
func (t Thesaurus) Theme(id string) (Theme, bool) {
	if i := slices.IndexFunc(t.Own, func(own Theme) bool { return own.ID == id }); i >= 0 {
		return t.Own[i], true
	}
	return CommonTheme(id)
}

// Themes lists all, each of the node's own behind the one above it.
func (t Thesaurus) Themes() []Theme {
	all := make([]Theme, 0, len(Themes())+len(t.Own))
	for _, common := range Themes() {
		all = append(all, common)
		for _, own := range t.Own {
			if own.Broader == common.ID {
				all = append(all, own)
			}
		}
	}
	return all
}

// Label is a theme in words; of a concept that is not known here, its name.
func (t Thesaurus) Label(lang, id string) string {
	if known, ok := t.Theme(id); ok {
		return known.Label(lang)
	}
	_, name, local := LocalTheme(id)
	if !local {
		return id
	}
	return strings.ReplaceAll(name, "-", " ")
}

// Complete puts behind each of the node's own concepts the common theme above it,
// for everybody knows that one, and notes ids of the node that nothing defines,
// unless they are among those that stood before. Concepts of other nodes stay as
// they are.
func (t Thesaurus) Complete(p Problems, themes, stood []string) []string {
	var out []string
	for i, id := range themes {
		out = append(out, id)
		if !t.mine(id) {
			continue
		}
		own, ok := t.Theme(id)
		switch {
		case ok && !slices.Contains(themes, own.Broader) && !slices.Contains(out, own.Broader):
			out = append(out, own.Broader)
		case !ok && !slices.Contains(stood, id):
			p.Add("themes."+strconv.Itoa(i), "unknown")
		}
	}
	return out
}

// HasOwn tells whether any of some themes is a concept of the node.
func (t Thesaurus) HasOwn(themes []string) bool {
	return slices.ContainsFunc(themes, t.mine)
}

// mine tells whether an id says that it is of the node, also in capitals or
// without its port: only the exact one may be defined.
func (t Thesaurus) mine(id string) bool {
	host, _, local := LocalTheme(id)
	bare, _, _ := strings.Cut(t.Host, ":")
	return local && (strings.EqualFold(host, t.Host) || strings.EqualFold(host, bare))
}

// Define checks a new concept of the node, or new labels of one, and gives it with
// its id. name is the part of the id behind the host, made of the French label
// when it is empty.
func (t Thesaurus) Define(name, broader, french, english string) (Theme, error) {
	p := Problems{}
	french, english = strings.TrimSpace(french), strings.TrimSpace(english)
	p.required("fr", french, 100)
	p.within("en", english, 100)
	name = cmp.Or(name, Slug(french))
	if name == "" || Slug(name) != name {
		p.Add("name", "bad_text")
	} else if _, taken := CommonTheme(name); taken {
		p.Add("name", "taken")
	}
	if _, ok := CommonTheme(broader); !ok {
		p.Add("broader", "unknown")
	}
	if strings.ContainsAny(french+english, "\n\r\t") {
		p.Add("fr", "one_line")
	}
	return Theme{ID: t.Host + ":" + name, Broader: broader, French: french, English: english}, p.Err()
}
