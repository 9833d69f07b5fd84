// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"essaim/e2e/rig"
)

// hostile measures the ingest of replies while one request in ten is not what
// it should be: each kind that has to be looked at to be refused.
func (b *bench) hostile() error {
	node, err := b.started("hostile", true)
	if err != nil {
		return err
	}
	defer node.Kill()
	peer, err := rig.NewPeer(nil)
	if err != nil {
		return err
	}
	defer peer.Close()
	peer.Trust(b.ca.Pool)
	local, err := b.publish(node, "Une fiche à commenter")
	if err != nil {
		return err
	}
	if err := b.follow(node, peer); err != nil { // a stranger would be told to wait
		return err
	}
	honest, err := b.signed(node, peer, ingestCount, func(i int) shot { return reply(peer, "hostile", local.ID, i) })
	if err != nil {
		return err
	}
	evil, err := b.signed(node, peer, ingestCount/10, func(i int) shot { return reply(peer, "evil", local.ID, i) })
	if err != nil {
		return err
	}
	for i, req := range evil {
		spoil(req, i)
	}
	client := b.client()
	defer client.CloseIdleConnections()
	if err := fire(client, honest[:1]); err != nil { // keys are fetched once, outside of the figure
		return err
	}
	before, err := node.CPU()
	if err != nil {
		return err
	}
	var refused, taken atomic.Int64
	start := time.Now()
	err = parallel(16, len(honest)-1, func(i int) error {
		if i%10 == 0 && i/10 < len(evil) {
			resp, err := client.Do(evil[i/10])
			if err != nil {
				return err
			}
			resp.Body.Close()
			if resp.StatusCode/100 == 2 {
				taken.Add(1)
			} else {
				refused.Add(1)
			}
		}
		return fire(client, honest[i+1:i+2])
	})
	if err != nil {
		return err
	}
	if err := rig.Eventually(2*time.Minute, func() error { return idle(b.ctx, node) }); err != nil {
		return err
	}
	took := time.Since(start)
	after, err := node.CPU()
	if err != nil {
		return err
	}
	if taken.Load() > 0 || refused.Load() == 0 {
		return fmt.Errorf("%d hostile requests were taken, %d refused", taken.Load(), refused.Load())
	}
	n := float64(len(honest) - 1)
	b.line("ingest_hostile_tenth_applied", n/took.Seconds(), "honest activities/s", "verify", b.ceilings.verifies)
	b.line("ingest_hostile_tenth_cpu", (after-before).Seconds()*1000/n, "ms CPU each honest one", "verify (ms)", 1000/b.ceilings.verifies)
	return nil
}

// reply is a Note in reply to a record.
func reply(peer *rig.Peer, name, to string, i int) shot {
	actor := peer.Actor(fmt.Sprintf("p%d", i%ingestActors))
	return shot{actor, peer.Activity("Create", fmt.Sprintf("%s-note-%d", name, i), actor, map[string]any{
		"id": fmt.Sprintf("%s/notes/%s-%d", peer.URL, name, i), "type": "Note", "attributedTo": actor, "inReplyTo": to,
		"content":   "<p>" + strings.Repeat("Une phrase de commentaire, sans rien de particulier. ", 50) + "</p>",
		"published": "2026-01-01T00:00:00Z", "to": []string{rig.Public},
	}, nil)}
}

// spoil makes a signed request hostile, in turn in one of the ways of its class.
func spoil(req *http.Request, i int) {
	switch i % 6 {
	case 0: // another body than was signed
		replaceBody(req, func(body []byte) []byte { return bytes.Replace(body, []byte("commentaire"), []byte("COMMENTAIRE"), 1) })
	case 1: // a signature of nothing
		req.Header.Set("Signature", strings.Replace(req.Header.Get("Signature"), `signature="`, `signature="AAAA`, 1))
	case 2: // an old one
		req.Header.Set("Date", "Thu, 01 Jan 2015 00:00:00 GMT")
	case 3: // the same name twice
		replaceBody(req, func(body []byte) []byte {
			return bytes.Replace(body, []byte(`"actor":`), []byte(`"actor":"https://elsewhere.example/a","actor":`), 1)
		})
	case 4: // nested too deeply
		replaceBody(req, func(body []byte) []byte {
			return bytes.Replace(body, []byte(`{`), []byte(`{"x":`+strings.Repeat("[", 500)+strings.Repeat("]", 500)+`,`), 1)
		})
	case 5: // no signature
		req.Header.Del("Signature")
	}
}

func replaceBody(req *http.Request, change func([]byte) []byte) {
	var old bytes.Buffer
	_, _ = old.ReadFrom(req.Body) // a reader of bytes does not fail
	body := change(old.Bytes())
	*req = *withBody(req, body)
}

func withBody(req *http.Request, body []byte) *http.Request {
	header := req.Header
	again, err := http.NewRequestWithContext(req.Context(), req.Method, req.URL.String(), bytes.NewReader(body))
	if err != nil {
		panic(err) // the address was good a moment ago
	}
	again.Header = header
	return again
}

// keystorm measures many strangers at once: each signature needs a key that was
// never fetched. Then one stranger on many connections, and strangers whose
// hosts never answer, beside a peer whose key is known.
func (b *bench) keystorm() error {
	node, err := b.started("keystorm", true)
	if err != nil {
		return err
	}
	defer node.Kill()
	local, err := b.publish(node, "Une fiche à aimer")
	if err != nil {
		return err
	}
	peer, err := rig.NewPeer(nil)
	if err != nil {
		return err
	}
	defer peer.Close()
	peer.Trust(b.ca.Pool)
	strangers, stop, err := b.strangers(peer, 50, 0)
	if err != nil {
		return err
	}
	defer stop()
	const count = 2000
	like := func(actor string, i int) shot {
		body := peer.Activity("Like", "", actor, local.ID, map[string]any{"id": fmt.Sprintf("%s/likes/%d", actor, i)})
		return shot{actor, body}
	}
	if err := b.storm(node, peer, "keystorm_strangers", count, strangers, func(i int) shot { return like(strangers.actor(i), i) }); err != nil {
		return err
	}
	return b.storm(node, peer, "keystorm_one", count, strangers, func(i int) shot { return like(strangers.actor(count), i) })
}

// storm sends count requests at once over 64 connections.
func (b *bench) storm(node *rig.Node, peer *rig.Peer, name string, count int, hosts *strangers, make func(int) shot) error {
	reqs, err := b.signed(node, peer, count, make)
	if err != nil {
		return err
	}
	client := b.client()
	defer client.CloseIdleConnections()
	fetched := hosts.fetched.Load()
	before, err := node.CPU()
	if err != nil {
		return err
	}
	start := time.Now()
	var away atomic.Int64
	err = parallel(64, count, func(i int) error {
		for range 20 { // an honest sender asks again when it is told to
			resp, err := client.Do(reqs[i])
			if err != nil {
				return err
			}
			resp.Body.Close()
			switch {
			case resp.StatusCode/100 == 2:
				return nil
			case resp.StatusCode != http.StatusServiceUnavailable && resp.StatusCode != http.StatusTooManyRequests:
				return fmt.Errorf("a stranger's Like: %s", resp.Status)
			}
			away.Add(1)
			time.Sleep(time.Second)
			reqs[i].Body, err = reqs[i].GetBody()
			if err != nil {
				return err
			}
		}
		return errors.New("a stranger's Like is refused again and again")
	})
	if err != nil {
		return err
	}
	took := time.Since(start)
	after, err := node.CPU()
	if err != nil {
		return err
	}
	b.line(name, float64(count)/took.Seconds(), "activities/s to durable", "verify", b.ceilings.verifies)
	b.line(name+"_cpu", (after-before).Seconds()*1000/float64(count), "ms CPU each", "", 0)
	b.line(name+"_fetches", float64(hosts.fetched.Load()-fetched), fmt.Sprintf("documents fetched for %d requests", count), "", 0)
	b.line(name+"_asked_again", float64(away.Load()), "answers 429 or 503", "", 0)
	return nil
}

// strangers are hosts that serve any actor, and count how often they are asked.
type strangers struct {
	bases   []string
	fetched atomic.Int64
}

func (s *strangers) actor(i int) string {
	return fmt.Sprintf("%s/actors/%d", s.bases[i%len(s.bases)], i)
}

func (b *bench) strangers(peer *rig.Peer, hosts int, slow time.Duration) (*strangers, func(), error) {
	s := &strangers{}
	var stops []func()
	stop := func() {
		for _, f := range stops {
			f()
		}
	}
	for h := range hosts {
		var base string
		l, err := listen(h)
		if err != nil {
			stop()
			return nil, nil, err
		}
		base = "https://" + l.Addr().String()
		server := b.server([]string{"http/1.1"}, func(w http.ResponseWriter, r *http.Request) {
			s.fetched.Add(1)
			time.Sleep(slow)
			peer.WriteActor(w, base+r.URL.Path)
		})
		go func() { _ = server.ServeTLS(l, "", "") }() // ends with stop
		stops = append(stops, func() { _ = server.Close() })
		s.bases = append(s.bases, base)
	}
	return s, stop, nil
}

// signed makes and signs requests to the node's inbox.
func (b *bench) signed(node *rig.Node, peer *rig.Peer, n int, make func(int) shot) ([]*http.Request, error) {
	reqs := newRequests(n)
	err := parallel(2, n, func(i int) error {
		s := make(i)
		req, err := http.NewRequestWithContext(b.ctx, http.MethodPost, node.URL+"/inbox", bytes.NewReader(s.body))
		if err != nil {
			return err
		}
		reqs[i] = req
		return peer.Sign(req, s.actor, s.body)
	})
	return reqs, err
}

func newRequests(n int) []*http.Request { return make([]*http.Request, n) }

// client sends over 16 connections that stay open, or more when asked at once.
func (b *bench) client() *http.Client {
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: b.ca.Pool}, MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64,
	}}
}
