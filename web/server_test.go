// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

// broken is a database that answers each search with one failure.
type broken struct {
	Store
	err   error
	panic bool
}

func (b broken) Search(context.Context, essaim.Query) (essaim.Results, error) {
	if b.panic {
		panic("mot de passe 1234")
	}
	return essaim.Results{}, b.err
}

func (b broken) SearchEach(ctx context.Context, _ ...essaim.Query) ([]essaim.Results, error) {
	_, err := b.Search(ctx, essaim.Query{})
	return nil, err
}

func (b broken) Ready(context.Context) error { return b.err }

func (b broken) Thesaurus(context.Context) (essaim.Thesaurus, error) {
	return essaim.Thesaurus{}, b.err
}

func TestFailuresAreSaidPlainlyAndTellNothingElse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		store  broken
		status int
		says   string
	}{
		{"database away", broken{err: fmt.Errorf("search: dial 10.0.0.9: %w", essaim.ErrUnavailable)}, 503, "momentanément indisponible"},
		{"too long", broken{err: context.DeadlineExceeded}, 503, "momentanément indisponible"},
		{"nobody knows", broken{err: errors.New("SELECT secret FROM t")}, 500, "Une erreur s’est produite"},
		{"a panic", broken{panic: true}, 500, "Une erreur s’est produite"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			s := newSite(t, storetest.SQLite(t), func(c *Config) {
				tt.store.Store = c.Store
				c.Store, c.Logger = tt.store, slog.New(slog.NewJSONHandler(&log, nil))
			})
			for _, path := range []string{"/initiatives", "/recherche?q=a", "/"} {
				d := s.get(t, path, tt.status)
				d.says(t, tt.says, "Aller à l’accueil")
				d.hides(t, "secret", "10.0.0.9", "1234", "goroutine")
				if (tt.status == 503) != (d.resp.Header.Get("Retry-After") != "") {
					t.Errorf("Retry-After is %q", d.resp.Header.Get("Retry-After"))
				}
				if d.resp.Header.Get("ETag") != "" {
					t.Error("an error may be kept")
				}
			}
			api := read(t, s.ask(http.MethodGet, "/api/v1/initiatives", ""), "api", tt.status)
			api.hides(t, "secret", "10.0.0.9", "1234")
			if tt.status == 500 {
				id := infoID(t, log.String())
				if !strings.Contains(s.get(t, "/initiatives", 500).text(), "citez") || id == "" {
					t.Error("no request id to quote")
				}
			}
			if strings.Contains(log.String(), "request failed") != (tt.status == 500) {
				t.Errorf("logged: %s", log.String())
			}
		})
	}
}

func infoID(t *testing.T, log string) string {
	t.Helper()
	_, rest, _ := strings.Cut(log, `"request_id":"`)
	id, _, _ := strings.Cut(rest, `"`)
	return id
}

func TestHealthAndReadinessDiffer(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	for _, path := range []string{"/healthz", "/readyz"} {
		if got := s.ask(http.MethodGet, path, ""); got.StatusCode != http.StatusOK {
			t.Errorf("%s answers %d", path, got.StatusCode)
		}
	}
	away := newSite(t, storetest.SQLite(t), func(c *Config) { c.Store = broken{Store: c.Store, err: essaim.ErrUnavailable} })
	if got := away.ask(http.MethodGet, "/healthz", ""); got.StatusCode != http.StatusOK {
		t.Errorf("/healthz answers %d", got.StatusCode)
	}
	if got := away.ask(http.MethodGet, "/readyz", ""); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("/readyz answers %d without a database", got.StatusCode)
	}
}

func TestTheLogHoldsNoSecretAndNoReader(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := newSite(t, storetest.SQLite(t), func(c *Config) { c.Logger = slog.New(slog.NewJSONHandler(&log, nil)) })
	s.get(t, "/connexion/le-secret-du-lien", http.StatusOK, s.signedIn)
	s.get(t, "/recherche?q=mot-cherche", http.StatusOK)
	call[APIList](t, s, http.MethodGet, "initiatives", "", http.StatusOK)
	for _, secret := range []string{"le-secret-du-lien", "mot-cherche", s.token, s.session, "192.0.2.1", adminEmail} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %q: %s", secret, log.String())
		}
	}
	if n := strings.Count(log.String(), `"msg":"request"`); n != 3 || !strings.Contains(log.String(), `"route":"/connexion/{secret}"`) {
		t.Errorf("%d lines for 3 requests: %s", n, log.String())
	}
}

func TestTheReadersAddressComesFromTrustedProxiesOnly(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, peer, forwarded, want string }{
		{"direct", "203.0.113.9:1", "", "203.0.113.9"},
		{"direct and lying", "203.0.113.9:1", "198.51.100.1", "203.0.113.9"},
		{"behind a proxy", "10.0.0.1:1", "198.51.100.1", "198.51.100.1"},
		{"behind two", "10.0.0.1:1", "198.51.100.1, 10.0.0.2", "198.51.100.1"},
		{"lying behind a proxy", "10.0.0.1:1", "1.2.3.4, 198.51.100.1", "198.51.100.1"},
		{"nonsense", "10.0.0.1:1", "moi", "10.0.0.1"},
		{"mapped", "[::ffff:10.0.0.1]:1", "198.51.100.1", "198.51.100.1"},
		{"six", "[2001:db8::1]:1", "", "2001:db8::1"},
	}
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	s := &Server{cfg: Config{TrustedProxies: proxies}}
	for _, tt := range tests {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = tt.peer
		if tt.forwarded != "" {
			r.Header.Set("X-Forwarded-For", tt.forwarded)
		}
		if got := clientAddr(r, proxies).String(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "[2001:db8::1]:1"
	if key, err := s.limitKey(r); err != nil || key != "2001:db8::/64" {
		t.Errorf("a network of IPv6 counts as %q", key)
	}
}

func TestListsAreNarrowedByTheirAddress(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		storetest.Publish(t, s.store, storetest.Initiative("Vélos réparés", func(c *essaim.Content) { c.Themes = []string{"mobilite"} }))
		tests := []struct {
			name, path string
			want       []string
			not        []string
		}{
			{"a theme", "/initiatives?theme=mobilite", []string{"1 fiche", "Vélos réparés"}, []string{"Complet initiative"}},
			{"a broader theme", "/initiatives?theme=alimentation", []string{"2 fiches", "Complet initiative"}, []string{"Vélos"}},
			{"a stage", "/initiatives?stage=experimentation", []string{"1 fiche", "Vélos réparés"}, nil},
			{"words", "/recherche?q=%22velos+repares%22", []string{"Vélos réparés"}, []string{"Complet organisation"}},
			{"a kind", "/recherche?kind=venue", []string{"2 fiches", "Complet venue"}, []string{"Complet recipe"}},
			{"a territory", "/recherche?territory=" + url.QueryEscape(toulouseActor), []string{"6 fiches", "Toulouse"}, []string{"Vélos"}},
			{"from here", "/recherche?origin=local", []string{"7 fiches", "Brest seulement"}, nil},
			{"near", "/initiatives?near=Brest&radius=5", []string{"à moins de 5 km de Brest"}, nil},
			{"far", "/initiatives?near=Toulouse&radius=5", []string{"Aucune fiche ne répond à tous ces choix"}, nil},
			{"a commune by its name", "/recherche?commune=Brest&q=%22velos+repares%22", []string{"Brest (29)", "Vélos réparés"}, []string{"Complet"}},
			{"a commune without records", "/recherche?commune=31555", []string{"Toulouse (31)", "Aucune fiche ne répond"}, nil},
			{"a purpose", "/recherche?purpose=lien-social", []string{"Créer du lien social", "Complet initiative"}, []string{"Vélos"}},
			{"a public as people write it", "/initiatives?public=Jeunes", []string{"Complet initiative"}, []string{"Vélos"}},
			{"a licence", "/initiatives?licence=cc-by-sa-4.0&licence=CC0-1.0", []string{"Vélos réparés"}, nil},
			{"open calls", "/initiatives?help=1", []string{"Cherche de l'aide", "Complet initiative"}, []string{"Vélos"}},
			{"what changed lately", "/recherche?since=2020-01-01&q=velos", []string{"modifié depuis le 1er janvier 2020", "Vélos réparés"}, nil},
			{"what changed before", "/recherche?until=2020-01-01&q=velos", []string{"Aucune fiche ne répond"}, nil},
			{"one of two words", "/recherche?q=introuvable+OU+%22velos+repares%22", []string{"Vélos réparés"}, []string{"Complet"}},
			{"meetings to come", "/rencontres", []string{"2 fiches"}, nil},
			{"nothing", "/recherche?q=introuvable", []string{"Rien pour « introuvable ».", "Tout effacer", "Tous les thèmes"}, nil},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				d := s.get(t, tt.path, http.StatusOK)
				d.says(t, tt.want...)
				for _, card := range d.with("article", "class", "*") {
					for _, not := range tt.not {
						if strings.Contains(textOf(card), not) {
							t.Errorf("%s shows %q", tt.path, not)
						}
					}
				}
			})
		}
	})
}

func TestASearchThatIsNotUnderstoodKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	tests := []struct{ path, says string }{
		{"/recherche?q=" + strings.Repeat("a", 600), "C’est trop long"},
		{"/recherche?near=Nulle-Part-les-Oies&q=jardin", "Commune inconnue"},
		{"/recherche?near=Brest&radius=loin&q=jardin", "Cette valeur sort des limites permises."},
		{"/recherche?q=%ff%fe", "caractères invisibles"},
	}
	for _, tt := range tests {
		s.get(t, tt.path, http.StatusBadRequest).says(t, tt.says)
	}
	d := s.get(t, "/recherche?near=Nulle-Part-les-Oies&q=jardin", http.StatusBadRequest)
	if in := d.with("input", "id", "f-q"); len(in) != 1 || value(in[0], "value") != "jardin" {
		t.Error("the words were lost")
	}
}

func TestPagesOfAListLeadOnToEachOther(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		for i := range 30 {
			storetest.Publish(t, s.store, storetest.Initiative(fmt.Sprintf("Fiche numéro %02d", i)))
		}
		seen, path := map[string]bool{}, "/initiatives?theme=alimentation"
		for range 5 {
			d := s.get(t, path, http.StatusOK)
			for _, h := range d.all("h3") {
				seen[textOf(h)] = true
			}
			next := d.with("a", "rel", "next")
			if len(next) == 0 {
				break
			}
			if path = value(next[0], "href"); !strings.Contains(path, "theme=alimentation") {
				t.Fatalf("the next page %s loses the theme", path)
			}
		}
		if len(seen) != 30 {
			t.Errorf("the pages show %d of 30 records", len(seen))
		}
	})
}

func TestTheNetworkPageSaysHowEachTerritoryIs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		s.get(t, "/territoires", http.StatusOK).says(t, "Aucun territoire suivi")
		s.fill(t)
		d := s.get(t, "/territoires", http.StatusOK)
		d.says(t, "Toulouse", toulouse, "Fiches apportées ici 6", "Publiées ici 6 fiches")
		s.get(t, "/", http.StatusOK).says(t, "Venu d’ailleurs", "1 territoire suivi")
	})
}

func TestPeersAreSaidByWhatReadersUnderstand(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		peer         essaim.Peer
		status, tone string
	}{
		{"well", essaim.Peer{State: essaim.PeerFollowed}, "current", "good"},
		{"waiting", essaim.Peer{State: essaim.PeerFollowed, Waiting: 2}, "current", "good"},
		{"down", essaim.Peer{State: essaim.PeerFollowed, FollowedAt: storetest.Start, DownSince: storetest.Start}, "late", "warn"},
		{"silent", essaim.Peer{State: essaim.PeerFollowed, FollowedAt: storetest.Start.Add(-15 * 24 * time.Hour), DownSince: storetest.Start}, "silent", "warn"},
		{"gone", essaim.Peer{State: essaim.PeerFollowed, GoneAt: storetest.Start}, "gone", "bad"},
		{"contested", essaim.Peer{State: essaim.PeerFollowed, ContestedAt: storetest.Start}, "contested", "bad"},
		{"asked, and contested", essaim.Peer{State: essaim.PeerRequested, ContestedAt: storetest.Start}, "contested", "bad"},
		{"blocked, and contested", essaim.Peer{State: essaim.PeerBlocked, ContestedAt: storetest.Start}, "blocked", "bad"},
		{"asked", essaim.Peer{State: essaim.PeerRequested, Waiting: 1}, "requested", "warn"},
		{"refused", essaim.Peer{State: essaim.PeerRefused}, "refused", "bad"},
		{"blocked", essaim.Peer{State: essaim.PeerBlocked, DownSince: storetest.Start}, "blocked", "bad"},
		{"follows us", essaim.Peer{State: essaim.PeerKnown, FollowsUs: true}, "known", ""},
	}
	known := localeKeys(t, "fr")
	s := &Server{now: func() time.Time { return storetest.Start }}
	for _, tt := range tests {
		status, tone := s.peerStatus(&tt.peer)
		if status != tt.status || tone != tt.tone {
			t.Errorf("%s: %s %s, want %s %s", tt.name, status, tone, tt.status, tt.tone)
		}
		if !strings.Contains(strings.Join(known, " "), "network.status."+status) {
			t.Errorf("no language says %s", status)
		}
	}
}

func FuzzSearchAddressGivesAQueryOrAProblem(f *testing.F) {
	for _, q := range []string{"q=a&theme=b&theme=c", "near=48.39,-4.48&radius=20", "near=NaN,Inf&radius=NaN", "since=2024-03-14", "limit=-1", "kind=venue&kind=x", "q=%00", "near=Brest&radius=1e999", "stage=%ff"} {
		f.Add(q)
	}
	gazetteer := essaim.EmbeddedGazetteer()
	f.Fuzz(func(t *testing.T, raw string) {
		v, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		s := &Server{cfg: Config{Gazetteer: gazetteer, Zone: testZone}}
		q, problems := s.parseQuery(v)
		if len(problems) > 0 {
			return
		}
		if c := q.Near; c != nil && !(c.Lat >= -90 && c.Lat <= 90 && c.Lon >= -180 && c.Lon <= 180 && c.Radius > 0 && c.Radius <= maxRadius) {
			t.Fatalf("%q looks around %+v", raw, *c)
		}
		if len(q.Themes) > maxFacets || len(q.Kinds) > len(essaim.Kinds()) || q.Limit < 0 || q.Limit > 100 {
			t.Fatalf("%q asks %+v", raw, q)
		}
		again, problems := s.parseQuery(without(v, "", ""))
		if len(problems) > 0 || again.Text != q.Text || len(again.Themes) != len(q.Themes) {
			t.Fatalf("%q is not itself once written again", raw)
		}
	})
}

func TestAMethodThatAnAddressDoesNotTakeIsToldWhichItDoes(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	for path, want := range map[string]string{"/": "GET, HEAD", "/connexion": "GET, HEAD, POST", "/api/v1/initiatives": "GET, HEAD, POST, PUT, DELETE, OPTIONS"} {
		resp := s.ask(http.MethodPatch, path, "")
		if resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != want {
			t.Errorf("%s: got %d, Allow %q, want %q", path, resp.StatusCode, resp.Header.Get("Allow"), want)
		}
	}
}
