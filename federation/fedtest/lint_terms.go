// SPDX-License-Identifier: AGPL-3.0-or-later

package fedtest

import (
	"slices"
	"strings"
)

// terms are the names that contexts define.
type terms map[string]bool

const (
	contextAS        = "https://www.w3.org/ns/activitystreams"
	contextSecurity  = "https://w3id.org/security/v1"
	contextIntegrity = "https://w3id.org/security/data-integrity/v1"
)

// contextTerms are the names of the contexts that Friendica bundles, as far as
// any of ours may use them; it fetches every other one, and loses the message
// when it cannot (interop.md 2.7).
var contextTerms = map[string][]string{
	contextAS: strings.Fields(`as ldp vcard id type
		Accept Activity Add Announce Application Arrive Article Audio Block Collection CollectionPage Create Delete Dislike Document Event Flag Follow
		Group Ignore Image IntransitiveActivity Invite Join Leave Like Link Listen Mention Move Note Object Offer OrderedCollection OrderedCollectionPage
		Organization Page Person Place Profile Question Read Reject Relationship Remove Service TentativeAccept TentativeReject Tombstone Travel Undo Update Video View
		subject relationship actor attributedTo attachment bcc bto cc context current first generator icon image inReplyTo items instrument last location
		next object oneOf anyOf closed origin accuracy prev preview replies result audience partOf tag target to url altitude content contentMap
		name nameMap duration endTime height href hreflang latitude longitude mediaType published radius rel startIndex startTime summary summaryMap
		totalItems units updated width describes formerType deleted inbox outbox following followers streams preferredUsername endpoints uploadMedia
		proxyUrl liked sharedInbox Public source likes shares orderedItems`),
	contextSecurity:                strings.Fields(`publicKey publicKeyPem owner created creator expires signature signatureValue signatureAlgorithm Key`),
	contextIntegrity:               strings.Fields(`DataIntegrityProof proof cryptosuite created expires domain challenge nonce proofPurpose proofValue verificationMethod`),
	"https://www.w3.org/ns/did/v1": {}, "https://w3id.org/identity/v1": {}, "https://w3id.org/security/multikey/v1": {},
	"http://schema.org": {}, "http://joinmastodon.org/ns": {}, "https://purl.archive.org/socialweb/webfinger": {"webfinger"},
}

var coreTerms = terms{"@context": true, "@id": true, "@type": true}

// with adds what a @context defines.
func (t terms) with(context any) terms {
	out := terms{}
	for name := range t {
		out[name] = true
	}
	list, ok := context.([]any)
	if !ok {
		list = []any{context}
	}
	for _, c := range list {
		switch c := c.(type) {
		case string:
			for _, name := range contextTerms[c] {
				out[name] = true
			}
		case map[string]any:
			for name := range c {
				out[name] = true
			}
		}
	}
	return out
}

// knows tells whether a name means something: a term, or one with the prefix of
// a term; below a prefixed member, any name, when the context has a default
// vocabulary.
func (t terms) knows(name string, ours bool) bool {
	if strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://") || t[name] || ours && t["@vocab"] {
		return true
	}
	prefix, _, ok := strings.Cut(name, ":")
	return ok && t[prefix]
}

var (
	actorTypes    = []string{"Application", "Group", "Organization", "Person", "Service"}
	objectTypes   = []string{"Article", "Event", "Note", "Page", "Video", "Audio", "Image", "Document", "Question"}
	activityTypes = []string{
		"Accept", "Add", "Announce", "Block", "Create", "Delete", "Dislike", "Flag", "Follow", "Ignore", "Invite", "Join", "Leave",
		"Like", "Move", "Offer", "Reject", "Remove", "TentativeAccept", "Undo", "Update", "View",
	}
	collectionTypes = []string{"Collection", "OrderedCollection", "CollectionPage", "OrderedCollectionPage"}
	// FEP-044f has no type of ActivityStreams to say these with.
	extensionTypes = []string{"QuoteAuthorization", "QuoteRequest", "EmojiReact"}
)

func (o object) is(types []string) bool {
	return o.document && slices.Contains(types, text(o.m["type"]))
}

// sizeLimit is 100 kB, and 1 MB for a page of a collection (interop.md 0.13,
// check 23).
func sizeLimit(root map[string]any) int {
	if strings.HasSuffix(text(root["type"]), "CollectionPage") {
		return 1 << 20
	}
	return 100_000
}
