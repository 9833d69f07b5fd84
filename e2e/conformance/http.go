// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Media types that servers of the Fediverse ask with.
const (
	activityJSON = "application/activity+json"
	ldJSON       = `application/ld+json; profile="https://www.w3.org/ns/activitystreams"`
)

// answer is what came back; status is 0 and the body the reason when nothing did.
type answer struct {
	status int
	header http.Header
	body   []byte
	took   time.Duration
}

// ask sends a request with headers given as names and values in turn.
func (w *world) ask(method, address string, body []byte, headers ...string) answer {
	req, err := http.NewRequestWithContext(w.ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return answer{body: []byte(err.Error())}
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return w.send(req)
}

func (w *world) send(req *http.Request) answer {
	start := time.Now()
	resp, err := w.client.Do(req)
	if err != nil {
		return answer{body: []byte(err.Error())}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		return answer{body: []byte(err.Error())}
	}
	return answer{status: resp.StatusCode, header: resp.Header, body: body, took: time.Since(start)}
}

// get asks for an ActivityPub document.
func (w *world) get(address string) answer {
	return w.ask(http.MethodGet, address, nil, "Accept", activityJSON)
}

// document is an ActivityPub document, nil when there is none.
func (w *world) document(address string) map[string]any { return w.get(address).doc() }

func (a answer) kind() string { return a.header.Get("Content-Type") }

// doc is the body as a JSON object, nil when it is none.
func (a answer) doc() map[string]any {
	var doc map[string]any
	if json.Unmarshal(a.body, &doc) != nil {
		return nil
	}
	return doc
}

// at follows names into a document.
func at(v any, path ...string) any {
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

// text is the string at a path, empty when there is none.
func text(v any, path ...string) string {
	s, _ := at(v, path...).(string)
	return s
}

// list is the elements at a path; one that is no list counts as a list of one.
func list(v any, path ...string) []any {
	switch v := at(v, path...).(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// id is the address of a thing that is named or embedded.
func id(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return text(v, "id")
}

// total is the totalItems of a collection.
func (w *world) total(address string) (int, error) {
	a := w.get(address)
	n, ok := at(a.doc(), "totalItems").(float64)
	if a.status != http.StatusOK || !ok {
		return 0, fmt.Errorf("%s: %d, no totalItems", address, a.status)
	}
	return int(n), nil
}

// errTotal is why a collection does not count what it should, nil when it does.
func (w *world) errTotal(address string, want int) error {
	got, err := w.total(address)
	if err == nil && got != want {
		err = fmt.Errorf("%s counts %d, want %d", address, got, want)
	}
	return err
}

// pages walks a collection from a page by a link ("next" or "prev") to its end.
func (w *world) pages(first, link string) (pages []map[string]any, err error) {
	for next := first; next != ""; {
		a := w.get(next)
		doc := a.doc()
		switch {
		case a.status != http.StatusOK || doc == nil:
			return nil, fmt.Errorf("%s: %d", next, a.status)
		case len(a.body) > 1<<20:
			return nil, fmt.Errorf("%s: %d bytes", next, len(a.body))
		case len(pages) == 100:
			return nil, errors.New(first + ": more than 100 pages")
		}
		pages = append(pages, doc)
		next = text(doc, link)
	}
	return pages, nil
}

// near tells whether an address is of the node.
func near(address, base string) bool { return strings.HasPrefix(address, base+"/") }
