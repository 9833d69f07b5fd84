// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// tlsConfig is nil for plain HTTP behind a proxy.
func tlsConfig(ctx context.Context, cfg config, now func() time.Time, log *slog.Logger) (*tls.Config, error) {
	switch {
	case cfg.ACME:
		return acmeConfig(ctx, cfg, log)
	case cfg.TLSCert != "":
		f := &certificateFile{cert: cfg.TLSCert, key: cfg.TLSKey, now: now}
		if _, err := f.certificate(nil); err != nil {
			return nil, fmt.Errorf("tls_cert: %w", err)
		}
		return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: f.certificate, NextProtos: []string{"h2", "http/1.1"}}, nil
	}
	return nil, nil
}

// certificateFile reads a certificate again when its file changes, so that a
// renewal needs no restart.
type certificateFile struct {
	cert, key string
	now       func() time.Time

	mu      sync.Mutex
	loaded  *tls.Certificate
	modTime time.Time
	looked  time.Time
}

func (f *certificateFile) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.loaded != nil && f.now().Sub(f.looked) < time.Minute {
		return f.loaded, nil
	}
	f.looked = f.now()
	info, err := os.Stat(f.cert)
	if err == nil && f.loaded != nil && info.ModTime().Equal(f.modTime) {
		return f.loaded, nil
	}
	c, loadErr := tls.LoadX509KeyPair(f.cert, f.key)
	if loadErr != nil {
		if f.loaded != nil { // half of a renewal: the old one serves on
			return f.loaded, nil
		}
		return nil, loadErr
	}
	f.loaded = &c
	if err == nil {
		f.modTime = info.ModTime()
	}
	return f.loaded, nil
}

// acmeConfig obtains a certificate for the node's host on the port that it
// serves (TLS-ALPN, RFC 8737), and keeps it in the data directory.
func acmeConfig(ctx context.Context, cfg config, log *slog.Logger) (*tls.Config, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, err
	}
	quiet := zap.NewNop() // events are logged below, in our own form
	var magic *certmagic.Config
	cache := certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return magic, nil },
		Logger:           quiet,
	})
	magic = certmagic.New(cache, certmagic.Config{
		Storage: &certmagic.FileStorage{Path: filepath.Join(cfg.Dir, "acme")},
		Logger:  quiet,
		OnEvent: func(ctx context.Context, event string, data map[string]any) error {
			switch event {
			case "cert_obtained":
				log.LogAttrs(ctx, slog.LevelInfo, "certificate obtained", slog.Any("host", data["identifier"]))
			case "cert_failed":
				log.LogAttrs(ctx, slog.LevelError, "no certificate", slog.Any("host", data["identifier"]), slog.Any("error", data["error"]))
			}
			return nil
		},
	})
	issuer := certmagic.ACMEIssuer{
		CA: cfg.ACMEDirectory, Email: cfg.ACMEEmail, Agreed: true, DisableHTTPChallenge: true, Logger: quiet,
	}
	if issuer.CA == "" {
		issuer.CA = certmagic.LetsEncryptProductionCA
	}
	magic.Issuers = []certmagic.Issuer{certmagic.NewACMEIssuer(magic, issuer)}
	if err := magic.ManageAsync(ctx, []string{u.Hostname()}); err != nil {
		return nil, fmt.Errorf("acme: %w", err)
	}
	t := magic.TLSConfig()
	t.NextProtos = append([]string{"h2", "http/1.1"}, t.NextProtos...)
	return t, nil
}
