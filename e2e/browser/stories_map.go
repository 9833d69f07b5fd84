// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"essaim/e2e/rig"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// mapped goes from a search to its map, which is drawn by the node and, with scripts,
// moves.
func mapped(r *reader) error {
	if err := r.open("/recherche?q=jardin"); err != nil {
		return err
	}
	n, err := r.results()
	if err != nil {
		return err
	}
	if err := r.press(".views a:not([aria-current])"); err != nil {
		return err
	}
	if err := r.marked(); err != nil {
		return err
	}
	lines, err := r.count(".town .lines a")
	if err != nil || lines == 0 || lines > n {
		return errors.Join(err, fmt.Errorf("the list under the map has %d of %d", lines, n))
	}
	title, err := r.text(".town .lines a")
	if err != nil {
		return err
	}
	if err := r.press(".town .lines a"); err != nil {
		return err
	}
	if got, err := r.text("h1"); err != nil || got != title {
		return errors.Join(err, fmt.Errorf("%q opens %q", title, got))
	}
	return nil
}

// marked tells whether the map of the page has places.
func (r *reader) marked() error {
	what := "figure.map svg a"
	if r.scripts {
		what = "figure.map .leaflet-marker-icon"
	}
	return rig.Eventually(10*time.Second, func() error {
		places, err := r.count(what)
		if err == nil && places == 0 {
			err = fmt.Errorf("no place is drawn: %s", what)
		}
		return err
	})
}

// embedder takes the code of a map and shows it on a page of her own.
func embedder(r *reader) error {
	if err := r.open("/carte?q=jardin"); err != nil {
		return err
	}
	if err := r.press(`a[href^="/carte/integrer"]`); err != nil {
		return err
	}
	code, err := evaluate[string](r, "document.querySelector('textarea[readonly]')?.value ?? ''")
	if err != nil {
		return err
	}
	if !strings.Contains(code, "<iframe") || !strings.Contains(code, r.site.url+"/") {
		return fmt.Errorf("the code is %q", code)
	}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!doctype html><html lang=fr><title>Un autre site</title><h1>Nos jardins</h1>%s", code)
	}))
	defer other.Close()
	// What waits to be seen is seen.
	if err := chromedp.Do(r.ctx, chromedp.Navigate(other.URL)); err != nil {
		return err
	}
	if _, err := evaluate[int](r, "(document.querySelector('iframe').scrollIntoView(), 0)"); err != nil {
		return err
	}
	return rig.Eventually(10*time.Second, func() error {
		tree, err := chromedp.Call(r.ctx, cdppage.GetFrameTree, cdp.Empty{})
		if err != nil {
			return err
		}
		for _, f := range tree.FrameTree.ChildFrames {
			if strings.HasPrefix(f.Frame.URL, r.site.url+"/carte/cadre") {
				return nil
			}
		}
		return fmt.Errorf("the page of others shows %d frames, and none of the map", len(tree.FrameTree.ChildFrames))
	})
}
