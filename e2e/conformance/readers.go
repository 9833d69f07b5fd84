// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"essaim/e2e/rig"
)

// The readers hold a document against what was read in the source of each
// server; docs/FEDIVERSE.md names the rules.

// takesCommon is what every server asks of an object.
func takesCommon(j *judge, doc map[string]any, types ...string) {
	kind, isString := doc["type"].(string)
	j.that(isString && slices.Contains(types, kind), "type %v is not one of %v", doc["type"], types)
	j.that(slices.Contains(list(doc, "@context"), any(rig.ASContext)), "context %v", doc["@context"])
	j.that(host(text(doc, "id")) == host(id(doc["attributedTo"])), "id %v and author %v on different hosts", doc["id"], doc["attributedTo"])
	j.that(slices.Contains(append(list(doc, "to"), list(doc, "cc")...), any(rig.Public)), "addressed to %v, %v", doc["to"], doc["cc"])
	for _, a := range list(doc, "attachment") {
		_, isURL := at(a, "url").(string)
		j.that(isURL && text(a, "mediaType") != "", "attachment %v", a)
	}
}

// coordinate is one in the bytes of a document; the group is its number.
var coordinate = regexp.MustCompile(`"(?:latitude|longitude)"\s*:\s*([^,}\s]+)`)

// takesNumbers: coordinates are written as floats, with a point: Mobilizon's
// is_float refuses 48, and no server that reads any number minds.
func takesNumbers(j *judge, raw []byte) {
	found := coordinate.FindAllSubmatch(raw, -1)
	j.that(len(found) >= 2, "no coordinates in %.200s", raw)
	for _, m := range found {
		_, err := strconv.ParseFloat(string(m[1]), 64)
		j.that(err == nil && bytes.ContainsRune(m[1], '.'), "coordinate %s is no float", m[1])
	}
}

func takesMastodon(j *judge, doc map[string]any) {
	takesCommon(j, doc, "Note", "Question", "Image", "Audio", "Video", "Article", "Page", "Event")
	j.that(strings.HasPrefix(text(doc, "url"), "https://"), "url %v", doc["url"])
	maps, _ := doc["contentMap"].(map[string]any)
	j.that(len(maps) == 1, "language by contentMap: %v", maps)
	j.that(len(list(doc, "attachment")) <= 4, "%d attachments, four are shown", len(list(doc, "attachment")))
}

// readMastodon: the title as a heading, the summary, then the link; content of
// an Article or Event is not shown (status_parser.rb).
func readMastodon(doc map[string]any) shown {
	s := shown{title: text(doc, "name"), summary: text(doc, "summary"), link: text(doc, "url")}
	for _, a := range list(doc, "attachment") {
		if kind := text(a, "mediaType"); s.image == "" && slices.Contains([]string{"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"}, kind) {
			s.image, s.alt = text(a, "url"), or(text(a, "summary"), text(a, "name"))
		}
	}
	return s
}

// takesGoToSocial: a document updated before it was published is refused.
func takesGoToSocial(j *judge, doc map[string]any) {
	takesCommon(j, doc, "Article", "Document", "Image", "Video", "Note", "Page", "Event", "Place", "Profile", "Question", "Album")
	j.that(text(doc, "published") != "" && (text(doc, "updated") == "" || text(doc, "updated") >= text(doc, "published")), "updated %v, published %v", doc["updated"], doc["published"])
}

// takesMisskey: only https addresses, and a plain string as name.
func takesMisskey(j *judge, doc map[string]any) {
	takesCommon(j, doc, "Note", "Question", "Article", "Audio", "Document", "Image", "Page", "Video", "Event")
	_, plain := doc["name"].(string)
	j.that(plain, "name %v", doc["name"])
	for _, name := range []string{"id", "url"} {
		j.that(strings.HasPrefix(text(doc, name), "https://"), "%s: %v", name, doc[name])
	}
}

// takesPleroma: an attachment without address makes an Event invalid, and so
// does a list as url; recipients end in no other's followers.
func takesPleroma(j *judge, doc map[string]any) {
	takesCommon(j, doc, "Note", "Article", "Page", "Event", "Audio", "Video", "Question")
	_, one := doc["url"].(string)
	j.that(one, "url %v", doc["url"])
	for _, to := range append(list(doc, "to"), list(doc, "cc")...) {
		j.that(!strings.HasSuffix(id(to), "/followers") || strings.HasPrefix(id(to), id(doc["attributedTo"])), "addressed to %v", to)
	}
}

// friendicaContexts are the context addresses that it bundles; another is
// fetched, and one that cannot be loses the message (JsonLD.php).
var friendicaContexts = []any{
	rig.ASContext, "https://w3id.org/security/v1", "https://w3id.org/security/data-integrity/v1", "https://w3id.org/security/multikey/v1",
	"https://w3id.org/identity/v1", "https://www.w3.org/ns/did/v1", "http://schema.org", "http://joinmastodon.org/ns",
}

func takesFriendica(j *judge, doc map[string]any) {
	takesCommon(j, doc, "Note", "Article", "Video", "Image", "Event", "Audio", "Page", "Question")
	for _, c := range list(doc, "@context") {
		if address, ok := c.(string); ok {
			j.that(slices.Contains(friendicaContexts, any(address)), "context %s is not bundled there", address)
		}
	}
}

// takesWordPress: an author who is the actor, of the id's host; title, summary and
// content are strings, and a picture has an address.
func takesWordPress(j *judge, doc map[string]any) {
	takesCommon(j, doc, "Note", "Article", "Image", "Audio", "Video", "Event", "Document")
	for _, name := range []string{"name", "summary", "content", "attributedTo"} {
		_, isString := doc[name].(string)
		j.that(isString, "%s %v", name, doc[name])
	}
}

// takesMobilizon: an Event with its start, one Place with coordinates as
// numbers (as floats: takesNumbers), content as a string.
func takesMobilizon(j *judge, doc map[string]any) {
	takesCommon(j, doc, "Event")
	j.that(text(doc, "startTime") != "", "no startTime")
	_, isString := doc["content"].(string)
	j.that(isString, "content %v", doc["content"])
	place, single := doc["location"].(map[string]any)
	j.that(single && place["type"] == "Place", "location %v", doc["location"])
	for _, name := range []string{"latitude", "longitude"} {
		_, isNumber := place[name].(float64)
		j.that(isNumber, "%s %v", name, place[name])
	}
	same(j, "joinMode", text(doc, "joinMode"), "external")
	for _, a := range list(doc, "attachment") {
		j.that(text(a, "name") != "", "attachment without a name: %v", a)
	}
}

// takesLemmy: an author who is no Group, of the post's host; one image; no bare
// language; the community among those addressed.
func takesLemmy(j *judge, doc map[string]any) {
	takesCommon(j, doc, "Page", "Article", "Note", "Video", "Event")
	author := id(doc["attributedTo"])
	j.that(author != "" && !strings.Contains(author, "/groupe_"), "author %v", doc["attributedTo"])
	j.that(doc["language"] == nil, "language %v", doc["language"])
	j.that(doc["inReplyTo"] == nil, "inReplyTo %v", doc["inReplyTo"])
	if doc["image"] != nil {
		_, single := doc["image"].(map[string]any)
		j.that(single, "image %v", doc["image"])
	}
	for _, a := range list(doc, "attachment") {
		among(j, "attachment's type", text(a, "type"), "Link", "Image", "Document")
	}
	group := slices.ContainsFunc(append(list(doc, "to"), list(doc, "cc")...), func(to any) bool { return strings.HasSuffix(id(to), "/actors/groupe_brest") })
	j.that(group, "the community is not addressed: %v, %v", doc["to"], doc["cc"])
}

// readLemmy: the name is the title, and the body is the source or the content.
// The title leads to the first attachment, the mark of the Fediverse below it to
// the post's own address.
func readLemmy(doc map[string]any) shown {
	s := readMastodon(doc)
	s.summary, s.link = text(doc, "content"), text(doc, "id")
	return s
}

// readMobilizon: the button of a meeting that is joined elsewhere leads where the
// meeting says, with the event's number there (ExternalParticipationButton.vue).
func readMobilizon(doc map[string]any) shown {
	s := readBlog("name", "")(doc)
	s.link = text(doc, "externalParticipationUrl") + "?uuid=00000000-0000-4000-8000-000000000000"
	return s
}

// readWordPress: of the addresses of a post its id is kept, as guid.
func readWordPress(doc map[string]any) shown {
	s := readBlog("name", "summary")(doc)
	s.link = text(doc, "id")
	return s
}

// readBlog reads a title and a subject under the names given; no name means
// that the server shows none.
func readBlog(title, summary string) func(doc map[string]any) shown {
	return func(doc map[string]any) shown {
		s := readMastodon(doc)
		s.title, s.summary = "", ""
		if title != "" {
			s.title = text(doc, title)
		}
		if summary != "" {
			s.summary = text(doc, summary)
		}
		return s
	}
}
