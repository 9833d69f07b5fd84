// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"essaim"
)

type peerHolders struct {
	listing
	ID    string `arg:"" help:"ActivityPub id of a record, of here or of a node that is followed."`
	Check bool   `help:"Ask the nodes now, and not what they were found to hold at the last check."`
}

func (peerHolders) Help() string {
	return "Each node is asked daily for the digests of what it holds, and for some copies whole: same is a\n" +
		"conforming copy, or the signed notice of a deletion; other another version, or what was to be\n" +
		"deleted; nothing no copy; unknown when the record changed since the check, or the answer\n" +
		"did not suffice.\n\n" +
		"Example:\n\n    essaim peer holders --data /var/lib/essaim --check https://brest.example/objects/01jq3v9k5m"
}

// holderRow is what a node was found to hold, as commands show it.
type holderRow struct {
	Host      string             `json:"host"`
	Name      string             `json:"name"`
	Holds     essaim.HolderState `json:"holds"`
	CheckedAt time.Time          `json:"checkedAt"`
}

type holdersQuestion struct {
	ID    string
	Check bool
}

func (c peerHolders) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		rows, err := ask[[]holderRow](ctx, node, "peer.holders", holdersQuestion{c.ID, c.Check})
		if err != nil {
			return err
		}
		return c.print(a, rows, []string{"HOST", "NAME", "HOLDS", "CHECKED"}, lines(rows, func(h holderRow) []string {
			return []string{h.Host, h.Name, string(h.Holds), stamp(h.CheckedAt)}
		}))
	})
}

func listHolders(ctx context.Context, n *Node, q holdersQuestion) ([]holderRow, error) {
	if _, err := essaim.ParseIRI(q.ID); err != nil {
		return nil, fmt.Errorf("%q: %w", q.ID, err)
	}
	if q.Check {
		if err := n.checkAll(ctx); err != nil {
			return nil, err
		}
	}
	all, err := n.store.CopyHolders(ctx, q.ID)
	if err != nil {
		return nil, err
	}
	rows := make([]holderRow, len(all))
	for i, h := range all {
		rows[i] = holderRow{h.Host, h.Name, h.State, h.At}
	}
	return rows, nil
}

// checkAll asks every node that is followed, or follows, what it holds. One that
// does not answer keeps what it was found to hold, with its date.
func (n *Node) checkAll(ctx context.Context) error {
	peers, err := n.store.Peers(ctx)
	if err != nil {
		return err
	}
	for _, p := range peers {
		if p.State != essaim.PeerFollowed && p.State != essaim.PeerKnown || !p.GoneAt.IsZero() {
			continue
		}
		if err := n.federation.Replicator().CheckCopies(ctx, p.Host); err != nil {
			n.opt.logger.LogAttrs(ctx, slog.LevelInfo, "copies not checked", slog.String("host", p.Host), slog.String("error", err.Error()))
		}
	}
	return ctx.Err()
}
