// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
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
