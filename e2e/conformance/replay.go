// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"essaim/e2e/rig"
)

// guest is a server that the suite plays, with what has passed so far.
type guest struct {
	*world
	software
	peer   *peer
	me     *actor
	target string // whom it follows
	follow map[string]any
	record rig.Listed
	doc    map[string]any // the record's document, as it came or was fetched
	raw    []byte         // the bytes that the last document came in
}

const guestTitle, guestSummary, guestImage, guestAlt = "Un four partagé", "Racontée pour ce contrôle", "https://images.example/four.jpg", "Un four à pain"

// invite starts a server of a software.
func (w *world) invite(s software) (*guest, error) {
	p, err := w.newPeer(s.ip)
	if err != nil {
		return nil, err
	}
	g := &guest{world: w, software: s, peer: p, target: w.territory}
	g.me = p.actorAt(or(s.path, "/users/alix"), "alix", or(s.kind, "Person"))
	for name, value := range s.actor {
		g.me.more[name] = value
	}
	if s.follow != "" {
		g.target = w.a.URL + s.follow
	}
	if s.name == "gotosocial" { // its key has an address of its own
		g.me.keyID = g.me.id + "/main-key"
		p.put(strings.TrimPrefix(g.me.keyID, p.URL), activityJSON, map[string]any{
			"@context": []any{rig.ASContext, "https://w3id.org/security/v1"}, "id": g.me.id, "type": "Person", "preferredUsername": g.me.name,
			"publicKey": map[string]any{"id": g.me.keyID, "owner": g.me.id, "publicKeyPem": publicPEM(g.me.rsa)},
		})
	}
	return g, nil
}

// send delivers an activity in the server's own shape, as that software's
// documents show it, and expects it taken.
func (g *guest) send(j *judge, kind string, object any, more map[string]any) map[string]any {
	doc := g.me.activity(kind, object, more)
	g.dress(g.me, doc)
	j.no(asWritten(g.name, doc))
	among(j, kind+": status", g.post(g.me, g.inbox(), doc, g.with).status, 200, 202)
	return doc
}

// undo takes an activity back, given whole, as every server but few does.
func (g *guest) undo(j *judge, doc map[string]any) { g.send(j, "Undo", doc, nil) }

// fetch gets a document as that server does: signed, with its Accept.
func (g *guest) fetch(j *judge, address string) map[string]any {
	req, err := http.NewRequestWithContext(g.ctx, http.MethodGet, address, nil)
	if !j.no(err) {
		return nil
	}
	req.Header.Set("Accept", g.accept)
	cavage{covered: []string{"(request-target)", "host", "date"}}.sign(req, g.me, nil)
	a := g.world.send(req)
	same(j, address+": status", a.status, http.StatusOK)
	among(j, address+": type", a.kind(), lemmyTypes...)
	same(j, address+": id", text(a.doc(), "id"), address)
	g.raw = a.body
	return a.doc()
}

// verbs are what a guest does, by the matrix's names.
var verbs = map[string]func(g *guest, j *judge){
	"found": (*guest).found, "followed": (*guest).followed, "title": (*guest).title, "summary": (*guest).summary, "link": (*guest).link,
	"image": (*guest).image, "reply": (*guest).reply, "like": (*guest).like, "boost": (*guest).boost, "edit": (*guest).edit, "delete": (*guest).remove,
}

// found: WebFinger leads to an actor that the server takes.
func (g *guest) found(j *judge) {
	handle := g.handle(g.target)
	jrd := g.finger("resource=acct:" + handle)
	same(j, "WebFinger", jrd.status, http.StatusOK)
	j.that(slices.Equal(selfLinks(jrd.doc()), []string{g.target}), "self links %v, want %s", selfLinks(jrd.doc()), g.target)
	doc := g.fetch(j, g.target)
	for _, name := range []string{"inbox", "outbox", "followers", "following", "url"} {
		j.that(host(text(doc, name)) == host(g.target), "%s on another host: %v", name, doc[name])
	}
	_, single := doc["publicKey"].(map[string]any)
	j.that(single, "publicKey %v", doc["publicKey"])
	_, named := doc["name"].(string)
	j.that(named, "name %v", doc["name"])
	g.asRead(j, "found", doc)
	if g.kind == "Application" { // by FEP-2677, as instances are found
		info := g.ask(http.MethodGet, g.a.URL+"/.well-known/nodeinfo", nil)
		j.that(info.has(`"`+g.target+`"`), "NodeInfo does not lead to %s", g.target)
	}
}

func (g *guest) followed(j *judge) {
	followers := text(g.document(g.target), "followers")
	before, err := g.total(followers)
	j.no(err)
	g.follow = g.send(j, "Follow", g.target, nil)
	d, err := g.awaited(g.peer, "Accept", func(d *delivery) bool {
		return d.doc["type"] == "Accept" && id(d.doc["object"]) == text(g.follow, "id")
	})
	if j.no(err) {
		same(j, "Accept's actor", text(d.doc, "actor"), g.target)
		k, err := keysOf(g.document(g.target))
		j.no(err)
		j.no(k.checkCavage(d))
	}
	j.soon(g.patience, func() error { return g.errTotal(followers, before+1) })
	g.undo(j, g.follow)
	j.soon(g.patience, func() error { return g.errTotal(followers, before) })
	again := g.send(j, "Follow", g.target, nil)
	_, err = g.awaited(g.peer, "Accept again", func(d *delivery) bool { return d.doc["type"] == "Accept" && id(d.doc["object"]) == text(again, "id") })
	j.no(err)
}

// content is a record that the server reads, and the path of its kind.
func (g *guest) content(title string) (kind string, content map[string]any) {
	kind, content = "initiatives", initiative(title)
	if g.meeting {
		kind, content["start"] = "meetings", "2027-05-01T10:00:00+02:00"
	}
	return kind, content
}

// received publishes a record once and waits until the server has it: pushed
// whole, or announced and fetched.
func (g *guest) received(j *judge) map[string]any {
	if g.doc != nil {
		return g.doc
	}
	kind, content := g.content(guestTitle)
	content["images"] = []map[string]any{{"url": guestImage, "mediaType": "image/jpeg", "alt": guestAlt, "licence": "CC-BY-SA-4.0", "author": "Un atelier"}}
	j.no(g.a.API(g.ctx, http.MethodPost, kind, content, &g.record))
	d, err := g.awaited(g.peer, "the record", func(d *delivery) bool { return mentions(d.doc, g.record.ID) && g.pushed(d) })
	if !j.no(err) {
		return nil
	}
	g.doc = g.carried(j, d)
	g.takes(j, g.doc)
	takesNumbers(j, g.raw)
	return g.doc
}

// pushed tells whether a delivery is what the server waits for: Lemmy and the
// relays an Announce of whom they follow, others the Create.
func (g *guest) pushed(d *delivery) bool {
	if g.follow != nil && g.target != g.territory {
		return d.doc["type"] == "Announce" && text(d.doc, "actor") == g.target
	}
	return d.doc["type"] == "Create"
}

// mentions tells whether an activity is about an object, itself or in what it
// announces.
func mentions(doc map[string]any, object string) bool {
	return id(doc["object"]) == object || id(at(doc["object"], "object")) == object
}

// carried is the object that a delivery brings, fetched where it is only named.
func (g *guest) carried(j *judge, d *delivery) map[string]any {
	o := d.doc["object"]
	g.raw = d.body
	if inner := at(o, "object"); inner != nil { // FEP-1b12
		o = inner
	}
	if doc, ok := o.(map[string]any); ok {
		if doc["@context"] == nil {
			doc["@context"] = d.doc["@context"]
		}
		return doc
	}
	return g.fetch(j, id(o))
}

func (g *guest) title(j *judge) {
	doc := g.received(j)
	g.asRead(j, "title", doc)
	same(j, "title", g.software.read(doc).title, guestTitle)
	j.that(doc["nameMap"] != nil, "no language of the title")
}

func (g *guest) summary(j *judge) {
	doc := g.received(j)
	g.asRead(j, "summary", doc)
	j.that(doc["summaryMap"] != nil, "no language of the summary")
	s := g.software.read(doc).summary
	j.that(strings.Contains(s, guestSummary), "summary %q", s)
}

// link: what the server links leads a reader to the page, at once or, by the
// object's own address, in one step.
func (g *guest) link(j *judge) {
	g.asRead(j, "link", g.received(j))
	address := g.software.read(g.received(j)).link
	page := g.ask(http.MethodGet, address, nil, "Accept", "text/html")
	if address == g.record.ID {
		same(j, "a browser at the object's address", page.status, http.StatusSeeOther)
		address = page.header.Get("Location")
		page = g.ask(http.MethodGet, address, nil, "Accept", "text/html")
	}
	address, _, _ = strings.Cut(address, "?") // what a server adds of its own
	same(j, "link", address, g.record.URL)
	j.that(page.status == http.StatusOK && page.has(`property="og:title"`), "%d, no card for the link", page.status)
}

func (g *guest) image(j *judge) {
	g.asRead(j, "image", g.received(j))
	s := g.software.read(g.received(j))
	same(j, "picture", s.image, guestImage)
	same(j, "its text", s.alt, guestAlt)
}

func (g *guest) like(j *judge) {
	g.received(j)
	before, err := g.total(g.record.ID + "/likes")
	j.no(err)
	like := g.send(j, "Like", g.record.ID, nil)
	j.soon(g.patience, func() error { return g.errTotal(g.record.ID+"/likes", before+1) })
	g.undo(j, like)
	j.soon(g.patience, func() error { return g.errTotal(g.record.ID+"/likes", before) })
}

func (g *guest) boost(j *judge) {
	g.received(j)
	before, err := g.total(g.record.ID + "/shares")
	j.no(err)
	boost := g.send(j, "Announce", g.record.ID, map[string]any{"published": stamp(time.Now()), "cc": []any{g.territory, g.me.id + "/followers"}})
	j.soon(g.patience, func() error { return g.errTotal(g.record.ID+"/shares", before+1) })
	g.undo(j, boost)
	j.soon(g.patience, func() error { return g.errTotal(g.record.ID+"/shares", before) })
}

// reply: held, let through, shown, changed and taken back.
func (g *guest) reply(j *judge) {
	g.received(j)
	author := g.me
	if g.kind == "Application" { // people answer, instances do not
		author = g.peer.actor("camille")
		g = &guest{world: g.world, software: g.software, peer: g.peer, me: author, target: g.target, record: g.record, doc: g.doc}
	}
	note := author.note(g.record.ID, `<p>Bravo pour cette initiative<img src=x onerror="alert(1)"></p>`)
	note["tag"] = []any{map[string]any{"type": "Mention", "href": g.territory, "name": "@brest"}}
	note["cc"] = []any{g.territory}
	g.peer.put(strings.TrimPrefix(text(note, "id"), g.peer.URL), activityJSON, note)
	g.send(j, "Create", note, nil)
	language := declared(note)
	g.replied(j, g.record, text(note, "id"), func() {
		j.no(g.shown(g.record, `lang="`+language+`"><p>Bravo`, language != ""))
		note["content"], note["updated"] = "<p>Bravo pour cette belle initiative</p>", stamp(time.Now().Add(time.Second))
		delete(note, "contentMap")
		g.send(j, "Update", note, nil)
	}, func() { g.send(j, "Delete", map[string]any{"id": text(note, "id"), "type": "Tombstone"}, nil) })
}

// declared is the language that a note gives of itself, as its software writes it.
func declared(note map[string]any) string {
	tags, _ := note["contentMap"].(map[string]any)
	for tag := range tags {
		return tag
	}
	return or(text(note, "language", "identifier"), text(note, "language"))
}

// announced is an activity, or the one that it announces (FEP-1b12).
func announced(doc map[string]any) map[string]any {
	if inner, ok := doc["object"].(map[string]any); ok && doc["type"] == "Announce" {
		return inner
	}
	return doc
}

// told waits for what we send of an object: bare, or announced to a community.
func (g *guest) told(j *judge, kind string) *delivery {
	d, err := g.awaited(g.peer, kind, func(d *delivery) bool {
		if g.follow != nil && strings.Contains(g.target, "/groupe_") {
			return d.doc["type"] == "Announce" && text(d.doc["object"], "type") == kind && mentions(d.doc, g.record.ID)
		}
		return d.doc["type"] == kind && mentions(d.doc, g.record.ID)
	})
	j.no(err)
	return d
}

// edit: our Update has what the server needs to believe it.
func (g *guest) edit(j *judge) {
	before := g.received(j)
	kind, content := g.content(guestTitle + ", repris")
	j.no(g.a.API(g.ctx, http.MethodPut, kind+"/"+g.record.Slug, content, nil))
	d := g.told(j, "Update")
	if d == nil {
		return
	}
	doc := g.carried(j, d)
	g.takes(j, doc)
	g.asRead(j, "edit", announced(d.doc), doc)
	same(j, "id", text(doc, "id"), g.record.ID)
	same(j, "title", text(doc, "name"), guestTitle+", repris")
	j.that(text(doc, "updated") > text(before, "updated"), "updated %v, before %v", doc["updated"], before["updated"])
	same(j, "published", text(doc, "published"), text(before, "published"))
	same(j, "author", id(doc["attributedTo"]), id(before["attributedTo"]))
}

// remove: our Delete names its object by an id of the author's host.
func (g *guest) remove(j *judge) {
	g.received(j)
	kind, _ := g.content("")
	j.no(g.a.API(g.ctx, http.MethodDelete, kind+"/"+g.record.Slug, nil, nil))
	d := g.told(j, "Delete")
	if d == nil {
		return
	}
	doc := announced(d.doc)
	g.asRead(j, "delete", doc)
	same(j, "actor", text(doc, "actor"), g.territory)
	same(j, "object", id(doc["object"]), g.record.ID)
	if o, ok := doc["object"].(map[string]any); ok {
		same(j, "type", text(o, "type"), "Tombstone")
	}
	same(j, "fetched again", g.get(g.record.ID).status, http.StatusGone)
}

// replay plays every server through its verbs; it returns the names of the
// tests that passed.
func (w *world) replay(only string) []string {
	var passed []string
	for _, s := range fediverse {
		if !strings.Contains(s.name, only) && !slices.ContainsFunc(everything, func(v string) bool { return strings.Contains(s.name+"/"+v, only) }) {
			continue
		}
		g, err := w.invite(s)
		if err != nil {
			w.Check(w.db+" "+s.name, func() error { return err })
			continue
		}
		for _, verb := range everything {
			if !s.can(verb) {
				continue
			}
			name := s.name + "/" + verb
			ok := w.Check(fmt.Sprintf("%s %s: in the shapes of that software", w.db, name), func() error {
				var j judge
				verbs[verb](g, &j)
				return j.verdict()
			})
			if ok {
				passed = append(passed, name)
			}
		}
	}
	return passed
}
