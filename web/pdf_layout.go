// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"strings"

	"codeberg.org/go-pdf/fpdf"
)

// Measures of a page, in millimetres.
const (
	pageWidth, pageHeight = 210.0, 297.0
	marginSide            = 20.0
	marginTop             = 18.0
	marginBottom          = 22.0
	pointSize             = 25.4 / 72
)

// rgb is a colour of the style sheet's light palette.
type rgb struct{ r, g, b int }

// paper is a PDF with a place on its current page. It lays out text itself: the
// library's own paragraphs take a time that grows with the square of their length.
type paper struct {
	pdf   *fpdf.Fpdf
	fonts *typefaces
	left  float64
	y     float64
}

// style is how a paragraph looks: sizes in points, spaces in millimetres.
type style struct {
	family  string // "Text" or "Title"
	size    float64
	bold    bool
	color   rgb
	leading float64 // of the size; 1.4 when zero
	after   float64
	right   float64 // kept free at the right
}

// run is words of one look.
type run struct {
	text         string
	bold, italic bool
	link         string // address
	page         int    // link of the document
}

// word is what a line is filled with; glued to the one before it when no space
// stands between.
type word struct {
	run
	width float64
	space float64 // before it
	brk   bool    // begins a line
}

// setFont chooses the face of a run and gives it.
func (p *paper) setFont(st style, r run) typeface {
	variant, face := "", p.fonts.text
	switch {
	case st.family == "Title":
		variant, face = "B", p.fonts.title
	case st.bold || r.bold:
		variant, face = "B", p.fonts.bold
	case r.italic:
		variant, face = "I", p.fonts.italic
	}
	p.pdf.SetFont(st.family, variant, st.size)
	return face
}

// words cuts runs at spaces and ends of lines. A word wider than the line is cut
// where the line ends.
func (p *paper) words(runs []run, st style, width float64) []word {
	var out []word
	pending, brk := 0.0, false
	for _, r := range runs {
		face := p.setFont(st, r)
		space := p.pdf.GetStringWidth(" ")
		for i, line := range strings.Split(face.drawn(r.text), "\n") {
			if i > 0 {
				pending, brk = 0, true
			}
			for j, text := range strings.Split(line, " ") {
				if j > 0 {
					pending = space
				}
				for text != "" {
					w := word{run: r, space: pending, brk: brk}
					text = p.fitted(&w, text, width)
					out, pending, brk = append(out, w), 0, false
				}
			}
		}
	}
	return out
}

// fitted gives a word as much of a text as fits a line, and gives the rest.
func (p *paper) fitted(w *word, text string, width float64) (rest string) {
	w.text, w.width = text, p.pdf.GetStringWidth(text)
	if w.width <= width {
		return ""
	}
	taken, end := 0.0, 0
	for i, r := range text {
		if taken += p.pdf.GetStringWidth(string(r)); taken > width && i > 0 {
			break
		}
		end = i + len(string(r))
	}
	w.text, w.width = text[:end], p.pdf.GetStringWidth(text[:end])
	return text[end:]
}

// flow writes a paragraph from the current place on, over as many lines and
// pages as it takes.
func (p *paper) flow(st style, runs ...run) {
	width := pageWidth - marginSide - st.right - p.left
	height := st.size * pointSize * orLeading(st.leading)
	var line []word
	used := 0.0
	for _, w := range p.words(runs, st, width) {
		if len(line) > 0 && (w.brk || used+w.space+w.width > width) {
			p.line(st, height, line)
			line, used = nil, 0
		}
		if len(line) == 0 {
			w.space = 0
		}
		line, used = append(line, w), used+w.space+w.width
	}
	if len(line) > 0 {
		p.line(st, height, line)
	}
	p.y += st.after
}

func orLeading(l float64) float64 {
	if l == 0 {
		return 1.4
	}
	return l
}

// line draws one line, on the next page when this one is full. Words of one look
// are drawn as one, so that they are found and copied with their spaces.
func (p *paper) line(st style, height float64, line []word) {
	p.room(height)
	x, base := p.left, p.y+height*0.75
	for i := 0; i < len(line); {
		w := line[i]
		text, width := w.text, w.width
		x += w.space
		for i++; i < len(line) && line[i].same(w.run); i++ {
			if line[i].space > 0 {
				text += " "
			}
			text += line[i].text
			width += line[i].space + line[i].width
		}
		p.setFont(st, w.run)
		p.pdf.SetTextColor(st.color.r, st.color.g, st.color.b)
		p.pdf.Text(x, base, text)
		if w.link != "" {
			p.pdf.LinkString(x, p.y, width, height, w.link)
		} else if w.page != 0 {
			p.pdf.Link(x, p.y, width, height, w.page)
		}
		x += width
		// A space before words of another look would not be found otherwise.
		if i < len(line) && line[i].space > 0 {
			p.pdf.Text(x, base, " ")
		}
	}
	p.y += height
}

func (r run) same(o run) bool {
	return r.bold == o.bold && r.italic == o.italic && r.link == o.link && r.page == o.page
}

// room begins a page when less than a height is left of this one.
func (p *paper) room(height float64) {
	if p.y+height > pageHeight-marginBottom {
		p.newPage()
	}
}

func (p *paper) newPage() {
	p.pdf.AddPage()
	p.y = marginTop
}

// rule draws a line across the text.
func (p *paper) rule(c rgb, width float64) {
	p.pdf.SetDrawColor(c.r, c.g, c.b)
	p.pdf.SetLineWidth(width)
	p.pdf.Line(p.left, p.y, pageWidth-marginSide, p.y)
}

// code draws the QR code of an address as a square of a side; false when the
// address is too long for one.
func (p *paper) code(address string, x, y, side float64) bool {
	q := newQR(address)
	if q == nil {
		return false
	}
	module := side / float64(q.code.Size+2*quiet)
	p.pdf.SetFillColor(0, 0, 0)
	q.runs(func(col, row, n int) {
		// A hair over the edge of each, so that no reader shows seams.
		p.pdf.Rect(x+float64(col+quiet)*module, y+float64(row+quiet)*module, float64(n)*module, module*1.02, "F")
	})
	return true
}
