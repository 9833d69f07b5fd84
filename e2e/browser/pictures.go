// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	shots "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// pictured are the screens that a picture is taken on.
var pictured = []view{
	{name: "360", width: 360},
	{name: "360-dark", width: 360, dark: true},
	{name: "1280", width: 1280},
	{name: "1280-dark", width: 1280, dark: true},
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// fileName is that of a kind of page, after its route.
func (p *page) fileName() string {
	name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(p.pattern), "-"), "-")
	switch {
	case p.pattern == "/":
		name = "accueil"
	case name == "":
		name = "nulle-part"
	}
	if p.status != 200 {
		name += fmt.Sprintf("-%d", p.status)
	}
	if p.form {
		name += "-envoi"
	}
	if p.shows("empty") {
		name += "-vide"
	}
	if p.shows("thread") {
		name += "-reponses"
	}
	if strings.Contains(p.pattern, "{host}") && p.shows("warn") {
		name += "-alerte"
	}
	return name
}

// pictures takes those of a page of each kind into a directory.
func (w *world) pictures(dir string) {
	w.crawls()
	w.Must("a directory for the pictures", func() error { return os.MkdirAll(dir, 0o755) })
	w.Must("a browser for the pictures", w.openOnce)
	for _, p := range w.samples() {
		w.Check(p.fileName(), func() error { return w.picture(p, dir) })
	}
}

func (w *world) picture(p *page, dir string) error {
	t, err := w.eye.tab(p.site, p.signed, 0)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(t.ctx, time.Minute)
	defer cancel()
	if err := w.eye.visit(ctx, p); err != nil {
		return err
	}
	for _, v := range pictured {
		if err := v.set(ctx); err != nil {
			return err
		}
		png, err := v.picture(ctx)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, p.fileName()+"-"+v.name+".png"), png, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// tallest is how much of a page a picture shows, in pixels of CSS: Chromium
// draws no more than 16,384 at once, and a booklet is longer.
const tallest = 12_000

func (v view) picture(ctx context.Context) ([]byte, error) {
	height, err := chromedp.Run(ctx, chromedp.Evaluate[float64](`document.documentElement.scrollHeight`))
	if err != nil {
		return nil, err
	}
	shot, err := chromedp.Call(ctx, shots.CaptureScreenshot, shots.CaptureScreenshotParams{
		CaptureBeyondViewport: new(true),
		Clip:                  &shots.Viewport{Width: float64(v.width), Height: min(height, tallest), Scale: 1},
	})
	return shot.Data, err
}
