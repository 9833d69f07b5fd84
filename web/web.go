// SPDX-License-Identifier: AGPL-3.0-or-later

// Package web shows the commons of a territory to people, lets them write, and
// gives programs the same through a JSON API. Pages are made on the server and
// need no script; [Server.routes] lists all of them.
package web

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // a static binary in an empty image has no zones of its own

	"golang.org/x/text/language"

	"essaim"
)

// Config is what a Server needs. Node and Store are required.
type Config struct {
	Node  essaim.Node
	Store Store
	// Mail sends sign-in links; without it they come from the command line only.
	Mail Mailer
	// Fediverse asks other servers for readers; without it pages offer to copy
	// addresses only.
	Fediverse Fediverse
	// Ground is what maps lie on; outlines alone when it is zero.
	Ground Ground
	// Pictures holds our copies of avatars; none are shown when nil.
	Pictures Pictures
	// Dumps are the dated files of the commons; none are offered when nil.
	Dumps Dumps
	// Gazetteer finds communes by name or code; the embedded one when nil.
	Gazetteer *essaim.Gazetteer
	// Locales holds the languages of the interface, a file each (locale/fr.json);
	// those of the program when nil.
	Locales fs.FS
	// Zone is the territory's; Europe/Paris when nil.
	Zone *time.Location
	// TrustedProxies may tell the reader's address in X-Forwarded-For.
	TrustedProxies []netip.Prefix
	// Demo puts the demonstration's notice on each page; Node.Demo does too.
	Demo bool
	// PeerSilence is after how long without an answer a peer is shown as silent;
	// essaim.PeerSilence when zero.
	PeerSilence time.Duration
	// Dev reads templates at each request and opens /api/v1/routes, which tells
	// PanicName where it is set.
	Dev       bool
	PanicName string
	// Patterns are those of the addresses that others answer before the site, for
	// the route map of a development build.
	Patterns  []string
	Version   string
	SourceURL string // where the program's source code can be had
	// Publisher says in Markdown who publishes the site, how to reach them and who
	// hosts it.
	Publisher string
	Now       func() time.Time
	Random    io.Reader // of secrets and request ids; crypto/rand when nil
	// Secret makes the links by which people agree to be named, the same in every
	// process of the node; without it there are none.
	Secret []byte
	Logger *slog.Logger
}

// Mailer sends letters. Sending is queued or quick: a page waits for it.
type Mailer interface {
	// Send sends a letter to the address of an account, in the name of a territory.
	Send(ctx context.Context, to, from, subject, text string) error
}

// Server is the site. It is an http.Handler.
type Server struct {
	cfg       Config
	store     Store
	log       *slog.Logger
	now       func() time.Time
	host      string   // of Node.BaseURL
	secure    bool     // pages come over https
	communes  []string // INSEE codes of the perimeter
	locales   map[string]*locale
	languages []string         // of the interface, the default first
	offered   language.Matcher // of the same, in their order
	themes    concepts
	alike     similarKept
	assets    map[string]asset
	kept      keptPages
	land      func() string // see networkMap
	files     filesOut
	fonts     *typefaces
	printing  chan struct{} // a place for each booklet being made as a file
	prints    turns         // of one reader one
	drawing   chan struct{} // and for each picture
	// sitemapPart is how many addresses a part of the sitemap holds.
	sitemapPart int
	templates   *templates
	handler     http.Handler
	endpoints   []endpoint
}

// New makes the site of a node.
func New(cfg Config) (*Server, error) {
	if cfg.Store == nil {
		return nil, errors.New("web: no store")
	}
	base, err := url.Parse(cfg.Node.BaseURL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, errors.New("web: the node's base URL is not an http address")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Gazetteer == nil {
		cfg.Gazetteer = essaim.EmbeddedGazetteer()
	}
	if cfg.Zone == nil {
		if cfg.Zone, err = time.LoadLocation("Europe/Paris"); err != nil {
			return nil, err
		}
	}
	s := &Server{
		cfg: cfg, store: cfg.Store, log: cfg.Logger, now: cfg.Now,
		host: base.Host, secure: base.Scheme == "https", sitemapPart: sitemapPart,
	}
	s.land = sync.OnceValue(func() string { return landOf(cfg.Gazetteer) })
	s.communes = perimeter(cfg.Gazetteer, cfg.Node.Territory)
	if cfg.Locales == nil {
		cfg.Locales = localeFiles
	}
	if s.locales, s.languages, err = newLocales(cfg.Locales, cfg.Zone, cfg.Gazetteer); err != nil {
		return nil, err
	}
	s.offered = offer(s.languages)
	for _, l := range s.locales {
		l.themes = &s.themes
	}
	if s.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	s.addOutlines()
	s.printing, s.drawing = make(chan struct{}, bookletAtOnce), make(chan struct{}, previewsAtOnce)
	if s.fonts, err = loadFonts(); err != nil {
		return nil, err
	}
	if s.templates, err = s.newTemplates(); err != nil {
		return nil, err
	}
	if s.handler, err = s.routes(); err != nil {
		return nil, err
	}
	return s, nil
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// demo tells whether pages carry the demonstration's notice.
func (s *Server) demo() bool { return s.cfg.Demo || s.cfg.Node.Demo }

// abs makes a path of this site absolute.
func (s *Server) abs(path string) string {
	return strings.TrimSuffix(s.cfg.Node.BaseURL, "/") + path
}

// perimeter lists the communes of a territory, ascending, without those that
// only its départements bring: they are too many to be offered in a form.
func perimeter(g *essaim.Gazetteer, t essaim.Territory) []string {
	codes := slices.Clone(t.Communes)
	for _, siren := range t.EPCIs {
		if e, ok := g.EPCI(siren); ok {
			codes = append(codes, e.Communes...)
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}
