// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"essaim/e2e/rig"
)

func errStatus(what string, a answer) error {
	return fmt.Errorf("%s: %d %.200s", what, a.status, a.body)
}

// accepts are the Accepts of a Follow that came to a peer.
func accepts(p *peer, follow map[string]any) []*delivery {
	return p.deliveries(func(d *delivery) bool { return d.doc["type"] == "Accept" && id(d.doc["object"]) == text(follow, "id") })
}

// accepted sends a Follow and waits for its Accept.
func (w *world) accepted(j *judge, a *actor, follow map[string]any, times int) *delivery {
	among(j, "Follow: status", w.post(a, w.inbox(), follow, cavage{}).status, 200, 201, 202, 204)
	var last *delivery
	j.soon(min(5*time.Second, w.patience), func() error {
		all := accepts(a.peer, follow)
		if len(all) < times {
			return fmt.Errorf("%d Accepts of %s, want %d", len(all), text(follow, "id"), times)
		}
		last = all[len(all)-1]
		return nil
	})
	return last
}

func (w *world) follow(j *judge) {
	a := w.peer.someone()
	followers := text(w.document(w.territory), "followers")
	before, err := w.total(followers)
	j.no(err)
	follow := a.activity("Follow", w.territory, nil)
	if d := w.accepted(j, a, follow, 1); d != nil {
		same(j, "Accept's actor", text(d.doc, "actor"), w.territory)
		same(j, "Accept's object's type", text(d.doc["object"], "type"), "Follow")
		same(j, "Accept's object's actor", id(at(d.doc["object"], "actor")), a.id)
		same(j, "inbox", d.path, "/actors/"+a.name+"/inbox")
		k, err := keysOf(w.document(w.territory))
		j.no(err)
		j.no(k.checkCavage(d))
		j.no(checkProof(d.body, k))
	}
	j.soon(w.patience, func() error { return w.errTotal(followers, before+1) })

	again := a.activity("Follow", w.territory, nil)
	w.accepted(j, a, again, 1)
	j.no(w.errTotal(followers, before+1))

	third := w.peer.someone()
	among(j, "Undo by a third", w.post(third, w.inbox(), third.activity("Undo", again, nil), cavage{}).status, 202, 401, 403)
	w.accepted(j, third, third.activity("Follow", w.territory, nil), 1)
	j.soon(w.patience, func() error { return w.errTotal(followers, before+2) })

	among(j, "Undo", w.post(a, w.inbox(), a.activity("Undo", again, nil), cavage{}).status, 200, 202, 204)
	j.soon(w.patience, func() error { return w.errTotal(followers, before+1) })
}

func (w *world) once(j *judge) {
	r, a := w.records[8], w.peer.someone()
	like := a.activity("Like", r.ID, nil)
	for _, inbox := range []string{w.inbox(), w.inbox(), text(w.document(w.territory), "inbox")} {
		among(j, "Like: status", w.post(a, inbox, like, cavage{}).status, 200, 202, 204)
	}
	control := w.peer.someone()
	w.post(control, w.inbox(), control.activity("Like", r.ID, nil), cavage{})
	j.soon(w.patience, func() error { return w.errTotal(r.ID+"/likes", 2) })

	territory := w.peer.actorAt("/actors/territory", "territory", "Organization")
	send := func(kind string, object any) {
		same(j, kind, w.post(territory, w.inbox(), territory.activity(kind, object, nil), cavage{}).status, http.StatusAccepted)
	}
	gone, kept, mark := w.peerRecord("avant", "Supprimée avant", 1), w.peerRecord("ordre", "Troisième version", 3), w.peerRecord("repere", "Repère", 1)
	send("Delete", text(gone, "id"))
	send("Create", gone)
	send("Create", kept)
	send("Update", w.peerRecord("ordre", "Deuxième version", 2))
	send("Create", mark) // one actor's activities are applied in their order
	j.soon(w.patience, func() error { return w.titled(w.a, text(mark, "id"), "Repère") })
	j.no(w.titled(w.a, text(kept, "id"), "Troisième version"))
	j.no(w.titled(w.a, text(gone, "id"), ""))
	send("Update", w.peerRecord("ordre", "Quatrième version", 4))
	j.soon(w.patience, func() error { return w.titled(w.a, text(kept, "id"), "Quatrième version") })
}

func (w *world) authority(j *judge) {
	elsewhere, err := w.newPeer("127.0.0.3")
	if !j.no(err) {
		return
	}
	territory := w.peer.actorAt("/actors/territory", "territory", "Organization")
	good := w.peerRecord("autorite", "La bonne", 1)
	same(j, "Create", w.post(territory, w.inbox(), territory.activity("Create", good, nil), cavage{}).status, http.StatusAccepted)
	j.soon(w.patience, func() error { return w.titled(w.a, text(good, "id"), "La bonne") })

	thief := elsewhere.actorAt("/actors/territory", "territory", "Organization")
	neighbour := w.peer.someone()
	forged := func(more map[string]any) map[string]any {
		doc := w.peerRecord("autorite", "La fausse", 9)
		for k, v := range more {
			doc[k] = v
		}
		return doc
	}
	ours := w.records[9]
	for _, t := range []struct {
		what   string
		sender *actor
		kind   string
		object any
	}{
		{"Create of an object of another host", thief, "Create", forged(map[string]any{"id": w.peer.URL + "/objects/volee"})},
		{"Create attributed to another host", thief, "Create", forged(map[string]any{"id": elsewhere.URL + "/objects/1"})},
		{"Update of another host's object", thief, "Update", forged(map[string]any{"attributedTo": thief.id})},
		{"Update of another actor's object", neighbour, "Update", forged(map[string]any{"attributedTo": neighbour.id})},
		{"Delete of another host's object", thief, "Delete", text(good, "id")},
		{"Delete of another actor's object", neighbour, "Delete", text(good, "id")},
		{"Update of an object of ours", thief, "Update", forged(map[string]any{"id": ours.ID})},
		{"Delete of an object of ours", neighbour, "Delete", ours.ID},
		{"Announce of an embedded object of another", thief, "Announce", forged(nil)},
	} {
		a := w.post(t.sender, w.inbox(), t.sender.activity(t.kind, t.object, nil), cavage{})
		among(j, t.what+": status", a.status, 202, 400, 401, 403)
		mark := t.sender.activity("Like", ours.ID, nil)
		w.post(t.sender, w.inbox(), mark, cavage{}) // applied after what came before it
	}
	j.soon(w.patience, func() error { return w.errTotal(ours.ID+"/likes", 2) })
	j.no(w.titled(w.a, text(good, "id"), "La bonne"))
	j.no(w.titled(w.a, w.peer.URL+"/objects/volee", ""))
	j.no(w.titled(w.a, elsewhere.URL+"/objects/1", ""))
	same(j, "ours", w.get(ours.ID).status, http.StatusOK)
	j.no(w.titled(w.a, ours.ID, ours.Title))
	rows, err := w.a.Records(w.ctx, "origin="+rig.Host(elsewhere.URL))
	j.no(err)
	for _, r := range rows {
		j.no(errors.New(r.ID + " came from nowhere that is followed"))
	}
}
