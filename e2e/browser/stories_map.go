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
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
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

// mapByKeys goes to the map, moves it, and opens what lies there, all with the keyboard.
// Without scripts its marks are links like others.
func mapByKeys(r *reader) error {
	if err := r.open("/carte?q=jardin"); err != nil {
		return err
	}
	if err := r.marked(); err != nil {
		return err
	}
	focus := func(what string) error {
		ok, err := evaluate[bool](r, fmt.Sprintf("(e => { e?.focus(); return !!e && e === document.activeElement; })(document.querySelector(%q))", what))
		if err == nil && !ok {
			err = fmt.Errorf("%s takes no focus", what)
		}
		return err
	}
	if !r.scripts {
		if err := focus("figure.map svg a"); err != nil {
			return err
		}
		resp, err := chromedp.RunResponse(r.ctx, chromedp.KeyEvent("\r"))
		return r.arrived(resp, err)
	}
	if err := focus(".mapbox"); err != nil {
		return err
	}
	before, err := r.box()
	if err != nil {
		return err
	}
	if err := chromedp.Do(r.ctx, chromedp.KeyEvent(kb.ArrowRight)); err != nil {
		return err
	}
	err = rig.Eventually(10*time.Second, func() error {
		after, err := r.box()
		if err == nil && after == before {
			err = errors.New("the map does not move")
		}
		return err
	})
	if err != nil {
		return err
	}
	// A mark of several brings nearer, one of one record opens a bubble with its link.
	for range 12 {
		if err := r.marked(); err != nil {
			return err
		}
		if err := focus(".leaflet-marker-icon.spot"); err != nil {
			return err
		}
		if before, err = r.box(); err != nil {
			return err
		}
		if err := chromedp.Do(r.ctx, chromedp.KeyEvent("\r")); err != nil {
			return err
		}
		in := false
		err := rig.Eventually(10*time.Second, func() (err error) {
			if in, err = evaluate[bool](r, "!!document.activeElement.closest('.leaflet-popup')?.querySelector('a[href]')"); err != nil || in {
				return err
			}
			after, err := r.box()
			if err == nil && after == before {
				err = errors.New("a mark opens nothing")
			}
			return err
		})
		if err != nil {
			return err
		}
		if in {
			resp, err := chromedp.RunResponse(r.ctx, chromedp.KeyEvent("\r"))
			return r.arrived(resp, err)
		}
		// Whose mark parted into others is still on the map.
		if on, err := evaluate[bool](r, "!!document.activeElement.closest('.mapbox')"); err != nil || !on {
			return errors.Join(err, errors.New("the keyboard is at the top of the page again"))
		}
	}
	return errors.New("twelve marks later nothing is open")
}

// box is the part of the map that the address names.
func (r *reader) box() (string, error) {
	return evaluate[string](r, "new URL(location).searchParams.get('bbox') ?? ''")
}

// embedder takes the codes of a map and of its list and shows both on a page of her own.
func embedder(r *reader) error {
	if err := r.open("/carte?q=jardin"); err != nil {
		return err
	}
	counted, err := r.text("#h-results")
	if err != nil {
		return err
	}
	found, err := number(counted)
	if err != nil {
		return err
	}
	if err := r.press(`a[href^="/carte/integrer"]`); err != nil {
		return err
	}
	codes, err := evaluate[[]string](r, "[...document.querySelectorAll('textarea[readonly]')].map(t => t.value)")
	if err != nil || len(codes) != 2 {
		return errors.Join(err, fmt.Errorf("%d codes", len(codes)))
	}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!doctype html><html lang=fr><title>Un autre site</title><h1>Nos jardins</h1>%s", strings.Join(codes, ""))
	}))
	defer other.Close()
	if err := chromedp.Do(r.ctx, chromedp.Navigate(other.URL)); err != nil {
		return err
	}
	// What waits to be seen is seen.
	var frames []string
	err = rig.Eventually(10*time.Second, func() error {
		if _, err := evaluate[int](r, "(document.querySelectorAll('iframe').forEach(f => f.scrollIntoView()), 0)"); err != nil {
			return err
		}
		tree, err := chromedp.Call(r.ctx, cdppage.GetFrameTree, cdp.Empty{})
		if err != nil {
			return err
		}
		frames = nil
		for _, f := range tree.FrameTree.ChildFrames {
			if strings.HasPrefix(f.Frame.URL, r.site.url+"/carte/cadre?") {
				frames = append(frames, f.Frame.URL)
			}
		}
		if len(frames) != len(codes) {
			err = fmt.Errorf("the page of others shows %v of %d frames", frames, len(tree.FrameTree.ChildFrames))
		}
		return err
	})
	if err != nil {
		return err
	}
	for i, frame := range frames {
		if err := r.follows(frame, found, i == 0); err != nil {
			return err
		}
	}
	kept, err := chromedp.Call(r.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{r.site.url + "/carte/cadre", other.URL}})
	if err == nil && len(kept.Cookies) > 0 {
		err = fmt.Errorf("the frames leave %d cookies", len(kept.Cookies))
	}
	return err
}

// follows tells whether a frame holds what was found, with scripts for a map alone.
func (r *reader) follows(frame string, found int, isMap bool) error {
	p, err := r.w.get(r.site, strings.TrimPrefix(frame, r.site.url), false)
	if err != nil {
		return err
	}
	if !strings.Contains(frame, "q=jardin") || p.status != http.StatusOK || p.doc == nil {
		return fmt.Errorf("%s answers %d", frame, p.status)
	}
	lines, scripts := 0, 0
	for _, a := range p.elements("a") {
		if class, _ := attr(a.Parent.Parent, "class"); class == "lines" {
			lines++
		}
	}
	for _, s := range p.elements("script") {
		if _, loaded := attr(s, "src"); loaded {
			scripts++
		}
	}
	if lines != min(found, 30) || (scripts > 0) != isMap {
		return fmt.Errorf("%s has %d records of %d, and %d scripts", frame, lines, found, scripts)
	}
	return nil
}
