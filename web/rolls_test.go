// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

func TestPeopleAreTakenAwayByTheirOwnYesOnly(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		s.person(t) // on the Fediverse, and in no list
		for _, ext := range []string{"csv", "jsonld"} {
			if body, _ := s.body(t, "/personnes."+ext, http.StatusOK); strings.Contains(body, camilleName) || strings.Contains(body, "camille") {
				t.Errorf("%s tells of who did not ask for it: %s", ext, body)
			}
		}
		yes := true
		if err := s.store.SetProfile(t.Context(), "camille", essaim.Profile{Name: "=" + camilleName, Summary: "Je *jardine*.", Discoverable: &yes}); err != nil {
			t.Fatal(err)
		}
		body, h := s.body(t, "/personnes.csv", http.StatusOK)
		rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
		if err != nil || len(rows) != 2 || rows[1][1] != "'="+camilleName || rows[1][2] != "camille@brest.example" || rows[1][3] != storetest.Base+"/personnes/camille" || rows[1][4] != "Je jardine." {
			t.Errorf("rows %q, %v", rows, err)
		}
		if h.Get("X-Robots-Tag") != "noindex" || h.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(h.Get("Content-Disposition"), "personnes-") {
			t.Errorf("headers %v", h)
		}
		body, _ = s.body(t, "/personnes.jsonld", http.StatusOK)
		var list Structured
		if err := json.Unmarshal([]byte(body), &list); err != nil || len(list.Elements) != 1 || list.Elements[0].Type != "Person" || list.Elements[0].ID != camille {
			t.Errorf("%s, %v", body, err)
		}
		for _, ext := range []string{"atom", "json", "geojson", "ics"} {
			s.body(t, "/personnes."+ext, http.StatusNotFound) // nobody keeps them
		}
		s.get(t, "/personnes", http.StatusOK).says(t, "La même liste, à reprendre")
		if err := s.store.DeletePerson(t.Context(), "camille"); err != nil {
			t.Fatal(err)
		}
		if body, _ := s.body(t, "/personnes.csv", http.StatusOK); strings.Contains(body, "camille") {
			t.Errorf("told after she left: %s", body)
		}
	})
}

func TestTheTerritoriesAreTakenAway(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		if err := s.store.SavePeerAbout(t.Context(), toulouse, essaim.PeerAbout{Lat: 43.6, Lon: 1.44}); err != nil {
			t.Fatal(err)
		}
		body, _ := s.body(t, "/territoires.csv", http.StatusOK)
		rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
		if err != nil || len(rows) != 2 || !slices.Contains(rows[1], toulouseActor) || !slices.Contains(rows[1], "current") || !slices.Contains(rows[1], "43.6") {
			t.Fatalf("rows %q, %v", rows, err)
		}
		body, _ = s.body(t, "/territoires.geojson", http.StatusOK)
		var c struct {
			Features []struct {
				Geometry   struct{ Coordinates []float64 }
				Properties map[string]string
			}
		}
		if err := json.Unmarshal([]byte(body), &c); err != nil || len(c.Features) != 1 || !slices.Equal(c.Features[0].Geometry.Coordinates, []float64{1.44, 43.6}) || c.Features[0].Properties["host"] != toulouse {
			t.Errorf("%s, %v", body, err)
		}
		body, _ = s.body(t, "/territoires.jsonld", http.StatusOK)
		if !strings.Contains(body, `"@id":"`+toulouseActor+`"`) || !strings.Contains(body, `"latitude":43.6`) {
			t.Errorf("as linked data: %s", body)
		}
		body, h := s.body(t, "/territoires.atom?lang=en", http.StatusOK)
		var f atomFeed
		if err := xml.Unmarshal([]byte(body), &f); err != nil || len(f.Entries) != 1 || f.Entries[0].ID != toulouseActor || !strings.Contains(body, `xml:lang="en"`) || f.Entries[0].Published == feedTime(time.Time{}) {
			t.Errorf("%s, %v", body, err)
		}
		s.body(t, "/territoires.atom?lang=en", http.StatusNotModified, header("If-None-Match", h.Get("ETag")))
		since := s.clock.Now().Add(time.Hour).Truncate(time.Second)
		s.clock.Move(2 * time.Hour)
		if err := s.store.PeerGone(t.Context(), toulouse, since); err != nil {
			t.Fatal(err)
		}
		body, _ = s.body(t, "/territoires.atom", http.StatusOK)
		if err := xml.Unmarshal([]byte(body), &f); err != nil || !strings.Contains(body, "<updated>"+feedTime(since)+"</updated>") {
			t.Errorf("that it is gone is no change of %s", body)
		}
		body, _ = s.body(t, "/territoires.json", http.StatusOK)
		if n := countIn(t, "json", body); n != 1 || strings.Contains(body, `"_essaim"`) {
			t.Errorf("%d items: %s", n, body)
		}
		if _, err := s.store.AddMeasure(t.Context(), essaim.Measure{Scope: essaim.MeasureHost, Value: toulouse, Level: essaim.LevelBlock}, 0); err != nil {
			t.Fatal(err)
		}
		for _, ext := range []string{"csv", "geojson", "jsonld", "atom", "json"} {
			if body, _ := s.body(t, "/territoires."+ext, http.StatusOK); strings.Contains(body, toulouse) {
				t.Errorf("%s tells of who is blocked: %s", ext, body)
			}
		}
	})
}
