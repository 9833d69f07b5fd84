// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"essaim/e2e/rig"
)

// fingerSpecials are discovery: what the node answers, and what it believes.
func fingerSpecials() map[string]special {
	service := func(href string) map[string]any {
		return map[string]any{"rel": rig.ASContext + "#Service", "type": rig.ActivityJSON, "href": href}
	}
	var many []map[string]any
	for range 100_000 {
		many = append(many, service("https://victim.test/actor"), self("https://victim.test/u/v"))
	}
	return map[string]special{
		"WF-011": {after: hiddenLikeAbsent, changes: true},
		"WF-012": {changes: true, send: subjectOfAnother},
		"WF-014": believesNobody("w14", document("application/jrd+json", map[string]any{
			"links": []map[string]any{{"rel": "lrdd", "template": "https://victim.test/.well-known/webfinger?resource={uri}"}},
		})),
		"WF-016": believesNobody("w16", document("application/jrd+json", map[string]any{"subject": "https://evil.test/", "links": many})),
		"WF-018": believesNobody("w18", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.String(), http.StatusFound) }),
		"WF-007": {after: func(t *trial) error {
			if t.got.header.Get("X") != "" {
				return fmt.Errorf("a header of theirs: %v", t.got.header)
			}
			return nil
		}},
		"WF-009": {after: func(t *trial) error {
			if t.got.status == http.StatusOK && bytes.Contains(t.got.body, []byte("..")) {
				return fmt.Errorf("not the one form of an address: %s", t.got.body)
			}
			return nil
		}},
	}
}

func self(href string) map[string]any {
	return map[string]any{"rel": "self", "type": rig.ActivityJSON, "href": href}
}

// believesNobody is an answer that names no actor in a form to be believed: no host
// is followed by it, no account, and nobody is mentioned. name is one that nobody
// asked for before.
func believesNobody(name string, jrd http.HandlerFunc) special {
	return special{
		changes: true,
		send: func(t *trial) (int, error) {
			if err := t.refusesHost(jrd); err != nil {
				return 0, err
			}
			for _, account := range []string{"@v@evil.test", "@evil@evil.test", "v@evil.test"} {
				start, asked := time.Now(), t.evil().asked("/.well-known/webfinger")
				if err := t.command("peer", "follow", account); err == nil {
					return 0, fmt.Errorf("it follows %s on such an answer", account)
				}
				asked = t.evil().asked("/.well-known/webfinger") - asked
				if took := time.Since(start); asked < 1 || asked > 6 || took > 35*time.Second {
					return 0, fmt.Errorf("%s: asked %d times in %s", account, asked, took)
				}
			}
			return 0, t.mentions(name+"@evil.test", "")
		},
		after: func(t *trial) error {
			if got := t.victim().delivered(); len(got) != 0 {
				return fmt.Errorf("the node posted to the victim: %+v", got)
			}
			return t.bound(0)
		},
	}
}

// refusesHost has the node asked to follow evil.test, which answers so when it is
// asked who stands for it.
func (t *trial) refusesHost(jrd http.HandlerFunc) error {
	t.evil().put("/.well-known/nodeinfo", http.NotFound)
	t.evil().put("/.well-known/webfinger", jrd)
	start := time.Now()
	if err := t.command("peer", "follow", "evil.test"); err == nil {
		return errors.New("it follows evil.test on such an answer")
	}
	if took := time.Since(start); took > 35*time.Second {
		return fmt.Errorf("it took %s", took)
	}
	if t.evil().asked("/.well-known/webfinger") == 0 {
		return errors.New("it was not asked")
	}
	return nil
}

// subjectOfAnother has evil answer with the name of the victim, for an actor of its
// own and for the victim's: whoever is followed goes by the name that its own host
// gives it, and nobody is mentioned under another.
func subjectOfAnother(t *trial) (int, error) {
	for _, actor := range []string{t.names["EACTOR"], t.names["VACTOR"]} {
		jrd := document("application/jrd+json", map[string]any{
			"subject": "acct:v@victim.test", "links": []map[string]any{{"rel": rig.ASContext + "#Service", "type": rig.ActivityJSON, "href": "https://victim.test/actor"}, self(actor)},
		})
		if err := t.refusesHost(jrd); err != nil {
			return 0, err
		}
		for _, account := range []string{"@v@evil.test", "@evil@evil.test"} {
			if err := t.command("peer", "follow", account); err != nil {
				return 0, fmt.Errorf("%s is not followed by its own name: %w", account, err)
			}
			if err := t.bound(1); err != nil {
				return 0, fmt.Errorf("%s, which leads to %s: %w", account, actor, err)
			}
			if err := t.command("peer", "remove", handleOf(actor)); err != nil {
				return 0, err
			}
		}
	}
	// The answer is the last one: the victim's actor.
	return 0, t.mentions("v@evil.test", t.names["VACTOR"])
}

// bound holds that so many accounts are followed, each by the name that its actor
// has on its own host.
func (t *trial) bound(want int) error {
	out, err := t.node.Run(t.ctx, "peer", "accounts", "--data", t.node.Dir, "--json")
	if err != nil {
		return err
	}
	var rows []struct{ Handle, Actor string }
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		return err
	}
	if len(rows) != want {
		return fmt.Errorf("%d accounts are followed, want %d: %s", len(rows), want, out)
	}
	for _, r := range rows {
		if r.Handle != handleOf(r.Actor) {
			return fmt.Errorf("%s is followed as %s", r.Actor, r.Handle)
		}
	}
	return nil
}

// handleOf is the name that a fake host gives an actor of its own.
func handleOf(actor string) string {
	at, err := url.Parse(actor)
	if err != nil {
		return ""
	}
	return "@" + path.Base(at.Path) + "@" + at.Host
}

// mentions publishes a text that names a handle of evil.test, which must be asked
// about it, and one of the peer: only the peer's is a mention.
func (t *trial) mentions(handle, never string) error {
	t.evil().recount()
	var made rig.Listed
	err := t.node.API(t.ctx, http.MethodPost, "initiatives", map[string]any{
		"title": "Fiche qui nomme " + t.item.ID, "tagline": "Deux comptes.", "description": "Avec @" + handle + " et @reader-" + strings.ToLower(t.item.ID) + "@peer.test.",
		"themes": []string{"reemploi"}, "places": []map[string]any{{"insee": "29019"}},
	}, &made)
	if err != nil {
		return err
	}
	_, _, body, err := t.get(t.ctx, made.ID, rig.ActivityJSON)
	if err != nil {
		return err
	}
	var doc struct {
		Cc  []string
		Tag []struct{ Type, Href string }
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return err
	}
	known := false
	for _, tag := range doc.Tag {
		if tag.Type != "Mention" {
			continue
		}
		if !strings.HasPrefix(tag.Href, "https://peer.test/u/reader-") {
			return fmt.Errorf("@%s is a mention of %s", handle, tag.Href)
		}
		known = true
	}
	switch {
	case !known:
		return fmt.Errorf("the peer's account is not mentioned either: %s", body)
	case t.evil().asked("/.well-known/webfinger") == 0:
		return errors.New("evil.test was not asked whom it names")
	case never != "" && slices.Contains(doc.Cc, never):
		return fmt.Errorf("it is addressed to %s", never)
	}
	return t.node.API(t.ctx, http.MethodDelete, "initiatives/"+made.Slug, nil, nil)
}

// hiddenLikeAbsent holds that the name of a person who took her profile back, and
// one that is reserved, answer as one that never was, in the same time. While she
// is there she is found.
func hiddenLikeAbsent(t *trial) error {
	if out, err := t.node.Run(t.ctx, "user", "add", "--data", t.node.Dir, "--email", "hidden@node.test", "--role", "contributeur"); err != nil {
		return err
	} else if link := signInLink.FindStringSubmatch(out); link != nil {
		t.mail.secrets = append(t.mail.secrets, link[1][strings.LastIndexByte(link[1], '/')+1:])
	}
	if err := t.command("user", "publish", "hidden@node.test", "--name", "hidden"); err != nil {
		return err
	}
	resources := func(name string) []string {
		return []string{"acct:" + name + "@node.test", "https://node.test/actors/" + name, "https://node.test/personnes/" + name}
	}
	finger := func(resource string) (int, []byte, error) {
		status, _, body, err := t.get(t.ctx, "/.well-known/webfinger?resource="+url.QueryEscape(resource), "application/jrd+json")
		return status, body, err
	}
	for _, resource := range resources("hidden") {
		if status, body, err := finger(resource); err != nil || status != http.StatusOK {
			return fmt.Errorf("%s, who is there: %d %s, %w", resource, status, body, err)
		}
	}
	if err := t.command("user", "unpublish", "hidden@node.test"); err != nil {
		return err
	}
	measure := func(resource string) (time.Duration, int, []byte, error) {
		var times []time.Duration
		var body []byte
		status := 0
		for range 15 {
			start := time.Now()
			var err error
			if status, body, err = finger(resource); err != nil {
				return 0, 0, nil, err
			}
			times = append(times, time.Since(start))
		}
		return slices.Min(times), status, body, nil
	}
	absent := resources("nobody")
	for _, name := range []string{"hidden", "admin"} {
		for i, resource := range resources(name) {
			took, status, body, err := measure(resource)
			if err != nil {
				return err
			}
			other, want, same, err := measure(absent[i])
			if err != nil {
				return err
			}
			// Of each the quickest: the rest is load.
			if status != want || !t.item.expects(status) || !bytes.Equal(body, same) || (took-other).Abs() > 20*time.Millisecond {
				return fmt.Errorf("%s: %d %s in %s; one that never was: %d %s in %s", resource, status, body, took, want, same, other)
			}
		}
	}
	return nil
}
