// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"

	"essaim"
)

type moderateWithdraw struct {
	Address string `arg:"" placeholder:"URL" help:"Address of the record: its page here or at its origin, or its id."`
	Reason  string `required:"" help:"Why, for the journal and for the moderators of the nodes that are followed: without naming anybody."`
	By      string `placeholder:"EMAIL" help:"Account that decides; it must be allowed to moderate."`
}

func (moderateWithdraw) Help() string {
	return "Its content is erased here, and its page says that this node withdrew it. It comes back from nowhere, not by its origin, a copy of another node or a comparison, until essaim moderate restore lifts the withdrawal; it is fetched again then. The nodes that are followed get a signed notice: it waits for their moderators, who decide for themselves. A record of this node is withdrawn for good, as on its page.\n\n" +
		"Example:\n\n    essaim moderate withdraw --data /var/lib/essaim --reason 'demande fondée d’une personne nommée' https://brest.example/initiatives/un-jardin"
}

func (c moderateWithdraw) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		d, err := ask[essaim.ItemDetail](ctx, node, "moderate.withdraw", c)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "%s is withdrawn here, as number %d.\n", d.Ref, d.N)
		return nil
	})
}

func withdrawHere(ctx context.Context, n *Node, c moderateWithdraw) (essaim.ItemDetail, error) {
	by, err := decider(ctx, n, c.By, essaim.ActionModerate)
	if err != nil {
		return essaim.ItemDetail{}, err
	}
	reason, err := decisionReason(c.Reason)
	if err != nil {
		return essaim.ItemDetail{}, err
	}
	return n.store.WithdrawHere(ctx, c.Address, by, reason)
}
