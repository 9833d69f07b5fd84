// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

func TestASignInLinkIsSpentOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		u, err := n.CreateUser(t.Context(), essaim.User{Email: " Animatrice@Brest.example ", Name: "Contributrice de démonstration", Role: essaim.RoleAdmin})
		if err != nil || u.Email != "animatrice@brest.example" {
			t.Fatalf("account = %+v, %v", u, err)
		}
		if _, err := n.CreateUser(t.Context(), essaim.User{Email: "ANIMATRICE@brest.example", Role: essaim.RoleContributor}); !errors.Is(err, essaim.ErrConflict) {
			t.Errorf("second account of an address: %v", err)
		}
		until := n.clock.now().Add(time.Hour)
		if err := n.NewSignIn(t.Context(), u.ID, "link", until); err != nil {
			t.Fatal(err)
		}
		var used atomic.Int32
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				switch got, err := n.UseSignIn(t.Context(), "link", "session", until); {
				case err == nil && got == u:
					used.Add(1)
				case !errors.Is(err, essaim.ErrNotFound):
					t.Errorf("sign in: %+v, %v", got, err)
				}
			})
		}
		wg.Wait()
		if used.Load() != 1 {
			t.Errorf("the link was used %d times, want once", used.Load())
		}
		if got, err := n.UserBySession(t.Context(), "session"); err != nil || got != u {
			t.Errorf("session = %+v, %v", got, err)
		}
		for _, table := range []string{"session", "signin"} {
			if got := one[int](t, n, "SELECT count(*) FROM "+table+" WHERE hash IN ('link', 'session')"); got != 0 {
				t.Errorf("%s keeps a secret in clear", table)
			}
		}
		n.clock.pass(time.Hour)
		if _, err := n.UserBySession(t.Context(), "session"); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("session after its end: %v", err)
		}
	})
}

func TestALinkTooOldOpensNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		u, _ := n.CreateUser(t.Context(), essaim.User{Email: "a@brest.example", Role: essaim.RoleContributor})
		n.NewSignIn(t.Context(), u.ID, "link", n.clock.now().Add(time.Minute))
		n.clock.pass(time.Minute)
		if _, err := n.UseSignIn(t.Context(), "link", "session", n.clock.now().Add(time.Hour)); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("sign in: %v", err)
		}
	})
}

func TestADisabledAccountIsShutOut(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		admin, _ := n.CreateUser(t.Context(), essaim.User{Email: "admin@brest.example", Role: essaim.RoleAdmin})
		if err := n.DisableUser(t.Context(), admin.ID, true); !errors.Is(err, essaim.ErrForbidden) {
			t.Errorf("the last administrator was disabled: %v", err)
		}
		if err := n.SetUserRole(t.Context(), admin.ID, essaim.RoleContributor); !errors.Is(err, essaim.ErrForbidden) {
			t.Errorf("the last administrator lost the role: %v", err)
		}
		u, _ := n.CreateUser(t.Context(), essaim.User{Email: "b@brest.example", Role: essaim.RoleContributor})
		until := n.clock.now().Add(time.Hour)
		n.NewSignIn(t.Context(), u.ID, "link", until)
		if _, err := n.UseSignIn(t.Context(), "link", "session", until); err != nil {
			t.Fatal(err)
		}
		n.NewSignIn(t.Context(), u.ID, "link2", until)
		if err := n.NewToken(t.Context(), u.ID, "script", "token"); err != nil {
			t.Fatal(err)
		}
		if got, err := n.UserByToken(t.Context(), "token"); err != nil || got.ID != u.ID {
			t.Errorf("token = %+v, %v", got, err)
		}
		if err := n.DisableUser(t.Context(), u.ID, true); err != nil {
			t.Fatal(err)
		}
		if err := n.DisableUser(t.Context(), u.ID, false); err != nil {
			t.Fatal(err)
		}
		// What was open before it was disabled stays closed once it is open again.
		if _, err := n.UserBySession(t.Context(), "session"); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("session: %v", err)
		}
		if _, err := n.UserByToken(t.Context(), "token"); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("token: %v", err)
		}
		if _, err := n.UseSignIn(t.Context(), "link2", "s", until); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("link: %v", err)
		}
		if err := n.SetUserRole(t.Context(), u.ID, essaim.RoleAdmin); err != nil {
			t.Fatal(err)
		}
		if err := n.SetUserRole(t.Context(), admin.ID, essaim.RoleFacilitator); err != nil {
			t.Errorf("one of two administrators: %v", err)
		}
		all, err := n.Users(t.Context())
		if err != nil || len(all) != 2 || all[0].Role != essaim.RoleFacilitator || all[1].Role != essaim.RoleAdmin {
			t.Errorf("accounts = %+v, %v", all, err)
		}
		if _, err := n.UserByEmail(t.Context(), "nobody@brest.example"); !errors.Is(err, essaim.ErrNotFound) || strings.Contains(err.Error(), "nobody@") {
			t.Errorf("unknown address: %v; want not found, without the address", err)
		}
	})
}

func TestADeletedAccountLeavesWhatItWroteAndNothingOfItself(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		admin, _ := n.CreateUser(t.Context(), essaim.User{Email: "admin@brest.example", Role: essaim.RoleAdmin})
		if err := n.DeleteUser(t.Context(), admin.ID, false); !errors.Is(err, essaim.ErrForbidden) {
			t.Errorf("the last administrator was deleted: %v", err)
		}
		for _, keep := range []bool{false, true} {
			u, err := n.CreateUser(t.Context(), essaim.User{Email: "part@brest.example", Name: "Compte de passage", Role: essaim.RoleContributor})
			if err != nil {
				t.Fatal(err)
			}
			name := fmt.Sprintf("passage_%v", keep)
			actor := brest + "/actors/" + name
			if err := n.CreatePerson(t.Context(), u.ID, name, essaim.Profile{Name: "Compte de passage"}); err != nil {
				t.Fatal(err)
			}
			n.follow(t, actor, ana, "https://a.example/inbox")
			until := n.clock.now().Add(time.Hour)
			n.NewSignIn(t.Context(), u.ID, "link", until)
			n.UseSignIn(t.Context(), "link", "session", until)
			n.NewSignIn(t.Context(), u.ID, "link", until)
			n.NewToken(t.Context(), u.ID, "script", "token")
			rec, err := n.CreateRecord(t.Context(), essaim.NewRecord{
				Content: essaim.Content{Kind: essaim.KindVenue, Title: "Atelier", Body: &essaim.Venue{}},
				State:   essaim.StateDraft, Author: essaim.Author{User: u.ID, Name: u.Name},
			})
			if err != nil {
				t.Fatal(err)
			}
			n.raw(t, "INSERT INTO decision (at, account_id, action, kind, subject, before_state, after_state, reason) VALUES (1, $1, 'hide', 'comment', 'c', 'held', 'hidden', '')", u.ID)

			if err := n.DeleteUser(t.Context(), u.ID, keep); err != nil {
				t.Fatal(err)
			}
			for _, table := range []string{"session", "signin", "token"} {
				if got := one[int](t, n, "SELECT count(*) FROM "+table); got != 0 {
					t.Errorf("%d rows left in %s", got, table)
				}
			}
			if _, err := n.UserByEmail(t.Context(), u.Email); !errors.Is(err, essaim.ErrNotFound) {
				t.Errorf("account: %v", err)
			}
			if a, err := n.LocalActor(t.Context(), name); !errors.Is(err, essaim.ErrNotFound) && !a.Gone {
				t.Errorf("actor = %+v, %v", a, err)
			}
			if got := one[int](t, n, "SELECT count(*) FROM activity WHERE actor = $1 AND type = 'Delete'", actor); got != 1 {
				t.Errorf("its followers are told %d times, want once", got)
			}
			signed := ""
			if keep {
				signed = u.Name
			}
			revisions, err := n.Revisions(t.Context(), rec.ID)
			if err != nil || len(revisions) != 1 || revisions[0].Author != (essaim.Author{User: essaim.AuthorDeleted, Name: signed}) {
				t.Errorf("keep %v: revisions = %+v, %v; want them signed %q", keep, revisions, err, signed)
			}
			if !keep {
				for _, said := range []string{u.Email, u.Name} {
					if where := n.holding(t, said); len(where) > 0 {
						t.Errorf("%q is still in %v", said, where)
					}
				}
			}
			if got := one[int](t, n, "SELECT count(*) FROM decision WHERE account_id = $1", u.ID); got != 0 {
				t.Errorf("the journal names the account in %d lines", got)
			}
			// The next account may bear the number.
			next, err := n.CreateUser(t.Context(), essaim.User{Email: "arrive@brest.example", Role: essaim.RoleContributor})
			if err != nil {
				t.Fatal(err)
			}
			if name, err := n.PersonOf(t.Context(), next.ID); !errors.Is(err, essaim.ErrNotFound) {
				t.Errorf("a new account has the actor %s, %v", name, err)
			}
			if err := n.DeleteUser(t.Context(), next.ID, false); err != nil {
				t.Fatal(err)
			}
			if err := n.DeleteUser(t.Context(), next.ID, false); !errors.Is(err, essaim.ErrNotFound) {
				t.Errorf("deleted twice: %v", err)
			}
		}
		if got := one[int](t, n, "SELECT count(*) FROM decision WHERE account_id = $1", essaim.AuthorDeleted); got != 2 {
			t.Errorf("the journal has %d decisions of deleted accounts, want 2", got)
		}
	})
}

// holding lists the columns of the whole database in which a text is found.
func (n *node) holding(t *testing.T, text string) (where []string) {
	t.Helper()
	columns := schemaColumns(t, n.DB(), n.db.Name == "postgres")
	if len(columns) < 150 {
		t.Fatalf("the schema has %d columns", len(columns))
	}
	for _, c := range columns {
		table, column, _ := strings.Cut(c, ".")
		value := "CAST(" + column + " AS TEXT)"
		if n.db.Name == "postgres" && slices.Contains([]string{"bytes", "raw", "document", "stamp", "statement"}, column) && c != "commons_sync.bytes" {
			value = "encode(" + column + ", 'escape')"
		}
		if one[int](t, n, "SELECT count(*) FROM "+table+" WHERE "+value+" LIKE '%' || $1 || '%'", text) > 0 {
			where = append(where, c)
		}
	}
	return where
}

// guard has the database refuse a change of a table while a condition holds.
func (n *node) guard(t *testing.T, name, on, condition string) (lift func()) {
	t.Helper()
	table := on[strings.LastIndexByte(on, ' ')+1:]
	if n.db.Name == "sqlite" {
		n.raw(t, fmt.Sprintf("CREATE TRIGGER %s BEFORE %s WHEN %s BEGIN SELECT RAISE(ABORT, '%s'); END", name, on, condition, name))
		return func() { n.raw(t, "DROP TRIGGER "+name) }
	}
	n.raw(t, fmt.Sprintf("CREATE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF %s THEN RAISE EXCEPTION '%s' USING ERRCODE = 'check_violation'; END IF; RETURN coalesce(NEW, OLD); END $$", name, condition, name))
	n.raw(t, fmt.Sprintf("CREATE TRIGGER %s BEFORE %s FOR EACH ROW EXECUTE FUNCTION %s()", name, on, name))
	return func() { n.raw(t, fmt.Sprintf("DROP TRIGGER %s ON %s", name, table)) }
}

// What an account wrote goes from it in short transactions, and can be begun
// again; the number, for which everybody who publishes waits, is taken last.
func TestADeletionIsMadeOfShortTransactionsAndBegunAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		u, err := n.CreateUser(t.Context(), essaim.User{Email: "part@brest.example", Name: "Compte de passage", Role: essaim.RoleContributor})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.CreatePerson(t.Context(), u.ID, "passage", essaim.Profile{Name: "Compte de passage"}); err != nil {
			t.Fatal(err)
		}
		if _, err := n.CreateRecord(t.Context(), essaim.NewRecord{
			Content: essaim.Content{Kind: essaim.KindVenue, Title: "Atelier", Body: &essaim.Venue{}},
			State:   essaim.StateDraft, Author: essaim.Author{User: u.ID, Name: u.Name},
		}); err != nil {
			t.Fatal(err)
		}
		n.raw(t, `INSERT INTO revision (rid, revision, at, author_id, author_name, state, content)
			WITH RECURSIVE s(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM s WHERE i < 700)
			SELECT v.rid, s.i, v.at, v.author_id, v.author_name, v.state, v.content FROM revision v, s WHERE v.revision = 1`)
		n.raw(t, `INSERT INTO decision (at, account_id, action, kind, subject, before_state, after_state, reason)
			SELECT 1, v.author_id, 'hide', 'comment', 'c', 'held', 'hidden', '' FROM revision v`)
		hers := func(table, column string) int {
			return one[int](t, n, fmt.Sprintf("SELECT count(*) FROM %s WHERE %s = %d", table, column, u.ID))
		}
		if got := hers("revision", "author_id"); got != 700 {
			t.Fatalf("%d revisions", got)
		}

		lift := n.guard(t, "stopped", "UPDATE ON revision", fmt.Sprintf("(SELECT count(*) FROM revision WHERE author_id = %d) < 250", u.ID))
		if err := n.DeleteUser(t.Context(), u.ID, false); err == nil || !strings.Contains(err.Error(), "stopped") {
			t.Fatalf("cut short: %v", err)
		}
		lift()
		if got := hers("revision", "author_id"); got == 0 || got == 700 {
			t.Errorf("cut short: %d revisions are hers; want some", got)
		}
		if kept, err := n.UserByEmail(t.Context(), u.Email); err != nil || !kept.Disabled {
			t.Errorf("cut short: %+v, %v; want it there, disabled", kept, err)
		}

		number := one[int](t, n, "SELECT n FROM counter WHERE id = 1")
		late := fmt.Sprintf("(SELECT n FROM counter WHERE id = 1) > %d", number)
		n.guard(t, "late_revision", "UPDATE ON revision", late)
		n.guard(t, "late_account", "DELETE ON account", late)
		if err := n.DeleteUser(t.Context(), u.ID, false); err != nil {
			t.Fatal(err)
		}
		if got := hers("revision", "author_id") + hers("decision", "account_id"); got != 0 {
			t.Errorf("%d revisions and decisions are hers", got)
		}
		if _, err := n.UserByEmail(t.Context(), u.Email); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("account: %v", err)
		}
		if got := one[int](t, n, "SELECT n FROM counter WHERE id = 1"); got <= number {
			t.Errorf("the counter stands at %d", got)
		}
	})
}
