// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"

	"essaim"
)

type personCommand struct {
	Erase personErase `cmd:"" help:"Take a person out of the credits of every record, with their history."`
}

type personErase struct {
	Name  string `help:"Her name, as the records have it."`
	Actor string `placeholder:"URL" help:"Or the address of her account, as the records have it."`
	By    string `placeholder:"EMAIL" help:"Account that signs the new versions; it must be allowed to write."`
}

func (personErase) Help() string {
	return "The records are published anew without her, their revisions and what was sent of them lose her too, and the peers get the new versions. What a text says of her is to be edited by hand. essaim user delete does this for who has an account.\n\n" +
		"Example:\n\n    essaim person erase --data /var/lib/essaim --name 'Prénom Nom'"
}

func (c personErase) Run(ctx context.Context, a *app) error {
	if (c.Name == "") == (c.Actor == "") {
		return usagef("either --name or --actor")
	}
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		n, err := ask[int](ctx, node, "person.erase", c)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "Records that named her: %d.\n", n)
		return nil
	})
}

func erasePerson(ctx context.Context, n *Node, c personErase) (int, error) {
	by, err := decider(ctx, n, c.By, essaim.ActionWrite)
	if err != nil {
		return 0, err
	}
	return n.store.EraseCredits(ctx, essaim.Credit{Name: c.Name, Actor: c.Actor}, essaim.Author{User: by})
}

// eraseCreditsOf takes an account's person out of the credits, if she is on the
// Fediverse.
func eraseCreditsOf(ctx context.Context, n *Node, user int64) error {
	name, err := n.store.PersonOf(ctx, user)
	if errors.Is(err, essaim.ErrNotFound) {
		return nil
	}
	if err == nil {
		_, err = n.store.EraseCredits(ctx, essaim.Credit{Actor: n.info.BaseURL + "/actors/" + name}, essaim.Author{})
	}
	return err
}

type scrubCommand struct{}

func (scrubCommand) Help() string {
	return "What is erased is in no table any more, but its bytes may stay in the database's files until they are used again. The node writes over them by itself, within a day, at night when it runs then; this does it now, and removes the pictures that went with what is erased. PostgreSQL writes its tables anew: the site waits meanwhile, a few seconds for 100,000 records. What PostgreSQL's own log and its archives hold is the administrator's to expire.\n\n" +
		"Example:\n\n    essaim scrub --data /var/lib/essaim"
}

func (scrubCommand) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		if _, err := ask[none](ctx, node, "scrub", none{}); err != nil {
			return err
		}
		fmt.Fprintln(a.out, "What was erased is written over.")
		return nil
	})
}

func scrub(ctx context.Context, n *Node, _ none) (none, error) {
	return none{}, errors.Join(n.sweep(ctx), n.dumps.Clear(ctx), n.store.Scrub(ctx))
}
