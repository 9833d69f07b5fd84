// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bufio"
	"net"
	"strings"
	"sync"
)

// mailbox takes every letter that the node sends.
type mailbox struct {
	port    int
	secrets []string // what no log may hold

	mu      sync.Mutex
	letters []letter
}

// letter is a message as it came, with whom it is for.
type letter struct {
	to   []string
	text string
}

func newMailbox() (*mailbox, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &mailbox{port: l.Addr().(*net.TCPAddr).Port}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go m.serve(conn)
		}
	}()
	return m, nil
}

// serve speaks as much SMTP as it takes (RFC 5321).
func (m *mailbox) serve(conn net.Conn) {
	defer conn.Close()
	say := func(line string) { _, _ = conn.Write([]byte(line + "\r\n")) } // a client that leaves sends no letter
	say("220 mail.test")
	in := bufio.NewScanner(conn)
	var got letter
	for in.Scan() {
		switch line := in.Text(); {
		case strings.HasPrefix(line, "RCPT TO:"):
			got.to = append(got.to, line[len("RCPT TO:"):])
			say("250 ok")
		case line == "DATA":
			say("354 go on")
			for in.Scan() && in.Text() != "." {
				got.text += in.Text() + "\n"
			}
			m.mu.Lock()
			m.letters = append(m.letters, got)
			m.mu.Unlock()
			got = letter{}
			say("250 ok")
		case line == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// received lists the letters so far.
func (m *mailbox) received() []letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]letter(nil), m.letters...)
}
