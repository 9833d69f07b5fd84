// SPDX-License-Identifier: AGPL-3.0-or-later

package main

//go:generate go test -run TestConfigurationReferenceIsCurrent . -update

// settings are the node's options as written, before they are checked. Each
// may come from a flag of `essaim serve`, from an environment variable or from
// essaim.toml in the data directory, in this order; the comment of a field is
// its entry in docs/configuration.md.
type settings struct {
	// Public address of the node, `https://brest.example`, without a path. It is
	// never taken from a request. `essaim init` writes it once; it can't change
	// later, because the ids of what is published begin with it.
	URL string `toml:"url" name:"url" placeholder:"URL" help:"Public address of the node."`
	// Address and port that the web server listens on. Default: `127.0.0.1:8080`,
	// behind a reverse proxy. With a certificate of its own: `:443`.
	Listen string `toml:"listen" name:"listen" placeholder:"HOST:PORT" help:"Where to listen (127.0.0.1:8080)."`
	// `postgres://user:password@host/database` (PostgreSQL 15 or later). Empty:
	// SQLite, in the data directory.
	DatabaseURL string `toml:"database_url" name:"database-url" placeholder:"URL" help:"postgres://…; empty for SQLite."`
	// PEM files of a certificate chain and its key, to serve HTTPS without a
	// reverse proxy. Both or none.
	TLSCert string `toml:"tls_cert" name:"tls-cert" placeholder:"FILE" help:"Certificate chain (PEM)."`
	// See `tls_cert`.
	TLSKey string `toml:"tls_key" name:"tls-key" placeholder:"FILE" help:"Key of the certificate (PEM)."`
	// `on`: obtain and renew a certificate by ACME for the host of `url`, kept in
	// the data directory. The server must then be reachable on port 443.
	ACME string `toml:"acme" name:"acme" placeholder:"on|off" help:"Obtain a certificate by ACME."`
	// Address that the certificate authority may write to.
	ACMEEmail string `toml:"acme_email" name:"acme-email" placeholder:"EMAIL" help:"Contact for the ACME authority."`
	// Directory address of the ACME authority. Default: Let's Encrypt.
	ACMEDirectory string `toml:"acme_directory" name:"acme-directory" placeholder:"URL" help:"ACME directory."`
	// Mail server for sign-in links, `smtp://user:password@host:587` or
	// `smtps://…`. The query `from` is the sender: `?from=essaim@brest.example`.
	// Empty: no mail is sent, and links come from `essaim user link`.
	SMTPURL string `toml:"smtp_url" name:"smtp-url" placeholder:"URL" help:"Mail server: smtp:// or smtps://."`
	// Where files are kept: empty, for the data directory. This version knows no
	// other place, and one that is given stops the start.
	BlobURL string `toml:"blob_url" name:"blob-url" placeholder:"URL" help:"Where files are kept."`
	// Networks (CIDR) of the reverse proxies whose `X-Forwarded-For` is believed.
	TrustedProxies string `toml:"trusted_proxies" name:"trusted-proxies" placeholder:"CIDR,…" help:"Proxies whose X-Forwarded-For is believed."`
	// Networks (CIDR) that outgoing requests may reach besides the public
	// Internet, such as `127.0.0.0/8` for tests; plain HTTP is allowed there.
	// Empty in production.
	AllowPrivate string `toml:"allow_private" name:"allow-private" placeholder:"CIDR,…" help:"Private networks that may be reached (tests only)."`
	// Who may follow the node as a peer: `open` accepts at once, `approve` waits
	// for an administrator, `allowlist` accepts only the nodes followed here.
	// Default: `open`.
	PeerPolicy string `toml:"peer_policy" name:"peer-policy" placeholder:"open|approve|allowlist" help:"Who may follow the node as a peer."`
	// For how many days a node that is followed may not answer before it is shown
	// as silent, on the pages of its records too. Default: `14`.
	SilentDays string `toml:"silent_days" name:"silent-days" placeholder:"DAYS" help:"Days without an answer after which a peer is silent."`
	// Who may write to the node's inboxes: `open` for everyone who is not blocked,
	// `allowlist` for the hosts and accounts of `essaim moderate allow` and the
	// nodes followed here. Reading stays open. Default: `open`.
	Writers string `toml:"writers" name:"writers" placeholder:"open|allowlist" help:"Who may write to the inboxes."`
	// For how many days the bytes of received activities are kept; then their id,
	// digest and outcome remain. Default: `90`.
	RawDays string `toml:"raw_days" name:"raw-days" placeholder:"DAYS" help:"Days that received activities are kept."`
	// The same for activities of a type that is not known here. Default: `30`.
	UnknownDays string `toml:"unknown_days" name:"unknown-days" placeholder:"DAYS" help:"Days that activities of unknown types are kept."`
	// Which answers from elsewhere are shown without a moderator: `held` none,
	// `known` those of authors of whom one was accepted before and none is hidden,
	// `shown` all. Default: `held`.
	Comments string `toml:"comments" name:"comments" placeholder:"held|known|shown" help:"Which answers are shown at once."`
	// `on`: the territory has a community too, `@groupe_…`, that Lemmy and others
	// follow and to which everything published is addressed (FEP-1b12). Switched
	// off again, it stays where it is and announces no more. Default: `off`.
	LemmyGroup string `toml:"lemmy_group" name:"lemmy-group" placeholder:"on|off" help:"A community of the territory, for Lemmy."`
	// Address of map tiles of another site, `https://tiles.example/{z}/{x}/{y}.png`:
	// maps lie on them, and each reader's browser asks that site for them. A file
	// `map.pmtiles` in the data directory, which the node serves itself, comes
	// before. Empty: outlines alone, and no other site is asked.
	MapTiles string `toml:"map_tiles" name:"map-tiles" placeholder:"URL" help:"Address of map tiles, with {z}, {x} and {y}."`
	// Who made the tiles, as they ask to be named: `© OpenStreetMap`. It goes with
	// map_tiles.
	MapCredit string `toml:"map_credit" name:"map-credit" placeholder:"TEXT" help:"Who made the map tiles."`
	// Where the source code of this very version can be had, as the licence asks of
	// whoever changes the program (AGPL, section 13): linked from every page and
	// from NodeInfo. Empty: no link.
	SourceURL string `toml:"source_url" name:"source-url" placeholder:"URL" help:"Where the source code can be had."`
	// Who publishes the site, who answers for it, how to reach them and who hosts it,
	// as the law asks (in France LCEN, article 1-1, and the statement on
	// accessibility): a text in Markdown, shown on `/mentions` and `/accessibilite`.
	// Empty: the name of the territory alone.
	Publisher string `toml:"publisher" name:"publisher" placeholder:"TEXT" help:"Who publishes the site, how to reach them, who hosts it (Markdown)."`
	// `debug`, `info`, `warn` or `error`. Default: `info`.
	LogLevel string `toml:"log_level" name:"log-level" placeholder:"LEVEL" help:"debug, info, warn or error."`
	// `text` or `json`, on standard error. Default: `text`.
	LogFormat string `toml:"log_format" name:"log-format" placeholder:"text|json" help:"Form of the log."`
	// Address of a second listener with Prometheus metrics at `/metrics` and Go
	// profiles at `/debug/pprof/`; never a public one. Empty: none.
	MetricsListen string `toml:"metrics_listen" name:"metrics-listen" placeholder:"HOST:PORT" help:"Where to serve metrics and profiles."`
}
