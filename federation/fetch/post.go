// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync/atomic"
	"time"

	"essaim"
)

// maxRetryAfter bounds how long another server may ask us to wait.
const maxRetryAfter = 7 * 24 * time.Hour

// Result is what an inbox answered.
type Result struct {
	Status     int
	RetryAfter time.Duration // 0 when it did not say
	// Page is set when the answer is a page for people: a captive portal or a
	// parked domain says 200 to anything.
	Page bool
}

// Post sends an activity to an inbox, signed by sign. It never follows a
// redirect: an inbox that moved says so in its actor's document. An error means
// that there was no answer: it wraps essaim.ErrUnavailable, or ErrInvalid for an
// address that must not be reached.
func (c *Client) Post(ctx context.Context, inbox string, body []byte, sign func(r *http.Request, body []byte) error) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, c.conf.Total)
	defer cancel()
	answer, reused, err := c.send(ctx, inbox, body, sign)
	var wait net.Error
	if err != nil && reused && ctx.Err() == nil && (!errors.As(err, &wait) || !wait.Timeout()) {
		// The connection had been kept and was dead. An activity may be sent
		// twice (ActivityPub 5.2), so nothing is lost by asking a new one.
		answer, _, err = c.send(ctx, inbox, body, sign)
	}
	if err != nil {
		return Result{}, err
	}
	defer answer.Body.Close()
	timer := time.AfterFunc(c.conf.Idle, cancel)
	defer timer.Stop()
	head := make([]byte, 512)
	n, _ := io.ReadFull(answer.Body, head) // what cannot be read is no page
	// What else is read lets the connection serve again; nobody looks at it.
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 16<<10))
	return Result{
		Status:     answer.StatusCode,
		RetryAfter: retryAfter(answer.Header.Get("Retry-After"), c.conf.Now()),
		Page:       isPage(answer.Header.Get("Content-Type"), head[:n]),
	}, nil
}

// isPage tells a page by how it begins: servers written in PHP say text/html of
// an empty answer too.
func isPage(contentType string, head []byte) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil || mediaType != "text/html" && mediaType != "application/xhtml+xml" {
		return false
	}
	head = bytes.ToLower(bytes.TrimLeft(head, "\xef\xbb\xbf \t\r\n"))
	return bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html")) || bytes.HasPrefix(head, []byte("<?xml"))
}

// send makes one try, and tells whether it went over a connection kept from an
// earlier one.
func (c *Client) send(ctx context.Context, inbox string, body []byte, sign func(*http.Request, []byte) error) (*http.Response, bool, error) {
	var reused atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { reused.Store(info.Reused) },
	})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, inbox, bytes.NewReader(body))
	if err != nil {
		return nil, false, fmt.Errorf("inbox %q: %w", inbox, essaim.ErrInvalid)
	}
	r.Header.Set("Content-Type", activityJSON)
	r.Header.Set("Accept", activityJSON)
	if err := sign(r, body); err != nil {
		return nil, false, err
	}
	answer, err := c.do(r)
	return answer, reused.Load(), err
}

// retryAfter reads seconds or a date (RFC 9110 10.2.3).
func retryAfter(s string, now time.Time) time.Duration {
	if s == "" {
		return 0
	}
	var d time.Duration
	if n, err := strconv.ParseInt(s, 10, 32); err == nil {
		d = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(s); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), maxRetryAfter)
}
