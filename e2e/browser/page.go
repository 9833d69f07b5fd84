// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"essaim/e2e/rig"

	"golang.org/x/net/html"
)

// page is what an address answered.
type page struct {
	site    *site
	path    string // with its query
	from    string // the page that led to it
	signed  bool
	form    bool // it answers the form of the page of this address, sent as it was
	pattern string
	status  int
	header  http.Header
	body    []byte
	sent    int        // bytes as a browser receives them
	doc     *html.Node // nil unless it is HTML
}

// String names a page in a report.
func (p *page) String() string {
	s := p.site.name + " " + p.path
	if p.form {
		s += " (sent)"
	}
	if p.signed {
		s += " (signed in)"
	}
	return s
}

// get asks for an address as a browser does, each time as another reader, so that
// no limit is met. It follows redirects within the site.
func (w *world) get(s *site, path string, signed bool) (*page, error) {
	p := &page{site: s, path: path, signed: signed, pattern: w.pattern(path)}
	client := rig.Client()
	if signed {
		client = s.signed
	}
	address := s.url + path
	for range 5 {
		resp, err := ask(w.ctx, client, address, w.asked.Add(1))
		if err != nil {
			return nil, err
		}
		p.status, p.header = resp.StatusCode, resp.Header
		p.body, p.sent, err = read(resp)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		to := resp.Header.Get("Location")
		if resp.StatusCode/100 != 3 || to == "" {
			break
		}
		next, err := resp.Request.URL.Parse(to)
		if err != nil || next.Scheme+"://"+next.Host != s.url {
			return p, nil //nolint:nilerr // an answer that leads elsewhere is judged as it is
		}
		address = next.String()
	}
	if strings.HasPrefix(p.header.Get("Content-Type"), "text/html") {
		var err error
		if p.doc, err = html.Parse(bytes.NewReader(p.body)); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return p, nil
}

func ask(ctx context.Context, client *http.Client, address string, reader uint32) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
	req.Header.Set("Accept-Language", "fr")
	req.Header.Set("Accept-Encoding", "gzip")
	req.Header.Set("X-Forwarded-For", readerAddress(reader))
	return client.Do(req)
}

// readerAddress is that of one reader among many.
func readerAddress(n uint32) string { return fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255) }

// largest bounds what is read of one answer.
const largest = 32 << 20

// read gives the body of an answer, and its size on the wire.
func read(resp *http.Response) (body []byte, sent int, err error) {
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, largest))
	if err != nil || resp.Header.Get("Content-Encoding") != "gzip" {
		return raw, len(raw), err
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, 0, err
	}
	body, err = io.ReadAll(io.LimitReader(z, largest))
	return body, len(raw), err
}

// attr is an attribute's value.
func attr(n *html.Node, name string) (string, bool) {
	i := slices.IndexFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
	if i < 0 {
		return "", false
	}
	return n.Attr[i].Val, true
}

// elements are those of some names, of all without.
func (p *page) elements(names ...string) (list []*html.Node) {
	if p.doc == nil {
		return nil
	}
	for n := range p.doc.Descendants() {
		if n.Type == html.ElementNode && (len(names) == 0 || slices.Contains(names, n.Data)) {
			list = append(list, n)
		}
	}
	return list
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

// reference is an address that a page names.
type reference struct {
	element, attribute string
	url                *url.URL
	loaded             bool // by the browser, unasked
	posted             bool // by a form; a GET may be answered there too
}

// own tells whether it leads to the site itself.
func (r reference) own(s *site) bool { return r.url.Scheme+"://"+r.url.Host == s.url }

// references are the addresses that a page names.
func (p *page) references() (list []reference) {
	base, err := url.Parse(p.site.url + p.path)
	if err != nil {
		return nil
	}
	for _, n := range p.elements() {
		for _, a := range n.Attr {
			var found []string
			switch a.Key {
			case "href", "src", "poster", "data", "xlink:href", "action":
				found = []string{a.Val}
			case "content": // the picture that other sites show
				if strings.HasPrefix(a.Val, p.site.url+"/") {
					found = []string{a.Val}
				}
			case "srcset":
				for _, one := range strings.Split(a.Val, ",") {
					if words := strings.Fields(one); len(words) > 0 {
						found = append(found, words[0])
					}
				}
			case "value":
				// A link to hand to somebody stands in a field.
				if _, ok := attr(n, "readonly"); ok && strings.HasPrefix(a.Val, p.site.url+"/") {
					found = []string{a.Val}
				}
			}
			if strings.HasPrefix(a.Key, "data-") && strings.HasPrefix(a.Val, "/") {
				found = []string{a.Val} // what a script asks for
			}
			for _, f := range found {
				u, err := base.Parse(strings.TrimSpace(f))
				if err != nil {
					u = &url.URL{Opaque: f}
				}
				method, _ := attr(n, "method")
				list = append(list, reference{n.Data, a.Key, u, loads(n, a.Key), a.Key == "action" && strings.EqualFold(method, "post")})
			}
		}
	}
	return list
}

// loads tells whether a browser asks for it without being told to.
func loads(n *html.Node, attribute string) bool {
	switch n.Data {
	case "a", "area", "form", "input", "button", "meta", "figure":
		return attribute == "src"
	case "link":
		rel, _ := attr(n, "rel")
		return slices.ContainsFunc(strings.Fields(strings.ToLower(rel)), func(r string) bool {
			return slices.Contains([]string{"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch", "modulepreload", "manifest", "apple-touch-icon"}, r)
		})
	}
	return true
}
