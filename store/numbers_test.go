// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"os"
	"regexp"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

// What takes a number keeps all others from theirs until it commits. Else one
// that took a smaller number could commit after a reader has passed it by, and
// "greater than the last one seen" would miss it for good.
func TestNobodyTakesANumberBeforeTheLastOneIsVisible(t *testing.T) {
	t.Parallel()
	s, _ := storetest.Postgres(t).Node(t)
	before, err := s.Number(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("postgres/numbers.sql")
	if err != nil {
		t.Fatal(err)
	}
	statement := regexp.MustCompile(`(?s)-- name: take_numbers\n(.+?)(\n\n|\z)`).FindSubmatch(text)
	if statement == nil {
		t.Fatal("postgres/numbers.sql does not say how numbers are taken")
	}
	tx, err := s.DB().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	var mine, recovering, recoveries int64
	if err := tx.QueryRowContext(t.Context(), string(statement[1]), 1).Scan(&mine, &recovering, &recoveries); err != nil {
		t.Fatal(err)
	}

	published := make(chan error, 1)
	go func() {
		_, err := s.CreateRecord(t.Context(), essaim.NewRecord{Content: storetest.Initiative("Jardin"), State: essaim.StatePublished, Author: storetest.Author})
		published <- err
	}()
	for waiting := 0; waiting == 0; {
		select {
		case err := <-published:
			t.Fatalf("a publication took a number while %d was not visible (%v)", mine, err)
		default:
		}
		const waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
		if err := s.DB().QueryRowContext(t.Context(), waits).Scan(&waiting); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-published; err != nil {
		t.Fatal(err)
	}
	if mine <= before {
		t.Errorf("number %d was given twice", mine)
	}
	if got, err := s.Number(t.Context()); err != nil || got <= mine {
		t.Errorf("the publication after %d has number %d (%v)", mine, got, err)
	}
}
