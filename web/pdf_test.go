// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
	if whole := plain(strings.Join(pages, " ")); strings.Count(whole, "Un mot après l'autre.") < 950 || !strings.Contains(whole, "quatre") {
		t.Error("words are missing")
	}
}
