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
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"essaim/e2e/rig"
)

// crawled bounds how many addresses of a node are looked at.
const crawled = 200

// crawl asks a node for everything that it answers: each of its own routes, and
// what these lead to. It notes what shows the canary.
func (e *erasure) crawl(name string) error {
	queue, err := e.addresses(name)
	if err != nil {
		return err
	}
	e.seen[name] = map[string]bool{}
	known := map[string]bool{}
	links := regexp.MustCompile(`(?:` + regexp.QuoteMeta(e.nodes[name].URL) + `|href="|src="|action=")(/[^"'<>\s\\)]*)`)
	for _, path := range queue {
		known[path] = true
	}
	for i := 0; i < len(queue) && i < crawled; i++ {
		bodies, err := e.ask(name, queue[i])
		if err != nil {
			return err
		}
		for _, body := range bodies {
			if bytes.Contains(body, []byte(e.canary)) {
				e.seen[name][queue[i]] = true
			}
			for _, m := range links.FindAllSubmatch(body, -1) {
				path, _, _ := strings.Cut(strings.ReplaceAll(string(m[1]), "&amp;", "&"), "#")
				// An address that says it, as a search for it, would say it again.
				if !known[path] && !strings.HasPrefix(path, "/static/") && !strings.Contains(path, e.canary) {
					known[path] = true
					queue = append(queue, path)
				}
			}
		}
	}
	return nil
}

// addresses gives each route of a node, as the node itself lists them, the names
// and numbers that the canary's records have.
func (e *erasure) addresses(name string) ([]string, error) {
	var patterns []string
	if err := e.nodes[name].API(e.ctx, http.MethodGet, "routes?patterns", nil, &patterns); err != nil {
		return nil, err
	}
	if len(patterns) < 60 {
		return nil, fmt.Errorf("%s has %d routes", name, len(patterns))
	}
	var slugs, ids []string
	for _, r := range e.records {
		slugs = append(slugs, r.Slug)
		ids = append(ids, r.ID[strings.LastIndexByte(r.ID, '/')+1:])
	}
	out := []string{"/commons?after=0.0", "/commons/copies?of=" + rig.Host(e.nodes["brest"].URL), "/recherche?q=encore"}
	values := map[string][]string{
		"{slug}": slugs, "{id}": ids, "{object}": ids, "{name}": {personName, strings.ToLower(name), "fiche_" + strings.ReplaceAll(slugs[0], "-", "_")},
		"{host}": {rig.Host(e.nodes["brest"].URL)}, "{prefix}": strings.Split("0123456789abcdef", ""), "{n}": {"1", "2", "3"},
		"{secret}": {"x"}, "{stamp}": {"x"}, "{file}": {"x"},
	}
	for _, p := range patterns {
		paths := []string{p}
		for key, with := range values {
			var next []string
			for _, path := range paths {
				if !strings.Contains(path, key) {
					next = append(next, path)
					continue
				}
				for _, v := range with {
					next = append(next, strings.ReplaceAll(path, key, v))
				}
			}
			paths = next
		}
		for _, path := range paths {
			if strings.Contains(path, "{") {
				return nil, fmt.Errorf("no address for the route %s", p)
			}
			out = append(out, path)
		}
	}
	return out, nil
}

// ask fetches an address in each way that a reader, a server or an administrator
// would, and returns the bodies.
func (e *erasure) ask(name, path string) ([][]byte, error) {
	var bodies [][]byte
	for i, accept := range []string{"text/html", rig.ActivityJSON} {
		req, err := http.NewRequestWithContext(e.ctx, http.MethodGet, e.nodes[name].URL+path, nil)
		if err != nil {
			return nil, nil //nolint:nilerr // a link that is no address shows nothing
		}
		req.Header.Set("Accept", accept)
		e.asked++
		req.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.%d", e.asked>>16&255, e.asked>>8&255, e.asked&255))
		if i == 1 { // what is not ActivityPub is the API's
			req.Header.Set("Authorization", "Bearer "+e.nodes[name].Token)
		}
		resp, err := rig.Client().Do(req)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
		resp.Body.Close()
		switch {
		case err != nil:
			return nil, err
		case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
			return nil, fmt.Errorf("%s: %s", path, resp.Status)
		}
		bodies = append(bodies, body)
	}
	return bodies, nil
}

// shows tells whether an address shows the canary.
func (e *erasure) shows(name, path string) (bool, error) {
	bodies, err := e.ask(name, path)
	for _, b := range bodies {
		if bytes.Contains(b, []byte(e.canary)) {
			return true, nil
		}
	}
	return false, err
}

// unseen asks a node again for all that it answers, and for all that ever showed
// the canary there.
func (e *erasure) unseen(name string) error {
	before := e.seen[name]
	if err := e.crawl(name); err != nil {
		return err
	}
	for path := range before {
		shows, err := e.shows(name, path)
		if err != nil {
			return err
		}
		if shows {
			e.seen[name][path] = true
		}
	}
	for path := range e.seen[name] {
		return fmt.Errorf("%d addresses show it, as %s%s", len(e.seen[name]), e.nodes[name].URL, path)
	}
	return nil
}

// notDumped looks for the canary in what a node writes out.
func (e *erasure) notDumped(name string) error {
	n := e.nodes[name]
	for _, format := range []string{"csv", "geojson", "jsonld"} {
		out, err := n.Run(e.ctx, "export", "--data", n.Dir, "--format", format, "--all")
		if err != nil {
			return err
		}
		if len(out) < 100 || strings.Contains(out, e.canary) {
			return fmt.Errorf("the export as %s, of %d bytes, holds it, or nothing", format, len(out))
		}
	}
	file := filepath.Join(e.dir, "backup")
	defer os.Remove(file)
	if _, err := n.Run(e.ctx, "backup", "--data", n.Dir, file); err != nil {
		return err
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	b, err := io.ReadAll(z)
	if err == nil && bytes.Contains(b, []byte(e.canary)) {
		at := bytes.Index(b, []byte(e.canary))
		err = fmt.Errorf("the backup holds it: %.300q", b[max(0, at-200):])
	}
	return err
}

// notInFiles has a node write over what it erased, and reads its files.
func (e *erasure) notInFiles(name string) error {
	n := e.nodes[name]
	before, err := e.inFiles(name)
	if err != nil {
		return err
	}
	if _, err := n.Run(e.ctx, "scrub", "--data", n.Dir); err != nil {
		return err
	}
	found, err := e.inFiles(name)
	if err != nil {
		return err
	}
	e.Figure("files_with_leftovers_before_scrub_"+name, len(before), "")
	if len(found) > 0 {
		return fmt.Errorf("it is in %s", strings.Join(found, ", "))
	}
	return nil
}

// inFiles lists the files of a node that hold the canary: everything below its
// directory with its log, and on PostgreSQL the files of the tables and a dump.
func (e *erasure) inFiles(name string) (found []string, err error) {
	n := e.nodes[name]
	look := func(dir string) error {
		read := 0
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return ignoreGone(err)
			}
			b, err := os.ReadFile(path)
			read++
			if at := bytes.Index(b, []byte(e.canary)); at >= 0 {
				// A page of 4 kB begins with its sort, where what is around says which table it is of.
				found = append(found, fmt.Sprintf("%s at %d of page %d of sort %#x: %q", path, at%4096, 1+at/4096, b[at&^4095], b[max(0, at-200):min(len(b), at+80)]))
			}
			return ignoreGone(err)
		})
		if err == nil && read < 2 {
			err = fmt.Errorf("%s: %d files", dir, read)
		}
		return err
	}
	if err := look(n.Dir); err != nil {
		return nil, err
	}
	if log, err := os.ReadFile(strings.TrimSuffix(n.Dir, "/") + ".log"); err != nil || bytes.Contains(log, []byte(e.canary)) {
		return nil, errors.Join(err, fmt.Errorf("%s: what it logs holds it", name))
	}
	if n.Database == "" {
		return found, nil
	}
	dump, files, err := rig.PostgresDump(e.database(name))
	if err != nil {
		return nil, err
	}
	if bytes.Contains(dump, []byte(e.canary)) {
		found = append(found, "pg_dump")
	}
	files, err = rig.PostgresFiles(context.WithoutCancel(e.ctx), n.Database, files)
	if err == nil {
		err = look(files)
	}
	return found, err
}

// ignoreGone lets files go while they are looked for.
func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
