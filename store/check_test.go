// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

// The damages come one after the other to one node, each breaking a rule that
// held until then.
func TestCheckFindsEachBrokenRule(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := furnished(t, db)
		n.receive(t, "https://elsewhere.example/activities/unknown", ana)
		unknown := n.claim(t, 1)[0]
		if err := errors.Join(n.Apply(t.Context(), []essaim.Applied{{ID: unknown.ID, Attempt: unknown.Attempt, State: essaim.InboundUnknown, Reason: "of a type to come"}})...); err != nil {
			t.Fatal(err)
		}
		broken := func() []string {
			t.Helper()
			found, err := n.Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var rules []string
			for _, b := range found {
				rules = append(rules, b.Rule)
				if b.Rows == 0 {
					t.Errorf("%q is broken by no row", b.Rule)
				}
			}
			return rules
		}
		if found := broken(); len(found) > 0 {
			t.Fatalf("a sound database breaks %q", found)
		}
		for _, c := range []struct{ rule, damage string }{
			{"the dispatcher is not ahead of the counter", "UPDATE dispatch_cursor SET n = 1000"},
			{"an event has its activity and a number below the counter", "UPDATE event SET n = n + 1000"},
			{"no change number is above the counter", "UPDATE counter SET n = 0"},
			{"what is queued is in a known state", "UPDATE inbox SET state = 'lost'"},
			{"a delivery goes to its inbox's host", "UPDATE delivery SET host = 'elsewhere.example'"},
			{"the counts of the unfiltered list are right", "UPDATE facet SET n = n + 1 WHERE facet = 'territory'"},
			{"the counts of the map's cells are right", "UPDATE map_cell SET n = n + 1"},
			{"the counts of themes are right", "DELETE FROM facet WHERE facet = 'theme'"},
			{"a local record has its latest revision", "DELETE FROM revision WHERE rid IN (SELECT rid FROM record WHERE title LIKE 'Jardin%')"},
			{"the records that credit people are published, and the people here", "INSERT INTO record_credit (actor, position, rid) SELECT 'nobody', position, rid FROM record WHERE state = 'published'"},
			{"a record's slug is allotted to it", "DELETE FROM name"},
			{"what has a tombstone has no content", "INSERT INTO tombstone (id, kind, origin, at) SELECT id, kind, '', 1 FROM record WHERE title LIKE 'Jardin%'"},
			{"a withdrawn record is erased and has its tombstone", "DELETE FROM tombstone"},
			{"a published record has a document and a change number", "UPDATE record SET document = NULL WHERE title LIKE 'Jardin%'"},
			{"what waits to be delivered has its bytes", "DELETE FROM activity WHERE type = 'Follow'"},
			{"the activity of a published record is kept", "DELETE FROM activity WHERE type = 'Create'"},
			{"published records, and no others, are indexed", "UPDATE record SET state = 'draft' WHERE title LIKE 'Jardin%'"},
		} {
			if slices.Contains(broken(), c.rule) {
				t.Errorf("%q is broken before %q", c.rule, c.damage)
			}
			n.raw(t, c.damage)
			if found := broken(); !slices.Contains(found, c.rule) {
				t.Errorf("after %q: %q, want %q", c.damage, found, c.rule)
			}
		}
	})
}

func TestCheckComparesTheIndexOfWords(t *testing.T) {
	t.Parallel()
	n := furnished(t, storetest.SQLite(t))
	n.raw(t, "UPDATE search SET head = 'autre' WHERE rid = (SELECT min(rid) FROM search)")
	found, err := n.Check(t.Context())
	if err != nil || len(found) != 1 || found[0].Rule != "the full-text index holds the words of the records" {
		t.Errorf("an index of other words: %v, %v", found, err)
	}
}

func TestTokensAreListedWithoutTheirSecretAndRevoked(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := db.Open(t)
		ctx := t.Context()
		const hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
		for _, statement := range []string{
			"INSERT INTO account (id, email, name, role, disabled, created_at) VALUES (1, 'a@b.example', 'A', 'admin', 0, 1)",
			"INSERT INTO token (hash, account_id, label, created_at) VALUES ('" + hash + "', 1, 'agenda', 1000000)",
		} {
			if err := db.Exec(ctx, s, statement); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.Tokens(ctx, 1)
		if err != nil || len(got) != 1 || got[0].ID != "0123456789ab" || got[0].Label != "agenda" || !got[0].CreatedAt.Equal(time.Unix(1, 0)) {
			t.Fatalf("got %+v, %v", got, err)
		}
		for _, id := range []string{"", "%", "0123456789a%", "0123456789ac", hash} {
			if err := s.RevokeToken(ctx, 1, id); !errors.Is(err, essaim.ErrNotFound) {
				t.Errorf("revoke %q: got %v, want %v", id, err, essaim.ErrNotFound)
			}
		}
		if err := s.RevokeToken(ctx, 2, "0123456789ab"); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("revoke of another account: got %v, want %v", err, essaim.ErrNotFound)
		}
		if err := s.RevokeToken(ctx, 1, "0123456789ab"); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Tokens(ctx, 1); err != nil || len(got) != 0 {
			t.Errorf("after: %v, %v", got, err)
		}
	})
}
