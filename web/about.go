// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"essaim"
	"essaim/web/markup"
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
	w.Header().Add("Vary", "Accept")
	if accept := r.Header.Get("Accept"); strings.Contains(accept, "application/ld+json") || strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html") {
		return s.vocabularyJSON(w)
	}
	l := s.locale(r)
	p := &VocabularyPage{Namespace: essaim.Namespace, Terms: vocabularyTerms, Themes: s.themes.get().Themes(), Records: essaim.Kinds()}
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

// vocabularyJSON is the vocabulary for programs: properties, and themes as SKOS
// concepts.
func (s *Server) vocabularyJSON(w http.ResponseWriter) error {
	graph := []object{}
	for _, line := range vocabularyTerms {
		for _, name := range strings.Split(line.Name, ", ") {
			graph = append(graph, object{"@id": essaim.Namespace + strings.TrimPrefix(name, "essaim:"), "@type": "rdf:Property", "rdfs:comment": line.Meaning})
		}
	}
	for _, t := range s.themes.get().Themes() {
		labels := []object{{"@value": t.French, "@language": "fr"}}
		if t.English != "" {
			labels = append(labels, object{"@value": t.English, "@language": "en"})
		}
		for _, lang := range s.languages {
			if label, ok := s.locales[lang].plain["theme."+t.ID]; ok {
				labels = append(labels, object{"@value": label, "@language": lang})
			}
		}
		concept := object{"@id": essaim.ThemeIRI(t.ID), "@type": "skos:Concept", "skos:prefLabel": labels}
		if t.Broader != "" {
			concept["skos:broader"] = object{"@id": essaim.ThemeIRI(t.Broader)}
		}
		if len(t.Synonyms) > 0 {
			concept["skos:altLabel"] = t.Synonyms
		}
		graph = append(graph, concept)
	}
	b, err := json.Marshal(object{
		"@context": object{
			"rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "rdfs": "http://www.w3.org/2000/01/rdf-schema#", "skos": "http://www.w3.org/2004/02/skos/core#",
		},
		"@graph": graph,
	})
	if err != nil {
		return fmt.Errorf("vocabulary: %w", err)
	}
	w.Header().Set("Content-Type", "application/ld+json")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, err = w.Write(b)
	return err
}

// TextPage is a page of plain information.
type TextPage struct {
	Base
	Publisher template.HTML // what whoever runs the node says of itself
}

func (s *Server) showText(name string) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		l := s.locale(r)
		p := &TextPage{Publisher: markup.Page(s.cfg.Publisher, l.lang)}
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

// routeMap answers what black-box rigs use; a route not built yet is absent. With
// ?patterns, every pattern that a GET may match, of ActivityPub too; with
// ?patterns=site, those of the site alone.
func (s *Server) routeMap(w http.ResponseWriter, r *http.Request) error {
	if q := r.URL.Query(); q.Has("patterns") {
		var patterns []string
		if q.Get("patterns") != "site" {
			patterns = slices.Clone(s.cfg.Patterns)
		}
		for _, e := range s.endpoints {
			if e.method == http.MethodGet {
				patterns = append(patterns, e.pattern)
			}
		}
		slices.Sort(patterns)
		writeJSON(w, http.StatusOK, slices.Compact(patterns))
		return nil
	}
	actor := strings.TrimPrefix(s.cfg.Node.Territory.Actor, strings.TrimSuffix(s.cfg.Node.BaseURL, "/"))
	out := map[string]string{
		"SHARED_INBOX": "/inbox", "ACTOR": actor, "ACTOR_INBOX": actor + "/inbox",
		"SEARCH": "/recherche", "LOGIN": "/connexion", "API": "/api/v1/initiatives", "REPORT": "/api/v1/reports",
	}
	if s.cfg.PanicName != "" {
		out["PANIC_HOOK"] = s.cfg.PanicName
	}
	res, err := s.store.Search(r.Context(), essaim.Query{Origin: essaim.OriginLocal, Limit: 1})
	if err != nil {
		return err
	}
	if len(res.Records) > 0 {
		rec := res.Records[0]
		out["OBJ"] = strings.TrimPrefix(rec.ID, strings.TrimSuffix(s.cfg.Node.BaseURL, "/"))
		out["EDIT"] = recordPath(rec) + "/modifier"
	}
	drafts, err := s.store.Search(r.Context(), essaim.Query{Origin: essaim.OriginLocal, State: essaim.StateDraft, Limit: 1})
	if err != nil {
		return err
	}
	if len(drafts.Records) > 0 {
		out["DRAFT"] = recordPath(drafts.Records[0])
	}
	writeJSON(w, http.StatusOK, out)
	return nil
}
