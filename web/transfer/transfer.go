// SPDX-License-Identifier: AGPL-3.0-or-later

// Package transfer reads and writes the formats in which records travel outside
// the Fediverse: CSV and GeoJSON in, JSON-LD, CSV and GeoJSON out. It knows no
// database: what it reads goes to a [Sink], what it writes comes from a sequence.
//
// A file is read as a stream of [Row]; a [Mapping] says which column feeds which
// field; a [Converter] makes of each row a record of the trade, or says why not.
package transfer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
)

// Errors of a file as a whole. A broken row is no such error: see [Row.Err].
var (
	// ErrFormat says that the bytes are not of the format asked or of none known.
	ErrFormat = errors.New("unreadable file")
	// ErrTooLong says that one row exceeds the bound that keeps memory flat.
	ErrTooLong = errors.New("row too long")
)

// Bounds that keep memory independent of the file's size.
const (
	maxCSVRow     = 4 << 20 // bytes of one CSV record
	maxFeature    = 8 << 20 // bytes of one GeoJSON feature; outlines are long
	maxColumns    = 500     // columns of a header, properties of a feature
	sampleRows    = 200     // rows of CSV looked at before the mapping is guessed
	sampleFeats   = 2000    // features, whose properties differ from one to the next
	sampleSize    = 4 << 20 // bytes of values in the sample
	sampleBytes   = 64 << 10
	maxPropsDepth = 4
)

// Format is the format of a file.
type Format string

// The formats read.
const (
	FormatAuto    Format = "auto"
	FormatCSV     Format = "csv"
	FormatGeoJSON Format = "geojson"
)

// Row is one row of a file: a CSV record or a GeoJSON feature.
type Row struct {
	// Line is the line in a CSV file, the rank of the feature in a GeoJSON file;
	// both count from 1.
	Line int
	// Values holds the cleaned values by column name; empty ones are absent.
	Values map[string]string
	// Broken lists the columns that hold a spreadsheet's error, such as
	// "#Invalid Ref" or "#REF!".
	Broken []string
	// Lat and Lon are the point of a GeoJSON feature in degrees (WGS 84), the
	// centroid where the geometry is not a point; nil without geometry.
	Lat, Lon *float64
	// Err says why the row cannot be used; the others can.
	Err error
}

// Declared is what a file says of itself. It is proposed, never taken silently.
type Declared struct {
	Licence     string
	Attribution string
	Source      string
}

// File is an opened file: its first rows are read, the others stream.
type File struct {
	Format Format
	// Columns are the names of the columns in order; of a GeoJSON file, those of
	// the first features.
	Columns  []string
	Declared Declared
	// Own says that this package wrote the file: its values are exact and are
	// not cleaned.
	Own bool

	sample []Row
	source rowSource
	used   bool
}

// rowSource gives the rows that follow; io.EOF ends them. Another error ends
// them too: the rest of the file cannot be read.
type rowSource interface {
	next() (Row, error)
}

// Open reads the beginning of a file. Memory use stays bounded whatever its size.
func Open(r io.Reader, format Format) (*File, error) {
	br := bufio.NewReaderSize(r, sampleBytes)
	head, err := br.Peek(sampleBytes)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, fmt.Errorf("reading the file: %w", err)
	}
	if format == FormatAuto || format == "" {
		format = sniffFormat(head)
	}
	f := &File{Format: format}
	switch format {
	case FormatCSV:
		err = f.openCSV(br, head)
	case FormatGeoJSON:
		err = f.openGeoJSON(br, head)
	default:
		err = fmt.Errorf("%w: it is %s; save it as CSV or GeoJSON", ErrFormat, format)
	}
	if err != nil {
		return nil, err
	}
	if err := f.readSample(); err != nil {
		return nil, err
	}
	if f.Format == FormatGeoJSON {
		f.Columns = sampleColumns(f.sample)
	}
	return f, nil
}

// sniffFormat tells GeoJSON, CSV and what is neither by the first character that is no space.
func sniffFormat(head []byte) Format {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	if bytes.HasPrefix(head, []byte("{")) {
		return FormatGeoJSON
	}
	if bytes.HasPrefix(head, []byte("<")) {
		return "xml" // KML, GPX, RSS, a page: read by nobody here
	}
	return FormatCSV
}

// readSample reads the first rows, which the guesses look at.
func (f *File) readSample() error {
	limit, size := sampleRows, 0
	if f.Format == FormatGeoJSON {
		limit = sampleFeats
	}
	for len(f.sample) < limit && size < sampleSize {
		row, err := f.source.next()
		if errors.Is(err, io.EOF) {
			f.source = ended{}
			return nil
		}
		if err != nil {
			// Said again when the rows are read, after the good ones.
			f.source = ended{err}
			return nil
		}
		f.sample = append(f.sample, row)
		for column, v := range row.Values {
			size += len(column) + len(v)
		}
	}
	return nil
}

// ended is the source of a file read to its end, or to where it broke.
type ended struct{ err error }

func (e ended) next() (Row, error) {
	if e.err != nil {
		return Row{}, e.err
	}
	return Row{}, io.EOF
}

// Sample gives the first rows without consuming them.
func (f *File) Sample() []Row { return f.sample }

// Rows gives all rows once, in order. A non-nil error is the last item: what
// follows it in the file cannot be read.
func (f *File) Rows() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		if f.used {
			yield(Row{}, fmt.Errorf("rows already read: %w", ErrFormat))
			return
		}
		f.used = true
		sample := f.sample
		f.sample = nil
		for _, row := range sample {
			if !yield(row, nil) {
				return
			}
		}
		for {
			row, err := f.source.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// boundedReader gives at most left bytes before it must be refilled, so that an
// open quote or a huge feature cannot draw the whole file into memory.
type boundedReader struct {
	r    io.Reader
	left int
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, ErrTooLong
	}
	if len(p) > b.left {
		p = p[:b.left]
	}
	n, err := b.r.Read(p)
	b.left -= n
	return n, err
}

// put keeps a cleaned value, or notes that a spreadsheet broke it. The values of
// a file of ours are exact. What has no name is nothing that a mapping can name.
func (r *Row) put(column, value string, own bool) {
	if column == "" {
		return
	}
	if own {
		if value != "" {
			r.Values[column] = value
		}
		return
	}
	value = Clean(value)
	switch {
	case isBroken(value):
		r.Broken = append(r.Broken, column)
	case value != "" && !isNothing(value):
		r.Values[column] = value
	}
}
