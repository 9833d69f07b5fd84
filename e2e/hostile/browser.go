// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"essaim/e2e/rig"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// browser looks at pages as a person does, and counts what no page may do.
type browser struct {
	ctx context.Context

	mu      sync.Mutex
	dialogs int
	foreign []string // addresses asked for outside the node
}

// open starts Chromium once.
func (w *world) open() (*browser, error) {
	if w.browser != nil {
		return w.browser, nil
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.Flag("disable-quic", true), chromedp.Flag("lang", "fr"),
		chromedp.Flag("ignore-certificate-errors", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.UserDataDir(w.dir+"/chromium"))...)
	w.suite.Cleanup(stop)
	ctx, _ := chromedp.NewContext(alloc) // ends with the allocator
	b := &browser{ctx: ctx}
	if err := chromedp.Do(ctx); err != nil { // the browser lives as long as this context
		return nil, fmt.Errorf("chromium: %w", err)
	}
	err := chromedp.Listen(ctx, func(ev any) {
		switch ev := ev.(type) {
		case *page.EventJavascriptDialogOpening:
			b.mu.Lock()
			b.dialogs++
			b.mu.Unlock()
			go func() { // it is counted
				_, _ = chromedp.Call(ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{})
			}()
		case *network.EventRequestWillBeSent:
			u, err := url.Parse(ev.Request.URL)
			if err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "node.test" {
				b.mu.Lock()
				b.foreign = append(b.foreign, ev.Request.URL)
				b.mu.Unlock()
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("chromium: %w", err)
	}
	w.browser = b
	// The browser that counts nothing would pass everything.
	w.fakes["victim.test"].put("/control", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		_, _ = rw.Write([]byte(`<img src="https://evil.test/t.png"><script>alert(1)</script>`)) // the asker is gone: nobody to tell
	})
	if _, err := b.look("https://victim.test/control"); err == nil {
		return nil, errors.New("a dialog and a request to evil.test go unseen")
	}
	w.fakes["evil.test"].clear()
	return b, nil
}

// tree is what the page has after everything ran.
type tree struct {
	Bad  []string `json:"bad"`  // elements, attributes and addresses that no page of ours has
	Text string   `json:"text"` // as read
}

// What no page may have: scripts or styles of others, active elements, handlers,
// addresses that run.
const inspect = `(() => {
  const bad = [], forbidden = ['IFRAME','OBJECT','EMBED','BASE','TEMPLATE','NOSCRIPT','MATH','MARQUEE','STYLE','PLAINTEXT','XMP'];
  for (const e of document.querySelectorAll('*')) {
    if (forbidden.includes(e.tagName)) bad.push('<' + e.tagName.toLowerCase() + '>');
    if (e.tagName === 'SCRIPT' && e.type !== 'application/ld+json' && !(e.src || '').startsWith(location.origin + '/static/')) bad.push('<script>');
    for (const a of e.attributes) {
      if (a.name.startsWith('on') || a.name === 'srcdoc' || a.name === 'style') bad.push(e.tagName.toLowerCase() + '[' + a.name + ']');
      if (['href','src','action','formaction','xlink:href'].includes(a.name) && /^\s*(javascript|data|vbscript):/i.test(a.value.replace(/[\u0000-\u0020]/g, ''))) bad.push(a.name + '=' + a.value);
    }
  }
  return {bad, text: document.body.innerText};
})()`

// look opens a page, lets it run and judges it.
func (b *browser) look(address string) (string, error) {
	b.mu.Lock()
	b.dialogs, b.foreign = 0, nil
	b.mu.Unlock()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(address), chromedp.Sleep(150*time.Millisecond)); err != nil {
		return "", fmt.Errorf("%s: %w", address, err)
	}
	seen, err := chromedp.Run(ctx, chromedp.Evaluate[tree](inspect))
	if err != nil {
		return "", fmt.Errorf("%s: %w", address, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.dialogs > 0:
		return "", fmt.Errorf("%s opens %d dialogs", address, b.dialogs)
	case len(b.foreign) > 0:
		return "", fmt.Errorf("%s asks %s", address, b.foreign[0])
	case len(seen.Bad) > 0:
		return "", fmt.Errorf("%s has %v", address, seen.Bad)
	}
	return seen.Text, nil
}

// thirdParties opens the pages that anyone sees.
func thirdParties(t *trial) error {
	b, err := t.open()
	if err != nil {
		return err
	}
	for _, path := range []string{"/", "/initiatives", "/recherche?q=jardin", "/territoires", "/connexion", "/mentions", t.routes["OBJ"]} {
		if _, err := b.look(t.node.URL + path); err != nil {
			return err
		}
	}
	return nil
}

// scripted are the items whose text would run: each is also published by a peer
// that the node replicates, and answered to a record, and every page that shows
// it is looked at.
func scripted(items []item) map[string]special {
	m := map[string]special{}
	for _, it := range items {
		if it.Category != "XSS" {
			continue
		}
		var b struct {
			Value  string `json:"value"`
			Object struct {
				Content string `json:"content"`
				Name    string `json:"name"`
			} `json:"object"`
		}
		_ = json.Unmarshal(it.Body, &b) // others have no such body
		switch it.Class {
		case "html-tag":
			m[it.ID] = special{changes: true, after: func(t *trial) error { return t.showReplica(b.Object.Content, b.Object.Name) }}
		case "html-sink":
			m[it.ID] = special{changes: true, send: func(t *trial) (int, error) { return t.sink(it.Path, b.Value) }}
		case "markdown":
			m[it.ID] = special{changes: true, after: showMarkdown}
		case "url-display":
			m[it.ID] = special{changes: true, after: func(t *trial) error {
				t.reads = "evil.test" // the host that the link leads to
				return t.showReplica(b.Object.Content, "Lien trompeur")
			}}
		case "homoglyph":
			m[it.ID] = special{before: lookalike, changes: true, after: showLookalike}
		}
	}
	return m
}

// showReplica publishes a record of the victim with the text everywhere that a
// record has text, and looks at every page that shows some of it.
func (t *trial) showReplica(content, name string) error {
	content, name = t.names.fill(content, t.rng), t.names.fill(name, t.rng)
	label := strings.ToLower(t.item.ID)
	doc := t.record("victim.test", label, name, map[string]any{
		"content": content, "summary": content, "essaim:tagline": name, "source": map[string]string{"content": content, "mediaType": "text/markdown"},
		"location":    map[string]any{"type": "Place", "name": name, "latitude": 48.39, "longitude": -4.48, "url": "javascript:alert(1)", "address": map[string]string{"type": "PostalAddress", "addressLocality": name}},
		"image":       map[string]string{"type": "Image", "url": "https://evil.test/t.png", "mediaType": "image/png", "name": name},
		"attachment":  []map[string]string{{"type": "Image", "url": "https://evil.test/t.png", "mediaType": "image/png", "name": name}},
		"tag":         []map[string]string{{"type": "Hashtag", "name": "#" + name, "href": "javascript:alert(1)"}},
		"essaim:need": content, "essaim:carriers": []map[string]string{{"name": name, "kind": "organisation", "role": "porteur"}},
		"contentMap": map[string]string{"fr": content}, "nameMap": map[string]string{"fr": name},
		"dcterms:source": map[string]string{"url": "javascript:alert(1)", "name": name}, "dcterms:rightsHolder": name,
	})
	if err := t.post(t.ctx, t.victim(), t.names["VACTOR"], "Create", doc, nil); err != nil {
		return err
	}
	reply := note("https://peer.test/n/"+label, t.names["PACTOR"])
	reply["inReplyTo"], reply["content"], reply["summary"], reply["name"] = t.object, content, content, name
	if t.reads != "" {
		delete(reply, "summary") // a warning folds away what is to be read
	}
	if err := t.post(t.ctx, t.fakes["peer.test"], t.names["PACTOR"], "Create", reply, nil); err != nil {
		return err
	}
	at := ""
	err := rig.Eventually(10*time.Second, func() error {
		rows, err := t.node.Records(t.ctx, "")
		if err != nil {
			return err
		}
		for _, r := range rows {
			if r.ID == doc["id"] {
				at = "/ailleurs/" + r.Origin + "/" + r.Slug
				return nil
			}
		}
		return errors.New("the replica is not listed")
	})
	if err != nil {
		return err
	}
	b, err := t.open()
	if err != nil {
		return err
	}
	if t.moderates {
		if err := t.showComment(reply["id"].(string)); err != nil {
			return err
		}
	}
	for _, path := range []string{at, "/initiatives", "/recherche?q=" + url.QueryEscape(name), t.routes["OBJ"]} {
		text, err := b.look(t.node.URL + path)
		if err != nil {
			return err
		}
		if path == t.routes["OBJ"] && !strings.Contains(text, t.reads) {
			return fmt.Errorf("%s does not say %s", path, t.reads)
		}
	}
	if n := t.evil().asked("/t.png") + t.evil().asked("/t"); n != 0 {
		return fmt.Errorf("%d requests reached evil.test", n)
	}
	return t.withdraw(doc["id"])
}

// withdraw has the victim delete a record of its own, and waits for it to go.
func (t *trial) withdraw(id any) error {
	if err := t.post(t.ctx, t.victim(), t.names["VACTOR"], "Delete", id, nil); err != nil {
		return err
	}
	return t.applied(t.ctx)
}

// showComment has a moderator show what waits; what the node refused to keep
// cannot be shown.
func (t *trial) showComment(id string) error {
	return rig.Eventually(5*time.Second, func() error {
		items, err := t.items(t.ctx, "held")
		if err != nil {
			return err
		}
		for _, item := range items {
			if item["ref"] == id {
				return t.command("moderate", "accept", fmt.Sprint(item["n"]))
			}
		}
		return fmt.Errorf("%s waits for nobody", id)
	})
}
