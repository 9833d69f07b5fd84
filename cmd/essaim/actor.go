// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"essaim"
)

type actorCommand struct {
	List actorList `cmd:"" help:"List what can be followed here: the territory, its themes and communes, people, and followed records."`
	Set  actorSet  `cmd:"" help:"Change what an actor says of itself, or when a feed announces."`
}

type actorList struct{ listing }

func (actorList) Help() string {
	return "The actor of an initiative or an organisation exists as soon as its record is published; it is listed once somebody follows it.\n\n" +
		"Example:\n\n    essaim actor list --data /var/lib/essaim --json"
}

// actorRow is an actor as the commands show it.
type actorRow struct {
	Handle    string           `json:"handle"`
	Kind      essaim.ActorKind `json:"kind"`
	Followers int              `json:"followers"`
	Announces string           `json:"announces,omitempty"` // "at once" or a day, for a feed
	ID        string           `json:"id"`
	Profile   essaim.Profile   `json:"profile"`
}

func (c actorList) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		rows, err := ask[[]actorRow](ctx, node, "actor.list", none{})
		if err != nil {
			return err
		}
		return c.print(a, rows, []string{"HANDLE", "KIND", "FOLLOWERS", "ANNOUNCES"}, lines(rows, func(r actorRow) []string {
			return []string{r.Handle, string(r.Kind), strconv.Itoa(r.Followers), r.Announces}
		}))
	})
}

type actorSet struct {
	Name         string    `arg:"" help:"What stands before the @: theme_alimentation."`
	Title        *string   `help:"The name shown; empty for the usual one."`
	Summary      *string   `help:"A few words, in Markdown; empty for the usual ones."`
	Icon         *string   `placeholder:"URL" help:"Address of a square PNG, JPEG, GIF or WebP; empty for the node's."`
	Header       *string   `placeholder:"URL" help:"Address of a wide picture; empty for the node's."`
	Field        *[]string `sep:"none" placeholder:"NAME=VALUE" help:"A line of the profile; repeated for more. Replaces those there were; empty for none."`
	AlsoKnownAs  *[]string `placeholder:"ADDRESS" help:"Address of an actor elsewhere that is the same, before it moves here. Replaces those there were."`
	Weekly       string    `placeholder:"DAY" enum:"sunday,monday,tuesday,wednesday,thursday,friday,saturday,off," default:"" help:"Announce what came in the week on that day (sunday, monday…), spaced; off for at once."`
	Discoverable string    `enum:"yes,no," default:"" placeholder:"yes" help:"Whether directories may list it."`
	Indexable    string    `enum:"yes,no," default:"" placeholder:"yes" help:"Whether searches may find what it writes."`
}

func (actorSet) Help() string {
	return "Its followers are told. Only what is given changes.\n\n" +
		"Example:\n\n    essaim actor set --data /var/lib/essaim theme_alimentation --weekly friday --summary 'Ce qui se mange, près d’ici.'"
}

func (c actorSet) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		if _, err := ask[none](ctx, node, "actor.set", c); err != nil {
			return err
		}
		fmt.Fprintln(a.out, c.Name+" is changed.")
		return nil
	})
}

// apply changes what the options name.
func (c actorSet) apply(p *essaim.Profile) error {
	for _, s := range []struct{ from, to *string }{{c.Title, &p.Name}, {c.Summary, &p.Summary}, {c.Icon, &p.Icon}, {c.Header, &p.Header}} {
		if s.from != nil {
			*s.to = strings.TrimSpace(*s.from)
		}
	}
	if c.Field != nil {
		p.Fields = nil
		for _, f := range *c.Field {
			name, value, ok := strings.Cut(f, "=")
			if f == "" {
				continue
			}
			if !ok {
				return fmt.Errorf("field %q is not NAME=VALUE: %w", f, essaim.ErrInvalid)
			}
			p.Fields = append(p.Fields, essaim.ProfileField{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
		}
	}
	if c.AlsoKnownAs != nil {
		p.AlsoKnownAs = nil
		for _, known := range *c.AlsoKnownAs {
			if known != "" {
				p.AlsoKnownAs = append(p.AlsoKnownAs, known)
			}
		}
	}
	switch c.Weekly {
	case "":
	case "off":
		p.Weekly = ""
	default:
		p.Weekly = c.Weekly
	}
	for _, s := range []struct {
		from string
		to   **bool
	}{{c.Discoverable, &p.Discoverable}, {c.Indexable, &p.Indexable}} {
		if s.from != "" {
			yes := s.from == "yes"
			*s.to = &yes
		}
	}
	return nil
}

func listActors(ctx context.Context, n *Node, _ none) ([]actorRow, error) {
	actors, err := n.store.LocalActors(ctx)
	if err != nil {
		return nil, err
	}
	rows := make([]actorRow, 0, len(actors))
	for _, a := range actors {
		r := actorRow{Handle: n.handle(a.Username), Kind: a.Kind, Followers: a.Followers, ID: a.ID, Profile: a.Profile}
		if a.Kind.Feed() {
			r.Announces = "at once"
			if a.Profile.Weekly != "" {
				r.Announces = a.Profile.Weekly
			}
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// handle is how people write an actor of this node.
func (n *Node) handle(username string) string {
	host := n.info.BaseURL
	if u, err := url.Parse(host); err == nil {
		host = u.Host
	}
	return "@" + username + "@" + host
}

func setActor(ctx context.Context, n *Node, c actorSet) (none, error) {
	name := strings.ToLower(strings.TrimPrefix(strings.TrimSpace(c.Name), "@"))
	name, _, _ = strings.Cut(name, "@")
	a, err := n.store.LocalActor(ctx, name)
	if err != nil {
		return none{}, unknown(err, "essaim actor list names them")
	}
	if err := c.apply(&a.Profile); err != nil {
		return none{}, err
	}
	return none{}, n.store.SetProfile(ctx, name, a.Profile)
}
