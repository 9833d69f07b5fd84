// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
	"essaim/web"
)

func TestAPlaceGivenByItsCodeIsNamedWhereverTheRecordGoes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _, _ := servedNode(t, db, "brest")
		node, err := s.Node(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		user, err := s.CreateUser(t.Context(), essaim.User{Email: "a@brest.example", Name: "A", Role: essaim.RoleAdmin})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.NewToken(t.Context(), user.ID, "test", "jeton"); err != nil {
			t.Fatal(err)
		}
		site, err := web.New(web.Config{Node: node, Store: s, Now: func() time.Time { return storetest.Start }})
		if err != nil {
			t.Fatal(err)
		}
		ask := func(method, path, body string, into any) int {
			t.Helper()
			r := httptest.NewRequestWithContext(t.Context(), method, "https://brest.example"+path, strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer jeton")
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			site.ServeHTTP(w, r)
			if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
				t.Fatalf("%s %s: %d %.300s", method, path, w.Code, w.Body)
			}
			return w.Code
		}
		var made web.APIRecord
		body := `{"title":"Ressourcerie","places":[{"epci":"242900314"},{"departement":"29"},{"region":"53"}]}`
		if code := ask(http.MethodPost, "/api/v1/venues", body, &made); code != http.StatusCreated {
			t.Fatalf("created: %d", code)
		}
		stored, err := s.Object(t.Context(), made.ID)
		if err != nil {
			t.Fatal(err)
		}
		type place struct {
			Name                string
			Latitude, Longitude float64
		}
		var doc struct {
			Location place
			Content  string
			Places   []place `json:"essaim:places"`
		}
		if err := json.Unmarshal(stored.Bytes, &doc); err != nil {
			t.Fatal(err)
		}
		if l := doc.Location; l.Name != "Brest Métropole" || essaim.Distance(l.Latitude, l.Longitude, 48.39, -4.48) > 10 {
			t.Errorf("location %+v", l)
		}
		if len(doc.Places) != 2 || doc.Places[0].Name != "Finistère" || doc.Places[1].Name != "Bretagne" || doc.Places[1].Latitude == 0 {
			t.Errorf("essaim:places %+v", doc.Places)
		}
		if want := "Brest Métropole, Finistère, Bretagne"; !strings.Contains(doc.Content, want) {
			t.Errorf("content does not say %q: %s", want, doc.Content)
		}
		for _, query := range []string{"q=finist%C3%A8re", "q=bretagne", "near=48.39,-4.48&radius=20"} {
			var list web.APIList
			if ask(http.MethodGet, "/api/v1/venues?"+query, "", &list); list.Total != 1 {
				t.Errorf("%s finds %d records", query, list.Total)
			}
		}
	})
}
