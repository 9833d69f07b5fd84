// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	ical "github.com/arran4/golang-ical"

	"essaim"
)

func (s readSite) readCalendar(t *testing.T) {
	meeting := func(r essaim.Record) bool { return r.Kind == essaim.KindMeeting }
	var got []told
	for _, address := range []string{"/rencontres.ics?quand=toutes", "/recherche.ics"} {
		got = nil
		c, err := ical.ParseCalendar(bytes.NewReader(s.read(t, address)))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range c.Events() {
			got = append(got, s.event(t, e))
		}
		s.same(t, address, meeting, got)
	}
	for id, r := range s.records {
		if !meeting(r) {
			continue
		}
		c, err := ical.ParseCalendar(bytes.NewReader(s.read(t, recordPathOf(r)+".ics")))
		if err != nil || len(c.Events()) != 1 || s.event(t, c.Events()[0]).ID != id {
			t.Errorf("%s by itself: %v, %v", r.Title, c, err)
		}
	}
}

// event compares an event with its record.
func (s readSite) event(t *testing.T, e *ical.VEvent) told {
	t.Helper()
	value := func(name string) string {
		if p := e.GetProperty(ical.ComponentProperty(name)); p != nil {
			return p.Value
		}
		return ""
	}
	r := s.records[value("UID")]
	m, ok := r.Body.(*essaim.Meeting)
	if !ok {
		t.Fatalf("no meeting %q", value("UID"))
	}
	sameTimes(t, e, r.Title, m)
	status := map[string]string{"": "CONFIRMED", "confirmed": "CONFIRMED", "tentative": "TENTATIVE", "cancelled": "CANCELLED"}[m.Status]
	for name, want := range map[string]string{"SEQUENCE": strconv.Itoa(r.Revision), "STATUS": status, "URL": r.URL} {
		if value(name) != want {
			t.Errorf("%s: %s is %q, want %q", r.Title, name, value(name), want)
		}
	}
	if lat, lon, ok := firstPoint(r); ok && value("GEO") != number(lat)+";"+number(lon) {
		t.Errorf("%s: GEO %s", r.Title, value("GEO"))
	}
	if !strings.Contains(value("DESCRIPTION"), strings.TrimSpace(r.Text)) || len(r.Places) > 0 && !strings.Contains(value("LOCATION"), r.Places[0].City) {
		t.Errorf("%s: at %q, %q", r.Title, value("LOCATION"), value("DESCRIPTION"))
	}
	updated, err := e.GetLastModifiedAt()
	if err != nil {
		t.Error(err)
	}
	tagline, _, _ := strings.Cut(value("DESCRIPTION"), "\n\n")
	if r.Tagline == "" {
		tagline = ""
	}
	return told{r.ID, value("SUMMARY"), tagline, value("LINK"), value("URL"), updated.UTC()}
}

// sameTimes compares when an event is with its meeting: of one that takes whole days,
// the days.
func sameTimes(t *testing.T, e *ical.VEvent, title string, m *essaim.Meeting) {
	t.Helper()
	start, err := e.GetStartAt()
	if err != nil {
		t.Fatalf("%s: %v", title, err)
	}
	if slices.Equal(e.GetProperty(ical.ComponentPropertyDtStart).ICalParameters["VALUE"], []string{"DATE"}) {
		end, err := e.GetAllDayEndAt()
		if first, last := m.Days(); err != nil || start.Format(time.DateOnly) != first.Format(time.DateOnly) || end.AddDate(0, 0, -1).Format(time.DateOnly) != last.Format(time.DateOnly) {
			t.Errorf("%s: from %v to %v, %v; want %v to %v", title, start, end, err, first, last)
		}
		return
	}
	if !start.Equal(m.Start) {
		t.Errorf("%s: starts %v, want %v", title, start, m.Start)
	}
	if end, err := e.GetEndAt(); !m.End.IsZero() && (err != nil || !end.Equal(m.Over())) {
		t.Errorf("%s: ends %v, %v; want %v", title, end, err, m.Over())
	}
}

func (s readSite) readSitemap(t *testing.T) {
	type site struct {
		Loc     string `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 loc"`
		LastMod string `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 lastmod"`
	}
	var index struct {
		XMLName  xml.Name `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 sitemapindex"`
		Sitemaps []site   `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 sitemap"`
	}
	robots := string(s.read(t, "/robots.txt"))
	_, address, _ := strings.Cut(robots, "Sitemap: ")
	if err := xml.Unmarshal(s.read(t, strings.TrimSpace(address)), &index); err != nil {
		t.Fatal(err)
	}
	at := map[string]string{}
	for _, part := range index.Sitemaps {
		var set struct {
			XMLName xml.Name `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
			URLs    []site   `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 url"`
		}
		d := xml.NewDecoder(bytes.NewReader(s.read(t, part.Loc)))
		if err := d.Decode(&set); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Token(); err != nil && err != io.EOF { //nolint:errorlint // A decoder gives it as it is.
			t.Errorf("%s goes on after its end: %v", part.Loc, err)
		}
		for _, u := range set.URLs {
			at[u.Loc] = u.LastMod
			w := httptest.NewRecorder()
			s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, strings.TrimPrefix(u.Loc, s.base), nil))
			if w.Code != http.StatusOK {
				t.Errorf("%s answers %d", u.Loc, w.Code)
			}
		}
	}
	n := 0
	for _, r := range s.records {
		if r.Origin != "" { // its origin answers, and is where it is to be found
			if _, told := at[s.base+recordPathOf(r)]; told {
				t.Errorf("%s of %s is told as a page of here", r.Title, r.Origin)
			}
			continue
		}
		if got, err := instant(at[s.base+recordPathOf(r)]); err != nil || !got.Equal(r.Updated.Truncate(time.Second)) {
			t.Errorf("%s changed %v, %v; want %v", r.Title, got, err, r.Updated)
		}
		n++
	}
	if n < 50 || len(at) < n+8 {
		t.Errorf("%d records among %d addresses", n, len(at))
	}
	t.Logf("sitemap: %d addresses read, %d records compared", len(at), n)
}
