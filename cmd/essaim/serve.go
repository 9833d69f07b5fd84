// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"
)

// stopTime is how long running requests and workers have to end.
const stopTime = 9 * time.Second

// memoryLimit is what the collector strives to keep below, unless GOMEMLIMIT
// says otherwise: it works harder near it in place of growing.
const memoryLimit = 128 << 20

// collectAt is by how many percent the memory in use grows between two
// collections, unless GOGC says otherwise: the heap is small, and a tenth of
// the work under load was to go through it. memoryLimit bounds it in any case.
const collectAt = 200

type serveCommand struct {
	settings
	Dev bool `help:"For developers: templates read at each request, letters printed, /api/v1/routes."`
}

func (serveCommand) Help() string {
	return "Serves the node until SIGTERM or SIGINT. Every option below is also an environment variable and a key of essaim.toml (docs/configuration.md).\n\n" +
		"Example:\n\n    essaim serve --data /var/lib/essaim"
}

func (c serveCommand) Run(ctx context.Context, a *app) (err error) {
	cfg, err := a.configuration(c.settings)
	if err != nil {
		return err
	}
	cfg.Dev = c.Dev
	if a.env("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	if a.env("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	opt := a.options()
	opt.logger = newLogger(cfg, a.errs)
	n, err := Open(ctx, cfg, opt)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	socket := a.env("NOTIFY_SOCKET")
	err = n.Serve(ctx, func(addr net.Addr) {
		opt.logger.LogAttrs(ctx, slog.LevelInfo, "serving", slog.String("url", n.info.BaseURL), slog.String("listen", addr.String()), slog.String("version", version))
		if err := notify(socket, "READY=1"); err != nil {
			opt.logger.LogAttrs(ctx, slog.LevelWarn, "service manager not told", slog.String("error", err.Error()))
		}
	})
	opt.logger.LogAttrs(context.WithoutCancel(ctx), slog.LevelInfo, "stopped")
	return err
}

func newLogger(cfg config, w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: cfg.LogLevel}
	if cfg.LogJSON {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// Serve starts the workers and answers on the configured addresses until ctx
// ends; then it lets what is running end, for ten seconds at most. ready is
// called once the node listens.
func (n *Node) Serve(ctx context.Context, ready func(net.Addr)) error {
	log := n.opt.logger
	secure, err := tlsConfig(ctx, n.withURL(), n.opt.now, log)
	if err != nil {
		return err
	}
	handler, err := n.Handler()
	if err != nil {
		return err
	}
	var servers serverGroup
	defer servers.close()

	if n.cfg.MetricsListen != "" {
		m := newMetrics(n.waiting)
		handler = m.count(handler)
		l, err := listen(ctx, n.cfg.MetricsListen)
		if err != nil {
			return err
		}
		servers.start(newServer(m.handler(), log), l, false)
	}
	public, err := listen(ctx, n.cfg.Listen)
	if err != nil {
		return err
	}
	// A command of an administrator outlives no process and hurries for none.
	socket, err := listenAdmin(n.cfg.Dir)
	if err != nil {
		public.Close()
		return err
	}
	local := newServer(adminHandler(n, log), log)
	local.ReadTimeout, local.WriteTimeout = 0, 0
	servers.start(local, socket, false)
	srv := newServer(handler, log)
	srv.TLSConfig = secure
	servers.start(srv, public, secure != nil)

	n.Start(context.WithoutCancel(ctx))
	ready(public.Addr())
	select {
	case <-ctx.Done():
	case err = <-servers.failed():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	removeSocket(n.cfg.Dir)
	n.stop() // workers end what they hold while requests do
	return errors.Join(err, servers.shutdown(stopping))
}

func (n *Node) withURL() config {
	cfg := n.cfg
	cfg.URL = n.info.BaseURL
	return cfg
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return l, nil
}

// newServer bounds what a slow or greedy client may hold.
func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       bodyTime,
		WriteTimeout:      5 * time.Minute, // an export to a slow line
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // handshakes of scanners
	}
}

// requestTime is how long a request may take before it is answered that it
// should be made again: a database that is silent, in place of refusing, must not
// hold readers and peers until they leave. bodyTime is given besides to who sends
// much, such as pictures over a slow line.
const (
	requestTime = 20 * time.Second
	bodyTime    = time.Minute
	muchBody    = 1 << 20
)

// bounded gives each request a deadline.
func bounded(next http.Handler, limit time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit := limit
		if r.ContentLength < 0 || r.ContentLength > muchBody {
			limit += bodyTime
		}
		ctx, cancel := context.WithTimeout(r.Context(), limit)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// serverGroup runs servers and stops them together.
type serverGroup struct {
	servers []*http.Server
	ended   chan error
}

func (g *serverGroup) failed() <-chan error { return g.ended }

func (g *serverGroup) start(s *http.Server, l net.Listener, secure bool) {
	if g.ended == nil {
		g.ended = make(chan error, 3)
	}
	g.servers = append(g.servers, s)
	go func() {
		var err error
		if secure {
			err = s.ServeTLS(l, "", "")
		} else {
			err = s.Serve(l)
		}
		if !errors.Is(err, http.ErrServerClosed) {
			g.ended <- err
		}
	}()
}

// shutdown waits for running requests; those that do not end in time are cut,
// which is no failure.
func (g *serverGroup) shutdown(ctx context.Context) error {
	done := make(chan error, len(g.servers))
	for _, s := range g.servers {
		go func() {
			err := s.Shutdown(ctx)
			if errors.Is(err, context.DeadlineExceeded) {
				err = s.Close()
			}
			done <- err
		}()
	}
	var all error
	for range g.servers {
		all = errors.Join(all, <-done)
	}
	return all
}

func (g *serverGroup) close() {
	for _, s := range g.servers {
		_ = s.Close() // closed already by shutdown, or never used
	}
}

func removeSocket(dir string) {
	if path, release, err := socketPath(dir); err == nil {
		_ = os.Remove(path) // the next start replaces what is left
		release()
	}
}
