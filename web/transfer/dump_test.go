// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"essaim"
)

// dumping is a directory of dumps at a time that a test moves.
type dumping struct {
	*Dumps
	now    time.Time
	erased map[DumpScope]time.Time
	read   int   // how often the records were
	fails  error // of reading them
}

func newDumping(t *testing.T) *dumping {
	d := &dumping{now: time.Date(2026, 3, 3, 2, 0, 0, 0, time.UTC), erased: map[DumpScope]time.Time{}}
	d.Dumps = &Dumps{
		Root: filepath.Join(t.TempDir(), "dumps"), Name: "brest", Now: func() time.Time { return d.now },
		Erased: func(_ context.Context, scope DumpScope) (time.Time, error) { return d.erased[scope], nil },
		Items: func(context.Context, DumpScope, string) iter.Seq2[Item, error] {
			d.read++
			return func(yield func(Item, error) bool) {
				for item, err := range items(sampleRecords()) {
					if !yield(item, err) {
						return
					}
				}
				if d.fails != nil {
					yield(Item{}, d.fails)
				}
			}
		},
	}
	return d
}

// pass moves the time and renews.
func (d *dumping) pass(t *testing.T, by time.Duration) []Dump {
	t.Helper()
	d.now = d.now.Add(by)
	if err := d.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d.list(t)
}

func (d *dumping) list(t *testing.T) []Dump {
	t.Helper()
	list, err := d.Dumps.Dumps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// files counts the files of the directory, but the manifest and the lock.
func (d *dumping) files(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir(d.Root)
	if err != nil {
		t.Fatal(err)
	}
	return len(entries) - 2
}

func TestADayHasOneDumpOfEachScopeAndFormat(t *testing.T) {
	t.Parallel()
	d := newDumping(t)
	list := d.pass(t, 0)
	if len(list) != 6 || d.read != 6 {
		t.Fatalf("%d dumps of %d readings", len(list), d.read)
	}
	for _, f := range list {
		file, same, err := d.OpenDump(t.Context(), f.File)
		if err != nil || same.SHA256 != f.SHA256 {
			t.Fatalf("%s: %v", f.File, err)
		}
		raw, err := io.ReadAll(file)
		file.Close()
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(raw)
		if hex.EncodeToString(sum[:]) != f.SHA256 || int64(len(raw)) != f.Bytes {
			t.Errorf("%s: %d bytes of digest %x, said to be %d of %s", f.File, len(raw), sum, f.Bytes, f.SHA256)
		}
		z, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(z)
		var want bytes.Buffer
		n, err2 := Export(&want, f.Format, items(sampleRecords()))
		if err = errors.Join(err, err2); err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s holds %d bytes, an export %d: %v", f.File, len(got), want.Len(), err)
		}
		if f.Records != n || f.Licences["cc0-1.0"] != 1 || f.Licences["cc-by-sa-4.0"] != 3 {
			t.Errorf("%s: %d records of %d, under %v", f.File, f.Records, n, f.Licences)
		}
	}
	if f := list[0]; f.File != "brest-reseau-2026-03-03.csv.gz" || f.Latest() != "brest-reseau.csv.gz" {
		t.Errorf("%s, or %s", f.File, f.Latest())
	}
	if d.pass(t, time.Hour); d.read != 6 {
		t.Errorf("made anew within the day: %d readings", d.read)
	}
	if _, _, err := d.OpenDump(t.Context(), "../"+manifestFile); !errors.Is(err, essaim.ErrNotFound) {
		t.Errorf("a name of no dump: %v", err)
	}
}

func TestWhatWasErasedIsInNoDump(t *testing.T) {
	t.Parallel()
	d := newDumping(t)
	d.pass(t, 0)
	d.now = d.now.Add(2 * time.Hour)
	d.erased[DumpOwn] = d.now
	list := d.list(t)
	if len(list) != 3 || list[0].Scope != DumpNetwork {
		t.Errorf("shown at once after an erasure: %+v", list)
	}
	if _, _, err := d.OpenDump(t.Context(), "brest-2026-03-03.csv.gz"); !errors.Is(err, essaim.ErrNotFound) {
		t.Errorf("opened after an erasure: %v", err)
	}
	// The files go at once, others come when nothing of it can be read any more.
	if list = d.pass(t, time.Second); len(list) != 3 || d.files(t) > 3 {
		t.Errorf("%d shown, %d files", len(list), d.files(t))
	}
	if list = d.pass(t, dumpSettle); len(list) != 6 || d.read != 9 {
		t.Errorf("%d shown of %d readings", len(list), d.read)
	}
	// Much that is erased makes no more than one in ten minutes.
	d.erased[DumpOwn] = d.now
	if d.pass(t, 2*dumpSettle); d.read != 9 {
		t.Errorf("%d readings", d.read)
	}
	if list = d.pass(t, dumpGap); len(list) != 6 || d.read != 12 {
		t.Errorf("%d shown of %d readings", len(list), d.read)
	}
}

func TestDumpsAreMadeWhenSomebodyAsks(t *testing.T) {
	t.Parallel()
	d := newDumping(t)
	before := d.pass(t, 0)
	d.now = d.now.Add(time.Hour)
	made, wait, err := d.Make(t.Context())
	if err != nil || wait != 0 || len(made) != 6 || d.read != 12 {
		t.Fatalf("%d made of %d readings, to wait %v: %v", len(made), d.read, wait, err)
	}
	if list := d.list(t); len(list) != 6 || list[0].File != before[0].File || !list[0].At.After(before[0].At) || d.files(t) != 3 {
		t.Errorf("%d of a day stand, made at %v and %v", len(list), before[0].At, list[0].At)
	}
	// Who began to read before an erasure may still see what it erased.
	d.erased[DumpNetwork] = d.now
	d.now = d.now.Add(20 * time.Second)
	if made, wait, err := d.Make(t.Context()); err != nil || len(made) != 0 || wait != 40*time.Second || d.read != 12 {
		t.Errorf("just after an erasure: %d made, to wait %v, %v", len(made), wait, err)
	}
	d.now = d.now.Add(40 * time.Second)
	if made, wait, err := d.Make(t.Context()); err != nil || len(made) != 6 || wait != 0 {
		t.Errorf("a minute after: %d made, to wait %v, %v", len(made), wait, err)
	}
	// No two at a time.
	items := d.Items
	d.Items = func(ctx context.Context, scope DumpScope, format string) iter.Seq2[Item, error] {
		if _, _, err := d.Make(ctx); !errors.Is(err, essaim.ErrConflict) {
			t.Errorf("while others are made: %v", err)
		}
		return items(ctx, scope, format)
	}
	if _, _, err := d.Make(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestDumpsAreKeptAWeekAndTheFirstOfEachMonthAYear(t *testing.T) {
	t.Parallel()
	d := newDumping(t)
	var list []Dump
	for range 500 {
		list = d.pass(t, 24*time.Hour)
	}
	days := map[DumpScope][]string{}
	for _, f := range list {
		if f.Format == "csv" {
			days[f.Scope] = append(days[f.Scope], f.Date())
		}
	}
	own := days[DumpOwn]
	if len(own) != 8+12 || own[0] != "2027-07-16" || own[7] != "2027-07-09" || own[8] != "2027-07-01" || own[9] != "2027-06-01" || own[19] != "2026-08-01" {
		t.Errorf("%d days: %v", len(own), own)
	}
	// A record of another territory that was edited is here in its last version only.
	if !slices.Equal(days[DumpNetwork], own[:1]) {
		t.Errorf("of the network %v", days[DumpNetwork])
	}
	// The sample never changes: all days have the same three files.
	if n := d.files(t); n != 3 {
		t.Errorf("%d files", n)
	}
}

func TestOneProcessMakesDumpsAtATime(t *testing.T) {
	t.Parallel()
	d := newDumping(t)
	other, inside := *d.Dumps, 0
	other.Items = func(context.Context, DumpScope, string) iter.Seq2[Item, error] {
		inside++
		return items(nil)
	}
	read := d.Items
	d.Items = func(ctx context.Context, scope DumpScope, format string) iter.Seq2[Item, error] {
		if err := other.Renew(ctx); err != nil {
			t.Error(err)
		}
		return read(ctx, scope, format)
	}
	if list := d.pass(t, 0); len(list) != 6 || inside != 0 {
		t.Errorf("%d dumps, %d made by another meanwhile", len(list), inside)
	}
}

func TestADumpThatFailsLeavesWhatStands(t *testing.T) {
	t.Parallel()
	d := newDumping(t)
	before := d.pass(t, 0)
	// As a process leaves that ended half-way.
	if err := os.WriteFile(filepath.Join(d.Root, "new-123"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.fails = essaim.ErrUnavailable
	d.now = d.now.Add(24 * time.Hour)
	if err := d.Renew(t.Context()); !errors.Is(err, essaim.ErrUnavailable) {
		t.Errorf("a reading that fails: %v", err)
	}
	if list := d.list(t); len(list) != len(before) || list[0].SHA256 != before[0].SHA256 || d.files(t) != 3 {
		t.Errorf("%d dumps, %d files", len(list), d.files(t))
	}
	// Tried again, but not at once.
	d.fails = nil
	if d.pass(t, time.Minute); len(d.list(t)) != 6 {
		t.Errorf("%d dumps a minute later", len(d.list(t)))
	}
	if list := d.pass(t, dumpGap); len(list) != 9 || list[0].Date() != "2026-03-04" {
		t.Errorf("%d dumps later, %+v", len(list), list[0])
	}
}

func TestAManifestThatADiskLostIsMadeAnew(t *testing.T) {
	t.Parallel()
	d := newDumping(t)
	d.pass(t, 0)
	for _, lost := range []string{"", "{", "null"} {
		if err := os.WriteFile(filepath.Join(d.Root, manifestFile), []byte(lost), 0o600); err != nil {
			t.Fatal(err)
		}
		if list := d.list(t); len(list) != 0 {
			t.Errorf("%q: %d dumps stand", lost, len(list))
		}
		if list := d.pass(t, time.Minute); len(list) != 6 || d.files(t) != 3 {
			t.Errorf("%q: %d dumps, %d files", lost, len(list), d.files(t))
		}
	}
}
