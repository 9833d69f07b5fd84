// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"time"

	"essaim/e2e/rig"
)

// specials are the items that need more than to be sent.
func specials(items []item) map[string]special {
	all := map[string]special{}
	for _, part := range []map[string]special{authority(), forged(), signatureSpecials(), jsonSpecials(), fieldSpecials(items), fingerSpecials(), inwardSpecials(), sinkSpecials(), loops(), pageSpecials(), privateSpecials(), floodSpecials(), ownSpecials(), doorSpecials(), commandSpecials(items), pushedSpecials(items), scripted(items)} {
		maps.Copy(all, part)
	}
	return all
}

// command runs a command of the node and wants it to work; it is an input too.
func (t *trial) command(args ...string) error {
	t.inputs.Add(1)
	_, err := t.node.Run(t.ctx, append(args, "--data", t.node.Dir)...)
	return err
}

// blocked blocks a host for one item.
func blocked(host string, sp special) special {
	before := sp.before
	sp.before = func(t *trial) error {
		if before != nil {
			if err := before(t); err != nil {
				return err
			}
		}
		return t.command("peer", "block", host)
	}
	sp.undo = func(t *trial) error { return t.command("peer", "unblock", host) }
	return sp
}

// authority holds who may say what about whom.
func authority() map[string]special {
	m := map[string]special{
		// Two activities without id do not shadow each other.
		"ORG-008": {send: func(t *trial) (int, error) {
			if status, err := t.ask(); err != nil || !refused(status) {
				return status, err
			}
			return t.ask()
		}},
		"ORG-018": {after: func(t *trial) error {
			if n := t.victim().asked(""); n > 1 {
				return fmt.Errorf("%d requests to the third host", n)
			}
			return nil
		}},
		"ORG-022": {after: victimStillSigns},
		"ORG-025": {after: victimStillSigns},
		"ORG-012": {after: victimStillSigns},
		"ORG-023": {after: func(t *trial) error {
			if n := t.victim().asked(""); n > 1 {
				return fmt.Errorf("%d fetches of the target", n)
			}
			return nil
		}},
		"ORG-026": blocked("evil.test", special{}),
		"ORG-068": {
			before: func(t *trial) error {
				author := t.victim().url + "/u/suspended"
				t.victim().putActor("/u/suspended", "Person", nil)
				t.victim().put("/n/boosted", document(rig.ActivityJSON, note(t.victim().url+"/n/boosted", author)))
				t.names["VOBJ"] = t.victim().url + "/n/boosted"
				return t.command("peer", "block", "victim.test")
			},
			undo: func(t *trial) error {
				if err := t.command("peer", "unblock", "victim.test"); err != nil {
					return err
				}
				return t.follow(t.ctx, "victim.test") // the block ended it
			},
		},
		"ORG-065": {changes: true, after: laterUpdateCounts},
		"ORG-064": {before: func(t *trial) error {
			t.names["PEER_OBJECT"] = "https://peer.test/n/1"
			return nil
		}},
	}
	for id, change := range map[string]map[string]any{
		"ORG-055": {"inbox": "https://victim.test/inbox", "followers": "https://victim.test/x", "endpoints": map[string]string{"sharedInbox": "https://victim.test/inbox"}},
		"ORG-056": {"inbox": "https://evil.test/inbox'; DROP TABLE deliveries;--"},
		"ORG-058": {"inbox": []string{"https://evil.test/in"}},
		"ORG-060": {"inbox": ""},
	} {
		m[id] = oddActor(change)
	}
	return m
}

// note is a plain public Note.
func note(id, author string) map[string]any {
	return map[string]any{
		"@context": rig.ASContext, "id": id, "type": "Note", "attributedTo": author, "content": "<p>Bonjour</p>",
		"published": "2026-01-01T00:00:00Z", "to": []string{rig.Public},
	}
}

// victimStillSigns holds that the victim's key and account are what they were:
// it likes a record, and takes it back.
func victimStillSigns(t *trial) error {
	before, err := t.total(t.ctx, t.object+"/likes")
	if err != nil {
		return err
	}
	for _, step := range []struct {
		kind string
		want int
	}{{"Like", before + 1}, {"Undo", before}} {
		object := any(t.object)
		if step.kind == "Undo" {
			object = map[string]any{"id": fmt.Sprintf("https://victim.test/honest/%d", t.serial), "type": "Like", "actor": t.names["VACTOR"], "object": t.object}
		}
		if err := t.post(t.ctx, t.victim(), t.names["VACTOR"], step.kind, object, nil); err != nil {
			return err
		}
		err := rig.Eventually(5*time.Second, func() error {
			n, err := t.total(t.ctx, t.object+"/likes")
			if err == nil && n != step.want {
				err = fmt.Errorf("%s of the victim: %d thanks, want %d", step.kind, n, step.want)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// laterUpdateCounts holds that no date freezes an object.
func laterUpdateCounts(t *trial) error {
	title := "Fiche du pair, plus tard"
	doc := t.record("peer.test", "1", title, map[string]any{"updated": time.Now().UTC().Format(time.RFC3339), "essaim:revision": 2})
	if err := t.post(t.ctx, t.fakes["peer.test"], t.names["PACTOR"], "Update", doc, nil); err != nil {
		return err
	}
	return rig.Eventually(5*time.Second, func() error {
		rows, err := t.node.Records(t.ctx, "")
		if err != nil {
			return err
		}
		for _, r := range rows {
			if r.ID == "https://peer.test/n/1" && r.Title == title {
				return nil
			}
		}
		return errors.New("a later honest Update is not applied")
	})
}

// oddActor has an actor never seen before, whose document lies, follow the node.
func oddActor(change map[string]any) special {
	return special{
		changes: true,
		before: func(t *trial) error {
			t.names["EACTOR"] = t.evil().putActor("/u/odd-"+t.item.ID, "Person", change)
			t.who()
			return nil
		},
		after: func(t *trial) error {
			// An honest follower's Accept goes out all the same, and within its time.
			id := t.fakes["peer.test"].url + "/u/f-" + t.item.ID
			follow := map[string]any{"id": id + "/follow"}
			if err := t.post(t.ctx, t.fakes["peer.test"], id, "Follow", t.names["ALICE"], follow); err != nil {
				return err
			}
			err := rig.Eventually(10*time.Second, func() error {
				for _, r := range t.fakes["peer.test"].delivered() {
					if r.Type == "Accept" && bytes.Contains(r.Obj, []byte(id)) {
						return nil
					}
				}
				return errors.New("the Accept of an honest follower does not come")
			})
			if err != nil {
				return err
			}
			if got := t.victim().delivered(); len(got) != 0 {
				return fmt.Errorf("the node posted to a third host: %+v", got)
			}
			undo := map[string]any{"id": id + "/follow", "type": "Follow", "actor": id, "object": t.names["ALICE"]}
			return t.post(t.ctx, t.fakes["peer.test"], id, "Undo", undo, nil)
		},
	}
}
