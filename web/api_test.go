// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

// call asks the API and decodes its answer.
func call[T any](t *testing.T, s *site, method, path, body string, status int, with ...asked) T {
	t.Helper()
	resp := s.ask(method, "/api/v1/"+path, body, append([]asked{s.bearer, header("Content-Type", "application/json")}, with...)...)
	var out T
	d := read(t, resp, path, status)
	if status == http.StatusNoContent {
		return out
	}
	if err := json.Unmarshal([]byte(d.raw), &out); err != nil {
		t.Fatalf("%s %s: %v: %.500s", method, path, err, d.raw)
	}
	return out
}

type refusal struct {
	Error  string            `json:"error"`
	Errors map[string]string `json:"errors"`
}

func TestTheAPIWritesAndReadsARecord(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		body := `{"title":"Jardin des Capucins","tagline":"Un potager partagé.","description":"On **plante**.","themes":["jardins"],"places":[{"insee":"29019"}],"since":"2019"}`
		got := call[APIRecord](t, s, http.MethodPost, "initiatives", body, http.StatusCreated)
		if !strings.HasPrefix(got.ID, storetest.Base+"/objects/") || got.URL != storetest.Base+"/initiatives/jardin-des-capucins" || got.Slug != "jardin-des-capucins" ||
			got.Origin != "brest.example" || !got.Local || got.Licence != essaim.DefaultLicence || got.Description != "On **plante**." || got.State != "published" {
			t.Fatalf("created %+v", got)
		}
		if p := got.Places[0]; p.City != "Brest" || !p.Located() || !p.Approximate {
			t.Errorf("place %+v", p)
		}
		if b, ok := got.Body.(*essaim.Initiative); !ok || b.Since != "2019" {
			t.Errorf("body %+v", got.Body)
		}
		put := call[APIRecord](t, s, http.MethodPut, "initiatives/"+got.Slug, `{"tagline":"Un potager à partager.","body":{"stage":"deploiement"},"keywords":null}`, http.StatusOK)
		if b := put.Body.(*essaim.Initiative); put.Tagline != "Un potager à partager." || put.Title != got.Title || b.Stage != "deploiement" || b.Since != "2019" || put.Revision <= got.Revision {
			t.Errorf("edited %+v %+v", put, put.Body)
		}
		refused := call[refusal](t, s, http.MethodPut, "initiatives/"+got.Slug, fmt.Sprintf(`{"title":"x","revision":%d}`, got.Revision), http.StatusConflict)
		if refused.Error != "conflict" {
			t.Errorf("an edit of an old version: %+v", refused)
		}
		list := call[APIList](t, s, http.MethodGet, "initiatives?q=potager", "", http.StatusOK)
		if list.Total != 1 || list.Items[0].ID != got.ID {
			t.Errorf("found %+v", list)
		}
		call[struct{}](t, s, http.MethodDelete, "initiatives/"+got.Slug, "", http.StatusNoContent)
		if gone := call[refusal](t, s, http.MethodGet, "initiatives/"+got.Slug, "", http.StatusGone); gone.Error != "gone" {
			t.Errorf("after deletion: %+v", gone)
		}
		if list := call[APIList](t, s, http.MethodGet, "initiatives", "", http.StatusOK); list.Total != 0 || len(list.Items) != 0 {
			t.Errorf("after deletion the list has %+v", list)
		}
	})
}

func TestTheAPITakesAMeetingAsActivityStreamsSaysIt(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	got := call[APIRecord](t, s, http.MethodPost, "meetings", `{"title":"Trocs","startTime":"2026-04-17T14:00:00+02:00","endTime":"2026-04-17T17:00:00+02:00"}`, http.StatusCreated)
	if b, ok := got.Body.(*essaim.Meeting); !ok || b.Start.Unix() != 1776427200 || b.End.Sub(b.Start).Hours() != 3 {
		t.Errorf("meeting %+v", got.Body)
	}
	s.get(t, "/rencontres/trocs", http.StatusOK).says(t, "vendredi 17 avril 2026, de 14 h à 17 h")
}

func TestTheAPIRefusesWithAReason(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		copied := "https://toulouse.example/objects/complet-initiative"
		nobody := header("Authorization", "")
		ok := `{"title":"a","tagline":"b","themes":["jardins"],"places":[{"insee":"29019"}]}`
		tests := []struct {
			name, method, path, body string
			status                   int
			error, field, reason     string
			with                     []asked
		}{
			{"no token", "POST", "initiatives", ok, 401, "unauthorized", "", "", []asked{nobody}},
			{"wrong token", "POST", "initiatives", ok, 401, "unauthorized", "", "", []asked{header("Authorization", "Bearer faux")}},
			{"wrong token on a read", "GET", "initiatives", "", 401, "unauthorized", "", "", []asked{header("Authorization", "Bearer faux")}},
			{"a cookie is no token", "POST", "initiatives", ok, 401, "unauthorized", "", "", []asked{nobody, s.signedIn}},
			{"not JSON", "POST", "initiatives", "title=a", 415, "bad_type", "", "", []asked{header("Content-Type", "application/x-www-form-urlencoded")}},
			{"broken JSON", "POST", "initiatives", `{"title":`, 400, "invalid", "", "", nil},
			{"not an object", "POST", "initiatives", `[1]`, 400, "invalid", "", "", nil},
			{"null", "POST", "initiatives", `null`, 400, "invalid", "", "", nil},
			{"too large", "POST", "initiatives", `{"title":"` + strings.Repeat("a", maxFormBytes) + `"}`, 413, "too_large", "", "", nil},
			{"nothing given", "POST", "initiatives", `{}`, 422, "", "title", "required", nil},
			{"unknown field", "POST", "initiatives", `{"titel":"a"}`, 422, "", "titel", "unknown", nil},
			{"unknown field of the body", "POST", "recipes", `{"title":"a","body":{"yield":"b"}}`, 422, "", "body.yield", "unknown", nil},
			{"contacts are not written so", "POST", "initiatives", `{"contacts":[]}`, 422, "", "contacts", "unknown", nil},
			{"unknown theme", "POST", "initiatives", `{"title":"a","tagline":"b","themes":["inconnu"],"places":[{"insee":"29019"}]}`, 422, "", "themes.0", "unknown", nil},
			{"no such commune", "POST", "venues", `{"title":"a","places":[{"insee":"29019"},{"insee":"99999","label":"Ici"}]}`, 422, "", "places.1.insee", "bad_code", nil},
			{"no such EPCI", "POST", "venues", `{"title":"a","places":[{"epci":"299999999"}]}`, 422, "", "places.0.epci", "bad_code", nil},
			{"no such département", "POST", "venues", `{"title":"a","places":[{"departement":"00"}]}`, 422, "", "places.0.departement", "bad_code", nil},
			{"no such région", "POST", "venues", `{"title":"a","state":"draft","places":[{"region":"99"}]}`, 422, "", "places.0.region", "bad_code", nil},
			{"no such commune in an edit", "PUT", "venues/" + s.records[essaim.KindVenue].Slug, `{"places":[{"insee":"99999"}]}`, 422, "", "places.0.insee", "bad_code", nil},
			{"wrong type", "POST", "initiatives", `{"title":1}`, 422, "", "title", "bad_type", nil},
			{"wrong state", "POST", "initiatives", `{"title":"a","state":"withdrawn"}`, 422, "", "state", "unknown", nil},
			{"bad radius", "GET", "initiatives?near=48,-4&radius=x", "", 422, "", "radius", "out_of_range", nil},
			{"bad limit", "GET", "initiatives?limit=1000", "", 422, "", "limit", "out_of_range", nil},
			{"bad cursor", "GET", "initiatives?after=zzz", "", 400, "invalid", "", "", nil},
			{"no such record", "GET", "initiatives/rien", "", 404, "not_found", "", "", nil},
			{"of another kind", "GET", "recipes?id=" + url.QueryEscape(s.records[essaim.KindVenue].ID), "", 404, "not_found", "", "", nil},
			{"another territory's", "PUT", "initiatives?id=" + url.QueryEscape(copied), `{"title":"a"}`, 403, "forbidden", "", "", nil},
			{"another territory's deletion", "DELETE", "initiatives?id=" + url.QueryEscape(copied), "", 403, "forbidden", "", "", nil},
			{"unknown method", "PATCH", "initiatives", "{}", 405, "method", "", "", nil},
			{"unknown path", "GET", "nothing", "", 404, "not_found", "", "", nil},
		}
		for _, tt := range tests {
			got := call[refusal](t, s, tt.method, tt.path, tt.body, tt.status, tt.with...)
			if got.Error != tt.error || tt.field != "" && got.Errors[tt.field] != tt.reason {
				t.Errorf("%s: %+v, want %q or %s: %s", tt.name, got, tt.error, tt.field, tt.reason)
			}
		}
		if res, err := s.store.Search(t.Context(), essaim.Query{Origin: "local"}); err != nil || res.Total != len(s.records) {
			t.Errorf("what was refused left %d records, %v", res.Total, err)
		}
	})
}

func TestACodeThatTheRecordHadMayStay(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	rec := storetest.Publish(t, s.store, essaim.Content{
		Kind: essaim.KindVenue, Title: "Halle", Licence: essaim.DefaultLicence, Places: []essaim.Place{{INSEE: "99999"}}, Body: &essaim.Venue{},
	})
	got := call[APIRecord](t, s, http.MethodPut, "venues/"+rec.Slug, `{"title":"Grande halle"}`, http.StatusOK)
	if got.Title != "Grande halle" || got.Places[0].INSEE != "99999" {
		t.Errorf("edited %+v", got)
	}
	call[APIRecord](t, s, http.MethodPut, "venues/"+rec.Slug, `{"places":[{"insee":"99999","street":"1 rue de la Paix"}]}`, http.StatusOK)
	refused := call[refusal](t, s, http.MethodPut, "venues/"+rec.Slug, `{"places":[{"insee":"99998"}]}`, http.StatusUnprocessableEntity)
	if refused.Errors["places.0.insee"] != "bad_code" {
		t.Errorf("another code: %+v", refused)
	}
}

func TestTheAPIListsWhatOthersPublishWithItsOrigin(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		for i := range 7 {
			storetest.Publish(t, s.store, storetest.Initiative(fmt.Sprint("Autre ", i)))
		}
		origins, seen := map[string]int{}, map[string]bool{}
		path := "initiatives?limit=3"
		for range 10 {
			list := call[APIList](t, s, http.MethodGet, path, "", http.StatusOK, header("Authorization", ""))
			for _, item := range list.Items {
				if seen[item.ID] {
					t.Errorf("%s is listed twice", item.ID)
				}
				seen[item.ID] = true
				origins[item.Origin]++
				if item.Kind != essaim.KindInitiative || item.Territory == "" || item.TerritoryName == "" {
					t.Errorf("item %+v", item)
				}
			}
			if list.Next == "" {
				break
			}
			path = "initiatives?limit=3&after=" + url.QueryEscape(list.Next)
		}
		if origins["brest.example"] != 8 || origins[toulouse] != 1 || len(origins) != 2 {
			t.Errorf("origins %v", origins)
		}
		one := call[APIRecord](t, s, http.MethodGet, "initiatives?id="+url.QueryEscape("https://toulouse.example/objects/complet-initiative"), "", http.StatusOK)
		if one.Origin != toulouse || one.Local || one.URL != "https://toulouse.example/fiches/complet-initiative" {
			t.Errorf("record of Toulouse %+v", one)
		}
	})
}

func TestTheAPITellsNoSecrets(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	c := fullContents()[0]
	c.Title = "Avec contact"
	c.Contacts = []essaim.Contact{{Kind: "email", Value: "porteuse@secret.example"}}
	rec := storetest.Publish(t, s.store, c)
	for _, path := range []string{"/api/v1/initiatives", "/api/v1/initiatives/" + rec.Slug, recordPath(rec)} {
		d := read(t, s.ask(http.MethodGet, path, ""), path, http.StatusOK)
		d.hides(t, "porteuse@secret.example", "Voisine", "consent")
	}
	after := call[APIRecord](t, s, http.MethodPut, "initiatives/"+rec.Slug, `{"tagline":"Autre."}`, http.StatusOK)
	if kept, err := s.store.Record(t.Context(), after.ID); err != nil || len(kept.Contacts) != 1 || len(kept.Credits) != len(c.Credits) {
		t.Errorf("an edit lost contacts or people: %+v, %v", kept.Content, err)
	}
}

func TestOtherSitesMayReadTheAPIAndNotWrite(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	resp := s.ask(http.MethodGet, "/api/v1/initiatives", "", header("Origin", "https://autre.example"))
	if resp.Header.Get("Access-Control-Allow-Origin") != "*" || resp.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("headers %v", resp.Header)
	}
	pre := s.ask(http.MethodOptions, "/api/v1/initiatives", "", header("Origin", "https://autre.example"), header("Access-Control-Request-Method", "POST"))
	if m := pre.Header.Get("Access-Control-Allow-Methods"); pre.StatusCode != http.StatusNoContent || strings.Contains(m, "POST") {
		t.Errorf("preflight %d allows %q", pre.StatusCode, m)
	}
	if page := s.ask(http.MethodGet, "/", ""); page.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("pages may be read by other sites")
	}
}

func TestTheDescriptionOfTheAPIIsTrue(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	d := read(t, s.ask(http.MethodGet, "/api/v1/openapi.json", ""), "openapi.json", http.StatusOK)
	var api struct {
		OpenAPI    string                    `json:"openapi"`
		Paths      map[string]map[string]any `json:"paths"`
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal([]byte(d.raw), &api); err != nil {
		t.Fatal(err)
	}
	routes := 0
	for _, e := range s.endpoints {
		if !strings.HasPrefix(e.pattern, "/api/") && !inFormat(e.pattern) && !strings.HasPrefix(e.pattern, "/export/") || e.method == http.MethodHead || e.method == http.MethodOptions {
			continue
		}
		routes++
		if api.Paths[e.pattern][strings.ToLower(e.method)] == nil {
			t.Errorf("%s %s is not described", e.method, e.pattern)
		}
	}
	described := 0
	for _, operations := range api.Paths {
		for name := range operations {
			if name != "parameters" {
				described++
			}
		}
	}
	if routes != described || routes < 30 {
		t.Errorf("%d routes, %d described", routes, described)
	}
	for _, ref := range strings.Split(d.raw, `"$ref":"#/components/schemas/`)[1:] {
		name, _, _ := strings.Cut(ref, `"`)
		if len(api.Components.Schemas[name].Properties) == 0 {
			t.Errorf("schema %s is not there", name)
		}
	}
	input := api.Components.Schemas["MeetingInput"].Properties
	for _, field := range []string{"title", "description", "themes", "body", "state", "revision"} {
		if input[field] == nil {
			t.Errorf("the schema of a meeting has no %s", field)
		}
	}
	for _, field := range []string{"contacts", "kind", "text"} {
		if input[field] != nil {
			t.Errorf("the schema of a meeting asks for %s", field)
		}
	}
}

func TestTheMapOfRoutesIsForDevelopment(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	s := newSite(t, db).fill(t)
	if got := s.ask(http.MethodGet, "/api/v1/routes", ""); got.StatusCode != http.StatusNotFound {
		t.Errorf("in production the map is answered %d", got.StatusCode)
	}
	cfg := s.cfg
	cfg.Dev, cfg.PanicName = true, "panic, please"
	var err error
	if s.Server, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	got := call[map[string]string](t, s, http.MethodGet, "routes", "", http.StatusOK)
	for name, want := range map[string]string{"SHARED_INBOX": "/inbox", "ACTOR": "/actors/brest", "LOGIN": "/connexion", "PANIC_HOOK": "panic, please", "DRAFT": recordPath(s.draft)} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	if !strings.HasPrefix(got["OBJ"], "/objects/") {
		t.Errorf("OBJ is %q", got["OBJ"])
	}
}
