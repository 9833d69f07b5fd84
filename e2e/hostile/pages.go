// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"essaim/e2e/rig"
)

// pageSpecials are what is asked of the site as people see it.
func pageSpecials() map[string]special {
	m := map[string]special{
		// A form complete in all but where it comes from changes nothing either.
		"WEB-001": {after: func(t *trial) error {
			q := t.form("title=pwn&revision=1&tagline=x&description=x&state=published")
			q.header = slices.DeleteFunc(q.header, func(h [2]string) bool { return h[0] == "Origin" })
			for _, origin := range []string{"", "https://evil.test", "null", "https://node.test.evil.test"} {
				if origin != "" {
					q.set("Origin", origin)
				}
				q.body = strings.NewReader(formText)
				got, err := t.world.send(t.ctx, q)
				if err != nil {
					return err
				}
				if got.status != http.StatusForbidden {
					return fmt.Errorf("a form from %q is answered %d", origin, got.status)
				}
			}
			return nil
		}},
		"WEB-018": {after: func(t *trial) error {
			q := t.bare()
			q.body, q.size = strings.NewReader("email=editor@node.test"), 0
			if _, err := t.asks(q); err != nil {
				return err
			}
			return rig.Eventually(10*time.Second, func() error {
				for _, l := range t.mail.received() {
					link := signInLink.FindString(unfold(l.text))
					if strings.Contains(l.text, "evil.test") || len(l.to) != 1 {
						return fmt.Errorf("a letter to %v: %s", l.to, l.text)
					}
					if link != "" {
						t.mail.secrets = append(t.mail.secrets, link[strings.LastIndexByte(link, '/')+1:])
						return nil
					}
				}
				return fmt.Errorf("%d letters, none with a link", len(t.mail.received()))
			})
		}},
		"WEB-020": {send: untilLimited, after: othersSignIn},
		"WEB-021": {send: untilLimited, after: othersSignIn},
		"WEB-051": {send: negotiated},
		"WEB-053": {send: negotiated},
		"WEB-055": {send: negotiated},
		"WEB-057": {after: func(t *trial) error {
			if c := t.got.header.Get("Cache-Control"); !strings.Contains(c, "private") && !strings.Contains(c, "no-store") {
				return fmt.Errorf("a page of one person may be kept by others: %q", c)
			}
			_, header, body, err := t.get(t.ctx, "/", "text/html")
			if err != nil {
				return err
			}
			if bytes.Equal(body, t.got.body) || !strings.Contains(strings.Join(header.Values("Vary"), ", "), "Cookie") {
				return errors.New("nothing tells the two pages apart")
			}
			return nil
		}},
		"WEB-060": {send: slowloris},
		"WEB-066": {send: func(*trial) (int, error) { return 0, nil }, after: func(t *trial) error { return t.noSecret() }},
		"WEB-084": {after: func(t *trial) error {
			if c := t.got.header.Get("Content-Security-Policy"); !strings.Contains(c, "frame-ancestors 'none'") {
				return fmt.Errorf("may be framed: %q", c)
			}
			return nil
		}},
		"WEB-064": {after: func(t *trial) error {
			for _, path := range []string{"/", t.routes["OBJ"], t.routes["EDIT"], t.routes["SHARED_INBOX"], "/actor", "/api/v1/initiatives"} {
				for _, method := range []string{"TRACE", "CONNECT", "PATCH", "FOO"} {
					got, err := t.world.send(t.ctx, &request{method: method, target: path, header: [][2]string{{"Host", "node.test"}, {"X-Echo", "canari-4e1"}}})
					if err != nil {
						return err
					}
					if !t.item.expects(got.status) || bytes.Contains(got.body, []byte("canari-4e1")) {
						return fmt.Errorf("%s %s: %d %.200s", method, path, got.status, got.body)
					}
				}
			}
			return nil
		}},
		"WEB-050": {after: func(t *trial) error {
			return errors.Join(quick(t, 200*time.Millisecond), linear(t))
		}},
	}
	for _, id := range []string{"WEB-005", "WEB-007", "WEB-009", "WEB-011", "WEB-013", "WEB-015"} {
		m[id] = special{after: func(t *trial) error { return stays(t.got.header.Get("Location")) }}
	}
	for _, id := range []string{"WEB-028", "WEB-030", "WEB-032", "WEB-034", "WEB-036", "WEB-038", "WEB-040", "WEB-042", "WEB-044", "WEB-046", "WEB-048"} {
		m[id] = special{after: func(t *trial) error {
			t.compared = fmt.Sprintf("%d, %d cards", t.got.status, bytes.Count(t.got.body, []byte("<article class=\"card ")))
			return quick(t, 300*time.Millisecond)
		}}
	}
	for _, id := range []string{"MEDIA-013", "MEDIA-015", "MEDIA-017", "MEDIA-019", "MEDIA-021", "MEDIA-023"} {
		m[id] = special{after: func(t *trial) error {
			for _, inside := range []string{"PRIVATE KEY", "goroutine", "url =", "ref: refs", "heap profile"} {
				if bytes.Contains(t.got.body, []byte(inside)) {
					return fmt.Errorf("the answer holds %q", inside)
				}
			}
			return nil
		}}
	}
	return m
}

const formText = "title=pwn&revision=1&tagline=x&description=x&state=published"

// form is a request that sends a form to the edit page, as the editor.
func (t *trial) form(text string) *request {
	return &request{
		method: http.MethodPost, target: t.routes["EDIT"], body: strings.NewReader(text), size: int64(len(text)),
		header: [][2]string{
			{"Host", "node.test"}, {"Content-Type", "application/x-www-form-urlencoded"}, {"Cookie", t.sessions["editor"]}, {"Origin", t.node.URL},
		},
	}
}

// unfold takes back the line breaks of quoted-printable.
func unfold(text string) string { return strings.ReplaceAll(text, "=\n", "") }

// stays tells whether a browser stays at the node when it follows a Location.
func stays(location string) error {
	plain := strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(location)
	if plain == "" || strings.HasPrefix(plain, "https://node.test/") || strings.HasPrefix(plain, "/") && !strings.HasPrefix(plain, "//") {
		return nil
	}
	return fmt.Errorf("Location leads away: %q", location)
}

// quick asks up to three times, for the load of a moment may be another's: one
// answer must come in the time allowed.
func quick(t *trial, within time.Duration) error {
	best := t.got.took
	for range 3 {
		if best < within {
			return nil
		}
		if _, err := t.ask(); err != nil {
			return err
		}
		best = min(best, t.got.took)
	}
	return fmt.Errorf("took %s", best)
}

// linear holds that ten times the input takes no more than fifteen times as long,
// the best of five each; what takes less than a request does is not told apart.
func linear(t *trial) error {
	const request = 5 * time.Millisecond
	best := func(g generator) (time.Duration, error) {
		it := *t.item
		it.Gen = &g
		one := *t
		one.item = &it
		least := time.Hour
		for range 5 {
			status, err := one.ask()
			if err != nil || !it.expects(status) {
				return 0, fmt.Errorf("%d units are answered %d: %w", g.N, status, err)
			}
			least = min(least, one.got.took)
		}
		return least, nil
	}
	whole, tenth := *t.item.Gen, *t.item.Gen
	tenth.N /= 10
	of, err := best(tenth)
	if err != nil {
		return err
	}
	took, err := best(whole)
	t.suite.Figure("text_of_a_tenth_ms", ms(of), "ms")
	t.suite.Figure("text_ms", ms(took), "ms")
	if err == nil && took > 15*max(of, request) {
		err = fmt.Errorf("ten times the text takes %s, one time %s", took, of)
	}
	return err
}

// untilLimited repeats the item until it is refused: 200 tries at most.
func untilLimited(t *trial) (int, error) {
	for i := range 200 {
		status, err := t.ask()
		if err != nil {
			return 0, err
		}
		if status == http.StatusTooManyRequests {
			if i > 10 {
				return 0, fmt.Errorf("%d tries before the limit", i)
			}
			if t.got.header.Get("Retry-After") == "" {
				return 0, errors.New("429 without Retry-After")
			}
			return status, nil
		}
		if status/100 == 5 {
			return status, nil
		}
	}
	return 0, errors.New("200 tries, and no limit")
}

// othersSignIn holds that the limit is of whoever asks, and not of the account: from
// another address its owner is sent a link as ever.
func othersSignIn(t *trial) error {
	before := len(t.mail.received())
	t.caller++
	q := t.bare()
	const text = "email=editor@node.test"
	q.body, q.size = strings.NewReader(text), int64(len(text))
	got, err := t.world.send(t.ctx, q)
	if err != nil || got.status/100 > 3 {
		return fmt.Errorf("the account's owner, from elsewhere: %+v, %w", got, err)
	}
	return rig.Eventually(10*time.Second, func() error {
		for _, l := range t.mail.received()[before:] {
			if link := signInLink.FindString(unfold(l.text)); link != "" {
				t.mail.secrets = append(t.mail.secrets, link[strings.LastIndexByte(link, '/')+1:])
				return nil
			}
		}
		return errors.New("the account's owner is sent no link")
	})
}

// negotiated asks for a record as a browser or another reader would, and goes
// on to its page where it is sent there; each answer must say what it depends on.
func negotiated(t *trial) (int, error) {
	q := t.bare()
	for range 2 {
		status, err := t.asks(q)
		if err != nil {
			return 0, err
		}
		vary := strings.Join(t.got.header.Values("Vary"), ", ")
		if !slices.ContainsFunc(strings.Split(vary, ","), func(v string) bool { return strings.TrimSpace(v) == "Accept" }) {
			return 0, fmt.Errorf("%d with Vary %q", status, vary)
		}
		if status != http.StatusSeeOther {
			html := bytes.HasPrefix(bytes.TrimSpace(t.got.body), []byte("<"))
			if status == http.StatusOK && html != strings.Contains(t.item.Headers["Accept"], "text/html") {
				return 0, fmt.Errorf("asked for %.60q, got %s", t.item.Headers["Accept"], t.got.header.Get("Content-Type"))
			}
			return status, nil
		}
		location := t.got.header.Get("Location")
		if err := stays(location); err != nil {
			return 0, err
		}
		q.target = strings.TrimPrefix(location, t.node.URL)
	}
	return 0, errors.New("sent on twice")
}

var closedEarly = regexp.MustCompile(`closed|reset|EOF`)

// slowloris holds connections open with a header that never ends.
func slowloris(t *trial) (int, error) {
	const many = 2000
	var mu sync.Mutex
	var wg sync.WaitGroup
	longest, open, failed := time.Duration(0), 0, 0
	ctx, cancel := context.WithTimeout(t.ctx, 40*time.Second)
	defer cancel()
	room := make(chan struct{}, 64) // handshakes at a time
	for i := range many {
		wg.Go(func() {
			room <- struct{}{}
			var d net.Dialer
			conn, err := d.DialContext(ctx, "tcp", nodeAddr.String()+":443")
			if err == nil && i%4 == 0 { // the others never get as far as TLS
				conn = tls.Client(conn, &tls.Config{RootCAs: t.authority.Pool, ServerName: "node.test"})
				_, err = conn.Write([]byte("GET / HTTP/1.1\r\nHost: node.test\r\n"))
			}
			<-room
			if err != nil {
				mu.Lock()
				failed++
				mu.Unlock()
				return
			}
			defer conn.Close()
			start := time.Now()
			mu.Lock()
			open++
			mu.Unlock()
			buf := make([]byte, 1)
			for ctx.Err() == nil {
				_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second)) // a closed connection shows in Read
				if _, err := conn.Read(buf); err != nil && closedEarly.MatchString(err.Error()) {
					break
				}
				_, _ = conn.Write([]byte("X")) // likewise
			}
			mu.Lock()
			longest = max(longest, time.Since(start))
			mu.Unlock()
		})
	}
	// They hang once they are made, so that the suite leaves the machine to the node.
	if err := rig.Eventually(8*time.Second, func() error {
		mu.Lock()
		defer mu.Unlock()
		if open+failed < many {
			return fmt.Errorf("%d of %d connections are made", open, many)
		}
		return nil
	}); err != nil {
		return 0, err
	}
	var took timings
	for range 30 {
		if err := t.honest(t.ctx, &took); err != nil {
			return 0, fmt.Errorf("while connections hang: %w", err)
		}
	}
	if err := t.calm.slower(&took, slack); err != nil {
		return 0, err
	}
	wg.Wait()
	t.suite.Figure("slow_connections", open, "")
	t.suite.Figure("slow_connection_longest_s", longest.Seconds(), "s")
	if open < many/2 {
		return 0, fmt.Errorf("only %d connections could be opened", open)
	}
	if longest > 15*time.Second {
		return 0, fmt.Errorf("a connection stayed open %s", longest)
	}
	return 0, nil
}
