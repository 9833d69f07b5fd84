// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"

	"essaim/e2e/rig"
)

// openPages are what anyone may look at.
func (t *trial) openPages() map[string][]string {
	const html, json = "text/html", "application/json"
	pages := map[string][]string{
		"/": {html, rig.ActivityJSON}, "/recherche?q=" + strings.Fields(draftTitle)[1]: {html}, "/territoires": {html}, "/robots.txt": {html},
		"/initiatives": {html}, "/recettes": {html}, "/lieux": {html}, "/structures": {html}, "/rencontres": {html},
		"/api/v1/initiatives": {json}, "/api/v1/initiatives?q=brouillon": {json}, "/api/v1/organisations": {json},
		"/actor": {rig.ActivityJSON}, "/actor/outbox": {rig.ActivityJSON}, "/nodeinfo/2.1": {json}, "/commons": {rig.ActivityJSON},
		"/initiatives.csv": {html}, "/initiatives.geojson": {html}, "/initiatives.atom": {html}, "/initiatives.jsonld": {html}, "/sitemap.xml": {html}, "/export/": {html},
		t.routes["ACTOR"]: {rig.ActivityJSON, html}, t.routes["OBJ"]: {rig.ActivityJSON, html},
	}
	for _, c := range []string{"/outbox", "/outbox?page=true", "/outbox?page=1", "/featured", "/followers", "/following"} {
		pages[t.routes["ACTOR"]+c] = []string{rig.ActivityJSON}
	}
	return pages
}

// crawl looks for texts in all that anyone may look at.
func (t *trial) crawl(texts ...string) error {
	read := 0
	for path, accepts := range t.openPages() {
		for _, accept := range accepts {
			status, _, body, err := t.get(t.ctx, path, accept)
			if err != nil {
				return err
			}
			if status == http.StatusOK {
				read++
			}
			for _, text := range texts {
				if bytes.Contains(body, []byte(text)) {
					return fmt.Errorf("%s (%s) holds %q", path, accept, text)
				}
			}
		}
	}
	if read < 15 {
		return fmt.Errorf("only %d pages answered", read)
	}
	return nil
}

var clientPort = regexp.MustCompile(`45\.0\.0\.\d+:\d{4,5}`)

// privateSpecials are what must not leak, and what must go when asked to.
func privateSpecials() map[string]special {
	return map[string]special{
		"PRIV-001": {after: func(t *trial) error {
			if t.got.status/100 == 2 || bytes.Contains(t.got.body, []byte(draftTitle)) {
				return fmt.Errorf("a draft is shown: %d", t.got.status)
			}
			return t.crawl(draftTitle, "brouillon-canari")
		}},
		"PRIV-003": {after: func(t *trial) error { return t.crawl(`"bto"`, `"bcc"`) }},
		"PRIV-005": {after: func(t *trial) error {
			return t.crawl("@essaim.example", "editor@node.test", "admin@node.test", "mailto:", "tel:")
		}},
		"PRIV-006": blocked("evil.test", special{}),
		"PRIV-007": {send: erased, changes: true},
		"PRIV-010": {smaller: true, send: func(*trial) (int, error) { return 0, nil }, after: func(t *trial) error {
			text, err := os.ReadFile(t.logFile())
			for line := range bytes.Lines(text) {
				// What is said for those who look for a fault is not kept in production.
				if found := clientPort.Find(line); found != nil && !bytes.Contains(line, []byte("level=DEBUG")) {
					return fmt.Errorf("the log keeps who asked: %s", line)
				}
			}
			return err
		}},
		"PRIV-011": {after: thirdParties},
	}
}

// erased publishes a record to five followers, one of which is away when it is
// deleted, and holds that all learn of it and that none brings it back.
func erased(t *trial) (int, error) {
	var hosts []*fake
	for i := range 5 {
		host := fmt.Sprintf("h%d-%s.test", i, strings.ToLower(t.item.ID))
		f, err := t.guest(host)
		if err != nil {
			return 0, err
		}
		hosts = append(hosts, f)
		if err := t.post(t.ctx, f, f.url+"/u/reader", "Follow", t.names["ALICE"], nil); err != nil {
			return 0, err
		}
	}
	if err := t.applied(t.ctx); err != nil {
		return 0, err
	}
	reached := func(kind, id string, hosts []*fake) error {
		return rig.Eventually(20*time.Second, func() error {
			for _, f := range hosts {
				if !f.got(kind, id) {
					return fmt.Errorf("%s of %s has not reached %s", kind, id, f.host)
				}
			}
			return nil
		})
	}
	var made rig.Listed
	content := map[string]any{
		"title": "Fiche à effacer", "tagline": "Canari d’effacement.", "description": "Canari 99a1.", "themes": []string{"reemploi"},
		"places": []map[string]any{{"insee": "29019"}},
	}
	if err := t.node.API(t.ctx, http.MethodPost, "initiatives", content, &made); err != nil {
		return 0, err
	}
	if err := reached("Create", made.ID, hosts); err != nil {
		return 0, err
	}
	_, _, document, err := t.get(t.ctx, made.ID, rig.ActivityJSON)
	if err != nil {
		return 0, err
	}
	away := hosts[4]
	away.setInbox(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	if err := t.node.API(t.ctx, http.MethodDelete, "initiatives/"+made.Slug, nil, nil); err != nil {
		return 0, err
	}
	if err := reached("Delete", made.ID, hosts[:4]); err != nil {
		return 0, err
	}
	// Two failures, so that the next try is minutes away.
	if err := t.putOff(away, made.ID); err != nil {
		return 0, err
	}
	// It is back, and shows it by what it sends, and by nothing else: what waits for
	// it goes then. A host is heeded so once in half a minute.
	away.clear()
	if err := rig.Eventually(90*time.Second, func() error {
		if away.got("Delete", made.ID) {
			return nil
		}
		if err := t.post(t.ctx, away, away.url+"/u/reader", "Like", t.object, nil); err != nil {
			return err
		}
		time.Sleep(5 * time.Second)
		return fmt.Errorf("the Delete has not reached %s, which speaks", away.host)
	}); err != nil {
		return 0, err
	}
	// A host that missed it all sends it back, in our name and in its own.
	for actor, kind := range map[string]string{t.names["ALICE"]: "Create", away.url + "/u/reader": "Create"} {
		if err := t.resend(away, actor, kind, document); err != nil {
			return 0, err
		}
	}
	for _, address := range []string{made.ID, made.URL} {
		for _, accept := range []string{rig.ActivityJSON, "text/html"} {
			status, _, body, err := t.get(t.ctx, address, accept)
			if err != nil {
				return 0, err
			}
			if status != http.StatusGone && status != http.StatusNotFound && status != http.StatusSeeOther || bytes.Contains(body, []byte("99a1")) {
				return 0, fmt.Errorf("%s (%s) answers %d after its deletion", address, accept, status)
			}
		}
	}
	return 0, t.crawl("99a1", "Canari d’effacement")
}

// putOff waits until the Delete of an object was tried twice at a host that is away,
// and its next try is more minutes away than the suite will wait.
func (t *trial) putOff(f *fake, object string) error {
	if err := rig.Eventually(10*time.Second, func() error {
		if !f.got("Delete", object) {
			return errors.New("the Delete is not tried at " + f.host)
		}
		return nil
	}); err != nil {
		return err
	}
	if err := t.command("queue", "retry", "--all", "--host", f.host); err != nil {
		return err
	}
	return rig.Eventually(10*time.Second, func() error {
		rows, err := t.rows(t.ctx, "queue", "list", "--host", f.host)
		if err != nil {
			return err
		}
		for _, row := range rows {
			next, err := time.Parse(time.RFC3339, fmt.Sprint(row["nextAt"]))
			if err == nil && time.Until(next) > 2*time.Minute {
				return nil
			}
		}
		return fmt.Errorf("the next try at %s is near: %v", f.host, rows)
	})
}

// resend posts a document as a host that still holds it would.
func (t *trial) resend(f *fake, actor, kind string, document []byte) error {
	t.serial++
	body, err := json.Marshal(map[string]any{
		"@context": rig.ASContext, "id": fmt.Sprintf("%s/resent/%d", f.url, t.serial), "type": kind, "actor": actor, "object": json.RawMessage(document),
	})
	if err != nil {
		return err
	}
	status, err := t.deliver(t.ctx, f, f.url+"/u/reader", body)
	if err == nil && !refused(status) {
		err = fmt.Errorf("a stale copy from %s is answered %d", actor, status)
	}
	return err
}

// guest is a host of this item's own.
func (t *trial) guest(host string) (*fake, error) {
	f := &fake{host: host, url: "https://" + host, key: t.evil().key, pem: t.evil().pem, gets: map[string]int{}, pages: map[string]http.HandlerFunc{}}
	t.fakesMu.Lock()
	defer t.fakesMu.Unlock()
	if t.fakes[host] != nil {
		return nil, errors.New(host + " stands already")
	}
	t.fakes[host] = f
	return f, nil
}

// got tells whether an activity about an object was delivered to a host.
func (f *fake) got(kind, object string) bool {
	_, ok := f.gotAt(kind, object)
	return ok
}

// gotAt is when it first was.
func (f *fake) gotAt(kind, object string) (time.Time, bool) {
	for _, r := range f.delivered() {
		if r.Type == kind && bytes.Contains(r.Obj, []byte(object)) {
			return r.at, true
		}
	}
	return time.Time{}, false
}

func (f *fake) setInbox(h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inbox = h
}
