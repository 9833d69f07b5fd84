// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"net/http"
	"strconv"

	"essaim"
)

// memberPage is how many members a page of a record's collection lists.
const memberPage = 40

// showMembers serves what belongs to a record: an OrderedCollection of
// addresses in the order in which they came, by pages. The comments are those
// that a moderator, or the territory's policy, let through.
func (s *Server) showMembers(kind essaim.CollectionKind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		object, err := s.publicObject(r)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		at, paged, ok := pageAsked(r.URL.Query())
		if !ok || at.before > 0 {
			s.refuse(w, r, http.StatusBadRequest)
			return
		}
		n := memberPage
		if !paged {
			n = 0 // the count alone
		}
		m, err := s.store.Members(r.Context(), object, kind, at.after, n)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		id := object + "/" + string(kind)
		c := collection{Type: "OrderedCollection", TotalItems: m.Total, First: id + "?page=true"}
		if kind == essaim.CollectionThread {
			// FEP-7888, FEP-f228: the thread belongs to the record's author and
			// begins with the record.
			c.AttributedTo, c.TotalItems = s.node.Territory.Actor, m.Total+1
			if paged && !at.up {
				m.IDs = append([]string{object}, m.IDs...)
			}
		}
		if !paged {
			s.serveCollection(w, r, c)
			return
		}
		s.serveMembers(w, r, id, at, m)
	}
}

func (s *Server) serveMembers(w http.ResponseWriter, r *http.Request, id string, at pageAt, m essaim.Members) {
	page := collectionPage{Context: []string{activityStreams}, ID: at.of(id), Type: "OrderedCollectionPage", PartOf: id, Items: m.IDs}
	if page.Items == nil {
		page.Items = []string{}
	}
	if m.Last > 0 && len(m.IDs) >= memberPage {
		page.Next = id + "?page=true&after=" + strconv.FormatInt(m.Last, 10)
	}
	w.Header().Set("Vary", "Accept")
	s.serveDocument(w, r, page)
}

// collectionPage is a page of addresses.
type collectionPage struct {
	Context []string `json:"@context"`
	ID      string   `json:"id"`
	Type    string   `json:"type"`
	PartOf  string   `json:"partOf"`
	Next    string   `json:"next,omitempty"`
	Items   []string `json:"orderedItems"`
}
