// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"essaim/e2e/rig"

	"github.com/go-chi/chi/v5"
)

// world is the three nodes, on one database at a time.
type world struct {
	*rig.Suite
	ctx    context.Context
	short  bool
	parts  []string
	db     string
	dir    string
	nodes  []*rig.Node
	sites  []*site
	routes chi.Routes
	known  []string // the patterns that answer a GET
	first  []string // pages of the first node that show what it was furnished with
	notes           // of the crawl on this database
	asked  atomic.Uint32
	eye    *eye
}

// site is a node as its readers see it.
type site struct {
	name   string
	url    string
	node   *rig.Node
	signed *http.Client // with the session of its administrator
	assets map[string]asset
}

func (w *world) takes(part string) bool { return slices.Contains(w.parts, part) }

// build makes the three nodes on SQLite, with what the demonstration lacks.
func (w *world) build() (err error) {
	if w.dir, err = os.MkdirTemp("", "essaim-browser-"); err != nil {
		return err
	}
	w.Cleanup(func() { _ = os.RemoveAll(w.dir) }) // a leftover temporary directory harms nobody
	if w.nodes, err = rig.Demonstration(w.ctx, filepath.Join(w.dir, "demo")); err != nil {
		return err
	}
	if err := w.imports(); err != nil {
		return err
	}
	w.nodes[0].Dev = true // it lists its routes
	if err := w.start(); err != nil {
		return err
	}
	defer w.stop()
	if err := w.readRoutes(); err != nil {
		return err
	}
	w.nodes[0].Dev = false
	return w.furnish()
}

// start serves the nodes.
func (w *world) start() error {
	for _, n := range w.nodes {
		w.Cleanup(n.Kill)
		if err := n.Start(w.ctx); err != nil {
			return err
		}
		if err := n.AdminToken(w.ctx); err != nil {
			return err
		}
	}
	return nil
}

// stop stops the nodes. Their sessions stay with their database: a browser that showed
// them signs in anew.
func (w *world) stop() {
	for _, n := range w.nodes {
		n.Stop()
	}
	if w.eye != nil {
		for _, s := range w.sites {
			w.eye.forget(s)
		}
	}
}

// move brings the nodes to PostgreSQL.
func (w *world) move() error {
	for i, n := range w.nodes {
		moved, err := rig.OnPostgres(w.ctx, w.Suite, n, "browser_"+rig.Territories[i])
		if err != nil {
			return fmt.Errorf("%s: %w", rig.Territories[i], err)
		}
		w.nodes[i] = moved
	}
	return nil
}

// serve starts the nodes and signs in at each.
func (w *world) serve() error {
	if err := w.start(); err != nil {
		return err
	}
	w.sites, w.notes = nil, newNotes()
	for i, n := range w.nodes {
		s := &site{name: rig.Territories[i], url: n.URL, node: n, assets: map[string]asset{}}
		if err := s.signIn(w.ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		// A node that comes back from a backup asks its peers first.
		err := rig.Eventually(time.Minute, func() error {
			p, err := w.get(s, "/initiatives/"+nowhere, false)
			if err == nil && p.status != http.StatusNotFound {
				err = fmt.Errorf("%s: what never was is answered %d", s.name, p.status)
			}
			return err
		})
		if err != nil {
			return err
		}
		w.sites = append(w.sites, s)
	}
	if w.db != "postgres" {
		return nil // it has them since it was furnished
	}
	return w.dump()
}

// dump has the last node, which erases nothing of its own, make its dated files. It
// waits up to a minute after an erasure anywhere.
func (w *world) dump() error {
	last := w.nodes[len(w.nodes)-1]
	_, err := last.Run(w.ctx, "dump", "--data", last.Dir)
	return err
}

// signIn follows a link that the node prints for its administrator.
func (s *site) signIn(ctx context.Context) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	s.signed = &http.Client{Jar: jar, Timeout: rig.Client().Timeout, CheckRedirect: rig.Client().CheckRedirect}
	link, err := s.node.SignInLink(ctx)
	if err != nil {
		return err
	}
	if _, err := s.post(ctx, strings.TrimPrefix(link, s.url)); err != nil {
		return err
	}
	if len(s.cookies()) == 0 {
		return errors.New("signing in set no cookie")
	}
	return nil
}

// cookies are those of its administrator.
func (s *site) cookies() []*http.Cookie {
	home, err := url.Parse(s.url)
	if err != nil {
		return nil
	}
	return s.signed.Jar.Cookies(home)
}

// imported are files of real services, of which some lines are imported.
var imported = []struct {
	file  string
	lines int
	args  []string
}{
	{"territoires-engagement.csv", 60, []string{"--licence", "etalab-2.0", "--attribution", "ANCT"}},
	{"france-services-20240801.csv", 60, []string{"--kind", "venue", "--licence", "etalab-2.0", "--attribution", "ANCT"}},
	{"mednum-bfc.csv", 40, []string{"--kind", "venue", "--licence", "ODbL-1.0", "--attribution", "Hinaura"}},
}

// imports gives each node records of a file.
func (w *world) imports() error {
	dir := os.Getenv("ESSAIM_CORPUS")
	for i, f := range imported {
		text, err := os.ReadFile(filepath.Join(dir, "data", "initiatives", f.file))
		if errors.Is(err, os.ErrNotExist) && os.Getenv("CI") != "true" {
			fmt.Printf("left out: %s, for ESSAIM_CORPUS has none\n", f.file)
			continue
		}
		if err != nil {
			return err
		}
		lines := bytes.SplitAfterN(text, []byte("\n"), f.lines+2)
		some := filepath.Join(w.dir, f.file)
		if err := os.WriteFile(some, bytes.Join(lines[:min(len(lines), f.lines+1)], nil), 0o600); err != nil {
			return err
		}
		n := w.nodes[i]
		if _, err := n.Run(w.ctx, append([]string{"import", "--data", n.Dir, some}, f.args...)...); err != nil {
			return err
		}
	}
	return nil
}

// readRoutes has a node list the patterns of its pages.
func (w *world) readRoutes() error {
	if err := w.nodes[0].API(w.ctx, http.MethodGet, "routes?patterns=site", nil, &w.known); err != nil {
		return err
	}
	if len(w.known) < 60 {
		return fmt.Errorf("%d routes", len(w.known))
	}
	r := chi.NewRouter()
	for _, p := range w.known {
		r.Get(p, func(http.ResponseWriter, *http.Request) {})
	}
	w.routes = r
	return nil
}

// pattern is the route that an address matches, "" for none of the site.
func (w *world) pattern(address string) string {
	path, _, _ := strings.Cut(address, "?")
	c := chi.NewRouteContext()
	if !w.routes.Match(c, http.MethodGet, path) {
		return ""
	}
	found := c.RoutePattern() // it leaves out a last slash
	if strings.HasSuffix(path, "/") && slices.Contains(w.known, found+"/") {
		return found + "/"
	}
	return found
}
