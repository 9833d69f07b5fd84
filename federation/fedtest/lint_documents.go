// SPDX-License-Identifier: AGPL-3.0-or-later

package fedtest

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"essaim/federation/proof"
)

// hostOf is the host, with its port, of an absolute web address; empty for
// anything else.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
		return ""
	}
	return u.Host
}

func addresses(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, item := range list {
		out = append(out, text(item))
	}
	return out
}

func addressing(l *linter, o object) {
	for _, name := range []string{"to", "cc"} {
		v, there := o.m[name]
		if !there || o.ours {
			continue
		}
		list, ok := v.([]any)
		for _, item := range list {
			ok = ok && hostOf(text(item)) != ""
		}
		if !ok {
			l.found(o, name, "%s", show(v))
		}
	}
}

var collectionNames = []string{
	"replies", "likes", "shares", "context", "inbox", "outbox", "followers", "following", "featured", "liked",
	"essaim:adaptations", "essaim:answers",
}

func collectionAddress(l *linter, o object) {
	for _, name := range collectionNames {
		if v, there := o.m[name]; there && hostOf(text(v)) == "" {
			l.found(o, name, "%s", show(v))
		}
	}
}

func sameHost(l *linter, o object) {
	if !o.document {
		return
	}
	for _, name := range []string{"attributedTo", "actor"} {
		if v, there := o.m[name]; there && (hostOf(text(v)) == "" || hostOf(text(v)) != hostOf(text(o.m["id"]))) {
			l.found(o, name, "%s of %s", show(v), text(o.m["id"]))
		}
	}
}

func proofShape(l *linter, o object) {
	v, there := o.m["proof"]
	if !there {
		if o.at == "" && (o.is(actorTypes) || o.is(objectTypes) || o.is(activityTypes)) {
			l.found(o, "proof", "none")
		}
		return
	}
	p, _ := v.(map[string]any)
	owner := text(o.m["id"])
	for _, name := range []string{"actor", "attributedTo"} {
		if s := text(o.m[name]); s != "" {
			owner = s
			break
		}
	}
	if p["type"] != "DataIntegrityProof" || p["cryptosuite"] != "eddsa-jcs-2022" || p["proofPurpose"] != "assertionMethod" ||
		!strings.HasPrefix(text(p["verificationMethod"]), owner+"#") || !strings.HasPrefix(text(p["proofValue"]), "z") {
		l.found(o, "proof", "%s", show(v))
	}
	if c, there := p["@context"]; there && !reflect.DeepEqual(c, o.m["@context"]) {
		l.found(o, "proof.@context", "another context than the document's")
	}
}

func objectComplete(l *linter, o object) {
	if !o.is(objectTypes) {
		return
	}
	needed := []string{"attributedTo", "content", "published", "url", "to"}
	if kind := text(o.m["type"]); kind == "Article" || kind == "Event" {
		needed = append(needed, "name", "summary", "updated", "replies", "likes", "shares", "context")
	}
	for _, name := range needed {
		if v, there := o.m[name]; !there || v == "" {
			l.found(o, name, "nothing")
		}
	}
	if n := len([]rune(plain(text(o.m["summary"])))); n > 500 {
		l.found(o, "summary", "%d characters", n)
	}
}

func articlePreview(l *linter, o object) {
	if !o.is([]string{"Article"}) {
		return
	}
	p, _ := o.m["preview"].(map[string]any)
	if p["type"] != "Note" || text(p["content"]) == "" || p["attributedTo"] != o.m["attributedTo"] {
		l.found(o, "preview", "%s", show(o.m["preview"]))
	}
	lintHTML(text(p["content"]), func(what string) { l.found(o, "preview.content", "%s", what) })
}

func eventComplete(l *linter, o object) {
	if !o.is([]string{"Event"}) {
		return
	}
	upper := func(v any) bool { s := text(v); return s != "" && s == strings.ToUpper(s) }
	organizers, _ := o.m["organizers"].(map[string]any)
	_, zoneErr := time.LoadLocation(text(o.m["timezone"]))
	for name, good := range map[string]bool{
		"startTime": text(o.m["startTime"]) != "",
		// Mobilizon takes an absent joinMode for "free".
		"joinMode":                 slices.Contains([]string{"none", "external", "free", "restricted"}, text(o.m["joinMode"])),
		"externalParticipationUrl": o.m["joinMode"] != "external" || hostOf(text(o.m["externalParticipationUrl"])) != "",
		"category":                 upper(o.m["category"]),
		"status":                   slices.Contains([]string{"CONFIRMED", "TENTATIVE", "CANCELLED"}, text(o.m["status"])),
		"timezone":                 text(o.m["timezone"]) != "" && zoneErr == nil,
		"organizers":               slices.Contains(collectionTypes[:2], text(organizers["type"])),
		"eventStatus":              strings.HasPrefix(text(o.m["eventStatus"]), "Event"),
	} {
		if !good {
			l.found(o, name, "%s", show(o.m[name]))
		}
	}
}

func activityComplete(l *linter, o object) {
	if !o.is(activityTypes) {
		return
	}
	for _, name := range []string{"actor", "object"} {
		if v, there := o.m[name]; !there || v == "" {
			l.found(o, name, "nothing")
		}
	}
	if _, embedded := o.m["object"].(map[string]any); !embedded && slices.Contains([]string{"Create", "Update", "Accept", "Reject", "Undo"}, text(o.m["type"])) {
		l.found(o, "object", "%s", show(o.m["object"]))
	}
}

func collectionShape(l *linter, o object) {
	if !o.is(collectionTypes) {
		return
	}
	kind := text(o.m["type"])
	if v, there := o.m["totalItems"]; there || !strings.HasSuffix(kind, "Page") {
		n, _ := v.(json.Number)
		if i, err := strconv.Atoi(string(n)); err != nil || i < 0 {
			l.found(o, "totalItems", "%s", show(v))
		}
	}
	items, others := "items", "orderedItems"
	if strings.HasPrefix(kind, "Ordered") {
		items, others = others, items
	}
	v, there := o.m[items]
	if _, ok := v.([]any); there && !ok {
		l.found(o, items, "%s", show(v))
	}
	if _, there := o.m[others]; there {
		l.found(o, others, "items of another kind of collection")
	}
	if strings.HasSuffix(kind, "Page") && hostOf(text(o.m["partOf"])) == "" {
		l.found(o, "partOf", "%s", show(o.m["partOf"]))
	}
}

func actorComplete(l *linter, o object) {
	if !o.is(actorTypes) {
		return
	}
	for _, name := range []string{"inbox", "outbox", "followers", "following", "featured", "preferredUsername", "name", "url", "published", "publicKey", "assertionMethod"} {
		if v, there := o.m[name]; !there || v == "" {
			l.found(o, name, "nothing")
		}
	}
	for _, name := range []string{"manuallyApprovesFollowers", "discoverable", "indexable"} {
		if _, ok := o.m[name].(bool); !ok {
			l.found(o, name, "%s", show(o.m[name]))
		}
	}
	if e, _ := o.m["endpoints"].(map[string]any); text(e["sharedInbox"]) == "" {
		l.found(o, "endpoints", "%s", show(o.m["endpoints"]))
	}
	streams, ok := o.m["streams"].([]any) // ActivityPub 4.1
	if !ok || len(streams) == 0 || hostOf(text(streams[0])) != hostOf(text(o.m["id"])) {
		l.found(o, "streams", "%s", show(o.m["streams"]))
	}
}

func actorHost(l *linter, o object) {
	if !o.is(actorTypes) {
		return
	}
	host := hostOf(text(o.m["id"]))
	e, _ := o.m["endpoints"].(map[string]any)
	k, _ := o.m["publicKey"].(map[string]any)
	all := map[string]any{"endpoints.sharedInbox": e["sharedInbox"], "publicKey.id": k["id"]}
	for _, name := range append([]string{"url"}, collectionNames...) {
		all[name] = o.m[name]
	}
	for _, name := range sorted(all) {
		if s := text(all[name]); s != "" && hostOf(s) != host {
			l.found(o, name, "%s", s)
		}
	}
}

// username is interop.md 0.5.
var username = regexp.MustCompile(`^[a-z0-9_]+([.-][a-z0-9_]+)*$`)

func actorUsername(l *linter, o object) {
	if !o.is(actorTypes) {
		return
	}
	name, host := text(o.m["preferredUsername"]), hostOf(text(o.m["id"]))
	// The node's own actor is named after the host, whatever its length.
	bare, _, _ := strings.Cut(host, ":")
	if !username.MatchString(name) || len(name) > 30 && name != bare {
		l.found(o, "preferredUsername", "%s", name)
	}
	if got := text(o.m["webfinger"]); got != name+"@"+host {
		l.found(o, "webfinger", "%s", got)
	}
}

func actorKey(l *linter, o object) {
	if !o.is(actorTypes) {
		return
	}
	k, ok := o.m["publicKey"].(map[string]any)
	if !ok || text(k["id"]) != text(o.m["id"])+"#main-key" || k["owner"] != o.m["id"] {
		l.found(o, "publicKey", "%s", show(o.m["publicKey"]))
		return
	}
	block, _ := pem.Decode([]byte(text(k["publicKeyPem"])))
	if block == nil || block.Type != "PUBLIC KEY" {
		l.found(o, "publicKey.publicKeyPem", "no SPKI block")
		return
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if public, ok := key.(*rsa.PublicKey); err != nil || !ok || public.N.BitLen() < 2048 {
		l.found(o, "publicKey.publicKeyPem", "no RSA key of 2048 bits")
	}
}

func actorMultikey(l *linter, o object) {
	if !o.is(actorTypes) {
		return
	}
	list, ok := o.m["assertionMethod"].([]any)
	if !ok || len(list) == 0 {
		l.found(o, "assertionMethod", "%s", show(o.m["assertionMethod"]))
	}
	for _, item := range list {
		k, _ := item.(map[string]any)
		_, err := proof.DecodeMultikey(text(k["publicKeyMultibase"]))
		if k["type"] != "Multikey" || k["controller"] != o.m["id"] || !strings.HasPrefix(text(k["id"]), text(o.m["id"])+"#") || err != nil {
			l.found(o, "assertionMethod", "%s", show(item))
		}
	}
}
