// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"essaim/e2e/rig"
)

// inbox is the first node's shared inbox.
func (w *world) inbox() string { return w.a.URL + "/inbox" }

// sender is the actor who sends an activity of the scripted peer.
func (w *world) sender(doc map[string]any) *actor {
	return w.peer.known(text(doc, "actor"))
}

func (w *world) unsigned(j *judge) {
	for _, inbox := range []string{w.inbox(), text(w.document(w.territory), "inbox"), w.a.URL + "/actor/inbox"} {
		w.liked(j, "unsigned at "+inbox, w.records[0], false, func(like map[string]any) answer {
			return w.ask(http.MethodPost, inbox, encode(like), "Content-Type", activityJSON, "Date", time.Now().UTC().Format(http.TimeFormat))
		})
	}
	a := w.ask(http.MethodPost, w.inbox(), encode(w.peer.someone().activity("Like", w.records[0].ID, nil)), "Content-Type", activityJSON)
	same(j, "status", a.status, http.StatusUnauthorized)
}

// tried is a way to sign and whether it must be taken.
type tried struct {
	what string
	want bool
	with cavage
}

func (w *world) try(j *judge, all []tried) {
	for _, t := range all {
		w.liked(j, t.what, w.records[1], t.want, func(like map[string]any) answer { return w.post(w.sender(like), w.inbox(), like, t.with) })
	}
}

func (w *world) cavage(j *judge) {
	w.try(j, []tried{
		{"as Mastodon covers", true, cavage{}},
		{"and the media type", true, cavage{covered: []string{"(request-target)", "host", "date", "digest", "content-type"}}},
		{"in another order", true, cavage{covered: []string{"host", "date", "content-type", "digest", "(request-target)"}}},
	})
	w.liked(j, "at an actor's inbox", w.records[1], true, func(like map[string]any) answer {
		return w.post(w.sender(like), text(w.document(w.territory), "inbox"), like, cavage{})
	})
}

func (w *world) cavageForms(j *judge) {
	w.try(j, []tried{
		{"hs2019", true, cavage{algorithm: "hs2019"}},
		{"parameters separated by comma and space", true, cavage{between: ", "}},
		{"the digest's name in lower case", true, cavage{digest: "sha-256"}},
		{"an algorithm for another key", false, cavage{algorithm: "ed25519"}},
		{"a shared secret made of the key", false, cavage{algorithm: "hmac-sha256"}},
	})
	// GoToSocial's key has an address of its own, which serves a stub of the
	// actor; others serve the key alone.
	for what, document := range map[string]func(a *actor, key map[string]any) map[string]any{
		"a key's address that serves a stub of its actor": func(a *actor, key map[string]any) map[string]any {
			return map[string]any{"@context": []any{rig.ASContext, "https://w3id.org/security/v1"}, "id": a.id, "type": "Person", "preferredUsername": a.name, "publicKey": key}
		},
		"a key's address that serves the key": func(_ *actor, key map[string]any) map[string]any {
			key["@context"], key["type"] = "https://w3id.org/security/v1", "CryptographicKey"
			return key
		},
	} {
		w.liked(j, what, w.records[1], true, func(like map[string]any) answer {
			a := w.sender(like)
			a.change(func() { a.keyID = a.id + "/main-key" })
			key := map[string]any{"id": a.keyID, "owner": a.id, "publicKeyPem": publicPEM(a.rsa)}
			w.peer.put(strings.TrimPrefix(a.keyID, w.peer.URL), activityJSON, document(a, key))
			return w.post(a, w.inbox(), like, cavage{})
		})
	}
}

func (w *world) digests(j *judge) {
	w.try(j, []tried{
		{"a digest of another body", false, cavage{of: []byte("{}")}},
		{"a digest that is not covered", false, cavage{covered: []string{"(request-target)", "host", "date"}}},
		{"a digest of an algorithm nobody knows", false, cavage{digest: "MD5"}},
		{"control", true, cavage{}},
	})
	w.liked(j, "a body changed on its way", w.records[1], false, func(like map[string]any) answer {
		other := w.peer.someone().activity("Like", w.records[1].ID, map[string]any{"actor": like["actor"], "id": like["id"]})
		return w.postBytes(w.sender(like), w.inbox(), append(encode(other), ' '), cavage{of: encode(other)})
	})
}

// dates: Mastodon's window, 65 minutes back and an hour ahead, and its edges.
func (w *world) dates(j *judge) {
	w.try(j, []tried{
		{"two hours old", false, cavage{skew: -2 * time.Hour}},
		{"two hours ahead", false, cavage{skew: 2 * time.Hour}},
		{"four minutes old", true, cavage{skew: -4 * time.Minute}},
		{"four minutes ahead", true, cavage{skew: 4 * time.Minute}},
		{"64 minutes old", true, cavage{skew: -64 * time.Minute}},
		{"66 minutes old", false, cavage{skew: -66 * time.Minute}},
		{"59 minutes ahead", true, cavage{skew: 59 * time.Minute}},
		{"61 minutes ahead", false, cavage{skew: 61 * time.Minute}},
		{"a date that is not covered", false, cavage{covered: []string{"(request-target)", "host", "digest"}}},
	})
}

func (w *world) covered(j *judge) {
	w.try(j, []tried{
		{"without (request-target)", false, cavage{covered: []string{"host", "date", "digest"}}},
		{"without host", false, cavage{covered: []string{"(request-target)", "date", "digest"}}},
		{"for another path", false, cavage{path: "/actor/inbox"}},
		{"for another host", false, cavage{host: "ailleurs.example"}},
		{"control", true, cavage{}},
	})
}

func (w *world) rfc9421(j *judge) {
	for _, t := range []struct {
		what string
		want bool
		with rfc9421
	}{
		{"RSA", true, rfc9421{}},
		{"Ed25519", true, rfc9421{ed25519: true}},
		{"without created", false, rfc9421{noCreated: true}},
		{"without content-digest", false, rfc9421{covered: []string{"@method", "@target-uri"}}},
		{"without @target-uri", false, rfc9421{covered: []string{"@method", "content-digest"}}},
		{"a digest of another body", false, rfc9421{of: []byte("{}")}},
		{"two hours old", false, rfc9421{skew: -2 * time.Hour}},
	} {
		w.liked(j, t.what, w.records[2], t.want, func(like map[string]any) answer { return w.post9421(w.sender(like), w.inbox(), like, t.with) })
	}
}

// forwarded: one who is not the actor may pass on what the actor itself proved.
func (w *world) forwarded(j *judge) {
	other := w.peer.someone()
	relay := func(doc map[string]any) answer { return w.post(other, w.inbox(), doc, cavage{}) }
	w.liked(j, "passed on without proof", w.records[3], false, relay)
	w.liked(j, "passed on with the actor's proof", w.records[3], true, func(like map[string]any) answer {
		return relay(w.sender(like).withProof(like))
	})
	w.liked(j, "with the proof of who passes it on", w.records[3], false, func(like map[string]any) answer {
		return relay(other.withProof(like))
	})
	w.liked(j, "with one letter changed", w.records[3], false, func(like map[string]any) answer {
		proved := w.sender(like).withProof(like)
		proved["content"] = "ajouté"
		return relay(proved)
	})
	w.liked(j, "with the proof of another key", w.records[3], false, func(like map[string]any) answer {
		a := w.sender(like)
		proved := a.withProof(like)
		strange, err := newKeys()
		j.no(err)
		a.change(func() { a.ed = strange.ed })
		return relay(proved)
	})
}

// away is somebody whose home did not answer when the suite began.
type away struct {
	actor *actor
	like  map[string]any
	back  *atomic.Bool
	first answer
}

// leave has an actor write while its home is away; check 35 asks again once
// the node has forgotten that it could not be reached.
func (w *world) leave() away {
	a := away{actor: w.peer.actor("absente"), back: &atomic.Bool{}}
	w.peer.handle("/actors/absente", func(rw http.ResponseWriter, _ *http.Request) {
		if !a.back.Load() {
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		writeJSON(rw, activityJSON, a.actor.document())
	})
	a.like = a.actor.activity("Like", w.territory, nil)
	a.first = w.post(a.actor, w.inbox(), a.like, cavage{})
	return a
}

func (w *world) rotation(j *judge) {
	r := w.records[4]
	a := w.peer.someone()
	var asked atomic.Int32
	w.peer.handle(strings.TrimPrefix(a.id, w.peer.URL), func(rw http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		writeJSON(rw, activityJSON, a.document())
	})
	send := func(id string) answer {
		return w.post(a, w.inbox(), a.activity("Announce", id, nil), cavage{})
	}
	same(j, "with the first key", send(r.ID).status, http.StatusAccepted)
	same(j, "fetches of the first key", asked.Load(), 1)
	first := a.keys
	next, err := newKeys()
	j.no(err)
	a.change(func() { a.keys = next })
	same(j, "with the new key", send(w.records[5].ID).status, http.StatusAccepted)
	same(j, "fetches after the change", asked.Load(), 2)
	j.soon(w.patience, func() error { return w.errTotal(w.records[5].ID+"/shares", 1) })
	forged := *a
	forged.keys = first
	same(j, "with the old key", w.post(&forged, w.inbox(), a.activity("Announce", w.records[6].ID, nil), cavage{}).status, http.StatusUnauthorized)
	j.no(w.errTotal(w.records[6].ID+"/shares", 0))
	same(j, "with the new key still", send(w.records[6].ID).status, http.StatusAccepted)

	among(j, "while the key's home was away", w.away.first.status, 401, 500, 502, 503, 504)
	w.away.back.Store(true)
	j.soon(2*w.patience, func() error {
		if a := w.post(w.away.actor, w.inbox(), w.away.like, cavage{}); a.status != http.StatusAccepted {
			return errStatus("after its home came back", a)
		}
		return nil
	})
	same(j, "the node lives", w.get(w.territory).status, http.StatusOK)
}

func (w *world) bodies(j *judge) {
	for _, t := range []struct {
		mediaType string
		want      []int
	}{
		{ldJSON, []int{200, 201, 202, 204}},
		{activityJSON, []int{200, 201, 202, 204}},
		{activityJSON + "; charset=utf-8", []int{200, 201, 202, 204}},
		{"application/json", []int{400, 406, 415}},
		{"text/plain", []int{400, 406, 415}},
	} {
		a := w.peer.someone()
		among(j, t.mediaType, w.post(a, w.inbox(), a.activity("Like", w.records[7].ID, nil), cavage{mediaType: t.mediaType}).status, t.want...)
	}
	j.soon(w.patience, func() error { return w.errTotal(w.records[7].ID+"/likes", 3) })
	a := w.peer.someone()
	var keys strings.Builder
	for i := range 1 << 17 {
		keys.WriteString(`,"k` + string(rune('a'+i%26)) + strings.Repeat("x", i%7) + string(rune('0'+i%10)) + `":1`)
	}
	for what, t := range map[string]struct {
		body string
		want []int
	}{
		"more than 1 MB":     {`{"a":"` + strings.Repeat("x", 1<<20) + `"}`, []int{413}},
		"no JSON":            {`{"type":`, []int{400}},
		"nested 10,000 deep": {strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000), []int{400}},
		"1 MB of keys":       {`{"id":1` + keys.String()[:990_000] + `":1}`, []int{400, 413}},
		"200 kB of keys":     {`{"id":1` + keys.String()[:200_000] + `":1}`, []int{400}},
	} {
		got := w.postBytes(a, w.inbox(), []byte(t.body), cavage{})
		among(j, what, got.status, t.want...)
		j.that(got.took < time.Second, "%s: answered after %s", what, got.took)
	}
	same(j, "the node lives", w.get(w.territory).status, http.StatusOK)
}
