// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	_ "embed" // layout.js
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

//go:embed layout.js
var layout string

const axeFile = "e2e/browser/node_modules/axe-core/axe.min.js"

// axe gives what it finds against any rule of its own, of what its authors hold for
// certain. Where the places of a map lie is not the page's choice.
const axe = `axe.run(document, {resultTypes: ['violations'], rules: {'target-size': {enabled: true}}}).then(r =>
	r.violations.flatMap(v => v.nodes.filter(n => v.id !== 'target-size' || !n.html.includes('leaflet-marker-icon')).slice(0, 3).map(n => ({judge: 'axe', what: v.id + ': ' + v.help + ': ' + n.html.slice(0, 160)}))))`

// view is how a page is looked at.
type view struct {
	name   string
	width  int64
	scale  float64
	dark   bool
	open   bool // all that can be unfolded is
	larger bool // text alone at 200 %
	axe    bool
}

var views = []view{
	{name: "360", width: 360, axe: true},
	{name: "320, unfolded", width: 320, open: true, axe: true},
	{name: "1280, dark", width: 1280, dark: true, axe: true},
	{name: "360, dark, unfolded", width: 360, dark: true, open: true, axe: true},
	{name: "1280", width: 1280, axe: true},
	{name: "1280 at 200 %", width: 640, scale: 2, open: true},
	{name: "1280, text at 200 %", width: 1280, larger: true},
}

// few are those of a short look.
var few = []view{views[1], views[2]}

// finding is what a judge says of a page in a view.
type finding struct {
	Judge string `json:"judge"`
	What  string `json:"what"`
	where string
}

// eye is the browser.
type eye struct {
	ctx     context.Context
	axe     string
	mu      sync.Mutex
	tabs    map[string]*tab
	readers func() uint32
}

// tab is one of it, with the cookies of one reader at one site.
type tab struct {
	ctx context.Context
	mu  sync.Mutex
	own string
	out []finding // what the browser itself reports
}

// open starts Chromium.
func (w *world) open() (*eye, error) {
	source, err := os.ReadFile(axeFile)
	if err != nil {
		return nil, err
	}
	alloc, stop := chromedp.NewExecAllocator(w.ctx, append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.Flag("disable-quic", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("lang", "fr"), chromedp.Flag("accept-lang", "fr"))...)
	w.Cleanup(stop)
	ctx, _ := chromedp.NewContext(alloc) // ends with the allocator
	if err := chromedp.Do(ctx); err != nil {
		return nil, fmt.Errorf("chromium: %w", err)
	}
	return &eye{ctx: ctx, axe: string(source) + ";0", tabs: map[string]*tab{}, readers: func() uint32 { return w.asked.Add(1) }}, nil
}

// openOnce starts Chromium unless it runs.
func (w *world) openOnce() (err error) {
	if w.eye == nil {
		w.eye, err = w.open()
	}
	return err
}

// tab gives the one of a reader at a site; turn tells several of his apart.
func (e *eye) tab(s *site, signed bool, turn int) (*tab, error) {
	key := fmt.Sprint(s.url, signed, turn)
	e.mu.Lock()
	defer e.mu.Unlock()
	if t, ok := e.tabs[key]; ok {
		return t, nil
	}
	ctx, _ := chromedp.NewContext(e.ctx, chromedp.WithNewBrowserContext()) // ends with the browser
	t := &tab{ctx: ctx, own: s.url + "/"}
	if err := chromedp.Do(ctx); err != nil {
		return nil, err
	}
	if err := chromedp.Listen(ctx, t.hear); err != nil {
		return nil, err
	}
	if signed {
		for _, c := range s.cookies() {
			set := network.SetCookieParams{Name: c.Name, Value: c.Value, URL: s.url}
			if _, err := chromedp.Call(ctx, network.SetCookie, set); err != nil {
				return nil, err
			}
		}
	}
	e.tabs[key] = t
	return t, nil
}

// forget closes the tabs of a site, with all that they kept of it.
func (e *eye) forget(s *site) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for key, t := range e.tabs {
		if t.own == s.url+"/" {
			_ = chromedp.Cancel(t.ctx) // the browser ends it otherwise
			delete(e.tabs, key)
		}
	}
}

// hear notes what the browser reports of a page.
func (t *tab) hear(ev any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		if u := ev.Request.URL; strings.HasPrefix(u, "http") && !strings.HasPrefix(u, t.own) {
			t.out = append(t.out, finding{Judge: "requests", What: "it asks " + u})
		}
	case *network.EventResponseReceived:
		if ev.Response.Status >= 400 && ev.Type != network.ResourceTypeDocument {
			t.out = append(t.out, finding{Judge: "requests", What: fmt.Sprintf("%s is answered %d", ev.Response.URL, ev.Response.Status)})
		}
	case *log.EventEntryAdded:
		if ev.Entry.Level == log.EntryLevelError && ev.Entry.Source != log.EntrySourceNetwork {
			t.out = append(t.out, finding{Judge: "console", What: ev.Entry.Text})
		}
	case *runtime.EventExceptionThrown:
		t.out = append(t.out, finding{Judge: "console", What: ev.ExceptionDetails.Text})
	}
}

func (t *tab) heard() []finding {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := t.out
	t.out = nil
	return out
}

// look opens a page and gives what the judges say in each view.
func (e *eye) look(p *page, list []view, turn int) ([]finding, error) {
	t, err := e.tab(p.site, p.signed, turn)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(t.ctx, 90*time.Second)
	defer cancel()
	t.heard()
	if err := e.visit(ctx, p); err != nil {
		return nil, fmt.Errorf("%s: %w", p, err)
	}
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[int](e.axe)); err != nil {
		return nil, fmt.Errorf("%s: %w", p, err)
	}
	var all []finding
	for _, v := range list {
		found, err := v.judge(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s at %s: %w", p, v.name, err)
		}
		for i := range found {
			found[i].where = fmt.Sprintf("%s at %s", p, v.name)
		}
		all = append(all, found...)
	}
	for _, f := range t.heard() {
		f.where = p.String()
		all = append(all, f)
	}
	return all, nil
}

// visit opens a page, and sends its form as it is where the page is what answers that.
func (e *eye) visit(ctx context.Context, p *page) error {
	headers := network.SetExtraHTTPHeadersParams{Headers: network.Headers{"X-Forwarded-For": readerAddress(e.readers())}}
	if _, err := chromedp.Call(ctx, network.SetExtraHTTPHeaders, headers); err != nil {
		return err
	}
	view := views[0]
	if err := view.set(ctx); err != nil {
		return err
	}
	resp, err := chromedp.Run(ctx, chromedp.NavigateResponse(p.site.url+p.path))
	if err == nil && p.form && resp.Status != http.StatusOK {
		return fmt.Errorf("its form is answered %d", resp.Status)
	}
	if err == nil && p.form {
		resp, err = chromedp.RunResponse(ctx, func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
			_, err := chromedp.Evaluate[int](`(f => { f.noValidate = true; f.submit(); return 0; })([...document.querySelectorAll('main form[method=post]')].at(-1))`)(ctx, t)
			return chromedp.Void{}, err
		})
	}
	if err != nil {
		return err
	}
	if int(resp.Status) != p.status {
		return fmt.Errorf("it answers %d to a browser and %d without", resp.Status, p.status)
	}
	_, err = chromedp.Run(ctx, chromedp.Evaluate[bool](`document.fonts.ready.then(() => true)`, chromedp.EvalAwaitPromise))
	return err
}

// set makes the browser show a page so.
func (v view) set(ctx context.Context) error {
	scheme := "light"
	if v.dark {
		scheme = "dark"
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media); err != nil {
		return err
	}
	return chromedp.Do(ctx, chromedp.EmulateViewport(v.width, 800, chromedp.EmulateScale(max(v.scale, 1))))
}

// judge measures the page that is open.
func (v view) judge(ctx context.Context) ([]finding, error) {
	if err := v.set(ctx); err != nil {
		return nil, err
	}
	size := ""
	if v.larger {
		size = "200%"
	}
	prepare := fmt.Sprintf(`document.documentElement.style.fontSize = %q; for (const d of document.querySelectorAll('details')) if (!%t && d.dataset.own === undefined) d.dataset.own = d.open ? '1' : ''; else if (!%t) d.open = !!d.dataset.own; 0`, size, v.open, v.open)
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[int](prepare)); err != nil {
		return nil, err
	}
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]finding](fmt.Sprintf("(%s)(%t)", strings.TrimSpace(layoutFunction()), v.open)))
	if err != nil || !v.axe {
		return found, err
	}
	more, err := chromedp.Run(ctx, chromedp.Evaluate[[]finding](axe, chromedp.EvalAwaitPromise))
	return append(found, more...), err
}

// layoutFunction is the script without its comments, which no expression begins with.
func layoutFunction() string {
	_, f, _ := strings.Cut(layout, "\n(opened")
	return "(opened" + f
}

// seenJudges are those of what is drawn.
var seenJudges = []struct{ name, text string }{
	{"sideways", "no page is wider than the screen at 320 px, nor at 200 %"},
	{"targets", "whatever is pressed is 44 px large, or stands in a sentence"},
	{"overlap", "nothing lies over anything else"},
	{"clipped", "text is whole and in its box"},
	{"axe", "axe-core finds nothing"},
	{"requests", "nothing of others is asked for, nor anything that is not there"},
	{"console", "the browser reports no error"},
}

// views looks at a page of each kind.
func (w *world) looks() {
	if !w.takes("views") || w.short && w.db != "sqlite" {
		return
	}
	list := w.samples()
	var all []finding
	w.Must(w.db+" a page of each kind is opened", func() (err error) {
		if err = w.openOnce(); err != nil {
			return err
		}
		all, err = w.eye.lookAll(list, func(i int) []view {
			switch {
			case list[i].english():
				return views[1:2]
			case w.short:
				return few[i%2 : i%2+1]
			case w.db != "sqlite":
				return few
			}
			return views
		})
		return err
	})
	w.Figure("kinds_looked_at_"+w.db, len(list), "")
	for _, j := range seenJudges {
		w.Check(fmt.Sprintf("%s %s: %s", w.db, j.name, j.text), func() error {
			return verdict(told(slices.DeleteFunc(slices.Clone(all), func(f finding) bool { return f.Judge != j.name })))
		})
	}
}

// lookAll looks at pages in some tabs side by side.
func (e *eye) lookAll(list []*page, how func(i int) []view) (all []finding, err error) {
	const tabs = 2
	var workers sync.WaitGroup
	var mu sync.Mutex
	next := make(chan int)
	for turn := range tabs {
		workers.Go(func() {
			for i := range next {
				found, failed := e.look(list[i], how(i), turn)
				mu.Lock()
				all, err = append(all, found...), errors.Join(err, failed)
				mu.Unlock()
			}
		})
	}
	for i := range list {
		next <- i
	}
	close(next)
	workers.Wait()
	return all, err
}

// told says the same fault of many pages once.
func told(found []finding) (list []string) {
	count, first := map[string]int{}, map[string]string{}
	var order []string
	for _, f := range found {
		if count[f.What] == 0 {
			order = append(order, f.What)
			first[f.What] = f.where
		}
		count[f.What]++
	}
	for _, what := range order {
		list = append(list, fmt.Sprintf("%s (%d times, as on %s)", what, count[what], first[what]))
	}
	return list
}
