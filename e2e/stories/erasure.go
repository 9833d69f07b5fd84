// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"essaim"
	"essaim/e2e/rig"
)

// erasure is a network in which a person asks to be forgotten.
type erasure struct {
	*story
	db       string
	canary   string                     // one word, in every text
	records  []rig.Listed               // hers, one of each kind
	imported rig.Listed                 // with her contacts, which no other node has
	credited []rig.Listed               // another's, that names her
	refused  rig.Listed                 // Tourcoing's, that Brest withdraws for itself
	patterns []string                   // of every route
	words    map[string][]string        // by node: what it must not show in the end
	seen     map[string]map[string]bool // by node: the addresses that showed one
	signedIn map[string]browser         // by node: its administrator
	passer   *passer
	asked    atomic.Int64
}

// erasures: a person asks for erasure; what she wrote, what credits her and what
// she said of herself is nowhere any more, on no node, on either database.
func (s *story) erasures() {
	for _, db := range []string{"SQLite", "PostgreSQL"} {
		e := &erasure{
			story: s.apart(), db: db, seen: map[string]map[string]bool{}, signedIn: map[string]browser{},
			canary: fmt.Sprintf("kanari%dq", s.Seed()%1_000_000_007),
		}
		e.words = map[string][]string{"brest": {e.canary, e.ownWord()}, "toulouse": {e.canary}, "tourcoing": {e.canary}}
		e.tell()
	}
}

func (e *erasure) tell() {
	e.Must(e.db+": three territories that follow each other", e.build)
	e.Must(e.db+": a person of Brest writes, is credited, and says who she is; Tourcoing adapts her recipe", e.fill)
	e.Must(e.db+": somebody of another software answers, with a portrait", e.answered)
	e.Must(e.db+": every node shows it, and its files hold it (control)", e.shown)
	e.Must(e.db+": Toulouse is stopped, and Brest erases all of it, and withdraws for itself a record of Tourcoing", e.erase)
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
	e.Check(e.db+": what Brest withdrew for itself the others still show", func() error {
		for _, name := range []string{"toulouse", "tourcoing"} {
			if err := e.titled(name, e.refused.ID, e.refused.Title); err != nil {
				return err
			}
		}
		return nil
	})
	for _, name := range territories {
		e.Check(e.db+": no address of "+name+" shows it", func() error { return e.unseen(name) })
		e.Check(e.db+": nor does a dump or a backup of "+name, func() error { return e.notDumped(name) })
		e.Check(e.db+": nor do its files, once they are scrubbed", func() error { return e.notInFiles(name) })
	}
	e.Check(e.db+": nor does Brest serve the portrait, nor keep its file", e.faceless)
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
			Env: []string{"ESSAIM_TRUSTED_PROXIES=" + rig.Loopback, "ESSAIM_COMMENTS=shown"},
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
		if len(e.patterns) == 0 {
			if err := e.readPatterns(n); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
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
	// Hers, in every field of every kind.
	if err := covered(); err != nil {
		return err
	}
	for _, k := range essaim.Kinds() {
		all := e.everyField(k)
		var made rig.Listed
		if err := hers.API(e.ctx, http.MethodPost, k.API, all, &made); err != nil {
			return err
		}
		all["tagline"] = "Encore " + e.canary + "."
		if err := hers.API(e.ctx, http.MethodPut, k.API+"/"+made.Slug, all, nil); err != nil {
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
		e.credited = append(e.credited, made)
	}
	if err := e.nodes["tourcoing"].API(e.ctx, http.MethodPost, "initiatives", everyField(essaim.Kinds()[0], e.ownWord()), &e.refused); err != nil {
		return err
	}
	return errors.Join(e.importContacts(), e.adaptRecipe())
}

// importContacts imports a venue with her address and telephone, which nothing but an
// import may write.
func (e *erasure) importContacts() error {
	brest, file := e.nodes["brest"], filepath.Join(e.dir, "contacts.csv")
	row := "nom,code insee,commune,email,telephone\nUn lieu importé,29019,Brest," + e.email() + "," + e.canary + "\n"
	if err := os.WriteFile(file, []byte(row), 0o600); err != nil {
		return err
	}
	defer os.Remove(file)
	if _, err := brest.Run(e.ctx, "import", "--data", brest.Dir, "--kind", "venue", "--licence", "CC-BY-4.0", "--attribution", "Une structure", "--contacts", file); err != nil {
		return err
	}
	return rig.Eventually(20*time.Second, func() error {
		rows, err := brest.Records(e.ctx, "")
		for _, r := range rows {
			if r.Title == "Un lieu importé" {
				e.imported = r
				return nil
			}
		}
		return errors.Join(err, errors.New("the venue is not listed"))
	})
}

// ownWord is in each text of what Brest alone is to lose.
func (e *erasure) ownWord() string { return "retire" + e.canary[len("kanari"):] }

func (e *erasure) credits() []map[string]any {
	return []map[string]any{{
		"name": e.canary, "role": "porteur", "person": true, "consent": map[string]any{"how": "self"},
	}}
}

// everyField is a record of hers; the title of her recipe its adaptations keep.
func (e *erasure) everyField(k essaim.KindInfo) map[string]any {
	in := everyField(k, e.canary)
	in["credits"] = append(in["credits"].([]any), e.credits()[0])
	if k.Kind == essaim.KindRecipe {
		in["title"] = "Une recette d'ici"
	}
	return in
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
	own := emptied(e.everyField(essaim.Kinds()[1]))
	maps.Copy(own, map[string]any{
		"title": "Une recette du Nord", "tagline": "À notre manière.", "text": "Nos mots.", "state": "published",
		"places": []map[string]any{{"insee": "59599", "label": "Tourcoing"}}, "themes": []string{"alimentation"},
	})
	return tourcoing.API(e.ctx, http.MethodPut, "recipes/"+slug, own, nil)
}

// shown is the control: what is to be looked for is there to be found.
func (e *erasure) shown() error {
	if err := e.portrayed(); err != nil {
		return err
	}
	for _, name := range territories {
		for _, r := range append(slices.Clone(e.records), e.refused) {
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
		var err error
		if e.signedIn[name], err = e.signIn(e.nodes[name]); err != nil {
			return err
		}
		// Pages that only who is signed in sees are looked at too.
		form, err := e.ask(name, "/ecrire/initiatives")
		if err != nil || len(form) != 3 || bytes.Contains(form[0], []byte("<textarea")) || !bytes.Contains(form[2], []byte("<textarea")) {
			return errors.Join(err, fmt.Errorf("%s shows %d sorts of readers no form, or all", name, len(form)))
		}
		if _, err := e.nodes[name].Run(e.ctx, "dump", "--data", e.nodes[name].Dir); err != nil {
			return err
		}
		if err := e.crawl(name); err != nil {
			return err
		}
		if files := e.dumpsSeen(name); len(files) < 3 {
			return fmt.Errorf("of the dumps of %s only %v show it", name, files)
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
	for i, k := range essaim.Kinds() {
		if err := brest.API(e.ctx, http.MethodDelete, k.API+"/"+e.records[i].Slug, nil, nil); err != nil {
			return err
		}
	}
	if err := brest.API(e.ctx, http.MethodDelete, "venues/"+e.imported.Slug, nil, nil); err != nil {
		return err
	}
	if _, err := brest.Run(e.ctx, "moderate", "withdraw", "--data", brest.Dir, "--reason", "demande fondée", e.refused.ID); err != nil {
		return err
	}
	if err := e.leaves(); err != nil {
		return err
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
		for _, k := range essaim.Kinds() {
			for _, word := range e.words[name] {
				if err := e.nodes[name].API(e.ctx, http.MethodGet, k.API+"?q="+word, nil, &found); err != nil {
					return err
				}
				if len(found.Items) > 0 {
					return fmt.Errorf("%s finds %s", name, cmp.Or(found.Items[0].Title, found.Items[0].ID))
				}
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
