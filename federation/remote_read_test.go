// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"strings"
	"testing"
	"time"

	"essaim/federation/wire"
)

func TestAUserNameCannotLookLikeAnotherHosts(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"ana": true, "Ana_1": true, "ana.b-c": true, "éléonore": true, "": true,
		"ana@known.example": false, "ana b": false, "ana/b": false, "a\u202eb": false, "a\nb": false, "<b>": false,
		strings.Repeat("a", 300): false,
	} {
		if got := userName(name) == name; got != want {
			t.Errorf("%q taken %v, want %v", name, got, want)
		}
	}
}

func TestWhoRefusesToBeIndexed(t *testing.T) {
	t.Parallel()
	for document, want := range map[string]bool{
		`"name":"Alice"`:      false,
		`"indexable":true`:    false, // FEP-5feb
		`"indexable":false`:   true,
		`"indexable":"false"`: false, // says nothing that the FEP knows
		`"summary":"<p>Jardinière. <a href=\"https://peer.example/tags/nobot\">#<span>NoBot</span></a></p>"`: true,
		`"summary":"<p>#noindex</p>"`:                                         true,
		`"summary":"<p>Je ne suis pas un nobot, ni un #robot.</p>"`:           false,
		`"tag":[{"type":"Hashtag","name":"#NoArchive"}]`:                      true,
		`"tag":[{"type":"Hashtag","name":"#jardin"}]`:                         false,
		`"summaryMap":{"fr":"<p>#nobots</p>"},"indexable":true`:               true,
		`"summary":"` + strings.Repeat("mot ", 3000) + `#nobot"`:              true,
		`"attachment":[{"type":"PropertyValue","name":"x","value":"#nobot"}]`: false,
	} {
		doc, err := wire.Parse([]byte(`{"id":"https://peer.example/users/alice","type":"Person","inbox":"https://peer.example/inbox",`+document+`}`), wire.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		a, err := readActor(doc.Root(), time.Unix(0, 0))
		if err != nil || a.Unindexed != want {
			t.Errorf("%.90s: refuses %v, %v; want %v", document, a.Unindexed, err, want)
		}
	}
}
