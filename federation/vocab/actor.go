// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"encoding/json"
	"html"
	"strings"
	"time"

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
	Inbox             iri             `json:"inbox"`
	Outbox            iri             `json:"outbox"`
	Followers         iri             `json:"followers"`
	Following         iri             `json:"following"`
	Featured          iri             `json:"featured"`
	Endpoints         endpoints       `json:"endpoints"`
	Attachment        []property      `json:"attachment,omitempty"`
	Location          one[place]      `json:"location,omitzero"`
	ManuallyApproves  bool            `json:"manuallyApprovesFollowers"`
	Discoverable      bool            `json:"discoverable"`
	Indexable         bool            `json:"indexable"`
	PublicKey         publicKey       `json:"publicKey"`
	AssertionMethod   []multikey      `json:"assertionMethod"`
}

type endpoints struct {
	SharedInbox iri `json:"sharedInbox"`
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

// Application is the document of the node's own actor (FEP-2677): who signs
// requests, follows peers and is followed by them. approves says that follows
// wait for an administrator (ESSAIM_PEER_POLICY).
func (r *Renderer) Application(approves bool) ([]byte, error) {
	d := r.actor(r.NodeActor(), "Application", r.NodeUsername())
	d.Name = text(r.node.Territory.Name + " (Essaim)")
	d.Summary = text("<p>" + html.EscapeString("Nœud Essaim : "+r.node.Territory.Name) + "</p>")
	d.URL = iri(r.base + "/territoires")
	d.ManuallyApproves = approves
	return r.signActor(d)
}

// Territory is the document of the node's territory: an Organization, which
// Mastodon and Misskey show as a plain profile.
func (r *Renderer) Territory() ([]byte, error) {
	t := r.node.Territory
	d := r.actor(t.Actor, "Organization", t.Username)
	d.Name = text(t.Name)
	if t.Summary != "" {
		d.Summary = text(r.markdown(t.Summary))
	}
	d.URL = iri(r.base + "/")
	name := html.EscapeString(strings.TrimPrefix(strings.TrimPrefix(r.base, "https://"), "http://"))
	d.Attachment = []property{{Type: "PropertyValue", Name: "Site", Value: text(`<a href="` + html.EscapeString(r.base) + `/" rel="me">` + name + "</a>")}}
	if t.Lat != 0 || t.Lon != 0 {
		lat, lon := rounded(t.Lat), rounded(t.Lon)
		d.Location = only(place{Type: "Place", Name: text(t.Name), Latitude: &lat, Longitude: &lon})
	}
	d.Indexable = true
	return r.signActor(d)
}

func (r *Renderer) actor(id, kind, username string) actorDocument {
	return actorDocument{
		Context: actorContext, ID: iri(id), Type: text(kind), PreferredUsername: text(username), WebFinger: text(username + "@" + r.authority()),
		Inbox: iri(id + "/inbox"), Outbox: iri(id + "/outbox"), Followers: iri(id + "/followers"), Following: iri(id + "/following"),
		Featured: iri(id + "/featured"), Endpoints: endpoints{SharedInbox: iri(r.base + "/inbox")},
		Published: utc(r.born()), Discoverable: true,
		PublicKey:       publicKey{ID: iri(KeyID(id)), Owner: iri(id), PEM: text(r.rsaPEM)},
		AssertionMethod: []multikey{{ID: iri(id + r.fragment), Type: "Multikey", Controller: iri(id), Multibase: text(r.multikey)}},
	}
}

// authority is the host with its port, as it stands after the @ of a handle.
func (r *Renderer) authority() string {
	_, authority, _ := strings.Cut(r.base, "://")
	return authority
}

// born is when the node began counting: the same at each start, so that an
// actor's document is the same bytes.
func (r *Renderer) born() time.Time { return time.Unix(r.node.Incarnation, 0).UTC() }

func (r *Renderer) signActor(d actorDocument) ([]byte, error) {
	doc, err := encode(d)
	if err != nil {
		return nil, err
	}
	out, err := r.sign(doc, string(d.ID), r.born())
	return out.Bytes, err
}

// PlainSummary is the text of an actor's summary, for pages and NodeInfo.
func (r *Renderer) PlainSummary() string {
	return markup.Plain(r.markdown(r.node.Territory.Summary))
}
