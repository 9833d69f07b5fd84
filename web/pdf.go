// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"codeberg.org/go-pdf/fpdf"

	"essaim"
)

// The light palette, for paper.
var (
	inkColor   = rgb{0x21, 0x1d, 0x18}
	softColor  = rgb{0x59, 0x51, 0x45}
	lineColor  = rgb{0xe4, 0xda, 0xc8}
	brandColor = rgb{0x0c, 0x5a, 0x48}
	honeyColor = rgb{0xf5, 0xb9, 0x3f}
)

// kindColor is a kind's colour on paper; a newer kind has the brand's.
func kindColor(k essaim.Kind) rgb {
	switch k {
	case essaim.KindRecipe:
		return rgb{0x93, 0x3a, 0x0e}
	case essaim.KindVenue:
		return rgb{0x1c, 0x4c, 0x8c}
	case essaim.KindOrganisation:
		return rgb{0x65, 0x3b, 0x99}
	case essaim.KindMeeting:
		return rgb{0x9b, 0x1f, 0x4b}
	case essaim.KindRemake:
		return rgb{0x0f, 0x55, 0x60}
	}
	return brandColor
}

// showBookletPDF gives a booklet as a file. It is not had in parts: each would be drawn
// anew, and viewers ask for many.
func (s *Server) showBookletPDF(w http.ResponseWriter, r *http.Request) error {
	body, err := s.printBooklet(r)
	if err != nil || body == nil {
		return s.correctBooklet(w, r, err)
	}
	h := w.Header()
	h.Set("Content-Disposition", `inline; filename="recueil-`+essaim.Slug(s.cfg.Node.Territory.Name)+`.pdf"`)
	h.Set("Cache-Control", "public, no-cache")
	h.Add("Vary", "Accept-Language")
	answerFormat(w, r, "application/pdf", body, time.Time{})
	return nil
}

// printBooklet draws the booklet that an address asks for; nil when it is not
// understood. Two are drawn at a time, one of them for one reader, and none waits for
// who reads slowly.
func (s *Server) printBooklet(r *http.Request) ([]byte, error) {
	who, _ := s.limitKey(r)
	give, err := s.prints.take(r.Context(), who)
	if err != nil {
		return nil, fmt.Errorf("booklet: %w", err)
	}
	defer give()
	select {
	case s.printing <- struct{}{}:
		defer func() { <-s.printing }()
	case <-r.Context().Done():
		return nil, fmt.Errorf("booklet: %w", r.Context().Err())
	}
	p, err := s.booklet(r)
	if err != nil || p == nil {
		return nil, err
	}
	lang, _ := s.negotiate(r)
	s.fillBase(r, p.base(), lang)
	body, err := s.bookletPDF(s.locales[lang], p)
	if err != nil {
		return nil, fmt.Errorf("booklet: %w", err)
	}
	return body, nil
}

// bookletPDF draws a booklet: the same day and records give the same bytes. It has
// a title, a language, an outline and text that is found and copied; it is not
// tagged, for which the page is there.
func (s *Server) bookletPDF(l *locale, b *BookletPage) ([]byte, error) {
	pdf := fpdf.New("P", "mm", "A4", "")
	p := &paper{pdf: pdf, fonts: s.fonts, left: marginSide}
	pdf.SetCatalogSort(true)
	year, month, at := b.Now.In(l.zone).Date()
	day := time.Date(year, month, at, 0, 0, 0, 0, l.zone)
	pdf.SetCreationDate(day)
	pdf.SetModificationDate(day)
	pdf.SetLang(l.lang)
	pdf.SetTitle(b.Title, true)
	pdf.SetAuthor(b.Territory.Name, true)
	pdf.SetCreator("Essaim", true)
	pdf.SetAutoPageBreak(false, 0)
	pdf.SetCellMargin(0)
	pdf.AddUTF8FontFromBytes("Text", "", s.fonts.text.file)
	pdf.AddUTF8FontFromBytes("Text", "B", s.fonts.bold.file)
	pdf.AddUTF8FontFromBytes("Text", "I", s.fonts.italic.file)
	pdf.AddUTF8FontFromBytes("Title", "B", s.fonts.title.file)
	pdf.SetFooterFunc(func() {
		if pdf.PageNo() == 1 {
			return
		}
		p.setFont(footStyle, run{})
		pdf.SetTextColor(softColor.r, softColor.g, softColor.b)
		name := p.fonts.text.drawn(b.Territory.Name)
		pdf.Text(marginSide, pageHeight-12, name)
		n := strconv.Itoa(pdf.PageNo())
		pdf.Text(pageWidth-marginSide-pdf.GetStringWidth(n), pageHeight-12, n)
	})
	p.cover(l, b)
	links := make([]int, len(b.Sheets))
	for i := range links {
		links[i] = pdf.AddLink()
	}
	contents := p.reserve(l, b)
	pages := make([]int, len(b.Sheets))
	for i := range b.Sheets {
		p.newPage()
		pages[i] = pdf.PageNo()
		pdf.SetLink(links[i], 0, -1)
		p.sheet(l, &b.Sheets[i])
	}
	p.contents(l, b, contents, pages, links)
	var buf bytes.Buffer
	if err := pdf.Output(&buf); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// The type scale of paper.
var (
	coverStyle   = style{family: "Title", size: 32, color: inkColor, leading: 1.15, after: 5}
	headStyle    = style{family: "Title", size: 20, color: inkColor, leading: 1.15, after: 2}
	partStyle    = style{family: "Title", size: 12.5, color: inkColor, leading: 1.25, after: 0.8}
	ledeStyle    = style{family: "Text", size: 12, color: softColor, after: 3}
	bodyStyle    = style{family: "Text", size: 10.5, color: inkColor, leading: 1.45, after: 2}
	factStyle    = style{family: "Text", size: 9.5, color: inkColor, after: 0.6}
	smallStyle   = style{family: "Text", size: 9, color: softColor, after: 1}
	footStyle    = style{family: "Text", size: 8.5, color: softColor}
	contentStyle = style{family: "Text", size: 10.5, color: inkColor, leading: 1.5, right: 14}
)

// cover says whose booklet it is, of what and of when, under which licences, and
// where it is had again.
func (p *paper) cover(l *locale, b *BookletPage) {
	p.newPage()
	p.pdf.Bookmark(b.Title, 0, 0)
	p.rule(honeyColor, 1.5)
	p.y += 7
	brand := partStyle
	brand.color, brand.size = brandColor, 15
	p.flow(brand, run{text: b.Territory.Name})
	p.y = 85
	p.flow(coverStyle, run{text: typo(b.Title, l.lang)})
	if len(b.Chosen) > 0 {
		p.flow(ledeStyle, run{text: typo(strings.Join(b.Chosen, " · "), l.lang)})
	}
	p.flow(bodyStyle, run{text: l.N("list.count", len(b.Sheets)) + ", " + l.F("booklet.on", "Date", l.Date(b.Now))})
	switch {
	case b.Left > 0 && b.Capped:
		p.flow(bodyStyle, run{text: l.F("booklet.more_than", "Count", l.Number(b.Total))})
	case b.Left > 0:
		p.flow(bodyStyle, run{text: l.N("booklet.left", b.Left)})
	}
	p.y += 6
	names := make([]string, len(b.From))
	for i, c := range b.From {
		names[i] = c.Label + " (" + strconv.Itoa(c.N) + ")"
	}
	if len(names) > 0 {
		p.flow(factStyle, run{text: l.N("booklet.territories", len(names)) + l.T("print.colon"), bold: true}, run{text: strings.Join(names[:min(len(names), 40)], ", ")})
	}
	for i, lic := range b.Licences {
		label := ""
		if i == 0 {
			label = l.N("booklet.licences", len(b.Licences)) + l.T("print.colon")
		}
		p.flow(factStyle, run{text: label, bold: true}, run{text: lic.Name + " (" + strconv.Itoa(lic.N) + ")", link: lic.IRI})
	}
	p.where(l, b.Canonical, l.T("booklet.accessible"), pageHeight-marginBottom-30)
}

// where writes an address beside its code, at a height of the page, with a line to
// note under it.
func (p *paper) where(l *locale, address, note string, y float64) {
	const side = 30.0
	p.y = y
	left := p.left
	if p.code(address, p.left-quiet, p.y, side) {
		p.left += side
	}
	p.y += 4
	p.flow(smallStyle, run{text: l.T("print.read"), bold: true})
	p.flow(smallStyle, run{text: address, link: address})
	if note != "" {
		p.flow(smallStyle, run{text: note})
	}
	p.left = left
	p.y = max(p.y, y+side)
}

// contentsPerPage is how many lines of the table of contents a page takes, so that
// its pages can be set aside before those of the records are known.
const contentsPerPage = 42

// reserve begins the pages of the table of contents and gives the first.
func (p *paper) reserve(l *locale, b *BookletPage) int {
	if len(b.Sheets) == 0 {
		return 0
	}
	p.newPage()
	first := p.pdf.PageNo()
	p.pdf.Bookmark(l.T("booklet.contents"), 1, 0)
	for n := contentsPerPage; n < len(b.Sheets); n += contentsPerPage {
		p.newPage()
	}
	return first
}

// contents fills the table of contents, a line a record.
func (p *paper) contents(l *locale, b *BookletPage, first int, pages, links []int) {
	last := p.pdf.PageNo()
	for i := range b.Sheets {
		if i%contentsPerPage == 0 {
			p.pdf.SetPage(first + i/contentsPerPage)
			p.y = marginTop
			if i == 0 {
				p.flow(headStyle, run{text: l.T("booklet.contents")})
			}
		}
		rec := &b.Sheets[i].Record
		title := strconv.Itoa(i+1) + ". " + typo(rec.Title, rec.Language) + " · " + l.T("kind."+string(rec.Kind)) + " · " + rec.TerritoryName
		top := p.y
		p.flow(contentStyle, run{text: p.cut(contentStyle, title), page: links[i]})
		n := strconv.Itoa(pages[i])
		p.setFont(contentStyle, run{})
		p.pdf.Text(pageWidth-marginSide-p.pdf.GetStringWidth(n), top+(p.y-top)*0.75, n)
	}
	p.pdf.SetPage(last)
}

// cut shortens a text to one line.
func (p *paper) cut(st style, text string) string {
	face := p.setFont(st, run{})
	text = strings.ReplaceAll(face.drawn(text), "\n", " ")
	var w word
	width := pageWidth - marginSide - st.right - p.left
	if rest := p.fitted(&w, text, width-3); rest != "" {
		return strings.TrimSpace(w.text) + "…"
	}
	return text
}

// sheet draws a record from the top of a page.
func (p *paper) sheet(l *locale, sh *Sheet) {
	rec := &sh.Record
	lang := rec.Language
	color := kindColor(rec.Kind)
	title := typo(rec.Title, lang)
	p.pdf.Bookmark(p.fonts.text.drawn(title), 1, 0)
	p.rule(color, 1.2)
	p.y += 4
	kind := factStyle
	kind.color = color
	from := run{text: " · " + rec.TerritoryName}
	if sh.From.Life != "" {
		from.text += " · " + l.T("origin.short."+string(sh.From.Life))
	}
	p.flow(kind, run{text: l.T("kind." + string(rec.Kind)), bold: true}, from)
	p.flow(headStyle, run{text: title})
	if rec.Tagline != "" {
		p.flow(ledeStyle, run{text: typo(rec.Tagline, lang)})
	}
	for _, f := range sh.Facts {
		p.flow(factStyle, run{text: f.Name + l.T("print.colon"), bold: true}, run{text: typo(strings.Join(f.Values, " ; "), lang)})
	}
	p.y += 3
	for _, part := range sh.Parts {
		p.part(l, part, lang)
	}
	const foot = 36.0
	p.y += 3
	p.room(foot)
	p.rule(lineColor, 0.3)
	p.where(l, sh.Address, l.T("record.cite")+l.T("print.colon")+sh.Credit, p.y+2)
}

// part draws a heading and what stands under it.
func (p *paper) part(l *locale, part SheetPart, lang string) {
	if part.Title != "" {
		p.room(20) // a heading does not stand alone at the foot of a page
		p.y += 2
		p.flow(partStyle, run{text: typo(part.Title, l.lang)})
	}
	if part.Text != "" {
		p.rich(bodyStyle, part.Text, lang)
	}
	item := bodyStyle
	item.after = 0.8
	p.left += listIndent
	for _, text := range part.Items {
		p.marked(item, "•", []run{{text: typo(text, lang)}})
	}
	for i, step := range part.Steps {
		p.marked(item, strconv.Itoa(i+1)+".", []run{{text: typo(step.Name, lang), bold: true}})
		p.rich(bodyStyle, step.Content, lang)
		p.hint(l, "record.tip", step.Tip, lang)
		p.hint(l, "record.trap", step.Trap, lang)
	}
	p.left -= listIndent
}

// hint draws a tip or a trap: its name begins its text, unless that begins with a
// mark of its own, as a list does.
func (p *paper) hint(l *locale, key, text, lang string) {
	if strings.TrimSpace(text) == "" {
		return
	}
	label := l.T(key) + strings.TrimRight(l.T("print.colon"), " ")
	if first, _ := utf8.DecodeRuneInString(strings.TrimSpace(text)); unicode.IsLetter(first) {
		p.rich(bodyStyle, "**"+label+"** "+strings.TrimSpace(text), lang)
		return
	}
	p.flow(bodyStyle, run{text: label, bold: true})
	p.rich(bodyStyle, text, lang)
}
