// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"essaim"
)

// DumpScope says whose records a dump holds.
type DumpScope string

// The scopes of dumps: what this node publishes; all that it keeps, with what
// other territories publish.
const (
	DumpOwn     DumpScope = "own"
	DumpNetwork DumpScope = "network"
)

func dumpScopes() []DumpScope { return []DumpScope{DumpOwn, DumpNetwork} }

// DumpFormats are those in which each dump is made, in the order in which they are
// offered. Each is compressed by gzip.
func DumpFormats() []string { return []string{"csv", "geojson", "jsonld"} }

// How long dumps of this node's own records are kept, and how often they are made.
// Those with the records of others last until the next: what others edited, to take
// out a name perhaps, is known here only as a newer version.
const (
	dumpDays   = 7
	dumpMonths = 12
	dumpGap    = 10 * time.Minute // between two of a day, when something was erased
	// dumpSettle is within how long what is being erased is erased for every reader.
	dumpSettle = time.Minute
)

// Dump is a file of the commons as they were at a time.
type Dump struct {
	File     string         `json:"file"` // its name
	Scope    DumpScope      `json:"scope"`
	Format   string         `json:"format"`
	At       time.Time      `json:"at"`
	Records  int            `json:"records"`
	Licences map[string]int `json:"licences"` // records under each
	Bytes    int64          `json:"bytes"`
	SHA256   string         `json:"sha256"` // hex
}

// Date is the day of the dump, in UTC.
func (d Dump) Date() string { return d.At.UTC().Format(time.DateOnly) }

// Latest is the name under which the newest dump of this scope and format is found.
func (d Dump) Latest() string { return strings.Replace(d.File, "-"+d.Date(), "", 1) }

// Dumps keeps dated dumps in a directory, which several processes may share. A
// file is named there by its content; a manifest says what each is.
type Dumps struct {
	Root string // made when it is missing
	Name string // begins the names of files: "brest"
	// Items reads the records of a scope.
	Items func(ctx context.Context, scope DumpScope, format string) iter.Seq2[Item, error]
	// Erased is when something was last erased that a dump of a scope may hold. No
	// older dump is shown from then on, and it is removed soon.
	Erased func(ctx context.Context, scope DumpScope) (time.Time, error)
	Now    func() time.Time
}

// manifest is what stands in the directory, and when the latest of each scope was
// begun, whether it still stands or not.
type manifest struct {
	Dumps []Dump                  `json:"dumps"`
	Begun map[DumpScope]time.Time `json:"begun"`
}

const manifestFile, lockFile = "manifest.json", "lock"

func (d *Dumps) read() (manifest, error) {
	m := manifest{Begun: map[DumpScope]time.Time{}}
	b, err := os.ReadFile(filepath.Join(d.Root, manifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err == nil && (json.Unmarshal(b, &m) != nil || m.Begun == nil) {
		// A disk that lost its last write: nothing stands, and all is made anew.
		m = manifest{Begun: map[DumpScope]time.Time{}}
	}
	return m, err
}

// Dumps lists those that stand, the newest first. Nothing that was erased is in one.
func (d *Dumps) Dumps(ctx context.Context) ([]Dump, error) {
	m, err := d.read()
	if err == nil {
		m.Dumps, err = d.standing(ctx, m.Dumps)
	}
	if err != nil {
		return nil, fmt.Errorf("dumps: %w", err)
	}
	return m.Dumps, nil
}

// standing leaves out what was made before the last erasure.
func (d *Dumps) standing(ctx context.Context, list []Dump) ([]Dump, error) {
	for _, scope := range dumpScopes() {
		erased, err := d.Erased(ctx, scope)
		if err != nil {
			return nil, err
		}
		list = slices.DeleteFunc(list, func(f Dump) bool {
			return f.Scope == scope && !erased.IsZero() && f.At.Before(erased.Add(dumpSettle))
		})
	}
	return list, nil
}

// OpenDump opens one that stands; essaim.ErrNotFound for any other name.
func (d *Dumps) OpenDump(ctx context.Context, file string) (*os.File, Dump, error) {
	list, err := d.Dumps(ctx)
	if err != nil {
		return nil, Dump{}, err
	}
	at := slices.IndexFunc(list, func(f Dump) bool { return f.File == file })
	if at < 0 {
		return nil, Dump{}, fmt.Errorf("dump %q: %w", file, essaim.ErrNotFound)
	}
	f, err := os.Open(d.path(list[at]))
	if errors.Is(err, fs.ErrNotExist) { // removed meanwhile
		err = fmt.Errorf("dump %q: %w", file, essaim.ErrNotFound)
	}
	return f, list[at], err
}

func (d *Dumps) path(f Dump) string { return filepath.Join(d.Root, f.SHA256+".gz") }

// Renew makes the dumps that are due, a day's or those that an erasure took away,
// and removes what stands no more. It is to be called now and then, by any process:
// one at a time works in a directory, and the others leave it to it.
func (d *Dumps) Renew(ctx context.Context) error {
	_, err := d.alone(func() error {
		for _, scope := range dumpScopes() {
			if err := d.renew(ctx, scope); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// Make makes all dumps anew, in the place of those of today. What was erased just now
// may still be read by who began before: then it makes none, and says when it will. An
// error that is essaim.ErrConflict says that another process is making them.
func (d *Dumps) Make(ctx context.Context) (made []Dump, wait time.Duration, err error) {
	alone, err := d.alone(func() error {
		for _, scope := range dumpScopes() {
			erased, err := d.Erased(ctx, scope)
			if err != nil {
				return err
			}
			if !erased.IsZero() {
				wait = max(wait, dumpSettle-d.Now().Sub(erased))
			}
		}
		if wait > 0 {
			return nil
		}
		for _, scope := range dumpScopes() {
			m, err := d.tidy(ctx)
			if err != nil {
				return err
			}
			if err := d.make(ctx, scope, m); err != nil {
				return err
			}
		}
		made, err = d.Dumps(ctx)
		return err
	})
	if err == nil && !alone {
		err = fmt.Errorf("another process is making them: %w", essaim.ErrConflict)
	}
	return made, wait, err
}

// Clear removes the files of what was erased, unless another process works here,
// which does it then.
func (d *Dumps) Clear(ctx context.Context) error {
	_, err := d.alone(func() error {
		_, err := d.tidy(ctx)
		return err
	})
	return err
}

// alone does something, unless another process or another goroutine does.
func (d *Dumps) alone(f func() error) (did bool, err error) {
	if err := os.MkdirAll(d.Root, 0o700); err != nil {
		return false, fmt.Errorf("dumps: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(d.Root, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return false, fmt.Errorf("dumps: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	switch err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("dumps: %w", err)
	}
	if err := f(); err != nil {
		return true, fmt.Errorf("dumps: %w", err)
	}
	return true, nil
}

// renew removes what stands no more before it makes what is due, and after.
func (d *Dumps) renew(ctx context.Context, scope DumpScope) error {
	m, err := d.tidy(ctx)
	if err != nil {
		return err
	}
	now := d.Now().UTC().Truncate(time.Microsecond)
	erased, err := d.Erased(ctx, scope)
	if err != nil {
		return err
	}
	today := slices.ContainsFunc(m.Dumps, func(f Dump) bool { return f.Scope == scope && f.Date() == now.Format(time.DateOnly) })
	if today || now.Sub(m.Begun[scope]) < dumpGap || now.Sub(erased) < dumpSettle {
		return nil
	}
	return d.make(ctx, scope, m)
}

// make makes the dumps of a scope, in the place of those of the same day.
func (d *Dumps) make(ctx context.Context, scope DumpScope, m manifest) error {
	now := d.Now().UTC().Truncate(time.Microsecond)
	m.Begun[scope] = now
	if err := d.write(m); err != nil {
		return err
	}
	var made []Dump
	for _, format := range DumpFormats() {
		f, err := d.dump(ctx, scope, format, now)
		if err != nil {
			return fmt.Errorf("%s, %s: %w", scope, format, err)
		}
		made = append(made, f)
	}
	m.Dumps = slices.Concat(made, slices.DeleteFunc(m.Dumps, func(f Dump) bool { return f.Scope == scope && f.Date() == made[0].Date() }))
	if err := d.write(m); err != nil {
		return err
	}
	_, err := d.tidy(ctx)
	return err
}

// dump writes a file whole, under the name that its content gives it.
func (d *Dumps) dump(ctx context.Context, scope DumpScope, format string, at time.Time) (_ Dump, err error) {
	out := Dump{Scope: scope, Format: format, At: at, Licences: map[string]int{}}
	out.File = d.Name + "-" + out.Date() + "." + format + ".gz"
	if scope == DumpNetwork {
		out.File = d.Name + "-reseau-" + out.Date() + "." + format + ".gz"
	}
	temp, err := os.CreateTemp(d.Root, "new-*")
	if err != nil {
		return out, err
	}
	defer os.Remove(temp.Name()) // gone already when all went well
	sum := sha256.New()
	z := gzip.NewWriter(io.MultiWriter(temp, sum))
	out.Records, err = Export(z, format, countLicences(d.Items(ctx, scope, format), out.Licences))
	err = errors.Join(err, z.Close())
	if err == nil {
		out.Bytes, err = temp.Seek(0, io.SeekCurrent)
	}
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return out, err
	}
	out.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return out, os.Rename(temp.Name(), d.path(out))
}

func countLicences(items iter.Seq2[Item, error], count map[string]int) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for item, err := range items {
			if err == nil && Exportable(item.Record) {
				count[item.Record.Licence]++
			}
			if !yield(item, err) {
				return
			}
		}
	}
}

// write puts a manifest in the place of the one that stands.
func (d *Dumps) write(m manifest) error {
	b, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	temp, err := os.OpenFile(filepath.Join(d.Root, "new-manifest"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = temp.Write(b)
	if err == nil {
		err = temp.Sync() // no name is given to what a power cut may empty
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), filepath.Join(d.Root, manifestFile))
}

// tidy takes what was erased or is over out of the manifest, then removes the files
// that it does not name, those of a process that ended half-way among them.
func (d *Dumps) tidy(ctx context.Context) (manifest, error) {
	m, err := d.read()
	if err != nil {
		return m, err
	}
	before := len(m.Dumps)
	if m.Dumps, err = d.standing(ctx, m.Dumps); err != nil {
		return m, err
	}
	if m.Dumps = kept(m.Dumps, d.Now()); len(m.Dumps) != before {
		if err := d.write(m); err != nil {
			return m, err
		}
	}
	entries, err := os.ReadDir(d.Root)
	if err != nil {
		return m, err
	}
	for _, e := range entries {
		named := e.Name() == manifestFile || e.Name() == lockFile ||
			slices.ContainsFunc(m.Dumps, func(f Dump) bool { return filepath.Base(d.path(f)) == e.Name() })
		if !named {
			err = errors.Join(err, os.Remove(filepath.Join(d.Root, e.Name())))
		}
	}
	return m, err
}

// kept leaves out dumps whose time is over: of the network all but the newest, of
// this node's own records those that are older than a week, but the first of each
// month for a year. The list begins with the newest, and is of one time a day.
func kept(list []Dump, now time.Time) []Dump {
	var network time.Time
	first := map[string]string{} // day of the first of each month
	for _, f := range list {
		if f.Scope == DumpNetwork && f.At.After(network) {
			network = f.At
		}
		if f.Scope == DumpOwn {
			first[f.Date()[:len("2006-01")]] = f.Date()
		}
	}
	week, year := now.AddDate(0, 0, -dumpDays), now.AddDate(0, -dumpMonths, 0)
	return slices.DeleteFunc(list, func(f Dump) bool {
		if f.Scope == DumpNetwork {
			return !f.At.Equal(network)
		}
		return f.At.Before(week) && (f.At.Before(year) || first[f.Date()[:len("2006-01")]] != f.Date())
	})
}
