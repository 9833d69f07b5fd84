// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"essaim"
	"essaim/e2e/rig"
)

// erasure is a network in which a person asks to be forgotten.
type erasure struct {
	*story
	db      string
	canary  string // one word, in every text
	records []rig.Listed
	asked   int
	seen    map[string]map[string]bool // by node: the addresses that showed the canary
}

// erasures: a person asks for erasure; what she wrote, what credits her and what
// she said of herself is nowhere any more, on no node, on either database.
func (s *story) erasures() {
	for _, db := range []string{"SQLite", "PostgreSQL"} {
		e := &erasure{
			story: s.apart(), db: db, seen: map[string]map[string]bool{},
			canary: fmt.Sprintf("kanari%dq", s.Seed()%1_000_000_007),
		}
		e.tell()
	}
}

func (e *erasure) tell() {
	e.Must(e.db+": three territories that follow each other", e.build)
	e.Must(e.db+": a person of Brest writes, is credited, and says who she is; Tourcoing adapts her recipe", e.fill)
	e.Must(e.db+": every node shows it, and its files hold it (control)", e.shown)
	e.Must(e.db+": Toulouse is stopped, and Brest erases all of it", e.erase)
	e.Check(e.db+": Tourcoing has it no more within 20 s", func() error { return e.forgotten("tourcoing", 20*time.Second) })
	e.Check(e.db+": and Toulouse, once it is back", func() error {
		start := time.Now()
		if err := e.nodes["toulouse"].Start(e.ctx); err != nil {
			return err
		}
		err := e.forgotten("toulouse", 3*time.Minute)
		e.Figure("back_to_erased_ms_"+strings.ToLower(e.db), time.Since(start).Milliseconds(), "ms")
		return err
	})
	for _, name := range territories {
		e.Check(e.db+": no address of "+name+" shows it", func() error { return e.unseen(name) })
		e.Check(e.db+": nor does a dump or a backup of "+name, func() error { return e.notDumped(name) })
		e.Check(e.db+": nor do its files, once they are scrubbed", func() error { return e.notInFiles(name) })
	}
	for _, n := range e.nodes {
		n.Stop()
	}
}

func (e *erasure) build() error {
	port, err := rig.FreePorts(len(territories))
	if err != nil {
		return err
	}
	for i, name := range territories {
		n := &rig.Node{
			Bin: e.bin, Dir: filepath.Join(e.dir, "erasure-"+strings.ToLower(e.db), name), URL: fmt.Sprintf("http://127.0.0.1:%d", port+i),
			// Each request comes from an address of its own: none meets a limit.
			Dev: true, Env: []string{"ESSAIM_TRUSTED_PROXIES=" + rig.Loopback},
		}
		if e.db == "PostgreSQL" {
			if n.Database, err = rig.Postgres(e.Suite, e.database(name)); err != nil {
				return err
			}
		}
		if err := n.Init(e.ctx, strings.ToUpper(name[:1])+name[1:], "--insee", []string{"29019", "31555", "59599"}[i]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		e.nodes[name] = n
		e.Cleanup(n.Kill)
		if err := n.Start(e.ctx); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, name := range territories {
		for _, other := range territories {
			if name == other {
				continue
			}
			n := e.nodes[name]
			if _, err := n.Run(e.ctx, "peer", "follow", "--data", n.Dir, rig.Host(e.nodes[other].URL)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *erasure) database(name string) string { return "erasure_" + name }

// person is the account's address and the name of its actor, which stays reserved
// and so says nothing of her.
func (e *erasure) email() string { return e.canary + "@essaim.example" }

const personName = "contributrice"

func (e *erasure) fill() error {
	brest := e.nodes["brest"]
	for _, args := range [][]string{
		{"user", "add", "--data", brest.Dir, "--email", e.email(), "--name", e.canary, "--role", "animateur"},
		{"user", "publish", "--data", brest.Dir, e.email(), "--name", personName, "--title", e.canary, "--summary", e.canary, "--discoverable", "--indexable"},
	} {
		if _, err := brest.Run(e.ctx, args...); err != nil {
			return err
		}
	}
	// She writes herself: nobody else may have her named.
	token, err := brest.TokenOf(e.ctx, e.email())
	if err != nil {
		return err
	}
	hers := *brest
	hers.Token = token
	// Hers, in every field; the address keeps the first words of the title only.
	all := e.everyField()
	if err := covered(all); err != nil {
		return err
	}
	for _, kind := range []string{"initiatives", "recipes"} {
		if kind == "recipes" {
			all["title"] = "Une recette d'ici" // which its adaptations keep
		}
		var made rig.Listed
		if err := hers.API(e.ctx, http.MethodPost, kind, all, &made); err != nil {
			return err
		}
		all["tagline"] = "Encore " + e.canary + "."
		if err := hers.API(e.ctx, http.MethodPut, kind+"/"+made.Slug, all, nil); err != nil {
			return err
		}
		e.records = append(e.records, made)
	}
	// Another's, that names her in a version before the last, and in the last.
	for _, versions := range [][]bool{{true, false}, {false, true}} {
		var made rig.Listed
		for i, named := range versions {
			in := initiative("Un jardin avec d'autres")
			in["credits"] = []map[string]any{{"name": "Régie de quartier", "role": "porteur"}}
			if named {
				in["credits"] = e.credits()
			}
			path, method := "initiatives", http.MethodPost
			if i > 0 {
				path, method = path+"/"+made.Slug, http.MethodPut
			}
			if err := hers.API(e.ctx, method, path, in, &made); err != nil {
				return err
			}
		}
	}
	return e.adaptRecipe()
}

func (e *erasure) credits() []map[string]any {
	return []map[string]any{{
		"name": e.canary, "role": "porteur", "person": true, "consent": map[string]any{"how": "self"},
	}}
}

// everyField is a record in which every text that a person may write holds the
// canary.
func (e *erasure) everyField() map[string]any {
	c := e.canary
	link := "https://lien.example/" + c
	return map[string]any{
		"title":   "Une fiche dont le titre est assez long pour que son adresse n'en garde pas la fin, " + c,
		"tagline": "En une phrase, " + c + ".", "description": "Un texte, " + c + ", et " + strings.Repeat("encore "+c+" ", 400),
		"keywords": []string{c}, "networks": []string{link}, "holder": c, "collectedBy": c,
		"images":  []map[string]any{{"url": "https://image.example/" + c + ".jpg", "mediaType": "image/jpeg", "alt": c, "author": c}},
		"links":   []map[string]any{{"url": link, "name": c}},
		"sources": []map[string]any{{"url": link, "name": c}},
		"credits": append(e.credits(), map[string]any{"name": c, "role": "partenaire"}),
		"places":  []map[string]any{{"insee": "29019", "label": c}}, "themes": []string{"alimentation"},
		"relations":  []map[string]any{{"type": "cites", "target": link, "name": c}},
		"helpWanted": []map[string]any{{"kind": "materiel", "text": c}}, "helpOffered": []map[string]any{{"kind": "materiel", "text": c}},
	}
}

// covered tells whether a record leaves out a field that may hold a text.
func covered(in map[string]any) error {
	other := map[string]bool{ // what says nothing of anybody, or is not to be written so
		"kind": true, "language": true, "everywhere": true, "licence": true, "derivedFrom": true, "translationOf": true,
		"collectedOn": true, "reviewedOn": true, "mentions": true, "contacts": true, "body": true, "text": true,
	}
	fields := 0
	content := reflect.TypeFor[essaim.Content]()
	for i := range content.NumField() {
		name, _, _ := strings.Cut(content.Field(i).Tag.Get("json"), ",")
		if name == "" || name == "-" || other[name] {
			continue
		}
		if fields++; in[name] == nil {
			return fmt.Errorf("nothing is written in %q", name)
		}
	}
	if fields < 12 {
		return fmt.Errorf("%d fields looked at", fields)
	}
	return nil
}

// adaptRecipe copies her recipe at Tourcoing, whose own words take the place of
// hers before it is published.
func (e *erasure) adaptRecipe() error {
	tourcoing, recipe := e.nodes["tourcoing"], e.records[1]
	recipe.Origin = rig.Host(e.nodes["brest"].URL)
	if err := rig.Eventually(30*time.Second, func() error { return e.titled("tourcoing", recipe.ID, recipe.Title) }); err != nil {
		return err
	}
	browser, err := e.signIn(tourcoing)
	if err != nil {
		return err
	}
	form, err := browser.post(e.ctx, e.pageOf("tourcoing", recipe)+"/adapter", nil)
	if err != nil {
		return err
	}
	slug, _, _ := strings.Cut(strings.TrimPrefix(form, tourcoing.URL+"/recettes/"), "/")
	own := map[string]any{
		"title": "Une recette du Nord", "tagline": "À notre manière.", "description": "Nos mots.", "keywords": []string{}, "networks": []string{}, "holder": "",
		"collectedBy": "", "images": []any{}, "links": []any{}, "sources": []any{}, "credits": []any{}, "relations": []any{}, "helpWanted": []any{}, "helpOffered": []any{},
		"places": []map[string]any{{"insee": "59599", "label": "Tourcoing"}}, "themes": []string{"alimentation"}, "state": "published",
	}
	return tourcoing.API(e.ctx, http.MethodPut, "recipes/"+slug, own, nil)
}

// shown is the control: what is to be looked for is there to be found.
func (e *erasure) shown() error {
	for _, name := range territories {
		for _, r := range e.records {
			if err := rig.Eventually(30*time.Second, func() error { return e.titled(name, r.ID, r.Title) }); err != nil {
				return err
			}
		}
		if name != "brest" {
			// With the profile, which nobody follows.
			if _, err := e.nodes[name].Run(e.ctx, "peer", "sync", "--data", e.nodes[name].Dir, rig.Host(e.nodes["brest"].URL)); err != nil {
				return err
			}
		}
		if err := e.crawl(name); err != nil {
			return err
		}
		if len(e.seen[name]) < 10 {
			return fmt.Errorf("%d addresses of %s show it", len(e.seen[name]), name)
		}
		e.Figure("addresses_that_show_it_"+name, len(e.seen[name]), "")
		if found, err := e.inFiles(name); err != nil || len(found) == 0 {
			return errors.Join(err, fmt.Errorf("%s: in no file", name))
		}
	}
	return nil
}

func (e *erasure) erase() error {
	e.nodes["toulouse"].Stop()
	brest := e.nodes["brest"]
	for i, kind := range []string{"initiatives", "recipes"} {
		if err := brest.API(e.ctx, http.MethodDelete, kind+"/"+e.records[i].Slug, nil, nil); err != nil {
			return err
		}
	}
	_, err := brest.Run(e.ctx, "user", "delete", "--data", brest.Dir, e.email())
	return err
}

// forgotten waits until a node finds nothing of it.
func (e *erasure) forgotten(name string, within time.Duration) error {
	return rig.Eventually(within, func() error {
		var found struct {
			Items []rig.Listed `json:"items"`
		}
		for _, kind := range []string{"initiatives", "recipes"} {
			if err := e.nodes[name].API(e.ctx, http.MethodGet, kind+"?q="+e.canary, nil, &found); err != nil {
				return err
			}
			if len(found.Items) > 0 {
				return fmt.Errorf("%s finds %s", name, cmp.Or(found.Items[0].Title, found.Items[0].ID))
			}
		}
		// Her profile, and the versions of other records that named her.
		for address := range e.seen[name] {
			if shows, err := e.shows(name, address); err != nil || shows {
				return errors.Join(err, fmt.Errorf("%s still shows it", address))
			}
		}
		return nil
	})
}
