// SPDX-License-Identifier: AGPL-3.0-or-later

// Command second holds real nodes, on both databases, to a second reader of the
// state collection: walk.js, written from docs/PROFILE.md on libraries made by
// others. It must agree with what the nodes publish after creations, edits,
// deletions and changes of keys, and disagree with each fault that a proxy makes.
// It needs bin/essaim, Node and what tools/ensure.sh installs (make build ensure).
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"essaim/e2e/rig"
)

const (
	dir       = "e2e/second"
	testdata  = "../../federation/testdata/"
	published = 180 // more than two leaves and one page hold
	edited    = 20
	withdrawn = 10
)

func main() {
	var seed uint64
	flag.Uint64Var(&seed, "seed", 0, "seed of every random choice; 0 takes one")
	dbs := flag.String("db", "sqlite,postgres", "databases, comma-separated")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	s := rig.NewSuite("second", seed)
	r := &reader{Suite: s, ctx: ctx, rng: rand.New(rand.NewPCG(s.Seed(), 5))}
	s.Check("the vectors are read, and a changed one is not", r.vectors)
	for _, db := range strings.Split(*dbs, ",") {
		r.db = db
		s.Must(db+": a node", r.start)
		r.agreements()
		r.node.Stop()
	}
	s.End()
}

// reader is one run on one database.
type reader struct {
	*rig.Suite
	ctx   context.Context
	rng   *rand.Rand
	db    string
	node  *rig.Node
	proxy *proxy

	records []rig.Listed
	old     []byte // the first version of a record that was edited
	heads   [][]byte
	first   found // the first walk
	last    found
}

// found is what the walk prints.
type found struct {
	Agrees    bool
	Count     int
	Root      string
	Number    string
	Keys      []string
	Types     map[string]int
	Requests  int
	Disagrees string
	Because   string
	Failed    string
}

// walk runs the second implementation.
func (r *reader) walk(args ...string) (f found, err error) {
	cmd := exec.CommandContext(r.ctx, "node", append([]string{"walk.js"}, args...)...)
	cmd.Dir = dir
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	var left *exec.ExitError
	if err != nil && !errors.As(err, &left) {
		return f, err
	}
	if err := json.Unmarshal(out, &f); err != nil {
		return f, fmt.Errorf("%w: %s %s", err, out, said.Bytes())
	}
	if f.Failed != "" {
		return f, fmt.Errorf("it failed: %s", f.Failed)
	}
	return f, nil
}

// disagrees runs it and holds it to a disagreement of a name.
func (r *reader) disagrees(check string, args ...string) error {
	f, err := r.walk(args...)
	if err == nil && f.Disagrees != check {
		err = fmt.Errorf("want a disagreement about %q, got %+v", check, f)
	}
	return err
}

// vectors reads those of the profile, then each file with one digit changed.
func (r *reader) vectors() error {
	files := []string{testdata + "commons.json", testdata + "documents.json", testdata + "copies.json", testdata + "pages.json"}
	f, err := r.walk(append([]string{"--vectors"}, files...)...)
	if err != nil || !f.Agrees || f.Count < 48 {
		return fmt.Errorf("%+v: %w", f, err)
	}
	for _, c := range []struct {
		file          int
		member, check string
	}{{0, "root", "tree"}, {0, "0", "tree"}, {1, "copyDigest", "digest"}, {1, "proofValue", "keys"}, {2, "copyDigest", "copies"}, {2, "proofValue", "copies"}, {2, "essaim:copyDigest", "copies"}, {3, "cursor", "pages"}} {
		text, err := os.ReadFile(filepath.Join(dir, files[c.file]))
		if err != nil {
			return err
		}
		changed := (&spoil{pattern: `"` + c.member + `": "z?([0-9A-Za-z.]+)"`}).once(text, r.rng)
		if bytes.Equal(changed, text) {
			return fmt.Errorf("nothing of %s was changed", c.member)
		}
		copied := filepath.Join(os.TempDir(), fmt.Sprintf("essaim-vectors-%d.json", r.Seed()))
		if err := os.WriteFile(copied, changed, 0o600); err != nil {
			return err
		}
		args := append([]string{"--vectors"}, files...)
		args[1+c.file] = copied
		err = r.disagrees(c.check, args...)
		_ = os.Remove(copied) // a leftover temporary file harms nobody
		if err != nil {
			return fmt.Errorf("with %s changed: %w", c.member, err)
		}
	}
	return nil
}

func (r *reader) start() error {
	*r = reader{Suite: r.Suite, ctx: r.ctx, rng: r.rng, db: r.db}
	tmp, err := os.MkdirTemp("", "essaim-second-")
	if err != nil {
		return err
	}
	r.Cleanup(func() { _ = os.RemoveAll(tmp) }) // a leftover temporary directory harms nobody
	bin, err := rig.Binary()
	if err != nil {
		return err
	}
	port, err := rig.FreePort()
	if err != nil {
		return err
	}
	r.node = &rig.Node{Bin: bin, Dir: filepath.Join(tmp, "brest"), URL: fmt.Sprintf("http://127.0.0.1:%d", port)}
	if r.db == "postgres" {
		if r.node.Database, err = rig.Postgres(r.Suite, "second"); err != nil {
			return err
		}
	}
	if err := r.node.Init(r.ctx, "Brest", "--epci", "242900314"); err != nil {
		return err
	}
	r.Cleanup(r.node.Kill)
	if r.proxy, err = newProxy(r.node.URL); err != nil {
		return err
	}
	r.Cleanup(r.proxy.Close)
	return r.node.Start(r.ctx)
}

// agreements goes through the life of a node, and through the faults.
func (r *reader) agreements() {
	r.Must(r.db+": it agrees with an empty node", func() error { return r.agrees(0, 0) })
	r.Must(r.db+": and after creations", func() error {
		for i := range published {
			var made rig.Listed
			if err := r.node.API(r.ctx, http.MethodPost, "initiatives", initiative(fmt.Sprintf("Fiche %d", i)), &made); err != nil {
				return err
			}
			r.records = append(r.records, made)
		}
		return r.agrees(published, 0)
	})
	r.Must(r.db+": after edits and deletions", func() (err error) {
		if _, r.old, err = rig.Get(r.ctx, r.records[0].ID, rig.ActivityJSON); err != nil {
			return err
		}
		for i := range edited {
			if err := r.node.API(r.ctx, http.MethodPut, "initiatives/"+r.records[i].Slug, initiative(fmt.Sprintf("Fiche %d, revue « à neuf »", i)), nil); err != nil {
				return err
			}
		}
		for _, rec := range r.records[published-withdrawn:] {
			if err := r.node.API(r.ctx, http.MethodDelete, "initiatives/"+rec.Slug, nil, nil); err != nil {
				return err
			}
		}
		return r.agrees(published-withdrawn, withdrawn)
	})
	r.faults(servedFaults)
	for n := range 2 {
		r.Must(fmt.Sprintf("%s: after change of keys %d, from the key that was pinned", r.db, n+1), func() error {
			r.node.Stop()
			if _, err := r.node.Run(r.ctx, "key", "rotate", "--data", r.node.Dir); err != nil {
				return err
			}
			if err := r.node.Start(r.ctx); err != nil {
				return err
			}
			// What is published is signed again in the background.
			err := rig.Eventually(time.Minute, func() error { return r.agrees(published-withdrawn, withdrawn) })
			if err == nil && (len(r.last.Keys) != n+2 || r.last.Keys[0] != r.first.Keys[0]) {
				err = fmt.Errorf("it followed %v", r.last.Keys)
			}
			return err
		})
	}
	r.faults(keyFaults)
	r.Figure(r.db+"_requests", r.last.Requests, "")
}

// agrees walks the node and holds what is found to what was done.
func (r *reader) agrees(records, tombstones int) error {
	args := []string{r.node.URL}
	if r.first.Agrees {
		args = append(args, "--pin", r.first.Keys[0], "--held", r.last.Number)
	}
	f, err := r.walk(args...)
	if err != nil {
		return err
	}
	if !f.Agrees || f.Types["Article"] != records || f.Types["Tombstone"] != tombstones || f.Types["Organization"] != 1 || f.Count != records+tombstones+1 {
		return fmt.Errorf("want %d records, %d tombstones and the territory, got %+v", records, tombstones, f)
	}
	_, head, err := rig.Get(r.ctx, r.node.URL+"/commons", rig.ActivityJSON)
	if err != nil {
		return err
	}
	var h struct {
		Root  string `json:"essaim:root"`
		Count int    `json:"essaim:count"`
	}
	if err := json.Unmarshal(head, &h); err != nil {
		return err
	}
	if h.Root != f.Root || h.Count != f.Count {
		return fmt.Errorf("the node says %+v, the walk %+v", h, f)
	}
	r.heads, r.last = append(r.heads, head), f
	if !r.first.Agrees {
		r.first = f
	}
	return nil
}

func initiative(title string) map[string]any {
	return map[string]any{
		"title": title, "tagline": "Racontée pour ce contrôle: €, œ, \u2028 et 🌍.", "description": "Deux phrases. Pas plus.",
		"themes": []string{"reemploi"}, "places": []map[string]any{{"insee": "29019", "label": "Brest"}},
	}
}
