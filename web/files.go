// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"

	"essaim"
	"essaim/web/transfer"
)

// Bounds of files: how many are sent while they are written, for all and for one
// reader, up to what size one is made whole before it is sent, and how long one page
// of records may take to be read. A whole one has a tag and fails before it begins;
// of a larger one a hundred records are in memory at a time.
const (
	maxFiles    = 32
	maxFilesOne = 8
	wholeFile   = 1 << 20
	filePage    = 20 * time.Second
)

// showFile writes all that a list holds, as a file. Its address is that of the
// list, so that it can be fetched again.
func (s *Server) showFile(w http.ResponseWriter, r *http.Request, a listing) error {
	q := a.query
	q.Newest = true
	how := transfer.Walked{Documents: a.ext == "jsonld", Keep: transfer.Exportable, Most: q.Limit, Began: s.now()}
	if a.only != "" {
		how.Keep = nil // the facts that a calendar tells are nobody's
		if len(q.Kinds) == 0 || slices.Contains(q.Kinds, a.only) {
			q.Kinds = []essaim.Kind{a.only}
		}
	}
	if now := q.Upcoming; !now.IsZero() {
		// By the latest change, as all files, and not by date: the store sorts all dates
		// for each page.
		q.Upcoming = time.Time{}
		free := how.Keep
		how.Keep = func(r essaim.Record) bool {
			m, ok := r.Body.(*essaim.Meeting)
			return ok && !m.Start.IsZero() && m.Over().After(now) && (free == nil || free(r))
		}
	}
	return s.sendFile(w, r, a.contentType(), func(ctx context.Context, out io.Writer) error {
		items := transfer.Walk(ctx, patientSource{s.store}, q, how)
		if a.ext == "ics" {
			return s.writeCalendar(ctx, out, a, items)
		}
		_, err := transfer.Export(out, a.ext, items)
		return err
	})
}

// sendFile answers with what write writes: whole, with a tag, while it is small,
// else as it is written. What cannot be finished breaks the connection: nobody
// takes a part for the whole.
func (s *Server) sendFile(w http.ResponseWriter, r *http.Request, contentType string, write func(context.Context, io.Writer) error) error {
	w.Header().Set("Content-Type", contentType)
	if r.Method == http.MethodHead {
		return nil
	}
	from := Caller(s.cfg.TrustedProxies)(r)
	out := &fileWriter{w: w, begin: func() error {
		if !s.files.take(from) {
			return statusError{http.StatusTooManyRequests, "too_many"}
		}
		return nil
	}}
	defer func() {
		if out.sent {
			s.files.give(from)
		}
	}()
	err := write(r.Context(), out)
	switch {
	case err != nil && out.sent:
		if !out.left && !errors.Is(err, context.Canceled) {
			s.log.LogAttrs(r.Context(), slog.LevelError, "file cut", slog.String("request_id", requestID(r)), slog.String("route", routeOf(r)), slog.String("error", err.Error()))
		}
		panic(http.ErrAbortHandler)
	case err != nil:
		return fmt.Errorf("file: %w", err)
	case !out.sent:
		answerFormat(w, r, contentType, out.held.Bytes(), time.Time{})
	}
	return nil
}

func (s *Server) writeCalendar(ctx context.Context, w io.Writer, a listing, items iter.Seq2[transfer.Item, error]) error {
	by, err := s.origins(ctx)
	if err != nil {
		return err
	}
	c := transfer.Calendar{Name: a.title, URL: s.abs(address(a.path+"."+a.ext, a.chosen())), Page: s.publicPage(by), Label: a.locale.theme}
	_, err = c.Write(w, items)
	return err
}

// showMeetingFile is one meeting for a calendar.
func (s *Server) showMeetingFile(w http.ResponseWriter, r *http.Request) error {
	host := chi.URLParam(r, "host")
	kind := essaim.KindMeeting
	if host != "" {
		kind = ""
	}
	rec, err := s.store.RecordBySlug(r.Context(), kind, host, chi.URLParam(r, "slug"))
	switch {
	case err != nil:
		return fmt.Errorf("meeting: %w", err)
	case rec.State == essaim.StateWithdrawn:
		return s.gone(r, rec)
	case rec.State != essaim.StatePublished, rec.Kind != essaim.KindMeeting:
		return errPageNotFound
	}
	by, err := s.origins(r.Context())
	if err != nil {
		return err
	}
	var b bytes.Buffer
	_, err = transfer.Calendar{Page: s.publicPage(by), Label: s.locales[defaultLanguage].theme}.Write(&b, func(yield func(transfer.Item, error) bool) {
		yield(transfer.Item{Record: rec}, nil)
	})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Disposition", `attachment; filename="`+rec.Slug+`.ics"`)
	w.Header().Set("Cache-Control", "public, no-cache")
	w.Header().Set("X-Robots-Tag", "noindex")
	answerFormat(w, r, "text/calendar; charset=utf-8", b.Bytes(), rec.Updated)
	return nil
}

// fileWriter holds what is written until it is too large to be held; then it begins
// to send, if it may.
type fileWriter struct {
	w     io.Writer
	begin func() error
	held  bytes.Buffer
	sent  bool
	left  bool // who read is gone
}

func (f *fileWriter) Write(b []byte) (int, error) {
	if !f.sent && f.held.Len()+len(b) <= wholeFile {
		return f.held.Write(b)
	}
	if !f.sent {
		if err := f.begin(); err != nil {
			return 0, err
		}
		f.sent = true
		_, err := f.w.Write(f.held.Bytes())
		f.held = bytes.Buffer{}
		if err != nil {
			f.left = true
			return 0, err
		}
	}
	n, err := f.w.Write(b)
	f.left = f.left || err != nil
	return n, err
}

// patientSource gives each page of a file its own time: the whole may take longer
// than an answer does, and ends when its reader leaves.
type patientSource struct{ Store }

func (p patientSource) Search(ctx context.Context, q essaim.Query) (essaim.Results, error) {
	ctx, stop, err := oneRead(ctx)
	if err != nil {
		return essaim.Results{}, err
	}
	defer stop()
	return p.Store.Search(ctx, q)
}

func (p patientSource) Document(ctx context.Context, id string) ([]byte, error) {
	ctx, stop, err := oneRead(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	return p.Store.Document(ctx, id)
}

func (p patientSource) Addresses(ctx context.Context, origin string, from int64, n int) ([]essaim.Address, error) {
	ctx, stop, err := oneRead(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	return p.Store.Addresses(ctx, origin, from, n)
}

func oneRead(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if err := ctx.Err(); errors.Is(err, context.Canceled) {
		return nil, nil, err
	}
	one, stop := context.WithTimeout(context.WithoutCancel(ctx), filePage)
	return one, stop, nil
}

// filesOut counts the files that are sent while they are written, so that slow readers cannot
// hold the node.
type filesOut struct {
	mu  sync.Mutex
	by  map[netip.Prefix]int
	all int
}

func (f *filesOut) take(from netip.Prefix) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all >= maxFiles || f.by[from] >= maxFilesOne {
		return false
	}
	if f.by == nil {
		f.by = map[netip.Prefix]int{}
	}
	f.by[from]++
	f.all++
	return true
}

func (f *filesOut) give(from netip.Prefix) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all--
	if f.by[from]--; f.by[from] <= 0 {
		delete(f.by, from)
	}
}
