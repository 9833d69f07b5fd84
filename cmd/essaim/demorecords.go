// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"essaim"
)

// demoTerritory is one of the three nodes of the demonstration.
type demoTerritory struct {
	Username string
	Name     string
	EPCIs    []string
}

// demoTerritories are in the order of their ports.
var demoTerritories = [...]demoTerritory{
	{"brest", "Brest", []string{"242900314"}},
	{"toulouse", "Toulouse", []string{"243100518", "243100633"}},
	{"tourcoing", "Tourcoing", []string{"200093201"}},
}

// demoFiles are, of each territory, the records written from public sources, those
// that are invented ("-exemples"), and those, invented too, that adapt or remake
// what others publish ("-reprises"). A relation names its target, an adaptation
// what it adapts, by kind and title, behind the territory of another:
// "brest/recipe:Boîte à livres".
//
//go:embed demo/*.json
var demoFiles embed.FS

// demoInvented ends the text of what nobody did: who reads it elsewhere, or later,
// knows too.
const demoInvented = "*Cette fiche est un exemple inventé pour la démonstration.*"

// demoRecords are the records that a territory of the demonstration publishes of
// itself: those that others point to stand before them.
func demoRecords(username string, g *essaim.Gazetteer, now time.Time) ([]essaim.Content, error) {
	list, err := demoFile(username, g, now)
	if err != nil {
		return nil, err
	}
	examples, err := demoExamples(username+"-exemples", g, now)
	return append(list, examples...), err
}

// demoEchoes are those that it publishes once it holds what they adapt or remake.
func demoEchoes(username string, g *essaim.Gazetteer, now time.Time) ([]essaim.Content, error) {
	return demoExamples(username+"-reprises", g, now)
}

func demoExamples(name string, g *essaim.Gazetteer, now time.Time) ([]essaim.Content, error) {
	list, err := demoFile(name, g, now)
	for i := range list {
		list[i].Text += "\n\n" + demoInvented
	}
	return list, err
}

// demoFile reads a file with its communes placed by the gazetteer.
func demoFile(name string, g *essaim.Gazetteer, now time.Time) ([]essaim.Content, error) {
	raw, err := demoFiles.ReadFile("demo/" + name + ".json")
	if err != nil {
		return nil, fmt.Errorf("demonstration %s: %w", name, essaim.ErrNotFound)
	}
	if raw, err = demoDates(raw, now); err != nil {
		return nil, fmt.Errorf("demonstration %s: %w", name, err)
	}
	var list []essaim.Content
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("demonstration %s: %w", name, err)
	}
	for i := range list {
		for j := range list[i].Places {
			pl := &list[i].Places[j]
			c, ok := g.Commune(pl.INSEE)
			if !ok || pl.Located() || !c.Located() {
				continue
			}
			pl.Lat, pl.Lon = essaim.Point(c.Lat, c.Lon)
			pl.Approximate = true
		}
	}
	return list, nil
}

var demoDate = regexp.MustCompile(`"@([+-]\d+)/([1-7])(?: (\d\d):(\d\d))?"`)

// demoDates writes the dates that files count from the week of now: "@+2/6" is the
// Saturday of the second week to come, "@-1/1 18:30" half past six in the evening of
// Monday last week, in Paris. So calls are open, and meetings to come, whenever the
// demonstration is first started.
func demoDates(raw []byte, now time.Time) ([]byte, error) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		return nil, err
	}
	now = now.In(paris)
	return demoDate.ReplaceAllFunc(raw, func(written []byte) []byte {
		m := demoDate.FindSubmatch(written)
		number := func(i int) int {
			n, _ := strconv.Atoi(string(m[i])) // digits, or none for no hour
			return n
		}
		monday := now.Day() - (int(now.Weekday())+6)%7
		t := time.Date(now.Year(), now.Month(), monday+7*number(1)+number(2)-1, number(3), number(4), 0, 0, paris)
		if len(m[3]) == 0 {
			return []byte(t.Format(`"2006-01-02"`))
		}
		return []byte(t.Format(`"` + time.RFC3339 + `"`))
	}), nil
}

// demoHosts are the hosts of the territories, by name of the territory.
type demoHosts map[string]string

// publish publishes a record unless it is there already.
func (hosts demoHosts) publish(ctx context.Context, n *Node, c essaim.Content) (essaim.Record, error) {
	r, err := n.store.RecordBySlug(ctx, c.Kind, "", essaim.Slug(c.Title))
	if !errors.Is(err, essaim.ErrNotFound) {
		return r, err
	}
	if err := hosts.resolve(ctx, n, &c); err != nil {
		return r, err
	}
	return n.store.CreateRecord(ctx, essaim.NewRecord{Content: c, State: essaim.StatePublished, Author: demoAuthor})
}

// resolve puts records in the place of their kinds and titles, and gives credits
// the actors of the organisations that they name. essaim.ErrNotFound while the node
// does not hold what is named.
func (hosts demoHosts) resolve(ctx context.Context, n *Node, c *essaim.Content) error {
	for i := range c.Relations {
		r, err := hosts.named(ctx, n, c.Relations[i].Target)
		if err != nil {
			return err
		}
		c.Relations[i].Target, c.Relations[i].Name = r.ID, r.Title
	}
	if c.DerivedFrom != nil {
		r, err := hosts.named(ctx, n, c.DerivedFrom.ID)
		if err != nil {
			return err
		}
		a, err := r.Adaptation()
		if err != nil {
			return err
		}
		c.DerivedFrom = a.DerivedFrom
	}
	for i := range c.Credits {
		r, err := n.store.RecordBySlug(ctx, essaim.KindOrganisation, "", essaim.Slug(c.Credits[i].Name))
		if err == nil {
			var name string
			name, err = n.store.RecordActor(ctx, r.ID)
			c.Credits[i].Actor = n.info.BaseURL + "/actors/" + name
		}
		if err != nil && !errors.Is(err, essaim.ErrNotFound) {
			return err
		}
	}
	return nil
}

func (hosts demoHosts) named(ctx context.Context, n *Node, target string) (essaim.Record, error) {
	kind, title, _ := strings.Cut(target, ":")
	territory, of, another := strings.Cut(kind, "/")
	if !another {
		territory, of = "", kind
	}
	return n.store.RecordBySlug(ctx, essaim.Kind(of), hosts[territory], essaim.Slug(title))
}
