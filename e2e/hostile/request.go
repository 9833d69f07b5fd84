// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// request is one of HTTP/1.1 as it goes over the wire: whatever stands in it is
// sent, also what no client would send.
type request struct {
	method string
	target string // path and query
	header [][2]string
	body   io.Reader // nil for none; chunked unless size is set
	size   int64
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
	took   time.Duration
}

func (q *request) set(name, value string) {
	for i, h := range q.header {
		if strings.EqualFold(h[0], name) {
			q.header[i][1] = value
			return
		}
	}
	q.header = append(q.header, [2]string{name, value})
}

// send opens a connection of its own. The answer is read while the body is
// still being written, as a server may answer before it has read everything.
func (w *world) send(ctx context.Context, q *request) (*answer, error) {
	start := time.Now()
	w.inputs.Add(1)
	dialer := &tls.Dialer{NetDialer: w.dialer(), Config: &tls.Config{RootCAs: w.authority.Pool, ServerName: "node.test"}}
	conn, err := dialer.DialContext(ctx, "tcp", nodeAddr.String()+":443")
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(45 * time.Second)); err != nil {
		return nil, err
	}
	go func() { _ = q.write(conn) }() // what the node refuses to read shows in its answer
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: q.method})
	if err != nil {
		return nil, fmt.Errorf("no answer: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return nil, fmt.Errorf("answer cut: %w", err)
	}
	return &answer{resp.StatusCode, resp.Header, body, time.Since(start)}, nil
}

// kept sends a request over a connection that is kept, for thousands of them; it
// is written as any client would.
func (w *world) kept(ctx context.Context, q *request) (*answer, error) {
	start := time.Now()
	w.inputs.Add(1)
	req, err := http.NewRequestWithContext(ctx, q.method, w.node.URL+q.target, q.body)
	if err != nil {
		return nil, err
	}
	for _, h := range q.header {
		if h[0] != "Host" {
			req.Header.Add(h[0], h[1])
		}
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	return &answer{resp.StatusCode, resp.Header, body, time.Since(start)}, err
}

func (q *request) write(to io.Writer) error {
	var head bytes.Buffer
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\n", q.method, q.target)
	for _, h := range q.header {
		fmt.Fprintf(&head, "%s: %s\r\n", h[0], h[1])
	}
	switch {
	case q.body == nil && q.method == http.MethodPost:
		head.WriteString("Content-Length: 0\r\n")
	case q.body != nil && q.size > 0:
		fmt.Fprintf(&head, "Content-Length: %d\r\n", q.size)
	case q.body != nil:
		head.WriteString("Transfer-Encoding: chunked\r\n")
	}
	head.WriteString("Connection: close\r\n\r\n")
	if _, err := to.Write(head.Bytes()); err != nil || q.body == nil {
		return err
	}
	if q.size > 0 {
		_, err := io.Copy(to, q.body)
		return err
	}
	buf := make([]byte, 64<<10)
	for {
		n, err := q.body.Read(buf)
		if n > 0 {
			if _, err := fmt.Fprintf(to, "%x\r\n%s\r\n", n, buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			_, err := io.WriteString(to, "0\r\n\r\n")
			return err
		}
		if err != nil {
			return err
		}
	}
}
