// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"essaim"
)

// Media types of ActivityPub documents (ActivityPub 3.2).
const (
	activityJSON = "application/activity+json"
	ldJSON       = "application/ld+json"
	profile      = "https://www.w3.org/ns/activitystreams"

	acceptActivity = activityJSON + ", " + ldJSON + `; profile="` + profile + `"`
)

// Answer is a 200 and its body.
type Answer struct {
	URL         string // the last one, after redirects
	ContentType string
	Body        []byte
	Tag         string // its ETag; empty for none
	// Unchanged is set when what stands there is still of the tag that was named:
	// there is no body then.
	Unchanged bool
}

// Get fetches an address. Redirects, at most three, keep the scheme, and the
// host too unless elsewhere is set. Errors wrap essaim.ErrNotFound (404),
// ErrGone (410), ErrForbidden (401, 403), ErrUnavailable (no answer, 408, 429,
// 5xx) or ErrInvalid (the rest).
func (c *Client) Get(ctx context.Context, address, accept string, elsewhere bool) (Answer, error) {
	return c.get(ctx, address, question{accept: accept}, elsewhere, c.conf.MaxBody)
}

// Changed fetches an ActivityPub document unless it is still the one that an
// earlier answer named by its tag, which may be empty (RFC 9110 13.1.2). A
// document at another address than the one asked for is not taken.
func (c *Client) Changed(ctx context.Context, address, tag string) (Answer, error) {
	answer, err := c.get(ctx, address, question{accept: acceptActivity, tag: tag}, false, c.conf.MaxBody)
	switch {
	case err != nil || answer.Unchanged:
		return answer, err
	case answer.URL != address || !IsActivity(answer.ContentType):
		return Answer{}, fmt.Errorf("%s: a %q at %s: %w", address, answer.ContentType, answer.URL, essaim.ErrInvalid)
	}
	return answer, nil
}

// question is what a request asks for, besides the address.
type question struct {
	accept string
	tag    string    // of what is held already
	to     io.Writer // takes the body, which the answer then lacks
}

// Save fetches a file, from whichever host its own redirects to, and writes it as
// it comes: it is never whole in memory. What was written before an error is a part.
func (c *Client) Save(ctx context.Context, address, accept string, to io.Writer) error {
	_, err := c.get(ctx, address, question{accept: accept, to: to}, true, c.conf.MaxBody)
	return err
}

// Picture fetches a file of at most limit bytes, from whichever host its own
// redirects to: pictures live on hosts of their own. What it is, is for who
// decodes it to see.
func (c *Client) Picture(ctx context.Context, address string, limit int64) ([]byte, error) {
	answer, err := c.get(ctx, address, question{accept: "image/webp,image/png,image/jpeg,image/gif"}, true, limit)
	return answer.Body, err
}

func (c *Client) get(ctx context.Context, address string, q question, elsewhere bool, limit int64) (Answer, error) {
	at, err := url.Parse(address)
	if err != nil {
		return Answer{}, fmt.Errorf("address %q: %w", address, essaim.ErrInvalid)
	}
	ctx, cancel := context.WithTimeout(ctx, c.conf.Total)
	defer cancel()
	for hop := 0; ; hop++ {
		answer, next, err := c.hop(ctx, cancel, at, q, limit)
		if err != nil || next == nil {
			return answer, err
		}
		switch {
		case hop == maxRedirects:
			return Answer{}, fmt.Errorf("%s: more than %d redirects: %w", address, maxRedirects, essaim.ErrInvalid)
		case next.Scheme != at.Scheme || next.User != nil || (!elsewhere && !strings.EqualFold(next.Host, at.Host)):
			return Answer{}, fmt.Errorf("%s: redirect to %s: %w", address, next.Redacted(), essaim.ErrInvalid)
		}
		at = next
	}
}

// allowance is how many requests may still be made for one input.
type allowance struct{}

// Bounded lets at most n requests, redirects and those signed the other way included,
// be made under ctx: an input that leads on and on, by attribution, announces or
// redirects, ends there.
// Like a deadline it is bounded by one set before.
func Bounded(ctx context.Context, n int) context.Context {
	if _, ok := ctx.Value(allowance{}).(*atomic.Int32); ok {
		return ctx
	}
	left := new(atomic.Int32)
	left.Store(int32(n))
	return context.WithValue(ctx, allowance{}, left)
}

// Left is how many requests may still be made under ctx; 0 where nothing bounds them.
func Left(ctx context.Context) int {
	left, ok := ctx.Value(allowance{}).(*atomic.Int32)
	if !ok {
		return 0
	}
	return max(0, int(left.Load()))
}

// spend takes one request from what may be made under ctx.
func spend(ctx context.Context, at *url.URL) error {
	if left, ok := ctx.Value(allowance{}).(*atomic.Int32); ok && left.Add(-1) < 0 {
		return fmt.Errorf("%s: too many requests for one input: %w", at, essaim.ErrInvalid)
	}
	return nil
}

// hop makes one request: an answer, or where it is redirected to.
func (c *Client) hop(ctx context.Context, cancel context.CancelFunc, at *url.URL, q question, limit int64) (Answer, *url.URL, error) {
	leave, err := c.lanes.enter(ctx, at.Host)
	if err != nil {
		return Answer{}, nil, err
	}
	defer leave()
	response, err := c.ask(ctx, at, q)
	if err != nil {
		return Answer{}, nil, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotModified && q.tag != "" {
		return Answer{URL: at.String(), Tag: q.tag, Unchanged: true}, nil, nil
	}
	if response.StatusCode >= 300 && response.StatusCode < 400 {
		next, err := response.Location()
		if err != nil {
			return Answer{}, nil, fmt.Errorf("%s: status %d: %w", at, response.StatusCode, essaim.ErrInvalid)
		}
		return Answer{}, next, nil
	}
	if err := statusError(at.String(), response.StatusCode); err != nil {
		if response.StatusCode == http.StatusGone && IsActivity(response.Header.Get("Content-Type")) {
			if body, bad := c.readBody(response, min(limit, maxTombstone), cancel); bad == nil {
				err = &Gone{err: err, Body: body}
			}
		}
		return Answer{}, nil, err
	}
	if q.to != nil {
		return Answer{URL: at.String()}, nil, c.copyBody(q.to, response, limit, cancel)
	}
	body, err := c.readBody(response, limit, cancel)
	return Answer{URL: at.String(), ContentType: response.Header.Get("Content-Type"), Body: body, Tag: response.Header.Get("ETag")}, nil, err
}

// maxTombstone is how many bytes are read of what says that something is gone.
const maxTombstone = 64 << 10

// Gone is a 410 that came with a document: it may be a proven Tombstone. It wraps
// essaim.ErrGone.
type Gone struct {
	Body []byte
	err  error
}

func (g *Gone) Error() string { return g.err.Error() }

// Unwrap gives the error of the status.
func (g *Gone) Unwrap() error { return g.err }

func statusError(address string, status int) error {
	kind := essaim.ErrInvalid
	switch {
	case status == http.StatusOK:
		return nil
	case status == http.StatusNotFound:
		kind = essaim.ErrNotFound
	case status == http.StatusGone:
		kind = essaim.ErrGone
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		kind = essaim.ErrForbidden
	case status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || status >= 500:
		kind = essaim.ErrUnavailable
	}
	return fmt.Errorf("%s: status %d: %w", address, status, kind)
}

// Document fetches an ActivityPub document by its id and holds it to it: what
// identify reads as its id must be the address that answered, else the document
// is fetched once more, from the id that it gives, on the same origin. A file
// that someone uploaded there is thus never taken for what it says it is
// (FEP-fe34). The answer's URL is the id.
func (c *Client) Document(ctx context.Context, id string, identify func([]byte) (string, error)) (Answer, error) {
	for try := 0; ; try++ {
		answer, err := c.Get(ctx, id, acceptActivity, false)
		if err != nil {
			return Answer{}, err
		}
		if !IsActivity(answer.ContentType) {
			return Answer{}, fmt.Errorf("%s: content type %q: %w", id, answer.ContentType, essaim.ErrInvalid)
		}
		given, err := identify(answer.Body)
		if err != nil {
			return Answer{}, fmt.Errorf("%s: %w", id, err)
		}
		claimed, err := essaim.ParseIRI(given)
		if err != nil {
			return Answer{}, fmt.Errorf("%s: its id: %w", id, err)
		}
		final, err := essaim.ParseIRI(answer.URL)
		switch {
		case err != nil:
			return Answer{}, err
		case claimed == final:
			answer.URL = claimed.String()
			return answer, nil
		case try > 0 || !claimed.SameOrigin(final):
			return Answer{}, fmt.Errorf("%s: says that it is %s: %w", id, claimed, essaim.ErrInvalid)
		}
		id = claimed.String()
	}
}

// IsActivity tells whether a content type is that of an ActivityPub document:
// activity+json, or ld+json with the ActivityStreams profile, with whatever
// other parameters. Others are files, whatever they contain.
func IsActivity(contentType string) bool {
	typ, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	if typ == activityJSON {
		return true
	}
	if typ == ldJSON {
		for _, p := range strings.Fields(params["profile"]) {
			if p == profile {
				return true
			}
		}
	}
	return false
}
