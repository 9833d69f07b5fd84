// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"essaim/e2e/rig"
)

const (
	getConnections = 32
	getDuring      = 4 * time.Second
)

// get measures reads of an actor, an object and a record page over plain
// keep-alive connections, as behind a proxy on the same machine.
func (b *bench) get() error {
	node, err := b.started("get", false)
	if err != nil {
		return err
	}
	defer node.Kill()
	made, err := b.publish(node, "Une fiche à lire")
	if err != nil {
		return err
	}
	territory, err := rig.Author(b.ctx, made.ID)
	if err != nil {
		return err
	}
	for _, t := range []struct{ name, address, accept string }{
		{"get_actor", territory, rig.ActivityJSON},
		{"get_object", made.ID, rig.ActivityJSON},
		{"get_page", made.URL, "text/html"},
	} {
		before, err := node.CPU()
		if err != nil {
			return err
		}
		n, err := hammer(t.address, t.accept)
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		after, err := node.CPU()
		if err != nil {
			return err
		}
		b.line(t.name, float64(n)/getDuring.Seconds(), "GET/s", "bare handler", b.ceilings.gets)
		b.line(t.name+"_cpu", (after-before).Seconds()*1000/float64(n), "ms CPU each", "verify (ms)", 1000/b.ceilings.verifies)
	}
	return nil
}

// hammer repeats one request on kept connections and counts full answers. It
// writes the same bytes each time, so that the load costs the machine little.
func hammer(address, accept string) (int, error) {
	host := rig.Host(address)
	path := "/"
	for i := range host {
		if host[i] == '/' {
			host, path = host[:i], host[i:]
			break
		}
	}
	raw := []byte("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nAccept: " + accept + "\r\nUser-Agent: bench\r\n\r\n")
	deadline := time.Now().Add(getDuring)
	counts := make([]int, getConnections)
	err := parallel(getConnections, getConnections, func(i int) error {
		conn, err := net.Dial("tcp", host)
		if err != nil {
			return err
		}
		defer conn.Close()
		r := bufio.NewReaderSize(conn, 64<<10)
		for time.Now().Before(deadline) {
			if _, err := conn.Write(raw); err != nil {
				return err
			}
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				return err
			}
			n, err := io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if err != nil {
				return err
			}
			if resp.StatusCode != http.StatusOK || n == 0 {
				return fmt.Errorf("%s, %d bytes", resp.Status, n)
			}
			counts[i]++
		}
		return nil
	})
	total := 0
	for _, n := range counts {
		total += n
	}
	if total == 0 && err == nil {
		err = errors.New("no answer at all")
	}
	return total, err
}
