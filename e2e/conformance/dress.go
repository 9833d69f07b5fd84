// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"maps"
	"slices"
	"time"

	"essaim/e2e/rig"
)

// The functions here give an activity the keys that each server writes, in the
// types that it writes; what there is a document of in testdata/shapes.tsv is held
// against it (asWritten).

// drop takes keys away.
func drop(doc map[string]any, names ...string) {
	maps.DeleteFunc(doc, func(name string, _ any) bool { return slices.Contains(names, name) })
}

// noteOf is the Note that an activity gives whole, if it does.
func noteOf(doc map[string]any) map[string]any {
	if o, ok := doc["object"].(map[string]any); ok && o["type"] == "Note" {
		return o
	}
	return map[string]any{} // what is written to it is thrown away
}

// copied has the embedded activity of an Undo be written anew: the one that was
// sent stays as it was.
func copied(doc map[string]any) map[string]any {
	o, ok := doc["object"].(map[string]any)
	if !ok || doc["type"] != "Undo" {
		return map[string]any{}
	}
	o = maps.Clone(o)
	drop(o, "@context")
	doc["object"] = o
	return o
}

// repliesOf is a collection of answers as Mastodon and GoToSocial embed it.
func repliesOf(o map[string]any, first map[string]any) map[string]any {
	collection := text(o, "id") + "/replies"
	page := map[string]any{"type": "CollectionPage", "next": collection + "?page=true", "partOf": collection}
	maps.Copy(page, first)
	return map[string]any{"id": collection, "type": "Collection", "first": page}
}

func dressMastodon(a *actor, doc map[string]any) {
	doc["@context"] = rig.ASContext
	switch doc["type"] {
	case "Create", "Update", "Announce":
		doc["@context"], doc["cc"], doc["published"] = mastodonContext, []any{a.id + "/followers"}, stamp(time.Now())
	case "Delete":
		doc["object"] = map[string]any{"id": id(doc["object"]), "type": "Tombstone", "atomUri": id(doc["object"])}
		doc["signature"] = map[string]any{"type": "RsaSignature2017", "creator": a.keyID, "created": "2026-01-01T00:00:00Z", "signatureValue": "AAAA"}
	default:
		drop(doc, "to")
	}
	o := noteOf(doc)
	o["atomUri"], o["inReplyToAtomUri"], o["url"] = o["id"], o["inReplyTo"], a.peer.URL+"/@alix/1"
	o["conversation"], o["sensitive"], o["summary"] = "tag:alix.example,2026-01-01:objectId=1:objectType=Conversation", false, nil
	o["contentMap"], o["attachment"] = map[string]any{"fr": o["content"]}, []any{}
	o["replies"] = repliesOf(o, map[string]any{"items": []any{}})
}

func dressGoToSocial(a *actor, doc map[string]any) {
	doc["@context"] = rig.ASContext
	switch doc["type"] {
	case "Create", "Update", "Announce":
		doc["cc"], doc["published"] = []any{a.id + "/followers"}, stamp(time.Now())
	case "Delete":
		doc["object"], doc["cc"] = id(doc["object"]), []any{a.id + "/followers"}
	}
	o := noteOf(doc)
	everyone := map[string]any{"always": []any{rig.Public}, "automaticApproval": []any{rig.Public}, "approvalRequired": []any{}, "manualApproval": []any{}}
	o["interactionPolicy"] = map[string]any{"canLike": everyone, "canReply": everyone, "canAnnounce": everyone}
	o["contentMap"], o["attachment"], o["sensitive"], o["summary"] = map[string]any{"fr": o["content"]}, []any{}, false, ""
	o["replies"], o["url"] = repliesOf(o, map[string]any{"id": text(o, "id") + "/replies?page=true"}), a.peer.URL+"/@alix/statuses/1"
	for _, d := range []map[string]any{doc, o} { // lists of one are written as their element
		for _, name := range []string{"to", "cc", "tag"} {
			if l := list(d, name); len(l) == 1 {
				d[name] = l[0]
			}
		}
	}
}

func dressMisskey(a *actor, doc map[string]any) {
	doc["@context"] = []any{rig.ASContext, "https://w3id.org/security/v1", map[string]any{
		"misskey": "https://misskey-hub.net/ns#", "_misskey_content": "misskey:_misskey_content", "_misskey_reaction": "misskey:_misskey_reaction",
	}}
	switch doc["type"] {
	case "Follow", "Like":
		drop(doc, "to")
	case "Undo", "Delete":
		drop(doc, "to")
		doc["published"] = stamp(time.Now())
	case "Create", "Update":
		doc["cc"], doc["published"] = []any{a.id + "/followers"}, stamp(time.Now())
	}
	if doc["type"] == "Like" {
		doc["content"], doc["_misskey_reaction"] = "🌱", "🌱"
	}
	o := noteOf(doc)
	o["_misskey_content"], o["source"] = "Bravo", map[string]any{"content": "Bravo", "mediaType": "text/x.misskeymarkdown"}
	o["attachment"], o["sensitive"] = []any{}, false
	copied(doc)
}

func dressPleroma(a *actor, doc map[string]any) {
	doc["@context"] = []any{rig.ASContext, a.peer.URL + "/schemas/litepub-0.1.jsonld", map[string]any{"@language": "und"}}
	conversation := a.peer.URL + "/contexts/1"
	switch doc["type"] {
	case "Follow":
		doc["state"], doc["cc"], doc["bto"], doc["bcc"] = "pending", []any{}, []any{}, []any{}
	case "Like": // a reaction with a picture
		doc["type"], doc["content"], doc["cc"], doc["context"] = "EmojiReact", "🌱", []any{}, conversation
	case "Announce":
		doc["published"], doc["context"], doc["bto"] = stamp(time.Now()), conversation, []any{}
	case "Undo":
		doc["published"], doc["context"], doc["cc"] = stamp(time.Now()), conversation, []any{}
	case "Delete":
		doc["object"], doc["cc"], doc["bto"], doc["bcc"] = id(doc["object"]), []any{}, []any{}, []any{}
	case "Create":
		doc["cc"], doc["context"], doc["directMessage"], doc["published"] = []any{a.id + "/followers"}, conversation, false, stamp(time.Now())
	case "Update":
		doc["cc"], doc["bto"] = []any{a.id + "/followers"}, []any{}
	}
	o := noteOf(doc)
	o["actor"], o["context"], o["conversation"], o["sensitive"], o["summary"] = a.id, conversation, conversation, false, ""
	o["attachment"], o["source"] = []any{}, "Bravo"
	if o := copied(doc); o["type"] == "Follow" {
		o["context"], o["published"], o["state"] = conversation, doc["published"], "cancelled"
	}
}

func dressFriendica(a *actor, doc map[string]any) {
	doc["@context"] = []any{rig.ASContext, "https://w3id.org/security/v1", map[string]any{
		"dfrn": "http://purl.org/macgirvin/dfrn/1.0/", "diaspora": "https://diasporafoundation.org/ns/", "vcard": "http://www.w3.org/2006/vcard/ns#",
	}}
	doc["instrument"] = map[string]any{"type": "Service", "name": "Friendica 'Interrupted Fern' 2024.08-1577", "url": a.peer.URL}
	doc["published"], doc["cc"] = stamp(time.Now()), []any{a.id + "/followers"}
	const guid = "00000000-0000-0000-0000-000000000000"
	if doc["type"] == "Like" {
		doc["diaspora:guid"], doc["diaspora:like"] = guid, `{"positive":"true"}`
	}
	o := noteOf(doc)
	o["diaspora:guid"], o["diaspora:comment"], o["url"], o["context"] = guid, `{"text":"Bravo"}`, a.peer.URL+"/display/1", text(o, "inReplyTo")+"#context"
	o["summary"], o["sensitive"], o["attachment"] = "", false, []any{}
	o["contentMap"], o["source"] = map[string]any{"fr": o["content"]}, map[string]any{"content": "Bravo", "mediaType": "text/bbcode"}
	copied(doc)
}

func dressLemmy(a *actor, doc map[string]any) {
	doc["@context"] = []any{"https://join-lemmy.org/context.json", rig.ASContext}
	community := a.peer.node + "/actors/groupe_brest" // by its whole address
	switch doc["type"] {
	case "Follow":
		doc["to"] = []any{doc["object"]}
	case "Like":
		drop(doc, "to")
		doc["audience"] = community
	case "Undo":
		drop(doc, "to")
		if o := copied(doc); o["type"] == "Follow" {
			doc["to"] = o["to"]
		}
	case "Delete":
		doc["object"], doc["cc"], doc["audience"] = id(doc["object"]), []any{community}, community
	case "Create":
		doc["cc"], doc["tag"] = []any{community}, []any{}
	case "Update":
		doc["cc"], doc["audience"] = []any{community}, community
	}
	o := noteOf(doc)
	o["mediaType"], o["distinguished"] = "text/html", false
	o["source"], o["language"] = map[string]any{"content": "Bravo", "mediaType": "text/markdown"}, map[string]any{"identifier": "fr", "name": "Français"}
}

func dressMobilizon(a *actor, doc map[string]any) {
	doc["@context"] = []any{rig.ASContext, "https://litepub.social/context.jsonld", map[string]any{"mz": "https://joinmobilizon.org/ns#", "uuid": "sc:identifier", "sc": "http://schema.org#"}}
	if doc["type"] == "Create" {
		doc["cc"], doc["published"] = []any{}, stamp(time.Now())
	}
	o := noteOf(doc)
	o["actor"], o["uuid"], o["isAnnouncement"] = a.id, "00000000-0000-4000-8000-000000000000", false
}

func dressWordPress(a *actor, doc map[string]any) {
	doc["@context"] = []any{rig.ASContext, map[string]any{"sensitive": "as:sensitive", "Hashtag": "as:Hashtag"}}
	if doc["type"] == "Update" {
		doc["cc"], doc["audience"] = []any{}, a.peer.URL+"/author/alix"
		doc["published"], doc["updated"] = stamp(time.Now()), stamp(time.Now())
	}
	o := noteOf(doc) // a comment of its site
	o["url"], o["sensitive"], o["mediaType"] = a.peer.URL+"/2026/01/01/article/#comment-2", false, "text/html"
	o["replies"] = map[string]any{"id": a.peer.URL + "/wp-json/activitypub/1.0/comments/2/replies", "type": "Collection"}
}

func dressPeerTube(a *actor, doc map[string]any) {
	doc["@context"] = []any{rig.ASContext, "https://w3id.org/security/v1", map[string]string{"RsaSignature2017": "https://w3id.org/security#RsaSignature2017"}}
	doc["signature"] = map[string]any{"type": "RsaSignature2017", "creator": a.id, "created": "2026-01-01T00:00:00Z", "signatureValue": "AAAA"}
}
