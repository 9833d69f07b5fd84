// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"

	"essaim"
	"essaim/web/transfer"
)

// Dumps are dated files of the commons; *transfer.Dumps is the one.
type Dumps interface {
	// Dumps lists what may be read, the newest first.
	Dumps(ctx context.Context) ([]transfer.Dump, error)
	// OpenDump is essaim.ErrNotFound for any other name.
	OpenDump(ctx context.Context, file string) (*os.File, transfer.Dump, error)
}

// DumpsPage is the open data of the territory: files, licences, checksums and what
// each column means.
type DumpsPage struct {
	Base
	Sets    []DumpSet
	Columns []ColumnView
	Fields  []ColumnView // of essaim_details
	Link    string       // address of this page, for the example of a command
}

// DumpSet is the dumps of a scope.
type DumpSet struct {
	Scope    transfer.DumpScope
	Days     []DumpDay // the newest first
	Licences []LicenceCount
}

// DumpDay is the files of one day.
type DumpDay struct {
	At      time.Time
	Records int
	Files   []DumpFile
}

// DumpFile is a file with its size in words.
type DumpFile struct {
	transfer.Dump
	Size string
}

// LicenceCount is how many records of a dump are under a licence.
type LicenceCount struct {
	essaim.Licence
	Count int
}

// ColumnView is a column of the files, or a field of essaim_details, with its meaning
// in the page's language.
type ColumnView struct {
	transfer.Column
	Label, Meaning string
}

// dumps lists those that stand; none on a node that makes none.
func (s *Server) dumps(ctx context.Context) ([]transfer.Dump, error) {
	if s.cfg.Dumps == nil {
		return nil, nil
	}
	return s.cfg.Dumps.Dumps(ctx)
}

func (s *Server) showDumps(w http.ResponseWriter, r *http.Request) error {
	list, err := s.dumps(r.Context())
	if err != nil {
		return err
	}
	l := s.locale(r)
	p := &DumpsPage{Link: s.abs("/export/")}
	for _, scope := range []transfer.DumpScope{transfer.DumpOwn, transfer.DumpNetwork} {
		if set := dumpSet(l, scope, list); len(set.Days) > 0 {
			p.Sets = append(p.Sets, set)
		}
	}
	for _, c := range transfer.Dictionary() {
		v := ColumnView{Column: c, Label: cmp.Or(c.Field(), c.Name), Meaning: l.own("column."+c.Name, c.Meaning(l.lang))}
		if c.Field() != "" {
			p.Fields = append(p.Fields, v)
			continue
		}
		p.Columns = append(p.Columns, v)
	}
	p.Title, p.Section = l.T("export.title"), "export"
	p.Description = l.F("export.description", "Territory", s.cfg.Node.Territory.Name)
	p.Crumbs = []Crumb{{l.T("nav.home"), "/"}, {p.Title, ""}}
	return s.render(w, r, http.StatusOK, "dumps", p)
}

// dumpSet groups the dumps of a scope by day.
func dumpSet(l *locale, scope transfer.DumpScope, list []transfer.Dump) DumpSet {
	set := DumpSet{Scope: scope}
	for _, d := range list {
		if d.Scope != scope {
			continue
		}
		n := len(set.Days)
		if n == 0 || !set.Days[n-1].At.Equal(d.At) {
			set.Days = append(set.Days, DumpDay{At: d.At, Records: d.Records})
			n++
		}
		set.Days[n-1].Files = append(set.Days[n-1].Files, DumpFile{d, l.Bytes(d.Bytes)})
		if n > 1 || d.Format != "csv" {
			continue
		}
		for _, licence := range essaim.Licences() {
			if count := d.Licences[licence.ID]; count > 0 {
				set.Licences = append(set.Licences, LicenceCount{licence, count})
			}
		}
		slices.SortStableFunc(set.Licences, func(a, b LicenceCount) int { return b.Count - a.Count })
	}
	return set
}

// openData lets any site read what it wraps, and keep it until it is asked again:
// what is erased goes.
func openData(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Cache-Control", "public, no-cache")
		next.ServeHTTP(w, r)
	})
}

// showDictionary says what the columns of the files mean.
func (s *Server) showDictionary(w http.ResponseWriter, r *http.Request) error {
	var b bytes.Buffer
	if err := transfer.WriteDictionary(&b); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	return s.serveMade(w, r, b.Bytes())
}

// showDump serves a file of the dumps, in ranges too: a reader that was cut goes on
// where it was. A name without a date leads to the newest.
func (s *Server) showDump(w http.ResponseWriter, r *http.Request) error {
	file := chi.URLParam(r, "file")
	if !strings.HasSuffix(file, ".gz") || s.cfg.Dumps == nil {
		return errPageNotFound
	}
	list, err := s.dumps(r.Context())
	if err != nil {
		return err
	}
	for _, d := range list {
		if d.Latest() == file {
			http.Redirect(w, r, "/export/"+d.File, http.StatusFound)
			return nil
		}
	}
	f, d, err := s.cfg.Dumps.OpenDump(r.Context(), file)
	if err != nil {
		return err
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", "application/gzip")
	h.Set("ETag", `"`+d.SHA256+`"`)
	h.Set("Content-Disposition", `attachment; filename="`+d.File+`"`)
	// At 16 kB a second at least; nobody holds a connection for longer than an hour.
	most := min(time.Hour, 5*time.Minute+time.Duration(d.Bytes/(16<<10))*time.Second)
	_ = http.NewResponseController(w).SetWriteDeadline(s.now().Add(most)) // not of a recorder in a test
	http.ServeContent(w, r, "", d.At, f)
	return nil
}

// showSums lists the checksums as sha256sum reads them.
func (s *Server) showSums(w http.ResponseWriter, r *http.Request) error {
	list, err := s.dumps(r.Context())
	if err != nil {
		return err
	}
	var b bytes.Buffer
	for _, d := range list {
		fmt.Fprintf(&b, "%s  %s\n", d.SHA256, d.File)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	return s.serveMade(w, r, b.Bytes())
}

// serveMade answers with what was made for this request, unless the reader has it.
func (s *Server) serveMade(w http.ResponseWriter, r *http.Request, body []byte) error {
	w.Header().Set("ETag", pageTag(body))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	return nil
}

// together lets one reader hold so many answers at once: who reads slowly, or opens
// many, takes nothing from others.
func (s *Server) together(most int) func(http.Handler) http.Handler {
	var mu sync.Mutex
	held := map[string]int{}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			who, _ := s.limitKey(r)
			mu.Lock()
			full := held[who] >= most
			if !full {
				held[who]++
			}
			mu.Unlock()
			if full {
				w.Header().Set("Retry-After", "30")
				s.tooMany(w, r)
				return
			}
			defer func() {
				mu.Lock()
				defer mu.Unlock()
				if held[who]--; held[who] == 0 {
					delete(held, who)
				}
			}()
			next.ServeHTTP(w, r)
		})
	}
}
