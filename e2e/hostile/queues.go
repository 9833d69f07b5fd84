// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"time"

	"essaim/e2e/rig"
)

// hungInbox has 200 followers whose inboxes, each its own, never answer, and 20
// hosts that do, and publishes until 10,000 deliveries wait for those that do not. What is
// published then is with the others in time.
func hungInbox(t *trial) (int, error) {
	const hung, calm = 200, 20
	queued, err := t.written(10_000)
	if err != nil {
		return 0, err
	}
	release := make(chan struct{})
	defer close(release)
	t.evil().setInbox(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	for i := range hung {
		actor := t.evil().putActor(fmt.Sprintf("/u/hung%d", i), "Person", map[string]any{"endpoints": nil})
		// A host that asks too much is told to wait.
		if err := rig.Eventually(time.Minute, func() error {
			return t.post(t.ctx, t.evil(), actor, "Follow", t.names["ALICE"], nil)
		}); err != nil {
			return 0, err
		}
	}
	var honest []*fake
	for i := range calm {
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
	// publish gives when each of the hosts that answer had it.
	publish := func(title string) (took func() ([]time.Duration, error), err error) {
		start := time.Now()
		made, err := t.publish(title)
		t.inputs.Add(hung + calm) // what is published is sent to each: the node's own doing
		return func() (all []time.Duration, err error) {
			for _, f := range honest {
				at, ok := f.gotAt("Create", made.ID)
				if !ok {
					return nil, fmt.Errorf("%s has not %s yet", f.host, made.ID)
				}
				all = append(all, at.Sub(start))
			}
			return all, nil
		}, err
	}
	start := time.Now()
	for i := range queued / hung {
		took, err := publish(fmt.Sprintf("Fiche %d pendant qu’on se tait", i))
		if err != nil {
			return 0, err
		}
		if i+1 < queued/hung {
			continue
		}
		if err := rig.Eventually(time.Minute, func() error {
			_, err := took()
			return err
		}); err != nil {
			return 0, err
		}
	}
	t.suite.Figure("hung_inbox_all_published_ms", ms(time.Since(start)), "ms")
	last, err := publish("Fiche de plus pendant qu’on se tait")
	if err != nil {
		return 0, err
	}
	var took []time.Duration
	err = rig.Eventually(10*time.Second, func() (err error) {
		took, err = last()
		return err
	})
	t.suite.Figure("hung_inbox_honest_p95_ms", ms(percentile(took, 95)), "ms")
	if p95 := percentile(took, 95); err != nil || p95 > 5*time.Second {
		return 0, fmt.Errorf("p95 %s of %d deliveries to hosts that answer: %w", p95, len(took), err)
	}
	waiting, err := t.node.Metric(t.ctx, "essaim_deliveries_waiting")
	if err != nil {
		return 0, err
	}
	t.suite.Figure("hung_inbox_waiting", waiting, "deliveries")
	n, err := t.node.Metric(t.ctx, "go_goroutines")
	if err != nil {
		return 0, err
	}
	files, err := t.node.Metric(t.ctx, "process_open_fds")
	// The client keeps 256 connections at the most, whatever waits, and has eight to a
	// host (federation/fetch); each has two goroutines.
	const connections = 256 + 8
	t.suite.Figure("hung_inbox_goroutines", n, "")
	t.suite.Figure("hung_inbox_files", files, "")
	switch {
	case err != nil:
		return 0, err
	case files > connections+100:
		return 0, fmt.Errorf("%v open files", files)
	case waiting < float64(queued):
		return 0, fmt.Errorf("%v deliveries wait, want %d", waiting, queued)
	case n > t.goroutines+2*connections+100:
		return 0, fmt.Errorf("%v goroutines", n)
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

// followAndUndo flips a follow 10,000 times in order, without heeding that it is
// told to wait, and then once more until both are taken.
func followAndUndo(t *trial) (int, error) {
	turns, err := t.written(10_000)
	if err != nil {
		return 0, err
	}
	before, err := t.total(t.ctx, t.names["ALICE"]+"/followers")
	if err != nil {
		return 0, err
	}
	actor, sg, err := t.quick("flip")
	if err != nil {
		return 0, err
	}
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: t.authority.Pool}}}
	defer client.CloseIdleConnections()
	follows, undone, waited := 0, 0, 0
	send := func(body string) (bool, error) {
		status, header, err := t.over(client, sg, []byte(body))
		switch {
		case err != nil:
			return false, err
		case status == http.StatusTooManyRequests && header.Get("Retry-After") != "":
			waited++
			return false, nil
		case status/100 != 2:
			return false, fmt.Errorf("a flip is answered %d", status)
		}
		return true, nil
	}
	flip := func(i int) (follow, undo string) {
		follow = fmt.Sprintf(`{"@context":"%s","id":"https://evil.test/flip/%d","type":"Follow","actor":"%s","object":"%s"}`, rig.ASContext, i, actor, t.names["ALICE"])
		return follow, fmt.Sprintf(`{"@context":"%s","id":"https://evil.test/unflip/%d","type":"Undo","actor":"%s","object":%s}`, rig.ASContext, i, actor, follow)
	}
	for i := range turns {
		follow, undo := flip(i)
		for _, step := range []struct {
			body  string
			count *int
		}{{follow, &follows}, {undo, &undone}} {
			taken, err := send(step.body)
			if err != nil {
				return 0, err
			}
			if taken {
				*step.count++
			}
		}
	}
	t.suite.Figure("flips_told_to_wait", waited, "answers")
	follow, undo := flip(turns)
	for _, body := range []string{follow, undo} {
		if err := rig.Eventually(time.Minute, func() error {
			taken, err := send(body)
			if err == nil && !taken {
				err = errors.New("it is still told to wait")
			}
			return err
		}); err != nil {
			return 0, err
		}
	}
	follows++
	if err := rig.Eventually(10*time.Second, func() error {
		n, err := t.total(t.ctx, t.names["ALICE"]+"/followers")
		if err == nil && n != before {
			err = fmt.Errorf("%d followers, want %d", n, before)
		}
		return err
	}); err != nil {
		return 0, err
	}
	t.suite.Figure("flips_taken", follows+undone, "activities")
	if n := len(t.evil().delivered()); n > follows || follows < 2 {
		return 0, fmt.Errorf("%d answers to %d follows", n, follows)
	}
	return 0, t.forget("evil.test") // what still waits for it is not the next item's
}
