// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"net/http"
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
