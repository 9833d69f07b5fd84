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
	"slices"
	"strings"
	"sync"

	"essaim"
	"essaim/e2e/rig"
)

// linked bounds how many addresses are looked at that no route told of; together are
// asked for at once.
const linked, together = 600, 6

// crawl asks a node for everything that it answers: each of its own routes, and
// what these lead to. It notes what shows a word that it must not in the end.
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
	routes := len(queue)
	for i := 0; i < len(queue) && i < routes+linked; {
		some := queue[i:min(i+together, len(queue), routes+linked)]
		answers, err := e.askAll(name, some)
		if err != nil {
			return err
		}
		for j, body := range answers {
			if e.says(name, body) {
				e.seen[name][some[j]] = true
			}
			if len(queue) >= routes+linked {
				continue // none of its links would be followed
			}
			for _, m := range links.FindAllSubmatch(body, -1) {
				path, _, _ := strings.Cut(strings.ReplaceAll(string(m[1]), "&amp;", "&"), "#")
				// An address that says it, as a search for it, would say it again.
				if !known[path] && !strings.HasPrefix(path, "/static/") && !e.says(name, []byte(path)) {
					known[path] = true
					queue = append(queue, path)
				}
			}
		}
		i += len(some)
	}
	e.Figure("routes_asked_"+name, routes, "")
	e.Figure("links_followed_"+name, min(linked, len(queue)-routes), "")
	if len(queue) == routes {
		return fmt.Errorf("the %d routes of %s lead nowhere else", routes, name)
	}
	return nil
}

// says tells whether something has a word that a node must not show in the end.
func (e *erasure) says(name string, b []byte) bool {
	return slices.ContainsFunc(e.words[name], func(word string) bool { return bytes.Contains(b, []byte(word)) })
}

// readPatterns has a node list its routes, which it does with --dev only: then it
// reads its templates at each request too, which is slow.
func (e *erasure) readPatterns(n *rig.Node) error {
	n.Dev = true
	defer func() { n.Dev = false }()
	if err := n.Start(e.ctx); err != nil {
		return err
	}
	defer n.Stop()
	err := n.API(e.ctx, http.MethodGet, "routes?patterns", nil, &e.patterns)
	if err == nil && len(e.patterns) < 60 {
		err = fmt.Errorf("%d routes", len(e.patterns))
	}
	return err
}

// addresses gives each route of a node the names and numbers that the records have
// in which a word is looked for.
func (e *erasure) addresses(name string) ([]string, error) {
	var slugs, ids []string
	ofKind := map[string][]string{}
	for _, r := range slices.Concat(e.records, e.credited, []rig.Listed{e.refused, e.imported}) {
		slugs = append(slugs, r.Slug)
		ids = append(ids, r.ID[strings.LastIndexByte(r.ID, '/')+1:])
		ofKind[r.Kind] = append(ofKind[r.Kind], r.Slug)
	}
	var hosts []string
	out := []string{"/commons?after=0.0", "/recherche?q=encore"}
	for _, of := range territories {
		hosts = append(hosts, rig.Host(e.nodes[of].URL))
		out = append(out, "/commons/copies?of="+rig.Host(e.nodes[of].URL))
	}
	values := map[string][]string{
		"{slug}": slugs, "{id}": ids, "{object}": ids, "{name}": {personName, strings.ToLower(name), "fiche_" + strings.ReplaceAll(slugs[0], "-", "_")},
		"{host}": hosts, "{prefix}": strings.Split("0123456789abcdef", ""), "{n}": {"1", "2", "3"},
		"{secret}": {"x"}, "{stamp}": {"x"}, "{file}": {"x"}, "{from}": {"0"},
		"{insee}": {"29019", "31555", "59599"}, // of the three territories
	}
	for _, p := range e.patterns {
		paths := []string{p}
		values["{slug}"], values["{id}"] = slugs, ids
		if strings.HasPrefix(p, "/themes/") {
			values["{id}"] = []string{"alimentation", "numerique"}
		}
		for _, k := range essaim.Kinds() {
			if strings.HasPrefix(p, "/"+k.Path+"/") || strings.HasPrefix(p, "/api/v1/"+k.API+"/") {
				values["{slug}"] = ofKind[string(k.Kind)]
			}
		}
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

// askAll asks for some addresses side by side; all that an address answers is one.
func (e *erasure) askAll(name string, paths []string) ([][]byte, error) {
	answers, errs := make([][]byte, len(paths)), make([]error, len(paths))
	var all sync.WaitGroup
	for i, path := range paths {
		all.Go(func() {
			var bodies [][]byte
			bodies, errs[i] = e.ask(name, path)
			answers[i] = bytes.Join(bodies, []byte("\n"))
		})
	}
	all.Wait()
	return answers, errors.Join(errs...)
}

// ask fetches an address in each way that a reader, a server or an administrator
// would, and returns the bodies.
func (e *erasure) ask(name, path string) ([][]byte, error) {
	var bodies [][]byte
	client, page := rig.Client(), false
	for i, accept := range []string{"text/html", rig.ActivityJSON, "text/html"} {
		req, err := http.NewRequestWithContext(e.ctx, http.MethodGet, e.nodes[name].URL+path, nil)
		if err != nil {
			return nil, nil //nolint:nilerr // a link that is no address shows nothing
		}
		req.Header.Set("Accept", accept)
		n := e.asked.Add(1)
		req.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255))
		if i == 1 { // what is not ActivityPub is the API's
			req.Header.Set("Authorization", "Bearer "+e.nodes[name].Token)
		}
		if i == 2 { // those who are signed in see other pages
			if !page || e.signedIn[name].Client == nil {
				break
			}
			client = e.signedIn[name].Client
		}
		resp, err := client.Do(req)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
		resp.Body.Close()
		if err == nil && resp.Header.Get("Content-Type") == "application/gzip" {
			body, err = unzipped(body)
		}
		switch {
		case err != nil:
			return nil, err
		case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
			return nil, fmt.Errorf("%s: %s", path, resp.Status)
		}
		page = page || strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html")
		bodies = append(bodies, body)
	}
	return bodies, nil
}

// shows tells whether an address shows the canary.
func (e *erasure) shows(name, path string) (bool, error) {
	bodies, err := e.ask(name, path)
	for _, b := range bodies {
		if e.says(name, b) {
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
	if err := e.dumpedAnew(name); err != nil {
		return err
	}
	for _, format := range []string{"csv", "geojson", "jsonld"} {
		out, err := n.Run(e.ctx, "export", "--data", n.Dir, "--format", format, "--all")
		if err != nil {
			return err
		}
		if len(out) < 100 || e.says(name, []byte(out)) {
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
	for _, word := range e.words[name] {
		if at := bytes.Index(b, []byte(word)); err == nil && at >= 0 {
			err = fmt.Errorf("the backup holds it: %.300q", b[max(0, at-200):])
		}
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
			if err == nil && strings.HasSuffix(path, ".gz") {
				b, err = unzipped(b)
			}
			for _, word := range e.words[name] {
				if at := bytes.Index(b, []byte(word)); at >= 0 {
					// A page of 4 kB begins with its sort, where what is around says which table it is of.
					found = append(found, fmt.Sprintf("%s at %d of page %d of sort %#x: %q", path, at%4096, 1+at/4096, b[at&^4095], b[max(0, at-200):min(len(b), at+80)]))
				}
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
	if log, err := os.ReadFile(strings.TrimSuffix(n.Dir, "/") + ".log"); err != nil || e.says(name, log) {
		return nil, errors.Join(err, fmt.Errorf("%s: what it logs holds it", name))
	}
	if n.Database == "" {
		return found, nil
	}
	dump, files, err := rig.PostgresDump(e.database(name))
	if err != nil {
		return nil, err
	}
	if e.says(name, dump) {
		found = append(found, "pg_dump")
	}
	files, err = rig.PostgresFiles(context.WithoutCancel(e.ctx), n.Database, files)
	if err == nil {
		err = look(files)
	}
	return found, err
}

// unzipped is what a compressed file holds.
func unzipped(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// ignoreGone lets files go while they are looked for.
func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
