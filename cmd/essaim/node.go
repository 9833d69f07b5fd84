// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"cmp"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"essaim"
	"essaim/federation"
	"essaim/federation/vocab"
	"essaim/store"
	"essaim/store/blob"
	"essaim/web"
	"essaim/web/mail"
	"essaim/web/transfer"

	"github.com/go-chi/chi/v5"
)

// Node is one node, opened in this process: the store, what speaks ActivityPub
// and the pages, wired together. Several may live side by side, each on its
// own data directory.
type Node struct {
	cfg        config
	opt        options
	info       essaim.Node
	keys       federation.Keys
	store      *store.Store
	files      *blob.Dir
	dumps      *transfer.Dumps
	federation *federation.Server
	mail       *mail.Sender // nil when no letter is sent
	workers    sync.WaitGroup
	stop       context.CancelFunc
}

// options are what the demonstration and the tests give otherwise than serve.
type options struct {
	now    func() time.Time // time.Now when nil
	logger *slog.Logger     // discards when nil
	// patience is how long a request may take; requestTime when 0.
	patience time.Duration
}

func (a *app) options() options { return options{now: a.now} }

func (o options) clock() time.Time {
	if o.now == nil {
		return time.Now()
	}
	return o.now()
}

// Open opens an initialised node without starting its workers: enough for a
// command, and for requests.
func Open(ctx context.Context, cfg config, opt options) (*Node, error) {
	opt.now = options{now: opt.now}.clock
	if opt.logger == nil {
		opt.logger = slog.New(slog.DiscardHandler)
	}
	_, next := os.Stat(filepath.Join(cfg.Dir, nextDir))
	if !hasKeys(cfg.Dir) && next != nil {
		return nil, fmt.Errorf("%s holds no node (essaim init makes one)", cfg.Dir)
	}
	n := &Node{cfg: cfg, opt: opt}
	var err error
	var renderer *vocab.Renderer // made once the store has told which node this is
	n.store, err = openStore(ctx, cfg, opt, makers{
		render: func(r essaim.RenderRequest) (essaim.Rendered, error) { return renderer.Render(r) },
		tell:   func(t essaim.Told) ([]byte, error) { return renderer.Tell(t) },
		actor:  func(a essaim.LocalActor) (essaim.Rendered, error) { return renderer.CommonsActor(a) },
		choice: func(a essaim.LocalActor, doc []byte) (essaim.Profile, error) { return renderer.ReadActor(a, doc) },
	})
	if err != nil {
		return nil, err
	}
	if renderer, err = n.assemble(ctx); err != nil {
		return nil, errors.Join(err, n.store.Close())
	}
	return n, nil
}

// assemble checks that keys, address and database belong together and makes
// the servers.
func (n *Node) assemble(ctx context.Context) (*vocab.Renderer, error) {
	var err error
	if n.info, err = n.store.Node(ctx); err != nil {
		if errors.Is(err, essaim.ErrNotFound) {
			return nil, errors.New("the database holds no node (essaim init makes one)")
		}
		return nil, err
	}
	if n.keys, err = keysOfNode(n.cfg.Dir, n.info.KeyFingerprint, n.now()); err != nil {
		return nil, err
	}
	if err := n.checkIdentity(); err != nil {
		return nil, err
	}
	group := ""
	if n.cfg.LemmyGroup {
		if group, err = n.store.OpenGroup(ctx); err != nil {
			return nil, err
		}
	}
	renderer, err := vocab.New(vocab.Config{Node: n.info, Group: group, Ed25519: n.keys.Ed25519, RSA: &n.keys.RSA.PublicKey, Now: n.opt.now})
	if err != nil {
		return nil, err
	}
	if n.files, err = blob.New(blob.Config{Root: filepath.Join(n.cfg.Dir, filesDir), Now: n.opt.now}); err != nil {
		return nil, err
	}
	n.dumps = n.openDumps()
	n.federation, err = federation.New(federation.Config{
		Pictures: n.files,

		Node: n.info, Keys: n.keys, Store: n.store, PeerPolicy: n.cfg.PeerPolicy, Comments: n.cfg.Comments, Allowlist: n.cfg.Allowlist, Version: version,
		Now: n.opt.now, Logger: n.opt.logger, AllowPrivate: n.cfg.AllowPrivate, PanicName: n.panicName(),
		SourceURL: n.cfg.SourceURL, Caller: web.Caller(n.cfg.TrustedProxies),
	})
	if err != nil {
		return nil, err
	}
	return renderer, nil
}

// panicName is what an object is called that makes the ingester panic; empty
// but in development.
func (n *Node) panicName() string {
	if n.cfg.Dev {
		return "essaim: panic, please"
	}
	return ""
}

// checkIdentity refuses to sign as another node than the database's.
func (n *Node) checkIdentity() error {
	mark, err := fingerprint(n.keys)
	if err != nil {
		return err
	}
	if mark != n.info.KeyFingerprint {
		return fmt.Errorf("the keys in %s (%.16s…) are not those of the database (%.16s…): restore the right ones with essaim key restore",
			filepath.Join(n.cfg.Dir, keysDir), mark, n.info.KeyFingerprint)
	}
	if n.cfg.URL != "" && n.cfg.URL != n.info.BaseURL {
		return fmt.Errorf("url (ESSAIM_URL) is %s, but this node was made as %s and its ids begin with it", n.cfg.URL, n.info.BaseURL)
	}
	return nil
}

// now is the node's clock.
func (n *Node) now() time.Time { return n.opt.now() }

// Handler answers every public request: ActivityPub first, then the site.
// Commands do without its templates.
func (n *Node) Handler() (http.Handler, error) {
	places, err := gazetteer(n.cfg.Dir)
	if err != nil {
		return nil, err
	}
	r := chi.NewRouter()
	n.federation.Mount(r)
	secret, err := hkdf.Key(sha256.New, n.keys.Ed25519.Seed(), nil, "essaim: links by which people agree", sha256.Size)
	if err != nil {
		return nil, err
	}
	ground, err := n.cfg.ground()
	if err != nil {
		return nil, err
	}
	pages := web.Config{
		Node: n.info, Store: n.store, Fediverse: n.federation, Gazetteer: places, TrustedProxies: n.cfg.TrustedProxies,
		Pictures: n.files, Dumps: n.dumps, SourceURL: n.cfg.SourceURL, Publisher: n.cfg.Publisher, Secret: secret,
		PeerSilence: n.cfg.PeerSilence, Ground: ground,
		Dev: n.cfg.Dev, PanicName: n.panicName(), Version: version, Now: n.opt.now, Logger: n.opt.logger,
	}
	if err := n.openMail(); err != nil {
		return nil, err
	}
	if n.mail != nil {
		pages.Mail = n.mail
	}
	err = chi.Walk(r, func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if method == http.MethodGet {
			pages.Patterns = append(pages.Patterns, pattern)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	site, err := web.New(pages)
	if err != nil {
		return nil, err
	}
	rest := n.federation.Pages(n.store, site)
	r.NotFound(rest.ServeHTTP)
	r.MethodNotAllowed(n.federation.MethodNotAllowed(r))
	return bounded(r, cmp.Or(n.opt.patience, requestTime)), nil
}

// openMail starts what sends letters, if there is a server for them or a
// developer to read them.
func (n *Node) openMail() error {
	if n.mail != nil || n.cfg.SMTP == nil && !n.cfg.Dev {
		return nil
	}
	u, err := url.Parse(n.info.BaseURL)
	if err != nil {
		return err
	}
	c := mail.Config{Server: n.cfg.SMTP, Host: u.Hostname(), Logger: n.opt.logger}
	if n.cfg.Dev {
		c.Print = func(letter string) { n.opt.logger.Info("letter", slog.String("text", letter)) }
	}
	n.mail, err = mail.New(c)
	return err
}

// Start starts the workers: what came in is applied, what is published goes
// out. They end when ctx does, or at Close.
func (n *Node) Start(ctx context.Context) {
	ctx, n.stop = context.WithCancel(ctx)
	n.workers.Go(func() {
		if err := n.federation.Run(ctx); err != nil && ctx.Err() == nil {
			n.opt.logger.LogAttrs(ctx, slog.LevelError, "workers ended", slog.String("error", err.Error()))
		}
	})
	n.workers.Go(func() {
		if !n.writable(ctx) {
			return
		}
		if err := n.store.NameActors(ctx); err != nil && ctx.Err() == nil {
			n.opt.logger.LogAttrs(ctx, slog.LevelWarn, "actors not named", slog.String("error", err.Error()))
		}
		n.takeBackAgain(ctx)
		n.resign(ctx)
		n.refreshCommons(ctx)
		n.offerAgain(ctx)
		n.workers.Go(func() { n.renewDumps(ctx) })
		n.tidy(ctx)
	})
	n.workers.Go(func() {
		if !n.writable(ctx) {
			return
		}
		if err := n.store.Reindex(ctx); err != nil && ctx.Err() == nil {
			n.opt.logger.LogAttrs(ctx, slog.LevelWarn, "search not made again: it goes on at the next start", slog.String("error", err.Error()))
		}
	})
}

// writable waits while the node gets back what it lost; false once ctx ends.
func (n *Node) writable(ctx context.Context) bool {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		under, err := n.store.Recovering(ctx)
		if err == nil && !under || ctx.Err() != nil {
			return ctx.Err() == nil
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}

// filesDir holds, in the data directory, copies of pictures from elsewhere.
const filesDir = "files"

// tidyEvery is how often what ended is removed from the database.
const tidyEvery = time.Hour

// refreshCommons lists what changed of the commons by itself: actors that are
// followed now, or whose document the configuration changed.
func (n *Node) refreshCommons(ctx context.Context) {
	if err := n.store.RefreshCommons(ctx); err != nil && ctx.Err() == nil {
		n.opt.logger.LogAttrs(ctx, slog.LevelWarn, "commons not refreshed", slog.String("error", err.Error()))
	}
}

// takeBackAgain publishes anew, without it, what quotes an object that its author
// deleted, or names whom it was to name no more, before an older state of the
// database was put back.
func (n *Node) takeBackAgain(ctx context.Context) {
	if err := n.store.TakeBackAgain(ctx); err != nil && ctx.Err() == nil {
		n.opt.logger.LogAttrs(ctx, slog.LevelError, "what was taken back is not taken out of records", slog.String("error", err.Error()))
	}
}

// offerAgain asks the origins of what is adapted here once more that have not
// answered for a day.
func (n *Node) offerAgain(ctx context.Context) {
	if err := n.store.OfferAgain(ctx); err != nil && ctx.Err() == nil {
		n.opt.logger.LogAttrs(ctx, slog.LevelWarn, "adaptations not offered again", slog.String("error", err.Error()))
	}
}

// tidy removes what ended from the start on: one that was away for long, or is
// started often, keeps nothing longer than it says.
func (n *Node) tidy(ctx context.Context) {
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	for {
		err := errors.Join(n.store.Tidy(ctx), n.sweep(ctx))
		if err != nil && ctx.Err() == nil {
			n.opt.logger.LogAttrs(ctx, slog.LevelWarn, "not tidied", slog.String("error", err.Error()))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			n.refreshCommons(ctx)
			n.offerAgain(ctx)
		}
	}
}

// justKept is how old a picture is that may be removed: by then the database names
// it, or nothing does.
const justKept = time.Minute

// sweep removes the pictures that nobody names any more.
func (n *Node) sweep(ctx context.Context) error {
	return n.files.Sweep(n.now().Add(-justKept), func(file string) (bool, error) { return n.store.HasPicture(ctx, file) })
}

// Close ends the workers and gives the database back.
func (n *Node) Close() error {
	if n.stop != nil {
		n.stop()
	}
	n.workers.Wait()
	var err error
	if n.mail != nil {
		err = n.mail.Close()
	}
	return errors.Join(err, n.store.Close())
}

// makers are what the store has made of documents; none for a command that
// publishes nothing.
type makers struct {
	render essaim.RenderFunc
	tell   essaim.TellFunc
	actor  essaim.ActorFunc
	choice essaim.ReadActorFunc
}

// openTime is how long a data directory may stay in use by another command
// before this one gives up.
const openTime = 5 * time.Second

// openStore opens the database of a data directory. One that another command
// holds is waited for: they are short.
func openStore(ctx context.Context, cfg config, opt options, m makers) (*store.Store, error) {
	deadline := time.NewTimer(openTime)
	defer deadline.Stop()
	for {
		st, err := store.Open(ctx, store.Config{Dir: cfg.Dir, URL: cfg.DatabaseURL, Now: opt.now, Render: m.render, Tell: m.tell, Actor: m.actor, ReadActor: m.choice, KeepRaw: cfg.KeepRaw, KeepUnknown: cfg.KeepUnknown, Logger: opt.logger})
		if err == nil || !errors.Is(err, essaim.ErrConflict) || served(ctx, cfg.Dir) {
			return st, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-deadline.C:
			return nil, err
		case <-time.After(50 * time.Millisecond):
		}
	}
}
