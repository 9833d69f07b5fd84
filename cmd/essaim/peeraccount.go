// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"essaim"
)

type peerAccounts struct{ listing }

func (peerAccounts) Help() string {
	return "Example:\n\n    essaim peer accounts --data /var/lib/essaim"
}

// accountRow is a followed account as the commands show it.
type accountRow struct {
	Handle     string           `json:"handle"`
	Name       string           `json:"name"`
	State      essaim.PeerState `json:"state"`
	Actor      string           `json:"actor"`
	URL        string           `json:"url"`
	Agreed     string           `json:"agreed,omitempty"`
	Candidates int              `json:"candidates"`
	FollowedAt time.Time        `json:"followedAt,omitzero"`
}

func newAccountRow(f essaim.Followed) accountRow {
	return accountRow{"@" + f.Handle, f.Name, f.State, f.Actor, f.URL, f.Agreed, f.Candidates, f.FollowedAt}
}

func (c peerAccounts) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		rows, err := ask[[]accountRow](ctx, node, "peer.accounts", none{})
		if err != nil {
			return err
		}
		return c.print(a, rows, []string{"ACCOUNT", "NAME", "STATE", "SINCE", "CANDIDATES", "AGREED"}, lines(rows, func(r accountRow) []string {
			return []string{r.Handle, r.Name, string(r.State), stamp(r.FollowedAt), strconv.Itoa(r.Candidates), r.Agreed}
		}))
	})
}

// isAccount tells an account, "@user@host", from a host.
func isAccount(s string) bool { return strings.Contains(s, "@") && !strings.Contains(s, "://") }

func (c peerFollow) account(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		r, err := ask[accountRow](ctx, node, "peer.account", c)
		if err != nil {
			return err
		}
		fmt.Fprintln(a.out, printable(r.Handle+" ("+r.Name+") is asked; what it publishes becomes candidates."))
		return nil
	})
}

func (a *app) onAccount(ctx context.Context, operation, account, done string) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		if _, err := ask[accountRow](ctx, node, operation, account); err != nil {
			return err
		}
		fmt.Fprintln(a.out, printable(done))
		return nil
	})
}

func followAccount(ctx context.Context, n *Node, c peerFollow) (accountRow, error) {
	reason, err := decisionReason(c.Reason)
	if err != nil {
		return accountRow{}, err
	}
	f, err := n.federation.FollowAccount(ctx, c.Host, c.Agreed, reason)
	return newAccountRow(f), err
}

func listAccounts(ctx context.Context, n *Node, _ none) ([]accountRow, error) {
	all, err := n.store.FollowedAccounts(ctx)
	rows := make([]accountRow, 0, len(all))
	for _, f := range all {
		rows = append(rows, newAccountRow(f))
	}
	return rows, err
}

func removeAccount(ctx context.Context, n *Node, account string) (accountRow, error) {
	f, err := n.federation.UnfollowAccount(ctx, account)
	return newAccountRow(f), err
}
