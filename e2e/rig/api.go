// SPDX-License-Identifier: AGPL-3.0-or-later

package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// ActivityJSON is the media type of ActivityPub documents.
const ActivityJSON = "application/activity+json"

var client = &http.Client{
	Timeout:       15 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport:     &http.Transport{MaxIdleConnsPerHost: 32},
}

// Client is what the suites ask nodes with: it follows no redirect.
func Client() *http.Client { return client }

// Get fetches an address; with accept when that is not empty.
func Get(ctx context.Context, address, accept string) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, nil, err
	}
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	return resp.StatusCode, body, err
}

// Listed is a record as the API lists it.
type Listed struct {
	ID     string `json:"id"`
	URL    string `json:"url"`
	Slug   string `json:"slug"`
	Kind   string `json:"kind"`
	Title  string `json:"title"`
	Origin string `json:"origin"`
}

// API calls the JSON API of this process with the administrator's token and
// decodes the answer into out, unless nil. A status outside 2xx is an error.
func (n *Node) API(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, n.base()+"/api/v1/"+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+n.Token)
	req.Header.Set("Accept", "application/json")
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := n.client().Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %.300s", method, path, resp.Status, b)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}

// page is one page of a list of the API.
type page struct {
	Items []Listed `json:"items"`
	Next  string   `json:"next"`
}

// kinds are the segments of the API that list records.
var kinds = [...]string{"initiatives", "recipes", "venues", "organisations", "meetings", "remakes"}

// Get reads a page of the site to its end, whatever it holds.
func (n *Node) Get(ctx context.Context, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, n.base()+path, nil)
	if err != nil {
		return err
	}
	resp, err := n.client().Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", path, resp.Status)
	}
	return nil
}

// Records lists every published record of every kind that the node shows.
func (n *Node) Records(ctx context.Context, query string) ([]Listed, error) {
	var all []Listed
	for _, kind := range kinds {
		next := ""
		for {
			q, err := url.ParseQuery(query)
			if err != nil {
				return nil, err
			}
			q.Set("limit", "100")
			if next != "" {
				q.Set("after", next)
			}
			var p page
			if err := n.API(ctx, http.MethodGet, kind+"?"+q.Encode(), nil, &p); err != nil {
				return nil, err
			}
			all = append(all, p.Items...)
			if p.Next == "" {
				break
			}
			if p.Next == next {
				return nil, fmt.Errorf("%s: the page after %q is itself", kind, next)
			}
			next = p.Next
		}
	}
	return all, nil
}

// Total is the totalItems of an ActivityPub collection.
func Total(ctx context.Context, address string) (int, error) {
	status, body, err := Get(ctx, address, ActivityJSON)
	if err != nil {
		return 0, err
	}
	if status != http.StatusOK {
		return 0, fmt.Errorf("%s: %d", address, status)
	}
	var c struct {
		TotalItems *int `json:"totalItems"`
	}
	if err := json.Unmarshal(body, &c); err != nil {
		return 0, err
	}
	if c.TotalItems == nil {
		return 0, fmt.Errorf("%s has no totalItems", address)
	}
	return *c.TotalItems, nil
}

// Author is the actor that a record is attributed to.
func Author(ctx context.Context, id string) (string, error) {
	_, body, err := Get(ctx, id, ActivityJSON)
	if err != nil {
		return "", err
	}
	var doc struct {
		AttributedTo string `json:"attributedTo"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return "", err
	}
	if doc.AttributedTo == "" {
		return "", fmt.Errorf("%s has no author: %.200s", id, body)
	}
	return doc.AttributedTo, nil
}

// Host is the host and port of an address.
func Host(address string) string {
	return strings.TrimPrefix(strings.TrimPrefix(address, "http://"), "https://")
}
