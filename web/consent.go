// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"essaim"
)

// How a natural person agreed to be named.
const (
	bySelf = "self" // she wrote it herself
	byLink = "link" // she accepted by the link that was sent to her
)

const consentPath = "/accord/"

// agreedFields is what she agrees to be shown of her.
func agreedFields() []string { return []string{"name", "role"} }

// keepConsents holds a content to what each natural person whom it credits agreed
// to: whoever writes names her, and nobody but her lets the name be shown. What she
// agreed to stands as long as the record credits her by the same name in the same
// role. Whoever writes about herself signs with the name of her account.
func (s *Server) keepConsents(r *http.Request, before []essaim.Credit, c *essaim.Content) error {
	for i := range c.Credits {
		cr := &c.Credits[i]
		self := cr.Person && cr.Consent != nil && cr.Consent.How == bySelf
		cr.Consent = nil
		if !cr.Person {
			continue
		}
		old := slices.IndexFunc(before, func(b essaim.Credit) bool {
			return b.Person && b.Consent != nil && b.Name == cr.Name && b.Role == cr.Role
		})
		if old >= 0 {
			cr.Consent, cr.Actor = before[old].Consent, before[old].Actor
			continue
		}
		if u := userOf(r); self && u != nil && u.Name != "" {
			name, err := s.store.PersonOf(r.Context(), u.ID)
			if err != nil && !errors.Is(err, essaim.ErrNotFound) {
				return fmt.Errorf("credits: %w", err)
			}
			cr.Name, cr.Actor, cr.Consent = u.Name, "", &essaim.Consent{On: s.today(), How: bySelf, Fields: agreedFields()}
			if err == nil {
				cr.Actor = s.abs("/actors/" + name)
			}
		}
	}
	return nil
}

func (s *Server) today() string { return s.now().In(s.cfg.Zone).Format(time.DateOnly) }

// Waiting is a person who did not say yet whether she may be named, and the link
// by which she does.
type Waiting struct{ Name, Role, Link string }

// waiting lists the people of a record who are to be asked.
func (s *Server) waiting(rec essaim.Record) (list []Waiting) {
	for _, cr := range rec.Credits {
		if link := s.consentLink(rec.ID, cr); cr.Person && !cr.Shown() && link != "" {
			list = append(list, Waiting{cr.Name, cr.Role, link})
		}
	}
	return list
}

// consentLink is the address at which a person says whether a record may name her;
// empty when the site cannot make any. It holds for this name in this role of this
// record: nothing of it is stored.
func (s *Server) consentLink(record string, cr essaim.Credit) string {
	key, ours := strings.CutPrefix(record, s.abs("/objects/"))
	if len(s.cfg.Secret) == 0 || !ours {
		return ""
	}
	mac := hmac.New(sha256.New, s.cfg.Secret)
	for _, part := range []string{"consent", record, cr.Role, cr.Name} {
		fmt.Fprintf(mac, "%d:%s", len(part), part)
	}
	return s.abs(consentPath + key + "/" + hex.EncodeToString(mac.Sum(nil)[:20]))
}

// ConsentPage asks a person whether a record may name her, and takes it back.
type ConsentPage struct {
	Base
	Record essaim.Record
	Credit essaim.Credit
	Action string
	Done   string // "oui" or "non", once she answered
}

// credited finds the record and the person that a link is about.
func (s *Server) credited(r *http.Request) (rec essaim.Record, at int, err error) {
	rec, err = s.store.Record(r.Context(), s.abs("/objects/"+chi.URLParam(r, "object")))
	switch {
	case errors.Is(err, essaim.ErrNotFound):
		return rec, 0, errPageNotFound
	case err != nil:
		return rec, 0, fmt.Errorf("consent: %w", err)
	case rec.State == essaim.StateWithdrawn:
		return rec, 0, errPageNotFound
	}
	asked := s.abs(consentPath + chi.URLParam(r, "object") + "/" + chi.URLParam(r, "secret"))
	at = slices.IndexFunc(rec.Credits, func(cr essaim.Credit) bool {
		link := s.consentLink(rec.ID, cr)
		return cr.Person && link != "" && hmac.Equal([]byte(link), []byte(asked))
	})
	if at < 0 {
		return rec, 0, errPageNotFound
	}
	return rec, at, nil
}

func (s *Server) askConsent(w http.ResponseWriter, r *http.Request) error {
	rec, at, err := s.credited(r)
	if err != nil {
		return err
	}
	return s.renderConsent(w, r, &ConsentPage{Record: rec, Credit: rec.Credits[at]})
}

// answerConsent writes what she said: when, how, and which fields; a no takes her
// name out of the record and of its history. What is published says it anew.
func (s *Server) answerConsent(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return formError(err)
	}
	said := r.PostForm.Get("reponse")
	if said != "oui" && said != "non" {
		return fmt.Errorf("answer: %w", essaim.ErrInvalid)
	}
	for try := 0; ; try++ {
		rec, at, err := s.credited(r)
		if err != nil {
			return err
		}
		credit, c := rec.Credits[at], rec.Content
		switch {
		case said == "non":
			err = s.store.EraseCredit(r.Context(), rec.ID, credit.Name, essaim.Author{})
		case !credit.Shown():
			c.Credits = slices.Clone(rec.Credits)
			c.Credits[at].Consent = &essaim.Consent{On: s.today(), How: byLink, Fields: agreedFields()}
			_, err = s.store.UpdateRecord(r.Context(), rec.ID, rec.Revision, c, rec.State, essaim.Author{})
		}
		if errors.Is(err, essaim.ErrConflict) && try < 3 {
			continue // somebody else saved in between
		}
		if err != nil {
			return fmt.Errorf("consent about %s: %w", rec.Slug, err)
		}
		return s.renderConsent(w, r, &ConsentPage{Record: rec, Credit: credit, Done: said})
	}
}

func (s *Server) renderConsent(w http.ResponseWriter, r *http.Request, p *ConsentPage) error {
	l := s.locale(r)
	p.NoIndex, p.NoStore, p.Action = true, true, r.URL.Path
	p.Title = l.T("consent.title")
	p.Crumbs = []Crumb{{l.T("nav.home"), "/"}, {p.Title, ""}}
	return s.render(w, r, http.StatusOK, "consent", p)
}
