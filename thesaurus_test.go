// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim_test

import (
	"errors"
	"slices"
	"testing"

	"essaim"
)

func brestThemes() essaim.Thesaurus {
	return essaim.ThesaurusOf("http://127.0.0.1:8080", []essaim.Theme{{ID: "127.0.0.1:8080:algues", Broader: "nature", French: "Algues vertes", English: "Green algae"}})
}

func TestALocalConceptIsFoundAsACommonOneIs(t *testing.T) {
	t.Parallel()
	all := brestThemes()
	const id = "127.0.0.1:8080:algues"
	if iri := essaim.ThemeIRI(id); iri != "https://127.0.0.1:8080/ns/essaim/themes#algues" {
		t.Errorf("its IRI is %s", iri)
	} else if back, ok := essaim.ThemeID(iri); !ok || back != id {
		t.Errorf("its IRI reads back as %q, %v", back, ok)
	}
	for _, c := range []struct{ lang, id, want string }{
		{"fr", id, "Algues vertes"},
		{"en", id, "Green algae"},
		{"fr", "nature", "Eau, nature et biodiversité"},
		{"fr", "toulouse.example:briques-roses", "briques roses"},
		{"en", "later", "later"},
	} {
		if got := all.Label(c.lang, c.id); got != c.want {
			t.Errorf("%s in %s: got %q, want %q", c.id, c.lang, got, c.want)
		}
	}
	list := all.Themes()
	at := slices.IndexFunc(list, func(th essaim.Theme) bool { return th.ID == id })
	if len(list) != len(essaim.Themes())+1 || at < 1 || list[at-1].ID != "nature" || list[at].Name() != "algues" {
		t.Errorf("it stands at %d of %d", at, len(list))
	}
}

func TestAContentHasTheCommonThemeAboveALocalOne(t *testing.T) {
	t.Parallel()
	all := brestThemes()
	const algues, rien, autre = "127.0.0.1:8080:algues", "127.0.0.1:8080:rien", "autre.example:rien"
	for _, c := range []struct {
		what                string
		themes, stood, want []string
		problem             string
	}{
		{"its broader theme is added", []string{"sante", algues}, nil, []string{"sante", algues, "nature"}, ""},
		{"and once", []string{"nature", algues}, nil, []string{"nature", algues}, ""},
		{"wherever it stands", []string{algues, "nature"}, nil, []string{algues, "nature"}, ""},
		{"of another node", []string{autre}, nil, []string{autre}, ""},
		{"nothing defines it", []string{"sante", rien}, nil, []string{"sante", rien}, "themes.1"},
		{"nothing defines it, and the record had it", []string{rien}, []string{rien}, []string{rien}, ""},
		{"of the node without its port", []string{"127.0.0.1:algues"}, nil, []string{"127.0.0.1:algues"}, "themes.0"},
		{"of another port", []string{"127.0.0.1:8081:algues"}, nil, []string{"127.0.0.1:8081:algues"}, ""},
		{"none", nil, nil, nil, ""},
	} {
		p := essaim.Problems{}
		if got := all.Complete(p, c.themes, c.stood); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.what, got, c.want)
		}
		if (len(p) > 0) != (c.problem != "") || c.problem != "" && p[c.problem] != "unknown" {
			t.Errorf("%s: problems %v, want one at %q", c.what, p, c.problem)
		}
	}
}

func TestAConceptIsDefinedUnderACommonThemeInFrench(t *testing.T) {
	t.Parallel()
	all := brestThemes()
	got, err := all.Define("", "nature", " Marées vertes ", "")
	if want := (essaim.Theme{ID: "127.0.0.1:8080:marees-vertes", Broader: "nature", French: "Marées vertes"}); err != nil || got.ID != want.ID || got.French != want.French || got.Broader != want.Broader {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for field, c := range map[string][4]string{
		"fr":      {"a", "nature", "", "A"},
		"name":    {"Algues Vertes", "nature", "Algues", ""},
		"broader": {"a", "algues", "A", ""},
		"en":      {"a", "nature", "A", "\x00"},
	} {
		_, err := all.Define(c[0], c[1], c[2], c[3])
		var invalid *essaim.ValidationError
		if !errors.As(err, &invalid) || invalid.Problems[field] == "" {
			t.Errorf("%v: got %v, want a problem of %s", c, err, field)
		}
	}
	if _, err := all.Define("sante", "nature", "Santé des eaux", ""); !errors.Is(err, essaim.ErrInvalid) {
		t.Errorf("the name of a common theme: %v", err)
	}
}
