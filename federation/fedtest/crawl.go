// SPDX-License-Identifier: AGPL-3.0-or-later

package fedtest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// Served is an address of a node and what is wrong with what it answers.
type Served struct {
	Address  string
	Type     string // of the document
	Body     []byte
	Findings []Finding
}

// crawlMost bounds a crawl.
const crawlMost = 5000

// linkNames are the members that lead to other documents of the node. Inboxes
// are written to, not read, and pages are for people.
var linkNames = []string{
	"id", "attributedTo", "actor", "object", "outbox", "followers", "following", "featured", "streams", "replies", "likes", "shares", "context",
	"first", "last", "next", "prev", "partOf", "items", "orderedItems", "essaim:adaptations", "essaim:territory", "quoteAuthorization", "result", "alsoKnownAs",
}

// Crawl reads every document of a host that can be reached from the addresses
// given, through a transport, and lints each. What it could not read is an
// error.
func Crawl(ctx context.Context, transport http.RoundTripper, start ...string) ([]Served, error) {
	var list []Served
	seen := map[string]bool{}
	host := ""
	queue := slices.Clone(start)
	for len(queue) > 0 {
		address, _, _ := strings.Cut(queue[0], "#")
		queue = queue[1:]
		if host == "" {
			host = hostOf(address)
		}
		if seen[address] || hostOf(address) != host {
			continue
		}
		if seen[address] = true; len(seen) > crawlMost {
			return list, fmt.Errorf("more than %d addresses", crawlMost)
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return list, err
		}
		r.Header.Set("Accept", "application/activity+json")
		answer, err := transport.RoundTrip(r)
		if err != nil {
			return list, err
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close() // read to its end
		if err != nil {
			return list, err
		}
		s := Served{Address: address, Body: body, Findings: LintServed(address, answer, body)}
		var doc map[string]any
		if err := json.Unmarshal(body, &doc); err == nil {
			s.Type = text(doc["type"])
			links(doc, func(next string) { queue = append(queue, next) })
		}
		list = append(list, s)
	}
	return list, nil
}

// links visits the addresses that a document names.
func links(v any, visit func(string)) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range linkNames {
			if s := text(v[name]); s != "" {
				visit(s)
			}
			for _, s := range addresses(v[name]) {
				if s != "" {
					visit(s)
				}
			}
		}
		for _, name := range []string{"object", "items", "orderedItems"} {
			links(v[name], visit)
		}
	case []any:
		for _, item := range v {
			links(item, visit)
		}
	}
}
