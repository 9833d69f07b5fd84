// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"essaim/e2e/rig"
)

// activity is one thing to send.
type activity struct {
	kind     string
	actor    string
	body     []byte
	repeated bool // it was sent again after its first 2xx
}

// ledger is what must be true in the end: the rig's own account of what it
// sent, against which the node's public answers are held.
type ledger struct {
	objects   []object
	territory string
	followers []string          // follow ids
	titles    map[string]string // replicated record id → title of its last version
	host      string

	mu      sync.Mutex
	accepts map[string]int // follow id → Accepts received
}

type object struct {
	id, likes, shares string
	liked, shared     int
}

const localRecords = 40

// makePlan creates records to react to, and the activities: half are records
// and their changes, half Likes, Announces and Follows.
func makePlan(ctx context.Context, rng *rand.Rand, node *rig.Node, peer *rig.Peer, led *ledger, n int) ([]*activity, error) {
	led.titles, led.host = map[string]string{}, rig.Host(peer.URL)
	for i := range localRecords {
		var made rig.Listed
		err := node.API(ctx, http.MethodPost, "initiatives", map[string]any{
			"title": fmt.Sprintf("Initiative %d", i), "tagline": "Une initiative à remercier.", "description": "Texte.",
			"themes": []string{"reemploi"}, "places": []map[string]any{{"insee": "29019"}},
		}, &made)
		if err != nil {
			return nil, err
		}
		doc, err := document(ctx, made.ID)
		if err != nil {
			return nil, err
		}
		led.territory = doc.AttributedTo
		led.objects = append(led.objects, object{id: made.ID, likes: doc.Likes, shares: doc.Shares})
	}
	plan := make([]*activity, 0, n)
	add := func(kind, actor string, body []byte) {
		plan = append(plan, &activity{kind: kind, actor: actor, body: body})
	}
	for i := range n / 5 { // a fifth are Likes, a fifth Announces: one per actor and object
		actor, o := peer.Actor("p"+strconv.Itoa(i/localRecords)), &led.objects[i%localRecords]
		add("Like", actor, peer.Activity("Like", fmt.Sprintf("like-%d", i), actor, o.id, nil))
		add("Announce", actor, peer.Activity("Announce", fmt.Sprintf("announce-%d", i), actor, o.id, nil))
		o.liked++
		o.shared++
	}
	for i := range n/2 - 2*(n/5) {
		actor := peer.Actor("f" + strconv.Itoa(i))
		follow := peer.Activity("Follow", fmt.Sprintf("follow-%d", i), actor, led.territory, nil)
		led.followers = append(led.followers, peer.URL+"/activities/"+fmt.Sprintf("follow-%d", i))
		add("Follow", actor, follow)
	}
	territory := peer.Actor("territory")
	for i := 0; len(plan) < n; i++ {
		versions := 1
		if i%4 == 0 && len(plan)+2 <= n {
			versions = 2
		}
		for v := 1; v <= versions; v++ {
			doc := record(peer, i, v)
			kind := "Create"
			if v > 1 {
				kind = "Update"
			}
			led.titles[doc["id"].(string)] = doc["name"].(string)
			add(kind, territory, peer.Activity(kind, fmt.Sprintf("record-%d-%d", i, v), territory, doc, nil))
		}
	}
	rng.Shuffle(len(plan), func(i, j int) { plan[i], plan[j] = plan[j], plan[i] })
	return plan, nil
}

// record is a version of a record of the peer, as vocabulary.md has it.
func record(peer *rig.Peer, i, version int) map[string]any {
	id := fmt.Sprintf("%s/objects/%d", peer.URL, i)
	title := fmt.Sprintf("Fiche distante %d, version %d", i, version)
	at := time.Date(2026, 1, 1, 0, 0, version, 0, time.UTC).Format(time.RFC3339)
	return map[string]any{
		"@context": []any{rig.ASContext, map[string]string{"essaim": "https://w3id.org/essaim#", "dcterms": "http://purl.org/dc/terms/"}},
		"id":       id, "type": "Article", "attributedTo": peer.Actor("territory"),
		"name": title, "summary": "<p>Une fiche venue d'ailleurs.</p>", "content": "<p>Son texte.</p>", "mediaType": "text/html",
		"url": fmt.Sprintf("%s/initiatives/fiche-%d", peer.URL, i), "published": "2026-01-01T00:00:00Z", "updated": at,
		"to": []string{rig.Public}, "essaim:kind": "initiative", "essaim:revision": version, "essaim:incarnation": 1,
		"essaim:tagline": "Une fiche venue d'ailleurs.", "essaim:themes": []string{"https://w3id.org/essaim/themes#reemploi"},
		"essaim:territory": peer.Actor("territory"), "dcterms:license": "https://creativecommons.org/licenses/by-sa/4.0/",
	}
}

type apDocument struct {
	ID           string `json:"id"`
	AttributedTo string `json:"attributedTo"`
	Likes        string `json:"likes"`
	Shares       string `json:"shares"`
}

func document(ctx context.Context, id string) (apDocument, error) {
	var doc apDocument
	status, body, err := rig.Get(ctx, id, rig.ActivityJSON)
	if err != nil {
		return doc, err
	}
	if status != http.StatusOK {
		return doc, fmt.Errorf("%s: %d", id, status)
	}
	err = json.Unmarshal(body, &doc)
	return doc, err
}

type check struct {
	name string
	f    func() error
}

// checks hold the ledger against what the node answers to anyone.
func (l *ledger) checks(ctx context.Context, node *rig.Node) []check {
	return []check{
		{fmt.Sprintf("%d likes and announces have exactly one effect each", 2*l.reactions()), func() error { return l.checkReactions(ctx) }},
		{fmt.Sprintf("%d follows have exactly one effect each", len(l.followers)), func() error {
			total, err := rig.Total(ctx, l.territory+"/followers")
			if err == nil && total != len(l.followers) {
				err = fmt.Errorf("%d followers, sent %d", total, len(l.followers))
			}
			return err
		}},
		{"each follow got its Accept", func() error {
			l.mu.Lock()
			defer l.mu.Unlock()
			for _, id := range l.followers {
				if l.accepts[id] == 0 {
					return fmt.Errorf("no Accept of %s (%d of %d have one)", id, len(l.accepts), len(l.followers))
				}
			}
			return nil
		}},
		{fmt.Sprintf("%d records stand once each, in their last version", len(l.titles)), func() error { return l.checkRecords(ctx, node) }},
	}
}

func (l *ledger) reactions() (n int) {
	for _, o := range l.objects {
		n += o.liked
	}
	return n
}

func (l *ledger) checkReactions(ctx context.Context) error {
	for _, o := range l.objects {
		for address, want := range map[string]int{o.likes: o.liked, o.shares: o.shared} {
			got, err := rig.Total(ctx, address)
			if err != nil {
				return err
			}
			if got != want {
				return fmt.Errorf("%s: %d, sent %d", address, got, want)
			}
		}
	}
	return nil
}

func (l *ledger) checkRecords(ctx context.Context, node *rig.Node) error {
	rows, err := node.Records(ctx, "")
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, r := range rows {
		if r.Origin != l.host {
			continue
		}
		want, ok := l.titles[r.ID]
		switch {
		case !ok:
			return fmt.Errorf("%s was never sent", r.ID)
		case seen[r.ID]:
			return fmt.Errorf("%s stands twice", r.ID)
		case r.Title != want:
			return fmt.Errorf("%s: %q, the last version sent is %q", r.ID, r.Title, want)
		}
		seen[r.ID] = true
	}
	if len(seen) != len(l.titles) {
		return fmt.Errorf("%d records, sent %d", len(seen), len(l.titles))
	}
	return nil
}
