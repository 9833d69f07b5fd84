// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// booklet makes one of a search, prints it, and takes it as the node makes it.
func booklet(r *reader) error {
	if err := r.open("/recherche?q=jardin"); err != nil {
		return err
	}
	n, err := r.results()
	if err != nil {
		return err
	}
	if err := r.press(`a[href^="/recueil"]`); err != nil {
		return err
	}
	if sheets, err := r.count("article.sheet"); err != nil || sheets != n {
		return errors.Join(err, fmt.Errorf("%d sheets of %d records", sheets, n))
	}
	path, err := r.link(`a[href*=".pdf"]`)
	if err != nil {
		return err
	}
	p, err := r.w.get(r.site, path, false)
	if err != nil || p.status != http.StatusOK || !bytes.HasPrefix(p.body, []byte("%PDF")) {
		return errors.Join(err, fmt.Errorf("%s is no PDF", path))
	}
	if _, err := chromedp.Call(r.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
		return err
	}
	for selector, want := range map[string]bool{"h1": true, "article.sheet": true, ".toc": true, ".nav": false, ".noprint": false, "footer.foot-site": false} {
		if got, err := r.shown(selector); err != nil || got != want {
			return errors.Join(err, fmt.Errorf("%s on paper: %t, want %t", selector, got, want))
		}
	}
	pdf, err := chromedp.Run(r.ctx, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4)))
	if err == nil && (!bytes.HasPrefix(pdf, []byte("%PDF")) || len(pdf) < 10_000) {
		err = fmt.Errorf("%d bytes are printed", len(pdf))
	}
	return err
}
