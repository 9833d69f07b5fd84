// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
)

// generator describes a body too large or too odd to be written out.
type generator struct {
	Type    string    `json:"t"`
	Text    string    `json:"text"`
	Hex     string    `json:"hex"`
	Pre     string    `json:"pre"`
	Unit    string    `json:"unit"`
	Sep     string    `json:"sep"`
	Post    string    `json:"post"`
	Open    string    `json:"open"`
	Core    string    `json:"core"`
	Close   string    `json:"close"`
	N       int64     `json:"n"`
	Out     int64     `json:"out_bytes"`
	Name    string    `json:"name"`
	Mime    string    `json:"mime"`
	Content string    `json:"content"`
	W       uint32    `json:"w"`
	H       uint32    `json:"h"`
	GPS     []float64 `json:"gps"`
}

// body writes what the generator describes, as it is read.
func (g *generator) body(n names, rng *rand.Rand) io.Reader {
	switch g.Type {
	case "raw":
		return strings.NewReader(n.fill(g.Text, rng))
	case "file":
		return strings.NewReader(n.fill(g.Content, rng))
	case "hex":
		b, err := hex.DecodeString(g.Hex)
		if err != nil {
			panic(err) // a fault of the file
		}
		return bytes.NewReader(b)
	case "repeat":
		pre, unit, post := n.fill(g.Pre, rng), n.fill(g.Unit, rng), n.fill(g.Post, rng)
		return io.MultiReader(strings.NewReader(pre), &repeater{unit: unit, sep: g.Sep, n: g.N}, strings.NewReader(post))
	case "nest":
		return strings.NewReader(n.fill(g.Pre, rng) + strings.Repeat(n.fill(g.Open, rng), int(g.N)) + n.fill(g.Core, rng) +
			strings.Repeat(g.Close, int(g.N)) + n.fill(g.Post, rng))
	case "gzipbomb":
		return piped(func(w io.Writer) error {
			z := gzip.NewWriter(w)
			if err := zeroes(z, g.Out); err != nil {
				return err
			}
			return z.Close()
		})
	case "zipbomb":
		return piped(func(w io.Writer) error {
			return zipOfZeroes(w, g.Out)
		})
	case "png":
		return bytes.NewReader(png(g.W, g.H))
	case "desc":
		return nil
	}
	return nil
}

// piped streams what write writes; a reader that leaves ends it.
func piped(write func(io.Writer) error) io.Reader {
	r, w := io.Pipe()
	go func() { w.CloseWithError(write(w)) }()
	return r
}

// zipOfZeroes writes a ZIP whose only file holds n zeroes, a whole number of
// megabytes. One of them is compressed and repeated: ten gigabytes would take
// minutes.
func zipOfZeroes(w io.Writer, n int64) error {
	block := make([]byte, 1<<20)
	var one, none bytes.Buffer
	f, err := flate.NewWriter(&one, flate.BestCompression)
	if err != nil {
		return err
	}
	if _, err := f.Write(block); err != nil {
		return err
	}
	if err := f.Flush(); err != nil { // to a whole byte, with nothing at its end
		return err
	}
	f.Reset(&none)
	if err := f.Close(); err != nil {
		return err
	}
	blocks := n / int64(len(block))
	sum := crc32.NewIEEE()
	for range blocks {
		_, _ = sum.Write(block) // a sum takes all
	}
	z := zip.NewWriter(w)
	file, err := z.CreateRaw(&zip.FileHeader{
		Name: "a.csv", Method: zip.Deflate, CRC32: sum.Sum32(),
		CompressedSize64: uint64(blocks)*uint64(one.Len()) + uint64(none.Len()), UncompressedSize64: uint64(blocks) * uint64(len(block)),
	})
	if err != nil {
		return err
	}
	for range blocks {
		if _, err := file.Write(one.Bytes()); err != nil {
			return err
		}
	}
	if _, err := file.Write(none.Bytes()); err != nil {
		return err
	}
	return z.Close()
}

func zeroes(w io.Writer, n int64) error {
	block := make([]byte, 1<<20)
	for ; n > 0; n -= int64(len(block)) {
		if _, err := w.Write(block[:min(n, int64(len(block)))]); err != nil {
			return err
		}
	}
	return nil
}

// repeater reads as a unit so many times, numbered where it says %d.
type repeater struct {
	unit, sep string
	n, i      int64
	rest      []byte
}

// Read implements io.Reader.
func (r *repeater) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.i >= r.n {
			return 0, io.EOF
		}
		var b bytes.Buffer
		for b.Len() < 64<<10 && r.i < r.n {
			if r.i > 0 {
				b.WriteString(r.sep)
			}
			b.WriteString(strings.ReplaceAll(r.unit, "%d", strconv.FormatInt(r.i, 10)))
			r.i++
		}
		r.rest = b.Bytes()
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// png claims a size and holds next to nothing.
func png(w, h uint32) []byte {
	var out bytes.Buffer
	out.WriteString("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		_ = binary.Write(&out, binary.BigEndian, uint32(len(data))) // a buffer takes all
		body := append([]byte(kind), data...)
		out.Write(body)
		_ = binary.Write(&out, binary.BigEndian, crc32.ChecksumIEEE(body))
	}
	head := binary.BigEndian.AppendUint32(nil, w)
	head = binary.BigEndian.AppendUint32(head, h)
	chunk("IHDR", append(head, 1, 0, 0, 0, 0))
	var z bytes.Buffer
	zw := zlib.NewWriter(&z)
	_, _ = zw.Write(make([]byte, 1000)) // a buffer takes all
	_ = zw.Close()
	chunk("IDAT", z.Bytes())
	chunk("IEND", nil)
	return out.Bytes()
}
