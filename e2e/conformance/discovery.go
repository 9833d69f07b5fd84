// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"essaim/e2e/rig"
)

func (w *world) finger(query string) answer {
	return w.ask(http.MethodGet, w.a.URL+"/.well-known/webfinger?"+query, nil, "Accept", "application/jrd+json, application/json")
}

// handle is an actor's user@host, read from its document.
func (w *world) handle(actor string) string {
	return text(w.document(actor), "preferredUsername") + "@" + rig.Host(w.a.URL)
}

// selfLinks are the addresses under rel=self of an ActivityPub type.
func selfLinks(jrd map[string]any) (hrefs []string) {
	for _, l := range list(jrd, "links") {
		if text(l, "rel") == "self" && (text(l, "type") == activityJSON || text(l, "type") == ldJSON) {
			hrefs = append(hrefs, text(l, "href"))
		}
	}
	return hrefs
}

// everyActor is each kind of actor of the first node: itself, the territory, a
// theme, a commune, an initiative, an organisation and a person.
func (w *world) everyActor() []string { return w.actorIDs }

func (w *world) webFinger(j *judge) {
	for _, actor := range w.everyActor() {
		handle := w.handle(actor)
		a := w.finger("resource=acct:" + handle)
		same(j, handle+": status", a.status, http.StatusOK)
		same(j, handle+": type", a.kind(), "application/jrd+json")
		same(j, handle+": subject", text(a.doc(), "subject"), "acct:"+handle)
		links := selfLinks(a.doc())
		j.that(len(links) == 1 && links[0] == actor, "%s: self links %q, want %q alone", handle, links, actor)
		// Mastodon's reverse check: the document's own handle loops back (FEP-2c59).
		same(j, handle+": webfinger property", strings.TrimPrefix(text(w.document(actor), "webfinger"), "acct:"), handle)
	}
}

func (w *world) webFingerEncoded(j *judge) {
	for _, actor := range w.everyActor() {
		plain := w.finger("resource=acct:" + w.handle(actor))
		encoded := w.finger("resource=" + url.QueryEscape("acct:"+w.handle(actor)))
		same(j, "status", encoded.status, http.StatusOK)
		j.that(len(plain.body) > 0 && string(plain.body) == string(encoded.body), "%s: encoded %s, plain %s", actor, encoded.body, plain.body)
	}
}

func (w *world) webFingerNone(j *judge) {
	for _, query := range []string{"", "resource=", "rel=self", "Resource=acct:x@y"} {
		same(j, "?"+query, w.finger(query).status, http.StatusBadRequest)
	}
}

func (w *world) webFingerMalformed(j *judge) {
	for _, resource := range []string{w.handle(w.territory), "brest", ":brest@x", "1acct:brest@x"} {
		a := w.finger("resource=" + url.QueryEscape(resource))
		same(j, resource, a.status, http.StatusBadRequest)
		j.that(!strings.Contains(a.kind(), "html"), "%s: answered with %s", resource, a.kind())
	}
}

func (w *world) webFingerUnknown(j *judge) {
	host := rig.Host(w.a.URL)
	name, _, _ := strings.Cut(w.handle(w.territory), "@")
	for _, resource := range []string{
		"acct:personne-de-ce-nom@" + host, "acct:" + name + "@ailleurs.example", "acct:" + name, "acct:@" + host,
		w.a.URL + "/actors/inconnu", "https://ailleurs.example/", "mailto:" + name + "@" + host,
	} {
		a := w.finger("resource=" + url.QueryEscape(resource))
		same(j, resource, a.status, http.StatusNotFound)
		j.that(!strings.Contains(a.kind(), "html"), "%s: answered with %s", resource, a.kind())
	}
}

func (w *world) webFingerRel(j *judge) {
	resource := "resource=acct:" + w.handle(w.territory)
	for _, query := range []string{
		resource + "&rel=self", resource + "&rel=self&rel=http%3A%2F%2Fwebfinger.net%2Frel%2Fprofile-page", "rel=self&" + resource,
		resource + "&rel=inconnue",
	} {
		a := w.finger(query)
		same(j, query+": status", a.status, http.StatusOK)
		same(j, query+": type", a.kind(), "application/jrd+json")
		j.that(slices.Contains(selfLinks(a.doc()), w.territory), "%s: no self link in %s", query, a.body)
	}
}

func (w *world) webFingerCORS(j *judge) {
	for _, query := range []string{"resource=acct:" + w.handle(w.territory), "resource=acct:inconnu@" + rig.Host(w.a.URL), ""} {
		same(j, "?"+query, w.finger(query).header.Get("Access-Control-Allow-Origin"), "*")
	}
}

func (w *world) webFingerAddress(j *judge) {
	a := w.finger("resource=" + url.QueryEscape(w.territory))
	same(j, "actor: status", a.status, http.StatusOK)
	j.that(slices.Equal(selfLinks(a.doc()), []string{w.territory}), "actor: %s", a.body)
	// FEP-d556: the server's own actor by the server's address.
	a = w.finger("resource=" + url.QueryEscape(w.a.URL+"/"))
	same(j, "server: status", a.status, http.StatusOK)
	found := ""
	for _, l := range list(a.doc(), "links") {
		if text(l, "rel") == "https://www.w3.org/ns/activitystreams#Service" {
			found = text(l, "href")
		}
	}
	same(j, "server: its actor", found, w.a.URL+"/actor")
	// Mobilizon and PeerTube look for an instance by these names.
	for _, name := range []string{"relay", rig.Host(w.a.URL)} {
		a := w.finger("resource=" + url.QueryEscape("acct:"+name+"@"+rig.Host(w.a.URL)))
		j.that(slices.Equal(selfLinks(a.doc()), []string{w.a.URL + "/actor"}), "%s: %d %s", name, a.status, a.body)
	}
}

func (w *world) hostMeta(j *judge) {
	a := w.ask(http.MethodGet, w.a.URL+"/.well-known/host-meta", nil)
	same(j, "status", a.status, http.StatusOK)
	kind, _, _ := strings.Cut(a.kind(), ";")
	same(j, "type", kind, "application/xrd+xml")
	var xrd struct {
		XMLName xml.Name `xml:"http://docs.oasis-open.org/ns/xri/xrd-1.0 XRD"`
		Links   []struct {
			Rel      string `xml:"rel,attr"`
			Template string `xml:"template,attr"`
		} `xml:"Link"`
	}
	if !j.no(xml.Unmarshal(a.body, &xrd)) {
		return
	}
	found := ""
	for _, l := range xrd.Links {
		if l.Rel == "lrdd" {
			found = l.Template
		}
	}
	j.that(near(found, w.a.URL) && strings.Contains(found, "{uri}"), "template %q", found)
	followed := w.ask(http.MethodGet, strings.ReplaceAll(found, "{uri}", url.QueryEscape("acct:"+w.handle(w.territory))), nil)
	j.that(slices.Contains(selfLinks(followed.doc()), w.territory), "the template leads to %d %s", followed.status, followed.body)
}

func (w *world) nodeInfoLinks(j *judge) {
	a := w.ask(http.MethodGet, w.a.URL+"/.well-known/nodeinfo", nil)
	same(j, "status", a.status, http.StatusOK)
	j.that(strings.HasPrefix(a.kind(), "application/json"), "type %q", a.kind())
	links := map[string]string{}
	for _, l := range list(a.doc(), "links") {
		links[text(l, "rel")] = text(l, "href")
	}
	for _, version := range []string{"2.1", "2.0"} {
		href := links["http://nodeinfo.diaspora.software/ns/schema/"+version]
		j.that(near(href, w.a.URL), "schema/%s is at %q", version, href)
		same(j, version, w.ask(http.MethodGet, href, nil).status, http.StatusOK)
	}
	same(j, "Application (FEP-2677)", links["https://www.w3.org/ns/activitystreams#Application"], w.a.URL+"/actor")
}

var softwareName = regexp.MustCompile(`^[a-z0-9-]+$`)

// nodeInfoSchema holds the schemas' rules: required members, no others, and
// their types.
func (w *world) nodeInfo(j *judge) {
	for _, version := range []string{"2.1", "2.0"} {
		a := w.ask(http.MethodGet, w.a.URL+"/nodeinfo/"+version, nil)
		same(j, "status", a.status, http.StatusOK)
		same(j, "type", a.kind(), `application/json; profile="http://nodeinfo.diaspora.software/ns/schema/`+version+`#"`)
		doc := a.doc()
		same(j, "version", text(doc, "version"), version)
		required := []string{"metadata", "openRegistrations", "protocols", "services", "software", "usage", "version"}
		for _, name := range required {
			j.that(at(doc, name) != nil, "%s: no %s", version, name)
		}
		for name := range doc {
			j.that(slices.Contains(required, name), "%s: %s is not of the schema", version, name)
		}
		j.that(softwareName.MatchString(text(doc, "software", "name")), "software.name %q", text(doc, "software", "name"))
		j.that(text(doc, "software", "version") != "", "no software.version")
		j.that(slices.Contains(list(doc, "protocols"), any("activitypub")), "protocols %v", at(doc, "protocols"))
		_, isBool := at(doc, "openRegistrations").(bool)
		j.that(isBool, "openRegistrations %v", at(doc, "openRegistrations"))
		_, isObject := at(doc, "usage", "users").(map[string]any)
		j.that(isObject, "usage.users %v", at(doc, "usage", "users"))
		for _, direction := range []string{"inbound", "outbound"} {
			_, isList := at(doc, "services", direction).([]any)
			j.that(isList, "services.%s %v", direction, at(doc, "services", direction))
		}
		// FEP-0151: never false usage.
		posts, _ := at(doc, "usage", "localPosts").(float64)
		n, err := w.total(text(w.document(w.territory), "outbox"))
		j.no(err)
		same(j, "usage.localPosts", int(posts), n)
	}
}

func (w *world) application(j *judge) {
	a := w.get(w.a.URL + "/actor")
	same(j, "status", a.status, http.StatusOK)
	same(j, "type", text(a.doc(), "type"), "Application")
	same(j, "id", text(a.doc(), "id"), w.a.URL+"/actor")
	k, err := keysOf(a.doc())
	j.no(err)
	j.no(checkProof(a.body, k))
	again := w.get(k.rsaID)
	same(j, "the key's address without a signature", again.status, http.StatusOK)
	j.that(json.Valid(again.body), "the key's address: %s", again.body)
}
