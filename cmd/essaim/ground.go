// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"io/fs"
	"path/filepath"

	"essaim/web"
)

// groundFile, when it stands in the data directory, lies under the maps.
const groundFile = "map.pmtiles"

// ground is what maps lie on: a file of the node before an address of others.
func (c config) ground() (web.Ground, error) {
	path := filepath.Join(c.Dir, groundFile)
	err := web.CheckArchive(path)
	switch {
	case err == nil:
		return web.Ground{Archive: path, Credit: c.MapCredit}, nil
	case errors.Is(err, fs.ErrNotExist):
		return web.Ground{Tiles: c.MapTiles, Credit: c.MapCredit}, nil
	}
	return web.Ground{}, err
}
