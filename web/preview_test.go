// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"bytes"
	"image/png"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/image/font"

	"essaim"
	"essaim/store/storetest"
)

// shared is the address of the picture that a link to a page shows.
func (d *doc) shared(t *testing.T) string {
	t.Helper()
	m := d.with("meta", "property", "og:image")
	if len(m) != 1 {
		t.Fatalf("%d pictures for previews", len(m))
	}
	if alt := d.with("meta", "property", "og:image:alt"); len(alt) != 1 || value(alt[0], "content") == "" {
		t.Error("a picture without its text")
	}
	if c := d.with("meta", "name", "twitter:card"); len(c) != 1 || value(c[0], "content") != "summary_large_image" {
		t.Error("no twitter:card")
	}
	return strings.TrimPrefix(value(m[0], "content"), storetest.Base)
}

func TestEveryPageThatMayBeSharedHasAPicture(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	paths := []string{"/", "/recherche", "/initiatives", "/territoires", "/ailleurs/toulouse.example/complet-recipe"}
	for _, rec := range s.records {
		paths = append(paths, recordPath(rec))
	}
	for _, path := range paths {
		picture := s.get(t, path, http.StatusOK).shared(t)
		resp := s.ask(http.MethodGet, picture, "")
		b, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "image/png" || !strings.Contains(resp.Header.Get("Cache-Control"), "max-age=604800") {
			t.Fatalf("%s: %s answers %d, %v", path, picture, resp.StatusCode, resp.Header)
		}
		img, err := png.Decode(bytes.NewReader(b))
		if err != nil || img.Bounds().Dx() != 1200 || img.Bounds().Dy() != 630 {
			t.Errorf("%s: %v, %v", picture, img.Bounds(), err)
		}
		if len(b) > 300_000 {
			t.Errorf("%s weighs %d bytes", picture, len(b))
		}
		if again := s.ask(http.MethodGet, picture, "", header("If-None-Match", resp.Header.Get("ETag"))); again.StatusCode != http.StatusNotModified {
			t.Errorf("%s is sent again: %d", picture, again.StatusCode)
		}
	}
	if resp := s.ask(http.MethodGet, previewFile(s.draft), ""); resp.StatusCode != http.StatusNotFound {
		t.Errorf("the picture of a draft answers %d", resp.StatusCode)
	}
	if resp := s.ask(http.MethodGet, previewPath+"ailleurs//complet-recipe.png", ""); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a picture of nowhere answers %d", resp.StatusCode)
	}
}

func TestAPictureChangesWithWhatItSays(t *testing.T) {
	t.Parallel()
	p := preview{Kind: essaim.KindRecipe, Label: "Recette", Title: "La soupe", Territory: "Brest", Theme: "Alimentation"}
	seen := map[pageDigest]bool{p.digest(): true}
	for _, change := range []func(*preview){
		func(p *preview) { p.Kind = essaim.KindVenue }, func(p *preview) { p.Title = "Le pain" }, func(p *preview) { p.Territory = "Toulouse" },
		func(p *preview) { p.Theme = "" }, func(p *preview) { p.Label = "Recipe" }, func(p *preview) { p.Form++ },
	} {
		q := p
		change(&q)
		if seen[q.digest()] {
			t.Errorf("%+v has the address of another", q)
		}
		seen[q.digest()] = true
	}
}

func TestTitlesOfAnyLengthFitTheirPicture(t *testing.T) {
	t.Parallel()
	fonts, err := loadFonts()
	if err != nil {
		t.Fatal(err)
	}
	titles := []string{
		"", "A", "Le jardin partagé du Landais", strings.Repeat("Une longue phrase ", 8), strings.Repeat("Anticonstitutionnellement", 30), strings.Repeat("w", 500),
		strings.Repeat("é ", 500), "Привет, 你好 🌱🌱🌱 \u202eomi\u202c", strings.Repeat("un titre très long qui ne finit pas ", 30), "   \n\t ", "Café : « l’été » !",
	}
	for _, title := range titles {
		lines, size, err := fonts.title.fit(title)
		if err != nil {
			t.Fatal(err)
		}
		face, err := fonts.title.face(size)
		if err != nil {
			t.Fatal(err)
		}
		if len(lines)*lineHeight(size) > previewBox {
			t.Errorf("%.40q: %d lines of %d pixels", title, len(lines), size)
		}
		for _, line := range lines {
			if w := font.MeasureString(face, line).Ceil(); w > previewColumn {
				t.Errorf("%.40q: a line of %d pixels", title, w)
			}
		}
		if len(title) > 700 && !strings.HasSuffix(lines[len(lines)-1], "…") {
			t.Errorf("%.40q is cut without saying so: %q", title, lines)
		}
		b, err := fonts.drawPreview(preview{Title: title, Territory: title, Theme: title, Label: title})
		if err != nil {
			t.Fatal(err)
		}
		if c, err := png.DecodeConfig(bytes.NewReader(b)); err != nil || c.Width != previewWidth || c.Height != previewHeight {
			t.Errorf("%.40q: %+v, %v", title, c, err)
		}
	}
}
