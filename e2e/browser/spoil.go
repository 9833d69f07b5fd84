// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// fault is what a proxy does to one site's answers, and the judge that must see it.
type fault struct {
	judge  string // how its name begins
	name   string
	path   string // the page that is looked at
	of     string // the answers that are changed begin so; the page itself when empty
	change func(h http.Header, body string) string
}

// before puts something in before the last of a tag.
func before(tag, more string) func(http.Header, string) string {
	return func(_ http.Header, body string) string {
		i := strings.LastIndex(body, tag)
		if i < 0 {
			return body
		}
		return body[:i] + more + body[i:]
	}
}

// style adds a rule to the style sheet.
func style(rule string) func(http.Header, string) string {
	return func(_ http.Header, body string) string { return body + "\n" + rule }
}

// header changes a header.
func header(name, old, changed string) func(http.Header, string) string {
	return func(h http.Header, body string) string {
		if old == "" {
			h.Set(name, changed)
		} else {
			h.Set(name, strings.Replace(h.Get(name), old, changed, 1))
		}
		return body
	}
}

const styles = "/static/essaim"

// faults are at least one of each judge.
var faults = []fault{
	{"links", "a link that leads nowhere", "/mentions", "", before("</main>", `<p>Voir <a href="/nulle-part">ailleurs</a>.</p>`)},
	{"anchors", "a link to what is not on the page", "/mentions", "", before("</main>", `<p>Voir <a href="#nulle-part">plus bas</a>.</p>`)},
	{"anchors", "a label of nothing", "/mentions", "", before("</main>", `<label for="rien">Rien</label>`)},
	{"headers", "inline scripts are allowed", "/mentions", "", header("Content-Security-Policy", "script-src 'self'", "script-src 'self' 'unsafe-inline'")},
	{"headers", "anybody may frame the page", "/mentions", "", header("Content-Security-Policy", "frame-ancestors 'none'", "frame-ancestors *")},
	{"headers", "the policy forgets forms", "/mentions", "", header("Content-Security-Policy", "form-action 'self'", "")},
	{"headers", "types are guessed", "/mentions", "", header("X-Content-Type-Options", "", "")},
	{"headers", "others learn what is read", "/mentions", "", header("Referrer-Policy", "", "unsafe-url")},
	{"cookies", "a stranger is marked", "/mentions", "", header("Set-Cookie", "", "vu=1; Path=/")},
	{"heading", "two headings of the first level", "/mentions", "", before("</main>", `<h1>Encore</h1>`)},
	{"heading", "a level is left out", "/mentions", "", before("</main>", `<h2>Deux</h2><h4>Quatre</h4>`)},
	{"heading", "no title", "/mentions", "", func(_ http.Header, b string) string {
		a, rest, _ := strings.Cut(b, "<title>")
		_, rest, _ = strings.Cut(rest, "</title>")
		return a + "<title></title>" + rest
	}},
	{"third parties", "a picture of another site", "/mentions", "", before("</main>", `<img src="https://tiers.example/p.png" alt="">`)},
	{"third parties", "a style in the page", "/mentions", "", before("</main>", `<p style="color:red">Rouge</p>`)},
	{"weight", "a hundred kilobytes that nobody reads", "/mentions", "", before("</main>", "<!--"+strings.Repeat("rien ", 20_000)+"-->")},
	{"weight", "fifty pictures", "/mentions", "", before("</main>", pictures(50))},
	{"html", "a block in a paragraph's phrase", "/mentions", "", before("</main>", `<p><span><div>Bloc</div></span></p>`)},
	{"html", "an id twice", "/mentions", "", before("</main>", `<p id="contenu">Encore</p>`)},
	{"sideways", "a block that is wider than a phone", "/mentions", styles, style(`.foot-site .wrap{width:900px;max-width:none}`)},
	{"targets", "links too small for a finger", "/mentions", styles, style(`.foot-site li a{min-height:20px}`)},
	{"targets", "a box to tick without its label", "/initiatives", styles, style(`.choice{min-height:20px;padding:0}`)},
	{"overlap", "cards that lie over each other", "/initiatives", styles, style(`.cards>li{margin-top:-5rem}`)},
	{"overlap", "buttons that do", "/connexion", styles, style(`.actions{margin-top:-4rem}`)},
	{"clipped", "a lead that is cut", "/", styles, style(`.lede{max-height:1rem;overflow:hidden}`)},
	{"clipped", "a button narrower than its word", "/connexion", styles, style(`.actions button{width:3rem;white-space:nowrap}`)},
	{"axe", "a picture without its text", "/mentions", "", before("</main>", `<img src="/static/favicon.svg">`)},
	{"axe", "text that is too pale, in the dark alone", "/mentions", styles, style(`@media (prefers-color-scheme:dark){:root{--soft:#4a4a4a}}`)},
	{"axe", "a field without a name", "/mentions", "", before("</main>", `<form action="/recherche"><input name="q"></form>`)},
	{"requests", "a policy that lets a picture of others in", "/mentions", "", func(h http.Header, b string) string {
		h.Del("Content-Security-Policy")
		return before("</main>", `<img src="https://tiers.example/p.png" alt="">`)(h, b)
	}},
	{"requests", "a picture that is not there", "/mentions", "", before("</main>", `<img src="/static/aucune.png" alt="">`)},
	{"console", "a script that the policy stops", "/mentions", "", before("</main>", `<script>document.title = 'oups'</script>`)},
}

func pictures(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `<img src="/static/favicon.svg?n=%d" alt="">`, i)
	}
	return b.String()
}

// proxy stands before a node and makes one fault.
type proxy struct {
	*httptest.Server
	mu    sync.Mutex
	fault *fault
}

func newProxy(node string) (*proxy, error) {
	to, err := url.Parse(node)
	if err != nil {
		return nil, err
	}
	p := &proxy{}
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = to.Host
		r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
		r.Out.Header.Del("Accept-Encoding")
	}}
	p.Server = httptest.NewServer(forward)
	forward.ModifyResponse = func(resp *http.Response) error {
		raw, err := io.ReadAll(io.LimitReader(resp.Body, largest))
		resp.Body.Close()
		if err != nil {
			return err
		}
		// What is the node's own is the proxy's.
		body := strings.ReplaceAll(string(raw), node, p.URL)
		p.mu.Lock()
		f := p.fault
		p.mu.Unlock()
		if f != nil && f.spoils(resp.Request.URL.Path) {
			body = f.change(resp.Header, body)
		}
		resp.Body = io.NopCloser(bytes.NewReader([]byte(body)))
		resp.ContentLength = int64(len(body))
		resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
		return nil
	}
	return p, nil
}

func (f *fault) spoils(path string) bool {
	if f.of == "" {
		return path == f.path
	}
	return strings.HasPrefix(path, f.of)
}

func (p *proxy) make(f *fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
}

// spoils makes each fault and expects its judge to see it, and to have seen nothing
// before.
func (w *world) spoils() {
	var p *proxy
	w.Must("a proxy, through which no judge sees a fault", func() (err error) {
		if p, err = newProxy(w.nodes[0].URL); err != nil {
			return err
		}
		w.Cleanup(p.Close)
		if err = w.openOnce(); err != nil {
			return err
		}
		return w.flawless(w.through(p))
	})
	for _, f := range faults {
		w.Check(fmt.Sprintf("%s: it sees %s", f.judge, f.name), func() error {
			p.make(&f)
			defer p.make(nil)
			found, err := w.opinion(f.judge, w.through(p), f.path)
			if err == nil && len(found) == 0 {
				err = errors.New("it saw nothing: it cannot fail")
			}
			return err
		})
	}
	w.Check("every judge has its fault", func() error {
		for _, name := range judgeNames() {
			if !slices.ContainsFunc(faults, func(f fault) bool { return f.judge == name }) {
				return fmt.Errorf("%s: none is made", name)
			}
		}
		return nil
	})
	w.Check("routes: it sees one that no page leads to", func() error {
		w.notes = newNotes()
		if w.covered() == nil {
			return errors.New("it saw nothing: it cannot fail")
		}
		return nil
	})
}

// flawless tells whether the judges see nothing on the pages where faults will be.
func (w *world) flawless(s *site) error {
	var pages []*page
	for _, f := range faults {
		if slices.ContainsFunc(pages, func(p *page) bool { return p.path == f.path }) {
			continue
		}
		for _, j := range judges {
			name, _, _ := strings.Cut(j.name, ":")
			found, err := w.opinion(name, s, f.path)
			if err != nil || len(found) > 0 {
				return errors.Join(err, fmt.Errorf("%s of %s: %v", name, f.path, found))
			}
		}
		p, err := w.get(s, f.path, false)
		if err != nil {
			return err
		}
		found, err := w.eye.look(p, few, 0)
		if err != nil || len(found) > 0 {
			return errors.Join(err, fmt.Errorf("%s: %v", f.path, told(found)))
		}
		pages = append(pages, p)
	}
	found, err := w.vnu(pages)
	if err == nil && len(found) > 0 {
		err = fmt.Errorf("html: %v", told(found))
	}
	return err
}

// through is the site as the proxy shows it: nothing of it is known yet.
func (w *world) through(p *proxy) *site {
	return &site{name: "proxy", url: p.URL, node: w.nodes[0], assets: map[string]asset{}}
}

// judgeNames are those of all judges.
func judgeNames() []string {
	list := []string{"html"}
	for _, j := range judges {
		name, _, _ := strings.Cut(j.name, ":")
		list = append(list, name)
	}
	for _, j := range seenJudges {
		list = append(list, j.name)
	}
	return list
}

// opinion is what one judge says of one page.
func (w *world) opinion(name string, s *site, path string) (list []string, err error) {
	p, err := w.get(s, path, false)
	if err != nil {
		return nil, err
	}
	if name == "html" {
		found, err := w.vnu([]*page{p})
		return told(found), err
	}
	if i := slices.IndexFunc(judges, func(j judge) bool { return strings.HasPrefix(j.name, name+":") }); i >= 0 {
		list = judges[i].look(w, p)
		if name != "links" {
			return list, nil
		}
		for _, r := range p.references() {
			if !r.own(s) || r.posted {
				continue
			}
			next, err := w.get(s, r.url.EscapedPath(), false)
			if err != nil {
				return nil, err
			}
			next.from = path
			list = append(list, judges[i].look(w, next)...)
		}
		return list, nil
	}
	w.eye.forget(s)
	found, err := w.eye.look(p, few, 0)
	return told(slices.DeleteFunc(found, func(f finding) bool { return f.Judge != name })), err
}
