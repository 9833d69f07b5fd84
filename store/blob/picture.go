// SPDX-License-Identifier: AGPL-3.0-or-later

package blob

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"

	"essaim"
)

// Limits on a picture that comes from elsewhere.
const (
	// MaxPicture is its size as it comes, in bytes.
	MaxPicture = 2 << 20
	// maxPixels is read from its header: a few bytes can stand for gigabytes.
	maxPixels = 1 << 22
	// maxScans of a progressive JPEG: each walks over all pixels.
	maxScans = 64
	maxSide  = 8192
	// portrait is the side of the square that is kept.
	portrait = 192
)

// Picture is a picture written by us.
type Picture struct {
	Bytes []byte
	ext   string
}

// format is what a picture may come as, told by its first bytes: what its sender
// calls it does not count.
type format struct {
	magic  string // '?' stands for any byte
	config func([]byte) (image.Config, error)
	decode func([]byte) (image.Image, error)
}

var formats = []format{
	{"\xff\xd8\xff", of(jpeg.DecodeConfig), of(jpeg.Decode)},
	{"\x89PNG\r\n\x1a\n", of(png.DecodeConfig), of(png.Decode)},
	{"GIF8?a", of(gif.DecodeConfig), of(gif.Decode)}, // its first frame
	{"RIFF????WEBP", webpConfig, of(webp.Decode)},
}

func of[T any](f func(io.Reader) (T, error)) func([]byte) (T, error) {
	return func(b []byte) (T, error) { return f(bytes.NewReader(b)) }
}

// Portrait makes a small square of a picture that came from elsewhere: JPEG, PNG,
// GIF or WebP. Nothing of what came but its pixels is in it. Errors wrap
// essaim.ErrInvalid.
func Portrait(raw []byte) (Picture, error) {
	if len(raw) > MaxPicture {
		return Picture{}, fmt.Errorf("picture of %d bytes: %w", len(raw), essaim.ErrInvalid)
	}
	for _, f := range formats {
		if !begins(raw, f.magic) {
			continue
		}
		if begins(raw, "\xff\xd8") && bytes.Count(raw, []byte{0xff, 0xda}) > maxScans {
			return Picture{}, fmt.Errorf("picture of too many scans: %w", essaim.ErrInvalid)
		}
		c, err := f.config(raw)
		if err != nil {
			return Picture{}, fmt.Errorf("picture: %w: %w", essaim.ErrInvalid, err)
		}
		if c.Width < 1 || c.Height < 1 || c.Width > maxSide || c.Height > maxSide || c.Width*c.Height > maxPixels {
			return Picture{}, fmt.Errorf("picture of %d × %d: %w", c.Width, c.Height, essaim.ErrInvalid)
		}
		img, err := f.decode(raw)
		if err != nil {
			return Picture{}, fmt.Errorf("picture: %w: %w", essaim.ErrInvalid, err)
		}
		return square(img)
	}
	return Picture{}, fmt.Errorf("no picture of a known format: %w", essaim.ErrInvalid)
}

func begins(b []byte, magic string) bool {
	if len(b) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '?' && b[i] != magic[i] {
			return false
		}
	}
	return true
}

// square takes the middle of a picture and writes it: as PNG when one sees
// through it, else as JPEG.
func square(img image.Image) (Picture, error) {
	b := img.Bounds()
	side := min(b.Dx(), b.Dy())
	if side < 1 {
		return Picture{}, fmt.Errorf("picture without pixels: %w", essaim.ErrInvalid)
	}
	from := image.Rect(0, 0, side, side).Add(b.Min).Add(image.Pt((b.Dx()-side)/2, (b.Dy()-side)/2))
	to := min(side, portrait)
	out := image.NewNRGBA(image.Rect(0, 0, to, to))
	draw.ApproxBiLinear.Scale(out, out.Bounds(), img, from, draw.Src, nil)
	var buf bytes.Buffer
	if !out.Opaque() {
		err := png.Encode(&buf, out)
		return Picture{buf.Bytes(), "png"}, err
	}
	err := jpeg.Encode(&buf, out, &jpeg.Options{Quality: 85})
	return Picture{buf.Bytes(), "jpg"}, err
}

// webpConfig is the largest size that any part of a WebP file claims: the
// library believes the header of the extended format, and then decodes a frame
// that may be larger.
func webpConfig(raw []byte) (image.Config, error) {
	c, err := webp.DecodeConfig(bytes.NewReader(raw))
	if err != nil {
		return c, err
	}
	for at := 12; at+8 <= len(raw); {
		kind, size := string(raw[at:at+4]), int(binary.LittleEndian.Uint32(raw[at+4:at+8]))
		body := raw[at+8:]
		switch {
		case kind == "VP8 " && len(body) >= 10:
			c.Width = max(c.Width, int(binary.LittleEndian.Uint16(body[6:])&0x3fff))
			c.Height = max(c.Height, int(binary.LittleEndian.Uint16(body[8:])&0x3fff))
		case kind == "VP8L" && len(body) >= 5:
			bits := binary.LittleEndian.Uint32(body[1:])
			c.Width = max(c.Width, int(bits&0x3fff)+1)
			c.Height = max(c.Height, int(bits>>14&0x3fff)+1)
		}
		if size < 0 || size > len(body) {
			break
		}
		at += 8 + size + size&1
	}
	return c, nil
}
