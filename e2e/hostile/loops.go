// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"essaim/e2e/rig"
)

// loop is what never ends, as evil.test and all below it serve it.
type loop struct {
	most  int // requests that one activity may cause
	serve http.HandlerFunc
	// lead is the path by which a followed host leads into it, where the item's own
	// activity names what no node asks for.
	lead string
	// meanwhile looks at what is under way.
	meanwhile func(*trial) error
}

// special sends the item by evil, which makes the node ask for nothing but evil's
// key, and the same by a host that it follows, which does.
func (l loop) special() special {
	return special{
		before: func(t *trial) error {
			serve := func(w http.ResponseWriter, r *http.Request) {
				if r.Host == t.evil().host && r.URL.Path == "/u/evil" {
					t.evil().known(w, r) // whose key is asked for
					return
				}
				l.serve(w, r)
			}
			t.evil().anything = serve
			t.setSwarm(serve)
			return nil
		},
		after: func(t *trial) error {
			got, err := t.settled(40 * time.Second)
			if err != nil || got > 2 {
				return fmt.Errorf("%d requests for a stranger: %w", got, err)
			}
			t.evil().recount()
			t.swarmed.Store(0)
			takeBack, err := t.alsoFollowed()
			if err != nil {
				return err
			}
			activities := 1
			if l.lead != "" {
				activities++
				undo, err := t.announce(t.evil().url + l.lead)
				if err != nil {
					return err
				}
				first := takeBack
				takeBack = func() error { return errors.Join(first(), undo()) }
			}
			if err := rig.Eventually(10*time.Second, func() error {
				if t.spent() == 0 {
					return errors.New("nothing is asked for, not even for a host that is followed")
				}
				return nil
			}); err != nil {
				return err
			}
			if l.meanwhile != nil {
				if err := l.meanwhile(t); err != nil {
					return err
				}
			}
			// A fetch ends within 30 seconds (security.md 3).
			if got, err = t.settled(35 * time.Second); err != nil || got > activities*l.most {
				return fmt.Errorf("%d requests for %d activities, want %d at most for each: %w", got, activities, l.most, err)
			}
			if err := takeBack(); err != nil {
				return err
			}
			return t.applied(t.ctx)
		},
	}
}

// loops are what leads on and on, and what never ends.
func loops() map[string]special {
	// pages are those of a collection, each of which names the next.
	pages := func(host func(n int64) string) http.HandlerFunc {
		var n atomic.Int64
		return func(w http.ResponseWriter, r *http.Request) {
			next := fmt.Sprintf("https://%s/col?page=%d", host(n.Add(1)), time.Now().UnixNano())
			document(rig.ActivityJSON, map[string]any{
				"@context": rig.ASContext, "id": "https://" + r.Host + r.URL.RequestURI(), "type": "OrderedCollectionPage",
				"attributedTo": "https://" + r.Host + "/u/evil", "to": []string{rig.Public}, "orderedItems": []string{}, "next": next, "first": next,
			})(w, r)
		}
	}
	// chain is a text that answers another, and so on.
	chain := func(answers bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/u/") {
				http.NotFound(w, r)
				return
			}
			here := "https://" + r.Host + r.URL.Path
			doc := note(here, "https://evil.test/u/evil")
			if answers {
				doc["inReplyTo"] = here + "1"
			}
			doc["replies"], doc["context"] = "https://"+r.Host+"/r"+r.URL.Path, here+"/context"
			document(rig.ActivityJSON, doc)(w, r)
		}
	}
	// actors are attributed to the next, and so on.
	actors := func(w http.ResponseWriter, r *http.Request) {
		here := "https://" + r.Host + r.URL.Path
		if !strings.HasPrefix(r.URL.Path, "/u/") {
			doc := note(here, "https://"+r.Host+"/u/first")
			doc["tag"] = []map[string]string{{"type": "Mention", "href": "https://" + r.Host + "/u/mentioned", "name": "@x"}}
			document(rig.ActivityJSON, doc)(w, r)
			return
		}
		doc := map[string]any{
			"@context": rig.ASContext, "id": here, "type": "Person", "preferredUsername": "x", "inbox": here + "/inbox", "outbox": here + "/outbox",
			"attributedTo": here + "1", "followers": here + "/followers", "featured": here + "/featured", "movedTo": here + "2", "alsoKnownAs": []string{here + "3"},
		}
		document(rig.ActivityJSON, doc)(w, r)
	}
	var poured atomic.Int64
	flow := func(pause time.Duration, chunk string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", rig.ActivityJSON)
			for range 100_000 {
				if _, err := w.Write([]byte(chunk)); err != nil || r.Context().Err() != nil {
					return
				}
				poured.Add(int64(len(chunk)))
				_ = http.NewResponseController(w).Flush() // the connection tells by the next write
				time.Sleep(pause)
			}
		}
	}
	same := func(int64) string { return "evil.test" }
	all := map[string]loop{
		"REC-001": {most: 10, serve: pages(same)},
		"REC-003": {most: 10, serve: pages(func(n int64) string { return fmt.Sprintf("s%d.evil.test", n) })},
		"REC-004": {most: 20, serve: chain(true), lead: "/n/1"},
		"REC-006": {most: 50, serve: chain(false), lead: "/n/pingpong"},
		"REC-008": {most: 3, serve: actors, lead: "/n/actors"},
		"REC-009": {most: 6, serve: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"1", http.StatusFound) }},
		"REC-010": {most: 1, serve: flow(time.Second, " "), meanwhile: func(t *trial) error { return t.honest(t.ctx, &timings{}) }},
		"REC-012": {most: 1, serve: flow(0, strings.Repeat("a", 32<<10)), meanwhile: func(t *trial) error {
			_, err := t.settled(35 * time.Second)
			// A megabyte is read, and what the system keeps for a connection is sent besides.
			if n := poured.Swap(0); err == nil && n > 24<<20 {
				err = fmt.Errorf("%d MB of one body were taken", n>>20)
			}
			return err
		}},
		"REC-014": {most: 1, serve: func(w http.ResponseWriter, _ *http.Request) {
			for i := range 1000 {
				w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("a", 10_000))
			}
			w.WriteHeader(http.StatusOK)
		}},
	}
	m := map[string]special{}
	for id, l := range all {
		m[id] = l.special()
	}
	m["REC-016"] = special{
		before: func(t *trial) error {
			t.setSwarm(func(w http.ResponseWriter, r *http.Request) {
				id := "https://" + r.Host + r.URL.Path
				document(rig.ActivityJSON, t.evil().actor(id, "Person", map[string]any{"endpoints": nil}))(w, r)
			})
			return nil
		},
		send: func(t *trial) (int, error) {
			start := time.Now()
			status, err := t.stormOf(10_000, func(i int) (string, []byte) {
				actor := fmt.Sprintf("https://s%d.evil.test/u/x", i)
				return actor, []byte(fmt.Sprintf(`{"@context":"%s","id":"%s/a","type":"Create","actor":"%s","object":{"id":"%s/n","type":"Note","attributedTo":"%s","content":"x","to":["%s"]}}`,
					rig.ASContext, actor, actor, actor, actor, rig.Public))
			})
			// Of one domain so many hosts a minute are asked for their keys, and what is not
			// taken leaves nothing behind (federation/strangers.go).
			const hostsOfASite = 60
			most := hostsOfASite * int(2+time.Since(start).Minutes())
			if asked := int(t.swarmed.Load()); asked > most || t.taken > most || t.taken == 0 {
				err = errors.Join(err, fmt.Errorf("%d hosts of one domain were asked, %d activities taken, want %d at most in %s", asked, t.taken, most, time.Since(start)))
			}
			return status, err
		},
	}
	m["REC-017"] = special{after: func(t *trial) error {
		if n := t.quiet(t.victim()); n > 1 {
			return fmt.Errorf("%d previews fetched for a stranger", n)
		}
		return t.brought(func(_, _ map[string]any) {})
	}}
	return m
}
