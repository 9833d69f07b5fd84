// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"essaim"
	"essaim/web/transfer"
)

type geoCommand struct {
	Load geoLoad `cmd:"" help:"Give the node a complete gazetteer, or finer outlines."`
}

type geoLoad struct {
	Path string `arg:"" name:"file" placeholder:"FILE" help:"A gazetteer (tab-separated, gzip or not) or outlines (GeoJSON)."`
}

func (geoLoad) Help() string {
	return "A gazetteer is tab-separated text with the columns insee and name, and dept, epci, lat, lon, population, postcodes where they are known; " +
		"it replaces the built-in one from the next start. Outlines are GeoJSON polygons or lines, drawn on the maps from the next start.\n\n" +
		"Example:\n\n    essaim geo load --data /var/lib/essaim gazetteer-communes-2026.tsv.gz"
}

// maxGeoFile bounds what is loaded, in bytes.
const maxGeoFile = 64 << 20

func (c geoLoad) Run(_ context.Context, a *app) error {
	dir, err := a.dataDir()
	if err != nil {
		return err
	}
	if !hasKeys(dir) {
		return fmt.Errorf("%s holds no node (essaim init makes one)", dir)
	}
	raw, err := readBounded(c.Path, maxGeoFile)
	if err != nil {
		return err
	}
	if head := bytes.TrimLeft(raw[:min(len(raw), 64)], "\ufeff \t\r\n"); bytes.HasPrefix(head, []byte("{")) {
		return c.outlines(a, dir, raw)
	}
	g, err := essaim.LoadGazetteer(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	err = replaceFile(filepath.Join(dir, gazetteerFile), func(w io.Writer) error { return writePacked(w, raw) })
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%d communes; a running node takes them up at its next start\n", g.Len())
	return nil
}

func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(raw)) > limit {
		err = fmt.Errorf("%s: more than %d bytes: %w", path, limit, essaim.ErrInvalid)
	}
	return raw, err
}

// writePacked writes bytes through gzip, unless they come packed.
func writePacked(w io.Writer, raw []byte) error {
	if bytes.HasPrefix(raw, []byte("\x1f\x8b")) {
		_, err := w.Write(raw)
		return err
	}
	z := gzip.NewWriter(w)
	if _, err := z.Write(raw); err != nil {
		return err
	}
	return z.Close()
}

// outlinesDir holds the GeoJSON files of outlines, under their own names.
const outlinesDir = "outlines"

// outlines checks that every feature has a geometry that can be read, and keeps
// the file.
func (c geoLoad) outlines(a *app, dir string, raw []byte) error {
	f, err := transfer.Open(bytes.NewReader(raw), transfer.FormatGeoJSON)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Path, err)
	}
	n := 0
	for r, err := range f.Rows() {
		if err == nil {
			err = r.Err
		}
		if err == nil && r.Lat == nil {
			err = fmt.Errorf("no geometry: %w", essaim.ErrInvalid)
		}
		if err != nil {
			return fmt.Errorf("%s: feature %d: %w", c.Path, n+1, err)
		}
		n++
	}
	if err := os.MkdirAll(filepath.Join(dir, outlinesDir), 0o700); err != nil {
		return err
	}
	err = replaceFile(filepath.Join(dir, outlinesDir, filepath.Base(c.Path)), func(w io.Writer) error {
		_, err := w.Write(raw)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%d outlines; a running node draws them from its next start\n", n)
	return nil
}

// gazetteerFile, when it stands in the data directory, replaces the built-in
// list of communes (essaim geo load).
const gazetteerFile = "gazetteer.tsv.gz"

// gazetteer is the list of communes that a node knows.
func gazetteer(dir string) (*essaim.Gazetteer, error) {
	f, err := os.Open(filepath.Join(dir, gazetteerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return essaim.EmbeddedGazetteer(), nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return essaim.LoadGazetteer(f)
}
