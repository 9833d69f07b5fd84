// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAddressesAndNumbersAreCutOutOfTexts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{"Appeler le 02 98 00 00 00. Ouvert le mardi.", "Appeler le … Ouvert le mardi."},
		{"Tél. 02.98.00.00.00 (accueil)", "Tél. … (accueil)"},
		{"Tél:0298000000, le matin", "Tél:…, le matin"},
		{"Rendez-vous au 05/57/31 /15/28 ou sur place", "Rendez-vous au … ou sur place"},
		{"07-62-37-05-99.", "…"},
		{"0694.37.90.64 le soir", "… le soir"},
		{"n° vert 0805 290 440 (gratuit)", "n° vert … (gratuit)"},
		{"n° vert 0 800 12 34 56 ou 0 800 123 456", "n° vert … ou …"},
		{"appeler le (0)2 98 00 00 00 ou le (02) 98 00 00 00", "appeler le … ou le …"},
		{"l’accueil (02 98 00 00 00)", "l’accueil (…)"},
		{"+33 2 98 00 00 00 et +33(0)2 98 00 00 00 et +33298000000", "… et … et …"},
		{"0033 2 98 00 00 00 et 00 33 (0)2 98 00 00 00 et (+33) 2 98 00 00 00", "… et … et …"},
		{"le 02 98 00 00 00\u00a0!", "le …\u00a0!"},
		{"04.42.74.94.20/04.84.92.01.24 puis 06 12 34 56 78", "… puis …"},
		{"384255406", "…"},
		{"+44 (0) 20 7250 1239 or 0039 389 0190267", "… or …"},
		{"écrire à prenom.nom@mairie.example, ou passer", "écrire à …, ou passer"},
		{"écrire à Accueil@Mairie-Ville.Example.", "écrire à …"},
		{"accueil@mairie.example / 03.29.73.51.08", "…"},
		{"accueil[at]mairie.example, accueil (arobase) mairie (point) example", "…"},
		{"accueil@ mairie.example et accueil@ville-sainte marie.re", "… et …"},
		{"[nous écrire](mailto:accueil@mairie.example) ou <accueil@mairie.example>", "nous écrire ou …"},
		{"[appeler](tel:+33298000000), https://x.example/?mail=a@mairie.example", "appeler, https://x.example/?mail=…"},
		{"http://accueil@mairie.example", "http://…"},
		{"Horaires:\n02 98 00 00 00\naccueil@mairie.example\nLundi", "Horaires:\n…\n…\nLundi"},
		{"TEL0298000000", "TEL…"},
		{"le 01/02/2023 02 98 00 00 00", "le 01/02/2023 …"},
		{"09.00-12.00 02 98 00 00 00", "09.00-12.00 …"},
		{"a@mairie.example.Ouvert", "….Ouvert"},
	} {
		got, found := CutContacts(tt.text, false)
		if got != tt.want || len(found) == 0 {
			t.Errorf("%q: got %q, %d cut, want %q", tt.text, got, len(found), tt.want)
		}
	}
}

func TestWhatOnlyLooksLikeANumberStays(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"SIRET 123 456 789 00012, SIREN 123 456 789, 12345678900012, RNA W291001234",
		"SIRET 123 456 789 00123 29200 Brest", "TVA FR0298000000", "réf. 100298000000",
		"29200 Brest, INSEE 29019, 01004 01500 Ambérieu-en-Bugey", "BP 01234 01000",
		"le 01/02/2023 14h00, le 01/02/2023 14 00, le 01.02.2023 à 8h, du 01/02 au 03/04/2023", "01 02 2023 14 00", "du 01/02 03/04 05",
		"01/02/23 09.30", "2023-01-02 03:04:05", "20230102030405",
		"08.30-12.00 13.30-17.00", "9h-12h 14h-18h", "lu-ve 10.00-13.30 - -14.00-18.00 // 09.00-12.00 14.00",
		"1 234 567 890 €, 0,50 €, 12 000 000 000 €, 99.90", "+20 000 000 habitants, +200 000 000 €",
		"48.390394, -4.486076; 1.0475058981456; -0.5791234567; 02.98000000; 0.00352942487141",
		"https://ville.example/0298000000/page?id=0612345678 et www.ville.example/0298000000",
		"L’Arob@se, Agor@95, d@vp@il, PADA@ de Sartrouville, Observ@toire",
		"@asso@social.example et https://social.example/@asso@social.example",
		"https://www.carte.example/maps/@48.39,-4.48,15z", "Jardin (at) Brest", "looking at the point of view",
		"appeler le 15, le 3646 ou le 112", "",
	} {
		if got, found := CutContacts(text, false); got != text || len(found) != 0 {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestWhatWasCutIsGivenAsItWasWritten(t *testing.T) {
	t.Parallel()
	_, got := CutContacts("Tél : 02 98 00 00 00, [écrire](mailto:a@mairie.example)", false)
	want := []Contact{{Kind: "phone", Value: "02 98 00 00 00"}, {Kind: "email", Value: "a@mairie.example"}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestNumbersWithoutPrefixAreCutAbroad(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{"Kontakt:  0241 82808 \nund 02408 58415", "Kontakt:  … \nund …"},
		{"call us on 02392 960640 and", "call us on … and"},
		{"no. 0008 / 27.06.2017, Law 219/2015, 01/02/2017 09:30", "no. 0008 / 27.06.2017, Law 219/2015, 01/02/2017 09:30"},
	} {
		if got, _ := CutContacts(tt.text, true); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.text, got, tt.want)
		}
	}
}

// Every field that is a string holds the same two ways to reach someone: they
// stay only where no words are.
func TestAllWordsOfAContentAreCut(t *testing.T) {
	t.Parallel()
	const secret = "Dire 02 98 00 00 00 ou a@mairie.example"
	kept := map[string]bool{}
	for _, info := range Kinds() {
		c := Content{Kind: info.Kind, Body: info.Body(), DerivedFrom: &Derivation{}}
		fill(reflect.ValueOf(&c), secret)
		c.Places[0].Country = "FR"
		if found := c.CutContacts(); len(found) < 20 {
			t.Errorf("%s: %d cut", info.Kind, len(found))
		}
		leftIn(reflect.ValueOf(&c), "", secret, kept)
	}
	var got []string
	for name := range kept {
		got = append(got, name)
	}
	slices.Sort(got)
	want := []string{
		"contacts.kind", "contacts.value", "credits.actor", "derivedFrom.attributedTo", "derivedFrom.digest", "derivedFrom.id", "derivedFrom.licence", "derivedFrom.name",
		"images.url", "links.url", "mentions.actor", "mentions.handle", "networks", "online", "places.departement", "places.epci", "places.insee",
		"places.postcode", "places.region", "registration", "relations.target", "rna", "siren", "sources.key", "sources.url", "steps.image.url", "translationOf",
	}
	if !slices.Equal(got, want) {
		t.Errorf("not cut:\ngot  %q\nwant %q", got, want)
	}
}

func fill(v reflect.Value, s string) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() && v.CanSet() && v.Type().Elem().Kind() == reflect.Struct {
			v.Set(reflect.New(v.Type().Elem()))
		}
		if !v.IsNil() {
			fill(v.Elem(), s)
		}
	case reflect.Interface:
		fill(v.Elem(), s)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), s)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), s)
			}
		}
	case reflect.String:
		v.SetString(s)
	}
}

func leftIn(v reflect.Value, at, s string, kept map[string]bool) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			leftIn(v.Elem(), at, s, kept)
		}
	case reflect.Slice:
		for i := range v.Len() {
			leftIn(v.Index(i), at, s, kept)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			if at != "" && at != "body" {
				name = at + "." + name
			}
			if v.Type().Field(i).IsExported() {
				leftIn(v.Field(i), name, s, kept)
			}
		}
	case reflect.String:
		if v.String() == s {
			kept[at] = true
		}
	}
}

func FuzzCutContacts(f *testing.F) {
	for _, s := range []string{"02 98 00 00 00", "a@b.example", "[a](tel:+33298000000) 0298000000/0612345678", "[02 98](mailto:a@b.example)00 00 00", "<a@b.example>.", "a [at] b (dot) example", "(+44) (0) 20 7250 1239"} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, abroad bool) {
		rest, found := CutContacts(s, abroad)
		if again, more := CutContacts(rest, abroad); again != rest || len(more) > 0 {
			t.Errorf("%q: %q still holds %v", s, rest, more)
		}
		if (rest == s) != (len(found) == 0) {
			t.Errorf("%q: %q with %v cut", s, rest, found)
		}
		if utf8.ValidString(s) && !utf8.ValidString(rest) {
			t.Errorf("%q: %q is no text", s, rest)
		}
		// Nothing is written that was not there.
		from := s
		for part := range strings.SplitSeq(rest, cut) {
			for _, r := range part {
				i := strings.IndexRune(from, r)
				if i < 0 {
					t.Fatalf("%q: %q comes from nowhere", s, rest)
				}
				from = from[i:]
				_, size := utf8.DecodeRuneInString(from)
				from = from[size:]
			}
		}
	})
}
