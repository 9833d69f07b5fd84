// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
	"essaim/web/transfer"
)

// heldSink notes how many rows an import holds at a time, and the heap once the
// last of them is written.
type heldSink struct {
	transfer.Sink
	rows, most int
	left       int
	heap       uint64
}

func (s *heldSink) ImportRows(ctx context.Context, id int64, rows []essaim.ImportRow) ([]essaim.ImportOutcome, error) {
	s.rows, s.most = s.rows+len(rows), max(s.most, len(rows))
	out, err := s.Sink.ImportRows(ctx, id, rows)
	if s.left -= len(rows); s.left == 0 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		s.heap = m.HeapAlloc
	}
	return out, err
}

// manyRows is a file of n rows, none of which stands in memory before it is read.
func manyRows(format string, n int) io.Reader {
	text := strings.Repeat("partage quartier jardin ", 40)
	r, w := io.Pipe()
	go func() {
		var err error
		if format == "csv" {
			_, err = io.WriteString(w, "id,name,description,latitude,longitude,themes,url\n")
			for i := 0; i < n && err == nil; i++ {
				_, err = fmt.Fprintf(w, "%d,Lieu %d,%s,48.39,-4.48,alimentation,https://places.example/%d\n", i, i, text, i)
			}
		} else {
			_, err = io.WriteString(w, `{"type":"FeatureCollection","features":[`)
			for i := 0; i < n && err == nil; i++ {
				comma := ","
				if i == 0 {
					comma = ""
				}
				_, err = fmt.Fprintf(w, `%s{"type":"Feature","id":"%d","properties":{"name":"Lieu %d","description":"%s","themes":"alimentation","url":"https://places.example/%d"},"geometry":{"type":"Point","coordinates":[-4.48,48.39]}}`, comma, i, i, text, i)
			}
			if err == nil {
				_, err = io.WriteString(w, `]}`)
			}
		}
		_ = w.CloseWithError(err)
	}()
	return r
}

// Not parallel: it reads the heap of the process.
func TestImportTakesNoMoreMemoryForALargerFile(t *testing.T) {
	const few = 250
	for _, format := range []string{"csv", "geojson"} {
		s, _ := storetest.SQLite(t).Node(t)
		imported := func(n int) *heldSink {
			t.Helper()
			sink := &heldSink{Sink: s, left: n}
			var out bytes.Buffer
			a := &app{out: &out, now: func() time.Time { return storetest.Start }}
			o := importOptions{Licence: "etalab-2.0", Attribution: "A", Kind: "venue", Format: format}
			// Rows of a name of their own: each file creates all of its rows.
			if err := o.importFile(t.Context(), a, essaim.EmbeddedGazetteer(), essaim.Thesaurus{}, fmt.Sprintf("%d.%s", n, format), manyRows(format, n), sink); err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			if sink.rows != n || sink.heap == 0 {
				t.Fatalf("%s: %d rows written, want %d\n%s", format, sink.rows, n, out.String())
			}
			return sink
		}
		imported(few) // fills caches
		small, large := imported(few+1), imported(10*few)
		t.Logf("%s: heap %d kB after %d rows, %d kB after %d", format, small.heap/1000, few, large.heap/1000, 10*few)
		if large.most > transfer.Chunk || small.most > transfer.Chunk {
			t.Errorf("%s: %d rows held, want %d at most", format, large.most, transfer.Chunk)
		}
		// A row is above 1 kB: all of them would be ten times as much.
		if grown := int64(large.heap) - int64(small.heap); grown > 1_000_000 {
			t.Errorf("%s: the heap grew by %d kB with a file of ten times the rows", format, grown/1000)
		}
	}
}

func TestADownloadIsReadFromTheDisk(t *testing.T) {
	t.Parallel()
	const text = "nom;ville\nAtelier du port;Brest\n"
	large := strings.Repeat("x", 1<<20)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/lieux.csv", http.StatusFound)
		case "/lieux.csv":
			fmt.Fprint(w, text)
		case "/endless":
			for range maxDownload>>20 + 1 {
				if _, err := io.WriteString(w, large); err != nil {
					return
				}
			}
		default:
			http.NotFound(w, r)
		}
	}))
	defer srv.Close()
	cfg := config{AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	for _, c := range []struct {
		path, text string
		fails      bool
	}{{"/moved", text, false}, {"/lieux.csv", text, false}, {"/endless", "", true}, {"/none", "", true}} {
		command := importFileCommand{Path: srv.URL + c.path}
		name, r, err := command.open(t.Context(), cfg)
		if (err != nil) != c.fails {
			t.Errorf("%s: got %v, want an error: %v", c.path, err, c.fails)
		}
		if err != nil {
			continue
		}
		got, err := io.ReadAll(r)
		if err != nil || string(got) != c.text || name != command.Path || command.Source != command.Path {
			t.Errorf("%s: got %q of %q (source %q), %v", c.path, got, name, command.Source, err)
		}
		f, ok := r.(*os.File)
		if !ok {
			t.Fatalf("%s: held as %T, want a file", c.path, r)
		}
		if _, err := os.Stat(f.Name()); !os.IsNotExist(err) {
			t.Errorf("%s: its file is found at %s: %v", c.path, f.Name(), err)
		}
		r.Close()
	}
}
