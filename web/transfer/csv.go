// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// kindColumn is the column by which a file of ours is known.
const kindColumn = "essaim_kind"

// csvSource reads records of a CSV file (RFC 4180, with the liberties that
// spreadsheets take).
type csvSource struct {
	csv     *csv.Reader
	bound   *boundedReader
	columns []string // "" = column left out
	latin   bool     // the beginning was not UTF-8: everything is Windows-1252
	own     bool
}

// openCSV finds encoding and separator, and reads the header.
func (f *File) openCSV(br *bufio.Reader, head []byte) error {
	src := &csvSource{}
	var r io.Reader = br
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, _ = br.Discard(3)
		head = head[3:]
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		dec := unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder()
		r = dec.Reader(br)
		head, _ = unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Bytes(head[:len(head)&^1])
	default:
		src.latin = !validStart(head)
	}
	src.bound = &boundedReader{r: r, left: maxCSVRow}
	src.csv = csv.NewReader(src.bound)
	src.csv.Comma = sniffComma(head)
	src.csv.LazyQuotes = true
	src.csv.FieldsPerRecord = -1
	src.csv.ReuseRecord = true

	header, err := src.read()
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the file is empty: %w", ErrFormat)
	}
	if err != nil {
		return fmt.Errorf("header: %w: %w", ErrFormat, err)
	}
	if len(header) > maxColumns {
		return fmt.Errorf("header: %d columns, at most %d: %w", len(header), maxColumns, ErrFormat)
	}
	src.columns = src.names(header)
	for _, c := range src.columns {
		if c != "" {
			f.Columns = append(f.Columns, c)
		}
	}
	if len(f.Columns) == 0 {
		return fmt.Errorf("the header names no column: %w", ErrFormat)
	}
	f.Own = slices.Contains(f.Columns, kindColumn)
	src.own = f.Own
	f.source = src
	return nil
}

// validStart says that the sample is UTF-8, but for a letter cut at its end.
func validStart(head []byte) bool {
	for cut := range min(utf8.UTFMax, len(head)+1) {
		if utf8.Valid(head[:len(head)-cut]) {
			return true
		}
	}
	return false
}

// sniffComma takes the separator that the header holds most often outside quotes.
func sniffComma(head []byte) rune {
	counts := map[byte]int{}
	quoted := false
scan:
	for _, c := range bytes.TrimLeft(head, "\r\n") {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '\n' || c == '\r':
			break scan
		default:
			counts[c]++
		}
	}
	best := byte(',')
	for _, c := range []byte{';', '\t', '|'} {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return rune(best)
}

// names gives each column its name: cleaned, and made unique by a number where
// a name stands twice. A column without name is left out.
func (s *csvSource) names(header []string) []string {
	out := make([]string, len(header))
	seen := map[string]bool{}
	for i, h := range header {
		name := Clean(s.decode(h))
		if name == "" {
			continue
		}
		base := name
		for n := 2; seen[name]; n++ {
			name = base + "_" + strconv.Itoa(n)
		}
		seen[name] = true
		out[i] = name
	}
	return out
}

// decode gives a field as UTF-8.
func (s *csvSource) decode(v string) string {
	if !s.latin && utf8.ValidString(v) {
		return v
	}
	// Never fails: Windows-1252 gives a character to every byte.
	out, _ := charmap.Windows1252.NewDecoder().String(v)
	return out
}

func (s *csvSource) read() ([]string, error) {
	s.bound.left = maxCSVRow
	return s.csv.Read()
}

// next gives the next record that is not blank.
func (s *csvSource) next() (Row, error) {
	for {
		record, err := s.read()
		if errors.Is(err, io.EOF) {
			return Row{}, io.EOF
		}
		if errors.Is(err, ErrTooLong) {
			return Row{}, fmt.Errorf("a row of more than %d bytes, or a quote that is not closed: %w", maxCSVRow, ErrTooLong)
		}
		var parse *csv.ParseError
		if errors.As(err, &parse) {
			return Row{Line: parse.StartLine, Err: fmt.Errorf("line %d: %w: %w", parse.StartLine, ErrFormat, parse.Err)}, nil
		}
		if err != nil {
			return Row{}, fmt.Errorf("reading the file: %w", err)
		}
		if row, blank := s.row(record); !blank {
			return row, nil
		}
	}
}

// row gives the record its column names. Values beyond the header are an error:
// some separator is not quoted, so that no column can be trusted.
func (s *csvSource) row(record []string) (Row, bool) {
	line, _ := s.csv.FieldPos(0)
	row := Row{Line: line, Values: make(map[string]string, len(record))}
	blank := true
	for i, v := range record {
		if v != "" {
			blank = blank && strings.TrimSpace(v) == ""
			v = s.decode(v)
		}
		if i >= len(s.columns) {
			if strings.TrimSpace(v) != "" {
				row.Err = fmt.Errorf("%d fields for %d columns: %w", len(record), len(s.columns), ErrFormat)
			}
			continue
		}
		if s.own {
			v = unguard(v)
		}
		if v != "" && s.columns[i] != "" {
			row.put(s.columns[i], v, s.own)
		}
	}
	return row, blank
}
