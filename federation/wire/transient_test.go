// SPDX-License-Identifier: AGPL-3.0-or-later

package wire

import (
	"strings"
	"testing"
)

// Mastodon's Add and Remove have no id: one is made of the bytes, on the origin
// of the actor.
func TestWhatIsTransientHasTheIDOfItsBytes(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	for _, body := range []string{
		`"type":"Add","actor":"https://m.example/u","object":"https://m.example/n/1","target":"https://m.example/u/featured"`,
		`"type":"Remove","actor":"https://m.example/u","object":"https://m.example/n/1","target":"https://m.example/u/featured"`,
		`"type":"Add","actor":"https://m.example/u","object":"https://m.example/n/2","target":"https://m.example/u/featured"`,
		`"type":"Add","actor":"https://m.example/u#me","object":"https://m.example/n/2","target":"https://m.example/u/featured"`,
	} {
		first, err := Decode([]byte(activity(body)), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		again, err := Decode([]byte(activity(body)), Limits{})
		if err != nil || again.ID != first.ID || !strings.HasPrefix(first.ID.String(), "https://m.example/u#transient-") {
			t.Errorf("ids %s and %s, %v", first.ID, again.ID, err)
		}
		if err := first.CheckAuthority(first.Actor); err != nil {
			t.Errorf("%s: %v", first.ID, err)
		}
		ids[first.ID.String()] = true
	}
	if len(ids) != 4 {
		t.Errorf("%d ids of 4 activities", len(ids))
	}
}
