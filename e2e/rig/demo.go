// SPDX-License-Identifier: AGPL-3.0-or-later

package rig

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// Territories are the demonstration's, in the order of their ports.
var Territories = [...]string{"brest", "toulouse", "tourcoing"}

// Demonstration loads the three nodes of the demonstration into dir, each with the
// records of all, and serves none. Each request that names a reader's address
// counts as that reader's.
func Demonstration(ctx context.Context, dir string) ([]*Node, error) {
	bin, err := Binary()
	if err != nil {
		return nil, err
	}
	port, err := FreePorts(len(Territories))
	if err != nil {
		return nil, err
	}
	demo := exec.CommandContext(ctx, bin, "demo", "--dir", dir, "--port", strconv.Itoa(port), "--once")
	demo.Env = append(os.Environ(), "ESSAIM_DATA=")
	demo.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if text, err := demo.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %.600s", err, text)
	}
	var nodes []*Node
	for i, name := range Territories {
		nodes = append(nodes, &Node{
			Bin: bin, Dir: filepath.Join(dir, name), URL: fmt.Sprintf("http://127.0.0.1:%d", port+i),
			Env: []string{"ESSAIM_TRUSTED_PROXIES=" + Loopback, "ESSAIM_COMMENTS=shown"},
		})
	}
	// Two of them write letters, which nobody takes.
	for _, n := range nodes[:2] {
		n.Env = append(n.Env, "ESSAIM_SMTP_URL=smtp://127.0.0.1:9")
	}
	return nodes, nil
}

// OnPostgres brings what a node that does not run knows to an empty database, by
// a backup, and gives the node there.
func OnPostgres(ctx context.Context, s *Suite, n *Node, database string) (*Node, error) {
	file := n.Dir + ".backup"
	if _, err := n.Run(ctx, "backup", "--data", n.Dir, file); err != nil {
		return nil, err
	}
	defer os.Remove(file)
	moved := *n
	moved.cmd, moved.tls = nil, nil
	moved.Dir = n.Dir + "-postgres"
	var err error
	if moved.Database, err = Postgres(s, database); err != nil {
		return nil, err
	}
	if _, err := moved.Run(ctx, "restore", file, "--data", moved.Dir, "--database-url", moved.Database); err != nil {
		return nil, err
	}
	return &moved, os.CopyFS(filepath.Join(moved.Dir, "keys"), os.DirFS(filepath.Join(n.Dir, "keys")))
}

// Person is the name on the Fediverse of an account that Furnish makes.
const Person = "contributrice"

// missing are the kinds of which the demonstration has no record of a node's own.
var missing = []struct {
	segment string
	example map[string]any
}{
	{"venues", map[string]any{
		"title": "Maison de quartier de démonstration", "tagline": "Un lieu ouvert à toutes et tous, avec une cuisine, un atelier et un jardin.",
		"description": "On y vient sans rendez-vous.\n\n- cuisine partagée\n- atelier de réparation\n- jardin", "themes": []string{"alimentation"},
		"places": []map[string]any{{"insee": "29019"}},
	}},
	{"organisations", map[string]any{
		"title": "Association de démonstration", "tagline": "Une association qui accompagne les jardins partagés de la métropole.",
		"description": "Elle prête des outils et organise des chantiers.", "themes": []string{"alimentation"}, "places": []map[string]any{{"insee": "29019"}},
	}},
	{"meetings", map[string]any{
		"title": "Rencontre de démonstration", "tagline": "Une après-midi pour échanger graines, plants et savoir-faire.",
		"description": "Apportez ce que vous voulez partager.", "themes": []string{"alimentation"}, "places": []map[string]any{{"insee": "29019"}},
		"startTime": "2027-04-17T14:00:00+02:00", "endTime": "2027-04-17T17:00:00+02:00",
	}},
}

// Furnish gives a served node of the demonstration a record of its own of each kind,
// and a person on the Fediverse with records that credit her.
func Furnish(ctx context.Context, n *Node) error {
	for _, m := range missing {
		if err := n.API(ctx, http.MethodPost, m.segment, m.example, nil); err != nil {
			return err
		}
	}
	const email, name = "contributrice@brest.example", "Contributrice de démonstration"
	for _, args := range [][]string{
		{"user", "add", "--email", email, "--name", name, "--role", "contributeur"},
		{"user", "publish", email, "--name", Person, "--title", name, "--summary", "J’anime des ateliers de quartier, et je raconte **ce qui s’y invente**.", "--discoverable"},
	} {
		if _, err := n.Run(ctx, append(args, "--data", n.Dir)...); err != nil {
			return err
		}
	}
	for _, r := range []struct{ title, role string }{
		{"Le four du quartier", "porteur"}, {"Un banc pour se parler", "ambassadeur"}, {"La ruche des voisins", "partenaire"},
	} {
		err := n.API(ctx, http.MethodPost, "initiatives", map[string]any{
			"title": r.title, "tagline": "Une initiative de démonstration, portée par des habitantes et des habitants.",
			"themes": []string{"alimentation"}, "places": []map[string]any{{"insee": "29019"}},
			"credits": []map[string]any{{
				"name": name, "role": r.role, "actor": n.URL + "/actors/" + Person, "person": true,
				"consent": map[string]any{"on": "2026-03-01", "how": "link", "fields": []string{"name", "role"}},
			}},
		}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}
