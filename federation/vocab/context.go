// SPDX-License-Identifier: AGPL-3.0-or-later

// Package vocab turns records into ActivityStreams documents and back: the
// shapes, the JSON-LD context and the terms of Essaim.
//
// Documents are plain structs out, typed structs of raw JSON in, and bytes at
// rest: a stored document is never read and written again.
package vocab

import (
	"encoding/json"

	"essaim"
	"essaim/federation/proof"
)

const (
	// Public addresses everyone (ActivityPub 5.6).
	Public = "https://www.w3.org/ns/activitystreams#Public"
	// ContentType is the one media type of what we serve and send. Lemmy
	// compares it with three literal strings.
	ContentType = "application/activity+json"

	activityStreams = "https://www.w3.org/ns/activitystreams"
	securityV1      = "https://w3id.org/security/v1"
	// profiled is the media type of links to ActivityStreams objects (FEP-e232).
	profiled = `application/ld+json; profile="https://www.w3.org/ns/activitystreams"`
)

// Terms are defined inline: a context of our own would be fetched by software
// that knows only the ones it bundles (Friendica), and the message lost when
// that fails. No URL stands here that every peer does not bundle.
// Names inside our own objects (kind, role, until…) fall under @vocab.
const recordTerms = `{"@vocab":"` + essaim.Namespace + `","essaim":"` + essaim.Namespace + `","dcterms":"http://purl.org/dc/terms/","prov":"http://www.w3.org/ns/prov#",` +
	`"schema":"http://schema.org#","mz":"https://joinmobilizon.org/ns#","ical":"http://www.w3.org/2002/12/cal/ical#","event":"https://w3id.org/fep/8a8e/",` +
	`"Hashtag":"as:Hashtag","address":"schema:address","PostalAddress":"schema:PostalAddress","streetAddress":"schema:streetAddress","postalCode":"schema:postalCode",` +
	`"addressLocality":"schema:addressLocality","addressCountry":"schema:addressCountry",` +
	`"category":"schema:category","inLanguage":"schema:inLanguage","status":"ical:status","timezone":"mz:timezone","joinMode":"mz:joinMode","isOnline":"mz:isOnline",` +
	`"organizers":"event:organizers","eventStatus":{"@id":"event:eventStatus","@type":"@vocab"},"EventScheduled":"event:EventScheduled",` +
	`"EventTentative":"event:EventTentative","EventCancelled":"event:EventCancelled",` +
	`"externalParticipationUrl":{"@id":"mz:externalParticipationUrl","@type":"schema:URL"},` +
	`"gts":"https://gotosocial.org/ns#","interactionPolicy":{"@id":"gts:interactionPolicy","@type":"@id"},` +
	`"canQuote":{"@id":"gts:canQuote","@type":"@id"},"automaticApproval":{"@id":"gts:automaticApproval","@type":"@id"},` +
	`"dcterms:license":{"@type":"@id"},"essaim:territory":{"@type":"@id"},"essaim:themes":{"@type":"@id"}}`

// quoteTerms are those of FEP-044f, with GoToSocial's for policies and stamps.
const quoteTerms = `{"gts":"https://gotosocial.org/ns#","QuoteRequest":"https://w3id.org/fep/044f#QuoteRequest",` +
	`"QuoteAuthorization":"https://w3id.org/fep/044f#QuoteAuthorization",` +
	`"interactingObject":{"@id":"gts:interactingObject","@type":"@id"},"interactionTarget":{"@id":"gts:interactionTarget","@type":"@id"}}`

const actorTerms = `{"essaim":"` + essaim.Namespace + `","sec":"https://w3id.org/security#",` +
	`"assertionMethod":{"@id":"sec:assertionMethod","@type":"@id","@container":"@set"},"Multikey":"sec:Multikey",` +
	`"controller":{"@id":"sec:controller","@type":"@id"},"publicKeyMultibase":"sec:publicKeyMultibase",` +
	`"toot":"http://joinmastodon.org/ns#","discoverable":"toot:discoverable","indexable":"toot:indexable",` +
	`"attributionDomains":{"@id":"toot:attributionDomains","@type":"@id"},` +
	`"implements":{"@id":"https://w3id.org/fep/844e/implements","@type":"@id","@container":"@list"},` +
	`"featured":{"@id":"toot:featured","@type":"@id"},"schema":"http://schema.org#","PropertyValue":"schema:PropertyValue","value":"schema:value",` +
	`"manuallyApprovesFollowers":"as:manuallyApprovesFollowers","webfinger":{"@id":"https://purl.archive.org/socialweb/webfinger#webfinger"},` +
	`"alsoKnownAs":{"@id":"as:alsoKnownAs","@type":"@id"}}`

// groupTerms are those of a community as Lemmy has them.
const groupTerms = `{"lemmy":"https://join-lemmy.org/ns#","postingRestrictedToMods":"lemmy:postingRestrictedToMods"}`

// Every @context is an array: Mastodon refuses a proof on a document whose
// context is a string.
var (
	recordContext   = json.RawMessage(`["` + activityStreams + `","` + proof.ContextURL + `",` + recordTerms + `]`)
	activityContext = json.RawMessage(`["` + activityStreams + `","` + proof.ContextURL + `"]`)
	quoteContext    = json.RawMessage(`["` + activityStreams + `","` + proof.ContextURL + `",` + quoteTerms + `]`)
	actorContext    = json.RawMessage(`["` + activityStreams + `","` + securityV1 + `","` + proof.ContextURL + `",` + actorTerms + `]`)
	groupContext    = json.RawMessage(`["` + activityStreams + `","` + securityV1 + `","` + proof.ContextURL + `",` + actorTerms + `,` + groupTerms + `]`)
	tombstoneTerms  = json.RawMessage(`["` + activityStreams + `","` + proof.ContextURL + `",{"essaim":"` + essaim.Namespace + `"}]`)
)
