// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"essaim"
	"essaim/federation"
	"essaim/store"
)

type initCommand struct {
	URL         string   `name:"url" placeholder:"URL" help:"Public address, such as https://brest.example; it can't change later."`
	Name        string   `required:"" help:"Name of the territory."`
	Insee       []string `name:"insee" placeholder:"CODE" help:"Communes of the perimeter, by INSEE code."`
	EPCI        []string `name:"epci" placeholder:"SIREN" help:"Intercommunalités of the perimeter."`
	Departement []string `name:"departement" placeholder:"CODE" help:"Départements of the perimeter."`
	Summary     string   `help:"What the territory's actor says of itself (Markdown)."`
	AdminEmail  string   `required:"" placeholder:"EMAIL" help:"First administrator."`
	AdminName   string   `placeholder:"NAME" help:"How the administrator signs."`
	Listen      string   `placeholder:"HOST:PORT" help:"Written to essaim.toml when given."`
	DatabaseURL string   `name:"database-url" placeholder:"URL" help:"postgres://…, written to essaim.toml; empty for SQLite."`
}

func (initCommand) Help() string {
	return "Creates the keys, the database, the territory and its first administrator, and prints a sign-in link.\n\n" +
		"Example:\n\n    essaim init --data /var/lib/essaim --url https://brest.example --name 'Brest métropole' --epci 242900314 --admin-email animation@brest.example"
}

func (c initCommand) Run(ctx context.Context, a *app) error {
	cfg, err := a.configuration(settings{URL: c.URL, Listen: c.Listen, DatabaseURL: c.DatabaseURL})
	if err != nil {
		return err
	}
	link, err := initialise(ctx, cfg, a.options(), newNode{
		Name: c.Name, Summary: c.Summary, Communes: c.Insee, EPCIs: c.EPCI, Departements: c.Departement,
		Admin: newUser{Email: c.AdminEmail, Name: c.AdminName, Role: essaim.RoleAdmin},
	})
	if err != nil {
		return err
	}
	if err := writeConfigFile(cfg.Dir, map[string]string{
		"url": cfg.URL, "listen": c.Listen, "database_url": c.DatabaseURL, "allow_private": prefixes(cfg.AllowPrivate),
	}); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s is ready in %s.\nStart it:   essaim serve --data %s\nSign in within %d h:\n%s\n",
		c.Name, cfg.Dir, cfg.Dir, int(linkLife.Hours()), link)
	return nil
}

// newNode is what a node is made from.
type newNode struct {
	Name, Summary                 string
	Communes, EPCIs, Departements []string
	Admin                         newUser
	Demo                          bool
}

// initialise makes a node and returns the sign-in link of its administrator.
// One that a crash cut short may be begun again: keys without a node in the
// database are taken up.
func initialise(ctx context.Context, cfg config, opt options, nn newNode) (link string, err error) {
	territory, err := nn.territory(cfg)
	if err != nil {
		return "", err
	}
	if err := nn.Admin.check(); err != nil {
		return "", err
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return "", err
	}
	if err := createNode(ctx, cfg, opt, nn, territory); err != nil {
		return "", err
	}
	n, err := Open(ctx, cfg, opt)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	admin, err := n.user(ctx, nn.Admin.Email)
	if err != nil {
		return "", err
	}
	return signInLink(ctx, n, admin)
}

// createNode writes the keys, the node and its administrator, in this order.
func createNode(ctx context.Context, cfg config, opt options, nn newNode, t essaim.Territory) (err error) {
	st, err := openStore(ctx, cfg, opt, makers{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	had, err := st.Node(ctx)
	switch {
	case errors.Is(err, essaim.ErrNotFound):
		keys, err := keysFor(cfg.Dir)
		if err != nil {
			return err
		}
		mark, err := fingerprint(keys)
		if err != nil {
			return err
		}
		err = st.CreateNode(ctx, essaim.Node{
			BaseURL: cfg.URL, Incarnation: opt.clock().Unix(), Territory: t, KeyFingerprint: mark, Demo: nn.Demo,
		})
		if err != nil {
			return err
		}
	case err != nil:
		return err
	default:
		if err := begun(ctx, st, cfg, had); err != nil {
			return err
		}
	}
	_, err = st.CreateUser(ctx, essaim.User{Email: nn.Admin.Email, Name: nn.Admin.Name, Role: nn.Admin.Role})
	return err
}

// begun refuses a node that is complete: one that has an account.
func begun(ctx context.Context, st *store.Store, cfg config, had essaim.Node) error {
	users, err := st.Users(ctx)
	switch {
	case err != nil:
		return err
	case !hasKeys(cfg.Dir):
		return fmt.Errorf("the database already holds the node %s: bring its keys (essaim key restore), or give another database", had.BaseURL)
	case len(users) > 0 || had.BaseURL != cfg.URL:
		return fmt.Errorf("%s already holds the node %s: serve it, or give another --data", cfg.Dir, had.BaseURL)
	}
	return nil
}

// keysFor reads a directory's keys, or makes them.
func keysFor(dir string) (federation.Keys, error) {
	if hasKeys(dir) {
		return readKeys(dir)
	}
	k, err := newKeys()
	if err != nil {
		return k, err
	}
	return k, writeKeys(dir, k)
}

// territory checks the perimeter against the gazetteer.
func (nn newNode) territory(cfg config) (essaim.Territory, error) {
	t := essaim.Territory{Name: strings.TrimSpace(nn.Name), Summary: nn.Summary, EPCIs: nn.EPCIs, Departements: nn.Departements}
	if cfg.URL == "" {
		return t, usagef("no public address: give --url URL or set ESSAIM_URL")
	}
	if t.Username = essaim.Username(t.Name); t.Username == "" || len(t.Name) > 200 {
		return t, usagef("name %q: letters are wanted, at most 200", nn.Name)
	}
	t.Actor = cfg.URL + "/actors/" + t.Username
	g, err := gazetteer(cfg.Dir)
	if err != nil {
		return t, err
	}
	for _, code := range nn.Communes {
		c, ok := g.Commune(code)
		if !ok {
			return t, usagef("no commune has the INSEE code %q", code)
		}
		t.Communes = append(t.Communes, c.Code)
	}
	for _, code := range nn.EPCIs {
		if _, ok := g.EPCI(code); !ok {
			return t, usagef("no EPCI has the SIREN %q", code)
		}
	}
	for _, code := range nn.Departements {
		if _, ok := g.Departement(code); !ok {
			return t, usagef("no département has the code %q", code)
		}
	}
	if lat, lon, ok := g.Centre(t); ok {
		t.Lat, t.Lon = lat, lon
	}
	return t, nil
}
