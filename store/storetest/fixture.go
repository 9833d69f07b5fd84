// SPDX-License-Identifier: AGPL-3.0-or-later

package storetest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"essaim"
	"essaim/store"
)

// Base is the address of the node that Node makes.
const Base = "https://brest.example"

// Start is the time at which a Clock begins.
var Start = time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC)

// Clock is a clock that tests move.
type Clock struct {
	mu sync.Mutex
	t  time.Time
}

// Now is the clock's time; each reading moves it by a microsecond, so that
// nothing happens at the same time by accident.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.t.IsZero() {
		c.t = Start
	}
	c.t = c.t.Add(time.Microsecond)
	return c.t
}

// Move moves the clock.
func (c *Clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.t.IsZero() {
		c.t = Start
	}
	c.t = c.t.Add(d)
}

// Render makes documents that are plain JSON without a proof: enough to tell
// versions apart.
func Render(r essaim.RenderRequest) (essaim.Rendered, error) {
	doc, err := json.Marshal(map[string]any{"id": r.Record.ID, "type": r.Verb, "revision": r.Record.Revision, "name": r.Record.Title})
	if err != nil {
		return essaim.Rendered{}, err
	}
	activity, err := json.Marshal(map[string]any{"id": r.ActivityID, "type": r.Verb, "object": json.RawMessage(doc)})
	sum := sha256.Sum256(doc)
	digest := hex.EncodeToString(sum[:])
	return essaim.Rendered{Document: doc, Activity: activity, ContentDigest: digest, CopyDigest: digest}, err
}

// Tell makes the activities of actors in the same manner; an Update says what is
// read of an actor.
func Tell(t essaim.Told) ([]byte, error) {
	object := any(t.Object)
	if t.Is != nil {
		object = map[string]any{"id": t.Object, "name": cmp.Or(t.Is.Profile.Name, t.Is.Record.Title), "summary": cmp.Or(t.Is.Profile.Summary, t.Is.Record.Tagline), "updated": t.Is.UpdatedAt}
	}
	return json.Marshal(map[string]any{"id": t.ID, "type": t.Verb, "actor": t.Actor, "object": object, "published": t.At})
}

// Actor makes documents of actors in the same manner.
func Actor(a essaim.LocalActor) (essaim.Rendered, error) {
	doc, err := json.Marshal(map[string]any{"id": a.ID, "gone": a.Gone, "summary": a.Profile.Summary, "name": a.Record.Title})
	sum := sha256.Sum256(doc)
	digest := hex.EncodeToString(sum[:])
	return essaim.Rendered{Document: doc, ContentDigest: digest, CopyDigest: digest}, err
}

// Node opens a database as the node of Base with the territory Brest: with
// Render, a clock of its own and ids that count up.
func (db DB) Node(t testing.TB, with ...func(*store.Config)) (*store.Store, *Clock) {
	t.Helper()
	clock := &Clock{}
	var last atomic.Int64
	all := append([]func(*store.Config){func(c *store.Config) {
		c.Now = clock.Now
		c.Render, c.Tell, c.Actor = Render, Tell, Actor
		c.NewID = func() string { return fmt.Sprintf("01k%023d", last.Add(1)) }
	}}, with...)
	s := db.Open(t, all...)
	err := s.CreateNode(t.Context(), essaim.Node{
		BaseURL: Base, Incarnation: Start.Unix(), KeyFingerprint: "none",
		Territory: essaim.Territory{Actor: Base + "/actors/brest", Username: "brest", Name: "Brest"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, clock
}

// Initiative is a content that may be published.
func Initiative(title string, with ...func(*essaim.Content)) essaim.Content {
	lat, lon := essaim.Point(48.39, -4.486)
	c := essaim.Content{
		Kind: essaim.KindInitiative, Title: title, Tagline: "En une phrase.", Licence: essaim.DefaultLicence,
		Themes: []string{"alimentation"}, Places: []essaim.Place{{Label: "Brest", INSEE: "29019", Lat: lat, Lon: lon}},
		Body: &essaim.Initiative{Stage: "experimentation"},
	}
	for _, f := range with {
		f(&c)
	}
	return c
}

// Author is an account that writes.
var Author = essaim.Author{User: 1, Name: "Contributrice de démonstration"}

// Publish publishes a content and fails the test when it is refused.
func Publish(t testing.TB, s *store.Store, c essaim.Content) essaim.Record {
	t.Helper()
	r, err := s.CreateRecord(t.Context(), essaim.NewRecord{Content: c, State: essaim.StatePublished, Author: Author})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
