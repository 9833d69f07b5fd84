// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"essaim/web"
)

// groundFile, when it stands in the data directory, lies under the maps.
const groundFile = "map.pmtiles"

// maxOutlineFiles bounds the files of outlines that are read at the start.
const maxOutlineFiles = 100

// ground is what maps lie on: a file of the node before an address of others, and
// the outlines that were loaded.
func (c config) ground() (web.Ground, error) {
	g := web.Ground{Tiles: c.MapTiles, Credit: c.MapCredit}
	path := filepath.Join(c.Dir, groundFile)
	switch err := web.CheckArchive(path); {
	case err == nil:
		g.Tiles, g.Archive = "", path
	case !errors.Is(err, fs.ErrNotExist):
		return g, err
	}
	names, err := filepath.Glob(filepath.Join(c.Dir, outlinesDir, "[^.]*")) // not what a load that was cut short left
	if err != nil {
		return g, err
	}
	var files []io.Reader
	for _, name := range names[:min(len(names), maxOutlineFiles)] {
		raw, err := readBounded(name, maxGeoFile)
		if err != nil {
			return g, err
		}
		files = append(files, bytes.NewReader(raw))
	}
	if g.Outlines, err = web.Outlines(files...); err != nil {
		return g, fmt.Errorf("%s: %w", filepath.Join(c.Dir, outlinesDir), err)
	}
	return g, nil
}
