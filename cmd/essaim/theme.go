// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"

	"essaim"
)

type themeCommand struct {
	Add    themeAdd    `cmd:"" help:"Add a theme under a common one, or give one other names."`
	List   themeList   `cmd:"" help:"List the territory's own themes."`
	Remove themeRemove `cmd:"" help:"Take back a theme that no record has."`
}

type themeAdd struct {
	French  string `arg:"" name:"name" help:"Its name in French."`
	English string `placeholder:"NAME" help:"Its name in English."`
	Broader string `required:"" placeholder:"THEME" help:"Common theme above it, for good: nature, alimentation… (the page /ns/essaim has the list)."`
	ID      string `name:"id" placeholder:"WORD" help:"Last part of its id, for good; made of the name when not given."`
}

func (themeAdd) Help() string {
	return "A territory's own theme says more precisely what a common theme says: records have both, so that other nodes find them too. " +
		"Documents name it by an address below /ns/essaim/themes of this node.\n\n" +
		"Example:\n\n    essaim theme add --data /var/lib/essaim \"Algues vertes\" --english \"Green algae\" --broader nature"
}

func (c themeAdd) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		t, err := ask[essaim.Theme](ctx, node, "theme.add", c)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "%s: %s, under %s.\n", t.ID, t.French, t.Broader)
		return nil
	})
}

type themeList struct{ listing }

func (themeList) Help() string {
	return "Example:\n\n    essaim theme list --data /var/lib/essaim --json"
}

func (c themeList) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		all, err := ask[essaim.Thesaurus](ctx, node, "theme.list", none{})
		if err != nil {
			return err
		}
		rows := append([]essaim.Theme{}, all.Own...)
		return c.print(a, rows, []string{"ID", "UNDER", "FRENCH", "ENGLISH"}, lines(rows, func(t essaim.Theme) []string {
			return []string{t.ID, t.Broader, t.French, t.English}
		}))
	})
}

type themeRemove struct {
	Name string `arg:"" help:"Last part of its id, as theme list shows it."`
}

func (themeRemove) Help() string {
	return "Example:\n\n    essaim theme remove --data /var/lib/essaim algues-vertes"
}

func (c themeRemove) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		_, err := ask[none](ctx, node, "theme.remove", c.Name)
		return err
	})
}

func showThemes(ctx context.Context, n *Node, _ none) (essaim.Thesaurus, error) {
	return n.store.Thesaurus(ctx)
}

func addTheme(ctx context.Context, n *Node, c themeAdd) (essaim.Theme, error) {
	t, err := n.store.DefineTheme(ctx, c.ID, c.Broader, c.French, c.English)
	var invalid *essaim.ValidationError
	if errors.As(err, &invalid) && invalid.Problems["broader"] != "" {
		err = fmt.Errorf("%q is no common theme; the page /ns/essaim lists them: %w", c.Broader, essaim.ErrInvalid)
	}
	return t, err
}

func removeTheme(ctx context.Context, n *Node, name string) (none, error) {
	return none{}, unknown(n.store.RemoveTheme(ctx, name), "essaim theme list names them")
}
