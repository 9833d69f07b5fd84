// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"testing"

	"essaim"
)

func TestPageOfReadsTheAddressesOfRecords(t *testing.T) {
	t.Parallel()
	type page struct {
		kind         essaim.Kind
		origin, slug string
		ok           bool
	}
	for path, want := range map[string]page{
		"/initiatives/jardin":              {essaim.KindInitiative, "", "jardin", true},
		"/recettes/compost":                {essaim.KindRecipe, "", "compost", true},
		"/ailleurs/brest.example/jardin":   {"", "brest.example", "jardin", true},
		"/ailleurs/127.0.0.1:8080/jardin":  {"", "127.0.0.1:8080", "jardin", true},
		"/initiatives":                     {},
		"/initiatives/":                    {},
		"/initiatives/jardin/historique":   {},
		"/ailleurs/brest.example":          {},
		"/ailleurs//jardin":                {},
		"/connexion/jardin":                {},
		"/ailleurs/brest.example/a/jardin": {},
		"/":                                {},
	} {
		var got page
		got.kind, got.origin, got.slug, got.ok = pageOf(path)
		if got.ok != want.ok || got.ok && got != want {
			t.Errorf("%s: got %+v, want %+v", path, got, want)
		}
	}
}

func TestOnlyWhoAsksForActivityStreamsGetsADocumentAtAPage(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]bool{
		"application/activity+json": true,
		`application/ld+json; profile="https://www.w3.org/ns/activitystreams"`: true,
		"application/activity+json, text/html;q=0.1":                           true,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8":      false,
		"text/html, application/activity+json;q=0.5":                           false,
		"":                 false,
		"*/*":              false,
		"application/json": false,
	} {
		if got := asksDocument([]string{accept}); got != want {
			t.Errorf("Accept %q: got %t, want %t", accept, got, want)
		}
	}
}
