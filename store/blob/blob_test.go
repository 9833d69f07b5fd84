// SPDX-License-Identifier: AGPL-3.0-or-later

package blob

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"strings"
	"testing"
	"time"

	"essaim"
)

func picture(w, h int, c color.Color) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		img.Set(i%w, i/w, c)
	}
	return img
}

func encoded(t testing.TB, f func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// bomb is a PNG whose header claims a size, with next to no data.
func bomb(w, h uint32) []byte {
	b := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
		body := append([]byte(kind), data...)
		b = append(b, body...)
		b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(body))
	}
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	chunk("IHDR", append(head, 8, 6, 0, 0, 0))
	chunk("IDAT", []byte{0x78, 0x9c, 0x63, 0, 0})
	return b
}

// extended is a WebP file of the extended format: its canvas is small, its frame
// claims w × h.
func extended(w, h uint16) []byte {
	frame := []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a}
	frame = binary.LittleEndian.AppendUint16(frame, w)
	frame = binary.LittleEndian.AppendUint16(frame, h)
	body := append([]byte("WEBPVP8X"), 10, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 9, 0, 0)
	body = append(body, "VP8 "...)
	body = binary.LittleEndian.AppendUint32(body, uint32(len(frame)))
	body = append(body, frame...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

// a one-pixel lossless WebP
var webpPixel = []byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00")

func TestPortraitsAreWrittenAnew(t *testing.T) {
	t.Parallel()
	red := color.NRGBA{200, 0, 0, 255}
	secret := []byte("GPS 48.39,-4.48")
	plain := encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, picture(640, 480, red), nil) })
	exif := append(append(append([]byte{}, plain[:2]...), append([]byte{0xff, 0xe1, 0, byte(len(secret) + 2)}, secret...)...), plain[2:]...)
	for name, c := range map[string]struct {
		raw  []byte
		typ  string
		side int
	}{
		"JPEG":                        {plain, "image/jpeg", portrait},
		"JPEG with EXIF":              {exif, "image/jpeg", portrait},
		"PNG":                         {encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, picture(300, 200, red)) }), "image/jpeg", portrait},
		"PNG, one sees through":       {encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, picture(50, 80, color.NRGBA{0, 0, 0, 9})) }), "image/png", 50},
		"GIF":                         {encoded(t, func(b *bytes.Buffer) error { return gif.Encode(b, picture(64, 64, red), nil) }), "image/jpeg", 64},
		"WebP":                        {webpPixel, "image/jpeg", 1},
		"PNG with a script behind it": {append(encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, picture(20, 20, red)) }), "<script>alert(1)</script>"...), "image/jpeg", 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := Portrait(c.raw)
			if err != nil {
				t.Fatal(err)
			}
			img, _, err := image.Decode(bytes.NewReader(p.Bytes))
			if err != nil || img.Bounds().Dx() != c.side || img.Bounds().Dy() != c.side {
				t.Errorf("got %v, %v; want a square of %d", img, err, c.side)
			}
			if bytes.Contains(p.Bytes, secret) || bytes.Contains(p.Bytes, []byte("script")) {
				t.Error("it carries more than pixels")
			}
			d, err := New(Config{Root: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			file, err := d.Put(p)
			if err != nil || MediaType(file) != c.typ && name != "WebP" {
				t.Errorf("kept as %s, %v; want %s", file, err, c.typ)
			}
			if got, err := d.Read(file); err != nil || !bytes.Equal(got, p.Bytes) {
				t.Errorf("read %d bytes, %v", len(got), err)
			}
		})
	}
}

func TestWhatIsNoPictureOrTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string][]byte{
		"nothing":                 nil,
		"HTML":                    []byte("<!doctype html><script>alert(1)</script>"),
		"SVG":                     []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`),
		"cut short":               []byte("\x89PNG\r\n\x1a\n"),
		"64 gigapixels":           bomb(65535*16, 65535),
		"a line":                  bomb(1<<20, 1),
		"a little too many":       bomb(2049, 2048),
		"a frame over its canvas": extended(16383, 16383),
		"too many bytes":          append([]byte("\xff\xd8\xff"), make([]byte, MaxPicture)...),
		"a GIF of nothing":        []byte("GIF89a\x00\x00\x00\x00\x00\x00\x00;"),
	} {
		if _, err := Portrait(raw); !errors.Is(err, essaim.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Each scan of a progressive JPEG walks over all its pixels.
func TestAPictureOfManyScansIsNotDecoded(t *testing.T) {
	t.Parallel()
	raw := append([]byte("\xff\xd8\xff"), bytes.Repeat([]byte("\xff\xda"), maxScans+1)...)
	if _, err := Portrait(raw); !errors.Is(err, essaim.ErrInvalid) || !strings.Contains(err.Error(), "scans") {
		t.Errorf("%v, want it refused for its scans", err)
	}
}

func TestSweepRemovesWhatNobodyNames(t *testing.T) {
	t.Parallel()
	d, err := New(Config{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for i := range 3 {
		file, err := d.Put(Picture{[]byte{byte(i)}, "png"})
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	if err := os.Chtimes(d.path(files[2]), time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	named := func(file string) (bool, error) { return file == files[0], nil }
	if err := d.Sweep(time.Now().Add(time.Minute), named); err != nil {
		t.Fatal(err)
	}
	for i, want := range []error{nil, essaim.ErrNotFound, nil} {
		if _, err := d.Read(files[i]); !errors.Is(err, want) {
			t.Errorf("file %d: %v, want %v", i, err, want)
		}
	}
	for _, file := range []string{"", "../../etc/passwd", files[0] + "/", "a.svg"} {
		if _, err := d.Read(file); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("read %q: %v", file, err)
		}
	}
}

// What Portrait gives is a picture of its own within the bounds, whatever came.
func FuzzPortrait(f *testing.F) {
	f.Add(webpPixel)
	f.Add(bomb(4, 4))
	f.Add(extended(8, 8))
	f.Add(encoded(f, func(b *bytes.Buffer) error { return png.Encode(b, picture(3, 2, color.White)) }))
	f.Add(encoded(f, func(b *bytes.Buffer) error { return gif.Encode(b, picture(2, 3, color.White), nil) }))
	f.Add(encoded(f, func(b *bytes.Buffer) error { return jpeg.Encode(b, picture(9, 9, color.White), nil) }))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := Portrait(raw)
		if err != nil {
			if !errors.Is(err, essaim.ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		c, _, err := image.DecodeConfig(bytes.NewReader(p.Bytes))
		if err != nil || c.Width != c.Height || c.Width < 1 || c.Width > portrait {
			t.Fatalf("%+v, %v", c, err)
		}
	})
}
