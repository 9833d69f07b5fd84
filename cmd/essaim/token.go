// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"time"
)

// tokenPrefix lets scanners of published code recognise a leaked token.
const tokenPrefix = "essaim_"

type tokenCommand struct {
	Create tokenCreate `cmd:"" help:"Make a token of the JSON API and print it, once."`
	List   tokenList   `cmd:"" help:"List the tokens of an account."`
	Revoke tokenRevoke `cmd:"" help:"End a token."`
}

type tokenCreate struct {
	User  string `required:"" placeholder:"EMAIL" help:"Account that the token acts for."`
	Label string `default:"api" help:"What it is for."`
}

func (tokenCreate) Help() string {
	return "Example:\n\n    essaim token create --data /var/lib/essaim --user animation@brest.example --label agenda"
}

func (c tokenCreate) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		secret, err := ask[string](ctx, node, "token.create", c)
		if err != nil {
			return err
		}
		fmt.Fprintln(a.out, secret)
		return nil
	})
}

type tokenList struct {
	listing
	User string `required:"" placeholder:"EMAIL" help:"Account."`
}

func (tokenList) Help() string {
	return "Example:\n\n    essaim token list --data /var/lib/essaim --user animation@brest.example"
}

// apiToken is a token as listed: never the secret.
type apiToken struct {
	ID        string    `json:"id"`
	Label     string    `json:"label"`
	CreatedAt time.Time `json:"createdAt"`
}

func (c tokenList) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		rows, err := ask[[]apiToken](ctx, node, "token.list", c.User)
		if err != nil {
			return err
		}
		return c.print(a, rows, []string{"ID", "LABEL", "SINCE"}, lines(rows, func(t apiToken) []string {
			return []string{t.ID, t.Label, stamp(t.CreatedAt)}
		}))
	})
}

type tokenRevoke struct {
	User string `required:"" placeholder:"EMAIL" help:"Account."`
	ID   string `arg:"" help:"As token list shows it."`
}

func (tokenRevoke) Help() string {
	return "Example:\n\n    essaim token revoke --data /var/lib/essaim --user animation@brest.example 4c1a9e07b2d3"
}

func (c tokenRevoke) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		_, err := ask[none](ctx, node, "token.revoke", c)
		return err
	})
}

func createToken(ctx context.Context, n *Node, c tokenCreate) (string, error) {
	u, err := n.user(ctx, c.User)
	if err != nil {
		return "", err
	}
	secret, err := newSecret()
	if err != nil {
		return "", err
	}
	secret = tokenPrefix + secret
	return secret, n.store.NewToken(ctx, u.ID, c.Label, secret)
}

func listTokens(ctx context.Context, n *Node, email string) ([]apiToken, error) {
	u, err := n.user(ctx, email)
	if err != nil {
		return nil, err
	}
	tokens, err := n.store.Tokens(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	rows := make([]apiToken, 0, len(tokens))
	for _, t := range tokens {
		rows = append(rows, apiToken{t.ID, t.Label, t.CreatedAt})
	}
	return rows, nil
}

func revokeToken(ctx context.Context, n *Node, c tokenRevoke) (none, error) {
	u, err := n.user(ctx, c.User)
	if err != nil {
		return none{}, err
	}
	return none{}, n.store.RevokeToken(ctx, u.ID, c.ID)
}
