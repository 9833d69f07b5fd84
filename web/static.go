// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed static
var staticFiles embed.FS

// asset is a file of static with the address that names its content.
type asset struct {
	body []byte
	typ  string
	hash string
}

// mediaTypes are those of the files in static: the machine's own table is not asked.
var mediaTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2", ".txt": "text/plain; charset=utf-8", ".png": "image/png",
}

// loadAssets reads static. Files that others name (fonts, pictures) come first,
// so that the style sheet can name them by their content too.
func loadAssets() (map[string]asset, error) {
	out := map[string]asset{}
	names, err := fs.Glob(staticFiles, "static/*")
	if err != nil {
		return nil, err
	}
	for _, style := range []bool{false, true} {
		for _, name := range names {
			if strings.HasSuffix(name, ".css") != style {
				continue
			}
			body, err := staticFiles.ReadFile(name)
			if err != nil {
				return nil, err
			}
			base := path.Base(name)
			typ, ok := mediaTypes[path.Ext(base)]
			if !ok {
				return nil, fmt.Errorf("static %s: no media type", base)
			}
			if style {
				for other, a := range out {
					body = bytes.ReplaceAll(body, []byte("url("+other+")"), []byte("url("+other+"?v="+a.hash+")"))
				}
			}
			out[base] = assetOf(body, typ)
		}
	}
	return out, nil
}

func assetOf(body []byte, typ string) asset {
	sum := sha256.Sum256(body)
	return asset{body: body, typ: typ, hash: hex.EncodeToString(sum[:5])}
}

// assetPath is the address of a static file; it changes with its content.
func (s *Server) assetPath(name string) string {
	return "/static/" + name + "?v=" + s.assets[name].hash
}

// showAsset serves a static file: for a year when asked by its content, else
// with a question each time.
func (s *Server) showAsset(w http.ResponseWriter, r *http.Request) error {
	name := strings.TrimPrefix(r.URL.Path, "/static/")
	a, ok := s.assets[name]
	if !ok {
		return errPageNotFound
	}
	h := w.Header()
	h.Set("Content-Type", a.typ)
	h.Set("ETag", `"`+a.hash+`"`)
	if r.URL.Query().Get("v") == a.hash {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "public, max-age=300")
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(a.body))
	return nil
}
