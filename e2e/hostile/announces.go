// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"essaim/e2e/rig"
)

// announcesFor is how long a host is watched that a flood of announces names, from
// the first on.
const announcesFor = 75 * time.Second

// announces sends 10,000 announces of the victim's posts by a stranger.
func announces(t *trial) (int, error) {
	return t.many(10_000, func(i int) (*request, signing, []byte) {
		body := announcement(t.actor, i, fmt.Sprintf("https://victim.test/n/b%d", i))
		return inboxRequest(t.routes["SHARED_INBOX"], body), signing{keyID: t.actor + "#main-key", key: t.signer.key}, body
	})
}

func announcement(actor string, i int, object string) []byte {
	host, _, _ := strings.Cut(actor, "/u/")
	return fmt.Appendf(nil, `{"@context":"%s","id":"%s/boosts/%d","type":"Announce","actor":"%s","to":"%s","object":"%s"}`,
		rig.ASContext, host, i, actor, rig.Public, object)
}

// fetches are when a host was asked, for posts and for their authors.
type fetches struct {
	mu sync.Mutex
	at []time.Time
}

// serve has a host answer every post with a public one, each of another author.
func (f *fetches) serve(host *fake) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		post, isPost := strings.CutPrefix(r.URL.Path, "/n/")
		author, isAuthor := strings.CutPrefix(r.URL.Path, "/u/by-")
		if !isPost && !isAuthor {
			host.known(w, r)
			return
		}
		f.mu.Lock()
		f.at = append(f.at, time.Now())
		f.mu.Unlock()
		if isPost {
			document(rig.ActivityJSON, note(host.url+r.URL.Path, host.url+"/u/by-"+post))(w, r)
			return
		}
		document(rig.ActivityJSON, host.actor(host.url+r.URL.Path, "Person", map[string]any{"name": author}))(w, r)
	}
}

// judge holds that a host was asked, and once a second at the most: 100 times in all.
func (f *fetches) judge(host string) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.at)
	if n < 10 {
		return n, fmt.Errorf("%d fetches of %s: that was no flood", n, host)
	}
	took := f.at[n-1].Sub(f.at[0])
	if n > 100 || float64(n) > took.Seconds()+5 {
		return n, fmt.Errorf("%d fetches of %s within %s", n, host, took)
	}
	for i := range n {
		// An object and its author are asked for together.
		within := slices.IndexFunc(f.at[i:], func(at time.Time) bool { return at.Sub(f.at[i]) > 10*time.Second })
		if within < 0 {
			within = n - i
		}
		if within > 12 {
			return n, fmt.Errorf("%d fetches of %s within ten seconds", within, host)
		}
	}
	return n, nil
}

// announcesOfWhoIsFollowed is the same flood by a host that the node follows, one in
// three of its own posts: what it names is fetched, at a pace that harms nobody, and
// what others name is not behind it.
func announcesOfWhoIsFollowed(t *trial) error {
	if t.taken == 0 {
		return errors.New("not one is taken")
	}
	t.quiet(t.victim())
	if n := t.victim().askedBelow("/n/"); n != 0 {
		return fmt.Errorf("%d requests to an innocent host, for a stranger", n)
	}
	loud, err := t.guest("loud.test")
	if err != nil {
		return err
	}
	calm, err := t.guest("calm.test")
	if err != nil {
		return err
	}
	if err := t.follow(t.ctx, loud.host); err != nil {
		return err
	}
	var victims, own, others fetches
	t.victim().anything, loud.anything, calm.anything = victims.serve(t.victim()), own.serve(loud), others.serve(calm)
	actor, sg, err := quickAt(loud, "loud")
	if err != nil {
		return err
	}
	start := time.Now()
	t.taken = 0
	if _, err := t.many(10_000, func(i int) (*request, signing, []byte) {
		host := t.victim().url
		if i%3 == 2 {
			host = loud.url
		}
		body := announcement(actor, i, fmt.Sprintf("%s/n/c%d", host, i))
		return inboxRequest(t.routes["SHARED_INBOX"], body), sg, body
	}); err != nil {
		return err
	}
	sent, taken := time.Since(start), t.taken
	errHonest := errors.Join(t.promptly(calm.url+"/n/honest"), t.promptly(t.victim().url+"/n/honest"))
	select {
	case <-time.After(announcesFor - time.Since(start)):
	case <-t.ctx.Done():
		return t.ctx.Err()
	}
	atVictim, errVictim := victims.judge("victim.test")
	atOwn, errOwn := own.judge("the host that announces")
	minutes := time.Since(start).Minutes()
	t.suite.Figure("announces_taken_of_10000", taken, fmt.Sprintf("sent in %s", sent.Round(time.Second)))
	t.suite.Figure("announces_fetches_of_the_victim", float64(atVictim)/minutes, "requests/min")
	t.suite.Figure("announces_fetches_of_who_announces", float64(atOwn)/minutes, "requests/min")
	// The block ends what is still to be fetched for it.
	return errors.Join(errVictim, errOwn, errHonest, t.forget(loud.host))
}

// promptly has an honest host name a post, which is fetched at once.
func (t *trial) promptly(post string) error {
	began := time.Now()
	takeBack, err := t.announce(post)
	if err != nil {
		return err
	}
	if err := t.held(post, true); err != nil {
		return fmt.Errorf("named by an honest host meanwhile: %w", err)
	}
	t.suite.Figure("announced_by_an_honest_host_ms", ms(time.Since(began)), "ms")
	return takeBack()
}
