// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"

	"essaim/e2e/rig"
)

// meter stands before a node and counts the bytes that cross the wire to and
// from it: TLS, headers and all.
type meter struct {
	listener net.Listener
	target   string
	bytes    atomic.Int64 // both ways
}

// metered puts a meter at the node's public address; the node itself listens
// beside it.
func (b *bench) metered(n *rig.Node) (*meter, error) {
	port, err := rig.FreePort()
	if err != nil {
		return nil, err
	}
	n.Listen = fmt.Sprintf("127.0.0.1:%d", port)
	l, err := (&net.ListenConfig{}).Listen(b.ctx, "tcp", rig.Host(n.URL))
	if err != nil {
		return nil, err
	}
	m := &meter{listener: l, target: n.Listen}
	b.suite.Cleanup(func() { l.Close() })
	go m.serve(b.ctx)
	return m, nil
}

func (m *meter) serve(ctx context.Context) {
	for {
		in, err := m.listener.Accept()
		if err != nil {
			return // closed at the end
		}
		go func() {
			defer in.Close()
			out, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.target)
			if err != nil {
				return // the node does not run: whoever called sees an end
			}
			defer out.Close()
			go m.copy(out, in)
			m.copy(in, out)
		}()
	}
}

// copy passes one direction on until it ends, and ends the other.
func (m *meter) copy(to, from net.Conn) {
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		m.bytes.Add(int64(n))
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
