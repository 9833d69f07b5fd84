// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// geoSource reads the features of a GeoJSON file (RFC 7946) one by one.
type geoSource struct {
	dec      *json.Decoder
	bound    *boundedReader
	declared *Declared
	own      *bool
	rank     int
	single   feature // a file that is one Feature
	typ      string
	done     bool
}

type feature struct {
	Type       string          `json:"type"`
	ID         any             `json:"id"`
	Properties map[string]any  `json:"properties"`
	Geometry   json.RawMessage `json:"geometry"`
}

// openGeoJSON reads up to the first feature.
func (f *File) openGeoJSON(br *bufio.Reader, head []byte) error {
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		_, _ = br.Discard(3)
	}
	src := &geoSource{declared: &f.Declared, own: &f.Own}
	src.bound = &boundedReader{r: br, left: maxFeature}
	src.dec = json.NewDecoder(src.bound)
	src.dec.UseNumber()
	if t, err := src.dec.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("no JSON object: %w", ErrFormat)
	}
	inFeatures, err := src.members()
	if err != nil {
		return err
	}
	if !inFeatures && src.typ != "Feature" {
		return fmt.Errorf("neither a FeatureCollection nor a Feature: %w", ErrFormat)
	}
	src.done = !inFeatures
	f.source = src
	f.Columns = nil
	return nil
}

// members reads the members of the collection, up to its features or its end.
func (s *geoSource) members() (inFeatures bool, err error) {
	for s.dec.More() {
		s.bound.left = maxFeature
		t, err := s.dec.Token()
		if err != nil {
			return false, s.failed(err)
		}
		key, _ := t.(string)
		if key == "features" {
			t, err := s.dec.Token()
			if err != nil || t != json.Delim('[') {
				return false, fmt.Errorf("features is no array: %w", ErrFormat)
			}
			return true, nil
		}
		var raw json.RawMessage
		if err := s.dec.Decode(&raw); err != nil {
			return false, s.failed(err)
		}
		s.member(key, raw)
	}
	if _, err := s.dec.Token(); err != nil {
		return false, s.failed(err)
	}
	return false, nil
}

// member keeps what the collection says of itself.
func (s *geoSource) member(key string, raw json.RawMessage) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		text = Clean(text)
	}
	switch strings.ToLower(key) {
	case "type":
		s.typ = text
	case "license", "licence":
		s.declared.Licence = text
	case "attribution", "rightsholder", "copyright":
		s.declared.Attribution = text
	case "source", "url":
		s.declared.Source = text
	case "essaim":
		*s.own = true
	case "properties":
		_ = decodeNumbers(raw, &s.single.Properties)
	case "geometry":
		s.single.Geometry = raw
	case "id":
		_ = decodeNumbers(raw, &s.single.ID)
	}
}

func decodeNumbers(raw []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	return dec.Decode(v)
}

func (s *geoSource) failed(err error) error {
	if errors.Is(err, ErrTooLong) {
		return fmt.Errorf("feature %d exceeds %d bytes: %w", s.rank+1, maxFeature, ErrTooLong)
	}
	return fmt.Errorf("feature %d: %w: %w", s.rank+1, ErrFormat, err)
}

func (s *geoSource) next() (Row, error) {
	if s.typ == "Feature" && s.done && s.rank == 0 {
		s.rank = 1
		return s.row(s.single), nil
	}
	if s.done {
		return Row{}, io.EOF
	}
	s.bound.left = maxFeature
	if !s.dec.More() {
		s.done = true
		if _, err := s.dec.Token(); err != nil { // the closing bracket
			return Row{}, s.failed(err)
		}
		if again, err := s.members(); err != nil || again {
			return Row{}, s.failed(errors.Join(err, errors.New("after the features")))
		}
		return Row{}, io.EOF
	}
	// Decoded in two steps: a feature of the wrong shape is refused alone, a
	// broken syntax ends the file.
	var raw json.RawMessage
	if err := s.dec.Decode(&raw); err != nil {
		return Row{}, s.failed(err)
	}
	s.rank++
	var f feature
	if err := decodeNumbers(raw, &f); err != nil || f.Type != "Feature" {
		return Row{Line: s.rank, Err: fmt.Errorf("not a Feature: %w", ErrFormat)}, nil
	}
	return s.row(f), nil
}

// row flattens a feature: properties in properties are named "a.b", arrays are
// joined by ";".
func (s *geoSource) row(f feature) Row {
	row := Row{Line: s.rank, Values: make(map[string]string, len(f.Properties)+1)}
	s.flatten(&row, "", f.Properties, 0)
	if id, ok := scalar(f.ID); ok && row.Values["id"] == "" && !*s.own {
		row.put("id", id, false)
	}
	if len(row.Values) > maxColumns {
		row.Err = fmt.Errorf("%d properties, at most %d: %w", len(row.Values), maxColumns, ErrFormat)
		return row
	}
	lat, lon, ok, err := centroid(f.Geometry)
	if err != nil {
		row.Err = err
	} else if ok {
		row.Lat, row.Lon = &lat, &lon
	}
	return row
}

func (s *geoSource) flatten(row *Row, prefix string, props map[string]any, depth int) {
	for k, v := range props {
		name := prefix + strings.ToValidUTF8(k, "\uFFFD")
		switch v := v.(type) {
		case map[string]any:
			if depth < maxPropsDepth {
				s.flatten(row, name+".", v, depth+1)
			}
		case []any:
			var parts []string
			for _, item := range v {
				if t, ok := scalar(item); ok && t != "" {
					parts = append(parts, t)
				}
			}
			row.put(name, strings.Join(parts, ";"), *s.own)
		default:
			if t, ok := scalar(v); ok {
				row.put(name, t, *s.own)
			}
		}
	}
	sort.Strings(row.Broken)
}

// scalar gives the text of a JSON value that is neither object nor array.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		if !utf8.ValidString(v) {
			v = strings.ToValidUTF8(v, "\uFFFD")
		}
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	}
	return "", false
}

// sampleColumns gives the names met in the sample, most frequent first: a file
// of GeoJSON has no header.
func sampleColumns(rows []Row) []string {
	count := map[string]int{}
	for _, r := range rows {
		for c := range r.Values {
			count[c]++
		}
		for _, c := range r.Broken {
			count[c]++
		}
	}
	names := make([]string, 0, len(count))
	for c := range count {
		names = append(names, c)
	}
	slices.SortFunc(names, func(a, b string) int {
		if count[a] != count[b] {
			return count[b] - count[a]
		}
		return strings.Compare(a, b)
	})
	return names
}
