// SPDX-License-Identifier: AGPL-3.0-or-later

package fedtest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestEveryGoldenDocumentPassesTheLinter(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../vocab/testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 17 {
		t.Fatalf("read %d golden documents", len(files))
	}
	for _, file := range files {
		doc, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range Lint(doc) {
			t.Errorf("%s: %s", filepath.Base(file), f)
		}
	}
}

// edit changes a document.
type edit func(doc map[string]any)

// put sets a member, named by its path; remove takes it away.
func put(path string, v any) edit {
	return func(doc map[string]any) {
		names := strings.Split(path, ".")
		for _, name := range names[:len(names)-1] {
			switch next := doc[name].(type) {
			case map[string]any:
				doc = next
			case []any:
				doc = next[0].(map[string]any)
			}
		}
		doc[names[len(names)-1]] = v
	}
}

func remove(path string) edit {
	return func(doc map[string]any) {
		names := strings.Split(path, ".")
		for _, name := range names[:len(names)-1] {
			doc = doc[name].(map[string]any)
		}
		delete(doc, names[len(names)-1])
	}
}

// breaks gives each rule a document that breaks it, and it alone.
var breaks = []struct {
	rule, golden string
	edit         edit
}{
	{"size", "venue.json", put("essaim:tagline", strings.Repeat("long ", 20_000))},
	{"context-array", "follow.json", func(doc map[string]any) { slices.Reverse(doc["@context"].([]any)) }},
	{"context-array", "follow.json", put("@context", []any{contextIntegrity, contextAS})},
	{"context-bundled", "follow.json", put("@context", []any{contextAS, contextIntegrity, "https://w3id.org/fep/8a8e"})},
	{"term-declared", "venue.json", put("wetness", "high")},
	{"term-declared", "venue.json", put("unknown:wetness", "high")},
	{"term-declared", "venue.json", put("location.wetness", "high")},
	{"term-declared", "venue.json", put("location.address.type", "Placidity")},
	{"type-string", "venue.json", put("location.address.type", []any{"PostalAddress"})},
	{"type-string", "follow.json", put("type", []any{"Follow"})},
	{"type-known", "follow.json", put("type", "Place")},
	{"id-address", "tombstone.json", put("id", "https://brest.example/objects/é")},
	{"id-address", "tombstone.json", put("id", "https://brest.example/objects/1#a")},
	{"no-null", "venue.json", put("essaim:tagline", nil)},
	{"language-bare", "venue.json", func(doc map[string]any) {
		doc["language"] = "fr"
		doc["@context"].([]any)[2].(map[string]any)["language"] = "schema:inLanguage"
	}},
	{"url-string", "venue.json", put("url", []any{"https://brest.example/lieux/a"})},
	{"image-single", "venue.json", put("image", []any{map[string]any{"type": "Image", "url": "https://brest.example/1.png"}})},
	{"image-single", "venue.json", put("image.type", "Link")},
	{"location-single", "venue.json", put("location", []any{map[string]any{"type": "Place", "name": "Brest"}})},
	{"location-single", "venue.json", put("location.type", "Object")},
	{"coordinates-float", "venue.json", put("location.latitude", json.Number("48"))},
	{"coordinates-float", "venue.json", put("location.latitude", json.Number("48.123456789"))},
	{"coordinates-float", "venue.json", put("location.latitude", "48.3")},
	{"coordinates-float", "actor-territory.json", put("location.longitude", json.Number("200.5"))},
	{"attachment-array", "venue.json", put("attachment", map[string]any{"type": "Image", "name": "Un vélo"})},
	{"attachment-array", "venue.json", put("attachment.mediaType", "")},
	{"attachment-array", "actor-territory.json", put("attachment.name", "")},
	{"attachment-alt", "venue.json", put("attachment.name", " ")},
	{"tag-array", "venue.json", put("tag.name", "Alimentation")},
	{"tag-array", "venue.json", put("tag", map[string]any{"type": "Hashtag", "name": "#a", "href": "https://brest.example/"})},
	{"mention-addressed", "venue.json", put("tag", []any{map[string]any{"type": "Mention", "name": "@a@m.example", "href": "https://m.example/a"}})},
	{"dates", "venue.json", put("updated", "2026-03-02")},
	{"dates-order", "venue.json", put("updated", "2026-02-28T12:00:00Z")},
	{"dates-order", "meeting.json", put("endTime", "2026-03-14T10:00:00Z")},
	{"html-allowed", "venue.json", func(doc map[string]any) { doc["content"] = `<h2>Titre</h2>`; delete(doc, "contentMap") }},
	{"html-allowed", "venue.json", func(doc map[string]any) { doc["content"] = `<p>Titre`; delete(doc, "contentMap") }},
	{"html-allowed", "venue.json", func(doc map[string]any) { doc["content"] = `</p>`; delete(doc, "contentMap") }},
	{"html-allowed", "venue.json", func(doc map[string]any) { doc["content"] = `<!-- a -->`; delete(doc, "contentMap") }},
	{"html-allowed", "venue.json", func(doc map[string]any) { doc["content"] = `<p style="a">a</p>`; delete(doc, "contentMap") }},
	{"html-allowed", "venue.json", func(doc map[string]any) { doc["content"] = `<p class="evil">a</p>`; delete(doc, "contentMap") }},
	{"html-allowed", "venue.json", func(doc map[string]any) {
		doc["content"] = `<a href="mailto:a@brest.example">a</a>`
		delete(doc, "contentMap")
	}},
	{"html-allowed", "actor-territory.json", put("attachment.value", "<img src='x'>")},
	{"map-beside-plain", "venue.json", put("nameMap", map[string]any{"fr": "Autre chose"})},
	{"map-beside-plain", "venue.json", put("nameMap", "fr")},
	{"addressing", "venue.json", put("to", "https://www.w3.org/ns/activitystreams#Public")},
	{"addressing", "follow.json", put("to", []any{map[string]any{"type": "Person"}})},
	{"collection-address", "venue.json", put("likes", map[string]any{"type": "Collection", "totalItems": 0})},
	{"collection-address", "venue.json", put("context", "tag:brest.example,2026:1")},
	{"same-host", "tombstone.json", put("id", "https://other.example/objects/1")},
	{"same-host", "follow.json", put("id", "https://other.example/activities/1")},
	{"proof", "venue.json", func(doc map[string]any) { delete(doc, "proof") }},
	{"proof", "venue.json", put("proof.cryptosuite", "eddsa-rdfc-2022")},
	{"proof", "venue.json", put("proof.verificationMethod", "https://brest.example/actors/other#ed25519")},
	{"proof", "venue.json", put("proof.@context", []any{contextAS})},
	{"object-complete", "venue.json", func(doc map[string]any) { delete(doc, "summary"); delete(doc, "summaryMap") }},
	{"object-complete", "venue.json", remove("published")},
	{"object-complete", "venue.json", func(doc map[string]any) {
		doc["summary"] = strings.Repeat("mot ", 200)
		delete(doc, "summaryMap")
	}},
	{"article-preview", "venue.json", remove("preview")},
	{"article-preview", "venue.json", put("preview.type", "Article")},
	{"event-complete", "meeting.json", remove("organizers")},
	{"event-complete", "meeting.json", remove("joinMode")},
	{"event-complete", "meeting.json", remove("externalParticipationUrl")},
	{"event-complete", "meeting.json", put("category", "meeting")},
	{"event-complete", "meeting.json", remove("startTime")},
	{"event-complete", "meeting.json", put("timezone", "Brest")},
	{"activity-complete", "undo.json", put("object", "https://brest.example/activities/01JF")},
	{"activity-complete", "follow.json", remove("object")},
	{"collection-shape", "collection", put("totalItems", "3")},
	{"collection-shape", "collection", put("items", []any{})},
	{"collection-shape", "collection", func(doc map[string]any) { doc["type"] = "OrderedCollectionPage" }},
	{"actor-complete", "actor-territory.json", remove("featured")},
	{"actor-complete", "actor-territory.json", remove("streams")},
	{"actor-complete", "actor-territory.json", put("streams", []any{"https://other.example/commons"})},
	{"actor-complete", "actor-territory.json", put("discoverable", "yes")},
	{"actor-complete", "actor-territory.json", put("endpoints", map[string]any{})},
	{"actor-host", "actor-territory.json", put("url", "https://www.brest.example/")},
	{"actor-host", "actor-territory.json", put("endpoints.sharedInbox", "https://cdn.example/inbox")},
	{"actor-username", "actor-territory.json", func(doc map[string]any) { doc["preferredUsername"] = "Brest"; doc["webfinger"] = "Brest@brest.example" }},
	{"actor-username", "actor-territory.json", put("webfinger", "acct:brest@brest.example")},
	{"actor-key", "actor-territory.json", func(doc map[string]any) { doc["publicKey"] = []any{doc["publicKey"]} }},
	{"actor-key", "actor-territory.json", put("publicKey.owner", "https://brest.example/actors/other")},
	{"actor-key", "actor-territory.json", put("publicKey.publicKeyPem", "-----BEGIN RSA PUBLIC KEY-----")},
	{"actor-multikey", "actor-territory.json", put("assertionMethod.controller", "https://brest.example/actors/other")},
	{"actor-multikey", "actor-territory.json", put("assertionMethod.publicKeyMultibase", "z6Mk")},
}

// sample is a golden document, or a collection as a node serves one.
func sample(t *testing.T, name string) map[string]any {
	t.Helper()
	b := []byte(`{"@context":["` + contextAS + `"],"id":"https://brest.example/actors/brest/featured","type":"OrderedCollection","totalItems":1,
		"orderedItems":["https://brest.example/objects/1"],"partOf":""}`)
	if name != "collection" {
		var err error
		if b, err = os.ReadFile(filepath.Join("../vocab/testdata", name)); err != nil {
			t.Fatal(err)
		}
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var doc map[string]any
	if err := dec.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestEachRuleIsBrokenByADocumentOfItsOwn(t *testing.T) {
	t.Parallel()
	broken := map[string]bool{"json-object": len(Lint([]byte(`[]`))) == 1}
	for _, tt := range breaks {
		doc := sample(t, tt.golden)
		tt.edit(doc)
		if c, there := doc["@context"]; there && tt.rule != "proof" {
			if p, ok := doc["proof"].(map[string]any); ok {
				p["@context"] = c
			}
		}
		b, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		list := Lint(b)
		for _, f := range list {
			if f.Rule != tt.rule {
				t.Errorf("%s (%s): breaks another rule: %s", tt.rule, tt.golden, f)
			}
		}
		if len(list) == 0 {
			t.Errorf("%s (%s): not seen", tt.rule, tt.golden)
		}
		broken[tt.rule] = broken[tt.rule] || len(list) > 0
	}
	for rule, answer := range map[string]func(*http.Response){
		"served-type":   func(r *http.Response) { r.Header.Set("Content-Type", "application/json") },
		"served-vary":   func(r *http.Response) { r.Header.Del("Vary") },
		"served-id":     func(r *http.Response) { r.Header.Set("At", "https://brest.example/other") },
		"served-status": func(r *http.Response) { r.StatusCode = http.StatusGone },
	} {
		b, err := os.ReadFile("../vocab/testdata/venue.json")
		if err != nil {
			t.Fatal(err)
		}
		r := &http.Response{StatusCode: http.StatusOK, Header: http.Header{
			"Content-Type": {"application/activity+json"}, "Vary": {"Accept"}, "At": {"https://brest.example/objects/01JRECvenue"},
		}}
		if list := LintServed(r.Header.Get("At"), r, b); len(list) > 0 {
			t.Errorf("a good answer: %v", list)
		}
		answer(r)
		list := LintServed(r.Header.Get("At"), r, b)
		if broken[rule] = len(list) == 1 && list[0].Rule == rule; !broken[rule] {
			t.Errorf("%s: got %v", rule, list)
		}
	}
	for _, r := range Rules {
		if !broken[r.ID] {
			t.Errorf("no document breaks %s", r.ID)
		}
	}
}
