// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"essaim"
)

func TestRecordsAreReadHoweverTheyAreWritten(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, doc string
		check     func(essaim.Record) bool
	}{
		{
			"a title with a colon", `{"id":"https://a.example/1","type":"Article","essaim:kind":"initiative","name":"COVID-19: entraide"}`,
			func(r essaim.Record) bool { return r.Title == "COVID-19: entraide" && r.Kind == essaim.KindInitiative },
		},
		{
			"name only in a map", `{"id":"https://a.example/1","type":"Article","essaim:kind":"initiative","nameMap":{"en":"Garden","fr":"Jardin"}}`,
			func(r essaim.Record) bool { return r.Title == "Jardin" && r.Language == "fr" },
		},
		{
			"arrays where one is meant", `{"id":"https://a.example/1","type":["Event","x:Y"],"essaim:kind":"meeting","name":["Fête"],"attributedTo":[{"type":"Person","id":"https://a.example/u"}],"url":[{"type":"Link","href":"https://a.example/fete"}]}`,
			func(r essaim.Record) bool {
				return r.Kind == essaim.KindMeeting && r.Territory == "https://a.example/u" && r.URL == "https://a.example/fete" && r.Slug == "fete"
			},
		},
		{
			"a date without zone", `{"id":"https://a.example/1","type":"Event","essaim:kind":"meeting","name":"F","startTime":"2026-05-02","endTime":"2026-05-02T18:00:00.123+02:00"}`,
			func(r essaim.Record) bool {
				m := r.Body.(*essaim.Meeting)
				return m.Start.Format("2006-01-02 15:04") == "2026-05-02 00:00" && m.End.Format("15:04") == "16:00"
			},
		},
		{
			"numbers as text, out of range", `{"id":"https://a.example/1","type":"Event","essaim:kind":"meeting","name":"F","location":{"name":"X","latitude":"200","longitude":"2"}}`,
			func(r essaim.Record) bool { return len(r.Places) == 1 && !r.Places[0].Located() },
		},
		{
			"codes that no gazetteer holds", `{"id":"https://a.example/1","type":"Article","essaim:kind":"venue","name":"F","location":{"type":"Place","essaim:insee":"99999"},"essaim:places":[{"essaim:epci":"299999999"},{"essaim:departement":"A"}]}`,
			func(r essaim.Record) bool {
				return len(r.Places) == 3 && r.Places[0].INSEE == "99999" && r.Places[1].EPCI == "299999999" && r.Places[2].Departement == "A"
			},
		},
		{
			"addresses of concepts where words are meant", `{"id":"https://a.example/1","type":"Article","essaim:kind":"initiative","name":"F","essaim:publics":["https://w3id.org/essaim/publics#gens-du-voyage","voisins"],"essaim:methods":"https://a.example/ns/essaim/methods#entraide"}`,
			func(r essaim.Record) bool {
				b := r.Body.(*essaim.Initiative)
				return slices.Equal(b.Publics, []string{"gens du voyage", "voisins"}) && slices.Equal(b.Methods, []string{"entraide"})
			},
		},
		{
			"updated before published", `{"id":"https://a.example/1","type":"Article","essaim:kind":"initiative","name":"F","published":"2026-05-02T00:00:00Z","updated":"2026-05-01T00:00:00Z"}`,
			func(r essaim.Record) bool { return r.Updated.Equal(r.Published) },
		},
		{
			"names that differ in case only", `{"id":"https://a.example/1","type":"Article","essaim:kind":"initiative","name":"F","Name":"G","Type":"Event"}`,
			func(r essaim.Record) bool { return r.Title == "F" && r.Kind == essaim.KindInitiative },
		},
		{
			"wrong shapes everywhere", `{"id":"https://a.example/1","type":"Article","essaim:kind":"initiative","name":"F","summary":5,"content":{"x":1},"tag":"x","attachment":null,"location":"Brest","image":[],"essaim:themes":{},"essaim:places":[1,null,"x"],"source":"x","published":7}`,
			func(r essaim.Record) bool { return r.Title == "F" && len(r.Places) == 0 && r.Published.IsZero() },
		},
		{
			"pictures of Pleroma and others", `{"id":"https://a.example/1","type":"Note","essaim:kind":"initiative","name":"F","attachment":[{"type":"Document","mediaType":"image/png","url":"https://a.example/1.png","name":"alt"},{"type":"Document","mediaType":"application/pdf","url":"https://a.example/1.pdf"},{"type":"PropertyValue","name":"x","value":"y"}]}`,
			func(r essaim.Record) bool { return len(r.Images) == 1 && r.Images[0].Alt == "alt" },
		},
		{
			"addresses that lead nowhere", `{"id":"https://a.example/1","type":"Article","essaim:kind":"initiative","name":"F","url":"javascript:alert(1)","essaim:links":[{"href":"data:x"},{"href":"https://b.example/"}],"essaim:networks":["mailto:x@y.example"]}`,
			func(r essaim.Record) bool {
				return r.URL == "https://a.example/1" && len(r.Links) == 1 && len(r.Networks) == 0
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rec, err := Parse([]byte(tt.doc))
			if err != nil {
				t.Fatal(err)
			}
			if !tt.check(rec) || rec.Origin != "a.example" || rec.State != essaim.StatePublished {
				t.Errorf("got %+v, body %+v", rec, rec.Body)
			}
		})
	}
}

func TestWhatIsNoRecordIsRefused(t *testing.T) {
	t.Parallel()
	for _, doc := range []string{
		``, `null`, `[]`, `"x"`, `{}`, `{"type":"Article"}`, `{"id":"x","type":"Article"}`, `{"id":5,"type":"Article"}`,
		`{"id":"https://a.example/1","type":"Person"}`, `{"id":"https://a.example/1"}`, `{"id":"https://a.example/1","type":"Article","essaim:kind":"portrait"}`, `{"id":"https://a.example/1","type":"Article","name":"x"}`,
	} {
		if rec, err := Parse([]byte(doc)); !errors.Is(err, essaim.ErrInvalid) {
			t.Errorf("%s: got %+v, %v, want %v", doc, rec, err, essaim.ErrInvalid)
		}
	}
}

// FuzzParse holds that what is read from any document can be written by this
// node and read again as the same, and that only web addresses come through.
func FuzzParse(f *testing.F) {
	r := testRenderer(f)
	// Small ones: what is large takes the fuzzer a minute each to make smaller.
	for _, seed := range []string{
		`{"id":"https://a.example/1","type":"Article","name":"F","essaim:kind":"initiative","essaim:since":"2003","essaim:themes":["https://w3id.org/essaim/themes#alimentation"]}`,
		`{"id":"https://a.example/1","type":"Article","nameMap":{"en":"F"},"essaim:kind":"recipe","essaim:steps":[{"name":"a","image":{"type":"Image","url":"https://a.example/1.png"}}]}`,
		`{"id":"https://a.example/1","type":"Article","name":"F","essaim:kind":"venue","location":{"type":"Place","latitude":48.0,"longitude":"-4","address":{"addressLocality":"Brest"}}}`,
		`{"id":"https://a.example/1","type":"Article","name":"F","essaim:kind":"organisation","essaim:registry":{"siren":"1"},"essaim:carriers":[{"name":"x","person":true}]}`,
		`{"id":"https://a.example/1","type":"Event","essaim:kind":"meeting","name":"F","startTime":"2026-05-02T10:00:00+02:00","timezone":"Europe/Paris","ical:status":"TENTATIVE"}`,
		`{"id":"https://a.example/1","type":"Article","essaim:kind":"initiative","source":{"content":"a","mediaType":"text/markdown"},"published":"2026-05-02","tag":{"type":"Link","name":"a","href":"https://a.example/2"},"attachment":[{"type":"Document","mediaType":"image/png","url":"https://a.example/1"}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		rec, err := Parse(doc)
		if err != nil {
			return
		}
		if !utf8.ValidString(rec.Title) || strings.ContainsAny(rec.Title, "\r\n") {
			t.Errorf("title %q", rec.Title)
		}
		for _, l := range rec.Links {
			if !strings.HasPrefix(l.URL, "https://") && !strings.HasPrefix(l.URL, "http://") {
				t.Errorf("link %q", l.URL)
			}
		}
		out, err := r.object(&rec)
		if err != nil {
			return // dates that JSON cannot say, and the like
		}
		again, err := Parse(out.Bytes)
		if err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
		// Written once, it is read the same for ever.
		once, err := r.object(&again)
		if err != nil {
			t.Fatal(err)
		}
		twice, err := Parse(once.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(again, twice); diff != "" {
			t.Errorf("read again it differs (-first +second)\n%s", diff)
		}
	})
}
