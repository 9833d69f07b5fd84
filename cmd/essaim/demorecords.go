// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"embed"
	"encoding/json"
	"fmt"

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

//go:embed demo/*.json
var demoFiles embed.FS

// demoRecords are the records that a territory of the demonstration publishes
// itself, with their communes placed by the gazetteer.
func demoRecords(username string, g *essaim.Gazetteer) ([]essaim.Content, error) {
	raw, err := demoFiles.ReadFile("demo/" + username + ".json")
	if err != nil {
		return nil, fmt.Errorf("demonstration %s: %w", username, essaim.ErrNotFound)
	}
	var list []essaim.Content
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("demonstration %s: %w", username, err)
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
