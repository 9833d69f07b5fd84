// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"encoding/json"

	"essaim"
)

// Answer makes the Accept or the Reject of a follow that waited for an
// administrator (ActivityPub 7.5).
func (s *Server) Answer(followID, follower, local, inbox string, accept bool) (essaim.Outgoing, error) {
	follow, err := namedFollow(followID, follower, local)
	if err != nil {
		return essaim.Outgoing{}, err
	}
	word := s.renderer.Reject
	if accept {
		word = s.renderer.Accept
	}
	id := s.activityID()
	body, err := word(id, local, follower, follow)
	return essaim.Outgoing{ActivityID: id, Actor: local, Receiver: follower, Inbox: inbox, OrderKey: local + " " + follower, Body: body}, err
}

// namedFollow is of a Follow only what names it: the rest is its sender's to
// choose and ours to sign.
func namedFollow(id, actor, object string) ([]byte, error) {
	return json.Marshal(struct {
		ID     string `json:"id"`
		Type   string `json:"type"`
		Actor  string `json:"actor"`
		Object string `json:"object"`
	}{id, "Follow", actor, object})
}
