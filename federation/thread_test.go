// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestCollectionsOfARecordAreReadToTheirEnd(t *testing.T) {
	t.Parallel()
	for _, members := range []int{0, 1, memberPage - 1, memberPage, memberPage + 1, 3 * memberPage} {
		store := newShelf()
		store.members = members
		const object = "https://brest.example/objects/01j"
		store.publish(object, Stored{Bytes: []byte(`{}`)})
		_, h := testServer(t, store, nil)
		for _, name := range []string{"replies", "context", "adaptations"} {
			var want []string
			if name == "context" {
				want = []string{object} // FEP-f228: it begins with the post that began it
			}
			for i := range members {
				want = append(want, fmt.Sprintf("https://m.example/%s/%d", name, i+1))
			}
			var c struct {
				ID, Type, First, AttributedTo string
				TotalItems                    int
			}
			if err := json.Unmarshal([]byte(body(t, get(h, "/objects/01j/"+name))), &c); err != nil {
				t.Fatal(err)
			}
			if c.ID != object+"/"+name || c.Type != "OrderedCollection" || c.TotalItems != len(want) || (name == "context") != (c.AttributedTo == "https://brest.example/actors/brest") {
				t.Errorf("%s of %d: got %+v", name, members, c)
			}
			var got []string
			for at, pages := c.First, 0; at != "" && pages < 9; pages++ {
				var page struct {
					ID, PartOf, Next string
					Items            []string `json:"orderedItems"`
				}
				if err := json.Unmarshal([]byte(body(t, get(h, strings.TrimPrefix(at, "https://brest.example")))), &page); err != nil {
					t.Fatal(err)
				}
				if page.ID != at || page.PartOf != c.ID {
					t.Errorf("page %s of %s, want %s of %s", page.ID, page.PartOf, at, c.ID)
				}
				got, at = append(got, page.Items...), page.Next
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s of %d: got %d items %v", name, members, len(got), got)
			}
		}
	}
	_, h := testServer(t, newShelf(), nil)
	if r := get(h, "/objects/unknown/replies"); r.StatusCode != 404 {
		t.Errorf("replies to what does not exist: got %d, want 404", r.StatusCode)
	}
}
