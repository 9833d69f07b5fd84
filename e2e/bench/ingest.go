// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"essaim/e2e/rig"
)

const (
	ingestActors = 50
	ingestCount  = 6000
)

// inboundMetric is how many activities wait to be applied.
const inboundMetric = "essaim_inbox_waiting"

// ingest measures signed activities over TLS keep-alive, signed beforehand:
// until the durable 202, and until all are applied.
func (b *bench) ingest() error {
	node, err := b.started("ingest", true)
	if err != nil {
		return err
	}
	defer node.Kill()
	return b.ingestInto(node, "ingest")
}

func (b *bench) ingestInto(node *rig.Node, name string) error {
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
	if err := b.follow(node, peer); err != nil {
		return err
	}
	notes := make([]shot, ingestCount)
	for i := range notes {
		notes[i] = reply(peer, name, local.ID, i)
	}
	records := make([]shot, ingestCount)
	for i := range records {
		doc := peerRecord(peer, name, i)
		records[i] = shot{peer.Actor("territory"), peer.Activity("Create", fmt.Sprintf("%s-record-%d", name, i), peer.Actor("territory"), doc, nil)}
	}
	if err := b.volley(node, peer, name+"_note", notes); err != nil {
		return err
	}
	if err := b.volley(node, peer, name+"_record", records); err != nil {
		return err
	}
	return b.volley(node, peer, name+"_repeated", records[:ingestCount/2])
}

// shot is one activity and who signs it.
type shot struct {
	actor string
	body  []byte
}

// volley sends the shots on 16 connections and waits until nothing waits.
func (b *bench) volley(node *rig.Node, peer *rig.Peer, name string, shots []shot) error {
	reqs, err := b.signed(node, peer, len(shots), func(i int) shot { return shots[i] })
	if err != nil {
		return err
	}
	client := b.client()
	defer client.CloseIdleConnections()
	if err := fire(client, reqs[:1]); err != nil { // keys are fetched once, outside of the figure
		return err
	}
	before, err := node.CPU()
	if err != nil {
		return err
	}
	start := time.Now()
	if err := parallel(16, len(reqs)-1, func(i int) error { return fire(client, reqs[i+1:i+2]) }); err != nil {
		return err
	}
	durable := time.Since(start)
	if err := rig.Eventually(2*time.Minute, func() error { return idle(b.ctx, node) }); err != nil {
		return err
	}
	applied := time.Since(start)
	after, err := node.CPU()
	if err != nil {
		return err
	}
	n := float64(len(reqs) - 1)
	b.line(name+"_durable", n/durable.Seconds(), "activities/s", "verify", b.ceilings.verifies)
	b.line(name+"_applied", n/applied.Seconds(), "activities/s", "verify", b.ceilings.verifies)
	b.line(name+"_cpu", (after-before).Seconds()*1000/n, "ms CPU each", "verify (ms)", 1000/b.ceilings.verifies)
	return nil
}

func idle(ctx context.Context, node *rig.Node) error {
	waiting, err := node.Metric(ctx, inboundMetric)
	if err != nil {
		return err
	}
	if waiting > 0 {
		return fmt.Errorf("%.0f activities wait", waiting)
	}
	return nil
}

func fire(client *http.Client, reqs []*http.Request) error {
	for _, req := range reqs {
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		answer, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return err
		}
		if resp.StatusCode/100 != 2 {
			return fmt.Errorf("%s: %.200s", resp.Status, answer)
		}
	}
	return nil
}

// parallel runs f for 0 ≤ i < n on some goroutines and gives the first error.
func parallel(workers, n int, f func(int) error) error {
	var next atomic.Int64
	var first atomic.Value
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || first.Load() != nil {
					return
				}
				if err := f(i); err != nil {
					first.CompareAndSwap(nil, fmt.Errorf("%d of %d: %w", i, n, err))
				}
			}
		})
	}
	wg.Wait()
	err, _ := first.Load().(error)
	return err
}

// follow makes the node follow the peer, so that its records are kept.
func (b *bench) follow(node *rig.Node, peer *rig.Peer) error {
	peer.OnInbox(func(w http.ResponseWriter, _ *http.Request, body []byte) {
		if bytes.Contains(body, []byte(`"Follow"`)) {
			accept := peer.Activity("Accept", "accept", peer.Actor("node"), rawJSON(body), nil)
			go func() { _, _ = peer.Post(b.ctx, node.URL+"/inbox", peer.Actor("node"), accept) }() // its effect is waited for
		}
		w.WriteHeader(http.StatusAccepted)
	})
	if _, err := node.Run(b.ctx, "peer", "follow", "--data", node.Dir, rig.Host(peer.URL)); err != nil {
		return err
	}
	return rig.Eventually(20*time.Second, func() error {
		out, err := node.Run(b.ctx, "peer", "list", "--data", node.Dir, "--json")
		if err == nil && !strings.Contains(out, `"followed"`) {
			err = fmt.Errorf("not followed: %s", out)
		}
		return err
	})
}

type rawJSON []byte

// MarshalJSON writes the bytes as they are.
func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

// publish creates a record by the API.
func (b *bench) publish(node *rig.Node, title string) (rig.Listed, error) {
	var made rig.Listed
	err := node.API(b.ctx, http.MethodPost, "initiatives", map[string]any{
		"title": title, "tagline": "Pour la mesure.", "description": strings.Repeat("Une phrase de la fiche. ", 40),
		"themes": []string{"reemploi"}, "places": []map[string]any{{"insee": "29019"}},
	}, &made)
	return made, err
}

func peerRecord(peer *rig.Peer, name string, i int) map[string]any {
	return map[string]any{
		"@context": []any{rig.ASContext, map[string]string{"essaim": "https://w3id.org/essaim#", "dcterms": "http://purl.org/dc/terms/"}},
		"id":       fmt.Sprintf("%s/objects/%s-%d", peer.URL, name, i), "type": "Article", "attributedTo": peer.Actor("territory"),
		"name": fmt.Sprintf("Fiche mesurée %d de %s", i, name), "summary": "<p>Une fiche venue d'ailleurs.</p>",
		"content":   "<p>" + strings.Repeat("Une phrase de la fiche distante. ", 60) + "</p>",
		"mediaType": "text/html", "url": fmt.Sprintf("%s/initiatives/%s-%d", peer.URL, name, i),
		"published": "2026-01-01T00:00:00Z", "updated": "2026-01-01T00:00:00Z", "to": []string{rig.Public},
		"essaim:kind": "initiative", "essaim:revision": 1, "essaim:incarnation": 1, "essaim:tagline": "Une fiche venue d'ailleurs.",
		"essaim:themes": []string{"https://w3id.org/essaim/themes#reemploi"}, "essaim:territory": peer.Actor("territory"),
		"dcterms:license": "https://creativecommons.org/licenses/by-sa/4.0/",
		"location":        map[string]any{"type": "Place", "name": "Brest", "latitude": 48.39, "longitude": -4.48},
	}
}
