// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"

	"essaim"
)

type userPublish struct {
	Email        string `arg:"" help:"Address of the account."`
	Name         string `required:"" help:"What stands before the @, as the person chose it. It is hers for good and can never be another's."`
	Title        string `help:"The name shown, if another."`
	Summary      string `help:"A few words, in Markdown."`
	Discoverable bool   `help:"Directories may list her."`
	Indexable    bool   `help:"Searches may find what she writes."`
}

func (userPublish) Help() string {
	return "Only when the person asked for it: her profile is public, and copied wherever she is followed. essaim user unpublish takes it back.\n\n" +
		"Example:\n\n    essaim user publish --data /var/lib/essaim animation@brest.example --name animation"
}

func (c userPublish) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		handle, err := ask[string](ctx, node, "user.publish", c)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "%s can be followed as %s\n", c.Email, handle)
		return nil
	})
}

type userUnpublish struct {
	Email string `arg:"" help:"Address of the account."`
}

func (userUnpublish) Help() string {
	return "Erases the profile and tells those who follow it. The account stays; the name is nobody's any more.\n\n" +
		"Example:\n\n    essaim user unpublish --data /var/lib/essaim animation@brest.example"
}

func (c userUnpublish) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		handle, err := ask[string](ctx, node, "user.unpublish", c)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "%s is gone.\n", handle)
		return nil
	})
}

func publishUser(ctx context.Context, n *Node, c userPublish) (string, error) {
	u, err := n.user(ctx, c.Email)
	if err != nil {
		return "", err
	}
	if u.Disabled {
		return "", fmt.Errorf("account %s is disabled: %w", c.Email, essaim.ErrForbidden)
	}
	p := essaim.Profile{Name: c.Title, Summary: c.Summary, Discoverable: &c.Discoverable, Indexable: &c.Indexable}
	if err := n.store.CreatePerson(ctx, u.ID, c.Name, p); err != nil {
		return "", err
	}
	name, err := n.store.PersonOf(ctx, u.ID)
	return n.handle(name), err
}

func unpublishUser(ctx context.Context, n *Node, c userUnpublish) (string, error) {
	u, err := n.user(ctx, c.Email)
	if err != nil {
		return "", err
	}
	name, err := n.store.PersonOf(ctx, u.ID)
	if err != nil {
		return "", err
	}
	return n.handle(name), n.store.DeletePerson(ctx, name)
}
