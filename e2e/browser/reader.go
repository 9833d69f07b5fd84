// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// reader is somebody at a screen.
type reader struct {
	w    *world
	site *site
	ctx  context.Context
	end  []func()

	scripts bool // they run
}

// reader opens a browser that knows nothing, on a screen of a width, with scripts or
// without.
func (w *world) reader(s *site, width int64, scripts bool) (*reader, error) {
	ctx, closeTab := chromedp.NewContext(w.eye.ctx, chromedp.WithNewBrowserContext())
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	r := &reader{w, s, ctx, []func(){cancel, closeTab}, scripts}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 800)); err != nil {
		r.close()
		return nil, err
	}
	headers := network.SetExtraHTTPHeadersParams{Headers: network.Headers{"X-Forwarded-For": readerAddress(w.asked.Add(1))}}
	_, err := chromedp.Call(ctx, network.SetExtraHTTPHeaders, headers)
	if err == nil {
		_, err = chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !scripts})
	}
	if err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *reader) close() {
	for _, f := range r.end {
		f()
	}
}

// open goes to an address of the site.
func (r *reader) open(path string) error {
	resp, err := chromedp.Run(r.ctx, chromedp.NavigateResponse(r.site.url+path))
	return r.arrived(resp, err)
}

// press clicks something that leads to another page.
func (r *reader) press(what string) error {
	ctx, cancel := context.WithTimeout(r.ctx, 20*time.Second)
	defer cancel()
	resp, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(what)))
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return r.arrived(resp, nil)
}

func (r *reader) arrived(resp *network.Response, err error) error {
	if err == nil && resp.Status != http.StatusOK {
		err = fmt.Errorf("%s answers %d", resp.URL, resp.Status)
	}
	return err
}

// write types into a field.
func (r *reader) write(field, words string) error {
	ctx, cancel := context.WithTimeout(r.ctx, 20*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS(field), words)); err != nil {
		return fmt.Errorf("%s: %w", field, err)
	}
	return nil
}

// evaluate asks the value of an expression in the page, where no script of the page need run.
func evaluate[T any](r *reader, expression string) (T, error) {
	v, err := chromedp.Run(r.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		err = fmt.Errorf("%s: %w", expression, err)
	}
	return v, err
}

// text is what an element says, "" when there is none.
func (r *reader) text(selector string) (string, error) {
	t, err := evaluate[string](r, fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector))
	return plain(t), err
}

// says tells whether the page has all of some words.
func (r *reader) says(words ...string) error {
	t, err := r.text("body")
	if err != nil {
		return err
	}
	for _, word := range words {
		if !strings.Contains(strings.ToLower(t), strings.ToLower(plain(word))) {
			at, _ := evaluate[string](r, "location.pathname") // for the message only
			return fmt.Errorf("%s does not say %q", at, word)
		}
	}
	return nil
}

// count is how many elements there are.
func (r *reader) count(selector string) (int, error) {
	return evaluate[int](r, fmt.Sprintf("document.querySelectorAll(%q).length", selector))
}

// shown tells whether an element is drawn.
func (r *reader) shown(selector string) (bool, error) {
	return evaluate[bool](r, fmt.Sprintf("!!document.querySelector(%q)?.checkVisibility()", selector))
}

// link is the address of a link, within the site.
func (r *reader) link(selector string) (string, error) {
	href, err := evaluate[string](r, fmt.Sprintf("document.querySelector(%q)?.href ?? ''", selector))
	if err != nil {
		return "", err
	}
	path, ok := strings.CutPrefix(href, r.site.url)
	if !ok {
		return "", fmt.Errorf("%s leads to %q", selector, href)
	}
	return path, nil
}

// number is the first one that a text has.
func number(text string) (int, error) {
	digits := strings.FieldsFunc(text, func(c rune) bool { return !unicode.IsDigit(c) })
	if len(digits) == 0 {
		return 0, errors.New("no number in " + strconv.Quote(text))
	}
	return strconv.Atoi(digits[0])
}

// plain is a text with the spaces and apostrophes of a keyboard.
func plain(s string) string {
	s = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "’", "'").Replace(s)
	return strings.Join(strings.Fields(s), " ")
}

// ways are the screens on which a story is lived.
var ways = []struct {
	width   int64
	scripts bool
}{{360, false}, {1280, true}, {360, true}, {1280, false}}

// stories has each lived on each screen.
func (w *world) stories() {
	if !w.takes("stories") {
		return
	}
	w.Must(w.db+" a browser for the stories", w.openOnce)
	some := ways
	if w.short {
		some = ways[:2]
	}
	for _, st := range stories {
		for i, way := range some {
			if w.short && w.db != "sqlite" && i > 0 {
				continue
			}
			with := map[bool]string{false: "without scripts", true: "with scripts"}[way.scripts]
			w.Check(fmt.Sprintf("%s %d px, %s: %s", w.db, way.width, with, st.name), func() error {
				return w.live(st, w.sites[st.at], way.width, way.scripts)
			})
		}
	}
}

// live has a reader live a story.
func (w *world) live(st story, s *site, width int64, scripts bool) error {
	r, err := w.reader(s, width, scripts)
	if err != nil {
		return err
	}
	defer r.close()
	return st.live(r)
}

// spoilsStories makes a fault in each story, and expects it to end badly.
func (w *world) spoilsStories() {
	for _, st := range stories {
		w.Check("stories: "+st.name+", with "+st.fault.name, func() error {
			p, err := newProxy(w.nodes[st.at].URL)
			if err != nil {
				return err
			}
			defer p.Close()
			s := &site{name: "proxy", url: p.URL, node: w.nodes[st.at], assets: map[string]asset{}}
			if err := w.live(st, s, 1280, st.scripts); err != nil {
				return fmt.Errorf("without it: %w", err)
			}
			p.make(&st.fault)
			if w.live(st, s, 1280, st.scripts) == nil {
				return errors.New("it ended well: it cannot fail")
			}
			return nil
		})
	}
	w.Check("stories: each has its fault", func() error {
		if slices.ContainsFunc(stories, func(s story) bool { return s.fault.change == nil }) {
			return errors.New("one has none")
		}
		return nil
	})
}
