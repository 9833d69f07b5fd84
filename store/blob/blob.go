// SPDX-License-Identifier: AGPL-3.0-or-later

// Package blob keeps files beside the database, named by what they contain, and
// makes the pictures that go in them: what others sent is decoded within limits
// and written anew, never served as it came.
package blob

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"essaim"
)

// name is the digest of a file's content and what it is.
var name = regexp.MustCompile(`^[0-9a-f]{64}\.(jpg|png)$`)

// MediaType is that of a file by its name; empty for a name that is none.
func MediaType(file string) string {
	if !name.MatchString(file) {
		return ""
	}
	if filepath.Ext(file) == ".png" {
		return "image/png"
	}
	return "image/jpeg"
}

// Config is what a Dir needs.
type Config struct {
	Root string           // made when it is missing
	Now  func() time.Time // time.Now when nil
}

// Dir is a local directory of files.
type Dir struct{ Config }

// New makes the directory.
func New(c Config) (*Dir, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if err := os.MkdirAll(c.Root, 0o700); err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	return &Dir{c}, nil
}

func (d *Dir) path(file string) string { return filepath.Join(d.Root, file[:2], file) }

// Put keeps a picture and gives its name. It is durable when Put returns.
func (d *Dir) Put(p Picture) (string, error) {
	sum := sha256.Sum256(p.Bytes)
	file := hex.EncodeToString(sum[:]) + "." + p.ext
	at := d.path(file)
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		return "", fmt.Errorf("file %s: %w", file, err)
	}
	temp, err := os.CreateTemp(filepath.Dir(at), "new-")
	if err != nil {
		return "", fmt.Errorf("file %s: %w", file, err)
	}
	_, err = temp.Write(p.Bytes)
	err = errors.Join(err, temp.Sync(), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), at)
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("file %s: %w", file, err), os.Remove(temp.Name()))
	}
	// A file that stood already counts as new, so that no sweep takes it before
	// the database names it.
	now := d.Now()
	return file, os.Chtimes(at, now, now)
}

// Read gives a file's content; essaim.ErrNotFound when there is none of that name.
func (d *Dir) Read(file string) ([]byte, error) {
	if MediaType(file) == "" {
		return nil, fmt.Errorf("file %q: %w", file, essaim.ErrNotFound)
	}
	b, err := os.ReadFile(d.path(file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("file %s: %w", file, essaim.ErrNotFound)
	}
	return b, err
}

// Sweep removes what was written before a time and nobody names any more.
func (d *Dir) Sweep(before time.Time, named func(file string) (bool, error)) error {
	return filepath.WalkDir(d.Root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil || info.ModTime().After(before) {
			return ignoreMissing(err)
		}
		if MediaType(e.Name()) != "" {
			if used, err := named(e.Name()); err != nil || used {
				return err
			}
		}
		return ignoreMissing(os.Remove(path))
	})
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
