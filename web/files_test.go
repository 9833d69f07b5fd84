// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

// failing answers the first pages of a search only.
type failing struct {
	Store
	pages int
}

func (f *failing) Search(ctx context.Context, q essaim.Query) (essaim.Results, error) {
	if f.pages--; f.pages < 0 {
		return essaim.Results{}, errors.New("the database fell")
	}
	return f.Store.Search(ctx, q)
}

func TestAFileThatCannotBeFinishedIsNeverTakenForWhole(t *testing.T) {
	t.Parallel()
	for _, zip := range []bool{false, true} {
		fail := &failing{pages: 2}
		s := newSite(t, storetest.SQLite(t), func(c *Config) { fail.Store, c.Store = c.Store, fail })
		for i := range 250 {
			storetest.Publish(t, s.store, storetest.Initiative(fmt.Sprintf("Longue %d", i), func(c *essaim.Content) { c.Text = strings.Repeat(fmt.Sprintf("texte %d ", i), 1500) }))
		}
		server := httptest.NewServer(s)
		defer server.Close()
		client := &http.Client{Transport: &http.Transport{DisableCompression: !zip}}
		for _, ext := range []string{"csv", "geojson"} {
			fail.pages = 2
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/initiatives."+ext, nil)
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			n, err := io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if err == nil || n < wholeFile/2 {
				t.Errorf("%s (compressed %v): %d bytes, %v; want a cut", ext, zip, n, err)
			}
		}
		fail.pages = 1 // of three: less than what is held before anything is sent
		if body, _ := s.body(t, "/initiatives.csv?limit=100", http.StatusOK); countIn(t, "csv", body) != 100 {
			t.Error("a file of one page needs no other")
		}
		fail.pages = 0
		s.body(t, "/initiatives.csv", http.StatusInternalServerError)
	}
}

func TestFewFilesAreWrittenAtATime(t *testing.T) {
	t.Parallel()
	var f filesOut
	one := netip.MustParsePrefix("192.0.2.1/32")
	for i := range maxFilesOne {
		if !f.take(one) {
			t.Fatalf("file %d of one reader is refused", i)
		}
	}
	if f.take(one) {
		t.Error("one reader takes more than their part")
	}
	for i := range maxFiles - maxFilesOne {
		if !f.take(netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}), 32)) {
			t.Fatalf("reader %d is refused", i)
		}
	}
	if f.take(netip.MustParsePrefix("203.0.113.1/32")) {
		t.Error("more files than the node bears")
	}
	f.give(one)
	if !f.take(netip.MustParsePrefix("203.0.113.1/32")) {
		t.Error("a place that was given back is not taken")
	}
}

// slow is a database of which a page comes long after a request's own deadline.
type slow struct{ Store }

func (s slow) Search(ctx context.Context, q essaim.Query) (essaim.Results, error) {
	if err := ctx.Err(); err != nil {
		return essaim.Results{}, err
	}
	return s.Store.Search(ctx, q)
}

func TestAFileMayTakeLongerThanAnAnswerButNotThanItsReader(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t), func(c *Config) { c.Store = slow{c.Store} })
	storetest.Publish(t, s.store, storetest.Initiative("Une fiche"))
	late := func(r *http.Request) {
		ctx, stop := context.WithDeadline(r.Context(), time.Unix(0, 0))
		t.Cleanup(stop)
		*r = *r.WithContext(ctx)
	}
	if body, _ := s.body(t, "/initiatives.csv", http.StatusOK, late); countIn(t, "csv", body) != 1 {
		t.Errorf("a long file holds %q", body)
	}
	s.body(t, "/initiatives.atom", http.StatusServiceUnavailable, late) // a feed is an answer like others
	left := func(r *http.Request) {
		ctx, leave := context.WithCancel(r.Context())
		leave()
		*r = *r.WithContext(ctx)
	}
	if body, _ := s.body(t, "/initiatives.csv", http.StatusOK, left); body != "" {
		t.Errorf("who left is written %q", body)
	}
}

func TestManySmallFilesAreAnsweredAndOfLargeOnesFew(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	storetest.Publish(t, s.store, storetest.Initiative("Une fiche"))
	for range maxFilesOne {
		s.files.take(netip.MustParsePrefix("192.0.2.1/32"))
	}
	s.body(t, "/initiatives.csv", http.StatusOK)
	for i := range 90 {
		storetest.Publish(t, s.store, storetest.Initiative(fmt.Sprintf("Longue %d", i), func(c *essaim.Content) { c.Text = strings.Repeat(fmt.Sprintf("texte %d ", i), 1500) }))
	}
	s.body(t, "/initiatives.csv", http.StatusTooManyRequests)
	s.files.give(netip.MustParsePrefix("192.0.2.1/32"))
	s.body(t, "/initiatives.csv", http.StatusOK)
	if n := s.files.all; n != maxFilesOne-1 {
		t.Errorf("%d files are thought to be on their way", n)
	}
}

func TestAMeetingThatWasWithdrawnLeavesCalendars(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	rec := s.records[essaim.KindMeeting]
	if err := s.store.WithdrawRecord(t.Context(), rec.ID, storetest.Author); err != nil {
		t.Fatal(err)
	}
	body, h := s.body(t, recordPath(rec)+".ics", http.StatusGone)
	if !strings.HasPrefix(h.Get("Content-Type"), "text/plain") || strings.Contains(body, rec.Title) {
		t.Errorf("answered %q", body)
	}
	for _, path := range []string{"/rencontres.ics?quand=toutes", "/recherche.ics", "/recherche.atom", "/recherche.csv", "/recherche.jsonld"} {
		if body, _ := s.body(t, path, http.StatusOK); strings.Contains(body, rec.ID) {
			t.Errorf("%s still holds it", path)
		}
	}
}
