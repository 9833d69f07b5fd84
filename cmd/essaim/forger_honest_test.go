// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

// honestly counts something honest, which must be taken.
func (w *forgery) honestly(t *testing.T, what string, taken bool, format string, args ...any) {
	t.Helper()
	w.tried[what]++
	if !taken {
		t.Errorf("%s: %s", what, fmt.Sprintf(format, args...))
	}
}

// goesOn has the other node publish, change and delete a record, one that it pushes
// and one that is read of its page: whatever was forged before, all of it arrives, byte
// for byte. What is not his is something else from then on.
func (w *forgery) goesOn(t *testing.T, surface string) {
	t.Helper()
	w.pass(6 * time.Minute) // a host is asked for its key once in five
	for _, way := range []string{"pushed", "read"} {
		w.serial++
		rec := w.brest.publish(t, fmt.Sprint("Fiche honnête ", w.serial))
		w.arrives(t, surface, way, "Create", rec.ID)
		w.ids = append(w.ids, rec.ID)
		if _, err := w.brest.UpdateRecord(t.Context(), rec.ID, 0, storetest.Initiative(fmt.Sprint("Fiche honnête, revue ", w.serial)), essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		w.arrives(t, surface, way, "Update", rec.ID)
		if err := w.brest.WithdrawRecord(t.Context(), rec.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		w.arrives(t, surface, way, "Delete", rec.ID)
	}
	w.before = w.notHis(t)
}

// arrives brings the version of a record that the other node serves.
func (w *forgery) arrives(t *testing.T, surface, way, verb, id string) {
	t.Helper()
	served, err := w.brest.Object(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	what := fmt.Sprintf("%s %s after %s", verb, way, surface)
	activity := w.keep(t, served.Bytes, verb)
	if way == "read" {
		w.readOn(t, brestHost)
	} else {
		if code := w.post(t, w.brest, activity); code != http.StatusAccepted {
			t.Errorf("%s: %s is answered %d", what, id, code)
		}
		w.drain(t)
	}
	w.pass(time.Minute)
	const statement = `SELECT CASE c.sort WHEN 'record' THEN r.document WHEN 'tombstone' THEN coalesce(c.document, t.document) ELSE c.document END
		FROM commons c LEFT JOIN record r ON r.id = c.id LEFT JOIN tombstone t ON t.id = c.id WHERE c.id = $1`
	var held []byte
	for _, row := range w.rows(t, statement, id) {
		held, _ = row[0].value.([]byte)
	}
	_, err = w.toulon.Document(t.Context(), id)
	w.honestly(t, what, bytes.Equal(held, served.Bytes) && (err != nil) == served.Gone, "%s is not taken: %v, held %.200q", id, err, held)
}

// wanted lists what is honest and must have been tried, and taken each time.
func (w *forgery) wanted(t *testing.T, surfaces ...string) {
	t.Helper()
	want := []string{"activity", "item", "copies", "comparison"}
	for _, surface := range surfaces {
		for _, way := range []string{"pushed", "read"} {
			for _, verb := range []string{"Create", "Update", "Delete"} {
				want = append(want, fmt.Sprintf("%s %s after %s", verb, way, surface))
			}
		}
	}
	for _, what := range want {
		if w.tried[what] == 0 {
			t.Errorf("no honest %s was tried", what)
		}
	}
}
