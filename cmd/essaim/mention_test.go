// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"essaim"
	"essaim/federation/fedtest"
)

// Whom a record names hears of it, although nobody there follows the territory.
func TestWhomARecordNamesReceivesIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := fedtest.NewNetwork()
		peer := fedtest.NewPeer(t, network, "m.example", "Person")
		peer.Put("https://m.example/.well-known/webfinger?resource=acct%3Aalice%40m.example", map[string]any{
			"subject": "acct:alice@m.example", "links": []map[string]string{{"rel": "self", "type": "application/activity+json", "href": peer.Actor}},
		})
		n := startNode(t, network, "brest")
		defer n.stop()
		c := essaim.Content{
			Kind: essaim.KindInitiative, Title: "Atelier", Tagline: "Réparer ensemble", Text: "Avec @alice@m.example.", Everywhere: true,
			Themes: []string{"alimentation"}, Licence: essaim.DefaultLicence, Body: &essaim.Initiative{},
		}
		c.Mentions = n.server.Mentions(t.Context(), c.Handles())
		rec, err := n.CreateRecord(t.Context(), essaim.NewRecord{State: essaim.StatePublished, Author: essaim.Author{Name: "test"}, Content: c})
		if err != nil {
			t.Fatal(err)
		}
		within(t, 10*time.Second, "the Create arrives", func() bool { return len(peer.Received()) == 1 })
		body := peer.Received()[0].Body
		for _, f := range fedtest.Lint(body) {
			t.Error(f)
		}
		var a struct {
			Type   string
			CC     []string
			Object struct {
				ID, Content string
				CC          []string
				Tag         []struct{ Type, Name, Href string }
			}
		}
		if err := json.Unmarshal(body, &a); err != nil {
			t.Fatal(err)
		}
		named := slices.ContainsFunc(a.Object.Tag, func(tag struct{ Type, Name, Href string }) bool {
			return tag.Type == "Mention" && tag.Href == peer.Actor && tag.Name == "@alice@m.example"
		})
		if a.Type != "Create" || a.Object.ID != rec.ID || !slices.Contains(a.CC, peer.Actor) || !slices.Contains(a.Object.CC, peer.Actor) || !named ||
			!strings.Contains(a.Object.Content, `<a href="`+peer.Actor+`" class="mention"`) {
			t.Errorf("got %s", body)
		}
	})
}
