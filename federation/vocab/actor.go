// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"essaim"
	"essaim/web/markup"
)

// actorDocument is an actor as every peer reads it (interop.md 1.2, 2.1): all
// addresses on the actor's own host, one RSA key as one object, the Ed25519
// key beside it in assertionMethod (FEP-521a).
type actorDocument struct {
	Context           json.RawMessage `json:"@context"`
	ID                iri             `json:"id"`
	Type              text            `json:"type"`
	PreferredUsername text            `json:"preferredUsername"`
	WebFinger         text            `json:"webfinger,omitempty"`
	Name              text            `json:"name"`
	Summary           text            `json:"summary,omitempty"`
	URL               iri             `json:"url"`
	Published         moment          `json:"published,omitzero"`
	Updated           moment          `json:"updated,omitzero"`
	Icon              one[picture]    `json:"icon,omitzero"`
	Image             one[picture]    `json:"image,omitzero"`
	Inbox             iri             `json:"inbox"`
	Outbox            iri             `json:"outbox"`
	Followers         iri             `json:"followers"`
	Following         iri             `json:"following"`
	Featured          iri             `json:"featured"`
	Streams           iris            `json:"streams"` // ActivityPub 4.1
	Endpoints         endpoints       `json:"endpoints"`
	Attachment        []property      `json:"attachment,omitempty"`
	Location          one[place]      `json:"location,omitzero"`
	AlsoKnownAs       iris            `json:"alsoKnownAs,omitempty"`
	// ModeratorsPost says to Lemmy that nobody posts here but the territory.
	ModeratorsPost   boolean `json:"postingRestrictedToMods,omitempty"`
	ManuallyApproves bool    `json:"manuallyApprovesFollowers"`
	Discoverable     bool    `json:"discoverable"`
	Indexable        bool    `json:"indexable"`
	// AttributionDomains are the hosts whose pages may name the actor as their author
	// in fediverse:creator (Mastodon).
	AttributionDomains []text     `json:"attributionDomains,omitempty"`
	PublicKey          publicKey  `json:"publicKey"`
	AssertionMethod    []multikey `json:"assertionMethod"`
	// Generator is the node's own actor, with what the node understands; that actor
	// says it of itself (FEP-844e).
	Generator  *generator   `json:"generator,omitempty"`
	Implements []capability `json:"implements,omitempty"`
	// KeyHistory leads from the node's first key to the present one.
	KeyHistory []json.RawMessage `json:"essaim:keyHistory,omitempty"`
}

type endpoints struct {
	SharedInbox iri `json:"sharedInbox"`
}

// generator is the Application behind an actor.
type generator struct {
	ID         iri          `json:"id"`
	Type       text         `json:"type"`
	Implements []capability `json:"implements"`
}

// capability is something that the node understands and that no property shows.
type capability struct {
	Type text `json:"type"`
	Href iri  `json:"href"`
	Name text `json:"name"`
}

// capabilities are those of FEP-844e's registry that the inbox has.
func capabilities() []capability {
	const rfc9421 = "https://datatracker.ietf.org/doc/html/rfc9421"
	return []capability{
		{Type: "Link", Href: rfc9421, Name: "RFC-9421: HTTP Message Signatures"},
		{Type: "Link", Href: rfc9421 + "#name-eddsa-using-curve-edwards25", Name: "RFC-9421 signatures using the Ed25519 algorithm"},
	}
}

// property is a PropertyValue: a line of a profile in Mastodon.
type property struct {
	Type  text `json:"type"`
	Name  text `json:"name"`
	Value text `json:"value"`
}

type publicKey struct {
	ID    iri  `json:"id"`
	Owner iri  `json:"owner"`
	PEM   text `json:"publicKeyPem"`
}

type multikey struct {
	ID         iri  `json:"id"`
	Type       text `json:"type"`
	Controller iri  `json:"controller"`
	Multibase  text `json:"publicKeyMultibase"`
}

// NodeActor is the id of this node's Application actor.
func (r *Renderer) NodeActor() string { return r.base + "/actor" }

// NodeUsername is the name of the Application actor in WebFinger: the host's.
func (r *Renderer) NodeUsername() string { return strings.ToLower(r.host) }

// NodeLocalActor is the node's own actor.
func (r *Renderer) NodeLocalActor() essaim.LocalActor {
	return essaim.LocalActor{ID: r.NodeActor(), Username: r.NodeUsername(), Kind: essaim.ActorNode}
}

// types are how actors are called on the wire: an Organization is a plain
// profile everywhere, a Service says that it is automated, and Lemmy follows
// only a Group (interop.md 1.2, 2.2).
var types = map[essaim.ActorKind]text{
	essaim.ActorNode: "Application", essaim.ActorTerritory: "Organization", essaim.ActorTheme: "Service", essaim.ActorCommune: "Service",
	essaim.ActorInitiative: "Organization", essaim.ActorOrganisation: "Organization", essaim.ActorPerson: "Person", essaim.ActorGroup: "Group",
}

// Actor is the document of an actor of this node. The same actor gives the same
// bytes until something of it changes. approves says that follows wait for an
// administrator (ESSAIM_PEER_POLICY).
func (r *Renderer) Actor(a essaim.LocalActor, approves bool) ([]byte, error) {
	kind, ok := types[a.Kind]
	if !ok {
		return nil, fmt.Errorf("actor of kind %q: %w", a.Kind, essaim.ErrInvalid)
	}
	d := r.actor(a.ID, kind, a.Username)
	d.ManuallyApproves = approves
	if a.CreatedAt.After(r.born()) {
		d.Published = utc(a.CreatedAt)
	}
	if at := utc(a.UpdatedAt); at.After(d.Published.Time) {
		d.Updated = at
	}
	for _, change := range r.node.Rotations {
		d.KeyHistory = append(d.KeyHistory, json.RawMessage(change.Statement))
		if at := utc(change.At); at.After(d.Published.Time) && at.After(d.Updated.Time) {
			d.Updated = at
		}
	}
	r.describe(&d, a)
	r.choose(&d, a)
	doc, err := encode(d)
	if err != nil {
		return nil, err
	}
	at := d.Published.Time
	if !d.Updated.IsZero() {
		at = d.Updated.Time
	}
	out, err := r.sign(doc, a.ID, at)
	return out.Bytes, err
}

func (r *Renderer) actor(id string, kind text, username string) actorDocument {
	d := actorDocument{
		Context: actorContext, ID: iri(id), Type: kind, PreferredUsername: text(username), WebFinger: text(username + "@" + r.authority()),
		Inbox: iri(id + "/inbox"), Outbox: iri(id + "/outbox"), Followers: iri(id + "/followers"), Following: iri(id + "/following"),
		Featured: iri(id + "/featured"), Streams: iris{Commons(r.base)}, Endpoints: endpoints{SharedInbox: iri(r.base + "/inbox")},
		Published:       utc(r.born()),
		PublicKey:       publicKey{ID: iri(KeyID(id)), Owner: iri(id), PEM: text(r.rsaPEM)},
		AssertionMethod: []multikey{{ID: iri(id + r.fragment), Type: "Multikey", Controller: iri(id), Multibase: text(r.multikey)}},
	}
	if node := r.NodeActor(); id == node {
		d.Implements = capabilities()
	} else {
		d.Generator = &generator{ID: iri(node), Type: "Application", Implements: capabilities()}
	}
	return d
}

// authority is the host with its port, as it stands after the @ of a handle.
func (r *Renderer) authority() string {
	_, authority, _ := strings.Cut(r.base, "://")
	return authority
}

// born is when the node was made: the same at each start, and after it was
// restored, so that an actor's document is the same bytes.
func (r *Renderer) born() time.Time {
	if !r.node.CreatedAt.IsZero() {
		return r.node.CreatedAt
	}
	return time.Unix(r.node.Incarnation, 0).UTC()
}

// PlainSummary is the text of an actor's summary, for pages and NodeInfo.
func (r *Renderer) PlainSummary() string {
	return markup.Plain(r.markdown(r.node.Territory.Summary))
}
