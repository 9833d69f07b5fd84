// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"essaim/e2e/rig"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// story is what somebody does with the site of one of the nodes, and a fault in
// which it must not end well.
type story struct {
	name    string
	at      int
	live    func(r *reader) error
	fault   fault
	scripts bool // the fault is one of them
}

var stories = []story{
	{"an inhabitant searches, narrows, asks what is near and opens a record", 0, inhabitant, fault{
		name: "a facet that asks for nothing", path: "/recherche",
		change: func(_ http.Header, b string) string {
			return strings.ReplaceAll(b, ` name="theme" `, ` data-name="theme" name="autre" `)
		},
	}, false},
	{"an inhabitant finds who did alike elsewhere, and goes there", 0, doneElsewhere, fault{
		name: "a record that is alone", of: "/initiatives/",
		change: func(_ http.Header, b string) string { return strings.ReplaceAll(b, `class="similar"`, `class="autre"`) },
	}, false},
	{"somebody without a mouse goes to the text, and searches", 0, keyboard, fault{
		name: "a skip link that comes last", path: "/",
		change: func(_ http.Header, b string) string {
			return strings.Replace(b, `<a class="skip" `, `<a class="skip" tabindex="-1" `, 1)
		},
	}, false},
	{"somebody is offered what begins as he types, and takes it with the keyboard", 0, suggested, fault{
		name: "nothing to offer", path: "/recherche/suggestions", change: func(http.Header, string) string { return "[]" },
	}, true},
	{"an inhabitant asks what is around her", 0, aroundHer, fault{
		name: "a button without its words", path: "/recherche",
		change: func(_ http.Header, b string) string { return strings.ReplaceAll(b, "data-failed=", "data-other=") },
	}, true},
	{"a reuser takes the file of a search, its map data and its feed", 0, reuser, fault{
		name: "a file that ends early", path: "/recherche.csv",
		change: func(_ http.Header, b string) string { return b[:strings.IndexByte(b, '\n')+1] },
	}, false},
	{"somebody looks at a map, reads what lies there and opens a record", 0, mapped, fault{
		name: "a map without its list", path: "/carte",
		change: func(_ http.Header, b string) string { return strings.ReplaceAll(b, `class="town"`, `class="autre"`) },
	}, false},
	{"somebody without a mouse moves a map and opens what lies there", 0, mapByKeys, fault{
		name: "a map that takes no keys", of: "/static/carte",
		change: func(_ http.Header, b string) string {
			return strings.Replace(b, "L.map(place, {", "L.map(place, { keyboard: false,", 1)
		},
	}, true},
	{"a reuser puts a map on another site", 0, embedder, fault{
		name: "a frame that others may not show", path: "/carte/cadre", change: header("Content-Security-Policy", "", "frame-ancestors 'none'"),
	}, false},
	{"an official prints a record", 0, official, fault{
		name: "a menu on paper", of: styles, change: style(`@media print{.nav{display:block!important}}`),
	}, false},
	{"an official makes a booklet of a search", 0, booklet, fault{
		name: "sheets that are left out", path: "/recueil",
		change: func(_ http.Header, b string) string {
			return strings.Replace(b, `<article class="sheet`, `<article class="autre`, 1)
		},
	}, false},
	{"elsewhere, a record is read and found while its origin is stopped", 1, elsewhere, fault{
		name: "a copy that is gone with its origin", of: "/ailleurs/",
		change: func(_ http.Header, b string) string { return strings.ReplaceAll(b, "<h1", "<p") },
	}, false},
}

func inhabitant(r *reader) error {
	if err := r.open("/"); err != nil {
		return err
	}
	if err := r.write(".hero input[name=q]", "jardin"); err != nil {
		return err
	}
	if err := r.press(".hero .find button"); err != nil {
		return err
	}
	all, err := r.results()
	if err != nil {
		return err
	}
	const box = ".facets input[name=theme]"
	if err := r.unfold(); err != nil {
		return err
	}
	if err := chromedp.Do(r.ctx, chromedp.Click(chromedp.CSS(".facet:has(input[name=theme]):not([open]) > summary")), chromedp.Click(chromedp.CSS(".facet label.choice:has(input[name=theme])"))); err != nil {
		return err
	}
	if ticked, err := evaluate[bool](r, fmt.Sprintf("!!document.querySelector(%q)?.checked", box)); err != nil || !ticked {
		return errors.Join(err, errors.New("no theme is ticked"))
	}
	promised, err := r.text(".facets label.choice:has(input[name=theme]) .count")
	if err != nil {
		return err
	}
	if err := r.press(".facets p > button:not([type=button])"); err != nil {
		return err
	}
	some, err := r.results()
	if err != nil {
		return err
	}
	if n, err := number(promised); err != nil || n != some {
		return errors.Join(err, fmt.Errorf("the theme was counted %q, and has %d", promised, some))
	}
	if chips, err := r.count(".chips .chip"); err != nil || chips == 0 || some > all {
		return errors.Join(err, fmt.Errorf("%d of %d with %d chips", some, all, chips))
	}
	if err := r.unfold(); err != nil {
		return err
	}
	if err := r.write("#f-near", "Brest"); err != nil {
		return err
	}
	if err := r.write("#f-radius", "50"); err != nil {
		return err
	}
	if err := r.press(".facets p > button:not([type=button])"); err != nil {
		return err
	}
	if near, err := r.results(); err != nil || near > some {
		return errors.Join(err, fmt.Errorf("%d near of %d", near, some))
	}
	if err := r.says(" km"); err != nil {
		return err
	}
	title, err := r.text(".card h3")
	if err != nil {
		return err
	}
	if err := r.press(".card h3 a"); err != nil {
		return err
	}
	if got, err := r.text("h1"); err != nil || got != title {
		return errors.Join(err, fmt.Errorf("%q opens %q", title, got))
	}
	return nil
}

// doneElsewhere opens records until one resembles another territory's.
func doneElsewhere(r *reader) error {
	const other = ".similar .card h3 a"
	for i := range 12 {
		if err := r.open("/initiatives?origin=local"); err != nil {
			return err
		}
		if cards, err := r.count(".cards > li"); err != nil || i >= cards {
			return errors.Join(err, fmt.Errorf("of %d records, none resembles another", i))
		}
		if err := r.press(fmt.Sprintf(".cards > li:nth-child(%d) h3 a", i+1)); err != nil {
			return err
		}
		if n, err := r.count(other); err != nil || n == 0 {
			if err != nil {
				return err
			}
			continue
		}
		title, err := r.text(other)
		if err != nil {
			return err
		}
		if err := r.press(other); err != nil {
			return err
		}
		at, err := evaluate[string](r, "location.pathname")
		if err != nil {
			return err
		}
		if got, err := r.text("h1"); err != nil || got != title || !strings.HasPrefix(at, "/ailleurs/") {
			return errors.Join(err, fmt.Errorf("%q opens %q at %s", title, got, at))
		}
		return nil
	}
	return errors.New("of twelve records, none resembles another")
}

// results is how many a list counts; it shows some.
func (r *reader) results() (int, error) {
	text, err := r.text("#h-results")
	if err != nil {
		return 0, err
	}
	n, err := number(text)
	if err != nil {
		return 0, err
	}
	shown, err := r.count(".card")
	if err == nil && (n == 0 || shown == 0 || shown > n) {
		err = fmt.Errorf("%q, and %d are shown", text, shown)
	}
	return n, err
}

// unfold opens the panel of a list, where it is folded.
func (r *reader) unfold() error {
	shown, err := r.shown("#f-near")
	if err != nil || shown {
		return err
	}
	return chromedp.Do(r.ctx, chromedp.Click(chromedp.CSS(".facets > summary")), chromedp.WaitVisible(chromedp.CSS("#f-near")))
}

func keyboard(r *reader) error {
	if err := r.open("/"); err != nil {
		return err
	}
	if err := chromedp.Do(r.ctx, chromedp.KeyEvent("\t")); err != nil {
		return err
	}
	if on, err := evaluate[string](r, "document.activeElement.className + ' ' + document.activeElement.getBoundingClientRect().top"); err != nil || on != "skip 0" {
		return errors.Join(err, fmt.Errorf("the first key leads to %q", on))
	}
	if err := chromedp.Do(r.ctx, chromedp.KeyEvent("\r"), chromedp.KeyEvent("\t")); err != nil {
		return err
	}
	if on, err := evaluate[string](r, "document.activeElement.name + ' ' + getComputedStyle(document.activeElement).outlineStyle"); err != nil || on != "q solid" {
		return errors.Join(err, fmt.Errorf("after the skip link comes %q", on))
	}
	resp, err := chromedp.RunResponse(r.ctx, chromedp.KeyEvent("jardin\r"))
	if err := r.arrived(resp, err); err != nil {
		return err
	}
	_, err = r.results()
	return err
}

func reuser(r *reader) error {
	if err := r.open("/recherche?q=jardin"); err != nil {
		return err
	}
	n, err := r.results()
	if err != nil {
		return err
	}
	take := func(selector string) ([]byte, error) {
		path, err := r.link(selector)
		if err != nil {
			return nil, err
		}
		p, err := r.w.get(r.site, path, false)
		if err == nil && p.status != http.StatusOK {
			err = fmt.Errorf("%s answers %d", path, p.status)
		}
		if err != nil {
			return nil, err
		}
		return p.body, nil
	}
	file, err := take(`.takeaway a[href*=".csv"]`)
	if err != nil {
		return err
	}
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file, []byte("\ufeff")))).ReadAll()
	if err != nil || len(rows)-1 != n {
		return errors.Join(err, fmt.Errorf("the table has %d rows of %d", len(rows)-1, n))
	}
	drawn, err := take(`.takeaway a[href*=".geojson"]`)
	if err != nil {
		return err
	}
	var geo struct {
		Features []struct{ Properties map[string]any }
	}
	if err := json.Unmarshal(drawn, &geo); err != nil || len(geo.Features) != n {
		return errors.Join(err, fmt.Errorf("the map data has %d features of %d", len(geo.Features), n))
	}
	fed, err := take(`head link[rel=alternate][type="application/atom+xml"]`)
	if err != nil {
		return err
	}
	var feed struct {
		Entries []struct {
			Title string `xml:"title"`
		} `xml:"entry"`
	}
	if err := xml.Unmarshal(fed, &feed); err != nil || len(feed.Entries) != min(n, 50) {
		return errors.Join(err, fmt.Errorf("the feed has %d entries of %d", len(feed.Entries), n))
	}
	return r.says(feed.Entries[0].Title)
}

func official(r *reader) error {
	if err := r.open("/recherche?q=jardin"); err != nil {
		return err
	}
	if err := r.press(".card h3 a"); err != nil {
		return err
	}
	at, err := evaluate[string](r, "location.href")
	if err != nil {
		return err
	}
	if _, err := chromedp.Call(r.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
		return err
	}
	for selector, want := range map[string]bool{"h1": true, ".prose": true, ".site .find": false, ".nav": false, "footer.foot-site": false} {
		if got, err := r.shown(selector); err != nil || got != want {
			return errors.Join(err, fmt.Errorf("%s on paper: %t, want %t", selector, got, want))
		}
	}
	if err := r.says(at); err != nil {
		return err
	}
	pdf, err := chromedp.Run(r.ctx, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4)))
	if err == nil && (!bytes.HasPrefix(pdf, []byte("%PDF")) || len(pdf) < 10_000) {
		err = fmt.Errorf("%d bytes are printed", len(pdf))
	}
	return err
}

func elsewhere(r *reader) error {
	origin := r.w.nodes[0]
	var found struct{ Items []rig.Listed }
	if err := origin.API(r.w.ctx, http.MethodGet, "recipes?origin=local&limit=1", nil, &found); err != nil || len(found.Items) == 0 {
		return errors.Join(err, fmt.Errorf("%d recipes", len(found.Items)))
	}
	record, host := found.Items[0], rig.Host(origin.URL)
	origin.Stop()
	// What is published here cannot be sent to it, so that it is known to be away: by
	// the fourth that fails, as three are excused to who answered within a minute.
	var told [4]rig.Listed
	var err error
	for i := range told {
		err = errors.Join(err, r.site.node.API(r.w.ctx, http.MethodPost, "initiatives", map[string]any{
			"title": fmt.Sprintf("Nouvelle %d pour qui est loin", i+1), "tagline": "Elle attendra.", "themes": []string{"alimentation"}, "places": []map[string]any{{"insee": "31555"}},
		}, &told[i]))
	}
	if err == nil {
		err = r.readElsewhere(record, host)
	}
	err = errors.Join(err, origin.Start(r.w.ctx))
	for _, one := range told {
		err = errors.Join(err, r.site.node.API(r.w.ctx, http.MethodDelete, "initiatives/"+one.Slug, nil, nil))
	}
	return err
}

// readElsewhere reads a copy, after searching for it: the result and its page both say
// that the origin does not answer.
func (r *reader) readElsewhere(record rig.Listed, host string) error {
	err := rig.Eventually(20*time.Second, func() error {
		// To who was away a moment ago it is sent again after a while only.
		if _, err := r.site.node.Run(r.w.ctx, "peer", "retry", "--data", r.site.node.Dir, host); err != nil {
			return err
		}
		if err := r.open("/recherche?" + url.Values{"q": {record.Title}, "origin": {host}}.Encode()); err != nil {
			return err
		}
		return r.says("Site en retard")
	})
	if err != nil {
		return err
	}
	if _, err := r.results(); err != nil {
		return err
	}
	if err := r.press(`.card h3 a[href*="` + record.Slug + `"]`); err != nil {
		return err
	}
	if got, err := r.text("h1"); err != nil || got != plain(record.Title) {
		return errors.Join(err, fmt.Errorf("%q opens as %q", record.Title, got))
	}
	return r.says(host, "ne répond pas en ce moment", "Vous lisez la copie du")
}
