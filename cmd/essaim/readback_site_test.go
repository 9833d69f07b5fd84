// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"essaim"
	"essaim/federation/fedtest"
	"essaim/store"
	"essaim/store/storetest"
	"essaim/web"
)

// readSite is a site whose lists are read back by the parsers of others.
type readSite struct {
	http.Handler
	base    string
	records map[string]essaim.Record // published, by id
}

// newReadSite is the site of a node that publishes the demonstration's records of
// three territories, with one of a licence that lets nobody copy it and one that names
// people, and that holds what another territory publishes.
func newReadSite(t *testing.T, db storetest.DB) readSite {
	t.Helper()
	p := newPair(t, db)
	for _, territory := range demoTerritories {
		list, err := demoRecords(territory.Username, essaim.EmbeddedGazetteer(), demoDay)
		if err != nil {
			t.Fatal(err)
		}
		publishAll(t, p.toulon.Store, list)
	}
	publishAll(t, p.toulon.Store, ours())
	publishAll(t, p.brest.Store, theirs(t))
	p.follow(t)
	p.catchUp(t)
	node, err := p.toulon.Node(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	site, err := web.New(web.Config{Node: node, Store: p.toulon.Store, Now: p.toulon.now})
	if err != nil {
		t.Fatal(err)
	}
	s := readSite{Handler: site, base: node.BaseURL, records: published(t, p.toulon.Store)}
	if len(s.records) < 50 {
		t.Fatalf("only %d records", len(s.records))
	}
	s.asAtTheirOrigin(t, published(t, p.brest.Store))
	return s
}

// published reads what a store has published, by id.
func published(t *testing.T, st *store.Store) map[string]essaim.Record {
	t.Helper()
	all := map[string]essaim.Record{}
	for q := (essaim.Query{Limit: 100}); ; {
		page, err := st.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Records {
			all[r.ID] = r
		}
		if q.After = page.Next; q.After == "" {
			return all
		}
	}
}

// asAtTheirOrigin says that the records of others are told as their origin tells
// them: who publishes them, whom to credit, under which licence, where they are read.
func (s readSite) asAtTheirOrigin(t *testing.T, origin map[string]essaim.Record) {
	t.Helper()
	type identity struct {
		Told                                      told
		Territory, TerritoryName, Holder, Licence string
		Credits                                   []string
	}
	of := func(r essaim.Record) identity {
		id := identity{tell(r), r.Territory, r.TerritoryName, holderOf(r), r.Licence, nil}
		for _, c := range r.PublicCredits() {
			id.Credits = append(id.Credits, c.Name+", "+c.Role)
		}
		slices.Sort(id.Credits)
		return id
	}
	for id, r := range origin {
		held := s.records[id]
		if diff := cmp.Diff(of(r), of(held)); diff != "" || held.Origin != brestHost || !strings.HasPrefix(held.URL, "https://"+brestHost+"/") {
			t.Errorf("%s of %q is not as its origin has it (-origin +held):\n%s", r.Title, held.Origin, diff)
		}
	}
}

// ours are records with what formats have to guard or to leave out.
func ours() []essaim.Content {
	list := []essaim.Content{
		storetest.Initiative("Fiche réservée", func(c *essaim.Content) { c.Licence, c.Text = "tous-droits", "Ce texte ne se copie pas" }),
		storetest.Initiative("Des gens & <des> «signes» ; à, \\ \"suivre\"", func(c *essaim.Content) {
			c.Text = "Une ligne ;\n\nune *autre*, \\n et \"la\" dernière : 100 % d’été\u2028 𝄞"
			c.Credits = []essaim.Credit{{Name: "Personne sans accord", Role: "porteur", Person: true}, {Name: "Association", Role: "porteur"}}
			c.Contacts = []essaim.Contact{{Kind: "email", Value: "a@secret.example"}}
		}),
	}
	for i, m := range []essaim.Meeting{
		{Start: time.Date(2027, 7, 13, 15, 30, 0, 0, time.UTC), End: time.Date(2027, 7, 13, 18, 0, 0, 0, time.UTC), Status: "cancelled", Programme: "17 h 30 : accueil"},
		{Start: time.Date(2027, 3, 28, 0, 30, 0, 0, time.UTC), Timezone: "America/Montreal", Status: "tentative", Online: "https://salle.example/"}, // the night when clocks change
		{Start: time.Date(2027, 7, 13, 22, 0, 0, 0, time.UTC), End: time.Date(2027, 7, 15, 21, 59, 0, 0, time.UTC)},
	} {
		list = append(list, essaim.Content{
			Kind: essaim.KindMeeting, Title: fmt.Sprintf("Rencontre %d ; café, thé & \\ gâteaux", i), Tagline: "Une phrase ; deux, trois", Text: strings.Repeat("Une ligne, une autre ; encore\n\n", 9) + "fin", Licence: "cc-by-4.0",
			Places: []essaim.Place{{Label: "Salle, bleue", Street: "1 rue ; d’essai", City: "Brest", INSEE: "29019"}}, Themes: []string{"alimentation"}, Body: &m,
		})
	}
	return list
}

// theirs are records of another territory: of each kind one with all that a record
// may say, under licences of their own.
func theirs(t *testing.T) []essaim.Content {
	t.Helper()
	var list []essaim.Content
	for i, info := range essaim.Kinds() {
		c := fedtest.FullRecord(t, info).Content
		c.Title = fmt.Sprintf("D’ailleurs %d ; à, \\ \"suivre\"", i)
		c.Themes = []string{"alimentation", "circuits-courts"}
		c.Licence = []string{"etalab-2.0", "cc-by-4.0", "odbl-1.0", "cc0-1.0", "fal-1.3", "cc-by-sa-4.0"}[i]
		c.DerivedFrom.Licence = c.Licence
		c.Holder = []string{"Collectif d’ailleurs", ""}[i%2] // the territory, in the second case
		c.Credits = append(c.Credits, essaim.Credit{Name: "Personne sans accord", Role: "porteur", Person: true})
		c.Contacts = []essaim.Contact{{Kind: "email", Value: "b@secret.example"}}
		list = append(list, c)
	}
	return list
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
	Page                        string // where it is read: at its origin
	Updated                     time.Time
}

func tell(r essaim.Record) told {
	l, _ := essaim.LicenceByID(r.Licence)
	return told{r.ID, r.Title, r.Tagline, l.IRI, r.URL, r.Updated.UTC().Truncate(time.Second)}
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
	copies := 0
	for id := range back {
		if s.records[id].Origin != "" {
			copies++
		}
	}
	if len(got) != len(want) || copies == 0 || copies == len(want) {
		t.Errorf("%s: read %d, want %d; %d of them of another territory", what, len(got), len(want), copies)
	}
	t.Logf("%s: %d read and compared, %d of another territory", what, len(got), copies)
}

func anyRecord(essaim.Record) bool        { return true }
func freeRecord(r essaim.Record) bool     { return essaim.Reusable(r.Licence) }
func instant(s string) (time.Time, error) { return time.Parse(time.RFC3339, s) }
