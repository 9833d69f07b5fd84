// SPDX-License-Identifier: AGPL-3.0-or-later

// Command screenshots takes pictures of the demonstration's pages at 360 and
// 1280 pixels, and checks what a picture would show: that the page answers,
// fits the screen and asks nobody else for anything. It needs bin/essaim (make
// build) and Chromium.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"essaim/e2e/rig"

	"github.com/chromedp/chromedp"
)

// widths are those of a small phone and of a desk, in CSS pixels.
var widths = [...]int{360, 1280}

// page is an address to take a picture of, under the name of its file.
type page struct{ name, path string }

func main() {
	out := flag.String("o", "bin/screenshots", "where the pictures go")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	s := rig.NewSuite("screenshots", 1) // nothing is left to chance
	node, err := demonstration(ctx, s)
	s.Must("a node of the demonstration with its records", func() error { return err })
	list, err := pages(ctx, node)
	s.Must("a page of each kind", func() error { return err })
	s.Must("a directory for the pictures", func() error { return os.MkdirAll(*out, 0o755) })

	browser, stop := chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.Flag("disable-quic", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("lang", "fr"), chromedp.Flag("accept-lang", "fr"))...)
	s.Cleanup(stop)
	for _, p := range list {
		for _, width := range widths {
			name := fmt.Sprintf("%s-%d.png", p.name, width)
			s.Check(name, func() error { return picture(browser, s, node, p, width, filepath.Join(*out, name)) })
		}
	}
	s.End()
}

// demonstration loads the three nodes and serves the first.
func demonstration(ctx context.Context, s *rig.Suite) (*rig.Node, error) {
	dir, err := os.MkdirTemp("", "essaim-screenshots-")
	if err != nil {
		return nil, err
	}
	s.Cleanup(func() { _ = os.RemoveAll(dir) }) // a leftover temporary directory harms nobody
	nodes, err := rig.Demonstration(ctx, dir)
	if err != nil {
		return nil, err
	}
	if err := nodes[0].Start(ctx); err != nil {
		return nil, err
	}
	s.Cleanup(nodes[0].Kill)
	if err := nodes[0].AdminToken(ctx); err != nil {
		return nil, err
	}
	return nodes[0], rig.Furnish(ctx, nodes[0])
}

// kinds are the segments of the API, and the name of the picture.
var kinds = []struct{ segment, name string }{
	{"initiatives", "initiative"}, {"recipes", "recette"}, {"venues", "lieu"}, {"organisations", "structure"}, {"meetings", "rencontre"},
}

// pages lists what the pictures show: the record pages from records of the node
// itself.
func pages(ctx context.Context, node *rig.Node) ([]page, error) {
	list := []page{
		{"accueil", "/"}, {"liste", "/initiatives"}, {"recherche", "/recherche?q=jardin"}, {"reseau", "/territoires"}, {"personnes", "/personnes"}, {"connexion", "/connexion"},
	}
	for _, k := range kinds {
		var found struct{ Items []rig.Listed }
		if err := node.API(ctx, http.MethodGet, k.segment+"?limit=100", nil, &found); err != nil {
			return nil, err
		}
		at := ""
		for _, r := range found.Items {
			u, err := url.Parse(r.URL)
			if err != nil {
				return nil, err
			}
			if strings.HasPrefix(r.ID, node.URL+"/") {
				at = u.Path
			}
		}
		if at == "" {
			return nil, fmt.Errorf("no record of the node's own among %d %s", len(found.Items), k.segment)
		}
		list = append(list, page{k.name, at})
		if k.name == "initiative" {
			list = append(list, page{"copies", at + "/copies"})
		}
	}
	return append(list, page{"personne", "/personnes/" + rig.Person}), nil
}

// seen is what the browser says of a page.
type seen struct {
	Width    int      `json:"width"`    // of the content, CSS pixels
	Requests []string `json:"requests"` // addresses of what it loaded
	Heading  string   `json:"heading"`
}

const look = `({
	width: document.documentElement.scrollWidth,
	requests: performance.getEntriesByType('resource').map(e => e.name),
	heading: document.querySelector('h1')?.textContent?.trim() ?? '',
})`

func picture(browser context.Context, s *rig.Suite, node *rig.Node, p page, width int, file string) error {
	tab, closeTab := chromedp.NewContext(browser)
	defer closeTab()
	tab, cancel := context.WithTimeout(tab, time.Minute)
	defer cancel()
	if err := chromedp.Do(tab, chromedp.EmulateViewport(int64(width), 800)); err != nil {
		return err
	}
	resp, err := chromedp.Run(tab, chromedp.NavigateResponse(node.URL+p.path))
	if err != nil {
		return err
	}
	if resp.Status != http.StatusOK {
		return fmt.Errorf("%s answers %d", p.path, resp.Status)
	}
	got, err := chromedp.Run(tab, chromedp.Evaluate[seen](look))
	if err != nil {
		return err
	}
	png, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, png, 0o644); err != nil {
		return err
	}
	s.Figure(strings.TrimSuffix(filepath.Base(file), ".png"), len(png)/1024, "kB")
	if got.Heading == "" {
		return errors.New("it has no heading")
	}
	if got.Width > width {
		return fmt.Errorf("it is %d pixels wide on a screen of %d", got.Width, width)
	}
	for _, address := range got.Requests {
		if !strings.HasPrefix(address, node.URL+"/") {
			return fmt.Errorf("it asks %s", address)
		}
	}
	return nil
}
