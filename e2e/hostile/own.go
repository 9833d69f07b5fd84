// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"essaim/e2e/rig"
)

// thanks is an activity that anyone may send, so that whatever is taken that
// should not be shows in a count.
const thanks = `"@context":"` + rig.ASContext + `","id":"{EVIL}/act/{RAND}","type":"Like","actor":"{EACTOR}","object":"{OBJ}"`

// ownItems are of the same classes as the file's and not among them: what a
// reading of the defence suggested to try.
func ownItems() []item {
	var list []item
	add := func(id, title, sign, body, expect string) {
		text, err := json.Marshal(body)
		if err != nil {
			panic(err) // a string
		}
		list = append(list, item{
			ID: id, Category: strings.SplitN(id, "-", 3)[1], Title: title, Method: http.MethodPost, Path: "{SHARED_INBOX}",
			Headers: map[string]string{"Content-Type": rig.ActivityJSON}, Sign: sign, Body: text, Expect: expect, turn: itemCount + len(list),
		})
	}
	for i, how := range ownSignatureNames {
		add(fmt.Sprintf("OWN-SIG-%02d", i+1), how, "custom:"+how, "{"+thanks+"}", "4xx|503") // 503: nobody answers where the key would be
	}
	for i, it := range ownDocuments {
		add(fmt.Sprintf("OWN-JSON-%02d", i+1), it[0], "valid:evil", it[1], "4xx")
	}
	for i, it := range ownClaims {
		add(fmt.Sprintf("OWN-ORG-%02d", i+1), it[0], "valid:evil", it[1], it[2])
	}
	for i, content := range ownMarkup {
		body, err := json.Marshal(map[string]any{
			"@context": rig.ASContext, "id": "{EVIL}/act/{RAND}", "type": "Create", "actor": "{EACTOR}",
			"object": map[string]any{"id": "{EVIL}/n/{RAND}", "type": "Note", "attributedTo": "{EACTOR}", "content": content, "name": content, "to": []string{rig.Public}},
		})
		if err != nil {
			panic(err) // strings
		}
		id := fmt.Sprintf("OWN-XSS-%02d", i+1)
		add(id, fmt.Sprintf("remote content: %.60s", content), "valid:evil", string(body), "202|4xx")
		list[len(list)-1].Body, list[len(list)-1].Category, list[len(list)-1].Class = body, "XSS", "html-tag"
	}
	add("OWN-SSRF-01", "the same inward addresses in other writings", "custom:keyId on that host", "{"+thanks+"}", "4xx")
	add("OWN-SSRF-02", "accounts whose server stands inside", "none", "", "n/a")
	add("OWN-REC-01", "an actor that is a compression bomb", "custom:keyId on that host", "{"+thanks+"}", "4xx|503")
	add("OWN-REC-02", "form reopened in each of 60,000 paragraphs", "valid:evil", "", "202|4xx")
	return list
}

// ownDocuments are thanks that readers would read in different ways.
var ownDocuments = [][2]string{
	{"the actor twice, once in escapes", `{` + thanks + `,"\u0061ctor":"{VACTOR}"}`},
	{"the actor twice, once in capitals", `{` + thanks + `,"ACTOR":"{VACTOR}"}`},
	{"a key twice by a letter that folds to another (Kelvin)", `{` + thanks + `,"k":1,"` + "\u212a" + `":2}`},
	{"an object's key twice, deep inside", `{` + thanks + `,"x":[{"y":{"id":1,"\u0069d":2}}]}`},
	{"half a surrogate pair", `{` + thanks + `,"x":"\ud800"}`},
	{"a surrogate pair the wrong way round", `{` + thanks + `,"x":"\udc00\ud800"}`},
	{"a number beyond all", `{` + thanks + `,"x":1e999}`},
	{"a number with a zero before it", `{` + thanks + `,"x":012}`},
	{"not a number", `{` + thanks + `,"x":NaN}`},
	{"a byte order mark", "\ufeff{" + thanks + `}`},
	{"a second document behind", `{` + thanks + `}{` + thanks + `}`},
	{"a comma too many", `{` + thanks + `,}`},
	{"a comment", `{` + thanks + `/* */}`},
	{"a control character in a string", `{` + thanks + `,"x":"` + "\x01" + `"}`},
	{"NUL in escapes", `{` + thanks + `,"x":"\u0000"}`},
	{"thirty-three levels", `{` + thanks + `,"x":` + strings.Repeat("[", 33) + strings.Repeat("]", 33) + `}`},
	{"levels of both kinds", `{` + thanks + `,"x":` + strings.Repeat(`{"a":[`, 20) + strings.Repeat("]}", 20) + `}`},
	{"a list of one activity", `[{` + thanks + `}]`},
	{"the activity in @graph", `{"@context":"` + rig.ASContext + `","@graph":[{` + thanks + `}]}`},
	{"the activity in @included", `{"@context":"` + rig.ASContext + `","@included":[{` + thanks + `}]}`},
	{"names of JSON-LD only", `{"@context":"` + rig.ASContext + `","@id":"{EVIL}/act/{RAND}","@type":"Like","actor":"{EACTOR}","object":"{OBJ}"}`},
	{"a context that gives the actor another name", `{"@context":["` + rig.ASContext + `",{"actor":"urn:x","who":"as:actor"}],"id":"{EVIL}/act/{RAND}","type":"Like","who":"{EACTOR}","actor":"{VACTOR}","object":"{OBJ}"}`},
	{"a context of another's only", `{"@context":"https://evil.test/ns","id":"{EVIL}/act/{RAND}","type":"Like","actor":"{EACTOR}","object":"{OBJ}"}`},
	{"two types", `{"@context":"` + rig.ASContext + `","id":"{EVIL}/act/{RAND}","type":["Like","Undo"],"actor":"{EACTOR}","object":"{OBJ}"}`},
	{"two actors", `{"@context":"` + rig.ASContext + `","id":"{EVIL}/act/{RAND}","type":"Like","actor":["{EACTOR}","{VACTOR}"],"object":"{OBJ}"}`},
}

// ownClaims are of who says what about whom.
var ownClaims = [][3]string{
	{"an id of the victim's", `{"@context":"` + rig.ASContext + `","id":"{VICTIM}/act/{RAND}","type":"Like","actor":"{EACTOR}","object":"{OBJ}"}`, "4xx"},
	{"an id on another port of its own host", `{"@context":"` + rig.ASContext + `","id":"https://evil.test:8443/act/{RAND}","type":"Like","actor":"{EACTOR}","object":"{OBJ}"}`, "4xx"},
	{"an id whose host begins like the victim's", `{"@context":"` + rig.ASContext + `","id":"https://evil.test@victim.test/act/{RAND}","type":"Like","actor":"{EACTOR}","object":"{OBJ}"}`, "4xx"},
	{"a list of authors, the victim last", `{"@context":"` + rig.ASContext + `","id":"{EVIL}/act/{RAND}","type":"Create","actor":"{EACTOR}","object":{"id":"{EVIL}/n/{RAND}","type":"Note","inReplyTo":"{OBJ}","attributedTo":["{EACTOR}",{"id":"{VACTOR}"}],"content":"x","to":["` + rig.Public + `"]}}`, "4xx"},
	{"an author that cannot be read", `{"@context":"` + rig.ASContext + `","id":"{EVIL}/act/{RAND}","type":"Create","actor":"{EACTOR}","object":{"id":"{EVIL}/n/{RAND}","type":"Note","inReplyTo":"{OBJ}","attributedTo":[{"@id":"{VACTOR}"}],"content":"x","to":["` + rig.Public + `"]}}`, "4xx"},
	{"another actor of its own host described anew", `{"@context":"` + rig.ASContext + `","id":"{EVIL}/act/{RAND}","type":"Update","actor":"{EACTOR}","object":{"id":"{EVIL}/u/other","type":"Person","inbox":"{EVIL}/in","publicKey":{"id":"{EVIL}/u/other#main-key","owner":"{EVIL}/u/other","publicKeyPem":"{EVIL_PEM}"}}}`, "4xx"},
	{"a Note with the id of an actor", `{"@context":"` + rig.ASContext + `","id":"{EVIL}/act/{RAND}","type":"Create","actor":"{EACTOR}","object":{"id":"{EACTOR}","type":"Note","attributedTo":"{EACTOR}","content":"x","to":["` + rig.Public + `"]}}`, "4xx"},
	{"the thanks of another taken back", `{"@context":"` + rig.ASContext + `","id":"{EVIL}/act/{RAND}","type":"Undo","actor":"{EACTOR}","object":{"type":"Like","actor":"{PACTOR}","object":"{OBJ}"}}`, "4xx"},
	{"our follow accepted by whom we did not ask", `{"@context":"` + rig.ASContext + `","id":"{EVIL}/act/{RAND}","type":"Accept","actor":"{EACTOR}","object":{"type":"Follow","id":"{NODE}/activities/1","actor":"{NODE}/actor","object":"{VACTOR}"}}`, "4xx"},
	{"our follow of the victim refused by evil", `{"@context":"` + rig.ASContext + `","id":"{EVIL}/act/{RAND}","type":"Reject","actor":"{EACTOR}","object":{"type":"Follow","actor":"{NODE}/actor","object":"{EACTOR}"}}`, "202|4xx"},
	{"an old follower's Move by another", `{"@context":"` + rig.ASContext + `","id":"{EVIL}/act/{RAND}","type":"Move","actor":"{EACTOR}","object":"{VACTOR}","target":"{EACTOR}"}`, "4xx"},
	{"deletes all that a host holds", `{"@context":"` + rig.ASContext + `","id":"{EVIL}/act/{RAND}","type":"Delete","actor":"{EACTOR}","object":{"id":"{VICTIM}/","type":"Tombstone"}}`, "4xx"},
	{"what @reverse would add", `{"@context":"` + rig.ASContext + `","id":"{EVIL}/act/{RAND}","type":"Listen","actor":"{EACTOR}","object":"{OBJ}","@reverse":{"object":{"id":"{VICTIM}/act/{RAND}","type":"Like","actor":"{VACTOR}"}}}`, "202|4xx"},
	{"a type by its whole address", `{"@context":"` + rig.ASContext + `","id":"{EVIL}/act/{RAND}","type":"` + rig.ASContext + `#Like","actor":"{EACTOR}","object":"{OBJ}"}`, "202|4xx"},
}

// ownMarkup is read one way by one parser and another way by the next.
var ownMarkup = []string{
	`<svg></p><style><a id="</style><img src=https://evil.test/x onerror=alert(1)>">`,
	`<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=https://evil.test/x onerror=alert(1)&gt;">`,
	`<noscript><p title="</noscript><img src=https://evil.test/x onerror=alert(1)>">`,
	`<template><script>alert(1)</script></template><form><math><mtext></form><form><mglyph><svg><mtext><textarea><path id="</textarea><img onerror=alert(1) src=https://evil.test/x>">`,
	`<select><iframe></select><img src=https://evil.test/x onerror=alert(1)>`,
	`<xmp><p title="</xmp><svg/onload=alert(1)>">`,
	`<img srcset="https://evil.test/a 1x, https://evil.test/b 2x"><picture><source srcset=https://evil.test/c></picture><video poster=https://evil.test/d><audio src=https://evil.test/e autoplay>`,
	`<a href="data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==">a</a><a href="&#x6A;avascript&colon;alert(1)">b</a><a href="https://a.example/&quot; onmouseover=alert(1) x=&quot;">c</a>`,
	"<p>\u202etxt.exe\u202c \u2066\u2069 \u200b\u200d</p><b a=\"\u2028\" onclick=alert(1)>x</b>",
	`<p style="background:url(https://evil.test/x)"><link rel=stylesheet href=https://evil.test/s><meta http-equiv=refresh content="0;url=https://evil.test/"><base href=https://evil.test/><object data=https://evil.test/o><embed src=https://evil.test/p>`,
	`<form action=https://evil.test/f><input formaction=javascript:alert(1) autofocus onfocus=alert(1)><button name=attributes>x</form><a id=document name=cookie href=x>y</a>`,
	`<![CDATA[<script>alert(1)</script>]]><?xml-stylesheet href="https://evil.test/x"?><!--><script>alert(1)</script-->`,
}

// ownSpecials are what the items above need besides being sent.
func ownSpecials() map[string]special {
	return map[string]special{
		"OWN-SSRF-01": {send: sendInward, after: nothingInside},
		"OWN-SSRF-02": {send: accountsInside, after: nothingInside},
		"OWN-REC-01": {
			before: func(t *trial) error {
				t.keyID = t.evil().url + "/u/bomb#main-key"
				t.evil().put("/u/bomb", func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", rig.ActivityJSON)
					w.Header().Set("Content-Encoding", "gzip")
					z := gzip.NewWriter(w)
					_ = zeroes(z, 10<<30) // ends when the asker leaves
				})
				return nil
			},
		},
		"OWN-REC-02": {changes: true, send: slowForm},
	}
}

// inward are addresses of this machine, of its network and of a cloud's, in
// writings that a list of strings would not know.
var inward = []string{
	"https://[::ffff:127.0.0.1]/u/x", "https://[::ffff:7f00:1]/u/x", "https://[64:ff9b::7f00:1]/u/x", "https://[64:ff9b:1::a00:5]/u/x",
	"https://[2002:7f00:1::1]/u/x", "https://[2001:0:7f00:1::1]/u/x", "https://[::127.0.0.1]/u/x", "https://[fe80::1%25lo]/u/x", "https://[::]/u/x",
	"https://0x7f000001/u/x", "https://0x7f.1/u/x", "https://2130706433/u/x", "https://0177.0.0.1/u/x", "https://127.1/u/x", "https://0/u/x",
	"https://0.0.0.0/u/x", "https://100.64.0.1/u/x", "https://198.18.0.1/u/x", "https://192.0.0.170/u/x", "https://255.255.255.255/u/x",
	"https://localhost.localdomain/u/x", "https://INTERNAL.test/u/x", "https://user:secret@127.0.0.1/u/x", "https://evil.test#@127.0.0.1/u/x",
	"https://①②⑦.⓪.⓪.①/u/x", "https://127。0。0。1/u/x", "https://internal.test:6379/u/x", "https://evil.test:99999/u/x",
}

func sendInward(t *trial) (int, error) {
	for _, address := range inward {
		t.keyID = address + "#main-key"
		status, err := t.ask()
		// 503 is to say that the name leads nowhere just now.
		if err != nil || !refused(status) && status != http.StatusServiceUnavailable {
			return status, fmt.Errorf("%s: %d, %w", address, status, err)
		}
	}
	return 0, nil
}

// accountsInside asks the node, as a visitor and as its administrator, about
// accounts whose server stands inside.
func accountsInside(t *trial) (int, error) {
	for _, host := range []string{"127.0.0.1", "127.0.0.1:80", "[::1]", "internal.test", "metadata.test", "0x7f.1", "localhost"} {
		if err := t.command("peer", "follow", "@x@"+host); err == nil {
			return 0, errors.New("it follows an account at " + host)
		}
		body := "compte=" + strings.NewReplacer("@", "%40", ":", "%3A", "[", "%5B", "]", "%5D").Replace("x@"+host)
		got, err := t.world.send(t.ctx, &request{
			method: http.MethodPost, target: "/suivre" + t.names["ALICE"][strings.LastIndexByte(t.names["ALICE"], '/'):], body: strings.NewReader(body), size: int64(len(body)),
			header: [][2]string{{"Host", "node.test"}, {"Content-Type", "application/x-www-form-urlencoded"}, {"Origin", t.node.URL}},
		})
		if err != nil || got.status/100 == 5 || got.status == http.StatusNotFound || strings.Contains(got.header.Get("Location"), host) {
			return 0, fmt.Errorf("a visitor of %s is answered %+v, %w", host, got, err)
		}
	}
	return 0, nil
}

// slowForm sends an answer whose HTML a parser would make gigabytes of. It must
// be read, or refused, in the time of any other.
func slowForm(t *trial) (int, error) {
	var b strings.Builder
	b.WriteString("<p>")
	for i := range 400 {
		fmt.Fprintf(&b, "<b a=%d>", i)
	}
	b.WriteString(strings.Repeat("<p>x", 60_000))
	reply := note("https://evil.test/n/slow-form", t.actor)
	reply["inReplyTo"], reply["content"] = t.object, b.String()
	body, err := json.Marshal(map[string]any{
		"@context": rig.ASContext, "id": "https://evil.test/act/slow-form", "type": "Create", "actor": t.actor, "to": []string{rig.Public},
		"object": reply,
	})
	if err != nil {
		return 0, err
	}
	body = []byte(strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(string(body)))
	start := time.Now()
	status, err := t.deliver(t.ctx, t.evil(), t.actor, body)
	if err != nil || !t.item.expects(status) {
		return status, err
	}
	err = t.applied(t.ctx)
	t.suite.Figure("slow_form_ms", ms(time.Since(start)), "ms")
	return 0, err
}
