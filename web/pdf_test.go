// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

// pdfOf gets a booklet as a file.
func (s *site) pdfOf(t *testing.T, path string) []byte {
	t.Helper()
	resp := s.ask(http.MethodGet, path, "")
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/pdf" || !bytes.HasPrefix(b, []byte("%PDF-")) {
		t.Fatalf("%s answers %d, %s, %.300s (%v)", path, resp.StatusCode, resp.Header.Get("Content-Type"), b, err)
	}
	return b
}

// pdfText is what Poppler, a reader by others, finds in a PDF, page by page.
func pdfText(t *testing.T, b []byte) []string {
	t.Helper()
	if _, err := exec.LookPath("pdftotext"); err != nil {
		t.Fatal("no pdftotext: tools/ensure.sh installs it")
	}
	name := filepath.Join(t.TempDir(), "recueil.pdf")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "pdftotext", "-enc", "UTF-8", name, "-").CombinedOutput()
	if err != nil {
		t.Fatalf("pdftotext: %v: %s", err, out)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\f"), "\f")
}

func TestBookletFileSaysWhatItsPageSays(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	const query = "?origin=local&titre=L%27%C3%A9t%C3%A9+%C3%A0+Brest"
	pages := pdfText(t, s.pdfOf(t, "/recueil.pdf"+query))
	if len(pages) < 2+len(essaim.Kinds()) {
		t.Fatalf("%d pages", len(pages))
	}
	if cover := plain(pages[0]); !strings.Contains(cover, "L'été à Brest") || !strings.Contains(cover, "6 fiches") || !strings.Contains(cover, "CC BY-SA 4.0 (6)") || !strings.Contains(cover, "https://brest.example/recueil?origin=local") || !strings.Contains(cover, "se lit avec une synthèse vocale") {
		t.Errorf("the cover says %s", cover)
	}
	whole := plain(strings.Join(pages, " "))
	for kind, rec := range s.records {
		if !strings.Contains(plain(pages[1]), rec.Title) {
			t.Errorf("%s: not in the contents: %s", kind, plain(pages[1]))
		}
		sh := s.locales["fr"].sheet(rec)
		want := []string{rec.Title, rec.URL, "quarante foyers", "CC BY-SA 4.0"}
		for _, f := range sh.Facts {
			want = append(want, append(f.Values, f.Name+" :")...)
		}
		for _, part := range sh.Parts {
			want = append(append(want, part.Title), part.Items...)
			for _, step := range part.Steps {
				want = append(want, step.Name)
			}
		}
		for _, w := range want {
			// Where a line ends inside a word of an address nothing says so.
			if !strings.Contains(strings.ReplaceAll(whole, " ", ""), strings.ReplaceAll(plain(w), " ", "")) {
				t.Errorf("%s: the file does not say %q", kind, w)
			}
		}
	}
	if strings.Contains(whole, "Voisine") {
		t.Error("the file names a person who has not agreed")
	}
}

func TestBookletFileIsTheSameForTheSameDay(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	first := s.pdfOf(t, "/recueil.pdf?q=table")
	s.clock.Move(time.Minute)
	if !bytes.Equal(first, s.pdfOf(t, "/recueil.pdf?q=table")) {
		t.Error("the same booklet is another file a minute later")
	}
	resp := s.ask(http.MethodGet, "/recueil.pdf?q=table", "")
	again := s.ask(http.MethodGet, "/recueil.pdf?q=table", "", header("If-None-Match", resp.Header.Get("ETag")))
	if again.StatusCode != http.StatusNotModified {
		t.Errorf("what did not change is sent again: %d", again.StatusCode)
	}
}

// Long words, letters that no font here has, directions, nested lists and very
// long texts: the file is made, soon, and nothing runs out of the page.
func TestBookletFileTakesAnyText(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	hard := []string{
		strings.Repeat("Anticonstitutionnellement", 40), "Привет 你好 🌱 \u202egauche\u202c é", "# Titre\n\n> citation\n\n1. un\n   - deux\n     - trois\n2. quatre\n\n***",
		strings.Repeat("> ", 60) + "tout au fond " + strings.Repeat("de la citation ", 30), "1. un\n\nEntre deux.\n\n7. sept",
		"[lien](https://exemple.example/" + strings.Repeat("a", 300) + ")", strings.Repeat("Un mot après l’autre. ", 1000),
	}
	for i, text := range hard {
		storetest.Publish(t, s.store, storetest.Initiative(fmt.Sprint("Texte difficile ", i), func(c *essaim.Content) { c.Text = text }))
	}
	begun := time.Now()
	pages := pdfText(t, s.pdfOf(t, "/recueil.pdf"))
	if d := time.Since(begun); d > 20*time.Second {
		t.Errorf("it took %s", d)
	}
	whole := plain(strings.Join(pages, " "))
	if strings.Count(whole, "Un mot après l'autre.") < 950 || !strings.Contains(whole, "quatre") || strings.Count(whole, "de la citation") != 30 {
		t.Error("words are missing")
	}
	if !strings.Contains(whole, "7. sept") {
		t.Error("a list that begins at seven is counted from one")
	}
}

// slowReader takes nothing of an answer until it is let.
type slowReader struct {
	*httptest.ResponseRecorder
	begun chan<- struct{}
	let   <-chan struct{}
}

func (s slowReader) Write(b []byte) (int, error) {
	s.begun <- struct{}{}
	<-s.let
	return s.ResponseRecorder.Write(b)
}

func TestWhoReadsABookletSlowlyHoldsUpNobody(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	begun, let := make(chan struct{}), make(chan struct{})
	var readers sync.WaitGroup
	for i := range bookletAtOnce {
		readers.Go(func() {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, storetest.Base+"/recueil.pdf?q=table", nil)
			r.RemoteAddr = fmt.Sprintf("198.51.100.%d:1", i)
			s.ServeHTTP(slowReader{httptest.NewRecorder(), begun, let}, r)
		})
		<-begun
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	resp := s.ask(http.MethodGet, "/recueil.pdf?q=table", "", func(r *http.Request) { *r = *r.WithContext(ctx) })
	close(let)
	readers.Wait()
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Accept-Ranges") != "" {
		t.Errorf("behind slow readers: %d, in parts of %q", resp.StatusCode, resp.Header.Get("Accept-Ranges"))
	}
}

// held is a database whose searches wait until they are let, and say what they look for.
type held struct {
	Store
	began chan string
	let   chan struct{}
}

func (h held) Search(ctx context.Context, q essaim.Query) (essaim.Results, error) {
	h.began <- q.Text
	<-h.let
	return h.Store.Search(ctx, q)
}

func TestOneReaderHasOneBookletMadeAtATime(t *testing.T) {
	t.Parallel()
	h := held{began: make(chan string), let: make(chan struct{})}
	s := newSite(t, storetest.SQLite(t), func(c *Config) { h.Store = c.Store; c.Store = h })
	var readers sync.WaitGroup
	ask := func(words, from string) {
		readers.Go(func() {
			s.ask(http.MethodGet, "/recueil.pdf?q="+words, "", func(r *http.Request) { r.RemoteAddr = from + ":1" })
		})
	}
	greedy := func() int {
		s.prints.mu.Lock()
		defer s.prints.mu.Unlock()
		if own := s.prints.by["198.51.100.1/32"]; own != nil {
			return own.asked
		}
		return 0
	}
	ask("avide", "198.51.100.1")
	if got := <-h.began; got != "avide" {
		t.Fatal(got)
	}
	ask("avide", "198.51.100.1")
	for greedy() < 2 {
		runtime.Gosched()
	}
	ask("autre", "198.51.100.2")
	if got := <-h.began; got != "autre" {
		t.Errorf("the second place is taken by %q", got)
	}
	close(h.let)
	<-h.began
	readers.Wait()
	if greedy() != 0 {
		t.Error("turns that are over are kept")
	}
}

// The day of a file is that of the territory, which its cover says too.
func TestBookletFileIsOfTheDayOfItsCover(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	l, zone := s.locales["fr"], s.locales["fr"].zone
	p := &BookletPage{Base: Base{Now: time.Date(2026, 7, 24, 0, 30, 0, 0, zone)}}
	b, err := s.bookletPDF(l, p)
	if err != nil || !bytes.Contains(b, []byte("(D:20260724000000")) {
		_, made, _ := bytes.Cut(b, []byte("/CreationDate"))
		t.Errorf("made %v: %.300s", err, made)
	}
}
