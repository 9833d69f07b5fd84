// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"essaim/e2e/rig"
)

// lemmyTypes are the three literals that Lemmy compares a document's type with.
var lemmyTypes = []string{activityJSON, activityJSON + "; charset=utf-8", ldJSON}

// someDocuments are one of each sort: actors, an object, an activity.
func (w *world) someDocuments() []string {
	all := w.everyActor()
	if len(w.records) > 0 {
		all = append(all, w.records[0].ID)
	}
	page := w.document(text(w.document(text(w.document(w.territory), "outbox")), "first"))
	if items := list(page, "orderedItems"); len(items) > 0 {
		all = append(all, id(items[0]))
	}
	return all
}

func (w *world) asLD(j *judge) {
	for _, address := range w.someDocuments() {
		a := w.ask(http.MethodGet, address, nil, "Accept", ldJSON)
		same(j, address+": status", a.status, http.StatusOK)
		same(j, address+": id", text(a.doc(), "id"), address)
		among(j, address+": type", a.kind(), lemmyTypes...)
		j.that(slices.Contains(list(a.doc(), "@context"), any(rig.ASContext)), "%s: context %v", address, at(a.doc(), "@context"))
	}
	same(j, "documents looked at", len(w.someDocuments()), len(w.everyActor())+2)
}

func (w *world) asActivity(j *judge) {
	for _, address := range w.someDocuments() {
		a, ld := w.get(address), w.ask(http.MethodGet, address, nil, "Accept", ldJSON)
		same(j, address+": status", a.status, http.StatusOK)
		among(j, address+": type", a.kind(), lemmyTypes...)
		j.that(len(a.body) > 0 && bytes.Equal(a.body, ld.body), "%s: two answers", address)
	}
}

var alternate = regexp.MustCompile(`<link[^>]*rel="alternate"[^>]*>`)

func (w *world) asHTML(j *judge) {
	for _, address := range []string{w.territory, w.records[0].ID} {
		for _, accept := range []string{"text/html", activityJSON, ldJSON} {
			a := w.ask(http.MethodGet, address, nil, "Accept", accept)
			j.that(varies(a, "Accept"), "%s as %s: Vary %q", address, accept, a.header.Values("Vary"))
		}
		a := w.ask(http.MethodGet, address, nil, "Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
		page := address
		if among(j, address+": status", a.status, http.StatusOK, http.StatusSeeOther); a.status == http.StatusSeeOther {
			page = a.header.Get("Location")
			if strings.HasPrefix(page, "/") {
				page = w.a.URL + page
			}
			a = w.ask(http.MethodGet, page, nil, "Accept", "text/html")
		}
		same(j, page+": status", a.status, http.StatusOK)
		j.that(strings.HasPrefix(a.kind(), "text/html"), "%s is %q", page, a.kind())
		linked := false
		for _, tag := range alternate.FindAllString(string(a.body), -1) {
			linked = linked || strings.Contains(tag, `type="application/activity+json"`) && strings.Contains(tag, `href="`+address+`"`)
		}
		j.that(linked, "%s links no document of %s", page, address)
	}
}

func varies(a answer, by string) bool {
	return slices.ContainsFunc(a.header.Values("Vary"), func(v string) bool { return strings.Contains(strings.ToLower(v), strings.ToLower(by)) })
}

// asAnything is the choice that FEDERATION.md documents: an address that is an
// id answers with its document whoever does not ask for a page.
func (w *world) asAnything(j *judge) {
	for _, address := range w.someDocuments() {
		for _, accept := range []string{"*/*", "application/json", "", "image/png", "application/xml;q=0.9, nonsense"} {
			headers := []string{"Accept", accept}
			if accept == "" {
				headers = nil
			}
			a := w.ask(http.MethodGet, address, nil, headers...)
			same(j, fmt.Sprintf("%s as %q: status", address, accept), a.status, http.StatusOK)
			same(j, fmt.Sprintf("%s as %q: id", address, accept), text(a.doc(), "id"), address)
		}
	}
}

func (w *world) actors(j *judge) {
	for _, address := range w.everyActor() {
		doc := w.document(address)
		same(j, "id", text(doc, "id"), address)
		among(j, address+": type", text(doc, "type"), "Application", "Organization", "Service", "Person", "Group")
		contexts, isList := at(doc, "@context").([]any)
		j.that(isList && slices.Contains(contexts, any(rig.ASContext)), "%s: context %v", address, contexts)
		for _, name := range []string{"inbox", "outbox", "followers", "following", "featured", "url"} {
			j.that(text(doc, name) == w.a.URL || near(text(doc, name), w.a.URL), "%s: %s is %q", address, name, text(doc, name))
		}
		j.that(strings.HasPrefix(address, "https://"), "%s is not https", address)
		same(j, "shared inbox", text(doc, "endpoints", "sharedInbox"), w.a.URL+"/inbox")
		_, single := at(doc, "publicKey").(map[string]any)
		j.that(single, "%s: publicKey is not one object", address)
		same(j, "publicKey.owner", text(doc, "publicKey", "owner"), address)
		same(j, "publicKey.id", text(doc, "publicKey", "id"), address+"#main-key")
		k, err := keysOf(doc)
		if j.no(err) {
			j.that(k.rsa.N.BitLen() >= 2048, "%s: RSA of %d bits", address, k.rsa.N.BitLen())
			same(j, "Ed25519 key", len(k.ed), 32)
			j.that(strings.HasPrefix(k.edID, address+"#"), "%s: Ed25519 key %q", address, k.edID)
			j.no(checkProof(w.get(address).body, k))
		}
		for _, m := range list(doc, "assertionMethod") {
			same(j, "controller", text(m, "controller"), address)
		}
		j.that(username.MatchString(text(doc, "preferredUsername")) && len(text(doc, "preferredUsername")) <= 30,
			"%s: username %q", address, text(doc, "preferredUsername"))
	}
}

var username = regexp.MustCompile(`^[a-z0-9_]+([.-][a-z0-9_]+)*$`)

// outboxItems is everything that the territory's outbox lists.
func (w *world) outboxItems() (items []any, err error) {
	pages, err := w.pages(text(w.document(text(w.document(w.territory), "outbox")), "first"), "next")
	for _, p := range pages {
		items = append(items, list(p, "orderedItems")...)
	}
	return items, err
}

func (w *world) outboxObjects(j *judge) {
	items, err := w.outboxItems()
	j.no(err)
	j.that(len(items) >= len(w.records) && len(items) > 0, "%d items, %d published", len(items), len(w.records))
	k, err := keysOf(w.document(w.territory))
	j.no(err)
	reader := w.peer.someone()
	for _, item := range items {
		object := id(at(item, "object"))
		plain, signed := w.get(object), w.signedGet(reader, object)
		same(j, object+": status", plain.status, http.StatusOK)
		same(j, object+": id", text(plain.doc(), "id"), object)
		j.that(signed.status == http.StatusOK && bytes.Equal(signed.body, plain.body), "%s: signed, %d and other bytes", object, signed.status)
		j.no(checkProof(plain.body, k))
		same(j, object+": author", id(at(plain.doc(), "attributedTo")), w.territory)
	}
	same(j, "unknown object", w.get(w.a.URL+"/objects/01JZZZZZZZZZZZZZZZZZZZZZZZ").status, http.StatusNotFound)
}

func (w *world) tombstone(j *judge) {
	var made rig.Listed
	j.no(w.a.API(w.ctx, http.MethodPost, "initiatives", initiative("Une initiative à retirer"), &made))
	same(j, "before", w.get(made.ID).status, http.StatusOK)
	j.soon(w.patience, func() error { return w.titled(w.b, made.ID, "Une initiative à retirer") })
	j.no(w.a.API(w.ctx, http.MethodDelete, "initiatives/"+made.Slug, nil, nil))
	a := w.get(made.ID)
	same(j, "after", a.status, http.StatusGone)
	same(j, "id", text(a.doc(), "id"), made.ID)
	same(j, "type", text(a.doc(), "type"), "Tombstone")
	same(j, "formerType", text(a.doc(), "formerType"), "Article")
	j.that(text(a.doc(), "deleted") != "", "no deleted in %s", a.body)
	j.that(!a.has("Une initiative à retirer"), "the Tombstone keeps the title")
	same(j, "never there", w.get(w.a.URL+"/objects/01JZZZZZZZZZZZZZZZZZZZZZZY").status, http.StatusNotFound)
	same(j, "never an actor", w.get(w.a.URL+"/actors/jamais").status, http.StatusNotFound)
	j.soon(w.patience, func() error { return w.titled(w.b, made.ID, "") })
	items, err := w.outboxItems()
	j.no(err)
	for _, item := range items {
		j.that(text(item, "type") == "Delete" || id(at(item, "object")) != made.ID, "the outbox still creates %s", made.ID)
	}
}

func (w *world) draft(j *judge) {
	const title = "Un brouillon que personne ne voit"
	content := initiative(title)
	content["state"] = "draft"
	var made rig.Listed
	j.no(w.a.API(w.ctx, http.MethodPost, "initiatives", content, &made))
	for _, address := range []string{made.ID, made.URL} {
		for _, accept := range []string{activityJSON, "text/html"} {
			a := w.ask(http.MethodGet, address, nil, "Accept", accept)
			among(j, address+" as "+accept, a.status, http.StatusNotFound, http.StatusForbidden)
			j.that(!a.has(title), "%s as %s tells it", address, accept)
		}
	}
	signed := w.signedGet(w.peer.someone(), made.ID)
	among(j, "signed", signed.status, http.StatusNotFound, http.StatusForbidden)
	looked := 0
	for _, path := range []string{
		"/", "/initiatives", "/initiatives.atom", "/initiatives.jsonld", "/initiatives.csv", "/initiatives.geojson", "/sitemap.xml", "/commons",
		"/recherche?q=brouillon", "/api/v1/initiatives", "/api/v1/initiatives?q=brouillon", "/territoires", "/actor/outbox?page=true",
	} {
		a := w.ask(http.MethodGet, w.a.URL+path, nil)
		if a.status == http.StatusOK {
			looked++
		}
		j.that(a.status < 500 && !a.has(title) && !a.has(made.ID), "%s (%d) has the draft", path, a.status)
	}
	j.that(looked >= 7, "only %d lists were there to look at", looked)
	items, err := w.outboxItems()
	j.no(err)
	for _, item := range items {
		j.that(id(at(item, "object")) != made.ID, "the outbox has the draft")
	}
	j.no(w.titled(w.b, made.ID, ""))
}

func (w *world) conditional(j *judge) {
	reader := w.peer.someone()
	for _, address := range w.someDocuments() {
		a := w.get(address)
		tag := a.header.Get("ETag")
		j.that(tag != "", "%s: no ETag", address)
		control := a.header.Get("Cache-Control")
		j.that(control != "", "%s: no Cache-Control", address)
		again := w.ask(http.MethodGet, address, nil, "Accept", activityJSON, "If-None-Match", tag)
		same(j, address+": If-None-Match", again.status, http.StatusNotModified)
		same(j, address+": bytes of a 304", len(again.body), 0)
		other := w.ask(http.MethodGet, address, nil, "Accept", activityJSON, "If-None-Match", `"autre"`)
		same(j, address+": another tag", other.status, http.StatusOK)
		head := w.ask(http.MethodHead, address, nil, "Accept", activityJSON)
		same(j, address+": HEAD", head.status, http.StatusOK)
		same(j, address+": HEAD's tag", head.header.Get("ETag"), tag)
		same(j, address+": bytes of HEAD", len(head.body), 0)
		// A signed answer differs in nothing, and no cache may serve it unasked.
		signed := w.signedGet(reader, address)
		j.that(bytes.Equal(signed.body, a.body), "%s: signed, other bytes", address)
		cc := signed.header.Get("Cache-Control")
		j.that(varies(signed, "Signature") || strings.Contains(cc, "private") || strings.Contains(cc, "no-store") ||
			strings.Contains(cc, "max-age=0") && strings.Contains(cc, "must-revalidate"), "%s: signed, Cache-Control %q", address, cc)
	}
}
