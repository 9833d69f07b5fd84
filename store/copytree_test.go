// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

func TestTheTreeOfCopiesIsKeptWhoeverElseIsAskedFor(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, ctx := newNode(t, db), t.Context()
		var lines []string
		for i := range 100 {
			id := fmt.Sprintf("https://%s/objects/%d", toulouse, i)
			lines = append(lines, fmt.Sprintf("('%s', '%s', '%s', 'record', '%064x', 0)", id, toulouse, essaim.CommonsKey(id), i))
		}
		if err := db.Exec(ctx, n.Store, "INSERT INTO commons (id, origin, key, sort, digest, number) VALUES "+strings.Join(lines, ", ")); err != nil {
			t.Fatal(err)
		}
		count := func(host string, want int) {
			t.Helper()
			if root, _, _, _, err := n.CopyNode(ctx, host, ""); err != nil || root.Count != want {
				t.Errorf("%d items of %s, want %d (%v)", root.Count, host, want, err)
			}
		}
		count(toulouse, 100)
		if err := db.Exec(ctx, n.Store, "DELETE FROM commons WHERE id = $1", fmt.Sprintf("https://%s/objects/7", toulouse)); err != nil {
			t.Fatal(err)
		}
		for i := range 80 {
			count(fmt.Sprintf("n%d.example", i), 0)
		}
		count(toulouse, 100)
		n.clock.pass(time.Minute)
		count(toulouse, 99)
	})
}
