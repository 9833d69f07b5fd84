// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"embed"
	"fmt"
	"strings"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/norm"
)

// The fonts of the site as whole files, for what is drawn here: browsers take
// the smaller ones of static.
//
//go:embed fonts
var fontFiles embed.FS

// typeface is a font with its file.
type typeface struct {
	file []byte
	font *sfnt.Font
}

// typefaces are those of PDFs and of pictures for previews.
type typefaces struct{ text, bold, italic, title typeface }

func loadFonts() (*typefaces, error) {
	var t typefaces
	for name, face := range map[string]*typeface{
		"atkinson-400": &t.text, "atkinson-700": &t.bold, "atkinson-400-italic": &t.italic, "bricolage-700": &t.title,
	} {
		var err error
		if face.file, err = fontFiles.ReadFile("fonts/" + name + ".ttf"); err == nil {
			face.font, err = sfnt.Parse(face.file)
		}
		if err != nil {
			return nil, fmt.Errorf("font %s: %w", name, err)
		}
	}
	return &t, nil
}

// spaces that the fonts lack, as ones that they have.
var plainSpaces = strings.NewReplacer("\u202f", "\u00a0", "\u2009", "\u00a0", "\u2011", "-", "\t", " ", "\r", "")

// drawn is a text with what the face can show: without control and direction
// marks and pictographs, and with a question mark for a letter that it lacks.
func (t typeface) drawn(text string) string {
	var buf sfnt.Buffer
	return strings.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		// Above the basic plane are pictographs and scripts that no font here has.
		if r < ' ' || r > 0xffff || r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2060 && r <= 0x206f || r >= 0xfe00 && r <= 0xfe0f {
			return -1
		}
		if i, err := t.font.GlyphIndex(&buf, r); err != nil || i == 0 {
			return '?'
		}
		return r
	}, plainSpaces.Replace(norm.NFC.String(text)))
}
