// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"essaim/e2e/rig"
)

// follower makes a peer on an address of its own with so many followers of the
// territory. What is published is answered by on, which is told how often something
// about that object came; the rest with 202.
func (w *world) follower(j *judge, ip string, n int, on func(tries int, d *delivery) int) *peer {
	p, err := w.newPeer(ip)
	if !j.no(err) {
		return nil
	}
	for range n {
		a := p.someone()
		w.accepted(j, a, a.activity("Follow", w.territory, nil), 1)
	}
	p.onInbox(func(d *delivery) int {
		if d.doc["type"] == "Accept" {
			return http.StatusAccepted
		}
		return on(len(p.about(id(d.doc["object"]))), d)
	})
	return p
}

// about are the deliveries that bring something about an object.
func (p *peer) about(object string) []*delivery {
	return p.deliveries(func(d *delivery) bool { return d.doc["type"] != "Accept" && id(d.doc["object"]) == object })
}

// queuedDelivery is a delivery that a node still holds.
type queuedDelivery struct {
	Type   string    `json:"type"`
	State  string    `json:"state"`
	Status int       `json:"status"`
	NextAt time.Time `json:"nextAt"`
}

// queued are the deliveries that the first node still holds for a peer.
func (w *world) queued(p *peer) (rows []queuedDelivery, err error) {
	out, err := w.a.Run(w.ctx, "queue", "list", "--data", w.a.Dir, "--json", "--host", rig.Host(p.URL))
	if err == nil {
		err = json.Unmarshal([]byte(out), &rows)
	}
	return rows, err
}

func accepting(int, *delivery) int { return http.StatusAccepted }

func (w *world) delivered(j *judge) {
	shared := w.follower(j, "127.0.0.4", 3, accepting)
	broken := w.follower(j, "127.0.0.5", 1, func(tries int, _ *delivery) int {
		if tries <= 3 {
			return http.StatusServiceUnavailable
		}
		return http.StatusAccepted
	})
	gone := w.follower(j, "127.0.0.6", 1, func(int, *delivery) int { return http.StatusGone })
	busy := w.follower(j, "127.0.0.7", 1, func(tries int, d *delivery) int {
		if tries == 1 {
			d.answer.Set("Retry-After", "2")
			return http.StatusTooManyRequests
		}
		return http.StatusAccepted
	})
	modern := w.follower(j, "127.0.0.8", 1, func(_ int, d *delivery) int {
		if d.header.Get("Signature-Input") == "" {
			return http.StatusUnauthorized
		}
		return http.StatusAccepted
	})
	moved := w.follower(j, "127.0.0.9", 1, func(_ int, d *delivery) int {
		d.answer.Set("Location", w.peer.URL+"/inbox-ailleurs")
		return http.StatusTemporaryRedirect
	})
	if moved == nil || len(j.failed) > 0 {
		return
	}
	made, err := w.publish("Une initiative à livrer")
	j.no(err)
	j.soon(w.patience, func() error { return w.titled(w.b, made.ID, "Une initiative à livrer") })
	w.deliveredOnce(j, shared, made.ID)
	w.deliveredLater(j, busy, made.ID)
	w.deliveredOtherwise(j, modern, made.ID)
	w.deliveredAfterTrouble(j, broken, made)
	w.deliveredNowhere(j, gone, moved, made.ID)
	w.privateRefused(j)
}

// deliveredOnce: three followers, one shared inbox, one POST that verifies.
func (w *world) deliveredOnce(j *judge, p *peer, object string) {
	d, err := w.awaited(p, "Create", func(d *delivery) bool { return d.doc["type"] == "Create" && id(d.doc["object"]) == object })
	if !j.no(err) {
		return
	}
	same(j, "inbox", d.path, "/inbox")
	same(j, "POSTs to three followers", len(p.about(object)), 1)
	same(j, "Host", d.host, rig.Host(p.URL))
	same(j, "type", d.header.Get("Content-Type"), activityJSON)
	k, err := keysOf(w.document(w.territory))
	j.no(err)
	j.no(k.checkCavage(d))
	j.no(checkProof(d.body, k))
	for _, hidden := range []string{"bto", "bcc"} {
		j.that(d.doc[hidden] == nil && at(d.doc["object"], hidden) == nil, "%s is delivered", hidden)
	}
	j.that(len(list(d.doc, "to")) > 0, "addressed to nobody")
}

// deliveredLater: 429 with Retry-After is obeyed.
func (w *world) deliveredLater(j *judge, p *peer, object string) {
	j.soon(w.patience, func() error {
		if n := len(p.about(object)); n != 2 {
			return fmt.Errorf("%d tries at a busy host, want 2", n)
		}
		return nil
	})
	if all := p.about(object); len(all) == 2 {
		wait := all[1].at.Sub(all[0].at)
		j.that(wait >= 2*time.Second && wait < 10*time.Second, "tried again after %s, asked for 2 s", wait)
	}
}

// deliveredOtherwise: 401 is answered with RFC 9421, once, and that is remembered.
func (w *world) deliveredOtherwise(j *judge, p *peer, object string) {
	j.soon(w.patience, func() error {
		if n := len(p.about(object)); n != 2 {
			return fmt.Errorf("%d tries at a host that wants RFC 9421, want 2", n)
		}
		return nil
	})
	all := p.about(object)
	if len(all) != 2 {
		return
	}
	k, err := keysOf(w.document(w.territory))
	j.no(err)
	j.no(k.checkCavage(all[0]))
	j.no(k.checkRFC9421(all[1]))
	next, err := w.publish("La suivante")
	j.no(err)
	d, err := w.awaited(p, "the next", func(d *delivery) bool { return id(d.doc["object"]) == next.ID })
	if j.no(err) {
		j.no(k.checkRFC9421(d))
		same(j, "tries of the next", len(p.about(next.ID)), 1)
	}
}

// deliveredAfterTrouble: 503 three times, then once each and in order.
func (w *world) deliveredAfterTrouble(j *judge, p *peer, made rig.Listed) {
	_, err := w.awaited(p, "a first try", func(d *delivery) bool { return id(d.doc["object"]) == made.ID })
	j.no(err)
	content := initiative("Une initiative à livrer, modifiée")
	j.no(w.a.API(w.ctx, http.MethodPut, "initiatives/"+made.Slug, content, nil))
	for round := 0; round < 12; round++ {
		rows, err := w.queued(p)
		if !j.no(err) || len(rows) == 0 {
			break
		}
		all := func(*delivery) bool { return true }
		tries := len(p.deliveries(all))
		_, err = w.a.Run(w.ctx, "queue", "retry", "--data", w.a.Dir, "--all", "--host", rig.Host(p.URL))
		j.no(err)
		j.soon(w.patience, func() error {
			rows, err := w.queued(p)
			if err == nil && len(rows) > 0 && len(p.deliveries(all)) == tries {
				err = fmt.Errorf("no try after the %dth", tries)
			}
			return err
		})
	}
	j.soon(w.patience, func() error {
		rows, err := w.queued(p)
		if err == nil && len(rows) > 0 {
			err = fmt.Errorf("%d deliveries still wait: %+v", len(rows), rows[0])
		}
		return err
	})
	var order []string
	for i, d := range p.about(made.ID) {
		if i >= 3 { // those before were answered 503
			order = append(order, text(d.doc, "type"))
		}
	}
	j.that(len(order) == 2 && order[0] == "Create" && order[1] == "Update", "after 503 three times came %v", order)
}

// deliveredNowhere: 410 is not tried again for a day, and a redirect leads
// nowhere.
func (w *world) deliveredNowhere(j *judge, gone, moved *peer, object string) {
	for what, p := range map[string]*peer{"410": gone, "307": moved} {
		_, err := w.awaited(p, what, func(d *delivery) bool { return id(d.doc["object"]) == object })
		j.no(err)
		j.soon(w.patience, func() error {
			rows, err := w.queued(p)
			if err == nil && (len(rows) == 0 || rows[0].Status/100 != int(what[0]-'0')) {
				err = fmt.Errorf("%s: queue %+v", what, rows)
			}
			return err
		})
		same(j, what+": tries", len(p.about(object)), 1)
	}
	if rows, err := w.queued(gone); j.no(err) && len(rows) > 0 {
		j.that(time.Until(rows[0].NextAt) > 20*time.Hour, "410: tried again at %s", rows[0].NextAt)
	}
	redirected := w.peer.deliveries(func(d *delivery) bool { return d.path == "/inbox-ailleurs" })
	same(j, "POSTs that followed a redirect to another host", len(redirected), 0)
}

// privateRefused: outside of development a node reaches public addresses only.
func (w *world) privateRefused(j *judge) {
	n, err := w.node("Tourcoing", []string{"ESSAIM_ALLOW_PRIVATE="}, "--epci", "200093201")
	if !j.no(err) {
		return
	}
	defer n.Stop()
	var asked atomic.Int32
	a := w.peer.someone()
	w.peer.handle("/actors/"+a.name, func(rw http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		writeJSON(rw, activityJSON, a.document())
	})
	got := w.post(a, n.URL+"/inbox", a.activity("Follow", n.URL+"/actor", nil), cavage{})
	among(j, "a follow from a private address", got.status, 401, 403, 500, 502, 503)
	same(j, "requests to a private address", asked.Load(), 0)
	_, err = n.Run(w.ctx, "peer", "follow", "--data", n.Dir, rig.Host(w.peer.URL))
	j.that(err != nil, "a private address is followed")
	// Control: the same actor at the node that development opens.
	same(j, "control", w.post(a, w.inbox(), a.activity("Like", w.records[0].ID, nil), cavage{}).status, http.StatusAccepted)
	same(j, "control's requests", asked.Load(), 1)
}
