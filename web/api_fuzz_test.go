// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

// keeping counts the records that are made.
type keeping struct {
	Store
	n atomic.Int64
}

func (k *keeping) CreateRecord(ctx context.Context, n essaim.NewRecord) (essaim.Record, error) {
	rec, err := k.Store.CreateRecord(ctx, n)
	if err == nil {
		k.n.Add(1)
	}
	return rec, err
}

// sameAsWritten looks for what a body says of the fields that every kind has.
func sameAsWritten(t *testing.T, body []byte, kept essaim.Content) {
	t.Helper()
	var given struct {
		Title, Tagline, Text string
		Description          *string
		Language             string
		Themes, Keywords     []string
	}
	if err := json.Unmarshal(body, &given); err != nil {
		t.Fatalf("accepted, and not read again: %v", err)
	}
	if given.Description != nil {
		given.Text = *given.Description
	}
	if kept.Title != given.Title || kept.Tagline != given.Tagline || kept.Text != given.Text || given.Language != "" && kept.Language != given.Language {
		t.Fatalf("kept %+v of %s", kept, body)
	}
	for _, theme := range given.Themes {
		if !slices.Contains(kept.Themes, theme) {
			t.Fatalf("theme %s is lost: %v", theme, kept.Themes)
		}
	}
	if !slices.Equal(kept.Keywords, given.Keywords) && len(kept.Keywords)+len(given.Keywords) > 0 {
		t.Fatalf("keywords %v, given %v", kept.Keywords, given.Keywords)
	}
}

// What a program writes is kept as it reads, or nothing is.
func FuzzAPIInput(f *testing.F) {
	for _, body := range []string{
		`{"title":"Jardin","tagline":"Un potager.","themes":["jardins"],"places":[{"insee":"29019"}],"since":"2019"}`,
		`{"title":"Halle","places":[{"epci":"242900314"},{"lat":48.4,"lon":-4.5,"label":"Ici"}],"openingHours":["Mo 09:00-12:00"]}`,
		`{"title":"Fête","startTime":"2026-04-17T14:00:00+02:00","body":{"timezone":"Europe/Paris"}}`,
		`{"title":"Carte","steps":[{"name":"Couper","image":{"url":"https://a.example/1.png","alt":"x"}}],"state":"draft"}`,
		`{"title":"A","credits":[{"name":"B","role":"porteur","person":true,"consent":{"how":"self"}}],"keywords":null,"revision":3}`,
		`{"title":"A","TITLE":"B","description":"x","text":"y","relations":[{"type":"about","target":"https://a.example/o"}]}`,
		`{"title":"A","tagline":"b","description":"c","language":"en","themes":["jardins"],"keywords":["d","e"],"state":"draft"}`,
		`{"title":"\u0000","places":[{"insee":"99999"}],"licence":"x"}`, `[]`, `null`, `{"body":[]}`, `{"title":1e999}`,
	} {
		for i := range essaim.Kinds() {
			f.Add(uint8(i), []byte(body))
		}
	}
	kept := &keeping{}
	var asked atomic.Int64
	elsewhere := func(r *http.Request) { // no address asks too often
		n := asked.Add(1)
		r.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1", n>>16&255, n>>8&255, n&255)
	}
	s := newSite(f, storetest.SQLite(f), func(c *Config) { kept.Store, c.Store = c.Store, kept })
	f.Fuzz(func(t *testing.T, kind uint8, body []byte) {
		k := essaim.Kinds()[int(kind)%len(essaim.Kinds())]
		before := kept.n.Load()
		resp := s.ask(http.MethodPost, "/api/v1/"+k.API, string(body), s.bearer, elsewhere, header("Content-Type", "application/json"))
		answer, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		switch resp.StatusCode {
		case http.StatusCreated:
		case http.StatusBadRequest, http.StatusForbidden, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
			if kept.n.Load() != before {
				t.Fatalf("refused with %d, and a record was made", resp.StatusCode)
			}
			return
		default:
			t.Fatalf("answered %d %s", resp.StatusCode, answer)
		}
		var made APIRecord
		if err := json.Unmarshal(answer, &made); err != nil {
			t.Fatal(err)
		}
		rec, err := s.store.Record(t.Context(), made.ID)
		if err != nil || rec.Kind != k.Kind {
			t.Fatalf("kept %+v, %v", rec, err)
		}
		sameAsWritten(t, body, rec.Content)
		if p := rec.Validate(rec.State == essaim.StatePublished); len(p) > 0 {
			t.Fatalf("what was accepted is not valid: %v", p)
		}
		if len(rec.Contacts) > 0 {
			t.Fatalf("contacts came in: %v", rec.Contacts)
		}
		for _, pl := range rec.Places {
			if unknown := s.Server.cfg.Gazetteer.Locate(&pl); len(unknown) > 0 {
				t.Fatalf("%v of %+v name nothing", unknown, pl)
			}
		}
	})
}
