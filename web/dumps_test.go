// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"iter"
	"net/http"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
	"essaim/web/transfer"
)

// dumped is a site whose records stand in dumps of its day, with what is done before.
func dumped(t testing.TB, db storetest.DB, before ...func(*site)) *site {
	t.Helper()
	var s *site
	d := &transfer.Dumps{
		Root: t.TempDir(), Name: "brest", Now: func() time.Time { return s.clock.Now() },
		Erased: func(ctx context.Context, scope transfer.DumpScope) (time.Time, error) {
			return s.store.LastErasure(ctx, scope == transfer.DumpOwn)
		},
		Items: func(ctx context.Context, scope transfer.DumpScope, format string) iter.Seq2[transfer.Item, error] {
			return func(yield func(transfer.Item, error) bool) {
				q := essaim.Query{Limit: 100}
				if scope == transfer.DumpOwn {
					q.Origin = "local"
				}
				res, err := s.store.Search(ctx, q)
				if err != nil {
					yield(transfer.Item{}, err)
				}
				for _, r := range res.Records {
					doc, err := s.store.Document(ctx, r.ID)
					if !yield(transfer.Item{Record: r, Document: doc}, err) {
						return
					}
				}
			}
		},
	}
	s = newSite(t, db, func(c *Config) { c.Dumps = d }).fill(t)
	for _, f := range before {
		f(s)
	}
	if err := d.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheDumpsArePagedSummedAndDescribed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := dumped(t, db)
		p := s.get(t, "/export/", http.StatusOK)
		p.says(t, "Données ouvertes", "Ce que publie Brest", "Avec les autres territoires", "CC BY-SA 4.0", "essaim_details", "Début d’une rencontre")
		list, err := s.cfg.Dumps.Dumps(t.Context())
		if err != nil || len(list) != 6 {
			t.Fatalf("%d dumps, %v", len(list), err)
		}
		sums := map[string]string{}
		lines := bufio.NewScanner(s.ask(http.MethodGet, "/export/SHA256SUMS", "").Body)
		for lines.Scan() {
			sum, file, _ := strings.Cut(lines.Text(), "  ")
			sums[file] = sum
		}
		for _, d := range list {
			if len(p.with("a", "href", "/export/"+d.File)) == 0 {
				t.Errorf("the page leads to no %s", d.File)
			}
			p.says(t, d.SHA256)
			resp := s.ask(http.MethodGet, "/export/"+d.File, "")
			b, err := io.ReadAll(resp.Body)
			sum := sha256.Sum256(b)
			if err != nil || hex.EncodeToString(sum[:]) != sums[d.File] || sums[d.File] != d.SHA256 || int64(len(b)) != d.Bytes {
				t.Errorf("%s: %d bytes of %x, summed as %q: %v", d.File, len(b), sum, sums[d.File], err)
			}
			if d.Records != map[transfer.DumpScope]int{transfer.DumpOwn: len(s.records), transfer.DumpNetwork: 2 * len(s.records)}[d.Scope] {
				t.Errorf("%s: %d records", d.File, d.Records)
			}
			if got := s.ask(http.MethodGet, "/export/"+d.Latest(), ""); got.Header.Get("Location") != "/export/"+d.File {
				t.Errorf("%s leads to %q", d.Latest(), got.Header.Get("Location"))
			}
		}
		dictionary := read(t, s.ask(http.MethodGet, "/export/dictionnaire.csv", ""), "dictionnaire", http.StatusOK)
		if lines := strings.Count(dictionary.raw, "\n"); lines != len(transfer.Dictionary())+1 {
			t.Errorf("the dictionary has %d lines", lines)
		}
		for _, path := range []string{"/export/none.csv.gz", "/export/manifest.json", "/export/lock", "/export/..%2fessaim.toml"} {
			if got := s.ask(http.MethodGet, path, ""); got.StatusCode != http.StatusNotFound {
				t.Errorf("%s answers %d", path, got.StatusCode)
			}
		}
	})
}

func TestADumpIsHadInPartsAndOnce(t *testing.T) {
	t.Parallel()
	s := dumped(t, storetest.SQLite(t))
	list, err := s.cfg.Dumps.Dumps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d := list[0]
	path := "/export/" + d.File
	head := s.ask(http.MethodHead, path, "", header("Accept-Encoding", "gzip"))
	if b, _ := io.ReadAll(head.Body); head.ContentLength != d.Bytes && head.Header.Get("Content-Length") == "" || len(b) != 0 || head.Header.Get("Content-Encoding") != "" ||
		head.Header.Get("Content-Type") != "application/gzip" || head.Header.Get("Accept-Ranges") != "bytes" {
		t.Errorf("HEAD: %d bytes, %v", len(b), head.Header)
	}
	etag := head.Header.Get("ETag")
	part := s.ask(http.MethodGet, path, "", header("Range", "bytes=10-19"), header("If-Range", etag))
	if b, _ := io.ReadAll(part.Body); part.StatusCode != http.StatusPartialContent || len(b) != 10 {
		t.Errorf("a part: %d, %d bytes", part.StatusCode, len(b))
	}
	if got := s.ask(http.MethodGet, path, "", header("If-None-Match", etag)); got.StatusCode != http.StatusNotModified {
		t.Errorf("asked again: %d", got.StatusCode)
	}
}

func TestAnErasedRecordLeavesTheDumpsAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := dumped(t, db)
		list, err := s.cfg.Dumps.Dumps(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s.clock.Move(2 * time.Hour)
		if err := s.store.WithdrawRecord(t.Context(), s.records[essaim.KindRecipe].ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			if got := s.ask(http.MethodGet, "/export/"+d.File, ""); got.StatusCode != http.StatusNotFound {
				t.Errorf("%s answers %d after an erasure", d.File, got.StatusCode)
			}
		}
		s.get(t, "/export/", http.StatusOK).says(t, "Les fichiers se préparent")
		s.clock.Move(2 * time.Minute)
		if err := s.cfg.Dumps.(*transfer.Dumps).Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		if list, err = s.cfg.Dumps.Dumps(t.Context()); err != nil || len(list) != 6 || list[5].Records != len(s.records)-1 {
			t.Errorf("made anew: %+v, %v", list, err)
		}
	})
}

// Who holds four answers open gets no fifth; others get theirs.
func TestSlowReadersOfDumpsHoldUpThemselvesOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	release, inside := make(chan struct{}), make(chan struct{})
	h := s.together(4)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		inside <- struct{}{}
		<-release
		w.WriteHeader(http.StatusOK)
	}))
	answers := make(chan int)
	ask := func(addr string) {
		answers <- s.ask(http.MethodGet, "/export/x", "", func(r *http.Request) { r.RemoteAddr = addr }).StatusCode
	}
	s.Server.handler = h
	for range 4 {
		go ask("192.0.2.7:1")
		<-inside
	}
	go ask("192.0.2.7:2")
	if got := <-answers; got != http.StatusTooManyRequests {
		t.Errorf("a fifth is answered %d", got)
	}
	go ask("192.0.2.8:1")
	<-inside
	close(release)
	for range 5 {
		if got := <-answers; got != http.StatusOK {
			t.Errorf("answered %d", got)
		}
	}
	go ask("192.0.2.7:3")
	<-inside
	if got := <-answers; got != http.StatusOK {
		t.Errorf("later answered %d", got)
	}
}

func TestSizesInWords(t *testing.T) {
	t.Parallel()
	l := testLocales(t)
	for n, want := range map[int64]string{0: "0 octets", 999: "999 octets", 1000: "1,0 ko", 999_949: "999,9 ko", 999_999: "1,0 Mo", 1_234_567_890: "1,2 Go"} {
		if got := plain(l["fr"].Bytes(n)); got != want {
			t.Errorf("%d reads %q, not %q", n, got, want)
		}
	}
	if got := plain(l["en"].Bytes(1_250_000)); got != "1.2 MB" {
		t.Errorf("in English %q", got)
	}
}
