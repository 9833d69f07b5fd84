// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"essaim/e2e/rig"

	"golang.org/x/net/html"
)

// kind tells pages apart that are made otherwise: by route, reader, answer, what was
// asked, and whether they show nothing or what is wrong.
func (p *page) kind() string {
	_, query, _ := strings.Cut(p.path, "?")
	asked, _ := url.ParseQuery(query) // what cannot be read was asked too
	delete(asked, "lang")
	var state []string
	for _, class := range []string{"empty", "error", "note", "call", "remakes", "lineage"} {
		if p.shows(class) {
			state = append(state, class)
		}
	}
	return fmt.Sprintln(p.pattern, p.signed, p.status, p.form, slices.Sorted(maps.Keys(asked)), state)
}

// alike is the kind in a short look: what six kinds of records share is seen once.
func (p *page) alike() string {
	parts := strings.Split(p.pattern, "/")
	if len(parts) > 3 && slices.Contains([]string{"copies", "historique", "retirer", "lignee"}, parts[3]) {
		return fmt.Sprintln(parts[3], p.status)
	}
	troubled := strings.Contains(p.pattern, "{host}") && p.shows("warn")
	return fmt.Sprintln(p.pattern, p.status, p.form, p.shows("empty"), p.shows("thread"), troubled)
}

// shows tells whether something on a page is of a class.
func (p *page) shows(class string) bool {
	return slices.ContainsFunc(p.elements(), func(n *html.Node) bool {
		words, _ := attr(n, "class")
		return slices.Contains(strings.Fields(words), class)
	})
}

// english tells whether a page was asked for in English: its links go on in it.
func (p *page) english() bool { return strings.Contains(p.path, "lang=en") }

// samples are a page of each kind, the one with most to show, and one in English of
// each route.
func (w *world) samples() (list []*page) {
	for _, key := range slices.Sorted(maps.Keys(w.best)) {
		list = append(list, w.best[key])
	}
	return list
}

// forms are sent as they are when they are opened, which shows what is wrong.
func (w *world) forms(s *site, signed bool) error {
	for _, pattern := range w.known {
		writes := strings.HasPrefix(pattern, "/ecrire/")
		if !writes && pattern != "/connexion" && pattern != "/signaler" || writes != signed {
			continue
		}
		p, err := w.submit(s, pattern, signed)
		if err != nil {
			return err
		}
		if p == nil {
			continue // it has none, where no letters are sent
		}
		if p.status != http.StatusUnprocessableEntity {
			return fmt.Errorf("%s, sent empty: %d", pattern, p.status)
		}
		w.note(p)
	}
	return nil
}

// submit opens a page and sends its last form as it is.
func (w *world) submit(s *site, path string, signed bool) (*page, error) {
	opened, err := w.get(s, path, signed)
	if err != nil {
		return nil, err
	}
	typed, action := url.Values{}, ""
	for _, f := range opened.elements("form") {
		if method, _ := attr(f, "method"); method != "post" {
			continue
		}
		typed = url.Values{}
		action, _ = attr(f, "action")
		for n := range f.Descendants() {
			name, _ := attr(n, "name")
			value, _ := attr(n, "value")
			kind, _ := attr(n, "type")
			_, checked := attr(n, "checked")
			if n.Type == html.ElementNode && name != "" && (n.Data == "input" || n.Data == "textarea") && (checked || kind != "checkbox" && kind != "radio") {
				typed.Add(name, value)
			}
		}
	}
	if action == "" {
		return nil, nil //nolint:nilnil // no form, no answer
	}
	req, err := http.NewRequestWithContext(w.ctx, http.MethodPost, s.url+action, strings.NewReader(typed.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", s.url)
	req.Header.Set("Accept-Language", "fr")
	req.Header.Set("X-Forwarded-For", readerAddress(w.asked.Add(1)))
	client := rig.Client()
	if signed {
		client = s.signed
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	p := &page{site: s, path: path, signed: signed, form: true, pattern: w.pattern(path), status: resp.StatusCode, header: resp.Header}
	if p.body, p.sent, err = read(resp); err != nil {
		return nil, err
	}
	p.doc, err = html.Parse(bytes.NewReader(p.body))
	return p, err
}
