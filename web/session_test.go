// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"essaim/store/storetest"
)

// outbox keeps the letters of a test.
type outbox struct{ to, link, subject, territory string }

func (o *outbox) Send(_ context.Context, to, from, subject, text string) error {
	o.to, o.link, o.subject, o.territory = to, regexp.MustCompile(`https?://\S+`).FindString(text), subject, from
	return nil
}

func TestSignInByALink(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		letters := &outbox{}
		s := newSite(t, db, func(c *Config) { c.Mail = letters })
		for _, email := range []string{"personne@brest.example", " " + adminEmail} {
			d := read(t, s.post("/connexion", url.Values{"email": {email}}), "connexion", http.StatusOK)
			d.says(t, "Si "+strings.TrimSpace(email)+" a un compte ici, un lien de connexion vient de lui être envoyé.")
		}
		if letters.to != adminEmail || letters.territory != "Brest" || letters.subject != "Votre lien de connexion – Brest" {
			t.Fatalf("letter %+v", letters)
		}
		path, ok := strings.CutPrefix(letters.link, storetest.Base)
		if !ok || len(path) < len("/connexion/")+40 {
			t.Fatalf("link %q", letters.link)
		}
		// A program that follows the link ahead of people does not spend it.
		for range 2 {
			s.get(t, path, http.StatusOK).says(t, "Confirmez")
			if got := s.ask(http.MethodGet, path, "").Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("a page whose address is a secret may be cached: %q", got)
			}
		}
		resp := s.post(path, nil)
		if resp.StatusCode != http.StatusSeeOther || len(resp.Cookies()) != 1 {
			t.Fatalf("signing in is answered %d %v", resp.StatusCode, resp.Cookies())
		}
		c := resp.Cookies()[0]
		if c.Name != "__Host-essaim" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || len(c.Value) < 43 {
			t.Errorf("cookie %+v", c)
		}
		mine := func(r *http.Request) { r.AddCookie(c) }
		s.get(t, "/compte", http.StatusOK, mine).says(t, "Bonjour Animatrice de démonstration")
		if again := s.post(path, nil); again.StatusCode != http.StatusForbidden {
			t.Errorf("a link used twice is answered %d", again.StatusCode)
		}
		if out := s.post("/deconnexion", nil, mine); out.StatusCode != http.StatusSeeOther || out.Cookies()[0].MaxAge >= 0 {
			t.Errorf("signing out is answered %d", out.StatusCode)
		}
		if got := s.ask(http.MethodGet, "/compte", "", mine); got.StatusCode != http.StatusSeeOther {
			t.Errorf("the session outlives its end: %d", got.StatusCode)
		}
	})
}

func TestSignInLeadsBackToWhereItWasAskedFor(t *testing.T) {
	t.Parallel()
	letters := &outbox{}
	s := newSite(t, storetest.SQLite(t), func(c *Config) { c.Mail = letters })
	asked := s.ask(http.MethodGet, "/ecrire/recettes", "")
	form := fields(read(t, s.ask(http.MethodGet, asked.Header.Get("Location"), ""), "connexion", http.StatusOK))
	form.Set("email", adminEmail)
	read(t, s.post("/connexion", form), "connexion", http.StatusOK)
	path, _ := strings.CutPrefix(letters.link, storetest.Base)
	confirm := s.get(t, path, http.StatusOK)
	resp := s.post(value(confirm.all("form")[len(confirm.all("form"))-1], "action"), fields(confirm))
	if resp.Header.Get("Location") != "/ecrire/recettes" {
		t.Errorf("leads to %q", resp.Header.Get("Location"))
	}
}

func TestNobodySetsACookieBeforeSignIn(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	for _, path := range s.addresses(t) {
		if c := s.ask(http.MethodGet, path, "").Cookies(); len(c) > 0 {
			t.Errorf("%s sets %v", path, c)
		}
	}
}

func TestSignInsAreLimited(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	last := 0
	for range 12 {
		last = s.post("/connexion/essai", nil).StatusCode
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the twelfth try in a minute is answered %d", last)
	}
	elsewhere := s.post("/connexion/essai", nil, func(r *http.Request) { r.RemoteAddr = "198.51.100.7:1" })
	if elsewhere.StatusCode != http.StatusForbidden {
		t.Errorf("another reader is answered %d", elsewhere.StatusCode)
	}
}

func TestAWrongAddressIsSaidBesideItsField(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t), func(c *Config) { c.Mail = &outbox{} })
	for _, email := range []string{"", "ana", "ana@", "a@b\r\nBcc: c@d.example", "<a@b.example>"} {
		d := read(t, s.post("/connexion", url.Values{"email": {email}}, func(r *http.Request) { r.RemoteAddr = "203.0.113." + string(rune('1'+len(email)%9)) + ":1" }), "connexion", http.StatusUnprocessableEntity)
		if in := d.with("input", "name", "email"); len(in) != 1 || value(in[0], "aria-invalid") != "true" {
			t.Errorf("%q is not said to be wrong", email)
		}
	}
}

func TestNothingLeadsToAnotherSite(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"/compte": "/compte", "/ecrire/initiatives?lang=en": "/ecrire/initiatives?lang=en", "": "", "https://evil.example/": "", "//evil.example": "",
		"/\\evil.example": "", "/\t/evil.example": "", "compte": "", "/connexion/x": "",
	} {
		if got := localNext(in); got != want {
			t.Errorf("after %q leads to %q, want %q", in, got, want)
		}
	}
}
