// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

func TestAnybodyReportsAndIsTold(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		rec := storetest.Publish(t, s.store, storetest.Initiative("Jardin"))
		comment := s.comment(t, "1", rec.ID, essaim.CommentsShown)
		nobody := func(r *http.Request) { r.Header.Del("Authorization") }
		file := func(object string, status int) essaim.Receipt {
			t.Helper()
			return call[essaim.Receipt](t, s, http.MethodPost, "reports", fmt.Sprintf(`{"object":%q,"text":" insultes ","email":"quelqu-une@brest.example"}`, object), status, nobody)
		}
		for _, object := range []string{rec.ID, rec.URL} {
			if got := file(object, http.StatusCreated); len(got.ID) != 32 || got.State != essaim.ItemHeld {
				t.Errorf("%s: %+v", object, got)
			}
		}
		receipt := file(comment, http.StatusCreated)
		items, err := s.store.Items(t.Context(), essaim.ItemFilter{State: essaim.ItemHeld, Kind: essaim.ItemReport})
		if err != nil || len(items) != 3 || items[0].About != rec.ID || items[2].About != rec.ID {
			t.Fatalf("%+v, %v", items, err)
		}
		d, err := s.store.Item(t.Context(), items[2].N)
		if err != nil || d.Report == nil || d.Report.Text != "insultes" || d.Report.Contact != "quelqu-une@brest.example" || d.Report.Objects[0] != comment || d.Report.Host != "" {
			t.Errorf("%+v, %v", d.Report, err)
		}
		d = call[essaim.ItemDetail](t, s, http.MethodPost, fmt.Sprintf("moderation/%d", items[2].N), `{"action":"accept","reason":"contraire à la charte"}`, http.StatusOK)
		if d.State != essaim.ItemAccepted {
			t.Errorf("%+v", d)
		}
		if shown, err := s.store.Comments(t.Context(), rec.ID, 0, 10); err != nil || len(shown) != 0 {
			t.Errorf("a comment that was rightly reported is shown: %v, %v", shown, err)
		}
		told := call[essaim.Receipt](t, s, http.MethodGet, "reports/"+receipt.ID, "", http.StatusOK, nobody)
		if told.State != essaim.ItemAccepted || told.Reason != "contraire à la charte" || told.DecidedAt.IsZero() {
			t.Errorf("told %+v", told)
		}
		call[refusal](t, s, http.MethodGet, "reports/"+strings.Repeat("0", 32), "", http.StatusNotFound, nobody)
	})
}

func TestWhatIsNoReport(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	rec := storetest.Publish(t, s.store, storetest.Initiative("Jardin"))
	for i, c := range []struct {
		body   string
		status int
		field  string
	}{
		{`{"object":"` + rec.ID + `"}`, http.StatusUnprocessableEntity, "text"},
		{`{"text":"x"}`, http.StatusUnprocessableEntity, "object"},
		{`{"object":"` + rec.ID + `","text":"` + strings.Repeat("é", 5001) + `"}`, http.StatusUnprocessableEntity, "text"},
		{`{"object":"` + rec.ID + `","text":"x","email":"A <a@b.example>"}`, http.StatusUnprocessableEntity, "email"},
		{`{"object":"https://toulouse.example/objects/1","text":"x"}`, http.StatusNotFound, ""},
		{`{"object":"` + storetest.Base + `/initiatives/none","text":"x"}`, http.StatusNotFound, ""},
	} {
		if got := call[refusal](t, s, http.MethodPost, "reports", c.body, c.status); c.field != "" && got.Errors[c.field] == "" {
			t.Errorf("%d: %+v", i, got)
		}
	}
	for range 4 {
		call[refusal](t, s, http.MethodPost, "reports", `{}`, http.StatusUnprocessableEntity)
	}
	resp := s.ask(http.MethodPost, "/api/v1/reports", `{}`, header("Content-Type", "application/json"))
	if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" {
		t.Errorf("the eleventh of an hour is answered %d, Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
}
