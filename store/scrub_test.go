// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"

	"github.com/jackc/pgx/v5"
)

// canary stands in every text that is erased in these tests.
const canary = "kanari7q3"

// inFiles counts the canaries in the files of a database: SQLite's with its log,
// or the tables of PostgreSQL whose files, as the server shows them to who may read,
// hold one.
func (n *node) inFiles(t testing.TB) (found int, last string) {
	t.Helper()
	if n.db.Name != "sqlite" {
		n.raw(t, "CHECKPOINT")
		last = one[string](t, n, `SELECT coalesce(string_agg(c.relname, ' '), '') FROM pg_class c
			WHERE pg_relation_filepath(c.oid) IS NOT NULL AND (pg_stat_file(pg_relation_filepath(c.oid), true)).size > 0
			AND position($1::bytea IN pg_read_binary_file(pg_relation_filepath(c.oid), 0, 1 << 28, true)) > 0`, []byte(canary))
		return len(strings.Fields(last)), last
	}
	files := 0
	err := filepath.WalkDir(n.db.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		files++
		for at := bytes.Index(b, []byte(canary)); at >= 0; at = bytes.Index(b, []byte(canary)) {
			if found++; found <= 3 {
				last = fmt.Sprintf("%q", b[max(0, at-100):min(len(b), at+40)])
			}
			b = b[at+len(canary):]
		}
		return err
	})
	if err != nil || files < 2 {
		t.Fatalf("%d files read: %v", files, err)
	}
	return found, last
}

// scrub writes over what was erased, once those that other tests of the server
// keep from it are done.
func (n *node) scrub(t testing.TB) {
	t.Helper()
	for {
		err := n.Scrub(t.Context())
		if err == nil {
			return
		}
		if !errors.Is(err, essaim.ErrUnavailable) || t.Context().Err() != nil {
			t.Fatal(err)
		}
	}
}

// Rows that move from page to page leave copies behind, which erasing the row
// where it lies does not reach.
func TestScrubbingLeavesNothingOfWhatWasErasedInTheFiles(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		var secret []string
		for i := range 240 {
			word := fmt.Sprintf("mot%d", i)
			if i%4 == 0 {
				word = fmt.Sprintf("%s%dz", canary, i)
			}
			// An address keeps the first words of a title, and stays.
			title := "Une fiche dont le titre est bien trop long pour que son adresse en garde la fin " + word
			c := storetest.Initiative(title, func(c *essaim.Content) {
				c.Text, c.Keywords = strings.Repeat(word+" ", 1+i*7%90), []string{word}
			})
			r, err := n.CreateRecord(t.Context(), essaim.NewRecord{Content: c, State: essaim.StatePublished, Author: storetest.Author})
			if err != nil {
				t.Fatal(err)
			}
			if c.Tagline = word + " encore"; i%3 == 0 {
				if r, err = n.UpdateRecord(t.Context(), r.ID, 0, c, essaim.StatePublished, storetest.Author); err != nil {
					t.Fatal(err)
				}
			}
			if i%4 == 0 {
				secret = append(secret, r.ID)
			}
		}
		if found, _ := n.inFiles(t); found == 0 {
			t.Fatal("nothing of it is in the files to begin with")
		}
		for _, id := range secret {
			if err := n.WithdrawRecord(t.Context(), id, storetest.Author); err != nil {
				t.Fatal(err)
			}
		}
		if got := one[int](t, n, "SELECT count(*) FROM scrub WHERE erased_at IS NOT NULL"); got != 1 {
			t.Fatal("that something was erased is not noted")
		}
		before, _ := n.inFiles(t)
		n.scrub(t)
		if left, last := n.inFiles(t); left != 0 {
			t.Errorf("%d of %d are left, as in %s", left, before, last)
		}
		if broken, err := n.Check(t.Context()); err != nil || len(broken) != 0 {
			t.Errorf("the database is not whole any more: %v, %v", broken, err)
		}
		if found, err := n.Search(t.Context(), essaim.Query{Text: "mot7"}); err != nil || found.Total == 0 {
			t.Errorf("what stays is found no more: %+v, %v", found, err)
		}
		if got := one[int](t, n, "SELECT count(*) FROM scrub WHERE erased_at IS NULL AND done_at IS NOT NULL"); got != 1 {
			t.Error("that it was done is not noted")
		}
	})
}

// The log is cut once nobody reads it: who writes does not wait for that.
func TestWhoWritesDoesNotWaitForAScrubThatWaitsForReaders(t *testing.T) {
	t.Parallel()
	n := newNode(t, storetest.SQLite(t))
	storetest.Publish(t, n.Store, storetest.Initiative("Un jardin"))
	reader, err := n.DB().BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Rollback()
	var records int
	if err := reader.QueryRowContext(t.Context(), "SELECT count(*) FROM record").Scan(&records); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- n.Scrub(t.Context()) }()
	var longest time.Duration
	for start := time.Now(); time.Since(start) < 2*time.Second; {
		began := time.Now()
		if err := n.SaveHost(t.Context(), essaim.HostState{Host: toulouse, DownSince: n.clock.now()}); err != nil {
			t.Fatal(err)
		}
		longest = max(longest, time.Since(began))
	}
	if longest > 3*time.Second {
		t.Errorf("a write waited %s", longest)
	}
	select {
	case err := <-done:
		t.Errorf("the log is cut while it is read: %v", err)
		return
	default:
	}
	if err := reader.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// PostgreSQL keeps erased rows for every transaction that was open before, in the
// tables that it writes anew as well, and be it one of another database.
func TestScrubbingIsNotDoneWhileATransactionOfBeforeIsOpen(t *testing.T) {
	t.Parallel()
	n := newNode(t, storetest.Postgres(t))
	u, err := url.Parse(n.db.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/postgres"
	elsewhere, err := pgx.Connect(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer elsewhere.Close(context.Background())
	title := "Une fiche dont le titre est bien trop long pour que son adresse en garde la fin " + canary
	r := storetest.Publish(t, n.Store, storetest.Initiative(title))
	if _, err := elsewhere.Exec(t.Context(), "BEGIN; SELECT pg_current_xact_id()"); err != nil {
		t.Fatal(err)
	}
	if err := n.WithdrawRecord(t.Context(), r.ID, storetest.Author); err != nil {
		t.Fatal(err)
	}
	hasty, stop := context.WithTimeout(t.Context(), time.Second) // others of this server wait for it meanwhile
	defer stop()
	if err := n.Scrub(hasty); !errors.Is(err, essaim.ErrUnavailable) || !strings.Contains(err.Error(), "transactions") {
		left, where := n.inFiles(t)
		t.Errorf("scrubbed: %v, and it is left in %d tables: %s", err, left, where)
	}
	if got := one[int](t, n, "SELECT count(*) FROM scrub WHERE erased_at IS NOT NULL AND done_at IS NULL"); got != 1 {
		t.Error("that something is left to write over is not noted any more")
	}
	if got := one[int](t, n, "SELECT count(*) FROM scrub WHERE begun_at IS NULL"); got != 1 {
		t.Error("it counts as under way")
	}
	if _, err := elsewhere.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	n.scrub(t)
	if left, where := n.inFiles(t); left != 0 {
		t.Errorf("it is left in %d tables: %s", left, where)
	}
}

// Rows that are being erased count as rows for the statistics: one that was noted
// before, as anything else was erased, would not keep the scrub from its end.
func TestScrubbingWaitsForWhatIsBeingErased(t *testing.T) {
	t.Parallel()
	n := newNode(t, storetest.Postgres(t))
	n.raw(t, "CREATE TABLE erased (word text)")
	n.raw(t, "INSERT INTO erased SELECT '"+canary+"' FROM generate_series(1, 50)")
	tx, err := n.DB().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(t.Context(), "DELETE FROM erased"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- n.Scrub(t.Context()) }()
	select {
	case err := <-done:
		t.Fatalf("it does not wait: %v", err)
	case <-time.After(500 * time.Millisecond):
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil && !errors.Is(err, essaim.ErrUnavailable) {
		t.Fatal(err)
	} else if err != nil {
		n.scrub(t)
	}
	if got := one[int](t, n, "SELECT count(*) FROM pg_stats s WHERE tablename = 'erased' AND s::text LIKE '%"+canary+"%'"); got != 0 {
		t.Error("the statistics hold what was erased")
	}
}

func TestScrubsDoNotTakeEachOthersNotes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		erase := func() {
			t.Helper()
			r := storetest.Publish(t, n.Store, storetest.Initiative("À retirer"))
			if err := n.WithdrawRecord(t.Context(), r.ID, storetest.Author); err != nil {
				t.Fatal(err)
			}
		}
		noted := func() int { return one[int](t, n, "SELECT count(*) FROM scrub WHERE erased_at IS NOT NULL") }
		now := n.clock.now().UnixMicro()

		n.raw(t, fmt.Sprintf("UPDATE scrub SET begun_at = %d", now)) // another process's
		erase()                                                      // by the same clock, at the same time
		if err := n.Scrub(t.Context()); !errors.Is(err, essaim.ErrConflict) || noted() != 1 {
			t.Errorf("it begins beside another: %v, %d noted", err, noted())
		}
		n.clock.pass(24 * time.Hour) // at night
		n.raw(t, fmt.Sprintf("UPDATE scrub SET begun_at = %d", n.clock.now().UnixMicro()))
		if err := n.Tidy(t.Context()); err != nil || noted() != 1 {
			t.Errorf("it is not left to the other: %v, %d noted", err, noted())
		}
		n.clock.pass(3 * time.Hour) // the other was ended
		n.scrub(t)
		if noted() != 0 {
			t.Error("what another left is not written over")
		}

		// Of two processes the clock of one is behind.
		n.raw(t, fmt.Sprintf("UPDATE scrub SET begun_at = %d", n.clock.now().Add(time.Minute).UnixMicro()))
		erase()
		n.raw(t, "UPDATE scrub SET done_at = 1, erased_at = CASE WHEN erased_at <= begun_at THEN NULL ELSE erased_at END, begun_at = NULL")
		if noted() != 1 {
			t.Error("what was erased while a scrub was under way is forgotten at its end")
		}
	})
}

func TestScrubbingLeavesNoStatisticsOfATableThatBecameEmpty(t *testing.T) {
	t.Parallel()
	n := newNode(t, storetest.Postgres(t))
	r := storetest.Publish(t, n.Store, storetest.Initiative("Un jardin"))
	for i := range 3 {
		n.apply(t, "https://peer.example/users/alice", essaim.HoldComment{
			ID: fmt.Sprint("https://peer.example/n/", i), Actor: "https://peer.example/users/alice", InReplyTo: r.ID, Content: "<p>" + canary + "</p>", Excerpt: canary,
			Published: n.clock.now(), Policy: essaim.CommentsShown,
		})
	}
	const columns = "SELECT string_agg(concat_ws(' ', table_name, column_name, data_type, collation_name, is_nullable, column_default), E'\\n' ORDER BY table_name, column_name) FROM information_schema.columns WHERE table_schema = 'public'"
	before := one[string](t, n, columns)
	n.raw(t, "ANALYZE")
	if err := n.WithdrawRecord(t.Context(), r.ID, storetest.Author); err != nil {
		t.Fatal(err)
	}
	const known = "SELECT coalesce(string_agg(tablename || '.' || attname, ' '), '') FROM pg_stats s WHERE schemaname = 'public' AND s::text LIKE '%" + canary + "%'"
	if got := one[string](t, n, known); !strings.Contains(got, "comment.content") || one[int](t, n, "SELECT count(*) FROM comment") > 0 {
		t.Fatalf("statistics of %s hold it to begin with", got)
	}
	n.scrub(t)
	if got := one[string](t, n, known); got != "" {
		t.Errorf("statistics of %s hold it", got)
	}
	if left, where := n.inFiles(t); left != 0 {
		t.Errorf("it is left in %d tables: %s", left, where)
	}
	if after := one[string](t, n, columns); after != before {
		t.Errorf("columns are\n%s\nand were\n%s", after, before)
	}
}

func TestWhatWasErasedIsWrittenOverWithinADayAndNotMoreOften(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db) // at ten in the morning
		erase := func() {
			t.Helper()
			r := storetest.Publish(t, n.Store, storetest.Initiative("À retirer"))
			if err := n.WithdrawRecord(t.Context(), r.ID, storetest.Author); err != nil {
				t.Fatal(err)
			}
		}
		erase()
		for _, step := range []struct {
			after time.Duration
			want  bool
			why   string
		}{
			{time.Hour, false, "in the day"},
			{14 * time.Hour, true, "at night"},
			{time.Hour, true, "nothing was erased since"},
		} {
			n.clock.pass(step.after)
			if err := n.Tidy(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := one[int](t, n, "SELECT count(*) FROM scrub WHERE erased_at IS NULL") == 1; got != step.want {
				t.Errorf("written over %s: %t, want %t", step.why, got, step.want)
			}
		}
		erase()
		for _, step := range []struct {
			after time.Duration
			want  bool
			why   string
		}{{time.Hour, false, "again in the same night"}, {20 * time.Hour, true, "a day later"}} {
			n.clock.pass(step.after)
			if err := n.Tidy(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := one[int](t, n, "SELECT count(*) FROM scrub WHERE erased_at IS NULL") == 1; got != step.want {
				t.Errorf("written over %s: %t, want %t", step.why, got, step.want)
			}
		}
	})
}

// A table that is not named would keep its bytes.
func TestEveryTableOfPostgreSQLIsWrittenAnew(t *testing.T) {
	t.Parallel()
	s := storetest.Postgres(t).Open(t)
	text, _ := s.Statements().Text("scrub_tables")
	named := map[string]bool{}
	for _, f := range strings.FieldsFunc(strings.TrimPrefix(text, "VACUUM (FULL)"), func(r rune) bool { return r == ',' || r == ' ' || r == '\n' }) {
		named[f] = true
	}
	rows, err := s.DB().QueryContext(t.Context(), "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	tables := 0
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if tables++; !named[name] {
			t.Errorf("scrub_tables leaves %s out", name)
		}
	}
	if err := rows.Err(); err != nil || tables < 40 {
		t.Errorf("%d tables looked at: %v", tables, err)
	}
}
