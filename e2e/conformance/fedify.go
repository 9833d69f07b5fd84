// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"essaim/e2e/rig"
)

const cavageName = "draft-cavage-http-signatures-12"

// fedifyTests are what the Fedify peer does and sees, by the names that
// docs/FEDIVERSE.md refers to.
var fedifyTests = []test{
	{"fedify/found", "a handle leads to the actor, by Fedify's WebFinger", (*world).fedifyFinds},
	{"fedify/followed", "a Follow is accepted, signed and proved; Undo ends it", (*world).fedifyFollows},
	{"fedify/read", "title, summary, link, picture and author of a record are read; its proof holds, and not once changed", (*world).fedifyReads},
	{"fedify/receive", "what is published, changed and deleted reaches it, signed and proved", (*world).fedifyReceives},
	{"fedify/like", "its Like and EmojiReact count, and Undo takes them back", (*world).fedifyLikes},
	{"fedify/boost", "its Announce counts, and Undo takes it back", (*world).fedifyBoosts},
	{"fedify/reply", "its reply waits for a moderator, is shown, follows its edit and goes with its Delete", (*world).fedifyReplies},
	{"fedify/feeds", "a theme that it follows announces what is published; an initiative has a profile, which goes with it", (*world).fedifyFeeds},
	{"fedify/follows", "it is followed by the node", (*world).fedifyFollowed},
	{"fedify/publishes", "what an account that is followed publishes and boosts becomes a candidate, which follows its edit and goes with its Delete or Undo", (*world).fedifyPublishes},
	{"fedify/rfc9421", "RFC 9421 both ways", (*world).fedifyModern},
	{"fedify/keys", "a changed key is believed at its first use", (*world).fedifyRotates},
}

func (w *world) fedifyFinds(j *judge) {
	for _, actor := range w.everyActor() {
		handle := "@" + w.handle(actor)
		r := w.fedify.lookup(j, handle)
		same(j, handle+": id", r.ID, actor)
		same(j, handle+": type", r.Kind, text(w.document(actor), "type"))
		same(j, handle+": name", r.Name, text(w.document(actor), "name"))
		j.that(r.Username != "" && strings.HasPrefix(handle, "@"+r.Username+"@"), "%s: username %q", handle, r.Username)
	}
	r := w.fedify.lookup(j, w.territory)
	n, err := w.total(text(w.document(w.territory), "outbox"))
	j.no(err)
	same(j, "totalItems of the outbox", r.Outbox, n)
}

// followWith makes an account of the peer follow an actor of the node.
func (w *world) followWith(j *judge, as, actor string) {
	follow := w.fedify.must(j, "follow", args{"as": as, "to": actor, "object": actor})
	w.fedify.got(j, "Accept of "+follow, func(i inspected) bool { return i.Type == "Accept" && i.Object == follow && i.Actor == actor })
}

func (w *world) fedifyFollows(j *judge) {
	before, err := w.total(text(w.document(w.territory), "followers"))
	j.no(err)
	follow := w.fedify.must(j, "follow", args{"as": "camille", "to": w.territory, "object": w.territory})
	accept := w.fedify.verified(j, "Accept", follow, cavageName)
	same(j, "Accept's actor", accept.Actor, w.territory)
	j.soon(w.patience, func() error { return w.followedBy(before + 1) })
	w.fedify.must(j, "unfollow", args{"as": "camille", "to": w.territory, "object": w.territory, "follow": follow})
	j.soon(w.patience, func() error { return w.followedBy(before) })
	for _, actor := range w.everyActor() {
		w.followWith(j, "camille", actor)
	}
	j.soon(w.patience, func() error { return w.followedBy(before + 1) })
}

func (w *world) fedifyReads(j *judge) {
	content := initiative("Un jardin: « réparer » & durer")
	content["images"] = []map[string]any{{"url": "https://images.example/1.jpg", "mediaType": "image/jpeg", "alt": "Trois personnes", "licence": "CC-BY-SA-4.0", "author": "Un atelier"}}
	content["keywords"] = []string{"jardin partagé"}
	var made rig.Listed
	j.no(w.a.API(w.ctx, http.MethodPost, "initiatives", content, &made))
	r := w.fedify.lookup(j, made.ID)
	same(j, "id", r.ID, made.ID)
	same(j, "type", r.Kind, "Article")
	same(j, "title", r.Name, "Un jardin: « réparer » & durer")
	j.that(strings.Contains(r.Summary, "Racontée pour ce contrôle"), "summary %q", r.Summary)
	j.that(strings.Contains(r.Content, "Deux phrases. Pas plus."), "content %q", r.Content)
	same(j, "link", r.URL, made.URL)
	same(j, "author", r.Author, w.territory)
	if j.that(len(r.Pictures) == 1, "pictures %v", r.Pictures) {
		same(j, "picture", r.Pictures[0].URL, "https://images.example/1.jpg")
		same(j, "alternative text", r.Pictures[0].Alt, "Trois personnes")
	}
	j.that(slices.ContainsFunc(r.Hashtags, func(h string) bool { return strings.HasPrefix(h, "#Jardin") }), "hashtags %v", r.Hashtags)
	byPage := w.fedify.lookup(j, made.URL)
	same(j, "found by its page", byPage.ID, made.ID)

	var v struct{ Proved bool }
	j.no(w.fedify.do("verify", args{"what": made.ID}, &v))
	j.that(v.Proved, "Fedify does not believe the record's proof")
	j.no(w.fedify.do("verify", args{"what": made.ID, "changed": true}, &v))
	j.that(!v.Proved, "Fedify believes a changed record")
}

func (w *world) fedifyReceives(j *judge) {
	w.followWith(j, "camille", w.territory)
	var made rig.Listed
	j.no(w.a.API(w.ctx, http.MethodPost, "initiatives", initiative("Pour Fedify"), &made))
	create := w.fedify.verified(j, "Create", made.ID, cavageName)
	same(j, "actor", create.Actor, w.territory)
	same(j, "title", create.Name, "Pour Fedify")
	j.no(w.a.API(w.ctx, http.MethodPut, "initiatives/"+made.Slug, initiative("Pour Fedify, modifiée"), nil))
	same(j, "changed title", w.fedify.verified(j, "Update", made.ID, cavageName).Name, "Pour Fedify, modifiée")
	same(j, "title read again", w.fedify.lookup(j, made.ID).Name, "Pour Fedify, modifiée")
	j.no(w.a.API(w.ctx, http.MethodDelete, "initiatives/"+made.Slug, nil, nil))
	same(j, "who deletes", w.fedify.verified(j, "Delete", made.ID, cavageName).Actor, w.territory)
}

func (w *world) fedifyLikes(j *judge) {
	r := w.records[10]
	like := w.fedify.must(j, "like", args{"as": "camille", "to": w.territory, "object": r.ID})
	j.soon(w.patience, func() error { return w.errTotal(r.ID+"/likes", 1) })
	w.fedify.must(j, "react", args{"as": "dominique", "to": w.territory, "object": r.ID})
	j.soon(w.patience, func() error { return w.errTotal(r.ID+"/likes", 2) })
	w.fedify.must(j, "unlike", args{"as": "camille", "to": w.territory, "object": r.ID, "like": like})
	j.soon(w.patience, func() error { return w.errTotal(r.ID+"/likes", 1) })
}

func (w *world) fedifyBoosts(j *judge) {
	r := w.records[10]
	w.fedify.must(j, "boost", args{"as": "camille", "to": w.territory, "object": r.ID, "shared": false})
	boost := w.fedify.must(j, "boost", args{"as": "camille", "to": w.territory, "object": r.ID})
	w.fedify.must(j, "boost", args{"as": "dominique", "to": w.territory, "object": r.ID})
	j.soon(w.patience, func() error { return w.errTotal(r.ID+"/shares", 2) })
	w.fedify.must(j, "unboost", args{"as": "camille", "to": w.territory, "object": r.ID, "boost": boost})
	j.soon(w.patience, func() error { return w.errTotal(r.ID+"/shares", 1) })
}

// shown is why a record's page does not show, or still shows, a text.
func (w *world) shown(r rig.Listed, words string, want bool) error {
	a := w.ask(http.MethodGet, r.URL, nil, "Accept", "text/html")
	if a.status != http.StatusOK || a.has(words) != want {
		return fmt.Errorf("%s: %d, shows %q: %v", r.URL, a.status, words, a.has(words))
	}
	return nil
}

// replied holds what becomes of a reply, from its arrival to its end, whoever
// sent it.
func (w *world) replied(j *judge, r rig.Listed, reply string, edit, remove func()) {
	const before, after = "Bravo pour cette initiative", "Bravo pour cette belle initiative"
	j.no(w.shown(r, before, false)) // held
	j.no(w.moderated(reply, "accept"))
	j.soon(w.patience, func() error { return w.shown(r, before, true) })
	j.no(w.shown(r, "onerror", false))
	replies := w.document(text(w.document(text(w.document(r.ID), "replies")), "first"))
	j.that(slices.ContainsFunc(list(replies, "orderedItems"), func(i any) bool { return id(i) == reply }), "%s is not among the replies: %v", reply, replies)
	edit()
	j.soon(w.patience, func() error { return w.edited(r, reply, after) })
	remove()
	j.soon(w.patience, func() error { return errors.Join(w.shown(r, after, false), w.shown(r, before, false)) })
}

// edited: a changed comment is shown as the node's policy has it, at once or
// after it was looked at again.
func (w *world) edited(r rig.Listed, reply, words string) error {
	if w.shown(r, words, true) == nil {
		return nil
	}
	_ = w.moderated(reply, "accept") // it may not be held
	return w.shown(r, words, true)
}

func (w *world) fedifyReplies(j *judge) {
	r := w.records[11]
	reply := w.fedify.must(j, "publish", args{
		"as": "camille", "to": w.territory, "object": r.ID, "content": `<p>Bravo pour cette initiative<img src=x onerror="alert(1)"></p>`,
	})
	w.replied(j, r, reply, func() {
		w.fedify.must(j, "edit", args{"as": "camille", "to": w.territory, "note": reply, "content": "<p>Bravo pour cette belle initiative</p>"})
	}, func() { w.fedify.must(j, "delete", args{"as": "camille", "to": w.territory, "note": reply}) })
}

func (w *world) fedifyModern(j *judge) {
	r := w.records[12]
	w.fedify.must(j, "like", args{"as": "camille", "to": w.territory, "object": r.ID, "signature": "rfc9421"})
	j.soon(w.patience, func() error { return w.errTotal(r.ID+"/likes", 1) })
	j.no(w.fedify.do("signatures", args{"only": "rfc9421"}, nil))
	var made rig.Listed
	j.no(w.a.API(w.ctx, http.MethodPost, "initiatives", initiative("Signée autrement"), &made))
	w.fedify.verified(j, "Create", made.ID, "rfc9421")
	j.no(w.fedify.do("signatures", args{"only": ""}, nil))
}

func (w *world) fedifyRotates(j *judge) {
	r := w.records[13]
	w.fedify.must(j, "like", args{"as": "eden", "to": w.territory, "object": r.ID})
	j.soon(w.patience, func() error { return w.errTotal(r.ID+"/likes", 1) })
	j.no(w.fedify.do("rotate", args{"as": "eden"}, nil))
	w.fedify.must(j, "boost", args{"as": "eden", "to": w.territory, "object": r.ID})
	j.soon(w.patience, func() error { return w.errTotal(r.ID+"/shares", 1) })
}

func (w *world) fedifyFollowed(j *judge) {
	j.no(w.follows(w.a, rig.Host(w.fedify.URL)))
	w.fedify.verified(j, "Follow", w.fedify.URL+"/users/node", cavageName)
	var followers []string
	j.no(w.fedify.do("followers", args{"as": "node"}, &followers))
	j.that(slices.Contains(followers, w.a.URL+"/actor"), "followers at Fedify: %v", followers)
}
