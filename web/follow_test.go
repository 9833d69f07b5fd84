// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

// fediverse is the servers that readers name.
type fediverse map[string]string // account → where to follow from

func (f fediverse) FollowAddress(_ context.Context, account, actor string) (string, error) {
	if _, err := essaim.ParseHandle(account); err != nil {
		return "", err
	}
	if strings.HasSuffix(account, "away.example") {
		return "", fmt.Errorf("no answer: %w", essaim.ErrUnavailable)
	}
	if to, ok := f[account]; ok {
		return to + url.QueryEscape(actor), nil
	}
	return "", fmt.Errorf("no page: %w", essaim.ErrNotFound)
}

func (f fediverse) Mentions(_ context.Context, list []essaim.Handle) (found []essaim.Mention) {
	for _, h := range list {
		if h.Host == "m.example" {
			found = append(found, essaim.Mention{Handle: h.String(), Actor: "https://m.example/users/" + h.User})
		}
	}
	return found
}

func TestWhomATextNamesIsFoundBeforeItIsPublished(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db, func(c *Config) { c.Fediverse = fediverse{} })
		body := `{"title":"Atelier","tagline":"En une phrase.","description":"Avec @ana@m.example et @bob@elsewhere.example.","themes":["alimentation"],"everywhere":true}`
		made := read(t, s.ask(http.MethodPost, "/api/v1/initiatives", body, s.bearer, header("Content-Type", "application/json")), "api", http.StatusCreated)
		var out struct{ ID, Slug string }
		if err := json.Unmarshal([]byte(made.raw), &out); err != nil {
			t.Fatal(err)
		}
		rec, err := s.store.Record(t.Context(), out.ID)
		if err != nil || len(rec.Mentions) != 1 || rec.Mentions[0] != (essaim.Mention{Handle: "@ana@m.example", Actor: "https://m.example/users/ana"}) {
			t.Fatalf("mentions %+v, %v", rec.Mentions, err)
		}
		page := s.get(t, "/initiatives/"+out.Slug, http.StatusOK)
		if links := page.with("a", "class", "mention"); len(links) != 1 || value(links[0], "href") != "https://m.example/users/ana" {
			t.Error("the page does not link whom the text names")
		}
		page.says(t, "@bob@elsewhere.example")
	})
}

func TestAReaderIsLedToHerOwnServer(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := newSite(t, storetest.SQLite(t), func(c *Config) {
		c.Fediverse = fediverse{"@ana@m.example": "https://m.example/authorize?uri="}
		c.Logger = slog.New(slog.NewJSONHandler(&log, nil))
	})
	home := s.get(t, "/", http.StatusOK)
	if forms := home.with("form", "action", "/suivre/brest"); len(forms) != 1 || value(forms[0], "method") != "post" {
		t.Fatal("the home page has no form to follow from one's own server")
	}
	s.get(t, "/suivre/brest", http.StatusOK).says(t, "Suivre Brest depuis mon instance", "@brest@brest.example")
	s.get(t, "/suivre/personne", http.StatusNotFound)
	// The node's own account, whose page is that of the network.
	network := s.get(t, "/territoires", http.StatusOK)
	network.says(t, "Suivre Brest (Essaim) depuis mon instance", "@brest.example@brest.example")
	if forms := network.with("form", "action", "/suivre/brest.example"); len(forms) != 1 {
		t.Error("the node's own account cannot be followed from its page")
	}
	if links := network.with("link", "type", "application/activity+json"); len(links) != 1 || value(links[0], "href") != storetest.Base+"/actor" {
		t.Error("the page of the network leads to no actor")
	}
	s.get(t, "/suivre/brest.example", http.StatusOK).says(t, "@brest.example@brest.example")

	d := read(t, s.post("/suivre/brest", url.Values{"compte": {" @ana@m.example "}}), "suivre", http.StatusOK)
	const to = "https://m.example/authorize?uri=https%3A%2F%2Fbrest.example%2Factors%2Fbrest"
	d.says(t, "Vous allez sur m.example")
	if links := d.with("a", "href", to); len(links) != 1 {
		t.Error("no link to her server")
	}
	if refresh := d.with("meta", "http-equiv", "refresh"); len(refresh) != 1 || value(refresh[0], "content") != "0;url="+to {
		t.Error("the browser does not go on by itself")
	}
	if d.resp.Header.Get("Cache-Control") != "no-store" {
		t.Error("a page about one reader may be cached")
	}

	for account, want := range map[string]struct {
		status int
		says   string
	}{
		"ana":                    {http.StatusUnprocessableEntity, "ne ressemble pas à un compte"},
		"":                       {http.StatusUnprocessableEntity, "ne ressemble pas à un compte"},
		"@nobody@m.example":      {http.StatusUnprocessableEntity, "m.example ne connaît pas ce compte"},
		"@b@away.example":        {http.StatusUnprocessableEntity, "away.example ne répond pas"},
		`"><script>@m.example`:   {http.StatusUnprocessableEntity, "ne ressemble pas à un compte"},
		"javascript://m.example": {http.StatusUnprocessableEntity, "ne ressemble pas à un compte"},
	} {
		d := read(t, s.post("/suivre/brest", url.Values{"compte": {account}}), account, want.status)
		d.says(t, want.says, "@brest@brest.example")
		if in := d.with("input", "name", "compte"); len(in) != 1 || value(in[0], "value") != account || value(in[0], "aria-invalid") != "true" {
			t.Errorf("%q: the form does not show what was typed", account)
		}
	}
	if strings.Contains(log.String(), "m.example") || strings.Contains(log.String(), "away.example") {
		t.Error("what readers type is logged")
	}
	last := http.StatusOK
	for range 11 {
		last = s.post("/suivre/brest", url.Values{"compte": {"ana"}}).StatusCode
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("no limit: the last of many is answered %d", last)
	}
	from := func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }
	if got := newSite(t, storetest.SQLite(t), func(c *Config) { c.Fediverse = fediverse{} }).post("/suivre/brest", url.Values{"compte": {"@ana@m.example"}}, from); got.StatusCode != http.StatusForbidden {
		t.Errorf("another site makes us ask servers: %d", got.StatusCode)
	}
}

func TestWithoutAFediverseThereIsTheAddressToCopy(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	d := s.get(t, "/", http.StatusOK)
	d.says(t, "@brest@brest.example")
	if len(d.with("form", "action", "/suivre/brest")) != 0 {
		t.Error("a form that nobody answers")
	}
}

func TestEveryPageLinksTheSourceCode(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t), func(c *Config) { c.SourceURL = "https://code.example/essaim" })
	if got := s.get(t, "/mentions", http.StatusOK).with("a", "href", "https://code.example/essaim"); len(got) != 1 {
		t.Error("no link to the source code (AGPL 13)")
	}
}

func TestARecordWithAnActorIsFollowedFromItsPage(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db, func(c *Config) { c.Fediverse = fediverse{} }).fill(t)
		for kind, has := range map[essaim.Kind]bool{essaim.KindInitiative: true, essaim.KindOrganisation: true, essaim.KindRecipe: false, essaim.KindMeeting: false} {
			rec := s.records[kind]
			d := s.get(t, recordPath(rec), http.StatusOK)
			name, err := s.store.RecordActor(t.Context(), rec.ID)
			if (err == nil) != has {
				t.Fatalf("%s: actor %q, %v", kind, name, err)
			}
			if forms := d.with("form", "action", "/suivre/"+name); has != (len(forms) == 1) {
				t.Errorf("%s: %d forms to follow %q", kind, len(forms), name)
			}
			if has {
				s.get(t, "/suivre/"+name, http.StatusOK).says(t, "@"+name+"@brest.example")
			}
		}
		if err := s.store.WithdrawRecord(t.Context(), s.records[essaim.KindInitiative].ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		name, _ := s.store.RecordActor(t.Context(), s.records[essaim.KindInitiative].ID)
		if resp := s.ask(http.MethodGet, "/suivre/"+name, ""); resp.StatusCode != http.StatusNotFound {
			t.Errorf("a withdrawn record may be followed: %d", resp.StatusCode)
		}
	})
}

func TestAThemeOrACommuneIsFollowedFromItsList(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db, func(c *Config) { c.Fediverse = fediverse{} })
		storetest.Publish(t, s.store, storetest.Initiative("Jardin"))
		for path, want := range map[string]struct{ name, object string }{
			"/recherche?theme=alimentation":                 {"theme_alimentation", "theme_alimentation"},
			"/recherche?near=29019&radius=10":               {"commune_brest", "commune_brest"},
			"/recherche?near=Brest":                         {"commune_brest", "commune_brest"},
			"/initiatives?theme=alimentation":               {"theme_alimentation", ""},
			"/recherche?theme=alimentation&near=29019":      {"theme_alimentation", ""},
			"/recherche?theme=alimentation&theme=nature":    {},
			"/recherche?near=48.39,-4.48":                   {},
			"/recherche?theme=mobilites":                    {}, // nothing was published about it
			"/recherche?near=31555":                         {},
			"/recherche?theme=alimentation&radius=beaucoup": {"theme_alimentation", "theme_alimentation"}, // no centre: the radius means nothing
			"/recherche": {},
		} {
			d := s.get(t, path, http.StatusOK)
			forms := d.with("form", "class", "followform")
			if (len(forms) == 1) != (want.name != "") {
				t.Fatalf("%s: %d forms to follow", path, len(forms))
			}
			if want.name != "" {
				if got := value(forms[0], "action"); got != "/suivre/"+want.name {
					t.Errorf("%s: the form is for %s, want %s", path, got, want.name)
				}
				d.says(t, "@"+want.name+"@brest.example")
			}
			if got := len(d.with("link", "type", "application/activity+json")); (got == 1) != (want.object != "") {
				t.Errorf("%s: %d links to an actor", path, got)
			}
			if want.object == "" {
				continue
			}
			data := structuredOf(t, d)
			if data["@type"] != "CollectionPage" || data["@id"] != storetest.Base+"/actors/"+want.object || !strings.HasPrefix(fmt.Sprint(data["url"]), storetest.Base+"/recherche?") || data["name"] == nil {
				t.Errorf("%s: data %v", path, data)
			}
		}
		s.get(t, "/recherche?theme=alimentation&lang=en", http.StatusOK).says(t, "reaches your timeline")
	})
}

func TestWhoHasNoAccountFollowsByAFeed(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	for path, feed := range map[string]string{
		"/suivre/brest":              "/recherche.atom?origin=local",
		"/suivre/theme_alimentation": "/recherche.atom?theme=alimentation",
		"/suivre/commune_brest":      "/recherche.atom?commune=29019",
	} {
		if d := s.get(t, path, http.StatusOK); len(d.with("a", "href", feed)) != 1 {
			t.Errorf("%s does not lead to %s", path, feed)
		}
		if resp := s.ask(http.MethodGet, feed, ""); resp.StatusCode != http.StatusOK {
			t.Errorf("%s answers %d", feed, resp.StatusCode)
		}
	}
}
