// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"essaim"
)

// ErasureFile is what the file is called, in the data directory, that holds what was
// erased: lines of JSON, each an essaim.Erasure. Lines are only ever added. It is not
// in the database, so that it survives what puts that back.
const ErasureFile = "erasures.jsonl"

// erasureKey tells erasures apart.
type erasureKey struct {
	sort essaim.ErasureSort
	ref  string
	at   int64
}

func keyOf(e essaim.Erasure) erasureKey { return erasureKey{e.Sort, e.Ref, e.At.UnixMicro()} }

// missingFrom lists what others do not hold, in its order, each once.
func missingFrom(list, others []essaim.Erasure) (missing []essaim.Erasure) {
	held := make(map[erasureKey]bool, len(others))
	for _, e := range others {
		held[keyOf(e)] = true
	}
	for _, e := range list {
		if k := keyOf(e); !held[k] {
			held[k] = true
			missing = append(missing, e)
		}
	}
	return missing
}

// readErasures reads the file of a data directory; there is nothing in one that is
// not there. A last line without an end was being written when the power failed: it
// stands in the database. Any other that cannot be read is essaim.ErrInvalid.
func readErasures(dir string) (list []essaim.Erasure, err error) {
	if dir == "" {
		return nil, nil
	}
	f, err := os.Open(filepath.Join(dir, ErasureFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := bufio.NewReader(f)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		e, err := decodeErasure(line)
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", f.Name(), n, err)
		}
		list = append(list, e)
	}
}

func decodeErasure(line []byte) (e essaim.Erasure, err error) {
	if err := json.Unmarshal(line, &e); err != nil {
		return e, fmt.Errorf("%w: %w", essaim.ErrInvalid, err)
	}
	if !e.Sort.Known() || e.Ref == "" || e.At.IsZero() {
		return e, fmt.Errorf("no erasure that this version knows: %w", essaim.ErrInvalid)
	}
	return e, nil
}

// appendErasures adds lines to the file of a data directory; they are durable when
// it returns.
func appendErasures(dir string, list []essaim.Erasure) (err error) {
	if len(list) == 0 {
		return nil
	}
	var lines bytes.Buffer
	for _, e := range list {
		b, err := json.Marshal(e)
		if err != nil {
			return err
		}
		lines.Write(append(b, '\n'))
	}
	f, err := os.OpenFile(filepath.Join(dir, ErasureFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	// Several processes may share the directory.
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	end, err := wholeLines(f, size)
	if err != nil {
		return err
	}
	if end < size {
		if err := f.Truncate(end); err != nil {
			return err
		}
	}
	if _, err := f.WriteAt(lines.Bytes(), end); err != nil {
		return err
	}
	if err := f.Sync(); err != nil || size > 0 {
		return err
	}
	return SyncDir(dir)
}

// wholeLines is where the last line that has an end ends.
func wholeLines(f io.ReaderAt, size int64) (int64, error) {
	var b [1]byte
	for ; size > 0; size-- {
		if _, err := f.ReadAt(b[:], size-1); err != nil {
			return 0, err
		}
		if b[0] == '\n' {
			break
		}
	}
	return size, nil
}

// SyncDir makes the names of files in a directory durable: they may be lost with the
// machine though the files are synced.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// BringErasures adds erasures to those that the file of a data directory holds, for
// the node to do again when it is opened there.
func BringErasures(dir string, list []essaim.Erasure) error {
	held, err := readErasures(dir)
	if err == nil {
		err = appendErasures(dir, missingFrom(list, held))
	}
	if err != nil {
		return fmt.Errorf("what was erased: %w", err)
	}
	return nil
}
