// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"testing"
	"time"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"

	"github.com/google/go-cmp/cmp"
)

func TestCheckFindsABrokenRule(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := db.Open(t)
		if found, err := s.Check(t.Context()); err != nil || len(found) > 0 {
			t.Fatalf("a fresh database: %v, %v", found, err)
		}
		writable(t, db, s, "UPDATE dispatch_cursor SET n = 7")
		found, err := s.Check(t.Context())
		want := []store.Breach{{Rule: "the dispatcher is not ahead of the counter", Rows: 1}}
		if diff := cmp.Diff(want, found); err != nil || diff != "" {
			t.Errorf("error %v, found:\n%s", err, diff)
		}
	})
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
			writable(t, db, s, statement)
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
