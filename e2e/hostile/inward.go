// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"essaim/e2e/rig"
)

// inwardSpecials are ways to have the node reach what stands inside.
func inwardSpecials() map[string]special {
	// from signs with the keys named, one after the other.
	from := func(keys ...string) special {
		return special{
			before: func(t *trial) error {
				for path, to := range map[string]string{
					"/u/inside": "https://127.0.0.1/u/x", "/u/plain": "http://127.0.0.1:9/u/x", "/u/named": "https://internal.test/u/x",
					"/u/gopher": "gopher://127.0.0.1:80/_GET", "/u/file": "file:///etc/passwd", "/u/metadata": "http://169.254.169.254/latest/meta-data/",
				} {
					t.evil().put(path, func(w http.ResponseWriter, r *http.Request) {
						w.Header().Set("Location", to)
						w.WriteHeader(http.StatusFound)
					})
				}
				t.fakes["rebind.test"].anything = func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Connection", "close") // so that its name is asked again
					t.fakes["rebind.test"].known(w, r)
				}
				return nil
			},
			send: func(t *trial) (int, error) {
				status := 0
				for _, key := range keys {
					t.keyID = key
					var err error
					if status, err = t.ask(); err != nil || !t.item.expects(status) {
						return status, err
					}
				}
				return status, nil
			},
			after: nothingInside,
		}
	}
	m := map[string]special{
		"SSRF-029": from("https://internal.test/u/x#main-key", "https://internal.test:8443/u/x#main-key", "https://metadata.test/u/x#main-key"),
		"SSRF-031": from("https://rebind.test/u/a#main-key", "https://rebind.test/u/b#main-key", "https://rebind.test/u/c#main-key", "https://rebind.test/u/d#main-key"),
		"SSRF-033": from("https://evil.test/u/inside#main-key", "https://evil.test/u/plain#main-key", "https://evil.test/u/named#main-key", "https://evil.test/u/metadata#main-key"),
		"SSRF-035": from("https://evil.test/u/gopher#main-key", "https://evil.test/u/file#main-key"),
		"SSRF-037": from("https://evil.test:22/u/x#main-key", "https://evil.test:25/u/x#main-key", "https://evil.test:80/u/x#main-key", "https://evil.test:5432/u/x#main-key"),
		"SSRF-042": oddActor(map[string]any{"inbox": "http://127.0.0.1:9/in", "endpoints": map[string]string{"sharedInbox": "http://127.0.0.1:9/in"}}),
		"SSRF-050": {
			// Whatever a host links to, or redirects to, when it is asked who it is.
			send: func(t *trial) (int, error) {
				link := func(rel, href string) http.HandlerFunc {
					return document("application/json", map[string]any{"links": []map[string]string{{"rel": rel, "href": href}}})
				}
				redirect := func(to string) http.HandlerFunc {
					return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
				}
				for _, answer := range []http.HandlerFunc{
					link("http://nodeinfo.diaspora.software/ns/schema/2.0", "http://127.0.0.1:9/nodeinfo/2.0"),
					link(rig.ASContext+"#Application", "http://127.0.0.1:9/actor"),
					link(rig.ASContext+"#Application", "https://internal.test/actor"),
					redirect("https://internal.test/nodeinfo"), redirect("https://127.0.0.1/nodeinfo"), redirect("https://[::1]/nodeinfo"),
				} {
					t.evil().put("/.well-known/nodeinfo", answer)
					t.evil().put("/.well-known/webfinger", http.NotFound)
					if err := t.command("peer", "follow", "evil.test"); err == nil {
						return 0, errors.New("it follows evil.test on such an answer")
					}
				}
				return 0, nil
			},
			after: nothingInside,
		},
	}
	after := m["SSRF-031"].after
	rebinding := m["SSRF-031"]
	rebinding.after = func(t *trial) error {
		t.dns.mu.Lock()
		defer t.dns.mu.Unlock()
		if t.dns.rebinds < 2 {
			return fmt.Errorf("the name was asked %d times: nothing was rebound", t.dns.rebinds)
		}
		return after(t)
	}
	m["SSRF-031"] = rebinding
	return m
}

// nothingInside holds that what stands inside saw nobody.
func nothingInside(t *trial) error {
	if n := t.evil().asked("inside"); n != 0 {
		return fmt.Errorf("%d requests reached what stands inside", n)
	}
	return nil
}

// quiet waits until a host is asked nothing more, and gives how often it was
// asked since the item began.
func (t *trial) quiet(f *fake) int {
	last, since := f.asked(""), time.Now()
	for time.Since(since) < 400*time.Millisecond {
		time.Sleep(50 * time.Millisecond)
		if n := f.asked(""); n != last {
			last, since = n, time.Now()
		}
		if t.ctx.Err() != nil {
			break
		}
	}
	return last
}

// loops are what never ends: the item is sent by evil, and the same by a host
// that the node follows and so looks at more closely.
func loops() map[string]special {
	// atMost holds the number of requests that one activity causes.
	atMost := func(n int, serve http.HandlerFunc) special {
		return special{
			before: func(t *trial) error {
				t.evil().anything = serve
				t.setSwarm(serve)
				return nil
			},
			after: func(t *trial) error {
				if err := t.alsoFollowed(); err != nil {
					return err
				}
				if got := t.quiet(t.evil()); got > 2*n {
					return fmt.Errorf("%d requests for two activities, want %d at most for each", got, n)
				}
				return t.bounded(64 << 20)
			},
		}
	}
	collection := func(w http.ResponseWriter, r *http.Request) {
		next := fmt.Sprintf("https://evil.test%s?page=%d", r.URL.Path, time.Now().UnixNano())
		document(rig.ActivityJSON, map[string]any{"@context": rig.ASContext, "id": "https://" + r.Host + r.URL.RequestURI(), "type": "OrderedCollectionPage", "orderedItems": []string{}, "next": next})(w, r)
	}
	chain := func(w http.ResponseWriter, r *http.Request) {
		doc := note("https://"+r.Host+r.URL.Path, "https://evil.test/u/evil")
		doc["inReplyTo"] = "https://" + r.Host + r.URL.Path + "1"
		doc["replies"] = "https://" + r.Host + "/r" + r.URL.Path
		document(rig.ActivityJSON, doc)(w, r)
	}
	flow := func(pause time.Duration, chunk string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", rig.ActivityJSON)
			for range 100_000 {
				if _, err := w.Write([]byte(chunk)); err != nil || r.Context().Err() != nil {
					return
				}
				_ = http.NewResponseController(w).Flush() // the connection tells by the next write
				time.Sleep(pause)
			}
		}
	}
	return map[string]special{
		"REC-001": atMost(12, collection),
		"REC-003": atMost(12, collection),
		"REC-004": atMost(20, chain),
		"REC-006": atMost(50, chain),
		"REC-008": atMost(4, func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }),
		"REC-009": atMost(6, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"1", http.StatusFound) }),
		"REC-010": atMost(6, flow(time.Second, " ")),
		"REC-012": atMost(6, flow(0, strings.Repeat("a", 32<<10))),
		"REC-014": atMost(6, func(w http.ResponseWriter, _ *http.Request) {
			for i := range 1000 {
				w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("a", 10_000))
			}
			w.WriteHeader(http.StatusOK)
		}),
		"REC-016": {
			before: func(t *trial) error {
				t.setSwarm(func(w http.ResponseWriter, r *http.Request) {
					id := "https://" + r.Host + r.URL.Path
					document(rig.ActivityJSON, t.evil().actor(id, "Person", map[string]any{"endpoints": nil}))(w, r)
				})
				return nil
			},
			send: func(t *trial) (int, error) {
				return t.stormOf(500, func(i int) (string, []byte) {
					actor := fmt.Sprintf("https://s%d.evil.test/u/x", i)
					return actor, []byte(fmt.Sprintf(`{"@context":"%s","id":"%s/a","type":"Create","actor":"%s","object":{"id":"%s/n","type":"Note","attributedTo":"%s","content":"x","to":["%s"]}}`,
						rig.ASContext, actor, actor, actor, actor, rig.Public))
				})
			},
			after: func(t *trial) error { return t.bounded(64 << 20) },
		},
		"REC-017": {after: func(t *trial) error {
			if n := t.quiet(t.victim()); n > 1 {
				return fmt.Errorf("%d previews fetched", n)
			}
			return nil
		}},
	}
}

// alsoFollowed sends the item's activity again, in the name of a host that the
// node follows.
func (t *trial) alsoFollowed() error {
	body := bytes.ReplaceAll(t.body, []byte(`"https://evil.test/u/evil"`), []byte(`"https://peer.test/u/p"`))
	body = bytes.ReplaceAll(body, []byte(`"https://evil.test/act/`), []byte(`"https://peer.test/act/`))
	status, err := t.deliver(t.ctx, t.fakes["peer.test"], t.names["PACTOR"], body)
	if err == nil && status/100 == 5 && status != 503 {
		err = fmt.Errorf("answered %d to a followed host", status)
	}
	return err
}
