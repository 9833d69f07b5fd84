// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"essaim"
	"essaim/federation/vocab"
)

const (
	outboxPage   = 20 // activities a page; with embedded objects well under 1 MB
	featuredSize = 5  // what a newly discovered territory shows on its profile

	activityStreams = "https://www.w3.org/ns/activitystreams"
)

// collection is a Collection or OrderedCollection without embedded documents.
// Its id is the address that was asked for.
type collection struct {
	Context      []string `json:"@context"`
	ID           string   `json:"id"`
	Type         string   `json:"type"`
	AttributedTo string   `json:"attributedTo,omitempty"`
	TotalItems   int      `json:"totalItems"`
	First        string   `json:"first,omitempty"`
	Last         string   `json:"last,omitempty"`
	Items        []string `json:"orderedItems,omitzero"`
	// Unordered is written for Lemmy, which wants the items of a Collection, and none.
	Unordered []string `json:"items,omitzero"`
}

func (s *Server) serveCollection(w http.ResponseWriter, r *http.Request, c collection) {
	c.Context, c.ID = []string{activityStreams}, s.base+r.URL.Path
	w.Header().Add("Vary", "Accept")
	s.serveDocument(w, r, c)
}

// serveDocument serves what carries no proof, "&" in addresses as it is.
func (s *Server) serveDocument(w http.ResponseWriter, r *http.Request, v any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		s.fail(w, r, err)
		return
	}
	serve(w, r, served{body: bytes.TrimSpace(b.Bytes())})
}

// showOutbox serves what an actor has published, newest first (ActivityPub
// 5.1): the activity of each current publication. It is a projection, not a
// log: an edited record moves to the front.
func (s *Server) showOutbox(w http.ResponseWriter, r *http.Request, a essaim.LocalActor) error {
	if a.Kind == essaim.ActorGroup {
		return s.showGroupOutbox(w, r, a)
	}
	at, paged, ok := pageAsked(r.URL.Query())
	switch {
	case !ok:
		s.refuse(w, r, http.StatusBadRequest)
		return nil
	case paged:
		return s.showOutboxPage(w, r, a, at)
	}
	n, err := s.published(r.Context(), a)
	if err != nil {
		return err
	}
	outbox := a.ID + "/outbox"
	s.serveCollection(w, r, collection{Type: "OrderedCollection", TotalItems: n, First: outbox + "?page=true", Last: outbox + "?page=true&after=0"})
	return nil
}

// published is how many activities an actor's outbox has.
func (s *Server) published(ctx context.Context, a essaim.LocalActor) (int, error) {
	switch {
	case a.Kind == essaim.ActorTerritory:
		n, err := s.store.Counts(ctx, a.ID)
		return n.Published, err
	case announces(a.Kind):
		return s.store.CountListed(ctx, a)
	}
	return 0, nil
}

// announces tells of an actor whose outbox is announces of what the territory
// publishes. The node's own is one for Mobilizon, which reads its first page
// when it begins to follow (interop.md 2.3).
func announces(k essaim.ActorKind) bool { return k.Feed() || k == essaim.ActorNode }

// pageAt is where a page of the outbox begins, as change numbers, which no
// publication shifts: below before, or above after. The zero value is the
// newest page.
type pageAt struct {
	before, after int64
	up            bool // after is meant
}

// pageAsked reads the page that a query names; ok is false for one that no link
// of ours has.
func pageAsked(q url.Values) (at pageAt, paged, ok bool) {
	if !q.Has("page") {
		return at, false, true
	}
	for name, into := range map[string]*int64{"before": &at.before, "after": &at.after} {
		if !q.Has(name) {
			continue
		}
		n, err := strconv.ParseInt(q.Get(name), 10, 64)
		if err != nil || n < 0 || n == 0 && name == "before" {
			return at, true, false
		}
		*into = n
	}
	at.up = q.Has("after")
	return at, true, !at.up || !q.Has("before")
}

func (at pageAt) of(outbox string) string {
	switch id := outbox + "?page=true"; {
	case at.up:
		return id + "&after=" + strconv.FormatInt(at.after, 10)
	case at.before > 0:
		return id + "&before=" + strconv.FormatInt(at.before, 10)
	default:
		return id
	}
}

func (s *Server) showOutboxPage(w http.ResponseWriter, r *http.Request, a essaim.LocalActor, at pageAt) error {
	var activities [][]byte
	var numbers []int64
	var err error
	switch {
	case announces(a.Kind):
		activities, numbers, err = s.announced(r.Context(), a, at)
	case a.Kind != essaim.ActorTerritory:
	case at.up:
		activities, numbers, err = s.store.OutboxAfter(r.Context(), a.ID, at.after, outboxPage)
	default:
		activities, numbers, err = s.store.Outbox(r.Context(), a.ID, at.before, outboxPage)
	}
	if err != nil {
		return err
	}
	w.Header().Set("Vary", "Accept")
	serve(w, r, served{body: outboxDocument(a.ID+"/outbox", at, activities, numbers)})
	return nil
}

// announced is a page of announces: those that were sent as they were sent, for
// an id has one document; the others dated as the first publication, which no
// edit moves.
func (s *Server) announced(ctx context.Context, a essaim.LocalActor, at pageAt) (activities [][]byte, numbers []int64, err error) {
	var entries []essaim.ListEntry
	if at.up {
		entries, err = s.store.ListedAfter(ctx, a, at.after, outboxPage)
	} else {
		entries, err = s.store.Listed(ctx, a, at.before, outboxPage)
	}
	for _, e := range entries {
		sent, err := s.store.Activity(ctx, essaim.AnnounceID(a.ID, e.ID))
		if errors.Is(err, essaim.ErrNotFound) || errors.Is(err, essaim.ErrGone) {
			sent.Bytes, err = s.announce(a.ID, e.ID, e.Published)
		}
		if err != nil {
			return nil, nil, err
		}
		activities, numbers = append(activities, sent.Bytes), append(numbers, e.Number)
	}
	return activities, numbers, err
}

// announce is the announce of a record by an actor that sent none.
func (s *Server) announce(actor, record string, at time.Time) ([]byte, error) {
	return s.renderer.Tell(essaim.Told{
		ID: essaim.AnnounceID(actor, record), Verb: "Announce", Actor: actor, Object: record, Author: s.node.Territory.Actor, At: at,
	})
}

// outboxDocument writes stored bytes between commas: encoding them again would
// change what is signed.
func outboxDocument(outbox string, at pageAt, activities [][]byte, numbers []int64) []byte {
	var b bytes.Buffer
	b.WriteString(`{"@context":["` + activityStreams + `"],"id":` + quote(at.of(outbox)) + `,"type":"OrderedCollectionPage","partOf":` + quote(outbox))
	// A page that was filled has a neighbour on the side that it was filled
	// towards, and one on the other side when it did not begin at the end.
	full := len(numbers) == outboxPage
	if n := len(numbers); n > 0 && (full && !at.up || at.up && at.after > 0) {
		b.WriteString(`,"next":` + quote(pageAt{before: numbers[n-1]}.of(outbox)))
	}
	if len(numbers) > 0 && (full && at.up || at.before > 0) {
		b.WriteString(`,"prev":` + quote(pageAt{after: numbers[0], up: true}.of(outbox)))
	}
	b.WriteString(`,"orderedItems":[`)
	for i, a := range activities {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(a)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

// quote writes an address as a JSON string, "&" as it is.
func quote(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	return string(bytes.TrimSpace(b.Bytes()))
}

// showFollowers serves how many follow; who does is nobody's business.
func (s *Server) showFollowers(w http.ResponseWriter, r *http.Request, a essaim.LocalActor) error {
	n, err := s.store.Counts(r.Context(), a.ID)
	if err != nil {
		return err
	}
	c := collection{Type: "OrderedCollection", TotalItems: n.Followers}
	if a.Kind == essaim.ActorGroup {
		c.Type, c.Unordered = "Collection", []string{}
	}
	s.serveCollection(w, r, c)
	return nil
}

// showFollowing serves the peers that the node follows: a public list, by which
// others find them. No other actor follows anybody.
func (s *Server) showFollowing(w http.ResponseWriter, r *http.Request, a essaim.LocalActor) error {
	c := collection{Type: "OrderedCollection"}
	if a.Kind == essaim.ActorNode {
		peers, err := s.store.Peers(r.Context())
		if err != nil {
			return err
		}
		for _, p := range peers {
			if p.State == essaim.PeerFollowed {
				c.Items = append(c.Items, p.Actor)
			}
		}
		c.TotalItems = len(c.Items)
	}
	s.serveCollection(w, r, c)
	return nil
}

// showFeatured serves what an actor pins, as addresses: Mastodon reads no outbox,
// and shows these on the profile of a newly discovered actor. The territory pins
// its latest records; the actor of a record, the Note that presents it, for
// nobody may pin what another wrote. A feed writes nothing.
func (s *Server) showFeatured(w http.ResponseWriter, r *http.Request, a essaim.LocalActor) error {
	c := collection{Type: "OrderedCollection"}
	switch a.Kind {
	case essaim.ActorTerritory:
		activities, _, err := s.store.Outbox(r.Context(), a.ID, 0, featuredSize)
		if err != nil {
			return err
		}
		for _, raw := range activities {
			if id := vocab.ObjectID(raw); id != "" {
				c.Items = append(c.Items, id)
			}
		}
	case essaim.ActorGroup:
		c.Items = []string{}
	case essaim.ActorInitiative, essaim.ActorOrganisation:
		c.Items = []string{vocab.PresentationID(a.Record.ID)}
	}
	c.TotalItems = len(c.Items)
	s.serveCollection(w, r, c)
	return nil
}
