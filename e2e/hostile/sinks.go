// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"essaim/e2e/rig"
)

// sink puts a text where the item names, and looks at what shows it.
func (t *trial) sink(where, value string) (int, error) {
	b, err := t.open()
	if err != nil {
		return 0, err
	}
	look := func(paths ...string) (int, error) {
		for _, path := range paths {
			if _, err := b.look(t.node.URL + path); err != nil {
				return 0, err
			}
		}
		return 0, nil
	}
	switch {
	case where == "search query echo":
		return look("/recherche?q="+url.QueryEscape(value), "/initiatives?q="+url.QueryEscape(value), "/initiatives?theme="+url.QueryEscape(value))
	case strings.HasPrefix(where, "User-Agent"):
		got, err := t.asked("/", [2]string{"User-Agent", value}, [2]string{"Referer", "https://evil.test/" + value}, [2]string{"Accept-Language", value})
		if err != nil || strings.Contains(string(got.body), value) {
			return 0, fmt.Errorf("%w: the page repeats it", err)
		}
		return look("/")
	case where == "actor name" || where == "preferredUsername":
		name := map[string]any{"name": value}
		if where == "preferredUsername" {
			name = map[string]any{"preferredUsername": value}
		}
		actor := t.evil().putActor("/u/sink-"+t.item.ID, "Person", name)
		reply := note("https://evil.test/n/"+t.item.ID, actor)
		reply["inReplyTo"] = t.object
		if err := t.post(t.ctx, t.evil(), actor, "Create", reply, nil); err != nil {
			return 0, err
		}
		if t.moderates {
			if err := t.showComment(reply["id"].(string)); err != nil {
				return 0, err
			}
		}
		return look(t.routes["OBJ"], "/territoires")
	case strings.HasPrefix(where, "place name"), strings.HasPrefix(where, "url text"):
		return 0, t.showReplica(`<p>`+value+`</p>`, value)
	case where == "language code":
		doc := t.record("victim.test", strings.ToLower(t.item.ID), "Langue", map[string]any{
			"nameMap": map[string]string{value: "Langue"}, "contentMap": map[string]string{value: "<p>x</p>"}, "language": value,
		})
		if err := t.post(t.ctx, t.victim(), t.names["VACTOR"], "Create", doc, nil); err != nil {
			return 0, err
		}
		if err := t.applied(t.ctx); err != nil {
			return 0, err
		}
		if _, err := look("/initiatives", "/ailleurs/victim.test/fiche-"+strings.ToLower(t.item.ID)); err != nil {
			return 0, err
		}
		return 0, t.withdraw(doc["id"])
	case strings.Contains(where, "e-mail"):
		for _, l := range t.mail.received() {
			if strings.Contains(l.text, "onerror") {
				return 0, fmt.Errorf("a letter holds it: %s", l.text)
			}
		}
		var made rig.Listed
		content := map[string]any{"title": value, "description": value, "places": []map[string]any{{"insee": "29019"}}}
		if err := t.node.API(t.ctx, http.MethodPost, "organisations", content, &made); err != nil {
			return 0, err
		}
		if _, err := look("/structures", strings.TrimPrefix(made.URL, t.node.URL)); err != nil {
			return 0, err
		}
		return 0, t.node.API(t.ctx, http.MethodDelete, "organisations/"+made.Slug, nil, nil)
	}
	return 0, errors.New("no way to put a text into " + where)
}

// asked gets a page with headers of its own.
func (t *trial) asked(path string, headers ...[2]string) (*answer, error) {
	return t.world.send(t.ctx, &request{method: http.MethodGet, target: path, header: append([][2]string{{"Host", "node.test"}}, headers...)})
}

// showMarkdown publishes the item's Markdown as people do, and looks at it.
func showMarkdown(t *trial) error {
	text := strings.TrimPrefix(string(t.body), "description=")
	if len(text) > 20_000 {
		text = text[:20_000]
	}
	line := strings.ReplaceAll(text[:min(len(text), 60)], "\n", " ")
	var made rig.Listed
	content := map[string]any{
		"title": "Texte en Markdown " + line, "tagline": line, "description": text, "themes": []string{"reemploi"},
		"places": []map[string]any{{"insee": "29019", "label": line}},
	}
	if err := t.node.API(t.ctx, http.MethodPost, "initiatives", content, &made); err != nil {
		return err
	}
	if err := t.rendered(strings.TrimPrefix(made.URL, t.node.URL)); err != nil {
		return err
	}
	b, err := t.open()
	if err != nil {
		return err
	}
	for _, path := range []string{strings.TrimPrefix(made.URL, t.node.URL), "/initiatives"} {
		if _, err := b.look(t.node.URL + path); err != nil {
			return err
		}
	}
	return t.node.API(t.ctx, http.MethodDelete, "initiatives/"+made.Slug, nil, nil)
}

// rendered holds that a page is there in the time that its text may take, once of
// three times.
func (t *trial) rendered(path string) error {
	const within = 200 * time.Millisecond
	best := time.Hour
	for range 3 {
		got, err := t.asked(path)
		if err != nil || got.status != http.StatusOK {
			return fmt.Errorf("%s: %+v, %w", path, got, err)
		}
		if best = min(best, got.took); best < within {
			return nil
		}
	}
	return fmt.Errorf("%s took %s", path, best)
}

// lookalike serves an actor whose host looks like another in Cyrillic.
func lookalike(t *trial) error {
	const host = "xn--brst-w4d.test"
	f := t.fakes[host]
	if f == nil {
		var err error
		if f, err = t.guest(host); err != nil {
			return err
		}
	}
	t.signer, t.actor = f, "https://brеst.test/u/mairie"
	f.putActor("/u/mairie", "Person", map[string]any{"name": "Mairie"})
	return nil
}

// showLookalike has the look-alike answer a record, in both spellings of its name,
// and reads who is said to speak. A block in one spelling is one in both.
func showLookalike(t *trial) error {
	f := t.signer
	ids := map[string]string{f.url + "/u/mairie": f.url + "/n/xss-050", t.actor: "https://brеst.test/n/xss-050-b"}
	for actor, id := range ids {
		reply := note(id, actor)
		reply["inReplyTo"] = t.object
		if err := t.post(t.ctx, f, actor, "Create", reply, nil); err != nil {
			return err
		}
		if err := t.showComment(f.url + id[strings.LastIndex(id, "/n/"):]); err != nil {
			return err
		}
	}
	b, err := t.open()
	if err != nil {
		return err
	}
	text, err := b.look(t.node.URL + t.routes["OBJ"])
	if err != nil {
		return err
	}
	if n := strings.Count(text, "@mairie@"+f.host); n != len(ids) || strings.Contains(text, "brеst") {
		return fmt.Errorf("%d of %d answers are said to be of @mairie@%s: %.2000s", n, len(ids), f.host, text)
	}
	if err := t.command("peer", "block", "brеst.test"); err != nil {
		return err
	}
	if err := t.post(t.ctx, f, f.url+"/u/mairie", "Like", t.object, nil); err == nil {
		return errors.New("blocked in one spelling, it is heard in the other")
	}
	return t.command("peer", "unblock", f.host)
}
