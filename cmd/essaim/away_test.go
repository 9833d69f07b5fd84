// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

// asked is a request of each sort, and what is answered while all is well.
var asked = []struct {
	name, method, path, accept, body string
	well                             int
}{
	{"page", http.MethodGet, "/initiatives", "text/html", "", http.StatusOK},
	{"home", http.MethodGet, "/", "text/html", "", http.StatusOK},
	{"list", http.MethodGet, "/api/v1/initiatives", "application/json", "", http.StatusOK},
	{"write", http.MethodPost, "/api/v1/initiatives", "application/json", `{"title":"Écrite pendant l’absence","state":"draft"}`, http.StatusCreated},
	{"object", http.MethodGet, "", "application/activity+json", "", http.StatusOK},
	{"inbox", http.MethodPost, "/inbox", "", `{"@context":"https://www.w3.org/ns/activitystreams","id":"https://peer.example/1","type":"Create","actor":"https://peer.example/a","object":{"id":"https://peer.example/o","type":"Note","attributedTo":"https://peer.example/a","content":"x"}}`, http.StatusUnauthorized},
	{"ready", http.MethodGet, "/readyz", "", "", http.StatusOK},
}

// A database that ended, or that takes requests and never answers, is said to be
// away, soon and to everyone; all is well again once it is back.
func TestWhoeverAsksIsToldThatTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	cluster := storetest.NewCluster(t)
	cfg, err := settings{URL: "https://brest.example", DatabaseURL: cluster.Database("essaim").URL}.check()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Dir = t.TempDir()
	ctx := context.WithoutCancel(t.Context())
	opt := options{patience: 3 * time.Second}
	if _, err := initialise(ctx, cfg, opt, newNode{Name: "Brest", EPCIs: []string{"242900314"}, Admin: demoAdmin}); err != nil {
		t.Fatal(err)
	}
	n, err := Open(ctx, cfg, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	record := storetest.Publish(t, n.store, storetest.Initiative("Jardin"))
	token, err := createToken(ctx, n, tokenCreate{User: demoAdmin.Email, Label: "test"})
	if err != nil {
		t.Fatal(err)
	}
	h, err := n.Handler()
	if err != nil {
		t.Fatal(err)
	}

	ask := func(i int) (status int, again string, took time.Duration) {
		a := asked[i]
		path := a.path
		if a.name == "object" {
			path = strings.TrimPrefix(record.ID, "https://brest.example")
		}
		r := httptest.NewRequestWithContext(ctx, a.method, "https://brest.example"+path, bytes.NewReader([]byte(a.body)))
		r.Header.Set("Accept", a.accept)
		switch a.name {
		case "inbox":
			r.Header.Set("Content-Type", "application/activity+json")
		case "write":
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		begin := time.Now()
		h.ServeHTTP(w, r)
		return w.Code, w.Header().Get("Retry-After"), time.Since(begin)
	}
	// all asks everything at once, several times: more than there are connections.
	all := func(when string, away bool) {
		t.Helper()
		var wg sync.WaitGroup
		for i, a := range asked {
			for range 3 {
				wg.Go(func() {
					status, again, took := ask(i)
					want := a.well
					if away {
						want = http.StatusServiceUnavailable
					}
					if status != want || away && again == "" || took > 10*time.Second {
						t.Errorf("%s: %s answers %d after %v, Retry-After %q, want %d", when, a.name, status, took, again, want)
					}
				})
			}
		}
		wg.Wait()
	}
	records := func() int {
		t.Helper()
		found, err := n.store.Search(ctx, essaim.Query{State: essaim.StateDraft})
		if err != nil {
			t.Fatal(err)
		}
		return len(found.Records)
	}
	all("before", false)
	before := records()
	cluster.Freeze()
	all("frozen", true)
	all("still frozen", true)
	cluster.Thaw()
	if got := records(); got != before {
		t.Errorf("%d records, want %d: what was refused was written", got, before)
	}
	all("thawed", false)
	// It ends under those who wait for it.
	cluster.Freeze()
	var waiting sync.WaitGroup
	waiting.Go(func() { all("ended meanwhile", true) })
	<-time.After(500 * time.Millisecond) // they wait three seconds
	cluster.Stop()
	waiting.Wait()
	all("stopped", true)
	cluster.Start()
	all("started", false)
}
