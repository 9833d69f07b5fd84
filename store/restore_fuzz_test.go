// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"essaim/store"
	"essaim/store/storetest"
)

// forged is a backup with other rows of a table, whose manifest agrees: what
// somebody who may write the file can make.
func forged(t testing.TB, list []entry, m store.Manifest, table int, rows []byte) []byte {
	t.Helper()
	m.Tables = slices.Clone(m.Tables)
	told := &m.Tables[table%len(m.Tables)]
	if len(rows) > 0 && rows[len(rows)-1] != '\n' {
		rows = append(slices.Clone(rows), '\n')
	}
	sum := sha256.Sum256(rows)
	told.Rows, told.Digest = int64(bytes.Count(rows, []byte("\n"))), hex.EncodeToString(sum[:])
	manifest, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var out []entry
	done := false
	for i, p := range list {
		of, isTable := strings.CutPrefix(p.name, "tables/")
		of, _, _ = strings.Cut(of, "/")
		switch {
		case isTable && of == told.Name:
			if !done {
				out = append(out, entry{p.name, rows})
			}
			done = true
			continue
		case i == len(list)-1:
			if !done { // it had none
				out = append(out, entry{"tables/" + told.Name + "/000001.jsonl", rows})
			}
			p.body = manifest
		}
		out = append(out, p)
	}
	return packed(t, out...)
}

// A file that is refused leaves the database as it was, so that a good one can
// still be restored; one that is accepted is in the database as it stands.
func FuzzRestore(f *testing.F) {
	source, _ := storetest.SQLite(f).Node(f)
	storetest.Publish(f, source, storetest.Initiative("Jardin"))
	var good bytes.Buffer
	m, err := source.Backup(f.Context(), &good, nil)
	if err != nil {
		f.Fatal(err)
	}
	list := unpacked(f, good.Bytes())
	for i, table := range m.Tables {
		for _, p := range list {
			if strings.HasPrefix(p.name, "tables/"+table.Name+"/") {
				f.Add(uint8(i), p.body, []byte(nil))
				f.Add(uint8(i), bytes.Replace(p.body, []byte(`"`), []byte(`1`), 2), []byte(nil))
				f.Add(uint8(i), append(slices.Clone(p.body), p.body...), []byte(nil))
			}
		}
	}
	f.Add(uint8(0), []byte("[]\n"), []byte(nil))
	f.Add(uint8(1), []byte("[null]\n[true]\n[{}]\n[[\"AA==\"]]\n[1.5]"), []byte(nil))
	f.Add(uint8(0), []byte(nil), good.Bytes())
	f.Add(uint8(0), []byte(nil), good.Bytes()[:good.Len()/2])
	f.Add(uint8(0), []byte(nil), packed(f, list[1:]...))
	f.Add(uint8(0), []byte(nil), packed(f, append(slices.Clone(list), list...)...))
	f.Fuzz(func(t *testing.T, table uint8, rows, whole []byte) {
		if len(whole) == 0 {
			whole = forged(t, list, m, int(table), rows)
		}
		s := storetest.SQLite(t).Open(t)
		got, err := s.Restore(context.WithoutCancel(t.Context()), bytes.NewReader(whole))
		if err != nil {
			if _, err := s.Restore(t.Context(), bytes.NewReader(good.Bytes())); err != nil {
				t.Fatalf("after a file that was refused (%v) a good one is: %v", got, err)
			}
			return
		}
		if got.Node.BaseURL == "" {
			t.Fatal("a node without address was restored")
		}
		var again bytes.Buffer
		made, err := s.Backup(t.Context(), &again, nil)
		if err != nil {
			t.Fatalf("what was restored cannot be backed up: %v", err)
		}
		for i, want := range got.Manifest.Tables {
			switch want.Name {
			case "node", "counter", "announce", "local_actor": // what a restore changes
				continue
			}
			if made.Tables[i].Digest != want.Digest || made.Tables[i].Rows != want.Rows {
				t.Fatalf("table %s: %d rows, the file has %d", want.Name, made.Tables[i].Rows, want.Rows)
			}
		}
	})
}
