// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"essaim/e2e/rig"
)

// floodSpecials are too much of what is allowed.
func floodSpecials() map[string]special {
	return map[string]special{
		"FLOOD-001": {changes: true, send: flood},
		"FLOOD-003": {send: poisoned},
		"FLOOD-004": {changes: true, send: hungInbox},
		"FLOOD-006": {send: followAndUndo},
		"FLOOD-007": {changes: true, send: saysNo},
		"FLOOD-009": {changes: true, send: func(t *trial) (int, error) {
			return t.many(10_000, func(i int) (*request, signing, []byte) {
				body := fmt.Appendf(nil, `{"@context":"%s","id":"https://evil.test/flags/%d","type":"Flag","actor":"%s","object":["%s"],"content":"x"}`,
					rig.ASContext, i, t.actor, t.object)
				return inboxRequest(t.routes["SHARED_INBOX"], body), signing{keyID: t.actor + "#main-key", key: t.signer.key}, body
			})
		}, after: fewReports},
		"FLOOD-010": {send: func(t *trial) (int, error) {
			return t.many(10_000, func(i int) (*request, signing, []byte) {
				body := fmt.Appendf(nil, `{"@context":"%s","id":"https://evil.test/boosts/%d","type":"Announce","actor":"%s","object":"https://victim.test/n/b%d"}`,
					rig.ASContext, i, t.actor, i)
				return inboxRequest(t.routes["SHARED_INBOX"], body), signing{keyID: t.actor + "#main-key", key: t.signer.key}, body
			})
		}, after: func(t *trial) error {
			if t.taken == 0 {
				return errors.New("not one is taken")
			}
			if n := t.quiet(t.victim()); n > 100 {
				return fmt.Errorf("%d requests to an innocent host", n)
			}
			return nil
		}},
	}
}

// flood sends as many valid activities as this machine can, while an honest
// peer sends one a second.
func flood(t *trial) (int, error) {
	seconds := 60
	if t.opt.turn {
		seconds = 5
	}
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: t.authority.Pool}, MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64,
	}}
	defer client.CloseIdleConnections()
	var sent, taken, refused, bad atomic.Int64
	var wrong atomic.Value
	t.actor = "https://evil.test/u/flood"
	var took timings
	end := time.Now().Add(time.Duration(seconds) * time.Second)
	var wg sync.WaitGroup
	for lane := range 16 {
		wg.Go(func() {
			for i := 0; time.Now().Before(end); i++ {
				body := fmt.Appendf(nil, `{"@context":"%s","id":"https://evil.test/flood/%d-%d","type":"Like","actor":"%s","object":"%s"}`, rig.ASContext, lane, i, t.actor, t.object)
				status, header, err := t.over(client, body)
				sent.Add(1)
				switch {
				case err != nil, !t.item.expects(status), (status == 429 || status == 503) && header.Get("Retry-After") == "":
					bad.Add(1)
					wrong.Store(fmt.Sprintf("%d: %v", status, err))
				case status == 429:
					refused.Add(1)
				case status/100 == 2:
					taken.Add(1)
				}
			}
		})
	}
	for time.Now().Before(end) {
		if err := t.honest(t.ctx, &took); err != nil {
			return 0, fmt.Errorf("during the flood: %w", err)
		}
		time.Sleep(time.Second)
	}
	wg.Wait()
	t.suite.Figure("flood_taken", taken.Load(), "activities")
	t.suite.Figure("flood_per_second", float64(sent.Load())/float64(seconds), "activities/s")
	t.suite.Figure("flood_refused_429", refused.Load(), "activities")
	t.suite.Figure("flood_honest_max_ms", ms(percentile(took.delays, 100)), "ms")
	if bad.Load() > 0 {
		return 0, fmt.Errorf("%d answers are wrong, such as %v", bad.Load(), wrong.Load())
	}
	if taken.Load() == 0 {
		return 0, errors.New("not one of the flood is taken: that was none")
	}
	if sent.Load() > 4500 && refused.Load() == 0 {
		return 0, fmt.Errorf("%d sent, and nobody was told to wait", sent.Load())
	}
	if refused.Load() > 0 {
		time.Sleep(10 * time.Second) // what it may send comes back evenly
	}
	return 0, nil
}

// over posts a signed activity over a connection that is kept.
func (t *trial) over(client *http.Client, body []byte) (int, http.Header, error) {
	q := inboxRequest(t.routes["SHARED_INBOX"], body)
	if err := (signing{keyID: t.actor + "#main-key", key: t.signer.key}).sign(q, body, time.Now()); err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequestWithContext(t.ctx, q.method, t.node.URL+q.target, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	for _, h := range q.header {
		if h[0] != "Host" {
			req.Header.Set(h[0], h[1])
		}
	}
	t.inputs.Add(1)
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Header, err
}

// publish makes a record of the node, and gives it.
func (t *trial) publish(title string) (rig.Listed, error) {
	var made rig.Listed
	err := t.node.API(t.ctx, http.MethodPost, "initiatives", map[string]any{
		"title": title, "tagline": "Une fiche de plus.", "description": "Rien de plus.", "themes": []string{"reemploi"},
		"places": []map[string]any{{"insee": "29019"}},
	}, &made)
	return made, err
}

// hungInbox has followers whose inboxes never answer, each its own, and ten
// hosts that do.
func hungInbox(t *trial) (int, error) {
	release := make(chan struct{})
	defer close(release)
	t.evil().setInbox(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	hung := 200
	if t.opt.turn {
		hung = 60
	}
	for i := range hung {
		path := fmt.Sprintf("/u/hung%d", i)
		actor := t.evil().putActor(path, "Person", map[string]any{"endpoints": nil})
		if err := t.post(t.ctx, t.evil(), actor, "Follow", t.names["ALICE"], nil); err != nil {
			// A host that asks too much is told to wait; what is queued suffices.
			if i < 20 {
				return 0, err
			}
			break
		}
	}
	var honest []*fake
	for i := range 10 {
		f, err := t.guest(fmt.Sprintf("calm%d.test", i))
		if err != nil {
			return 0, err
		}
		honest = append(honest, f)
		if err := t.post(t.ctx, f, f.url+"/u/reader", "Follow", t.names["ALICE"], nil); err != nil {
			return 0, err
		}
	}
	if err := t.applied(t.ctx); err != nil {
		return 0, err
	}
	start := time.Now()
	made, err := t.publish("Fiche pendant qu’on se tait")
	if err != nil {
		return 0, err
	}
	err = rig.Eventually(5*time.Second, func() error {
		for _, f := range honest {
			if !f.got("Create", made.ID) {
				return fmt.Errorf("%s has nothing yet", f.host)
			}
		}
		return nil
	})
	t.suite.Figure("hung_inbox_honest_ms", ms(time.Since(start)), "ms")
	if err != nil {
		return 0, err
	}
	n, err := t.node.Metric(t.ctx, "go_goroutines")
	if err == nil && n > t.goroutines+300 {
		err = fmt.Errorf("%v goroutines", n)
	}
	if err != nil {
		return 0, err
	}
	return 0, t.forget("evil.test")
}

// forget has the node drop all that waits for a host, and its follows.
func (t *trial) forget(host string) error {
	if err := t.command("peer", "block", host); err != nil {
		return err
	}
	return t.command("peer", "unblock", host)
}

// followAndUndo flips a follow again and again, in order.
func followAndUndo(t *trial) (int, error) {
	turns := 500
	if t.opt.turn {
		turns = 100
	}
	before, err := t.total(t.ctx, t.names["ALICE"]+"/followers")
	if err != nil {
		return 0, err
	}
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: t.authority.Pool}}}
	defer client.CloseIdleConnections()
	taken, waited := 0, 0
	for i := range turns {
		follow := fmt.Sprintf(`{"@context":"%s","id":"https://evil.test/flip/%d","type":"Follow","actor":"%s","object":"%s"}`, rig.ASContext, i, t.actor, t.names["ALICE"])
		undo := fmt.Sprintf(`{"@context":"%s","id":"https://evil.test/unflip/%d","type":"Undo","actor":"%s","object":%s}`, rig.ASContext, i, t.actor, follow)
		for _, body := range []string{follow, undo} {
			for {
				status, header, err := t.over(client, []byte(body))
				if err != nil {
					return 0, err
				}
				if status/100 == 2 {
					taken++
					break
				}
				if status != http.StatusTooManyRequests || header.Get("Retry-After") == "" {
					return 0, fmt.Errorf("a flip is answered %d", status)
				}
				waited++
				time.Sleep(50 * time.Millisecond) // sooner than it was told: it is hostile
			}
		}
	}
	t.suite.Figure("flips_told_to_wait", waited, "answers")
	want := before
	if err := rig.Eventually(10*time.Second, func() error {
		n, err := t.total(t.ctx, t.names["ALICE"]+"/followers")
		if err == nil && n != want {
			err = fmt.Errorf("%d followers, want %d", n, want)
		}
		return err
	}); err != nil {
		return 0, err
	}
	if n := len(t.evil().delivered()); n > turns {
		return 0, fmt.Errorf("%d answers to %d follows", n, turns)
	}
	t.suite.Figure("flips_taken", taken, "activities")
	return 0, nil
}

// saysNo has followers whose inboxes refuse in each way, and holds the node to
// what each way means.
func saysNo(t *trial) (int, error) {
	answers := map[string]http.HandlerFunc{
		"no429.test": refuses(http.StatusTooManyRequests, "3600"), "no503.test": refuses(http.StatusServiceUnavailable, "3600"),
		"no500.test": refuses(http.StatusInternalServerError, ""), "no404.test": refuses(http.StatusNotFound, ""),
		"no410.test": refuses(http.StatusGone, ""), "no401.test": refuses(http.StatusUnauthorized, ""),
		"nohtml.test": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html>Welcome</html>") // the asker is gone: nobody to tell
		},
	}
	guests := map[string]*fake{}
	for host := range answers {
		f, err := t.guest(host)
		if err != nil {
			return 0, err
		}
		guests[host] = f
		if err := t.post(t.ctx, f, f.url+"/u/reader", "Follow", t.names["ALICE"], nil); err != nil {
			return 0, err
		}
	}
	accepted := func() error {
		for host, f := range guests {
			if len(f.delivered()) == 0 {
				return errors.New("no Accept at " + host)
			}
		}
		return nil
	}
	if err := rig.Eventually(10*time.Second, accepted); err != nil {
		return 0, err
	}
	for host, f := range guests {
		f.clear()
		f.setInbox(answers[host])
	}
	made, err := t.publish("Fiche que personne ne veut")
	if err != nil {
		return 0, err
	}
	if err := rig.Eventually(10*time.Second, func() error {
		for host, f := range guests {
			if !f.got("Create", made.ID) {
				return errors.New("no try at " + host)
			}
		}
		return nil
	}); err != nil {
		return 0, err
	}
	time.Sleep(2 * time.Second) // whoever asks again at once does so now
	for host, f := range guests {
		if n := len(f.delivered()); n > 2 {
			return 0, fmt.Errorf("%d tries at %s within two seconds", n, host)
		}
	}
	out, err := t.node.Run(t.ctx, "queue", "list", "--data", t.node.Dir, "--json")
	if err != nil {
		return 0, err
	}
	for host := range guests {
		if !strings.Contains(out, host) {
			return 0, fmt.Errorf("what %s refused is dropped at once: %.400s", host, out)
		}
	}
	for host := range guests {
		if err := t.forget(host); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

func refuses(status int, after string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if after != "" {
			w.Header().Set("Retry-After", after)
		}
		w.WriteHeader(status)
	}
}

// fewReports holds that the same complaint made again and again is one.
func fewReports(t *trial) error {
	if t.taken == 0 {
		return errors.New("not one is taken")
	}
	if !t.moderates {
		return nil
	}
	start := time.Now()
	out, err := t.node.Run(t.ctx, "moderate", "list", "--data", t.node.Dir, "--json")
	if err != nil {
		return err
	}
	var rows []json.RawMessage
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		return err
	}
	reports := 0
	for _, row := range rows {
		if bytes.Contains(row, []byte("report")) && bytes.Contains(row, []byte("evil.test")) {
			reports++
		}
	}
	if reports > 1 || time.Since(start) > 5*time.Second {
		return fmt.Errorf("%d reports of one actor about one record, listed in %s", reports, time.Since(start))
	}
	return nil
}
