// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"strings"
	"time"

	"essaim"
)

// A backup is a gzipped tar: essaim.json (what it is of), the tables as lines of
// JSON in parts, keys.sealed when asked for, and manifest.json with the count
// and digest of each table, last, so that a truncated file is known as such. It
// is the same from both databases, and either restores it.
const (
	backupFormat   = 1
	backupHead     = "essaim.json"
	backupManifest = "manifest.json"
	backupKeys     = "keys.sealed"
	backupPart     = 4 << 20 // bytes of a part, uncompressed
)

// backupTables are in the order in which they are restored.
var backupTables = []string{
	"node", "counter", "name", "local_actor", "announce", "import", "record", "record_place", "record_theme", "relation", "revision", "tombstone", "withdrawal", "erasure", "commons", "head", "commons_sync",
	"activity", "event", "dispatch_cursor", "delivery", "host", "inbox", "actor", "actor_key", "follower", "peer", "peer_key", "rotation", "followed", "candidate", "wanted",
	"item", "decision", "report", // items before what they number
	"theme", "moved", "avatar", "reaction", "quote", "parent_version", "adaptation", "comment", "block", "account", "token",
}

// Manifest says what a backup holds.
type Manifest struct {
	Format int             `json:"format"`
	Schema int             `json:"schema"`
	MadeAt time.Time       `json:"madeAt"`
	Node   essaim.Node     `json:"node"`
	Keys   bool            `json:"keys"` // sealed keys are in it
	Tables []ManifestTable `json:"tables"`
}

// ManifestTable is a table in a backup. Digest is the hex SHA-256 of its lines.
type ManifestTable struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
	Rows    int64    `json:"rows"`
	Digest  string   `json:"digest,omitempty"`
}

// Backup writes the whole database as it is at one moment, while the node runs.
// sealed is the node's keys, encrypted by the caller; nil leaves them out. Sessions and
// sign-in links are not in a backup.
func (s *Store) Backup(ctx context.Context, w io.Writer, sealed []byte) (Manifest, error) {
	m := Manifest{Format: backupFormat, MadeAt: s.now(), Keys: len(sealed) > 0}
	err := s.frozen(ctx, func(tx *Tx) error {
		var err error
		if m.Node, _, err = tx.node(ctx); err != nil {
			return err
		}
		if err := tx.row(ctx, "schema_version").Scan(&m.Schema); err != nil {
			return err
		}
		for _, name := range backupTables {
			m.Tables = append(m.Tables, ManifestTable{Name: name, Columns: s.columns(name)})
		}
		return tx.writeBackup(ctx, w, &m, sealed)
	})
	if err != nil {
		return Manifest{}, fmt.Errorf("backup: %w", err)
	}
	return m, nil
}

// columns are those of the statement that restores a table.
func (s *Store) columns(table string) []string {
	text, _ := s.set.Text("restore_" + table)
	_, text, _ = strings.Cut(text, "(")
	text, _, _ = strings.Cut(text, ")")
	return strings.Fields(strings.ReplaceAll(text, ",", " "))
}

func (tx *Tx) writeBackup(ctx context.Context, w io.Writer, m *Manifest, sealed []byte) error {
	zip, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	out := &archive{tar: tar.NewWriter(zip), at: m.MadeAt}
	if err := out.addJSON(backupHead, m); err != nil {
		return err
	}
	for i := range m.Tables {
		if err := tx.writeTable(ctx, out, &m.Tables[i]); err != nil {
			return fmt.Errorf("table %s: %w", m.Tables[i].Name, err)
		}
	}
	if len(sealed) > 0 {
		if err := out.add(backupKeys, sealed); err != nil {
			return err
		}
	}
	if err := out.addJSON(backupManifest, m); err != nil {
		return err
	}
	if err := out.tar.Close(); err != nil {
		return err
	}
	return zip.Close()
}

// writeTable writes a table in parts, which bound what is held in memory.
func (tx *Tx) writeTable(ctx context.Context, out *archive, t *ManifestTable) error {
	var part bytes.Buffer
	number := 0
	flush := func() error {
		if part.Len() == 0 {
			return nil
		}
		number++
		err := out.add(fmt.Sprintf("tables/%s/%06d.jsonl", t.Name, number), part.Bytes())
		part.Reset()
		return err
	}
	err := tx.dump(ctx, t, func(line []byte) error {
		part.Write(line)
		if part.Len() < backupPart {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

// dump gives the lines of a table and fills in its count and digest.
func (tx *Tx) dump(ctx context.Context, t *ManifestTable, line func([]byte) error) error {
	sum := sha256.New()
	t.Rows = 0
	values := make([]any, len(t.Columns))
	into := make([]any, len(t.Columns))
	for i := range values {
		into[i] = &values[i]
	}
	err := tx.each(ctx, "backup_"+t.Name, func(scan func(...any) error) error {
		if err := scan(into...); err != nil {
			return err
		}
		b, err := encodeRow(values)
		if err != nil {
			return err
		}
		t.Rows++
		sum.Write(b)
		return line(b)
	})
	t.Digest = digest(sum)
	return err
}

func digest(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

// encodeRow writes a row as one line: a JSON array in which bytes stand as an
// array of one text in base64.
func encodeRow(values []any) ([]byte, error) {
	row := make([]any, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case nil, int64, float64, string:
			row[i] = v
		case []byte:
			row[i] = [1][]byte{v}
		default:
			return nil, fmt.Errorf("column %d: value of type %T", i, v)
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(row); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// decodeRow reads what encodeRow wrote.
func decodeRow(line []byte, columns int) ([]any, error) {
	var row []json.RawMessage
	if err := json.Unmarshal(line, &row); err != nil {
		return nil, err
	}
	if len(row) != columns {
		return nil, fmt.Errorf("%d values, want %d", len(row), columns)
	}
	values := make([]any, columns)
	for i, raw := range row {
		v, err := decodeValue(raw)
		if err != nil {
			return nil, fmt.Errorf("column %d: %w", i, err)
		}
		values[i] = v
	}
	return values, nil
}

func decodeValue(raw json.RawMessage) (any, error) {
	switch raw[0] {
	case 'n':
		return nil, nil
	case '"':
		var v string
		err := json.Unmarshal(raw, &v)
		return v, err
	case '[':
		var v [1][]byte
		err := json.Unmarshal(raw, &v)
		return v[0], err
	}
	var n int64
	if json.Unmarshal(raw, &n) == nil {
		return n, nil
	}
	var f float64
	err := json.Unmarshal(raw, &f)
	return f, err
}

// archive writes entries of known size.
type archive struct {
	tar *tar.Writer
	at  time.Time
}

func (a *archive) add(name string, b []byte) error {
	h := &tar.Header{Name: name, Mode: 0o600, Size: int64(len(b)), ModTime: a.at, Typeflag: tar.TypeReg, Format: tar.FormatPAX}
	if err := a.tar.WriteHeader(h); err != nil {
		return err
	}
	_, err := a.tar.Write(b)
	return err
}

func (a *archive) addJSON(name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return a.add(name, append(b, '\n'))
}
