// SPDX-License-Identifier: AGPL-3.0-or-later

package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-fed/activity/streams"

	"essaim"
)

// note is a Create of about 3 kB, as a Mastodon server sends it.
func note() []byte {
	return []byte(`{"@context":["https://www.w3.org/ns/activitystreams",{"ostatus":"http://ostatus.org#","atomUri":"ostatus:atomUri","inReplyToAtomUri":"ostatus:inReplyToAtomUri",
"conversation":"ostatus:conversation","sensitive":"as:sensitive","toot":"http://joinmastodon.org/ns#","votersCount":"toot:votersCount","Hashtag":"as:Hashtag"}],
"id":"https://peer.example/users/alice/statuses/1/activity","type":"Create","actor":"https://peer.example/users/alice","published":"2026-03-01T09:00:00Z",
"to":["https://www.w3.org/ns/activitystreams#Public"],"cc":["https://peer.example/users/alice/followers","https://brest.example/actors/brest"],
"object":{"id":"https://peer.example/users/alice/statuses/1","type":"Note","summary":null,"inReplyTo":"https://brest.example/objects/01J","published":"2026-03-01T09:00:00Z",
"url":"https://peer.example/@alice/1","attributedTo":"https://peer.example/users/alice","to":["https://www.w3.org/ns/activitystreams#Public"],
"cc":["https://peer.example/users/alice/followers"],"sensitive":false,"atomUri":"https://peer.example/users/alice/statuses/1","conversation":"tag:peer.example,2026:objectId=1",
"content":"` + strings.Repeat(`<p>Brest: jardin partag\u00e9 \"des Capucins\", chaque samedi.<\/p>`, 20) + `",
"contentMap":{"fr":"<p>Brest: jardin partagé</p>"},"attachment":[{"type":"Document","mediaType":"image/jpeg","url":"https://peer.example/m/1.jpg","name":"Un jardin","blurhash":"U","width":1200,"height":800}],
"tag":[{"type":"Hashtag","href":"https://peer.example/tags/jardin","name":"#jardin"},{"type":"Mention","href":"https://brest.example/actors/brest","name":"@brest@brest.example"}],
"replies":{"id":"https://peer.example/users/alice/statuses/1/replies","type":"Collection","first":{"type":"CollectionPage","next":"https://peer.example/users/alice/statuses/1/replies?page=true","items":[]}}}}`)
}

func TestDecodeReadsAnActivity(t *testing.T) {
	t.Parallel()
	a, err := Decode(note(), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := a.ID.String()+" "+a.Type+" "+a.Actor.String(), "https://peer.example/users/alice/statuses/1/activity Create https://peer.example/users/alice"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !a.Object.Embedded() || a.Object.Type != "Note" || a.Object.ID.String() != "https://peer.example/users/alice/statuses/1" || len(a.Object.Authors) != 1 {
		t.Errorf("object: %+v", a.Object)
	}
	text := TextOf(a.Object.Value, "content")
	if !strings.HasPrefix(text.Plain, `<p>Brest: jardin partagé "des Capucins", chaque samedi.</p>`) || text.In("fr") != "<p>Brest: jardin partagé</p>" {
		t.Errorf("text: %+v", text)
	}
	if when, ok := a.Object.Value.Get("published").Time(); !ok || !when.Equal(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)) {
		t.Errorf("published: %v %v", when, ok)
	}
	if !a.IsPublic() {
		t.Error("not public")
	}
	var to []string
	for iri := range a.To {
		to = append(to, iri.String())
	}
	if got, want := strings.Join(to, " "), Public+" https://peer.example/users/alice/followers https://brest.example/actors/brest"; got != want {
		t.Errorf("to: got %s, want %s", got, want)
	}
	if !bytes.Equal(a.Raw(), note()) {
		t.Error("bytes changed")
	}
}

func activity(fields string) string {
	return `{"@context":"https://www.w3.org/ns/activitystreams",` + fields + `}`
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	const ok = `"id":"https://evil.example/a","type":"Create","actor":"https://evil.example/u","object":"https://evil.example/n"`
	deep := func(open, end string, n int) string {
		return activity(ok + `,"x":` + strings.Repeat(open, n) + `1` + strings.Repeat(end, n))
	}
	list := func(n int) string {
		return activity(ok + `,"tag":[` + strings.TrimSuffix(strings.Repeat(`"a",`, n), ",") + `]`)
	}
	keys := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"k%d":1`, i)
		}
		return activity(ok + b.String())
	}
	for _, c := range []struct {
		name, raw string
		want      error // nil: accepted
	}{
		{"a plain activity", activity(ok), nil},
		{"nothing", "", ErrMalformed},
		{"null", "null", ErrMalformed},
		{"a string", `"x"`, ErrMalformed},
		{"a list", `[{"type":"Create"}]`, ErrMalformed},
		{"no properties", `{}`, ErrUnsupported},
		{"an open end", `{"type":"Create"`, ErrMalformed},
		{"bytes after the end", activity(ok) + "x", ErrMalformed},
		{"a byte order mark", "\xef\xbb\xbf" + activity(ok), ErrMalformed},
		{"bytes that are not UTF-8", activity(ok + `,"x":"` + "\xff\xfe\xc3(" + `"`), ErrMalformed},
		{"an escaped NUL", activity(ok + `,"x":"\u0000"`), ErrMalformed},
		{"a raw NUL", activity(ok + ",\"x\":\"\x00\""), ErrMalformed},
		{"a lone surrogate", activity(ok + `,"x":"\ud800"`), ErrMalformed},
		{"a lone low surrogate", activity(ok + `,"x":"\udc00"`), ErrMalformed},
		{"a surrogate pair", activity(ok + `,"x":"\ud83c\udf31"`), nil},
		{"a raw line break in a string", activity(ok + ",\"x\":\"a\nb\""), ErrMalformed},
		{"a number beyond a float", activity(ok + `,"x":1e400`), ErrMalformed},
		{"a number of 400 digits", activity(ok + `,"x":` + strings.Repeat("9", 400)), ErrMalformed},
		{"a number with a leading zero", activity(ok + `,"x":01`), ErrMalformed},
		{"a bare minus", activity(ok + `,"x":-`), ErrMalformed},
		{"a trailing comma", activity(ok + `,`), ErrMalformed},
		{"a comment", activity(ok + `/**/`), ErrMalformed},
		{"a repeated key", activity(ok + `,"actor":"https://victim.example/u"`), ErrMalformed},
		{"a repeated key, escaped", activity(ok + `,"\u0061ctor":"https://victim.example/u"`), ErrMalformed},
		{"a repeated key further down", activity(ok + `,"x":{"y":[{"a":1,"a":2}]}`), ErrMalformed},
		{"a key that differs by case", activity(ok + `,"Actor":"https://victim.example/u"`), ErrMalformed},
		{"a key that differs by folding", activity(ok + `,"k":1,"` + "\u212a" + `":2`), ErrMalformed},
		{"a key that differs by escaped folding", activity(ok + `,"s":1,"\u017f":2`), ErrMalformed},
		{"terms that differ by case", `{"@context":["https://www.w3.org/ns/activitystreams",{"Hashtag":"as:Hashtag","hashtag":"x:y"}],` + ok + `}`, nil},
		{"a repeated term", `{"@context":["https://www.w3.org/ns/activitystreams",{"x":"as:x","x":"x:y"}],` + ok + `}`, ErrMalformed},
		{"31 more levels", deep("[", "]", 31), nil},
		{"32 more levels", deep("[", "]", 32), ErrMalformed},
		{"9,990 levels", deep("[", "]", 9990), ErrMalformed},
		{"9,990 levels of objects", deep(`{"a":`, "}", 9990), ErrMalformed},
		{"256 elements", list(256), nil},
		{"257 elements", list(257), ErrMalformed},
		{"251 more keys", keys(251), nil},
		{"252 more keys", keys(252), ErrMalformed},
		{"256 KiB", activity(ok + `,"x":"` + strings.Repeat("a", 256<<10) + `"`), ErrTooLarge},
		{"no context", `{` + ok + `}`, ErrUnsupported},
		{"another context", `{"@context":{"@base":"x"},` + ok + `}`, ErrUnsupported},
		{"a context that hides ours as a key", `{"@context":{"https://www.w3.org/ns/activitystreams":"x"},` + ok + `}`, ErrUnsupported},
		{"no id", activity(`"type":"Create","actor":"https://evil.example/u","object":"https://evil.example/n"`), ErrMalformed},
		{"a Move without id", activity(`"type":"Move","actor":"https://evil.example/u","object":"https://evil.example/u"`), ErrMalformed},
		{"a number as id", activity(`"id":5,"type":"Create","actor":"https://evil.example/u","object":"https://evil.example/n"`), ErrMalformed},
		{"a relative id", activity(`"id":"/a","type":"Create","actor":"https://evil.example/u","object":"https://evil.example/n"`), ErrMalformed},
		{"a number as type", activity(`"id":"https://evil.example/a","type":7,"actor":"https://evil.example/u"`), ErrMalformed},
		{"an empty type", activity(`"id":"https://evil.example/a","type":[],"actor":"https://evil.example/u"`), ErrMalformed},
		{"two activities in one", activity(`"id":"https://evil.example/a","type":["Create","Delete"],"actor":"https://evil.example/u","object":"https://evil.example/n"`), ErrMalformed},
		{"two actors", activity(`"id":"https://evil.example/a","type":"Create","actor":["https://evil.example/u","https://victim.example/u"],"object":"https://evil.example/n"`), ErrMalformed},
		{"no actor", activity(`"id":"https://evil.example/a","type":"Create","object":"https://evil.example/n"`), ErrMalformed},
		{"no object", activity(`"id":"https://evil.example/a","type":"Create","actor":"https://evil.example/u"`), ErrMalformed},
		{"an empty list of objects", activity(`"id":"https://evil.example/a","type":"Create","actor":"https://evil.example/u","object":[]`), ErrMalformed},
		{"a number as object", activity(`"id":"https://evil.example/a","type":"Create","actor":"https://evil.example/u","object":7`), ErrMalformed},
		{"two objects created", activity(`"id":"https://evil.example/a","type":"Create","actor":"https://evil.example/u","object":["https://evil.example/1","https://evil.example/2"]`), ErrMalformed},
		{"two objects undone", activity(`"id":"https://evil.example/a","type":"Undo","actor":"https://evil.example/u","object":["https://victim.example/1","https://victim.example/2"]`), ErrMalformed},
		{"two objects flagged", activity(`"id":"https://evil.example/a","type":"Flag","actor":"https://evil.example/u","object":["https://brest.example/1","https://brest.example/2"]`), nil},
		{"a list as the object's id", activity(`"id":"https://evil.example/a","type":"Create","actor":"https://evil.example/u","object":{"id":["https://evil.example/1","https://victim.example/2"],"type":"Note"}`), ErrMalformed},
		{"an object without id", activity(`"id":"https://evil.example/a","type":"Create","actor":"https://evil.example/u","object":{"type":"Note"}`), ErrMalformed},
		{"an author that is a number", activity(`"id":"https://evil.example/a","type":"Create","actor":"https://evil.example/u","object":{"id":"https://evil.example/1","type":"Note","attributedTo":7}`), ErrMalformed},
		{"an object of two makers", activity(`"id":"https://evil.example/a","type":"Create","actor":"https://evil.example/u","object":{"id":"https://evil.example/1","type":"Note","actor":["https://evil.example/u","https://evil.example/v"]}`), ErrMalformed},
		{"an activity nobody knows", activity(`"id":"https://evil.example/a","type":"NoSuchType","actor":"https://evil.example/u"`), nil},
	} {
		_, err := Decode([]byte(c.raw), Limits{})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

func TestCheckAuthority(t *testing.T) {
	t.Parallel()
	const evil, victim, alice = "https://evil.example/u", "https://victim.example/u", "https://evil.example/alice"
	object := func(id, more string) string { return `{"id":"` + id + `","type":"Note"` + more + `}` }
	by := func(author string) string { return `,"attributedTo":` + author }
	for _, c := range []struct {
		name, id, typ, actor, object string
		ok                           bool
	}{
		{"a note of one's own", "https://evil.example/a", "Create", evil, object("https://evil.example/n", by(`"`+evil+`"`)), true},
		{"a note of one's own, author as a list", "https://evil.example/a", "Create", evil, object("https://evil.example/n", by(`["`+evil+`"]`)), true},
		{"a note of one's own, author as an object", "https://evil.example/a", "Create", evil, object("https://evil.example/n", by(`{"id":"`+evil+`","type":"Person"}`)), true},
		{"a note without author", "https://evil.example/a", "Create", evil, object("https://evil.example/n", ""), true},
		{"a note by its id", "https://evil.example/a", "Create", evil, `"https://evil.example/n"`, true},
		{"signed by another", "https://victim.example/a", "Create", victim, object("https://victim.example/n", by(`"`+victim+`"`)), false},
		{"an activity id elsewhere", "https://victim.example/a", "Create", evil, object("https://evil.example/n", by(`"`+evil+`"`)), false},
		{"an object id elsewhere", "https://evil.example/a", "Create", evil, object("https://victim.example/n", by(`"`+evil+`"`)), false},
		{"an object id on another port", "https://evil.example/a", "Create", evil, object("https://evil.example:8443/n", ""), false},
		{"an object id over http", "https://evil.example/a", "Create", evil, object("http://evil.example/n", ""), false},
		{"another author", "https://evil.example/a", "Create", evil, object("https://evil.example/n", by(`"`+victim+`"`)), false},
		{"another author second", "https://evil.example/a", "Create", evil, object("https://evil.example/n", by(`["`+evil+`","`+victim+`"]`)), false},
		{"another author first", "https://evil.example/a", "Create", evil, object("https://evil.example/n", by(`["`+victim+`","`+evil+`"]`)), false},
		{"a neighbour as second author", "https://evil.example/a", "Create", evil, object("https://evil.example/n", by(`["`+evil+`","`+alice+`"]`)), true},
		{"neighbours as authors", "https://evil.example/a", "Create", evil, object("https://evil.example/n", by(`["`+alice+`",{"id":"https://evil.example/bob","type":"Group"}]`)), false},
		{"a group's, published by its member", "https://evil.example/a", "Create", evil, object("https://evil.example/n", by(`"`+alice+`"`)+`,"actor":"`+evil+`"`), true},
		{"a group's, published by another member", "https://evil.example/a", "Create", evil, object("https://evil.example/n", by(`"`+alice+`"`)+`,"actor":"`+alice+`"`), false},
		{"a group's elsewhere", "https://evil.example/a", "Create", evil, object("https://evil.example/n", by(`"`+victim+`"`)+`,"actor":"`+evil+`"`), false},
		{"a channel that says who stands behind it", "https://evil.example/a", "Update", evil, `{"id":"` + evil + `","type":"Group","attributedTo":["` + alice + `"]}`, true},
		{"another author behind a url", "https://evil.example/a", "Create", evil, object("https://evil.example/n", by(`{"id":"`+victim+`","url":"`+evil+`"}`)), false},
		{"a neighbour's note", "https://evil.example/a", "Update", evil, object("https://evil.example/n", by(`"`+alice+`"`)), false},
		{"a foreign note deleted", "https://evil.example/a", "Delete", evil, `"https://victim.example/n"`, false},
		{"a foreign note deleted under a foreign activity id", "https://victim.example/a", "Delete", evil, `"https://victim.example/n"`, false},
		{"a foreign actor deleted", "https://evil.example/a", "Delete", evil, `"` + victim + `"`, false},
		{"oneself deleted", "https://evil.example/a", "Delete", evil, `"` + evil + `"`, true},
		{"a tombstone", "https://evil.example/a", "Delete", evil, `{"id":"https://evil.example/n","type":"Tombstone"}`, true},
		{"oneself updated", "https://evil.example/a", "Update", evil, `{"id":"` + evil + `","type":"Person"}`, true},
		{"oneself turned into a note", "https://evil.example/a", "Update", evil, `{"id":"` + evil + `","type":"Note"}`, false},
		{"a neighbour updated", "https://evil.example/a", "Update", evil, `{"id":"` + alice + `","type":"Person"}`, false},
		{"a foreign actor updated", "https://evil.example/a", "Update", evil, `{"id":"` + victim + `","type":"Person"}`, false},
		{"one's own follow undone", "https://evil.example/a", "Undo", evil, `{"id":"https://evil.example/f","type":"Follow","actor":"` + evil + `","object":"` + victim + `"}`, true},
		{"one's own follow undone, without its id", "https://evil.example/a", "Undo", evil, `{"type":"Follow","actor":"` + evil + `","object":"` + victim + `"}`, true},
		{"one's own follow undone by id", "https://evil.example/a", "Undo", evil, `"https://evil.example/f"`, true},
		{"a foreign follow undone", "https://evil.example/a", "Undo", evil, `{"id":"https://victim.example/f","type":"Follow","actor":"` + victim + `","object":"https://brest.example/a"}`, false},
		{"a foreign follow undone under an own id", "https://evil.example/a", "Undo", evil, `{"id":"https://evil.example/f","type":"Follow","actor":"` + victim + `","object":"https://brest.example/a"}`, false},
		{"a foreign follow undone by id", "https://evil.example/a", "Undo", evil, `"https://victim.example/f"`, false},
		{"a neighbour's follow undone", "https://evil.example/a", "Undo", evil, `{"id":"https://evil.example/f","type":"Follow","actor":"https://evil.example/other","object":"https://brest.example/a"}`, false},
		{"nothing undone", "https://evil.example/a", "Undo", evil, `{"type":"Follow"}`, false},
		{"a follow accepted", "https://evil.example/a", "Accept", evil, `{"id":"https://brest.example/f","type":"Follow","actor":"https://brest.example/actor","object":"` + evil + `"}`, true},
		{"another's follow accepted", "https://evil.example/a", "Accept", evil, `{"id":"https://brest.example/f","type":"Follow","actor":"https://brest.example/actor","object":"` + victim + `"}`, false},
		{"a follow", "https://evil.example/a", "Follow", evil, `"https://brest.example/actor"`, true},
		{"another moved", "https://evil.example/a", "Move", evil, `"` + victim + `"`, false},
	} {
		raw := activity(fmt.Sprintf(`"id":%q,"type":%q,"actor":%q,"object":%s`, c.id, c.typ, c.actor, c.object))
		a, err := Decode([]byte(raw), Limits{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		signer, err := essaim.ParseIRI(evil)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.CheckAuthority(signer); (err == nil) != c.ok {
			t.Errorf("%s: got %v, want accepted %v", c.name, err, c.ok)
		}
	}
}

func TestEnvelopeIsAllThatStreamsSees(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ raw, want string }{
		{string(note()), `{"@context":"https://www.w3.org/ns/activitystreams","actor":"https://peer.example/users/alice","id":"https://peer.example/users/alice/statuses/1/activity","object":"https://peer.example/users/alice/statuses/1","type":"Create"}`},
		{
			activity(`"id":"https://a.example/1","type":"Undo","actor":{"id":"https://a.example/u","type":"Person"},"object":{"id":"https://a.example/f","type":"Follow","actor":"https://a.example/u","object":"https://b.example/u","x":"y"}`),
			`{"@context":"https://www.w3.org/ns/activitystreams","actor":"https://a.example/u","id":"https://a.example/1","object":{"actor":"https://a.example/u","id":"https://a.example/f","object":"https://b.example/u","type":"Follow"},"type":"Undo"}`,
		},
	} {
		a, err := Decode([]byte(c.raw), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(a.Envelope())
		if err != nil || string(got) != c.want {
			t.Errorf("got %s, %v\nwant %s", got, err, c.want)
		}
		if v, err := streams.ToType(t.Context(), a.Envelope()); err != nil || v.GetTypeName() != a.Type {
			t.Errorf("streams: %v, %v", v, err)
		}
	}
}

func TestValueFindsNothingInNothing(t *testing.T) {
	t.Parallel()
	var v Value
	for range v.Elements() {
		t.Error("an element")
	}
	for range v.Properties() {
		t.Error("a property")
	}
	_, text := v.Text()
	_, number := v.Int()
	_, iri := v.Get("x").IRI()
	if text || number || iri || v.Present() || v.Raw() != nil || v.Len() != 0 {
		t.Error("something in nothing")
	}
}

func TestTextsAndDatesMayBeRepeatedWhereAllowed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ raw, want string }{
		{`{"startTime":"1","startTime":"2"}`, "2"},
		{`{"name":"x","startTime":"1","name":"y"}`, "1"},
		{`{"id":"1","startTime":"1","id":"2"}`, ""},
		{`{"attributedTo":"1","startTime":"1","attributedTo":"1"}`, ""},
		{`{"startTime":"1","starttime":"2"}`, ""},
		{`{"startTime":"1","start\u0054ime":"2"}`, ""},
	} {
		d, err := Parse([]byte(c.raw), Fetched)
		if got := ""; err == nil {
			if got = d.Get("startTime").TextOr(); got != c.want {
				t.Errorf("%s: got %q, want %q", c.raw, got, c.want)
			}
		} else if c.want != "" {
			t.Errorf("%s: %v", c.raw, err)
		}
		if _, err := Parse([]byte(c.raw), Limits{}); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: passes the gate of the inbox: %v", c.raw, err)
		}
	}
}

// What the gate lets through reads the same with encoding/json, and the gate
// lets nothing through that encoding/json refuses.
func FuzzGate(f *testing.F) {
	f.Add(note())
	for _, s := range []string{`{}`, `{"a":[1,-2.5e3,null,true,"\ud83c\udf31"]}`, `{"a":{"b":{}},"A":1}`, `{"\u0061":1,"a":2}`, "{\"a\":\"\x00\"}", `{"a":1e999}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := Parse(raw, Limits{})
		if err != nil {
			return
		}
		var want any
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatalf("accepted; encoding/json: %v", err)
		}
		if got := plain(t, d.Root()); !reflect.DeepEqual(got, want) {
			t.Fatalf("got %v, encoding/json reads %v", got, want)
		}
		var fields struct{ ID, Type, Actor any }
		if err := json.Unmarshal(raw, &fields); err != nil {
			t.Fatalf("accepted; encoding/json: %v", err)
		}
		a, err := Decode(raw, Limits{})
		if err != nil {
			return
		}
		m := want.(map[string]any)
		if fields.ID != nil && !reflect.DeepEqual(fields.ID, m["id"]) || fields.Actor != nil && !reflect.DeepEqual(fields.Actor, m["actor"]) {
			t.Fatalf("a struct reads %v, a map %v", fields, m)
		}
		if a.ID.IsZero() || a.Actor.IsZero() || a.Type == "" {
			t.Fatalf("an activity without id, actor or type: %+v", a)
		}
	})
}

func plain(t *testing.T, v Value) any {
	switch v.Kind() {
	case KindNull:
		return nil
	case KindBool:
		b, _ := v.Bool()
		return b
	case KindNumber:
		f, ok := v.Float()
		if !ok {
			t.Fatalf("number %s", v.Raw())
		}
		return f
	case KindString:
		return v.TextOr()
	case KindArray:
		list := make([]any, 0, v.Len())
		for e := range v.Elements() {
			list = append(list, plain(t, e))
		}
		return list
	case KindObject:
		m := make(map[string]any, v.Len())
		for k, e := range v.Properties() {
			m[k] = plain(t, e)
			if v.Get(k).Kind() != e.Kind() {
				t.Fatalf("Get(%q) finds another", k)
			}
		}
		return m
	}
	t.Fatalf("kind %d", v.Kind())
	return nil
}

func BenchmarkDecode(b *testing.B) {
	raw := note()
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(raw, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEnvelopeToType(b *testing.B) {
	a, err := Decode(note(), Limits{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := streams.ToType(b.Context(), a.Envelope()); err != nil {
			b.Fatal(err)
		}
	}
}
