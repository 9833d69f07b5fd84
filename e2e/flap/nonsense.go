// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"essaim/e2e/rig"
)

// nonsense is what a host may answer to a POST, written on the connection.
var nonsense = []func(io.Writer) error{
	func(w io.Writer) error { _, err := io.WriteString(w, "HTTP/9.9 banana\r\n\r\n"); return err },
	func(w io.Writer) error {
		_, err := io.WriteString(w, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
		return err
	},
	func(w io.Writer) error {
		_, err := io.WriteString(w, "HTTP/1.1 301 Moved\r\nLocation: /inbox\r\nContent-Length: 0\r\n\r\n")
		return err
	},
	func(w io.Writer) error { return endless(w, "HTTP/1.1 200 OK\r\nX-Long: ", strings.Repeat("x", 4096)) },
	func(w io.Writer) error { return endless(w, "HTTP/1.1 202 Accepted\r\n\r\n", strings.Repeat("y", 4096)) },
	func(w io.Writer) error { return endless(w, "", "HTTP/1.1 102 Processing\r\n\r\n") },
	func(w io.Writer) error {
		_, err := io.WriteString(w, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n")
		return err
	},
	func(w io.Writer) error {
		_, err := io.WriteString(w, "HTTP/1.1 429 Slow\r\nRetry-After: -9999999999999999999\r\nContent-Length: 0\r\n\r\n")
		return err
	},
	func(w io.Writer) error {
		_, err := io.WriteString(w, "HTTP/1.1 503 Away\r\nRetry-After: demain\r\nContent-Length: 0\r\n\r\n")
		return err
	},
	func(w io.Writer) error {
		_, err := io.WriteString(w, "HTTP/1.1 202 Accepted\r\nContent-Length: 99999999\r\n\r\n")
		return err
	},
}

// endless writes until the other side has enough, or for a few seconds.
func endless(w io.Writer, head, more string) error {
	if _, err := io.WriteString(w, head); err != nil {
		return err
	}
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if _, err := io.WriteString(w, more); err != nil {
			return err
		}
	}
	return nil
}

// send publishes to hosts that answer nonsense and to the honest peer.
func (r *run) send(node *rig.Node, honest *asker, alone time.Duration) error {
	evil, err := rig.NewPeer(nil) // lends its key
	if err != nil {
		return err
	}
	defer evil.Close()
	for i, answer := range nonsense {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.3.%d:0", i+1))
		if err != nil {
			return err
		}
		defer l.Close()
		base := "http://" + l.Addr().String()
		go nonsenseHost(l, base, evil, answer)
		actor := base + "/actors/1"
		follow := evil.Activity("Follow", "", actor, honest.target, map[string]any{"id": actor + "#follow"})
		if _, err := evil.Post(r.ctx, node.URL+"/inbox", actor, follow); err != nil {
			return err
		}
	}
	var took []time.Duration
	for i := range 20 {
		title := fmt.Sprintf("Au milieu du bruit %d", i)
		start := time.Now()
		if _, err := publish(r.ctx, node, "", title); err != nil {
			return err
		}
		if err := rig.Eventually(30*time.Second, func() error { return honest.has(title) }); err != nil {
			return err
		}
		took = append(took, time.Since(start))
	}
	worst := percentile(took, 1)
	r.Figure(r.db+"_publication_beside_nonsense_max", ms(worst), "ms")
	if worst > alone+addedDelay {
		return fmt.Errorf("a publication took %s to the honest peer", worst)
	}
	return nil
}

func (a *asker) has(title string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, t := range a.got {
		if t == title {
			return nil
		}
	}
	return fmt.Errorf("%q is not there", title)
}

// nonsenseHost serves actors as it should, and answers each POST with nonsense.
func nonsenseHost(l net.Listener, base string, lends *rig.Peer, answer func(io.Writer) error) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return // closed: the part is over
		}
		go func() {
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(20 * time.Second)) // a TCP connection takes deadlines
			req, err := http.ReadRequest(bufio.NewReader(conn))
			if err != nil {
				return
			}
			if req.Method == http.MethodGet {
				rec := &plain{header: http.Header{}}
				lends.WriteActor(rec, base+req.URL.Path)
				fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
					rig.ActivityJSON, rec.Len(), rec.Bytes())
				return
			}
			_, _ = io.Copy(io.Discard, req.Body) // what was sent does not matter
			_ = answer(conn)                     // the other side may hang up
		}()
	}
}

// plain keeps what a handler writes.
type plain struct {
	bytes.Buffer
	header http.Header
}

// Header is that of http.ResponseWriter.
func (p *plain) Header() http.Header { return p.header }

// WriteHeader ignores the status, which is always 200.
func (p *plain) WriteHeader(int) {}
