// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"strings"

	"essaim"
)

// VocabularyPage documents the terms that Essaim adds to ActivityStreams.
type VocabularyPage struct {
	Base
	Namespace string
	Terms     []VocabularyTerm
	Lists     []VocabularyList
	Themes    []essaim.Theme
	Records   []essaim.KindInfo
}

// VocabularyTerm is a property of ours.
type VocabularyTerm struct{ Name, On, Meaning string }

// VocabularyList is a closed list with its ids.
type VocabularyList struct {
	Name  string
	Terms []essaim.Term
}

func (s *Server) showVocabulary(w http.ResponseWriter, r *http.Request) error {
	l := s.locale(r)
	p := &VocabularyPage{Namespace: essaim.Namespace, Terms: vocabularyTerms, Themes: essaim.Themes(), Records: essaim.Kinds()}
	for _, list := range []essaim.List{
		essaim.ListStage, essaim.ListActivity, essaim.ListPurpose, essaim.ListForm, essaim.ListLevel, essaim.ListRole, essaim.ListActor,
		essaim.ListCallKind, essaim.ListEvent, essaim.ListMeetingStatus, essaim.ListDifficulty, essaim.ListReadiness,
	} {
		p.Lists = append(p.Lists, VocabularyList{string(list), list.Terms()})
	}
	p.Title, p.Description = l.T("ns.title"), l.T("ns.lede")
	p.Crumbs = []Crumb{{l.T("nav.home"), "/"}, {p.Title, ""}}
	return s.render(w, r, http.StatusOK, "vocabulary", p)
}

// vocabularyTerms are the properties of the namespace, as FEDERATION.md has them.
var vocabularyTerms = []VocabularyTerm{
	{"essaim:kind", "*", "initiative, recipe, venue, organisation, meeting"},
	{"essaim:revision", "*", "integer, one more at each edit"},
	{"essaim:territory", "*", "IRI of the territory's actor"},
	{"essaim:themes", "*", "IRIs of concepts"},
	{"essaim:networks", "*", "IRIs of networks"},
	{"essaim:places", "*", "further Places beside location"},
	{"essaim:insee", "*", "INSEE codes of communes"},
	{"essaim:scope", "*", "level of territory"},
	{"essaim:collected", "*", "{by, on}: who wrote it down"},
	{"essaim:reviewedOn", "*", "date when it was last known to be true"},
	{"essaim:translationOf", "*", "IRI of the record it translates"},
	{"essaim:digest", "prov:wasDerivedFrom", "SHA-256 of the version adapted"},
	{"essaim:adaptations", "initiative, recipe", "IRI of a Collection of acknowledged adaptations"},
	{"essaim:tagline", "initiative", "one sentence, at most 180 characters"},
	{"essaim:stage", "initiative", "list stage"},
	{"essaim:activity", "initiative", "list activity"},
	{"essaim:purposes", "initiative", "list purpose"},
	{"essaim:forms", "initiative", "list form"},
	{"essaim:publics, essaim:methods", "initiative, recipe", "words"},
	{"essaim:need, essaim:participation, essaim:trigger, essaim:novelty, essaim:socialValue, essaim:economicModel, essaim:transferability", "initiative", "Markdown"},
	{"essaim:levers, essaim:obstacles, essaim:advice", "initiative, recipe", "Markdown"},
	{"essaim:carriers, essaim:ambassadors, essaim:partners, essaim:funders", "initiative", "[{actor, name, kind, role, fromStage, toStage, since}]"},
	{"essaim:helpWanted, essaim:helpOffered", "initiative, recipe", "[{kind, text, until}]"},
	{"essaim:indicators", "initiative", "[{label, value, unit, source, date}]"},
	{"essaim:yields, essaim:duration, essaim:difficulty, essaim:groupSize, essaim:cost, essaim:readiness", "recipe", "text"},
	{"essaim:ingredients, essaim:tools", "recipe", "[text]"},
	{"essaim:steps", "recipe", "[{name, content, image, tip, trap}]"},
	{"essaim:documents", "recipe", "IRIs of the initiatives it tells how to do"},
	{"essaim:services", "venue, organisation", "[text]"},
	{"essaim:openingHours", "venue", "schema.org text"},
	{"essaim:within, essaim:hosts", "venue", "IRIs of records"},
	{"essaim:legalForm, essaim:memberOf, essaim:addressSince, essaim:registry", "organisation", "list actor; IRI; date; RNA and SIREN"},
	{"essaim:series, essaim:edition, essaim:about", "meeting", "text; text; IRIs of records"},
}

// TextPage is a page of plain information.
type TextPage struct {
	Base
	SoftwareURL string
}

func (s *Server) showText(name string) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		l := s.locale(r)
		p := &TextPage{}
		p.Title = l.T(name + ".title")
		p.Crumbs = []Crumb{{l.T("nav.home"), "/"}, {p.Title, ""}}
		return s.render(w, r, http.StatusOK, name, p)
	}
}

// health says that the process answers; ready that the database does too and
// has the schema of this program.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	return nil
}

func (s *Server) ready(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	if err := s.store.Ready(r.Context()); err != nil {
		w.Header().Set("Retry-After", "5")
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"status": "unavailable"})
		return nil
	}
	writeJSON(w, http.StatusOK, map[string]string{"status": "ready"})
	return nil
}

// routeMap answers what black-box rigs use; a route not built yet is absent.
func (s *Server) routeMap(w http.ResponseWriter, r *http.Request) error {
	actor := strings.TrimPrefix(s.cfg.Node.Territory.Actor, strings.TrimSuffix(s.cfg.Node.BaseURL, "/"))
	out := map[string]string{
		"SHARED_INBOX": "/inbox", "ACTOR": actor, "ACTOR_INBOX": actor + "/inbox",
		"SEARCH": "/recherche", "LOGIN": "/connexion", "API": "/api/v1/initiatives",
	}
	res, err := s.store.Search(r.Context(), essaim.Query{Origin: "local", Limit: 1})
	if err != nil {
		return err
	}
	if len(res.Records) > 0 {
		rec := res.Records[0]
		out["OBJ"] = strings.TrimPrefix(rec.ID, strings.TrimSuffix(s.cfg.Node.BaseURL, "/"))
		out["EDIT"] = recordPath(rec) + "/modifier"
	}
	drafts, err := s.store.Search(r.Context(), essaim.Query{Origin: "local", State: essaim.StateDraft, Limit: 1})
	if err != nil {
		return err
	}
	if len(drafts.Records) > 0 {
		out["DRAFT"] = recordPath(drafts.Records[0])
	}
	writeJSON(w, http.StatusOK, out)
	return nil
}

// showRobots lets everything be indexed but what is only for people at work,
// and searches, which have no end.
func (s *Server) showRobots(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write([]byte("User-agent: *\nDisallow: /recherche\nDisallow: /connexion\nDisallow: /compte\nDisallow: /ecrire/\nDisallow: /api/\n"))
	return nil
}
