// SPDX-License-Identifier: AGPL-3.0-or-later

package french

import "strings"

// elisions are the words that lose their vowel before another one. What
// precedes an apostrophe and is not in this list is part of the word:
// aujourd'hui, presqu'île, entr'aide.
var elisions = set("c d j l m n s t qu jusqu lorsqu puisqu quoiqu")

// stopWords carry no meaning of their own. They are written as Fold leaves
// them, so only words whose unaccented form means nothing else are here: "été"
// (a season), "mais" (maïs), "son", "sommes", "avions" and "pas" are searched
// for. "est" is left out of the terms: it is in every second sentence.
var stopWords = set(`
a ai aie ait as au aura aurait auront aux avait avaient avec avez avoir avons
c ca car ce ceci cela celle celles celui ces cet cette ceux chez ci comme
d dans de depuis des dont du
elle elles en entre es est et etaient etait etant etre eu eut eux
fut furent
ici il ils
j je jusque
l la le les leur leurs lorsque lui
m ma me meme memes mes moi
n ne ni nos notre nous
on ont or ou
par pour pourquoi puis puisque
qu quand que quel quelle quelles quels qui quoi
s sa sans se sera serait seront ses si soi soient sois soit sont sous suis sur
t ta tandis te tel telle telles tels tes toi ton tu
un une
vers via vos votre vous
y`)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

// irregular holds the plurals in common use that the stemmer does not bring
// together with their singular, as Fold leaves them.
var irregular = map[string]string{
	"lieux": "lieu", "milieux": "milieu", "jeux": "jeu", "enjeux": "enjeu", "feux": "feu", "voeux": "voeu",
	"cheveux": "cheveu", "nouveau": "nouvelle", "nouveaux": "nouvelle", "beau": "belle", "beaux": "belle", "vieux": "vieille", "travaux": "travail", "vitraux": "vitrail", "emaux": "email", "yeux": "oeil",
	"bijoux": "bijou", "cailloux": "caillou", "choux": "chou", "genoux": "genou", "hiboux": "hibou", "joujoux": "joujou",
}
