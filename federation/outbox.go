// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"essaim"
	"essaim/federation/vocab"
)

const (
	outboxPage   = 20 // activities a page; with embedded objects well under 1 MB
	featuredSize = 5  // what a newly discovered territory shows on its profile
)

// collection is a Collection or OrderedCollection without embedded documents.
// Its id is the address that was asked for.
type collection struct {
	Context      string   `json:"@context"`
	ID           string   `json:"id"`
	Type         string   `json:"type"`
	AttributedTo string   `json:"attributedTo,omitempty"`
	TotalItems   int      `json:"totalItems"`
	First        string   `json:"first,omitempty"`
	Items        []string `json:"orderedItems,omitempty"`
}

func (s *Server) serveCollection(w http.ResponseWriter, r *http.Request, c collection) {
	c.Context, c.ID = "https://www.w3.org/ns/activitystreams", s.base+r.URL.Path
	body, err := json.Marshal(c)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Vary", "Accept")
	serve(w, r, served{body: body})
}

// showOutbox serves what an actor has published, newest first (ActivityPub
// 5.1): the activity of each current publication. It is a projection, not a
// log: an edited record moves to the front.
func (s *Server) showOutbox(w http.ResponseWriter, r *http.Request) {
	a, ok := s.actorOf(r)
	if !ok {
		s.refuse(w, r, http.StatusNotFound)
		return
	}
	if !r.URL.Query().Has("page") {
		c := collection{Type: "OrderedCollection", First: a.id + "/outbox?page=true"}
		if a.publishes {
			n, err := s.store.Counts(r.Context(), a.id)
			if err != nil {
				s.fail(w, r, err)
				return
			}
			c.TotalItems = n.Published
		}
		s.serveCollection(w, r, c)
		return
	}
	before, err := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64)
	if r.URL.Query().Has("before") && (err != nil || before < 1) {
		s.refuse(w, r, http.StatusBadRequest)
		return
	}
	var activities [][]byte
	var numbers []int64
	if a.publishes {
		if activities, numbers, err = s.store.Outbox(r.Context(), a.id, before, outboxPage); err != nil {
			s.fail(w, r, err)
			return
		}
	}
	w.Header().Set("Vary", "Accept")
	serve(w, r, served{body: outboxDocument(a.id+"/outbox", before, activities, numbers)})
}

// outboxDocument writes stored bytes between commas: encoding them again would
// change what is signed.
func outboxDocument(outbox string, before int64, activities [][]byte, numbers []int64) []byte {
	id := outbox + "?page=true"
	if before > 0 {
		id += "&before=" + strconv.FormatInt(before, 10)
	}
	var b bytes.Buffer
	b.WriteString(`{"@context":"https://www.w3.org/ns/activitystreams","id":` + quote(id) + `,"type":"OrderedCollectionPage","partOf":` + quote(outbox))
	if len(activities) == outboxPage {
		b.WriteString(`,"next":` + quote(outbox+"?page=true&before="+strconv.FormatInt(numbers[len(numbers)-1], 10)))
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
func (s *Server) showFollowers(w http.ResponseWriter, r *http.Request) {
	a, ok := s.actorOf(r)
	if !ok {
		s.refuse(w, r, http.StatusNotFound)
		return
	}
	n, err := s.store.Counts(r.Context(), a.id)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.serveCollection(w, r, collection{Type: "OrderedCollection", TotalItems: n.Followers})
}

// showFollowing serves the peers that the node follows: a public list, by which
// others find them. A territory follows nobody.
func (s *Server) showFollowing(w http.ResponseWriter, r *http.Request) {
	a, ok := s.actorOf(r)
	if !ok {
		s.refuse(w, r, http.StatusNotFound)
		return
	}
	c := collection{Type: "OrderedCollection"}
	if a.follows {
		peers, err := s.store.Peers(r.Context())
		if err != nil {
			s.fail(w, r, err)
			return
		}
		for _, p := range peers {
			if p.State == essaim.PeerFollowed {
				c.Items = append(c.Items, p.Actor)
			}
		}
		c.TotalItems = len(c.Items)
	}
	s.serveCollection(w, r, c)
}

// showFeatured serves the latest records as addresses: Mastodon reads no
// outbox, and shows these on the profile of a newly discovered actor.
func (s *Server) showFeatured(w http.ResponseWriter, r *http.Request) {
	a, ok := s.actorOf(r)
	if !ok {
		s.refuse(w, r, http.StatusNotFound)
		return
	}
	c := collection{Type: "OrderedCollection"}
	if a.publishes {
		activities, _, err := s.store.Outbox(r.Context(), a.id, 0, featuredSize)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		for _, raw := range activities {
			if id := vocab.ObjectID(raw); id != "" {
				c.Items = append(c.Items, id)
			}
		}
		c.TotalItems = len(c.Items)
	}
	s.serveCollection(w, r, c)
}
