// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"

	"essaim"
)

// Ground is what maps lie on besides the outlines; the zero Ground is nothing, and
// then no page asks another site for anything.
type Ground struct {
	// Tiles is the address of pictures of another site, with {z}, {x} and {y}.
	Tiles string
	// Archive is a file of pictures (PMTiles, version 3) that the node serves.
	Archive string
	Credit  string // who made them
	// Outlines are drawn over those of the program, see [Outlines].
	Outlines []byte
}

// origin is the site of the tiles, as a policy of content names it.
func (g Ground) origin() string {
	u, err := url.Parse(strings.NewReplacer("{z}", "0", "{x}", "0", "{y}", "0").Replace(g.Tiles))
	if g.Tiles == "" || err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// archivePath is where the node serves the file.
const archivePath = mapPath + "/fond.pmtiles"

// onGround lets a page that shows a map load the pictures that it lies on, and no
// others.
func (s *Server) onGround(w http.ResponseWriter, m *MapView) {
	source := s.cfg.Ground.origin()
	if s.cfg.Ground.Archive != "" {
		source = "blob:" // made by the page of what it reads in the file
		m.Archive = archivePath
	}
	if len(s.cfg.Ground.Outlines) > 0 {
		m.Areas = areasName
	}
	m.Tiles, m.Credit = s.cfg.Ground.Tiles, s.cfg.Ground.Credit
	if source != "" {
		h := w.Header()
		h.Set("Content-Security-Policy", strings.Replace(h.Get("Content-Security-Policy"), "img-src 'self'", "img-src 'self' "+source, 1))
	}
}

// showArchive serves the file, or the parts of it that are asked for (RFC 9110 14).
func (s *Server) showArchive(w http.ResponseWriter, r *http.Request) error {
	if s.cfg.Ground.Archive == "" {
		return errPageNotFound
	}
	f, err := os.Open(s.cfg.Ground.Archive)
	if errors.Is(err, fs.ErrNotExist) {
		return errPageNotFound
	}
	if err != nil {
		return fmt.Errorf("ground of the map: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("ground of the map: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/vnd.pmtiles")
	h.Set("Cache-Control", "public, max-age=86400")
	h.Set("ETag", fmt.Sprintf(`"%x-%x"`, info.ModTime().UnixNano(), info.Size()))
	http.ServeContent(w, r, "", info.ModTime(), f)
	return nil
}

// CheckTiles tells what is wrong with an address of tiles, nil when nothing is.
func CheckTiles(address string) error {
	for _, part := range []string{"{z}", "{x}", "{y}"} {
		if strings.Count(address, part) != 1 {
			return fmt.Errorf("%q lacks %s: %w", address, part, essaim.ErrInvalid)
		}
	}
	u, err := url.Parse(strings.NewReplacer("{z}", "0", "{x}", "0", "{y}", "0").Replace(address))
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || strings.ContainsAny(u.Host, "{};,' *") || strings.ContainsAny(address, "\"'<> ;") {
		return fmt.Errorf("%q is no https:// address of tiles: %w", address, essaim.ErrInvalid)
	}
	if host, _, _ := strings.Cut(strings.TrimPrefix(address, "https://"), "/"); strings.Contains(host, "{") {
		return fmt.Errorf("%q: one host is wanted: %w", address, essaim.ErrInvalid)
	}
	return nil
}

// CheckArchive tells what is wrong with a file of tiles, nil when nothing is: its
// first bytes say its form, version 3, and that its tiles are pictures
// (https://github.com/protomaps/PMTiles, spec/v3).
func CheckArchive(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var head [127]byte
	if n, _ := f.Read(head[:]); n < len(head) || string(head[:7]) != "PMTiles" || head[7] != 3 {
		return fmt.Errorf("%s is no PMTiles file of version 3: %w", path, essaim.ErrInvalid)
	}
	const png, avif = 2, 5
	if kind := head[99]; kind < png || kind > avif {
		return fmt.Errorf("%s holds no pictures (PNG, JPEG, WebP, AVIF); vector tiles are not drawn: %w", path, essaim.ErrInvalid)
	}
	return nil
}
