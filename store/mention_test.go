// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"slices"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

// waiting lists the inboxes to which an activity of a type waits to be sent.
func (n *node) waiting(t testing.TB, verb string) []string {
	t.Helper()
	rows, err := n.DB().QueryContext(t.Context(), `SELECT d.inbox FROM delivery d JOIN activity a ON a.id = d.activity_id
		WHERE a.type = $1 AND d.state = 'waiting' ORDER BY d.inbox`, verb)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var inbox string
		if err := rows.Scan(&inbox); err != nil {
			t.Fatal(err)
		}
		list = append(list, inbox)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestThoseWhomATextNamesGetItOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		const bob, bobInbox, shared = "https://b.example/users/bob", "https://b.example/users/bob/inbox", "https://c.example/inbox"
		for _, a := range []essaim.RemoteActor{
			remote(ana, "Person", anaInbox, n.clock.now()), remote(bob, "Person", bobInbox, n.clock.now()),
			remote("https://c.example/users/1", "Person", "https://c.example/users/1/inbox", n.clock.now()),
			remote("https://c.example/users/2", "Person", "https://c.example/users/2/inbox", n.clock.now()),
		} {
			if a.ID[:17] == "https://c.example" {
				a.SharedInbox = shared
			}
			if err := n.SaveRemoteActor(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
		// Ana follows the territory: she gets it as a follower.
		n.apply(t, ana, essaim.AddFollower{Local: territory, Follower: remote(ana, "Person", anaInbox, n.clock.now()), FollowID: "https://a.example/f/1"})
		mention := func(actors ...string) func(*essaim.Content) {
			return func(c *essaim.Content) {
				for i, a := range actors {
					c.Mentions = append(c.Mentions, essaim.Mention{Handle: "@u" + string(rune('a'+i)) + "@m.example", Actor: a})
				}
			}
		}
		rec := storetest.Publish(t, n.Store, storetest.Initiative("Jardin", mention(ana, bob, "https://c.example/users/1", "https://c.example/users/2", "https://unknown.example/u")))
		is := func(verb string, want ...string) {
			t.Helper()
			if _, err := n.Dispatch(t.Context(), nodeActor, 10); err != nil {
				t.Fatal(err)
			}
			if got := n.waiting(t, verb); !slices.Equal(got, want) {
				t.Errorf("%s waits for %v, want %v", verb, got, want)
			}
		}
		is("Create", anaInbox, bobInbox, shared)
		// Whom the text names no more holds the version that did.
		c := storetest.Initiative("Jardin", mention(bob))
		if _, err := n.UpdateRecord(t.Context(), rec.ID, 0, c, essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		is("Update", anaInbox, bobInbox, shared)
		if err := n.WithdrawRecord(t.Context(), rec.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		is("Delete", anaInbox, bobInbox)
		// An import tells nobody.
		quiet := storetest.Initiative("Import", mention(bob))
		if _, err := n.CreateRecord(t.Context(), essaim.NewRecord{Content: quiet, State: essaim.StateDraft, Author: storetest.Author}); err != nil {
			t.Fatal(err)
		}
		is("Create")
	})
}
