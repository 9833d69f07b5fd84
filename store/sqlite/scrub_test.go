// SPDX-License-Identifier: AGPL-3.0-or-later

package sqlite

import (
	"bytes"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Rows that grow move from page to page; erasing them where they lie leaves the
// copies behind.
func TestBlankClearsWhatRowsThatMovedLeftBehind(t *testing.T) {
	t.Parallel()
	const word, page = "kanari7f3a", 4096
	path := filepath.Join(t.TempDir(), File)
	db, err := sql.Open("sqlite", dsn(path, false))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	run := func(statement string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	run("PRAGMA synchronous(0)")
	run("CREATE TABLE r (id INTEGER PRIMARY KEY, k TEXT UNIQUE, c TEXT, b BLOB)")
	run("CREATE INDEX rc ON r (c)")
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 4000 {
		secret := ""
		if i%10 == 0 {
			secret = word
		}
		run("INSERT INTO r VALUES ($1, $2, $3, $4)", i*7919%4000, fmt.Sprint("k", rng.IntN(1<<30), secret), secret+strings.Repeat("x", rng.IntN(60)), []byte(secret+strings.Repeat("y", rng.IntN(900))))
	}
	for range 2000 {
		run("UPDATE r SET b = b || $2 WHERE id = $1", rng.IntN(4000), []byte(strings.Repeat("z", rng.IntN(500))))
	}
	run("DELETE FROM r WHERE c LIKE '" + word + "%'")
	run("PRAGMA wal_checkpoint(TRUNCATE)")
	// b stands in no index, of which an integrity check would tell.
	rows := func() (all string) {
		t.Helper()
		if err := db.QueryRowContext(t.Context(), "SELECT group_concat(id || k || c || hex(b)) FROM (SELECT * FROM r ORDER BY id)").Scan(&all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	before := rows()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Count(file, []byte(word)) == 0 {
		t.Fatal("nothing was left behind: the test tells nothing")
	}
	for n := 0; n*page < len(file); n++ {
		Blank(file[n*page:(n+1)*page], int64(n+1))
	}
	if left := bytes.Count(file, []byte(word)); left != 0 {
		t.Errorf("%d are left", left)
	}
	// What stands, stands.
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if db, err = sql.Open("sqlite", dsn(path, true)); err != nil {
		t.Fatal(err)
	}
	var whole string
	if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check(1)").Scan(&whole); err != nil || whole != "ok" {
		t.Errorf("the file is %s, %v", whole, err)
	}
	if after := rows(); after != before || len(before) < 1<<20 {
		t.Errorf("rows of %d bytes are others, of %d", len(before), len(after))
	}
}
