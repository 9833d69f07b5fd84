// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
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
		"FLOOD-010": {changes: true, send: announces, after: announcesOfWhoIsFollowed},
	}
}

// quick makes an actor of evil whose key signs thousands a second.
func (t *trial) quick(name string) (actor string, sg signing, err error) {
	return quickAt(t.evil(), name)
}

func quickAt(f *fake, name string) (actor string, sg signing, err error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", sg, err
	}
	text, err := publicPEM(public)
	if err != nil {
		return "", sg, err
	}
	id := f.url + "/u/" + name
	actor = f.putActor("/u/"+name, "Person", map[string]any{"publicKey": map[string]string{"id": id + "#main-key", "owner": id, "publicKeyPem": text}})
	return actor, signing{keyID: id + "#main-key", quick: private}, nil
}

// flood sends 2,000 valid activities a second, while an honest peer sends one. A
// machine that cannot keep up sends them all the same, in more time.
func flood(t *trial) (int, error) {
	const seconds = 60
	perSecond, err := t.written(2000)
	if err != nil {
		return 0, err
	}
	if _, err := t.written(seconds); err != nil {
		return 0, err
	}
	total := int64(perSecond * seconds)
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: t.authority.Pool}, MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64,
	}}
	defer client.CloseIdleConnections()
	actor, sg, err := t.quick("flood")
	if err != nil {
		return 0, err
	}
	var next, sent, taken, refused, bad atomic.Int64
	var wrong atomic.Value
	var took timings
	start := time.Now()
	ctx, stop := context.WithDeadline(t.ctx, start.Add(3*seconds*time.Second))
	defer stop()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for i := next.Add(1); i <= total && ctx.Err() == nil; i = next.Add(1) {
				time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / time.Duration(perSecond))))
				body := fmt.Appendf(nil, `{"@context":"%s","id":"https://evil.test/flood/%d","type":"Like","actor":"%s","object":"%s"}`, rig.ASContext, i, actor, t.object)
				status, header, err := t.over(client, sg, body)
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
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for under := true; under; {
		if err := t.honest(t.ctx, &took); err != nil {
			return 0, fmt.Errorf("during the flood: %w", err)
		}
		select {
		case <-done:
			under = false
		case <-time.After(time.Second):
		}
	}
	t.suite.Figure("flood_taken", taken.Load(), "activities")
	t.suite.Figure("flood_per_second", float64(sent.Load())/time.Since(start).Seconds(), "activities/s")
	t.suite.Figure("flood_refused_429", refused.Load(), "activities")
	t.suite.Figure("flood_honest_max_ms", ms(percentile(took.delays, 100)), "ms")
	switch {
	case bad.Load() > 0:
		return 0, fmt.Errorf("%d answers are wrong, such as %v", bad.Load(), wrong.Load())
	case sent.Load() != total:
		return 0, fmt.Errorf("%d of %d were sent in %s", sent.Load(), total, time.Since(start))
	case taken.Load() == 0:
		return 0, errors.New("not one of the flood is taken: that was none")
	case refused.Load() == 0:
		return 0, fmt.Errorf("%d sent, and nobody was told to wait", sent.Load())
	}
	time.Sleep(10 * time.Second) // what it may send comes back evenly
	return 0, nil
}

// over posts a signed activity over a connection that is kept.
func (t *trial) over(client *http.Client, sg signing, body []byte) (int, http.Header, error) {
	q := inboxRequest(t.routes["SHARED_INBOX"], body)
	if err := sg.sign(q, body, time.Now()); err != nil {
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

// fewReports holds that the same complaint made again and again is one, and that
// what moderators read is there within a second.
func fewReports(t *trial) error {
	if t.taken < 2 {
		return fmt.Errorf("%d are taken: nothing came twice", t.taken)
	}
	items, err := t.items(t.ctx, "held")
	if err != nil {
		return err
	}
	reports := 0
	for _, item := range items {
		if item["kind"] == "report" && item["about"] == t.object && strings.HasPrefix(fmt.Sprint(item["ref"]), t.evil().url+"/") {
			reports++
		}
	}
	if reports != 1 {
		return fmt.Errorf("%d reports of one actor about one record, want 1", reports)
	}
	best := time.Hour
	for range 3 { // as quick does: others work on this machine too
		got, err := t.asked("/api/v1/moderation?kind=report", [2]string{"Authorization", "Bearer " + t.node.Token})
		if err != nil || got.status != http.StatusOK || !bytes.Contains(got.body, []byte(t.object)) {
			return fmt.Errorf("what moderators read: %+v, %w", got, err)
		}
		best = min(best, got.took)
	}
	if best > time.Second {
		return fmt.Errorf("what moderators read is there after %s", best)
	}
	return nil
}
