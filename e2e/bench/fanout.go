// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"essaim/e2e/rig"
)

const (
	fanHosts   = 8
	fanInboxes = 1000
	fanSilent  = 100

	// A territory that many follow: followers share inboxes, as on large servers.
	wideHosts     = 50
	wideInboxes   = 2000
	wideFollowers = 10000
)

// fanout measures one publication to 1,000 inboxes on 8 hosts: all well, with 100
// of them on a host that takes connections and never answers, and with these 100
// spread over all hosts; over HTTP/1.1 and over HTTP/2.
func (b *bench) fanout() error {
	for _, proto := range []string{"http1", "http2"} {
		for _, c := range []struct {
			name string
			crowd
		}{
			{"", crowd{hosts: fanHosts, inboxes: fanInboxes, followers: fanInboxes}},
			{"_100_silent", crowd{hosts: fanHosts, inboxes: fanInboxes, followers: fanInboxes, silent: fanSilent}},
			{"_100_silent_spread", crowd{hosts: fanHosts, inboxes: fanInboxes, followers: fanInboxes, silent: fanSilent, spread: true}},
		} {
			name := "fanout_" + proto + c.name
			if err := b.fanoutOnce(name, c.crowd, proto == "http2"); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return b.fanoutOnce("fanout_10000", crowd{hosts: wideHosts, inboxes: wideInboxes, followers: wideFollowers}, false)
}

// crowd is who follows: with more followers than inboxes these are shared; the
// silent ones have the last host for themselves, or are spread over all.
type crowd struct {
	hosts, inboxes, followers, silent int
	spread                            bool
}

// swarm is the followers' side: hosts that each serve their part of the actors.
type swarm struct {
	hosts    []string
	received sync.Map // inbox path of the current publication → true
	count    atomic.Int64
	doubles  atomic.Int64
	title    atomic.Value
	release  chan struct{}
	share    int // shared inboxes; 0 when each has its own
	crowd
}

func (b *bench) fanoutOnce(name string, c crowd, http2 bool) error {
	node, err := b.node(name, false)
	if err != nil {
		return err
	}
	if err := node.Start(b.ctx); err != nil {
		return err
	}
	defer node.Kill()
	peer, err := rig.NewPeer(nil) // lends its key and its signature to the actors
	if err != nil {
		return err
	}
	defer peer.Close()
	sw := &swarm{release: make(chan struct{}), crowd: c}
	if c.followers > c.inboxes {
		sw.share = c.inboxes / c.hosts
	}
	sw.title.Store("")
	defer close(sw.release)
	for h := range c.hosts {
		stop, err := b.host(sw, peer, h, http2)
		if err != nil {
			return err
		}
		defer stop()
	}
	local, err := b.publish(node, "La première")
	if err != nil {
		return err
	}
	territory, err := rig.Author(b.ctx, local.ID)
	if err != nil {
		return err
	}
	err = parallel(8, c.followers, func(i int) error {
		actor := sw.actor(i)
		follow := peer.Activity("Follow", "", actor, territory, map[string]any{"id": actor + "#follow"})
		_, err := peer.Post(b.ctx, node.URL+"/inbox", actor, follow)
		return err
	})
	if err != nil {
		return err
	}
	healthy := c.followers - c.silent
	err = rig.Eventually(3*time.Minute, func() error {
		total, err := rig.Total(b.ctx, territory+"/followers")
		if err == nil && total != c.followers {
			err = fmt.Errorf("%d followers of %d", total, c.followers)
		}
		if err == nil && int(sw.count.Load()) < healthy {
			err = fmt.Errorf("%d Accepts of %d", sw.count.Load(), healthy)
		}
		return err
	})
	if err != nil {
		return err
	}
	return b.measureFanout(name, node, sw, c.inboxes-c.silent)
}

func (b *bench) measureFanout(name string, node *rig.Node, sw *swarm, healthy int) error {
	sw.count.Store(0)
	sw.received.Clear()
	sw.title.Store("À tous " + name)
	before, err := node.CPU()
	if err != nil {
		return err
	}
	if _, err := b.publish(node, "À tous "+name); err != nil {
		return err
	}
	start := time.Now() // from the API's 201, when the publication is durable
	err = rig.Eventually(150*time.Second, func() error {
		if n := int(sw.count.Load()); n < healthy {
			return fmt.Errorf("%d of %d healthy inboxes have it", n, healthy)
		}
		return nil
	})
	if err != nil {
		return err
	}
	took := time.Since(start)
	after, err := node.CPU()
	if err != nil {
		return err
	}
	sign := 1000 / b.ceilings.signs
	b.line(name, took.Seconds(), fmt.Sprintf("s until %d healthy inboxes have it", healthy), "signatures on 2 cores (s)", float64(healthy)*sign/2000)
	b.line(name+"_cpu", (after-before).Seconds()*1000/float64(healthy), "ms CPU a delivery", "one signature (ms)", sign)
	// A try that is given up for want of an answer may have arrived.
	if d := sw.doubles.Load(); d*100 > int64(healthy) {
		return fmt.Errorf("%d of %d deliveries came twice", d, healthy)
	}
	return nil
}

// actor is the id of follower i.
func (sw *swarm) actor(i int) string {
	h := i % len(sw.hosts)
	if sw.silent > 0 && !sw.spread {
		h = len(sw.hosts) - 1
		if !sw.isSilent(i) {
			h = i % (len(sw.hosts) - 1)
		}
	}
	if sw.share > 0 {
		i /= len(sw.hosts) // so that each host's shared inboxes are all used
	}
	return fmt.Sprintf("%s/actors/%d", sw.hosts[h], i)
}

// isSilent tells whether follower i never answers a POST: the first ones, or so many
// anywhere among all (37 has no factor in common with a thousand).
func (sw *swarm) isSilent(i int) bool {
	if sw.spread {
		i = i * 37 % sw.followers
	}
	return i < sw.silent
}

// hangs tells whether who has an inbox of this path never answers a POST.
func (sw *swarm) hangs(path string) bool {
	path, _ = strings.CutPrefix(path, "/actors/")
	path, _, _ = strings.Cut(path, "/")
	i, err := strconv.Atoi(path)
	return err == nil && sw.isSilent(i)
}

// host serves actors with an inbox each; a silent one never answers a POST.
func (b *bench) host(sw *swarm, peer *rig.Peer, h int, http2 bool) (stop func(), err error) {
	l, err := listen(h)
	if err != nil {
		return nil, err
	}
	base := "https://" + l.Addr().String()
	sw.hosts = append(sw.hosts, base)
	protos := []string{"http/1.1"}
	if http2 {
		protos = []string{"h2", "http/1.1"}
	}
	server := b.server(protos, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			sw.writeActor(w, peer, base, r.URL.Path)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the sender went away: nothing was received
		}
		if sw.hangs(r.URL.Path) {
			select {
			case <-sw.release:
			case <-r.Context().Done():
			}
			return
		}
		sw.note(base+r.URL.Path, body)
		w.WriteHeader(http.StatusAccepted)
	})
	go func() { _ = server.ServeTLS(l, "", "") }() // ends with stop
	return func() { _ = server.Close() }, nil
}

// writeActor serves an actor; with sharing, several have one inbox.
func (sw *swarm) writeActor(w http.ResponseWriter, peer *rig.Peer, base, path string) {
	i, err := strconv.Atoi(path[strings.LastIndexByte(path, '/')+1:])
	if sw.share == 0 || err != nil {
		peer.WriteActor(w, base+path)
		return
	}
	peer.WriteSharing(w, base+path, fmt.Sprintf("%s/shared/%d", base, i%sw.share))
}

// listen opens host h: the certificate holds for 31 addresses, each has ports.
func listen(h int) (net.Listener, error) {
	return net.Listen("tcp", fmt.Sprintf("127.0.0.%d:0", h%30+2))
}

func (b *bench) server(protos []string, handler http.HandlerFunc) *http.Server {
	server := &http.Server{
		ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0), Handler: handler,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{b.ca.Certificate}, NextProtos: protos},
	}
	if protos[0] != "h2" {
		server.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
	}
	return server
}

// note counts Accepts, then, once a title is set, the publication of that title.
func (sw *swarm) note(inbox string, body []byte) {
	title := sw.title.Load().(string)
	if title == "" {
		if strings.Contains(string(body), `"Accept"`) {
			sw.count.Add(1)
		}
		return
	}
	var a struct {
		Object struct {
			Name string `json:"name"`
		} `json:"object"`
	}
	if json.Unmarshal(body, &a) != nil || a.Object.Name != title {
		return
	}
	if _, twice := sw.received.LoadOrStore(inbox, true); twice {
		sw.doubles.Add(1)
		return
	}
	sw.count.Add(1)
}
