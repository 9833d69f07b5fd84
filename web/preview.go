// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"

	"essaim"
)

// A picture for previews is as large as those who show links ask for (OpenGraph,
// Twitter cards: 1.91 to 1).
const (
	previewWidth  = 1200
	previewHeight = 630
	previewPath   = "/cartes/"
	previewHome   = previewPath + "accueil.png"
	// previewForm names the drawing: whoever changes it raises it.
	previewForm = 1
	// previewsAtOnce are drawn at the same time, a few megabytes each.
	previewsAtOnce = 2
)

// preview is what a picture says of a page that has none of its own.
type preview struct {
	Form      int
	Kind      essaim.Kind // its colour; none for the home page
	Label     string
	Title     string
	Territory string
	Theme     string
}

// previewOf is a record's, in its own language.
func (s *Server) previewOf(rec essaim.Record) preview {
	l := s.locales[defaultLanguage]
	if own, ok := s.locales[rec.Language]; ok {
		l = own
	}
	p := preview{Form: previewForm, Kind: rec.Kind, Label: l.T("kind." + string(rec.Kind)), Title: typo(rec.Title, rec.Language), Territory: rec.TerritoryName}
	if len(rec.Themes) > 0 {
		p.Theme = l.theme(rec.Themes[0])
	}
	return p
}

// homePreview is the home page's, and that of every page without another.
func (s *Server) homePreview() preview {
	t := s.cfg.Node.Territory
	return preview{Form: previewForm, Label: s.locales[defaultLanguage].T("site.tagline"), Title: t.Name, Territory: s.host}
}

// digest names what a picture shows.
func (p preview) digest() (d pageDigest) {
	b, _ := json.Marshal(p) // strings and a number: it always can
	h := sha256.New()
	h.Write([]byte("preview "))
	h.Write(b)
	h.Sum(d[:0])
	return d
}

// address is where the picture is, with its digest: what changes has another.
func (s *Server) previewAddress(path string, p preview) string {
	d := p.digest()
	return s.abs(path) + "?v=" + hex.EncodeToString(d[:6])
}

// previewFile is the path of a record's picture.
func previewFile(rec essaim.Record) string {
	return previewPath + strings.TrimPrefix(recordPath(rec), "/") + ".png"
}

// alt is the text of the picture, all of it.
func (p preview) alt() string {
	said := []string{p.Label, p.Title, p.Theme, p.Territory}
	return strings.Join(slices.DeleteFunc(said, func(s string) bool { return s == "" }), " · ")
}

func (s *Server) showHomePreview(w http.ResponseWriter, r *http.Request) error {
	return s.servePreview(w, r, s.homePreview())
}

// showPreview draws the picture of a published record of a kind, or of one of
// elsewhere.
func (s *Server) showPreview(k essaim.Kind) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		rec, err := s.visibleRecord(r, k, chi.URLParam(r, "host"), chi.URLParam(r, "slug"))
		if err != nil {
			return err
		}
		if rec.State != essaim.StatePublished || k == "" && rec.Origin == "" {
			return errPageNotFound
		}
		return s.servePreview(w, r, s.previewOf(rec))
	}
}

// servePreview gives a picture, drawn now unless it is kept.
func (s *Server) servePreview(w http.ResponseWriter, r *http.Request, p preview) error {
	d := p.digest()
	etag := `"` + hex.EncodeToString(d[:6]) + `"`
	h := w.Header()
	h.Set("Content-Type", "image/png")
	h.Set("ETag", etag)
	h.Set("Cache-Control", "public, max-age=300")
	if `"`+r.URL.Query().Get("v")+`"` == etag {
		h.Set("Cache-Control", "public, max-age=604800")
	}
	made, ok := s.kept.get(d)
	if !ok {
		select {
		case s.drawing <- struct{}{}:
		case <-r.Context().Done():
			return fmt.Errorf("preview: %w", r.Context().Err())
		}
		body, err := s.fonts.drawPreview(p)
		<-s.drawing
		if err != nil {
			return fmt.Errorf("preview: %w", err)
		}
		made = keptPage{body: body, etag: etag}
		s.kept.put(d, made)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(made.body))
	return nil
}

// Measures of a picture, in pixels.
const (
	previewMargin = 80
	previewColumn = 900 // of the title
	previewBox    = 300 // its height
)

// drawPreview draws what a link to a page shows.
func (t *typefaces) drawPreview(p preview) ([]byte, error) {
	back := brandDeep
	if p.Kind != "" {
		back = kindColor(p.Kind)
	}
	img := image.NewRGBA(image.Rect(0, 0, previewWidth, previewHeight))
	draw.Draw(img, img.Bounds(), image.NewUniform(back.opaque()), image.Point{}, draw.Src)
	swarm(img)
	white, pale := color.RGBA{0xff, 0xff, 0xff, 0xff}, color.RGBA{0xf2, 0xf2, 0xf2, 0xff}
	label := t.bold.oneLine(p.Label, 34, previewColumn)
	if err := t.bold.write(img, label, 34, previewMargin, 120, pale); err != nil {
		return nil, err
	}
	lines, size, err := t.title.fit(p.Title)
	if err != nil {
		return nil, err
	}
	y := 120 + 40 + size
	for _, line := range lines {
		if err := t.title.write(img, line, size, previewMargin, y, white); err != nil {
			return nil, err
		}
		y += lineHeight(size)
	}
	hexagon(img, previewMargin+20, 545, 24, honeyColor.opaque())
	if err := t.bold.write(img, t.bold.oneLine(p.Territory, 38, 440), 38, previewMargin+62, 558, white); err != nil {
		return nil, err
	}
	theme := t.text.oneLine(p.Theme, 30, 500)
	at := previewWidth - previewMargin - t.text.width(theme, 30)
	if err := t.text.write(img, theme, 30, at, 557, pale); err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestSpeed}
	err = enc.Encode(&buf, img)
	return buf.Bytes(), err
}

// brandDeep is the hero's colour.
var brandDeep = rgb{0x08, 0x3f, 0x33}

func (c rgb) opaque() color.RGBA { return color.RGBA{uint8(c.r), uint8(c.g), uint8(c.b), 0xff} }

// swarm draws cells at the right, faint enough for a title to run over them.
func swarm(img draw.Image) {
	faint := color.RGBA{0x16, 0x16, 0x16, 0x16} // white, premultiplied
	for _, c := range [][3]float64{{1075, 120, 120}, {1190, 330, 90}, {960, 300, 56}, {1095, 440, 64}, {880, 90, 34}} {
		hexagon(img, c[0], c[1], c[2], faint)
	}
}

// hexagon fills one with a point up.
func hexagon(img draw.Image, x, y, radius float64, c color.Color) {
	z := vector.NewRasterizer(previewWidth, previewHeight)
	for i := range 6 {
		a := math.Pi/6 + float64(i)*math.Pi/3
		px, py := float32(x+radius*math.Cos(a)), float32(y+radius*math.Sin(a))
		if i == 0 {
			z.MoveTo(px, py)
		} else {
			z.LineTo(px, py)
		}
	}
	z.ClosePath()
	z.Draw(img, img.Bounds(), image.NewUniform(c), image.Point{})
}

// fit breaks a title into lines of the largest size at which all of it stands in
// its box; one that is too long for the smallest is cut.
func (t typeface) fit(title string) (lines []string, size int, err error) {
	words := t.drawn(strings.Join(strings.Fields(title), " "))
	if r := []rune(words); len(r) > 400 { // no more fits
		words = string(r[:400])
	}
	for _, size = range []int{84, 72, 62, 54, 46} {
		lines, err = t.wrap(words, size)
		if err != nil || len(lines)*lineHeight(size) <= previewBox {
			return lines, size, err
		}
	}
	lines = lines[:previewBox/lineHeight(size)]
	last := len(lines) - 1
	lines[last] = t.oneLine(lines[last]+" …", size, previewColumn)
	if !strings.HasSuffix(lines[last], "…") {
		lines[last] += "…"
	}
	return lines, size, nil
}

func lineHeight(size int) int { return size * 115 / 100 }

// wrap breaks a text at spaces, and a word wider than the column where it ends.
func (t typeface) wrap(text string, size int) ([]string, error) {
	face, err := t.face(size)
	if err != nil {
		return nil, err
	}
	var lines []string
	line := ""
	for _, word := range strings.Split(text, " ") {
		if joined := strings.TrimPrefix(line+" "+word, " "); font.MeasureString(face, joined).Ceil() <= previewColumn {
			line = joined
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for line = word; font.MeasureString(face, line).Ceil() > previewColumn; {
			head := cutTo(face, line, previewColumn)
			lines, line = append(lines, head), line[len(head):]
		}
	}
	return append(lines, line), nil
}

// cutTo is the beginning of a text that is no wider than so many pixels, of one
// letter at least.
func cutTo(face font.Face, text string, width int) string {
	end := 0
	var at fixed.Int26_6
	for i, r := range text {
		advance, _ := face.GlyphAdvance(r)
		if at += advance; at.Ceil() > width && i > 0 {
			break
		}
		end = i + len(string(r))
	}
	return text[:end]
}

// oneLine cuts a text to a width, with an ellipsis where it was longer.
func (t typeface) oneLine(text string, size, width int) string {
	text = strings.ReplaceAll(t.drawn(text), "\n", " ")
	face, err := t.face(size)
	if err != nil || font.MeasureString(face, text).Ceil() <= width {
		return text
	}
	return strings.TrimRight(cutTo(face, text, width-font.MeasureString(face, "…").Ceil()-2), " ") + "…"
}

func (t typeface) width(text string, size int) int {
	face, err := t.face(size)
	if err != nil {
		return 0
	}
	return font.MeasureString(face, text).Ceil()
}

func (t typeface) write(img draw.Image, text string, size, x, y int, c color.Color) error {
	face, err := t.face(size)
	if err != nil {
		return err
	}
	d := font.Drawer{Dst: img, Src: image.NewUniform(c), Face: face, Dot: fixed.P(x, y)}
	d.DrawString(text)
	return nil
}

// face is the font at a size in pixels; it is for one goroutine.
func (t typeface) face(size int) (font.Face, error) {
	return opentype.NewFace(t.font, &opentype.FaceOptions{Size: float64(size), DPI: 72, Hinting: font.HintingNone})
}

// illustrate gives a page without a picture of its own one that is drawn.
func (s *Server) illustrate(b *Base) {
	if b.Image == "" && !b.NoIndex {
		p := s.homePreview()
		b.Image, b.ImageAlt, b.Drawn = s.previewAddress(previewHome, p), p.alt(), true
	}
}
