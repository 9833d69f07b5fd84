// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// A kill while it is written leaves what stands at that moment.
func TestAFileIsNeverFoundHalfWritten(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(path string, write func(io.Writer) error) error{
		"new": func(path string, write func(io.Writer) error) error {
			_, err := writeNew(path, write)
			return err
		},
		"replaced": replaceFile,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "today.backup")
			half := make([]byte, 1<<20)
			missing := errors.New("no room")
			for _, fails := range []error{missing, nil} {
				err := write(path, func(w io.Writer) error {
					_, err := w.Write(half)
					if _, found := os.Lstat(path); !errors.Is(found, fs.ErrNotExist) {
						t.Errorf("half of it is found: %v", found)
					}
					return errors.Join(err, fails)
				})
				if !errors.Is(err, fails) {
					t.Errorf("got %v, want %v", err, fails)
				}
				left, err := os.ReadDir(filepath.Dir(path))
				if want := map[error]int{missing: 0, nil: 1}[fails]; err != nil || len(left) != want {
					t.Errorf("%d files are left (%v), want %d", len(left), err, want)
				}
			}
		})
	}
}

func TestANewFileTakesNobodysPlace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "brest.keys")
	if err := createFile(path, []byte("one")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	// Made meanwhile, or there before.
	other := filepath.Join(filepath.Dir(path), "other")
	if err := os.WriteFile(other, []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{putNew(other, path), createFile(path, []byte("three"))} {
		if !errors.Is(err, fs.ErrExist) {
			t.Errorf("got %v", err)
		}
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "one" {
		t.Errorf("%q stands, %v", b, err)
	}
}

// A load of outlines that was killed leaves a part of a file beside them: the node
// starts all the same.
func TestOutlinesAreReadBesideWhatALoadLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, outlinesDir), 0o700); err != nil {
		t.Fatal(err)
	}
	line := `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"LineString","coordinates":[[-4.5,48.4],[-4.4,48.4]]}}]}`
	for name, text := range map[string]string{"coast.geojson": line, ".coast.geojson-123": line[:40]} {
		if err := os.WriteFile(filepath.Join(dir, outlinesDir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if g, err := (config{Dir: dir}).ground(); err != nil || len(g.Outlines) == 0 {
		t.Errorf("outlines %v, %v", g.Outlines, err)
	}
}
