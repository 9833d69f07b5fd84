// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"essaim/e2e/rig"
)

func (w *world) collections(j *judge) {
	for _, actor := range w.everyActor() {
		doc := w.document(actor)
		for name, kinds := range map[string][]string{
			"outbox": {"OrderedCollection"}, "featured": {"OrderedCollection"},
			"followers": {"OrderedCollection", "Collection"}, "following": {"OrderedCollection", "Collection"},
		} {
			address := text(doc, name)
			a := w.get(address)
			same(j, address+": status", a.status, http.StatusOK)
			same(j, address+": id", text(a.doc(), "id"), address)
			among(j, address+": type", text(a.doc(), "type"), kinds...)
			n, ok := at(a.doc(), "totalItems").(float64)
			j.that(ok && n >= 0 && n == float64(int(n)), "%s: totalItems %v", address, at(a.doc(), "totalItems"))
		}
	}
	for _, name := range []string{"likes", "shares", "replies", "context"} {
		address := text(w.document(w.records[0].ID), name)
		a := w.get(address)
		same(j, address+": status", a.status, http.StatusOK)
		same(j, address+": id", text(a.doc(), "id"), address)
		j.that(strings.HasSuffix(text(a.doc(), "type"), "Collection"), "%s: type %q", address, text(a.doc(), "type"))
	}
}

func (w *world) paging(j *judge) {
	outbox := text(w.document(w.territory), "outbox")
	doc := w.document(outbox)
	pages, err := w.pages(text(doc, "first"), "next")
	j.no(err)
	j.that(len(pages) >= 3, "%d pages: too few to say anything", len(pages))
	seen, last := map[string]bool{}, ""
	for _, p := range pages {
		same(j, "partOf", text(p, "partOf"), outbox)
		among(j, "page's type", text(p, "type"), "OrderedCollectionPage")
		for _, item := range list(p, "orderedItems") {
			j.that(!seen[id(item)], "%s is listed twice", id(item))
			seen[id(item)] = true
			at := text(item, "published")
			j.that(at != "" && (last == "" || at <= last), "%s of %s comes after one of %s", id(item), at, last)
			last = at
		}
	}
	total, _ := at(doc, "totalItems").(float64)
	same(j, "totalItems", int(total), len(seen))

	// What is published during a reading moves nothing in what is yet to come.
	first := w.document(text(doc, "first"))
	_, err = w.publish("Publiée pendant la lecture")
	j.no(err)
	rest, err := w.pages(text(first, "next"), "next")
	j.no(err)
	now := map[string]bool{}
	for _, p := range append([]map[string]any{first}, rest...) {
		for _, item := range list(p, "orderedItems") {
			j.that(!now[id(item)], "%s shifted into two pages", id(item))
			now[id(item)] = true
			j.that(seen[id(item)], "%s was not there when the reading began", id(item))
		}
	}
	same(j, "read during a publication", len(now), len(seen))
	if len(rest) > 0 {
		same(j, "a page's own id", text(rest[0], "id"), text(first, "next"))
	}
}

func (w *world) backwards(j *judge) {
	doc := w.document(text(w.document(w.territory), "outbox"))
	forth, err := w.pages(text(doc, "first"), "next")
	j.no(err)
	if !j.that(text(doc, "last") != "", "the outbox has no last") {
		return
	}
	back, err := w.pages(text(doc, "last"), "prev")
	j.no(err)
	slices.Reverse(back)
	var ids [2][]string
	for i, pages := range [][]map[string]any{forth, back} {
		for _, p := range pages {
			for _, item := range list(p, "orderedItems") {
				ids[i] = append(ids[i], id(item))
			}
		}
	}
	j.that(len(ids[0]) > 40, "only %d items", len(ids[0]))
	j.that(slices.Equal(sorted(ids[0]), sorted(ids[1])), "%d items forward, %d backward", len(ids[0]), len(ids[1]))
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

func (w *world) inboxes(j *judge) {
	for _, inbox := range []string{w.a.URL + "/inbox", text(w.document(w.territory), "inbox"), w.a.URL + "/actor/inbox"} {
		for _, accept := range []string{activityJSON, "text/html", "*/*"} {
			a := w.ask(http.MethodGet, inbox, nil, "Accept", accept)
			if a.status == http.StatusOK {
				same(j, inbox+": type", text(a.doc(), "type"), "OrderedCollection")
				same(j, inbox+": items shown to strangers", len(list(a.doc(), "orderedItems")), 0)
				continue
			}
			among(j, inbox+" as "+accept, a.status, http.StatusMethodNotAllowed, http.StatusUnauthorized, http.StatusForbidden)
			j.that(a.status != http.StatusMethodNotAllowed || strings.Contains(a.header.Get("Allow"), "POST"),
				"%s: 405 without Allow: POST but %q (RFC 9110 15.5.6)", inbox, a.header.Get("Allow"))
		}
	}
}

func (w *world) featured(j *judge) {
	shown := 0
	for _, actor := range w.everyActor() {
		featured := w.document(text(w.document(actor), "featured"))
		for _, item := range list(featured, "orderedItems") {
			address, isString := item.(string)
			if !j.that(isString, "%s features what is no address: %v", actor, item) {
				continue
			}
			a := w.get(address)
			same(j, address+": status", a.status, http.StatusOK)
			same(j, address+": author", id(at(a.doc(), "attributedTo")), actor)
			among(j, address+": type", text(a.doc(), "type"), "Note", "Article", "Event", "Page")
			shown++
		}
	}
	j.that(shown > 0, "no actor features anything")
	j.that(shown <= 5*len(w.everyActor()), "%d featured", shown)
}

// peerRecord is a version of a record of the scripted peer, in the shape that
// nodes replicate.
func (w *world) peerRecord(name, title string, version int) map[string]any {
	author := w.peer.URL + "/actors/territory"
	return map[string]any{
		"@context": []any{rig.ASContext, map[string]string{"essaim": "https://w3id.org/essaim#", "dcterms": "http://purl.org/dc/terms/"}},
		"id":       w.peer.URL + "/objects/" + name, "type": "Article", "attributedTo": author, "name": title,
		"summary": "<p>Une fiche venue d’ailleurs.</p>", "content": "<p>Son texte.</p>", "mediaType": "text/html",
		"url": w.peer.URL + "/initiatives/" + name, "published": "2026-01-01T00:00:00Z", "updated": fmt.Sprintf("2026-01-01T00:00:%02dZ", version),
		"to": []string{rig.Public}, "essaim:kind": "initiative", "essaim:revision": version, "essaim:incarnation": 1,
		"essaim:tagline": "Une fiche venue d’ailleurs.", "essaim:themes": []string{"https://w3id.org/essaim/themes#reemploi"},
		"essaim:territory": author, "dcterms:license": "https://creativecommons.org/licenses/by-sa/4.0/",
	}
}
