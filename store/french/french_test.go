// SPDX-License-Identifier: AGPL-3.0-or-later

package french_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"essaim/store/french"

	"golang.org/x/text/unicode/norm"
)

func TestTextsThatMustMatch(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{
		{"vélos", "velo"},
		{"Vélos", "VELO"},
		{"œuvre", "oeuvres"},
		{"Œuvres", "œuvre"},
		{"l'école", "ecoles"},
		{"l’école", "École"},
		{"L'ÉCOLE", "école"},
		{"aujourd'hui", "aujourd’hui"},
		{"aujourd'hui", "aujourdhui"},
		{"d’aujourd’hui", "aujourd'hui"},
		{"entr'aide", "entraide"},
		{"presqu’île", "presqu'ile"},
		{"jardins partagés", "jardin partagé"},
		{"jardin partage", "Jardins partagés"},
		{"habitante", "habitants"},
		{"associations", "association"},
		{"solidaires", "solidaire"},
		{"recettes", "recette"},
		{"ateliers", "atelier"},
		{"réparation", "reparations"},
		{"alimentaire", "alimentaires"},
		{"initiatives", "Initiative"},
		{"chevaux", "cheval"},
		{"journaux", "journal"},
		{"numériques", "numérique"},
		{"tiers-lieux", "tiers lieu"},
		{"coopératives", "coopérative"},
		{"amis", "ami"},
		{"menus", "menu"},
		{"fruits", "fruit"},
		{"Saint-Brieuc", "saint brieuc"},
		{"Plougastel-Daoulas", "plougastel daoulas"},
		{"qu'une forêt", "foret"},
		{"jusqu’à l’été", "ete"},
		{"naïf", "naif"},
		{"maïs", "mais"},
		{"milieux", "milieu"},
		{"travaux", "travail"},
		{"bureaux", "bureau"},
		{"garçon", "garcon"},
		{"ﬁbre", "fibre"},
		{"ＢＲＥＳＴ", "Brest"},
		{"m²", "m2"},
		{"organisée", "organisé"},
		{"fabriquées", "fabriquer"},
		{"idées", "idée"},
		{"plantent", "planter"},
		{"échangent", "échange"},
		{"résidence", "résident"},
		{"nouveaux", "nouvelles"},
		{"Łódź", "lodz"},
		{"Αθήνα", "αθηνα"},
		{"co\u00ADopérer", "coopérer"},
	} {
		got, want := french.Terms(pair[0]), french.Terms(pair[1])
		if len(got) == 0 || !slices.Equal(got, want) {
			t.Errorf("%q gives %q and %q gives %q, want the same", pair[0], got, pair[1], want)
		}
	}
}

func TestTextsThatMustNotMatch(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{
		{"pain", "pins"},
		{"vélo", "velours"},
		{"Brest", "Bretagne"},
		{"lieu", "lien"},
		{"cantine", "canton"},
		{"troc", "trocadéro"},
		{"jardin", "jarre"},
		{"recyclage", "récit"},
		{"poule", "poulpe"},
		{"école", "écologie"},
		{"agent", "âge"},
	} {
		if got, other := french.Terms(pair[0]), french.Terms(pair[1]); slices.Equal(got, other) {
			t.Errorf("%q and %q both give %q, want different terms", pair[0], pair[1], got)
		}
	}
}

func TestTermsKeepOrderAndDropStopWords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":                                   nil,
		"à la":                               nil,
		"' ’ -- …":                           nil,
		"Le pain et les roses":               {"pain", "ros"},
		"l’atelier d'Élise":                  {"ateli", "elis"},
		"Rez-de-chaussée, 2 rue de l’Église": {"rez", "chauss", "2", "ru", "eglis"},
		"« Été 2024 »":                       {"ete", "2024"},
		"½ litre":                            {"1", "2", "litr"},
		"日本 Токио":                           {"日本", "токио"},
		"le pain, le pain":                   {"pain", "pain"},
	} {
		if got := french.Terms(text); !slices.Equal(got, want) {
			t.Errorf("Terms(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestSpansPointAtTheWordWithoutItsArticle(t *testing.T) {
	t.Parallel()
	text := "À l’école d'aujourd’hui, des Vélos"
	var got []string
	for _, s := range french.Spans(text) {
		got = append(got, text[s.Start:s.End])
	}
	if want := []string{"école", "aujourd’hui", "Vélos"}; !slices.Equal(got, want) {
		t.Errorf("spans of %q = %q, want %q", text, got, want)
	}
}

func TestWordsAreTermsBeforeTheStemmer(t *testing.T) {
	t.Parallel()
	const text = "Les Réparations de l’Atelier d'aujourd’hui, à Saint-Brieuc"
	words := french.Words(text)
	if want := []string{"reparations", "atelier", "aujourdhui", "saint", "brieuc"}; !slices.Equal(words, want) {
		t.Errorf("Words(%q) = %q, want %q", text, words, want)
	}
	if got, want := french.Terms(strings.Join(words, " ")), french.Terms(text); !slices.Equal(got, want) {
		t.Errorf("terms of the words = %q, want %q", got, want)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]french.Query{
		"":                            {},
		"jardins partagés":            {All: []string{"jardin", "partag"}},
		"jardin Jardins":              {All: []string{"jardin"}},
		`"jardins partagés" brest`:    {All: []string{"brest"}, Phrases: [][]string{{"jardin", "partag"}}},
		`« recette de pain »`:         {Phrases: [][]string{french.Terms("recette pain")}},
		`“pain”`:                      {All: []string{"pain"}},
		"pain -levain":                {All: []string{"pain"}, None: [][]string{{"levain"}}},
		`pain -"sans gluten"`:         {All: []string{"pain"}, None: [][]string{{"gluten"}}},
		"-levain":                     {None: [][]string{{"levain"}}},
		"porte-à-porte":               {All: []string{"port"}},
		"pain - levain":               {All: []string{"pain", "levain"}},
		`"jamais fermé`:               {Phrases: [][]string{french.Terms("jamais fermé")}},
		"pain OU levain":              {Either: [][][]string{{{"pain"}, {"levain"}}}},
		"four pain OR levain brest":   {All: []string{"four", "brest"}, Either: [][][]string{{{"pain"}, {"levain"}}}},
		`pain OU "au four" OU sel`:    {Either: [][][]string{{{"pain"}, {"four"}, {"sel"}}}},
		`pain OU "four banal"`:        {Either: [][][]string{{{"pain"}, french.Terms("four banal")}}},
		"tiers-lieux OU pain":         {Either: [][][]string{{french.Terms("tiers lieu"), {"pain"}}}},
		"pain OU le levain":           {Either: [][][]string{{{"pain"}, {"levain"}}}},
		"pain OU Pains":               {All: []string{"pain"}},
		"OU pain OU":                  {All: []string{"pain"}},
		"pain OU OU levain":           {Either: [][][]string{{{"pain"}, {"levain"}}}},
		"pain OU -levain":             {All: []string{"pain"}, None: [][]string{{"levain"}}},
		"pain -sel OU levain":         {All: []string{"pain", "levain"}, None: [][]string{{"sel"}}},
		"pain ou levain":              {All: []string{"pain", "levain"}},
		`pain "OU" levain`:            {All: []string{"pain", "levain"}},
		"NEAR(a b) AND * ^x {title":   {All: []string{"near", "b", "x", "titl"}},
		"pain AND levain":             {All: []string{"pain", "levain"}},
		"pain OU AND levain":          {Either: [][][]string{{{"pain"}, {"levain"}}}},
		`pain "AND" and`:              {All: []string{"pain", "and"}},
		"pain -sel -Sels -sel":        {All: []string{"pain"}, None: [][]string{{"sel"}}},
		`"four banal" "fours banals"`: {Phrases: [][]string{french.Terms("four banal")}},
	} {
		got := french.Parse(text)
		if !equal(got, want) {
			t.Errorf("Parse(%q) = %+v, want %+v", text, got, want)
		}
	}
}

func TestParseBoundsWhatAQueryCosts(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`mot1 "mot2 mot3" -mot4 `, `"mot1 mot2" OU -mot3 OU `, "mot1 OU "} {
		q := french.Parse(strings.Repeat(text, 5000))
		n := 0
		for _, s := range sequences(q) {
			n += len(s)
		}
		if n > french.MaxQueryTerms {
			t.Errorf("a query of 5,000 %s keeps %d terms, want at most %d", text, n, french.MaxQueryTerms)
		}
	}
	if none := french.Parse("pain -a1 -b2 -c3 -d4 -e5 -f6 -g7 -h8 -i9").None; len(none) != 6 || none[0][0] != "a1" {
		t.Errorf("of nine things that are excluded %v are", none)
	}
}

// sequences are all terms of a query, as they must follow one another.
func sequences(q french.Query) [][]string {
	list := slices.Concat([][]string{q.All}, q.Phrases, q.None)
	for _, choice := range q.Either {
		list = append(list, choice...)
	}
	return list
}

func equal(a, b french.Query) bool {
	same := func(x, y [][]string) bool { return slices.EqualFunc(x, y, slices.Equal[[]string]) }
	return slices.Equal(a.All, b.All) && same(a.Phrases, b.Phrases) && same(a.None, b.None) && slices.EqualFunc(a.Either, b.Either, same)
}

// FuzzTerms checks what the indexes rely on: a term is cut no further by any
// tokenizer, folding changes nothing the second time, and a text gives the
// same terms however its accents are encoded.
func FuzzTerms(f *testing.F) {
	for _, s := range []string{"Les Vélos de l’École", "œuvre d'aujourd’hui", "ﬁ ½ ŉ İ ẞ", "e\u0301\u0302", "हिन्दी ไทย", "a\xffb", "l''x'", "\u0344", "ᾳ", "ǅ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		folded := french.Fold(text)
		if again := french.Fold(folded); again != folded {
			t.Fatalf("Fold(%q) = %q, folded again %q", text, folded, again)
		}
		terms := french.Terms(text)
		for _, term := range terms {
			if term == "" || len(term) > french.MaxTerm {
				t.Fatalf("%q gives a term of %d bytes", text, len(term))
			}
			for _, r := range term {
				if !unicode.In(r, unicode.L, unicode.N, unicode.M) || unicode.ToLower(r) != r {
					t.Fatalf("%q gives %q, which holds %q", text, term, r)
				}
			}
		}
		for _, form := range []norm.Form{norm.NFC, norm.NFD} {
			if got := french.Terms(form.String(text)); !slices.Equal(got, terms) {
				t.Fatalf("%q gives %q, in form %d %q", text, terms, form, got)
			}
		}
		for _, s := range french.Spans(text) {
			if s.Start < 0 || s.Start >= s.End || s.End > len(text) {
				t.Fatalf("%q gives the span %+v", text, s)
			}
		}
	})
}

// FuzzParse checks that any query is read, within its bounds, into terms that
// the analyser itself gives.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`pain -levain "au four"`, `«»“”""-"`, "--a", "\x00", `-«`, `pain OU "au four" OR -OU`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q := french.Parse(text)
		known := map[string]bool{}
		for _, term := range french.Terms(text) {
			known[term] = true
		}
		n := 0
		for _, s := range sequences(q) {
			n += len(s)
			for _, term := range s {
				if !known[term] && !strings.ContainsAny(text, "'`’") {
					t.Fatalf("Parse(%q) looks for %q, which the text does not hold", text, term)
				}
			}
		}
		if slices.ContainsFunc(q.Either, func(choice [][]string) bool { return len(choice) < 2 }) {
			t.Fatalf("Parse(%q) leaves no choice", text)
		}
		if n > french.MaxQueryTerms {
			t.Fatalf("Parse(%q) keeps %d terms", text, n)
		}
	})
}

func TestACutterGivesTheSameTerms(t *testing.T) {
	t.Parallel()
	var c french.Cutter
	for range 2 {
		for _, text := range []string{"", "Les jardins partagés de l’École", "½ litre à la ½", "qu'l'autre d’aujourd'hui", strings.Repeat("é", 80) + " vélos", "À l’école des Vélos, l’école"} {
			if got, want := c.Terms(text), french.Terms(text); !slices.Equal(got, want) {
				t.Errorf("%q gives %q, want %q", text, got, want)
			}
		}
	}
}

func BenchmarkTerms(b *testing.B) {
	text := strings.Repeat("Les jardins partagés de l’École accueillent chaque année des habitantes et des habitants. ", 10)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		french.Terms(text)
	}
}
