// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"

	"essaim"
	"essaim/federation/wire"
	"essaim/web/markup"
)

// flag takes a report about things here. Of who reports, only the server is
// kept: most send it in the name of the server anyway (Mastodon's instance
// actor).
func (r *reader) flag(ctx context.Context) error {
	var others, actors []string
	ids := r.a.Objects
	if len(ids) == 0 {
		ids = []essaim.IRI{r.a.Object.ID}
	}
	for _, id := range ids {
		// A comment has the id of its home: whether it is here is for the store to see.
		actor, err := r.Local(ctx, id.String())
		if err != nil {
			return err
		}
		switch {
		case actor:
			actors = append(actors, id.String())
		case !id.IsZero():
			others = append(others, r.subject(id))
		}
	}
	if len(others)+len(actors) == 0 {
		return nothingToDo("reports nothing")
	}
	withdrawn, err := r.notice(ctx)
	if err != nil {
		return err
	}
	text := []rune(markup.Plain(wire.TextOf(r.a.Root(), "content").In("fr")))
	return r.does(essaim.FileReport{Report: essaim.Report{
		ID: r.in.ActivityID, Host: r.a.Actor.Host(), Objects: others, Text: string(text[:min(len(text), essaim.MaxReport)]), ReceivedAt: r.in.ReceivedAt, Withdrawn: withdrawn,
	}, Actors: actors})
}

// notice is the content digest of what the node of a peer that we follow says to
// have withdrawn; empty when the Flag is a report like another. Its proof was held
// to the key that is pinned, as of all that such a node sends.
func (r *reader) notice(ctx context.Context) (string, error) {
	digest := r.a.Root().Get("essaim:withdrawn").TextOr()
	if d, err := essaim.ParseDigest(digest); err != nil || d == (essaim.Digest{}) {
		return "", nil //nolint:nilerr // no digest of ours
	}
	peer, err := r.Store.Peer(ctx, r.a.Actor.Host())
	if err != nil {
		return "", ignoreMissing(err)
	}
	if peer.State != essaim.PeerFollowed || peer.Actor != r.a.Actor.String() {
		return "", nil
	}
	return digest, nil
}

// blocked takes leave of an actor that blocks one of ours: its follow goes, and
// nothing more is sent to it (ActivityPub 6.9).
func (r *reader) blocked(ctx context.Context) error {
	local := r.a.Object.ID.String()
	here, err := r.Local(ctx, local)
	if err != nil {
		return err
	}
	if !here {
		return nothingToDo("blocks no actor of this node")
	}
	return r.does(essaim.Refuse{Local: local, Actor: r.in.Actor})
}
