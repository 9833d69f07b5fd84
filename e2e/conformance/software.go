// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"maps"
	"slices"
	"strings"

	"essaim/e2e/rig"
)

// software is another server of the Fediverse, as far as its source was read:
// how what it sends looks, and what it makes of what we send. No live server
// was asked.
type software struct {
	name   string
	ip     string // of its scripted server
	verbs  []string
	actor  map[string]any // what its actors have besides
	path   string         // of its actor; a Person's when empty
	kind   string         // type of its actor; Person when empty
	follow string         // path of the actor that it follows; the territory when empty
	with   cavage         // how it signs
	accept string         // what it asks documents with
	// meeting is set for one that reads meetings and not records.
	meeting bool
	// dress gives an activity the shape that this server gives it.
	dress func(a *actor, doc map[string]any)
	// takes tells what in a document of ours this server would refuse.
	takes func(j *judge, doc map[string]any)
	// read is what it shows of a document.
	read func(doc map[string]any) shown
}

// shown is what a server shows of a record.
type shown struct{ title, summary, link, image, alt string }

// everything is each verb of the matrix of docs/FEDIVERSE.md, in its order.
var everything = []string{"found", "followed", "title", "summary", "link", "image", "reply", "like", "boost", "edit", "delete"}

func without(verbs ...string) []string {
	return slices.DeleteFunc(slices.Clone(everything), func(v string) bool { return slices.Contains(verbs, v) })
}

var mastodonContext = []any{rig.ASContext, map[string]any{
	"ostatus": "http://ostatus.org#", "atomUri": "ostatus:atomUri", "inReplyToAtomUri": "ostatus:inReplyToAtomUri",
	"conversation": "ostatus:conversation", "sensitive": "as:sensitive", "toot": "http://joinmastodon.org/ns#", "votersCount": "toot:votersCount",
}}

// fediverse are the servers that the suite plays.
var fediverse = []software{
	{
		name: "mastodon", ip: "127.0.0.21", verbs: everything, accept: "application/activity+json, application/ld+json",
		actor: map[string]any{"featured": "/users/alix/collections/featured", "discoverable": true, "indexable": true, "manuallyApprovesFollowers": false},
		with:  cavage{covered: []string{"host", "date", "content-type", "digest", "(request-target)"}},
		dress: func(a *actor, doc map[string]any) {
			if doc["type"] != "Create" && doc["type"] != "Update" && doc["type"] != "Announce" {
				delete(doc, "to")
				doc["@context"] = rig.ASContext
			} else {
				doc["@context"], doc["cc"] = mastodonContext, []any{a.id + "/followers"}
			}
			if o, ok := doc["object"].(map[string]any); ok && o["type"] == "Note" {
				o["atomUri"], o["conversation"], o["sensitive"], o["summary"] = o["id"], "tag:alix.example,2026-01-01:objectId=1:objectType=Conversation", false, nil
				o["contentMap"], o["attachment"] = map[string]any{"fr": o["content"]}, []any{}
				o["replies"] = map[string]any{"id": text(o, "id") + "/replies", "type": "Collection", "first": map[string]any{"type": "CollectionPage", "partOf": text(o, "id") + "/replies", "items": []any{}}}
			}
			if doc["type"] == "Delete" {
				doc["to"] = []any{rig.Public}
				doc["signature"] = map[string]any{"type": "RsaSignature2017", "creator": a.keyID, "created": "2026-01-01T00:00:00Z", "signatureValue": "AAAA"}
			}
		},
		takes: takesMastodon, read: readMastodon,
	},
	{
		name: "gotosocial", ip: "127.0.0.22", verbs: without("title"), accept: `application/activity+json,application/ld+json; profile="https://www.w3.org/ns/activitystreams"`,
		with: cavage{covered: []string{"(request-target)", "host", "date", "digest"}, algorithm: "hs2019"},
		dress: func(_ *actor, doc map[string]any) {
			doc["@context"] = rig.ASContext
			for _, name := range []string{"to", "cc"} { // lists of one are written as strings
				if l := list(doc, name); len(l) == 1 {
					doc[name] = l[0]
				}
			}
			if text(doc["object"], "type") == "Tombstone" {
				doc["object"] = id(doc["object"])
			}
		},
		takes: takesGoToSocial, read: readBlog("", "summary"),
	},
	{
		name: "misskey", ip: "127.0.0.23", verbs: without("title", "edit"), accept: activityJSON + ", " + ldJSON,
		with: cavage{covered: []string{"(request-target)", "date", "host", "digest"}},
		dress: func(_ *actor, doc map[string]any) {
			doc["@context"] = []any{rig.ASContext, "https://w3id.org/security/v1", map[string]any{
				"misskey": "https://misskey-hub.net/ns#", "_misskey_content": "misskey:_misskey_content", "_misskey_reaction": "misskey:_misskey_reaction",
			}}
			switch doc["type"] {
			case "Like":
				doc["content"], doc["_misskey_reaction"] = "🌱", "🌱"
			case "Create":
				o := doc["object"].(map[string]any)
				o["_misskey_content"], o["source"] = "Bravo", map[string]any{"content": "Bravo", "mediaType": "text/x.misskeymarkdown"}
				o["attachment"], o["sensitive"], o["tag"] = []any{}, false, []any{}
			}
		},
		takes: takesMisskey, read: readBlog("", "summary"),
	},
	{
		name: "pleroma", ip: "127.0.0.24", verbs: everything, accept: activityJSON,
		with: cavage{covered: []string{"(request-target)", "content-length", "date", "digest", "host"}},
		dress: func(a *actor, doc map[string]any) {
			doc["@context"] = []any{rig.ASContext, a.peer.URL + "/schemas/litepub-0.1.jsonld", map[string]any{"@language": "und"}}
			doc["context"], doc["bto"], doc["bcc"] = a.peer.URL+"/contexts/1", []any{}, []any{}
			switch doc["type"] {
			case "Follow":
				doc["state"] = "pending"
			case "Like":
				doc["type"], doc["content"] = "EmojiReact", "🌱"
			case "Create", "Update":
				o := doc["object"].(map[string]any)
				o["actor"], o["context"], o["conversation"], o["emoji"], o["sensitive"] = a.id, doc["context"], doc["context"], map[string]any{}, nil
			case "Delete":
				doc["object"] = id(doc["object"])
			}
		},
		takes: takesPleroma, read: readBlog("name", "summary"),
	},
	{
		name: "friendica", ip: "127.0.0.25", verbs: everything, accept: activityJSON + ", " + ldJSON,
		with: cavage{covered: []string{"(request-target)", "date", "digest", "host"}},
		dress: func(a *actor, doc map[string]any) {
			doc["@context"] = []any{rig.ASContext, "https://w3id.org/security/v1", map[string]any{
				"dfrn": "http://purl.org/macgirvin/dfrn/1.0/", "diaspora": "https://diasporafoundation.org/ns/", "vcard": "http://www.w3.org/2006/vcard/ns#",
			}}
			doc["instrument"] = map[string]any{"type": "Application", "name": "Friendica 'Interrupted Fern' 2024.08-1577", "url": a.peer.URL}
			doc["diaspora:guid"] = "00000000-0000-0000"
		},
		takes: takesFriendica, read: readBlog("name", "summary"),
	},
	mobilizon, lemmy, wordpress, peertube,
}

var mobilizon = software{
	name: "mobilizon", ip: "127.0.0.26", path: "/relay", kind: "Application", follow: "/actor", meeting: true, accept: activityJSON,
	verbs: []string{"found", "followed", "title", "link", "image", "reply", "edit", "delete"},
	actor: map[string]any{"preferredUsername": "relay", "name": "Mobilizon", "manuallyApprovesFollowers": true},
	with:  cavage{covered: []string{"(request-target)", "content-length", "date", "digest", "host"}},
	dress: func(a *actor, doc map[string]any) {
		doc["@context"] = []any{rig.ASContext, "https://litepub.social/context.jsonld", map[string]any{"mz": "https://joinmobilizon.org/ns#", "uuid": "sc:identifier", "sc": "http://schema.org#"}}
		if o, ok := doc["object"].(map[string]any); ok && o["type"] == "Note" {
			o["actor"], o["uuid"], o["isAnnouncement"] = a.id, "00000000-0000-4000-8000-000000000000", false
		}
	},
	takes: takesMobilizon, read: readMobilizon,
}

var lemmy = software{
	name: "lemmy", ip: "127.0.0.27", follow: "/actors/groupe_brest", accept: ldJSON,
	verbs: []string{"found", "followed", "title", "summary", "link", "image", "reply", "like", "edit", "delete"},
	with:  cavage{covered: []string{"(request-target)", "content-type", "date", "digest", "host"}, algorithm: "hs2019"},
	dress: func(a *actor, doc map[string]any) {
		group := "groupe_brest"
		doc["@context"] = []any{"https://join-lemmy.org/context.json", rig.ASContext}
		switch doc["type"] {
		case "Follow":
			doc["to"] = []any{doc["object"]}
		case "Like", "Announce":
			delete(doc, "to")
			doc["audience"] = group
		case "Delete":
			doc["object"] = id(doc["object"])
		case "Create", "Update":
			o := doc["object"].(map[string]any)
			o["mediaType"], o["distinguished"] = "text/html", false
			o["source"], o["language"] = map[string]any{"content": "Bravo", "mediaType": "text/markdown"}, map[string]any{"identifier": "fr", "name": "Français"}
		}
		if o, ok := doc["object"].(map[string]any); ok && doc["type"] == "Undo" {
			maps.DeleteFunc(o, func(name string, _ any) bool { return name == "@context" })
		}
	},
	takes: takesLemmy, read: readLemmy,
}

var wordpress = software{
	name: "wordpress", ip: "127.0.0.28", path: "/author/alix", verbs: everything, accept: activityJSON,
	actor: map[string]any{"webfinger": "alix@127.0.0.28", "implements": []any{}, "manuallyApprovesFollowers": false},
	with:  cavage{covered: []string{"(request-target)", "host", "date", "digest"}},
	dress: func(a *actor, doc map[string]any) {
		doc["@context"] = []any{rig.ASContext, map[string]any{"sensitive": "as:sensitive", "Hashtag": "as:Hashtag"}}
		doc["generator"] = map[string]any{"type": "Application", "name": "WordPress", "url": a.peer.URL}
		if o, ok := doc["object"].(map[string]any); ok && o["type"] == "Note" { // a comment of its site
			o["url"], o["sensitive"], o["mediaType"] = a.peer.URL+"/2026/01/01/article/#comment-2", false, "text/html"
			o["replies"] = map[string]any{"id": a.peer.URL + "/wp-json/activitypub/1.0/comments/2/replies", "type": "Collection"}
		}
	},
	takes: takesWordPress, read: readWordPress,
}

var peertube = software{
	name: "peertube", ip: "127.0.0.29", path: "/accounts/peertube", kind: "Application", follow: "/actor", verbs: []string{"found", "followed"}, accept: activityJSON + ", " + ldJSON,
	actor: map[string]any{"preferredUsername": "peertube"},
	with:  cavage{covered: []string{"(request-target)", "host", "date", "digest"}},
	dress: func(a *actor, doc map[string]any) {
		doc["@context"] = []any{rig.ASContext, "https://w3id.org/security/v1", map[string]string{"RsaSignature2017": "https://w3id.org/security#RsaSignature2017"}}
		doc["signature"] = map[string]any{"type": "RsaSignature2017", "creator": a.id, "created": "2026-01-01T00:00:00Z", "signatureValue": "AAAA"}
	},
	takes: takesMastodon, read: readBlog("name", ""),
}

// can tells whether a software is played for a verb.
func (s software) can(verb string) bool { return slices.Contains(s.verbs, verb) }

// host is where an address is.
func host(address string) string {
	rest := strings.TrimPrefix(strings.TrimPrefix(address, "https://"), "http://")
	name, _, _ := strings.Cut(rest, "/")
	return name
}
