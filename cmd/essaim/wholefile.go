// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"essaim/store"
)

// writeNew writes a file that did not exist, whole and synced, or leaves none.
func writeNew(path string, write func(io.Writer) error) (size int64, err error) {
	if _, err := os.Lstat(path); err == nil { // told before much is written
		return 0, &fs.PathError{Op: "create", Path: path, Err: syscall.EEXIST}
	}
	err = writeWhole(path, 0o600, putNew, func(w io.Writer) error {
		out := &countingWriter{w: w}
		err := write(out)
		size = out.n
		return err
	})
	return size, err
}

// createFile is writeNew of bytes.
func createFile(path string, b []byte) error {
	_, err := writeNew(path, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
	return err
}

// replaceFile writes a file whole and synced, in the place of the one that stands.
func replaceFile(path string, write func(io.Writer) error) error {
	return writeWhole(path, 0o644, os.Rename, write)
}

// writeWhole writes a file under another name, which begins with a dot, and gives it
// its own once it is whole and on the disk: whoever looks for it, whatever ends this
// process, never finds a part of it.
func writeWhole(path string, mode fs.FileMode, put func(from, to string) error, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already when it was renamed
	buffered := bufio.NewWriterSize(f, 256<<10)
	if err = write(buffered); err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := put(f.Name(), path); err != nil {
		return err
	}
	return store.SyncDir(filepath.Dir(path))
}

// putNew gives a file another name, under which there is none.
func putNew(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, err := os.Lstat(to); err == nil { // such as FAT, of a key for keeping, has no links
		return &fs.PathError{Op: "create", Path: to, Err: syscall.EEXIST}
	}
	return os.Rename(from, to)
}
