// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// spoil is one fault: what a proxy makes of the answers at some addresses, and
// the check that must notice.
type spoil struct {
	name  string
	at    string // of path and query
	check string
	// pattern has one group, of which one byte is changed where it is met first;
	// change does what else is to be done.
	pattern string
	change  func(r *reader, body []byte) []byte
	ask     func(*http.Request)  // of the request
	answer  func(*http.Response) // of the answer, besides its body
	pin     string               // another key than the one that was pinned
}

const (
	onHead    = `^/commons$`
	onPage    = `^/commons\?after=\d+\.\d+$`
	onDigests = `^/commons/digest`
	onActor   = `^/actor$`
)

// servedFaults are those that a node, or somebody on the way, may have.
var servedFaults = []spoil{
	{name: "a byte of the head's proof", at: onHead, check: "head", pattern: `"proofValue":"z([^"]+)"`},
	{name: "a digit of its root", at: onHead, check: "head", pattern: `"essaim:root":"([^"]+)"`},
	{name: "a digit of its count", at: onHead, check: "head", pattern: `"essaim:count":(\d+)`},
	{name: "another type of proof", at: onHead, check: "head", pattern: `"cryptosuite":"([^"]+)"`},
	{name: "an older head, as it was signed", at: onHead, check: "rollback", change: func(r *reader, _ []byte) []byte { return r.heads[0] }},
	{name: "a letter of an item", at: onPage, check: "item", pattern: `"name":"(Fiche)`},
	{name: "a byte of an item's proof", at: onPage, check: "item", pattern: `"proofValue":"z([^"]+)"`},
	{name: "an item without proof", at: onPage, check: "item", pattern: `"(proof)":\{`},
	{name: "an item by the key of another", at: onPage, check: "item", pattern: `"verificationMethod":"[^"#]*/([^"#/]+)#`},
	{name: "an item of another node", at: onPage, check: "items", pattern: `"orderedItems":\[\{"@context":\[[^\]]*\],"id":"http://([^"/]+)`},
	{name: "an item left out", at: onPage, check: "count", change: (*reader).leaveOut},
	{name: "an item in its older version", at: onPage, check: "root", change: (*reader).goBack},
	{name: "a cursor above the signed head", at: onPage, check: "cursor", change: func(_ *reader, body []byte) []byte {
		return regexp.MustCompile(`("essaim:cursor":"\d+\.)`).ReplaceAll(body, []byte("${1}9"))
	}},
	{name: "a page that goes nowhere", at: onPage, check: "cursor", change: func(_ *reader, body []byte) []byte {
		return regexp.MustCompile(`"essaim:cursor":"[^"]+"`).ReplaceAll(body, []byte(`"essaim:cursor":"0.0"`))
	}},
	{name: "a page of more than a megabyte", at: onPage, check: "page", change: func(_ *reader, body []byte) []byte {
		return append(body, bytes.Repeat([]byte(" "), 1<<20)...)
	}},
	{name: "a digit of a child's hash", at: onDigests + `$`, check: "digests", pattern: `"essaim:children":\["([0-9a-f]+)"`},
	{name: "a digit of a node's hash", at: onDigests, check: "digests", pattern: `"essaim:hash":"([^"]+)"`},
	{name: "a digit of a line", at: onDigests + `/`, check: "digests", pattern: `"essaim:copyDigest":"([^"]+)"`},
	{name: "a letter of a line's id", at: onDigests + `/`, check: "digests", pattern: `"essaim:lines":\[\{"id":"[^"]*/([^"]+)"`},
	{name: "a leaf that counts wrong", at: onDigests + `/`, check: "digests", pattern: `"totalItems":(\d+)`},
	{name: "other bytes at an item's own address", at: `^/objects/`, check: "own", pattern: `"(?:name|deleted)":"([A-Za-z0-9]+)`},
	{name: "a space more at an item's own address", at: `^/objects/`, check: "own", change: func(_ *reader, body []byte) []byte { return append([]byte(" "), body...) }},
	{name: "a deletion that is no 410", at: `^/objects/`, check: "own", answer: func(a *http.Response) {
		if a.StatusCode == http.StatusGone {
			a.StatusCode = http.StatusOK
		}
	}},
	{name: "a page that is never a 304", at: onPage, check: "etag", ask: func(r *http.Request) { r.Header.Del("If-None-Match") }},
	{name: "a number that is none, taken", at: `after=(1|x.*|)$`, check: "numbers", answer: func(a *http.Response) { a.StatusCode = http.StatusOK }},
	{name: "a prefix that is none, taken", at: onDigests + `/(g|AB)`, check: "prefixes", answer: func(a *http.Response) { a.StatusCode = http.StatusOK }},
	{name: "a letter of the node's actor", at: onActor, check: "actor", pattern: `"preferredUsername":"([0-9a-z]+)`},
	{name: "another key shown", at: onActor, check: "keys", pattern: `"publicKeyMultibase":"z6Mk([^"]+)"`},
}

// keyFaults are those of a node whose keys were changed.
var keyFaults = []spoil{
	{name: "a byte of a statement's proof", at: onActor, check: "keys", pattern: `"essaim:keyHistory":\[.*?"proofValue":"z([^"]+)"`},
	{name: "a byte of the key that it introduces", at: onActor, check: "keys", pattern: `"essaim:keyHistory":\[.*?"essaim:newKey":"z6Mk([^"]+)"`},
	{name: "its date", at: onActor, check: "keys", pattern: `"essaim:keyHistory":\[.*?"published":"(\d+)`},
	{name: "no history of keys", at: onActor, check: "keys", pattern: `"essaim:(keyHistory)"`},
	{name: "another key pinned", at: onActor, check: "keys", pin: "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"},
}

// faults makes each and holds the walk to its disagreement; with none it agrees.
func (r *reader) faults(list []spoil) {
	for _, f := range list {
		r.Check(r.db+": it disagrees with "+f.name, func() error {
			made := r.proxy.make(&f, r)
			pin := r.first.Keys[0]
			if f.pin != "" {
				pin = f.pin
			}
			err := r.disagrees(f.check, r.node.URL, "--via", r.proxy.URL, "--pin", pin, "--held", r.last.Number)
			if n := made(); err == nil && f.pin == "" && n == 0 {
				err = errors.New("the fault was never made")
			}
			return err
		})
	}
	r.Check(r.db+": through the same proxy, without any fault, it agrees (control)", func() error {
		r.proxy.make(nil, r)
		f, err := r.walk(r.node.URL, "--via", r.proxy.URL, "--pin", r.first.Keys[0], "--held", r.last.Number)
		if err == nil && !f.Agrees {
			err = fmt.Errorf("%+v", f)
		}
		return err
	})
}

// once changes one byte of what the pattern's group meets first.
func (s *spoil) once(body []byte, rng *rand.Rand) []byte {
	at := regexp.MustCompile(s.pattern).FindSubmatchIndex(body)
	if at == nil {
		return body
	}
	out := bytes.Clone(body)
	i := at[2] + rng.IntN(at[3]-at[2])
	for out[i] == body[i] {
		switch c := body[i]; {
		case c >= '0' && c <= '9':
			out[i] = "123456789"[rng.IntN(9)]
		case c >= 'a' && c <= 'f':
			out[i] = "abcdef"[rng.IntN(6)]
		case c >= 'A' && c <= 'Z':
			out[i] = "ABCDEFGH"[rng.IntN(8)]
		case c >= 'a' && c <= 'z':
			out[i] = "ghijkmnp"[rng.IntN(8)]
		default:
			out[i] = 'x'
		}
	}
	return out
}

// leaveOut takes the first item from a page.
func (r *reader) leaveOut(body []byte) []byte {
	return r.items(body, func(items []json.RawMessage) []json.RawMessage { return items[min(1, len(items)):] })
}

// goBack puts an item's first version where its present one stands.
func (r *reader) goBack(body []byte) []byte {
	return r.items(body, func(items []json.RawMessage) []json.RawMessage {
		for i, it := range items {
			if bytes.Contains(it, []byte(`"id":"`+r.records[0].ID+`"`)) {
				items[i] = r.old
			}
		}
		return items
	})
}

// items changes the items of a page and leaves every other byte.
func (r *reader) items(body []byte, change func([]json.RawMessage) []json.RawMessage) []byte {
	const member = `"orderedItems":`
	start := bytes.Index(body, []byte(member))
	var page struct {
		Items []json.RawMessage `json:"orderedItems"`
	}
	if json.Unmarshal(body, &page) != nil || start < 0 {
		return body
	}
	var list []string
	for _, it := range change(page.Items) {
		list = append(list, string(it))
	}
	return []byte(string(body[:start]) + member + "[" + strings.Join(list, ",") + "]}")
}

// proxy stands before a node.
type proxy struct {
	URL    string
	server *http.Server

	mu    sync.Mutex
	fault *spoil
	owner *reader
	done  int
}

func newProxy(node string) (*proxy, error) {
	to, err := url.Parse(node)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{URL: "http://" + l.Addr().String()}
	p.server = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to) // and its Host
			r.Out.Header.Del("Accept-Encoding")
			if f := p.of(r.In.URL.RequestURI()); f != nil && f.ask != nil {
				f.ask(r.Out)
				p.did()
			}
		},
		ModifyResponse: p.modify,
	}}
	go func() { _ = p.server.Serve(l) }() // ends with Close
	return p, nil
}

func (p *proxy) Close() { _ = p.server.Close() }

// make sets the fault; the function that it returns tells how often it was made.
func (p *proxy) make(f *spoil, owner *reader) func() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault, p.owner, p.done = f, owner, 0
	return func() int {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.done
	}
}

// of is the fault that an address has.
func (p *proxy) of(address string) *spoil {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault == nil || !regexp.MustCompile(p.fault.at).MatchString(address) {
		return nil
	}
	return p.fault
}

func (p *proxy) did() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
}

func (p *proxy) modify(a *http.Response) error {
	f := p.of(a.Request.URL.RequestURI())
	if f == nil {
		return nil
	}
	was := a.StatusCode
	if f.answer != nil {
		f.answer(a)
	}
	body, err := io.ReadAll(a.Body)
	if err != nil {
		return err
	}
	a.Body.Close()
	out := body
	p.mu.Lock()
	if f.pattern != "" {
		out = f.once(body, p.owner.rng)
	}
	if f.change != nil {
		out = f.change(p.owner, bytes.Clone(body))
	}
	p.mu.Unlock()
	if was != a.StatusCode || !bytes.Equal(out, body) {
		p.did()
	}
	a.Body, a.ContentLength = io.NopCloser(bytes.NewReader(out)), int64(len(out))
	a.Header.Set("Content-Length", strconv.Itoa(len(out)))
	return nil
}
