// SPDX-License-Identifier: AGPL-3.0-or-later

package federation_test

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/federation/proof"
)

// asksQuote is a QuoteRequest; object and post are JSON.
func asksQuote(actor, object, post string) string {
	return strings.Replace(activity("https://peer.example/a/1", "QuoteRequest", actor, object), `"object"`, `"instrument":`+post+`,"object"`, 1)
}

// pins is an Add or a Remove as Mastodon sends it: without an id, nor to anybody
// (app/serializers/activitypub/add_note_serializer.rb).
func pins(typ, actor, object string) string {
	return fmt.Sprintf(`{"@context":"https://www.w3.org/ns/activitystreams","type":%q,"actor":%q,"object":%s,"target":"%s/featured"}`, typ, actor, object, actor)
}

func TestAStampNamesPostAndRecordAndIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	const garden, post = here + "/objects/jardin", "https://peer.example/n/2"
	n := newNode(t)
	first := asksQuote(alice, `"`+garden+`"`, `"`+post+`"`)
	second := strings.Replace(first, "/a/1", "/a/2", 1)
	other := strings.NewReplacer("/a/1", "/a/3", "/n/2", "/n/3").Replace(first)
	apply(t, n, time.Millisecond, first, second, other)
	var quotes []essaim.AllowQuote
	for _, a := range n.applied {
		q, ok := a.Effects[0].(essaim.AllowQuote)
		if !ok {
			t.Fatalf("%+v", a)
		}
		quotes = append(quotes, q)
	}
	if len(quotes) != 3 || quotes[0].Quote.ID != quotes[1].Quote.ID || quotes[0].Quote.ID == quotes[2].Quote.ID {
		t.Fatalf("stamps %+v", quotes)
	}
	var stamp struct {
		ID, Type, AttributedTo, InteractingObject, InteractionTarget string
	}
	q := quotes[0]
	if err := json.Unmarshal(q.Quote.Stamp, &stamp); err != nil {
		t.Fatal(err)
	}
	want := stamp
	want.ID, want.Type, want.AttributedTo, want.InteractingObject, want.InteractionTarget = q.Quote.ID, "QuoteAuthorization", here+"/actors/brest", post, garden
	if stamp != want || !strings.HasPrefix(stamp.ID, garden+"/quotes/") {
		t.Errorf("stamp %+v, want %+v", stamp, want)
	}
	key := edKey.Public().(ed25519.PublicKey)
	for what, doc := range map[string][]byte{"stamp": q.Quote.Stamp, "answer": q.Accept.Body} {
		if err := proof.Verify(doc, key); err != nil {
			t.Errorf("proof of the %s: %v", what, err)
		}
	}
	var accept struct {
		Type, Actor, Result string
		To                  []string
		Object              struct{ ID, Type, Actor, Object, Instrument string }
	}
	if err := json.Unmarshal(quotes[1].Accept.Body, &accept); err != nil {
		t.Fatal(err)
	}
	o := accept.Object
	if accept.Type != "Accept" || accept.Actor != here+"/actors/brest" || accept.Result != stamp.ID || accept.To[0] != alice ||
		o.Type != "QuoteRequest" || o.ID != "https://peer.example/a/2" || o.Actor != alice || o.Object != garden || o.Instrument != post {
		t.Errorf("answer %+v", accept)
	}
}

func TestAJoinIsAnsweredWithAnIgnoreThatNamesIt(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	apply(t, n, time.Millisecond, activity("https://peer.example/a/1", "Join", alice, `"`+here+`/objects/rencontre"`))
	e, ok := n.applied[0].Effects[0].(essaim.Reply)
	if !ok {
		t.Fatalf("%+v", n.applied[0])
	}
	var ignore struct {
		Type, Actor, Object string
		To                  []string
	}
	if err := json.Unmarshal(e.Answer.Body, &ignore); err != nil {
		t.Fatal(err)
	}
	if ignore.Type != "Ignore" || ignore.Actor != here+"/actors/brest" || ignore.Object != "https://peer.example/a/1" || len(ignore.To) != 1 || ignore.To[0] != alice {
		t.Errorf("answer %+v", ignore)
	}
}

// adapted is a Relationship between two records.
func adapted(child, parent, relationship string) string {
	return `{"id":"` + child + `#adaptation","type":"Relationship","subject":"` + child + `","relationship":"` + relationship + `","object":"` + parent + `"}`
}
