// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mmcdole/gofeed"
	"github.com/mmcdole/gofeed/atom"
	"github.com/peterstace/simplefeatures/geom"
	"github.com/piprate/json-gold/ld"

	"essaim"
	"essaim/store/storetest"
	"essaim/web"
)

// readSite is a site whose lists are read back by the parsers of others.
type readSite struct {
	http.Handler
	base    string
	records map[string]essaim.Record // published, by id
}

// newReadSite publishes the demonstration's records of three territories in one,
// with one of a licence that lets nobody copy it and one that names people.
func newReadSite(t *testing.T, db storetest.DB) readSite {
	t.Helper()
	st, _, _ := servedNode(t, db, "brest")
	for _, territory := range demoTerritories {
		list, err := demoRecords(territory.Username, essaim.EmbeddedGazetteer(), demoDay)
		if err != nil {
			t.Fatal(err)
		}
		publishAll(t, st, list)
	}
	publishAll(t, st, []essaim.Content{
		storetest.Initiative("Fiche réservée", func(c *essaim.Content) { c.Licence, c.Text = "tous-droits", "Ce texte ne se copie pas" }),
		storetest.Initiative("Des gens & <des> «signes» ; à, \\ \"suivre\"", func(c *essaim.Content) {
			c.Text = "Une ligne ;\n\nune *autre*, \\n et \"la\" dernière : 100 % d’été\u2028 𝄞"
			c.Credits = []essaim.Credit{{Name: "Personne sans accord", Role: "porteur", Person: true}, {Name: "Association", Role: "porteur"}}
			c.Contacts = []essaim.Contact{{Kind: "email", Value: "a@secret.example"}}
		}),
	})
	for i, m := range []essaim.Meeting{
		{Start: time.Date(2027, 7, 13, 15, 30, 0, 0, time.UTC), End: time.Date(2027, 7, 13, 18, 0, 0, 0, time.UTC), Status: "cancelled", Programme: "17 h 30 : accueil"},
		{Start: time.Date(2027, 3, 28, 0, 30, 0, 0, time.UTC), Timezone: "America/Montreal", Status: "tentative", Online: "https://salle.example/"}, // the night when clocks change
		{Start: time.Date(2027, 7, 13, 22, 0, 0, 0, time.UTC), End: time.Date(2027, 7, 15, 21, 59, 0, 0, time.UTC)},
	} {
		publishAll(t, st, []essaim.Content{{
			Kind: essaim.KindMeeting, Title: fmt.Sprintf("Rencontre %d ; café, thé & \\ gâteaux", i), Tagline: "Une phrase ; deux, trois", Text: strings.Repeat("Une ligne, une autre ; encore\n\n", 9) + "fin", Licence: "cc-by-4.0",
			Places: []essaim.Place{{Label: "Salle, bleue", Street: "1 rue ; d’essai", City: "Brest", INSEE: "29019"}}, Themes: []string{"alimentation"}, Body: &m,
		}})
	}
	node, err := st.Node(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	site, err := web.New(web.Config{Node: node, Store: st})
	if err != nil {
		t.Fatal(err)
	}
	s := readSite{Handler: site, base: node.BaseURL, records: map[string]essaim.Record{}}
	for q := (essaim.Query{Limit: 100}); ; {
		page, err := st.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Records {
			s.records[r.ID] = r
		}
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	if len(s.records) < 50 {
		t.Fatalf("only %d records", len(s.records))
	}
	return s
}

// read gets an address of the site; nothing that is private is in any.
func (s readSite) read(t *testing.T, address string) []byte {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, strings.TrimPrefix(address, s.base), nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%s answers %d: %s", address, w.Code, w.Body)
	}
	for _, never := range []string{"sans accord", "secret.example", "Ce texte ne se copie pas"} {
		if strings.Contains(w.Body.String(), never) {
			t.Errorf("%s tells %q", address, never)
		}
	}
	return w.Body.Bytes()
}

// told is what each format tells of a record, in the words of the store.
type told struct {
	ID, Title, Tagline, Licence string
	Updated                     time.Time
}

func tell(r essaim.Record) told {
	l, _ := essaim.LicenceByID(r.Licence)
	return told{r.ID, r.Title, r.Tagline, l.IRI, r.Updated.UTC().Truncate(time.Second)}
}

// same compares what was read with the store, record by record, and says how many
// were read.
func (s readSite) same(t *testing.T, what string, keep func(essaim.Record) bool, got []told) {
	t.Helper()
	want := map[string]told{}
	for id, r := range s.records {
		if keep(r) {
			want[id] = tell(r)
		}
	}
	back := map[string]told{}
	for _, g := range got {
		back[g.ID] = g
	}
	if diff := cmp.Diff(want, back); diff != "" {
		t.Errorf("%s (-store +read):\n%s", what, diff)
	}
	if len(got) != len(want) || len(want) == 0 {
		t.Errorf("%s: read %d, want %d", what, len(got), len(want))
	}
	t.Logf("%s: %d read and compared", what, len(got))
}

func anyRecord(essaim.Record) bool        { return true }
func freeRecord(r essaim.Record) bool     { return essaim.Reusable(r.Licence) }
func instant(s string) (time.Time, error) { return time.Parse(time.RFC3339, s) }

func TestFormatsAreReadBackByOthers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newReadSite(t, db)
		t.Run("Atom", s.readAtom)
		t.Run("JSON Feed", s.readJSONFeed)
		t.Run("CSV", s.readCSV)
		t.Run("GeoJSON", s.readGeoJSON)
		t.Run("JSON-LD", s.readJSONLD)
		t.Run("iCalendar", s.readCalendar)
		t.Run("sitemap", s.readSitemap)
	})
}

func (s readSite) readAtom(t *testing.T) {
	var got []told
	pages := 0
	for next := s.base + "/recherche.atom"; next != ""; pages++ {
		p := gofeed.NewParser()
		p.KeepOriginalFeed = true
		f, err := p.Parse(bytes.NewReader(s.read(t, next)))
		if err != nil {
			t.Fatal(err)
		}
		a := f.OriginalFeed().(*atom.Feed)
		next = relOf(a.Links, "next")
		for i, item := range f.Items {
			e, r := a.Entries[i], s.records[item.GUID]
			got = append(got, told{item.GUID, item.Title, item.Description, relOf(e.Links, "license"), *item.UpdatedParsed})
			if item.Link != s.base+recordPathOf(r) || !item.PublishedParsed.Equal(r.Published.Truncate(time.Second)) || item.Authors[0].Name != r.TerritoryName {
				t.Errorf("%s: link %s, published %v, author %v", r.Title, item.Link, item.PublishedParsed, item.Authors[0])
			}
			if (item.Content != "") != freeRecord(r) || !strings.Contains(item.Content, "</p>") && freeRecord(r) || e.Rights == "" {
				t.Errorf("%s: content %q, rights %q", r.Title, item.Content, e.Rights)
			}
			for _, theme := range r.Themes {
				if !slices.ContainsFunc(e.Categories, func(c *atom.Category) bool { return c.Term == essaim.ThemeIRI(theme) }) {
					t.Errorf("%s: no category %s", r.Title, theme)
				}
			}
			if lat, lon, ok := firstPoint(r); ok {
				if got := item.Extensions["georss"]["point"][0].Value; got != number(lat)+" "+number(lon) {
					t.Errorf("%s is at %s", r.Title, got)
				}
			}
		}
	}
	if pages < 2 {
		t.Errorf("%d pages: the link to the next was not followed", pages)
	}
	s.same(t, "Atom", anyRecord, got)
}

func relOf(links []*atom.Link, rel string) string {
	for _, l := range links {
		if l.Rel == rel {
			return l.Href
		}
	}
	return ""
}

func recordPathOf(r essaim.Record) string {
	info, _ := r.Kind.Info()
	return "/" + info.Path + "/" + r.Slug
}

func firstPoint(r essaim.Record) (lat, lon float64, ok bool) {
	if len(r.Places) == 0 || !r.Places[0].Located() {
		return 0, 0, false
	}
	return *r.Places[0].Lat, *r.Places[0].Lon, true
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func (s readSite) readJSONFeed(t *testing.T) {
	var got []told
	for next := s.base + "/recherche.json?limit=40"; next != ""; {
		body := s.read(t, next)
		f, err := gofeed.NewParser().Parse(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		var more struct { // what the library leaves out
			Next  string `json:"next_url"`
			Items []struct {
				Essaim struct{ Licence string } `json:"_essaim"`
			}
		}
		if err := json.Unmarshal(body, &more); err != nil {
			t.Fatal(err)
		}
		next = more.Next
		for i, item := range f.Items {
			r := s.records[item.GUID]
			got = append(got, told{item.GUID, item.Title, item.Description, more.Items[i].Essaim.Licence, *item.UpdatedParsed})
			if item.Link != s.base+recordPathOf(r) || !item.PublishedParsed.Equal(r.Published.Truncate(time.Second)) || item.Authors[0].Name != r.TerritoryName || item.Content == "" {
				t.Errorf("%s: link %s, published %v, authors %v, content %q", r.Title, item.Link, item.PublishedParsed, item.Authors, item.Content)
			}
		}
	}
	s.same(t, "JSON Feed", anyRecord, got)
}

func (s readSite) readCSV(t *testing.T) {
	rows, err := csv.NewReader(bytes.NewReader(s.read(t, "/recherche.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var got []told
	for _, row := range rows[1:] {
		v := map[string]string{}
		for i, column := range rows[0] {
			v[column] = row[i]
			// docs/fr/importer.md: an apostrophe stands before what a spreadsheet would run.
			if len(row[i]) > 1 && row[i][0] == '\'' && strings.ContainsRune("=+-@", rune(row[i][1])) {
				v[column] = row[i][1:]
			}
		}
		got = append(got, s.values(t, v))
		if lat, lon, ok := firstPoint(s.records[v["essaim_id"]]); ok && (v["lat"] != number(lat) || v["lon"] != number(lon)) {
			t.Errorf("%s is at %s, %s", v["title"], v["lat"], v["lon"])
		}
	}
	s.same(t, "CSV", freeRecord, got)
}

// values compares the columns of a row with its record.
func (s readSite) values(t *testing.T, v map[string]string) told {
	t.Helper()
	r := s.records[v["essaim_id"]]
	lic, _ := essaim.LicenceByID(v["licence"])
	updated, err := instant(v["updated"])
	published, err2 := instant(v["published"])
	if err != nil || err2 != nil || !published.Equal(r.Published.Truncate(time.Second)) {
		t.Errorf("%s: dates %q, %q", r.Title, v["published"], v["updated"])
	}
	holder := r.Holder
	if holder == "" {
		holder = r.TerritoryName
	}
	for column, want := range map[string]string{
		"essaim_kind": string(r.Kind), "url": r.URL, "themes": strings.Join(r.Themes, ";"), "language": r.Language, "holder": holder,
		"text": strings.ReplaceAll(r.Text, "\r\n", "\n"),
	} {
		if v[column] != want {
			t.Errorf("%s: %s is %q, want %q", r.Title, column, v[column], want)
		}
	}
	return told{v["essaim_id"], v["title"], v["tagline"], lic.IRI, updated}
}

func (s readSite) readGeoJSON(t *testing.T) {
	// The library reads every feature but those without a place, whose geometry is
	// null (RFC 7946 3.2).
	var c struct {
		Type     string            `json:"type"`
		Features []json.RawMessage `json:"features"`
	}
	if err := json.Unmarshal(s.read(t, "/recherche.geojson"), &c); err != nil || c.Type != "FeatureCollection" {
		t.Fatal(c.Type, err)
	}
	var got []told
	located := 0
	for _, raw := range c.Features {
		var f geom.GeoJSONFeature
		if bytes.Contains(raw, []byte(`"geometry":null`)) {
			if err := json.Unmarshal(raw, &struct{ Properties *map[string]any }{&f.Properties}); err != nil {
				t.Fatal(err)
			}
		} else if err := json.Unmarshal(raw, &f); err != nil {
			t.Fatal(err)
		}
		v := map[string]string{}
		for name, value := range f.Properties {
			v[name] = fmt.Sprint(value)
		}
		got = append(got, s.values(t, v))
		lat, lon, ok := firstPoint(s.records[v["essaim_id"]])
		if p, is := f.Geometry.AsPoint(); ok {
			if xy, _ := p.XY(); !is || xy.X != lon || xy.Y != lat {
				t.Errorf("%s is at %v, want %v, %v", v["title"], f.Geometry, lon, lat)
			}
			located++
		} else if !bytes.Contains(raw, []byte(`"geometry":null`)) {
			t.Errorf("%s is nowhere, and has the geometry %v", v["title"], f.Geometry)
		}
	}
	if located < 30 {
		t.Errorf("%d features have a point", located)
	}
	s.same(t, "GeoJSON", freeRecord, got)
}

// contexts gives the JSON-LD library the contexts that documents name; it asks
// nobody else.
type contexts struct{}

func (contexts) LoadDocument(u string) (*ld.RemoteDocument, error) {
	file, ok := map[string]string{
		"https://www.w3.org/ns/activitystreams":       "activitystreams",
		"https://w3id.org/security/data-integrity/v1": "data-integrity-v1",
	}[u]
	if !ok {
		return nil, fmt.Errorf("no context %s", u)
	}
	b, err := os.ReadFile("testdata/contexts/" + file + ".json")
	if err != nil {
		return nil, err
	}
	doc, err := ld.DocumentFromReader(bytes.NewReader(b))
	return &ld.RemoteDocument{DocumentURL: u, Document: doc}, err
}

func (s readSite) readJSONLD(t *testing.T) {
	var documents []any
	if err := json.Unmarshal(s.read(t, "/recherche.jsonld"), &documents); err != nil {
		t.Fatal(err)
	}
	options := ld.NewJsonLdOptions("")
	options.DocumentLoader = contexts{}
	const as = "https://www.w3.org/ns/activitystreams#"
	var got []told
	for _, d := range documents {
		expanded, err := ld.NewJsonLdProcessor().Expand(d, options)
		if err != nil || len(expanded) != 1 {
			t.Fatalf("%v: %v", d, err)
		}
		node := expanded[0].(map[string]any)
		value := func(property, key string) string {
			list, _ := node[property].([]any)
			if len(list) == 0 {
				return ""
			}
			v, _ := list[0].(map[string]any)[key].(string)
			return v
		}
		id, _ := node["@id"].(string)
		r := s.records[id]
		updated, err := instant(value(as+"updated", "@value"))
		if err != nil {
			t.Errorf("%s: %v", id, err)
		}
		got = append(got, told{id, value(as+"name", "@value"), s.records[id].Tagline, value("http://purl.org/dc/terms/license", "@id"), updated})
		if value(as+"url", "@id") == "" && len(node[as+"url"].([]any)) == 0 || value(essaim.Namespace+"territory", "@id") != r.Territory {
			t.Errorf("%s: territory %q", r.Title, value(essaim.Namespace+"territory", "@id"))
		}
	}
	s.same(t, "JSON-LD", freeRecord, got)
}
