// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"essaim"
)

const (
	sessionLife = 30 * 24 * time.Hour
	signInLife  = 30 * time.Minute
)

// SignInPath is the page that a sign-in link leads to.
func SignInPath(secret string) string { return "/connexion/" + secret }

// cookieName is bound to this host and to https where there is https.
func (s *Server) cookieName() string {
	if s.secure {
		return "__Host-essaim"
	}
	return "essaim"
}

// secret makes 256 random bits.
func (s *Server) secret() (string, error) {
	b := make([]byte, 32)
	if _, err := io.ReadFull(s.cfg.Random, b); err != nil {
		return "", fmt.Errorf("randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// fromSomePage refuses a form that comes with a session and without a word of
// the page it was sent from. Browsers say it in each POST since 2020 (Fetch
// 3.2); what they say is for CrossOriginProtection, which lets silence pass.
func (s *Server) fromSomePage(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := r.Cookie(s.cookieName())
		safe := r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
		if !safe && err == nil && r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "" {
			s.fail(w, r, statusError{http.StatusForbidden, "cross_origin"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// readSession finds who makes the request. A session that ended is no failure:
// the page then is what anybody sees.
func (s *Server) readSession(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie(s.cookieName())
		if err != nil || c.Value == "" {
			next.ServeHTTP(w, r)
			return
		}
		u, err := s.store.UserBySession(r.Context(), c.Value)
		switch {
		case err == nil && !u.Disabled:
			info := infoOf(r)
			info.user, info.session = &u, c.Value
		case err == nil, errors.Is(err, essaim.ErrNotFound), errors.Is(err, essaim.ErrGone), errors.Is(err, essaim.ErrForbidden):
			s.setCookie(w, "", -1)
		default:
			s.fail(w, r, fmt.Errorf("session: %w", err))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) setCookie(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
	})
}

// may refuses a request whose account may not do something; without an account
// the answer leads to sign-in.
func (s *Server) may(r *http.Request, a essaim.Action) error {
	u := userOf(r)
	if u == nil {
		return errUnauthorized
	}
	if !essaim.May(u, a) {
		return fmt.Errorf("%s: %w", a, essaim.ErrForbidden)
	}
	return nil
}

// SignInPage asks for an address, or says that a letter left.
type SignInPage struct {
	Base
	Email    string
	Next     string
	Sent     bool
	Mail     bool   // letters can be sent
	Again    string // where to ask for another letter
	Problems essaim.Problems
}

func (s *Server) showSignIn(w http.ResponseWriter, r *http.Request) error {
	if userOf(r) != nil {
		s.leadTo(w, r, "/compte")
		return nil
	}
	return s.render(w, r, http.StatusOK, "signin", s.signInPage(r))
}

func (s *Server) signInPage(r *http.Request) *SignInPage {
	p := &SignInPage{Mail: s.cfg.Mail != nil, Next: localNext(r.FormValue("suite"))}
	p.Title, p.NoIndex = s.tr(r, "signin.title"), true
	p.Canonical = s.abs("/connexion")
	p.Again = "/connexion"
	if p.Next != "" {
		p.Again += "?suite=" + urlEscape(p.Next)
	}
	return p
}

// localNext keeps only a path of this site: never an address elsewhere, nor one
// that a browser would read as such ("//host", "/\host").
func localNext(p string) string {
	if !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.ContainsAny(p, "\\\r\n\t") || strings.HasPrefix(p, "/connexion") {
		return ""
	}
	return p
}

// askSignIn sends a link to the address when it has an account, and answers the
// same when it has none.
func (s *Server) askSignIn(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return formError(err)
	}
	p := s.signInPage(r)
	p.Email = strings.TrimSpace(r.PostFormValue("email"))
	at := strings.LastIndexByte(p.Email, '@')
	if at < 1 || at == len(p.Email)-1 || len(p.Email) > 254 || strings.ContainsAny(p.Email, " \r\n\t<>,;\"") {
		p.Problems = essaim.Problems{"email": "bad_email"}
		return s.render(w, r, http.StatusUnprocessableEntity, "signin", p)
	}
	if s.cfg.Mail == nil {
		return s.render(w, r, http.StatusOK, "signin", p)
	}
	if err := s.sendSignIn(r, p.Email, p.Next); err != nil {
		return err
	}
	p.Sent = true
	return s.render(w, r, http.StatusOK, "signin", p)
}

func (s *Server) sendSignIn(r *http.Request, email, next string) error {
	u, err := s.store.UserByEmail(r.Context(), email)
	if errors.Is(err, essaim.ErrNotFound) || err == nil && u.Disabled {
		return nil
	}
	if err != nil {
		return fmt.Errorf("account: %w", err)
	}
	secret, err := s.secret()
	if err != nil {
		return err
	}
	if err := s.store.NewSignIn(r.Context(), u.ID, secret, s.now().Add(signInLife)); err != nil {
		return fmt.Errorf("sign-in link: %w", err)
	}
	link := s.abs(SignInPath(secret))
	if next != "" {
		link += "?suite=" + urlEscape(next)
	}
	l, from := s.locale(r), s.cfg.Node.Territory.Name
	if err := s.cfg.Mail.Send(r.Context(), u.Email, from, l.F("letter.sign_in.subject", "Territory", from), l.F("letter.sign_in.text", "Territory", from, "Link", link)); err != nil {
		return fmt.Errorf("sign-in letter: %w", err)
	}
	return nil
}

// ConfirmPage asks to press a button: programs that read letters ahead of
// people follow links, but press nothing.
type ConfirmPage struct {
	Base
	Secret string
	Next   string
}

func (s *Server) confirmSignIn(w http.ResponseWriter, r *http.Request) error {
	p := &ConfirmPage{Secret: chi.URLParam(r, "secret"), Next: localNext(r.FormValue("suite"))}
	p.Title, p.NoIndex, p.NoStore = s.tr(r, "signin.title"), true, true
	p.Canonical = s.abs("/connexion")
	w.Header().Set("Referrer-Policy", "no-referrer")
	return s.render(w, r, http.StatusOK, "confirm", p)
}

func (s *Server) signIn(w http.ResponseWriter, r *http.Request) error {
	session, err := s.secret()
	if err != nil {
		return err
	}
	u, err := s.store.UseSignIn(r.Context(), chi.URLParam(r, "secret"), session, s.now().Add(sessionLife))
	if errors.Is(err, essaim.ErrNotFound) || errors.Is(err, essaim.ErrGone) || errors.Is(err, essaim.ErrForbidden) {
		return statusError{http.StatusForbidden, "bad_link"}
	}
	if err != nil {
		return fmt.Errorf("sign-in: %w", err)
	}
	s.setCookie(w, session, int(sessionLife/time.Second))
	s.log.LogAttrs(r.Context(), slog.LevelInfo, "signed in", slog.Int64("account", u.ID))
	next := localNext(r.PostFormValue("suite"))
	if next == "" {
		next = "/compte?fait=bonjour"
	}
	s.leadTo(w, r, next)
	return nil
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request) error {
	if session := infoOf(r).session; session != "" {
		if err := s.store.EndSession(r.Context(), session); err != nil && !errors.Is(err, essaim.ErrNotFound) {
			return fmt.Errorf("session: %w", err)
		}
	}
	s.setCookie(w, "", -1)
	s.leadTo(w, r, "/?fait=au-revoir")
	return nil
}

// AccountPage is what a signed-in person finds: her drafts and what to write.
type AccountPage struct {
	Base
	Account    essaim.User
	Drafts     []Card
	Candidates []Card
	Total      int // of candidates
	// Next and First are addresses of other pages of candidates.
	Next, First string
}

func (s *Server) showAccount(w http.ResponseWriter, r *http.Request) error {
	u := userOf(r)
	if u == nil {
		return errUnauthorized
	}
	p := &AccountPage{Account: *u}
	p.Title, p.NoIndex = s.tr(r, "account.title"), true
	if essaim.May(u, essaim.ActionWrite) {
		drafts, err := s.store.Search(r.Context(), essaim.Query{Origin: essaim.OriginLocal, State: essaim.StateDraft, Limit: 50})
		if err != nil {
			return fmt.Errorf("drafts: %w", err)
		}
		candidates, err := s.store.Search(r.Context(), essaim.Query{Origin: essaim.OriginLocal, State: essaim.StateCandidate, Limit: 24, After: r.URL.Query().Get(paramPage)})
		if err != nil {
			return fmt.Errorf("candidates: %w", err)
		}
		p.Drafts, p.Candidates, p.Total = cards(drafts.Records, s.now()), cards(candidates.Records, s.now()), candidates.Total
		if candidates.Next != "" {
			p.Next = "/compte?" + paramPage + "=" + urlEscape(candidates.Next) + "#h-candidates"
		}
		if r.URL.Query().Has(paramPage) {
			p.First = "/compte#h-candidates"
		}
	}
	return s.render(w, r, http.StatusOK, "account", p)
}

// tr says a sentence in the language of a request.
func (s *Server) tr(r *http.Request, key string) string { return s.locale(r).T(key) }

func (s *Server) locale(r *http.Request) *locale {
	lang, _ := s.negotiate(r)
	return s.locales[lang]
}
