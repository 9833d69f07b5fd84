// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"essaim"
	"essaim/federation"
	"essaim/web"

	"github.com/pelletier/go-toml/v2"
)

// configFile is read in the data directory.
const configFile = "essaim.toml"

// config is the checked configuration of a node.
type config struct {
	Dir            string
	URL            string // without a last slash; empty where init wrote it to the database only
	Listen         string
	DatabaseURL    string // empty for SQLite
	TLSCert        string
	TLSKey         string
	ACME           bool
	ACMEEmail      string
	ACMEDirectory  string
	SMTP           *url.URL // nil when no mail is sent
	TrustedProxies []netip.Prefix
	AllowPrivate   []netip.Prefix
	PeerPolicy     federation.PeerPolicy
	SourceURL      string // empty for no link
	Publisher      string // Markdown
	Comments       essaim.CommentPolicy
	LemmyGroup     bool
	MapTiles       string // empty for none
	MapCredit      string
	Allowlist      bool
	KeepRaw        time.Duration
	KeepUnknown    time.Duration
	PeerSilence    time.Duration // zero for essaim.PeerSilence
	LogLevel       slog.Level
	LogJSON        bool
	MetricsListen  string
	Dev            bool
}

// otherVariables are read elsewhere than by settings; the last two and
// ESSAIM_TEST_… belong to the tests, which run commands with their own
// environment.
var otherVariables = []string{"ESSAIM_DATA", "ESSAIM_PASSPHRASE", "ESSAIM_CORPUS", "ESSAIM_BIN"}

// configuration layers flags over the environment over the file, and checks
// the result. flags may be the zero settings.
func (a *app) configuration(flags settings) (config, error) {
	dir, err := a.dataDir()
	if err != nil {
		return config{}, err
	}
	s := flags
	if err := s.fillFromEnvironment(a.environ); err != nil {
		return config{}, err
	}
	if err := s.fillFromFile(filepath.Join(dir, configFile)); err != nil {
		return config{}, err
	}
	c, err := s.check()
	c.Dir = dir
	return c, err
}

// each calls f with the file key of every setting and a pointer to its value.
func (s *settings) each(f func(key string, value *string)) {
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		f(v.Type().Field(i).Tag.Get("toml"), v.Field(i).Addr().Interface().(*string))
	}
}

func variable(key string) string { return "ESSAIM_" + strings.ToUpper(key) }

func (s *settings) fillFromEnvironment(environ []string) error {
	known := slices.Clone(otherVariables)
	values := map[string]string{}
	for _, line := range environ {
		if k, v, _ := strings.Cut(line, "="); strings.HasPrefix(k, "ESSAIM_") {
			values[k] = v
		}
	}
	s.each(func(key string, value *string) {
		known = append(known, variable(key))
		if *value == "" {
			*value = values[variable(key)]
		}
	})
	for k := range values {
		if !slices.Contains(known, k) && !strings.HasPrefix(k, "ESSAIM_TEST_") {
			return fmt.Errorf("environment: unknown variable %s%s", k, nearest(k, known))
		}
	}
	return nil
}

func (s *settings) fillFromFile(path string) error {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	values := map[string]any{}
	if err := toml.Unmarshal(b, &values); err != nil {
		if at, ok := errors.AsType[*toml.DecodeError](err); ok {
			line, _ := at.Position()
			return fmt.Errorf("%s: line %d: %w", path, line, err)
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	var known []string
	var bad error
	s.each(func(key string, value *string) {
		known = append(known, key)
		text, err := written(values[key])
		if err != nil {
			bad = fmt.Errorf("%s: %s: %w", path, key, err)
		}
		if *value == "" {
			*value = text
		}
	})
	for k := range values {
		if !slices.Contains(known, k) {
			return fmt.Errorf("%s: unknown key %s%s", path, k, nearest(k, known))
		}
	}
	return bad
}

// written is a TOML value as an environment variable would have it.
func written(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case bool:
		if v {
			return "on", nil
		}
		return "off", nil
	case []any:
		var list []string
		for _, e := range v {
			text, ok := e.(string)
			if !ok {
				return "", errors.New("a list of texts is wanted")
			}
			list = append(list, text)
		}
		return strings.Join(list, ","), nil
	}
	return "", errors.New("a text is wanted, in quotes")
}

// nearest proposes the known word that begins most like an unknown one.
func nearest(word string, known []string) string {
	best, score := "", 0
	for _, k := range known {
		n := 0
		for n < len(k) && n < len(word) && k[n] == word[n] {
			n++
		}
		if n > score {
			best, score = k, n
		}
	}
	if score < 3 || score == len("ESSAIM_") {
		return ""
	}
	return " (did you mean " + best + "?)"
}

// check turns what was written into what the node runs with.
func (s settings) check() (config, error) {
	c := config{
		Listen: s.Listen, DatabaseURL: s.DatabaseURL, TLSCert: s.TLSCert, TLSKey: s.TLSKey,
		ACMEEmail: s.ACMEEmail, ACMEDirectory: s.ACMEDirectory, MetricsListen: s.MetricsListen,
		MapTiles: s.MapTiles, MapCredit: s.MapCredit,
	}
	if c.Listen == "" {
		c.Listen = "127.0.0.1:8080"
	}
	var bad error
	wrong := func(key, format string, args ...any) {
		if bad == nil {
			bad = fmt.Errorf("%s (%s): %s", key, variable(key), fmt.Sprintf(format, args...))
		}
	}
	for key, at := range map[string]string{"listen": c.Listen, "metrics_listen": c.MetricsListen} {
		if at == "" {
			continue
		}
		_, port, err := net.SplitHostPort(at)
		if n, numErr := strconv.ParseUint(port, 10, 16); err != nil || numErr != nil || n > 65535 {
			wrong(key, "%q is no HOST:PORT", at)
		}
	}
	if c.DatabaseURL != "" && !strings.HasPrefix(c.DatabaseURL, "postgres://") && !strings.HasPrefix(c.DatabaseURL, "postgresql://") {
		wrong("database_url", "only postgres://… is known") // the value may hold a password
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		wrong("tls_cert", "tls_cert and tls_key go together")
	}
	s.checkLists(&c, wrong)
	s.checkAddresses(&c, wrong)
	s.checkChoices(&c, wrong)
	if c.ACME && c.TLSCert != "" {
		wrong("acme", "it excludes tls_cert")
	}
	if c.ACME && c.URL != "" && !strings.HasPrefix(c.URL, "https://") {
		wrong("acme", "it needs an https:// url")
	}
	return c, bad
}

func (s settings) checkLists(c *config, wrong func(key, format string, args ...any)) {
	for key, l := range map[string]struct {
		written string
		into    *[]netip.Prefix
	}{"trusted_proxies": {s.TrustedProxies, &c.TrustedProxies}, "allow_private": {s.AllowPrivate, &c.AllowPrivate}} {
		for part := range strings.SplitSeq(l.written, ",") {
			if part = strings.TrimSpace(part); part == "" {
				continue
			}
			p, err := netip.ParsePrefix(part)
			if addr, addrErr := netip.ParseAddr(part); err != nil && addrErr == nil {
				p, err = netip.PrefixFrom(addr, addr.BitLen()), nil
			}
			if err != nil {
				wrong(key, "%q is no network such as 10.0.0.0/8", part)
				continue
			}
			*l.into = append(*l.into, p.Masked())
		}
	}
}

func (s settings) checkAddresses(c *config, wrong func(key, format string, args ...any)) {
	if s.URL != "" {
		base, err := baseURL(s.URL, len(c.AllowPrivate) > 0)
		if err != nil {
			wrong("url", "%s", err)
		}
		c.URL = base
	}
	if s.SMTPURL != "" {
		u, err := url.Parse(s.SMTPURL)
		if err != nil || (u.Scheme != "smtp" && u.Scheme != "smtps") || u.Host == "" {
			wrong("smtp_url", "smtp://HOST:PORT or smtps://HOST:PORT is wanted") // it may hold a password
		}
		c.SMTP = u
	}
	if s.BlobURL != "" {
		scheme, _, _ := strings.Cut(s.BlobURL, ":") // what follows may hold a secret
		wrong("blob_url", "this version keeps files in the data directory only, not at %s:; leave it empty", scheme)
	}
	if s.SourceURL != "" {
		if u, err := url.Parse(s.SourceURL); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			wrong("source_url", "%q is no https:// address", s.SourceURL)
		}
		c.SourceURL = s.SourceURL
	}
	if c.Publisher = s.Publisher; len(c.Publisher) > 10_000 {
		wrong("publisher", "%d bytes are more than a notice takes", len(c.Publisher))
	}
	if s.MapTiles != "" {
		if err := web.CheckTiles(s.MapTiles); err != nil {
			wrong("map_tiles", "%s", err)
		}
		if s.MapCredit == "" {
			wrong("map_credit", "who makes the tiles is to be named")
		}
	}
	if s.ACMEDirectory != "" {
		if u, err := url.Parse(s.ACMEDirectory); err != nil || u.Scheme != "https" || u.Host == "" {
			wrong("acme_directory", "%q is no https:// address", s.ACMEDirectory)
		}
	}
}

func (s settings) checkChoices(c *config, wrong func(key, format string, args ...any)) {
	either := func(key, written, no, yes string, into *bool) {
		switch written {
		case "", no:
		case yes:
			*into = true
		default:
			wrong(key, "%q is neither %s nor %s", written, yes, no)
		}
	}
	either("acme", s.ACME, "off", "on", &c.ACME)
	either("lemmy_group", s.LemmyGroup, "off", "on", &c.LemmyGroup)
	either("writers", s.Writers, "open", "allowlist", &c.Allowlist)
	switch p := federation.PeerPolicy(s.PeerPolicy); p {
	case "":
		c.PeerPolicy = federation.PeerPolicyOpen
	case federation.PeerPolicyOpen, federation.PeerPolicyApprove, federation.PeerPolicyAllowlist:
		c.PeerPolicy = p
	default:
		wrong("peer_policy", "%q is none of open, approve, allowlist", s.PeerPolicy)
	}
	for key, d := range map[string]struct {
		written string
		into    *time.Duration
	}{"raw_days": {s.RawDays, &c.KeepRaw}, "unknown_days": {s.UnknownDays, &c.KeepUnknown}, "silent_days": {s.SilentDays, &c.PeerSilence}} {
		if d.written == "" {
			continue
		}
		n, err := strconv.Atoi(d.written)
		if err != nil || n < 1 || n > 3650 {
			wrong(key, "%q is no number of days, from 1 to 3650", d.written)
		}
		*d.into = time.Duration(n) * 24 * time.Hour
	}
	switch p := essaim.CommentPolicy(s.Comments); p {
	case "":
		c.Comments = essaim.CommentsHeld
	case essaim.CommentsHeld, essaim.CommentsKnown, essaim.CommentsShown:
		c.Comments = p
	default:
		wrong("comments", "%q is none of held, known, shown", s.Comments)
	}
	levels := map[string]slog.Level{"": slog.LevelInfo, "debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	level, ok := levels[s.LogLevel]
	if !ok {
		wrong("log_level", "%q is none of debug, info, warn, error", s.LogLevel)
	}
	c.LogLevel = level
	switch s.LogFormat {
	case "", "text":
	case "json":
		c.LogJSON = true
	default:
		wrong("log_format", "%q is neither text nor json", s.LogFormat)
	}
}

// baseURL checks a node's public address and takes the last slash away. Plain
// HTTP is for networks opened by allow_private.
func baseURL(s string, private bool) (string, error) {
	u, err := url.Parse(strings.TrimSuffix(s, "/"))
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("%q is no address such as https://brest.example", s)
	case u.Scheme == "http" && !private:
		return "", fmt.Errorf("%q: https is wanted (http only with allow_private, for tests)", s)
	case u.Scheme != "http" && u.Scheme != "https":
		return "", fmt.Errorf("%q is no https:// address", s)
	}
	for _, r := range u.Host {
		if r > 127 || r >= 'A' && r <= 'Z' || r == '_' {
			return "", fmt.Errorf("%q: the host must be in lower case ASCII (xn--… for accents)", s)
		}
	}
	return u.String(), nil
}
