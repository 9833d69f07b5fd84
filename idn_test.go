// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"strings"
	"testing"

	"golang.org/x/net/idna"
)

func TestHostsInOtherLettersHaveOneForm(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"https://brеst.example/u/mairie", "https://xn--brst-w4d.example/u/mairie"}, // a Cyrillic е
		{"https://vіctim.example/n/1", "https://xn--vctim-n2e.example/n/1"},         // a Cyrillic і
		{"https://forêt-fouesnant.example:8443/a", "https://xn--fort-fouesnant-skb.example:8443/a"},
		{"https://xn--fort-fouesnant-skb.example/a", "https://xn--fort-fouesnant-skb.example/a"},
		{"https://www.îlemolène.example", "https://www.xn--lemolne-6xa2c.example"},
		{"https://пример.example/", "https://xn--e1afmkfd.example/"},
	} {
		got, err := ParseIRI(c.in)
		if err != nil || got.String() != c.want {
			t.Errorf("ParseIRI(%q) = %q, %v; want %q", c.in, got, err, c.want)
		}
	}
	for _, in := range []string{
		"https://ｂrest.example/", "https://Île.example/", "https://straße.example/", "https://ﬁnistere.example/", "https://brest。example/",
		"https://e\u0301.example/", "https://brest\u200d.example/", "https://xn--é.example/", "https://-é.example/", "https://é-.example/",
		"https://\u2024brest.example/", "https://bre\u2044st.example/", "https://brest\uff0fevil.example/", "https://" + strings.Repeat("é", 60) + ".example/", "https://\xffé.example/",
	} {
		if got, err := ParseIRI(in); err == nil {
			t.Errorf("ParseIRI(%q) = %q; want an error", in, got)
		}
	}
}

// Each letter that passes stands for itself with an independent implementation
// of IDNA too, and gives the same name.
func TestLettersOfHostsAreThoseOfIDNA(t *testing.T) {
	t.Parallel()
	passed := 0
	for r := rune(0x80); r < 0x30000; r++ {
		if !plainLetter(r) {
			continue
		}
		passed++
		name := "a" + string(r) + "b" + string(r) + "c.example"
		want, err := idna.Lookup.ToASCII(name)
		got, ours := asciiHost(name)
		unicode, back := idna.ToUnicode(want)
		if err != nil || ours != nil || back != nil || got != want || unicode != name {
			t.Errorf("%q (%U): %q, %v; IDNA %q, %v", name, r, got, ours, want, err)
		}
	}
	if passed < 120 {
		t.Errorf("only %d letters pass", passed)
	}
}

// FuzzHostName holds that a name has the ASCII form that an independent encoder
// gives it.
func FuzzHostName(f *testing.F) {
	for _, s := range []string{"brеst.example", "forêt.example", "xn--abc.example", "a.b.ö", "-é", "ааа.бб"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		iri, err := ParseIRI("https://" + name + "/")
		if err != nil || strings.ContainsAny(name, ":/?#[") || strings.Contains(strings.ToLower(name), "xn--") {
			return // what is ASCII already is taken as it is
		}
		want, err := idna.Punycode.ToASCII(strings.ToLower(name))
		if err != nil || iri.Host() != want {
			t.Fatalf("%q has the host %q, IDNA says %q, %v", name, iri.Host(), want, err)
		}
	})
}
