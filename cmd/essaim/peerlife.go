// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"time"
)

type peerGone struct {
	Host string `arg:"" help:"Host of a node that is followed."`
}

func (peerGone) Help() string {
	return "Its records stay, searched, exported and marked on each page. Whoever answers at its\n" +
		"address without its key is another node, of which nothing is applied; once it signs\n" +
		"by its own key again, it is taken for itself without a word.\n\n" +
		"Example:\n\n    essaim peer gone --data /var/lib/essaim brest.example"
}

func (c peerGone) Run(ctx context.Context, a *app) error {
	return a.onPeer(ctx, "peer.gone", c.Host, func(p peerRow) string { return p.Host + " is gone; its records stay, marked." })
}

type peerBack struct {
	Host string `arg:"" help:"Host of a node that was said to be gone."`
}

func (peerBack) Help() string {
	return "What it sent meanwhile is read again, by its key.\n\n" +
		"Example:\n\n    essaim peer back --data /var/lib/essaim brest.example"
}

func (c peerBack) Run(ctx context.Context, a *app) error {
	return a.onPeer(ctx, "peer.back", c.Host, func(p peerRow) string { return p.Host + " is not said to be gone any more." })
}

func gonePeer(ctx context.Context, n *Node, host string) (peerRow, error) {
	if err := n.store.PeerGone(ctx, host, n.now()); err != nil {
		return peerRow{}, unknownPeer(err)
	}
	return showPeer(ctx, n, host)
}

func backPeer(ctx context.Context, n *Node, host string) (peerRow, error) {
	if err := n.store.PeerGone(ctx, host, time.Time{}); err != nil {
		return peerRow{}, unknownPeer(err)
	}
	return showPeer(ctx, n, host)
}

// unknownPeer says what to do about a node that is not known here.
func unknownPeer(err error) error {
	return unknown(err, "essaim peer list names the nodes that are known, essaim peer follow adds one")
}
