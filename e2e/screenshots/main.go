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
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
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
	bin, err := rig.Binary()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "essaim-screenshots-")
	if err != nil {
		return nil, err
	}
	s.Cleanup(func() { _ = os.RemoveAll(dir) }) // a leftover temporary directory harms nobody
	port, err := rig.FreePorts(3)
	if err != nil {
		return nil, err
	}
	demo := exec.CommandContext(ctx, bin, "demo", "--dir", dir, "--port", strconv.Itoa(port), "--once")
	demo.Env = append(os.Environ(), "ESSAIM_DATA=")
	demo.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if text, err := demo.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %.600s", err, text)
	}
	node := &rig.Node{Bin: bin, Dir: filepath.Join(dir, "brest"), URL: fmt.Sprintf("http://127.0.0.1:%d", port)}
	if err := node.Start(ctx); err != nil {
		return nil, err
	}
	s.Cleanup(node.Kill)
	return node, node.AdminToken(ctx)
}

// kinds are the segments of the API, the name of the picture, and what is
// published where the demonstration has no record of the kind.
var kinds = []struct {
	segment, name string
	example       map[string]any
}{
	{"initiatives", "initiative", nil},
	{"recipes", "recette", nil},
	{"venues", "lieu", map[string]any{
		"title": "Maison de quartier de démonstration", "tagline": "Un lieu ouvert à toutes et tous, avec une cuisine, un atelier et un jardin.",
		"description": "On y vient sans rendez-vous.\n\n- cuisine partagée\n- atelier de réparation\n- jardin", "themes": []string{"alimentation"},
		"places": []map[string]any{{"insee": "29019"}},
	}},
	{"organisations", "structure", map[string]any{
		"title": "Association de démonstration", "tagline": "Une association qui accompagne les jardins partagés de la métropole.",
		"description": "Elle prête des outils et organise des chantiers.", "themes": []string{"alimentation"}, "places": []map[string]any{{"insee": "29019"}},
	}},
	{"meetings", "rencontre", map[string]any{
		"title": "Rencontre de démonstration", "tagline": "Une après-midi pour échanger graines, plants et savoir-faire.",
		"description": "Apportez ce que vous voulez partager.", "themes": []string{"alimentation"}, "places": []map[string]any{{"insee": "29019"}},
		"startTime": "2027-04-17T14:00:00+02:00", "endTime": "2027-04-17T17:00:00+02:00",
	}},
}

// pages lists what the pictures show: the record pages from records of the node
// itself.
func pages(ctx context.Context, node *rig.Node) ([]page, error) {
	list := []page{
		{"accueil", "/"}, {"liste", "/initiatives"}, {"recherche", "/recherche?q=jardin"}, {"reseau", "/territoires"}, {"personnes", "/personnes"}, {"connexion", "/connexion"},
	}
	for _, k := range kinds {
		if k.example != nil {
			if err := node.API(ctx, http.MethodPost, k.segment, k.example, nil); err != nil {
				return nil, err
			}
		}
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
	return append(list, page{"personne", "/personnes/" + person}), creditPerson(ctx, node)
}

// person is the name of an account of the demonstration on the Fediverse.
const person = "contributrice"

// creditPerson puts her there, and publishes records that credit her.
func creditPerson(ctx context.Context, node *rig.Node) error {
	const email, name = "contributrice@brest.example", "Contributrice de démonstration"
	for _, args := range [][]string{
		{"user", "add", "--email", email, "--name", name, "--role", "contributeur"},
		{"user", "publish", email, "--name", person, "--title", name, "--summary", "J’anime des ateliers de quartier, et je raconte **ce qui s’y invente**."},
	} {
		if _, err := node.Run(ctx, append(args, "--data", node.Dir)...); err != nil {
			return err
		}
	}
	for _, r := range []struct{ title, role string }{
		{"Le four du quartier", "porteur"}, {"Un banc pour se parler", "ambassadeur"}, {"La ruche des voisins", "partenaire"},
	} {
		err := node.API(ctx, http.MethodPost, "initiatives", map[string]any{
			"title": r.title, "tagline": "Une initiative de démonstration, portée par des habitantes et des habitants.",
			"themes": []string{"alimentation"}, "places": []map[string]any{{"insee": "29019"}},
			"credits": []map[string]any{{
				"name": name, "role": r.role, "actor": node.URL + "/actors/" + person, "person": true,
				"consent": map[string]any{"on": "2026-03-01", "how": "link", "fields": []string{"name", "role"}},
			}},
		}, nil)
		if err != nil {
			return err
		}
	}
	return nil
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
