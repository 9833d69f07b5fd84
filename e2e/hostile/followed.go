// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"essaim/e2e/rig"
)

// A node asks for nothing that a stranger names. What an item wants it to fetch is
// therefore also sent by the peer, which it follows, and it must be seen to ask.

// asFollowed is the item's activity as the peer would send it: public, with an id,
// an actor and an object's id and author of its own.
func (t *trial) asFollowed() (doc, object map[string]any, err error) {
	dec := json.NewDecoder(bytes.NewReader(t.body))
	dec.UseNumber()
	if err := dec.Decode(&doc); err != nil {
		return nil, nil, fmt.Errorf("%s sends no activity: %w", t.item.ID, err)
	}
	t.serial++
	peer := t.fakes["peer.test"].url
	maps.Copy(doc, map[string]any{
		"id": fmt.Sprintf("%s/honest/%d", peer, t.serial), "actor": t.names["PACTOR"], "to": []string{rig.Public},
	})
	if object, _ = doc["object"].(map[string]any); object != nil {
		object["id"], object["attributedTo"] = fmt.Sprintf("%s/n/%s-%d", peer, strings.ToLower(t.item.ID), t.serial), t.names["PACTOR"]
	}
	return doc, object, nil
}

// alsoFollowed sends the item's activity in the name of the peer, which must be
// taken; takeBack undoes what came of it.
func (t *trial) alsoFollowed() (takeBack func() error, err error) {
	doc, object, err := t.asFollowed()
	if err != nil {
		return nil, err
	}
	if err := t.tell(doc); err != nil {
		return nil, err
	}
	return func() error {
		if object != nil {
			return t.post(t.ctx, t.fakes["peer.test"], t.names["PACTOR"], "Delete", object["id"], nil)
		}
		return t.undo(doc["id"], doc["object"])
	}, nil
}

// tell sends an activity of the peer, which must be taken.
func (t *trial) tell(doc map[string]any) error {
	body, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	status, err := t.deliver(t.ctx, t.fakes["peer.test"], t.names["PACTOR"], body)
	if err == nil && status/100 != 2 {
		err = fmt.Errorf("the same of a followed host is answered %d", status)
	}
	return err
}

// announce has the peer announce an address; takeBack undoes what came of it.
func (t *trial) announce(address string) (takeBack func() error, err error) {
	err = t.post(t.ctx, t.fakes["peer.test"], t.names["PACTOR"], "Announce", address, nil)
	id := fmt.Sprintf("%s/honest/%d", t.fakes["peer.test"].url, t.serial)
	return func() error { return t.undo(id, address) }, err
}

func (t *trial) undo(announce, object any) error {
	return t.post(t.ctx, t.fakes["peer.test"], t.names["PACTOR"], "Undo",
		map[string]any{"id": announce, "type": "Announce", "actor": t.names["PACTOR"], "object": object}, nil)
}

// heard is the first line of the node's log, since the item began, that holds all
// of the texts.
func (t *trial) heard(texts ...string) (string, error) {
	f, err := os.Open(t.logFile())
	if err != nil {
		return "", err
	}
	defer f.Close()
	if _, err := f.Seek(t.logAt, io.SeekStart); err != nil {
		return "", err
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return "", err
	}
	for line := range bytes.Lines(text) {
		if !slices.ContainsFunc(texts, func(s string) bool { return !bytes.Contains(line, []byte(s)) }) {
			return string(line), nil
		}
	}
	return "", fmt.Errorf("the log does not say %q", texts)
}

// held waits until an object is a candidate, or no more one.
func (t *trial) held(object any, want bool) error {
	return rig.Eventually(10*time.Second, func() error {
		items, err := t.items(t.ctx, "held")
		if err != nil {
			return err
		}
		is := slices.ContainsFunc(items, func(item map[string]any) bool { return item["ref"] == object && item["kind"] == "candidate" })
		if is != want {
			return fmt.Errorf("%v is a candidate: %v, want %v", object, is, want)
		}
		return nil
	})
}

// disbelieves has the peer announce what the item does: its host is asked for it
// and what it says is not kept. What is right at the same address is, so that it
// was refused for what was wrong with it and nothing else.
func (t *trial) disbelieves() error {
	doc, _, err := t.asFollowed()
	if err != nil {
		return err
	}
	address, _ := doc["object"].(string)
	at, err := url.Parse(address)
	if err != nil || t.fakes[at.Host] == nil {
		return fmt.Errorf("%s announces %q, which no host of ours serves: %w", t.item.ID, address, err)
	}
	host := t.fakes[at.Host]
	if n := host.asked(at.Path); n != 0 {
		return fmt.Errorf("%d fetches for a stranger", n)
	}
	before, err := t.dump(t.ctx)
	if err != nil {
		return err
	}
	takeBack, err := t.announce(address)
	if err != nil {
		return err
	}
	err = rig.Eventually(10*time.Second, func() error {
		_, err := t.heard("no candidate", address)
		if host.asked(at.Path) == 0 {
			err = fmt.Errorf("%s was not asked for %s", host.host, at.Path)
		}
		return err
	})
	if err != nil {
		return err
	}
	after, err := t.dump(t.ctx)
	if err != nil {
		return err
	}
	if d := differ(before, after); d != "" {
		return fmt.Errorf("a forgery is kept:%s", d)
	}
	if err := takeBack(); err != nil {
		return err
	}
	host.put(at.Path, document(rig.ActivityJSON, note(address, host.url+"/u/"+t.author(host))))
	if takeBack, err = t.announce(address); err != nil {
		return err
	}
	if err := t.held(address, true); err != nil {
		return fmt.Errorf("what is right there: %w", err)
	}
	if err := takeBack(); err != nil {
		return err
	}
	return t.held(address, false)
}

// author names an actor of a host that publishes.
func (t *trial) author(f *fake) string {
	if f == t.evil() {
		return "evil"
	}
	return f.host[:1]
}

// brought has the peer publish the item's object, as change makes it. It becomes a
// candidate, and nothing that it names is asked for.
func (t *trial) brought(change func(doc, object map[string]any)) error {
	fetches := 0
	// Hosts rest between fetches: one that a lie before had made due may come now.
	// What a publication causes it causes each time.
	for range 3 {
		doc, object, err := t.asFollowed()
		if err != nil {
			return err
		}
		if object == nil {
			return errors.New("the item publishes nothing")
		}
		change(doc, object)
		t.victim().clear()
		if err := t.tell(doc); err != nil {
			return err
		}
		if err := t.held(object["id"], true); err != nil {
			return err
		}
		fetches = t.quiet(t.victim())
		if err := t.post(t.ctx, t.fakes["peer.test"], t.names["PACTOR"], "Delete", object["id"], nil); err != nil {
			return err
		}
		if err := t.held(object["id"], false); err != nil || fetches == 0 {
			return err
		}
	}
	return fmt.Errorf("%d fetches of what it names, and some each time before", fetches)
}
