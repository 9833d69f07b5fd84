// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
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
		dress: dressMastodon,
		takes: takesMastodon, read: readMastodon,
	},
	{
		name: "gotosocial", ip: "127.0.0.22", verbs: without("title"), accept: `application/activity+json,application/ld+json; profile="https://www.w3.org/ns/activitystreams"`,
		with:  cavage{covered: []string{"(request-target)", "host", "date", "digest"}, algorithm: "hs2019"},
		dress: dressGoToSocial,
		takes: takesGoToSocial, read: readBlog("", "summary"),
	},
	{
		name: "misskey", ip: "127.0.0.23", verbs: without("title", "edit"), accept: activityJSON + ", " + ldJSON,
		with:  cavage{covered: []string{"(request-target)", "date", "host", "digest"}},
		dress: dressMisskey,
		takes: takesMisskey, read: readBlog("", "summary"),
	},
	{
		name: "pleroma", ip: "127.0.0.24", verbs: everything, accept: activityJSON,
		with:  cavage{covered: []string{"(request-target)", "content-length", "date", "digest", "host"}},
		dress: dressPleroma,
		takes: takesPleroma, read: readBlog("name", "summary"),
	},
	{
		name: "friendica", ip: "127.0.0.25", verbs: everything, accept: activityJSON + ", " + ldJSON,
		with:  cavage{covered: []string{"(request-target)", "date", "digest", "host"}},
		dress: dressFriendica,
		takes: takesFriendica, read: readBlog("name", "summary"),
	},
	mobilizon, lemmy, wordpress, peertube,
}

var mobilizon = software{
	name: "mobilizon", ip: "127.0.0.26", path: "/relay", kind: "Application", follow: "/actor", meeting: true, accept: activityJSON,
	verbs: []string{"found", "followed", "title", "link", "image", "reply", "edit", "delete"},
	actor: map[string]any{"preferredUsername": "relay", "name": "Mobilizon", "manuallyApprovesFollowers": true},
	with:  cavage{covered: []string{"(request-target)", "content-length", "date", "digest", "host"}},
	dress: dressMobilizon,
	takes: takesMobilizon, read: readMobilizon,
}

var lemmy = software{
	name: "lemmy", ip: "127.0.0.27", follow: "/actors/groupe_brest", accept: ldJSON,
	verbs: []string{"found", "followed", "title", "summary", "link", "image", "reply", "like", "edit", "delete"},
	with:  cavage{covered: []string{"(request-target)", "content-type", "date", "digest", "host"}, algorithm: "hs2019"},
	dress: dressLemmy,
	takes: takesLemmy, read: readLemmy,
}

var wordpress = software{
	name: "wordpress", ip: "127.0.0.28", path: "/author/alix", verbs: everything, accept: activityJSON,
	actor: map[string]any{"webfinger": "alix@127.0.0.28", "implements": []any{}, "manuallyApprovesFollowers": false},
	with:  cavage{covered: []string{"(request-target)", "host", "date", "digest"}},
	dress: dressWordPress,
	takes: takesWordPress, read: readWordPress,
}

var peertube = software{
	name: "peertube", ip: "127.0.0.29", path: "/accounts/peertube", kind: "Application", follow: "/actor", verbs: []string{"found", "followed"}, accept: activityJSON + ", " + ldJSON,
	actor: map[string]any{"preferredUsername": "peertube"},
	with:  cavage{covered: []string{"(request-target)", "host", "date", "digest"}},
	dress: dressPeerTube,
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
