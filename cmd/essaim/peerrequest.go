// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"essaim"
	"essaim/store"
)

type peerRequests struct{ listing }

func (peerRequests) Help() string {
	return "With peer_policy approve or allowlist, who asks to follow the node waits here.\n\n" +
		"Example:\n\n    essaim peer requests --data /var/lib/essaim"
}

// followRequest is a follow that waits for an administrator.
type followRequest struct {
	Host     string    `json:"host"`
	Follower string    `json:"follower"`
	Since    time.Time `json:"since"`
}

func (c peerRequests) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		rows, err := ask[[]followRequest](ctx, node, "peer.requests", none{})
		if err != nil {
			return err
		}
		return c.print(a, rows, []string{"HOST", "FOLLOWER", "SINCE"}, lines(rows, func(f followRequest) []string {
			return []string{f.Host, f.Follower, stamp(f.Since)}
		}))
	})
}

type peerAccept struct {
	Host string `arg:"" help:"Host of who asks."`
}

func (peerAccept) Help() string {
	return "Example:\n\n    essaim peer accept --data /var/lib/essaim toulouse.example"
}

func (c peerAccept) Run(ctx context.Context, a *app) error {
	return a.answerRequests(ctx, c.Host, true, "accepted")
}

type peerRefuse struct {
	Host string `arg:"" help:"Host of who asks."`
}

func (peerRefuse) Help() string {
	return "Example:\n\n    essaim peer refuse --data /var/lib/essaim toulouse.example"
}

func (c peerRefuse) Run(ctx context.Context, a *app) error {
	return a.answerRequests(ctx, c.Host, false, "refused")
}

// requestAnswer is what an administrator decided about a host's follows.
type requestAnswer struct {
	Host   string
	Accept bool
}

func (a *app) answerRequests(ctx context.Context, host string, accept bool, did string) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		host, err := hostName(host)
		if err != nil {
			return err
		}
		if _, err := ask[int](ctx, node, "peer.answer", requestAnswer{host, accept}); err != nil {
			return err
		}
		fmt.Fprintln(a.out, host+" is "+did+".")
		return nil
	})
}

// maxRequests bounds the list of who asks; the oldest come first.
const maxRequests = 1000

func listRequests(ctx context.Context, n *Node, _ none) ([]followRequest, error) {
	pending, err := n.store.PendingFollows(ctx, maxRequests)
	if err != nil {
		return nil, err
	}
	rows := make([]followRequest, 0, len(pending))
	for _, f := range pending {
		rows = append(rows, followRequest{hostOf(f), f.Follower, f.At})
	}
	return rows, nil
}

func hostOf(f store.PendingFollow) string {
	u, err := url.Parse(f.Follower)
	if err != nil {
		return ""
	}
	return u.Host
}

func answerRequests(ctx context.Context, n *Node, c requestAnswer) (int, error) {
	pending, err := n.store.PendingFollows(ctx, maxRequests)
	if err != nil {
		return 0, err
	}
	answered := 0
	for _, f := range pending {
		if hostOf(f) != c.Host {
			continue
		}
		out, err := n.federation.Answer(f.FollowID, f.Follower, f.Local, f.Inbox, c.Accept)
		if err != nil {
			return answered, err
		}
		if err := n.store.AnswerFollow(ctx, f, c.Accept, out); err != nil {
			return answered, err
		}
		answered++
	}
	if answered == 0 {
		return 0, fmt.Errorf("nobody of %s asks: %w", c.Host, essaim.ErrNotFound)
	}
	return answered, nil
}
