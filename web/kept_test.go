// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

func TestAPageThatIsKeptIsNeverOutOfDate(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		rec := s.records[essaim.KindInitiative]
		path := recordPath(rec)
		first := s.get(t, path, http.StatusOK).text()
		if s.kept.size == 0 {
			t.Fatal("no page is kept")
		}
		if got := s.get(t, path, http.StatusOK).text(); got != first {
			t.Error("the second visit shows another page")
		}
		if got := s.get(t, path, http.StatusOK, s.signedIn).text(); got == first {
			t.Error("who may write gets the page of all readers")
		}
		if got := s.get(t, path+"?lang=en", http.StatusOK).text(); got == first {
			t.Error("English readers get the French page")
		}
		s.apply(t, toulouseActor, essaim.React{
			Kind: essaim.ReactionLike, ActivityID: "https://toulouse.example/likes/1", Actor: toulouseActor, Object: rec.ID, At: s.clock.Now(),
		})
		liked := s.get(t, path, http.StatusOK).text()
		if liked == first {
			t.Error("a thank does not show")
		}
		c := rec.Content
		c.Body.(*essaim.Initiative).Need = "Un besoin encore inconnu."
		if _, err := s.store.UpdateRecord(t.Context(), rec.ID, 0, c, essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		if got := s.get(t, path, http.StatusOK).text(); !strings.Contains(got, "encore inconnu") {
			t.Error("an edit does not show")
		}
		if err := s.store.WithdrawRecord(t.Context(), rec.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		s.get(t, path, http.StatusGone)
	})
}

// A field that JSON leaves out could change without the page's digest.
func TestTheDigestOfAPageSeesAllItsData(t *testing.T) {
	t.Parallel()
	seen := map[reflect.Type]bool{}
	var walk func(path string, typ reflect.Type)
	walk = func(path string, typ reflect.Type) {
		switch typ.Kind() { //nolint:exhaustive // The others hold no fields.
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			walk(path, typ.Elem())
		case reflect.Struct:
			if typ == reflect.TypeFor[time.Time]() || seen[typ] {
				return
			}
			seen[typ] = true
			for i := range typ.NumField() {
				f := typ.Field(i)
				name := path + "." + f.Name
				if !f.IsExported() || f.Tag.Get("json") == "-" && name != "RecordPage.Record.Number" {
					t.Errorf("%s is not part of the digest", name)
				}
				if name != "RecordPage.Base.Kinds" && name != "RecordPage.Base.User" {
					walk(name, f.Type)
				}
			}
		}
	}
	walk("RecordPage", reflect.TypeFor[RecordPage]())
	for _, k := range essaim.Kinds() {
		walk("Body", reflect.TypeOf(k.Body()))
	}
	if len(seen) < 15 {
		t.Errorf("%d types were looked at", len(seen))
	}
}

func TestKeptPagesStayWithinTheirBound(t *testing.T) {
	t.Parallel()
	var k keptPages
	for i := range 20 {
		d := pageDigest{byte(i)}
		k.put(d, keptPage{body: make([]byte, maxKept/4)})
		if _, ok := k.get(d); !ok {
			t.Errorf("page %d is not kept", i)
		}
	}
	if k.size > maxKept || len(k.pages) != 4 {
		t.Errorf("%d pages of %d bytes are kept, at most %d bytes may be", len(k.pages), k.size, maxKept)
	}
}
