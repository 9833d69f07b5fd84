// SPDX-License-Identifier: AGPL-3.0-or-later

package wire

// Text is a natural language value: the plain property and its map by language
// (Activity Vocabulary 4.7).
type Text struct {
	Plain string
	ByTag map[string]string // language tag → text; nil without a map
}

// TextOf reads name, summary or content with its map, as bytes. It is never read
// through streams, where "Brest: jardin partagé" is an address and comes out
// empty. What is not a string is left out.
func TextOf(v Value, property string) Text {
	t := Text{Plain: v.Get(property).TextOr()}
	for tag, e := range v.Get(property + "Map").Properties() {
		if s, ok := e.Text(); ok && tag != "" && len(tag) <= 35 {
			if t.ByTag == nil {
				t.ByTag = make(map[string]string)
			}
			t.ByTag[tag] = s
		}
	}
	return t
}

// In is the text in a language, else the plain one, else any.
func (t Text) In(tag string) string {
	if s, ok := t.ByTag[tag]; ok {
		return s
	}
	if t.Plain != "" {
		return t.Plain
	}
	best := ""
	for tag := range t.ByTag {
		if best == "" || tag < best {
			best = tag
		}
	}
	return t.ByTag[best]
}
