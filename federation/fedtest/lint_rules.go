// SPDX-License-Identifier: AGPL-3.0-or-later

package fedtest

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Rules are those of interop.md 0 and 2, in its order.
var Rules = []Rule{
	{ID: "json-object", Text: "a document is one JSON object"},
	{ID: "size", Text: "a document has at most 100 kB, a page of a collection 1 MB: Mastodon refuses more"},
	{ID: "context-array", Text: "@context is an array that begins with ActivityStreams: Mastodon wants both for a proof", check: contextArray},
	{ID: "context-bundled", Text: "a context URL is one that every server bundles: Friendica loses the message otherwise", check: contextBundled},
	{ID: "term-declared", Text: "each short name and prefix is declared in @context: Friendica drops the others", check: termDeclared},
	{ID: "type-string", Text: "type is one string: Lemmy, Akkoma and Misskey break on an array", check: typeString},
	{ID: "type-known", Text: "a document's type is one of ActivityStreams: everybody drops the others", check: typeKnown},
	{ID: "id-address", Text: "an id is an absolute web address in lower-case ASCII, without fragment for a document", check: idAddress},
	{ID: "no-null", Text: "what is not there is left out: Lemmy refuses null", check: noNull},
	{ID: "language-bare", Text: "no bare language: Lemmy wants an object there and refuses the whole", check: languageBare},
	{ID: "url-string", Text: "url is one string: Akkoma refuses a list on an Event", check: urlString},
	{ID: "image-single", Text: "image and icon are one Image with a string url: Lemmy and Mobilizon break on an array", check: imageSingle},
	{ID: "location-single", Text: "location is one Place with a name: Mobilizon has no clause for a list", check: locationSingle},
	{ID: "coordinates-float", Text: "coordinates are numbers with a point and at most 7 decimals: Mobilizon drops the point of 48", check: coordinatesFloat},
	{ID: "attachment-array", Text: "attachment is an array of pictures with url and mediaType, of fields on an actor", check: attachmentArray},
	{ID: "attachment-alt", Text: "each picture has its alternative text as name", check: attachmentAlt},
	{ID: "tag-array", Text: "tag is an array of objects with type, name and href; a hashtag begins with #", check: tagArray},
	{ID: "mention-addressed", Text: "who is mentioned is in to or cc: Mastodon notifies nobody otherwise", check: mentionAddressed},
	{ID: "dates", Text: "dates are RFC 3339 with a zone", check: dates},
	{ID: "dates-order", Text: "published ≤ updated, startTime ≤ endTime: GoToSocial refuses the first", check: datesOrder},
	{ID: "html-allowed", Text: "summary, content and values of fields stay within Mastodon's allow-list, well formed", check: htmlAllowed},
	{ID: "map-beside-plain", Text: "nameMap, summaryMap and contentMap stand beside the plain property and say the same", check: mapBesidePlain},
	{ID: "addressing", Text: "to and cc are arrays of addresses: Lemmy and Mobilizon want lists", check: addressing},
	{ID: "collection-address", Text: "collections are addresses, never embedded: their totals are no part of what is signed", check: collectionAddress},
	{ID: "same-host", Text: "an object, its author and an activity's actor are one host's: Mastodon and Misskey refuse otherwise", check: sameHost},
	{ID: "proof", Text: "an actor, object or activity has a proof of its owner's key, with the document's own @context: Mastodon compares them", check: proofShape},
	{ID: "object-complete", Text: "an object has name, url, author, dates and addressees; an Article or Event a summary of at most 500 characters", check: objectComplete},
	{ID: "article-preview", Text: "an Article has a preview Note (FEP-b2b8)", check: articlePreview},
	{ID: "event-complete", Text: "an Event has what FEP-8a8e and Mobilizon require", check: eventComplete},
	{ID: "activity-complete", Text: "an activity has actor and object; Create, Update, Accept, Reject and Undo embed it", check: activityComplete},
	{ID: "collection-shape", Text: "a collection counts with an integer and lists in items or orderedItems, a page names its collection", check: collectionShape},
	{ID: "actor-complete", Text: "an actor has its inbox, collections, streams, name, page and flags", check: actorComplete},
	{ID: "actor-host", Text: "all addresses of an actor are on its host: Misskey and Akkoma refuse it otherwise", check: actorHost},
	{ID: "actor-username", Text: "a username is lower-case ASCII of at most 30 characters, webfinger its handle", check: actorUsername},
	{ID: "actor-key", Text: "publicKey is one object, an RSA key of 2048 bits that names its owner: Lemmy, Misskey and Mobilizon break on a list", check: actorKey},
	{ID: "actor-multikey", Text: "assertionMethod lists Ed25519 keys as Multikey, controlled by the actor (FEP-521a)", check: actorMultikey},
	{ID: "served-type", Text: "the media type is application/activity+json: Lemmy compares it with three literals"},
	{ID: "served-vary", Text: "what is negotiated varies by Accept"},
	{ID: "served-id", Text: "the id is the address that was asked for, byte for byte"},
	{ID: "served-status", Text: "a document answers 200, a Tombstone 410"},
}

func contextArray(l *linter, o object) {
	c, there := o.m["@context"]
	if !there && o.at != "" {
		return
	}
	list, ok := c.([]any)
	if !ok || len(list) == 0 || list[0] != contextAS {
		l.found(o, "@context", "%s", show(c))
	}
}

func contextBundled(l *linter, o object) {
	list, ok := o.m["@context"].([]any)
	if !ok {
		list = []any{o.m["@context"]}
	}
	for _, c := range list {
		if address, ok := c.(string); ok && contextTerms[address] == nil {
			l.found(o, "@context", "%s", address)
		}
	}
}

func termDeclared(l *linter, o object) {
	for _, name := range sorted(o.m) {
		if !o.terms.knows(name, o.ours) {
			l.found(o, name, "an unknown name")
		}
	}
	if kind := text(o.m["type"]); kind != "" && !o.terms.knows(kind, o.ours) {
		l.found(o, "type", "an unknown type %s", kind)
	}
}

func typeString(l *linter, o object) {
	if v, there := o.m["type"]; (there || o.document) && text(v) == "" {
		l.found(o, "type", "%s", show(v))
	}
}

func typeKnown(l *linter, o object) {
	kind, ok := o.m["type"].(string)
	if !o.document || !ok {
		return
	}
	for _, types := range [][]string{actorTypes, objectTypes, activityTypes, collectionTypes, extensionTypes, {"Tombstone"}} {
		if slices.Contains(types, kind) {
			return
		}
	}
	l.found(o, "type", "%s", kind)
}

func idAddress(l *linter, o object) {
	id, there := o.m["id"]
	if !there && !o.document {
		return
	}
	s := text(id)
	bad := hostOf(s) == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) || hostOf(s) != strings.ToLower(hostOf(s))
	if bad || o.document && strings.Contains(s, "#") {
		l.found(o, "id", "%s", show(id))
	}
}

func noNull(l *linter, o object) {
	for _, name := range sorted(o.m) {
		if o.m[name] == nil {
			l.found(o, name, "null")
		}
	}
}

func languageBare(l *linter, o object) {
	if v, there := o.m["language"]; there && !o.ours {
		l.found(o, "language", "%s", show(v))
	}
}

func urlString(l *linter, o object) {
	for _, name := range []string{"url", "href"} {
		if v, there := o.m[name]; there && hostOf(text(v)) == "" {
			l.found(o, name, "%s", show(v))
		}
	}
}

func imageSingle(l *linter, o object) {
	for _, name := range []string{"image", "icon"} {
		v, there := o.m[name]
		if !there || o.ours {
			continue
		}
		if m, ok := v.(map[string]any); !ok || m["type"] != "Image" || hostOf(text(m["url"])) == "" {
			l.found(o, name, "%s", show(v))
		}
	}
}

func locationSingle(l *linter, o object) {
	v, there := o.m["location"]
	if !there {
		return
	}
	if m, ok := v.(map[string]any); !ok || m["type"] != "Place" || text(m["name"]) == "" {
		l.found(o, "location", "%s", show(v))
	}
}

func coordinatesFloat(l *linter, o object) {
	for name, limit := range map[string]float64{"latitude": 90, "longitude": 180} {
		v, there := o.m[name]
		if !there {
			continue
		}
		n, ok := v.(json.Number)
		_, decimals, point := strings.Cut(string(n), ".")
		f, err := strconv.ParseFloat(string(n), 64)
		if !ok || !point || len(decimals) > 7 || err != nil || f < -limit || f > limit {
			l.found(o, name, "%s", show(v))
		}
	}
}

func attachmentArray(l *linter, o object) {
	v, there := o.m["attachment"]
	if !there {
		return
	}
	list, ok := v.([]any)
	if !ok {
		l.found(o, "attachment", "%s", show(v))
		return
	}
	for _, item := range list {
		a, _ := item.(map[string]any)
		good := slices.Contains([]string{"Image", "Document", "Audio", "Video"}, text(a["type"])) && hostOf(text(a["url"])) != "" && text(a["mediaType"]) != ""
		if o.is(actorTypes) {
			good = a["type"] == "PropertyValue" && text(a["name"]) != "" && text(a["value"]) != ""
		}
		if !good {
			l.found(o, "attachment", "%s", show(item))
		}
	}
}

func attachmentAlt(l *linter, o object) {
	if o.of == "attachment" && text(o.m["type"]) != "PropertyValue" && strings.TrimSpace(text(o.m["name"])) == "" {
		l.found(o, "name", "%s", show(o.m["name"]))
	}
}

func tagArray(l *linter, o object) {
	v, there := o.m["tag"]
	if !there {
		return
	}
	list, ok := v.([]any)
	if !ok {
		l.found(o, "tag", "%s", show(v))
	}
	for _, item := range list {
		t, _ := item.(map[string]any)
		kind, name := text(t["type"]), text(t["name"])
		good := hostOf(text(t["href"])) != ""
		switch kind {
		case "Hashtag":
			good = good && len(name) > 1 && name[0] == '#'
		case "Mention":
			good = good && len(name) > 1 && name[0] == '@'
		case "Link":
			good = good && text(t["mediaType"]) != "" // FEP-e232
		case "Emoji":
			good = len(name) > 2
		default:
			good = false
		}
		if !good {
			l.found(o, "tag", "%s", show(item))
		}
	}
}

func mentionAddressed(l *linter, o object) {
	if o.of != "" && !o.document {
		return
	}
	list, _ := o.m["tag"].([]any)
	for _, item := range list {
		t, _ := item.(map[string]any)
		if t["type"] == "Mention" && !slices.Contains(append(addresses(o.m["to"]), addresses(o.m["cc"])...), text(t["href"])) {
			l.found(o, "tag", "%s in neither", text(t["href"]))
		}
	}
}

var dateNames = []string{"published", "updated", "deleted", "startTime", "endTime", "created"}

func dates(l *linter, o object) {
	for _, name := range dateNames {
		v, there := o.m[name]
		if _, err := time.Parse(time.RFC3339, text(v)); there && !o.ours && err != nil {
			l.found(o, name, "%s", show(v))
		}
	}
}

func datesOrder(l *linter, o object) {
	for _, pair := range [][2]string{{"published", "updated"}, {"startTime", "endTime"}} {
		from, err := time.Parse(time.RFC3339, text(o.m[pair[0]]))
		to, err2 := time.Parse(time.RFC3339, text(o.m[pair[1]]))
		if err == nil && err2 == nil && to.Before(from) {
			l.found(o, pair[1], "%s before %s", to, from)
		}
	}
}

func htmlAllowed(l *linter, o object) {
	check := func(name string, v any) {
		lintHTML(text(v), func(what string) { l.found(o, name, "%s", what) })
	}
	if o.ours || o.of == "source" || o.of == "attachment" && o.m["type"] != "PropertyValue" {
		return // Markdown, or the text of a picture
	}
	for _, name := range []string{"summary", "content"} {
		check(name, o.m[name])
		byTag, _ := o.m[name+"Map"].(map[string]any)
		for _, tag := range sorted(byTag) {
			check(name+"Map."+tag, byTag[tag])
		}
	}
	if o.m["type"] == "PropertyValue" {
		check("value", o.m["value"])
	}
}

func mapBesidePlain(l *linter, o object) {
	for _, name := range []string{"name", "summary", "content"} {
		v, there := o.m[name+"Map"]
		if !there {
			continue
		}
		byTag, ok := v.(map[string]any)
		same := false
		for tag, s := range byTag {
			same = same || s == o.m[name]
			ok = ok && text(s) != "" && len(tag) >= 2
		}
		if !ok || !same {
			l.found(o, name+"Map", "%s beside %s", show(v), show(o.m[name]))
		}
	}
}
