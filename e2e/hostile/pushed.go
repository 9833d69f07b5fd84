// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"essaim/e2e/rig"
)

// Of a stranger nothing is kept whatever it says. What items push is therefore sent
// also by the peer, whose publications become candidates: it lies as the item does,
// and nothing is kept; it says the same in its own name, and that is.

// pushedSpecials are the items that say something false about an object.
func pushedSpecials(items []item) map[string]special {
	m := map[string]special{
		"ORG-062": {after: staysAPerson},
		// So many are too much of anybody. Of fewer, what is kept are the themes that they
		// name: nothing here.
		"JSON-006": {after: func(t *trial) error {
			return errors.Join(t.lies([]byte(t.byPeer())), t.brought(func(_, object map[string]any) {
				tags, _ := object["tag"].([]any)
				object["tag"] = tags[:200]
			}))
		}},
		"JSON-014": {after: func(t *trial) error { return t.lies([]byte(t.byPeer())) }},
	}
	for _, it := range items {
		if slices.Contains([]string{"create-foreign-id", "create-foreign-author", "id-array", "id-parser"}, it.Class) {
			m[it.ID] = special{after: falselyPushed}
		}
	}
	return m
}

// falselyPushed has the peer say what the item says, with the author that it names
// and with itself as the author, and then what is right.
func falselyPushed(t *trial) error {
	written := t.byPeer()
	if err := t.lies([]byte(written)); err != nil {
		return err
	}
	if t.item.Class != "create-foreign-author" {
		if err := t.lies([]byte(strings.ReplaceAll(written, t.names["VACTOR"], t.names["PACTOR"]))); err != nil {
			return fmt.Errorf("with itself as the author: %w", err)
		}
	}
	return t.brought(func(_, _ map[string]any) {})
}

// byPeer is the item's body with the peer for evil.
func (t *trial) byPeer() string {
	return strings.NewReplacer(t.names["EACTOR"], t.names["PACTOR"], `"`+t.names["EVIL"]+"/", `"`+t.names["PEER"]+"/").Replace(string(t.body))
}

// lies has the peer send a document, with an id of its own, that must be refused or
// change nothing.
func (t *trial) lies(body []byte) error {
	var doc map[string]any
	if err := json.Unmarshal(body, &doc); err != nil {
		return err
	}
	t.serial++
	doc["id"], doc["actor"], doc["to"] = fmt.Sprintf("%s/lies/%d", t.names["PEER"], t.serial), t.names["PACTOR"], []string{rig.Public}
	body, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	before, err := t.dump(t.ctx)
	if err != nil {
		return err
	}
	status, err := t.deliver(t.ctx, t.fakes["peer.test"], t.names["PACTOR"], body)
	if err != nil || !refused(status) && status/100 != 2 {
		return fmt.Errorf("a lie of a followed host is answered %d, %w", status, err)
	}
	if err := t.applied(t.ctx); err != nil {
		return err
	}
	after, err := t.dump(t.ctx)
	if err != nil {
		return err
	}
	if d := differ(before, after); d != "" {
		return fmt.Errorf("a lie of a followed host is kept:%s", d)
	}
	return nil
}

// staysAPerson holds that an actor described as something else is who it was: of a
// stranger and of the peer.
func staysAPerson(t *trial) error {
	peer := t.fakes["peer.test"]
	doc := map[string]any{"type": "Update", "actor": t.names["PACTOR"], "object": map[string]any{"id": t.names["PACTOR"], "type": "Note", "content": "x"}}
	body, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	if err := t.lies(body); err != nil {
		return err
	}
	// Whose key was read from those documents signs as before, without being asked.
	evils, peers := t.evil().asked("/u/evil"), peer.asked("/u/p")
	if err := errors.Join(thankAndUndo(t), t.honest(t.ctx, &timings{}), t.honest(t.ctx, &timings{})); err != nil {
		return err
	}
	if t.evil().asked("/u/evil") != evils || peer.asked("/u/p") != peers {
		return errors.New("who signs is asked for anew: what was known is gone")
	}
	return nil
}
