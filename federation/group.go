// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"bytes"
	"context"
	"net/http"
	"strconv"

	"essaim"
	"essaim/federation/vocab"
)

const (
	// groupOutbox is how many posts Lemmy reads of a community that it begins to
	// follow.
	groupOutbox = 50
	// groupBytes keeps them in one document of the size that every server takes.
	groupBytes = 95_000
)

// showGroupOutbox serves the outbox of a community in the one shape that Lemmy
// reads (interop.md 2.2): without pages, the announces whole, each with the
// activity that it announces.
func (s *Server) showGroupOutbox(w http.ResponseWriter, r *http.Request, a essaim.LocalActor) error {
	activities, _, err := s.store.Outbox(r.Context(), s.node.Territory.Actor, 0, groupOutbox)
	if err != nil {
		return err
	}
	var items [][]byte
	size := 0
	for _, activity := range activities {
		announce, err := s.announceWhole(a, vocab.ID(activity), activity)
		if err != nil {
			return err
		}
		if size += len(announce) + 1; size > groupBytes && len(items) > 0 {
			break
		}
		items = append(items, announce)
	}
	var b bytes.Buffer
	b.WriteString(`{"@context":["` + activityStreams + `"],"id":` + quote(a.ID+"/outbox") + `,"type":"OrderedCollection","totalItems":` + strconv.Itoa(len(items)) + `,"orderedItems":[`)
	b.Write(bytes.Join(items, []byte(",")))
	b.WriteString(`]}`)
	w.Header().Set("Vary", "Accept")
	serve(w, r, served{body: b.Bytes()})
	return nil
}

// announceWhole is the announce of an activity of the territory by its
// community, dated as the activity.
func (s *Server) announceWhole(a essaim.LocalActor, id string, activity []byte) ([]byte, error) {
	return s.renderer.Tell(essaim.Told{
		ID: essaim.AnnounceID(a.ID, id), Verb: "Announce", Actor: a.ID, Object: id, Embedded: activity, At: vocab.Published(activity),
	})
}

// groupAnnounce finds the announce of the activity that ends in a name.
func (s *Server) groupAnnounce(ctx context.Context, a essaim.LocalActor, name string) (Stored, error) {
	id := s.base + "/activities/" + name
	d, err := s.store.Activity(ctx, id)
	if err != nil {
		return Stored{}, err
	}
	b, err := s.announceWhole(a, id, d.Bytes)
	return made(b, ""), err
}
