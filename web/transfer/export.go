// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"

	"essaim"
)

// Item is a record to export with the bytes of its document.
type Item struct {
	Record   essaim.Record
	Document []byte
}

// Exportable says that a record may leave as a copy: published, under a licence
// that lets others keep it.
func Exportable(r essaim.Record) bool {
	return r.State == essaim.StatePublished && essaim.Reusable(r.Licence)
}

// Export writes the exportable items in a format, "csv", "geojson", "jsonld" or
// "ics" (see [Calendar]), and says how many. An error of the sequence stops it.
func Export(w io.Writer, format string, items iter.Seq2[Item, error]) (n int, err error) {
	bw := bufio.NewWriter(w)
	switch format {
	case "csv":
		n, err = exportCSV(bw, items)
	case "geojson":
		n, err = exportGeoJSON(bw, items)
	case "jsonld":
		n, err = exportJSONLD(bw, items)
	case "ics":
		n, err = Calendar{}.write(bw, items)
	default:
		return 0, fmt.Errorf("format %q: %w", format, essaim.ErrInvalid)
	}
	if err != nil {
		return n, err
	}
	return n, bw.Flush()
}

// guardPrefixes begin a formula in a spreadsheet, some in the wide letters of
// Japanese keyboards (OWASP, CSV Injection).
const guardPrefixes = "=+-@\t\r＝＋－＠"

// guard writes an apostrophe before what a spreadsheet would run; unguard takes
// exactly that one away, so that the round trip is exact.
func guard(v string) string {
	if guarded(v) {
		return "'" + v
	}
	return v
}

func unguard(v string) string {
	if strings.HasPrefix(v, "'") && guarded(v[1:]) {
		return v[1:]
	}
	return v
}

func guarded(v string) bool {
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(v, "'"))
	if !strings.ContainsRune(guardPrefixes, first) {
		return false
	}
	_, err := degrees(v)
	return err != nil // "-4.48" is a number, no formula
}

func exportCSV(w io.Writer, items iter.Seq2[Item, error]) (n int, err error) {
	cw := csv.NewWriter(w)
	if err := cw.Write(ownColumns); err != nil {
		return 0, err
	}
	record := make([]string, len(ownColumns))
	for item, err := range items {
		if err != nil {
			return n, err
		}
		if !Exportable(item.Record) {
			continue
		}
		values, err := flatten(item.Record)
		if err != nil {
			return n, err
		}
		for i, column := range ownColumns {
			// Readers of CSV turn CR LF into LF inside quotes.
			record[i] = guard(strings.ReplaceAll(values[column], "\r\n", "\n"))
		}
		if err := cw.Write(record); err != nil {
			return n, err
		}
		n++
	}
	cw.Flush()
	return n, cw.Error()
}

// geoFeature is a feature of an exported collection (RFC 7946 3.2).
type geoFeature struct {
	Type       string            `json:"type"`
	Geometry   *geoPoint         `json:"geometry"`
	Properties map[string]string `json:"properties"`
}

type geoPoint struct {
	Type        string     `json:"type"`
	Coordinates [2]float64 `json:"coordinates"`
}

func exportGeoJSON(w io.Writer, items iter.Seq2[Item, error]) (n int, err error) {
	// "essaim" is a foreign member (RFC 7946 6.1): it says that values are exact.
	if _, err := fmt.Fprintf(w, "{\"type\":\"FeatureCollection\",\"essaim\":%q,\"features\":[", essaim.Namespace); err != nil {
		return 0, err
	}
	sep := "\n"
	for item, err := range items {
		if err != nil {
			return n, err
		}
		if !Exportable(item.Record) {
			continue
		}
		values, err := flatten(item.Record)
		if err != nil {
			return n, err
		}
		f := geoFeature{Type: "Feature", Properties: map[string]string{}}
		for column, v := range values {
			if v != "" && column != "lat" && column != "lon" {
				f.Properties[column] = v
			}
		}
		if len(item.Record.Places) > 0 && item.Record.Places[0].Located() {
			pl := item.Record.Places[0]
			f.Geometry = &geoPoint{"Point", [2]float64{*pl.Lon, *pl.Lat}}
		}
		b, err := json.Marshal(f)
		if err != nil {
			return n, fmt.Errorf("record %s: %w", item.Record.ID, err)
		}
		if _, err := fmt.Fprintf(w, "%s%s", sep, b); err != nil {
			return n, err
		}
		sep = ",\n"
		n++
	}
	_, err = io.WriteString(w, "\n]}\n")
	return n, err
}

// exportJSONLD writes the stored documents, byte for byte, as an array.
func exportJSONLD(w io.Writer, items iter.Seq2[Item, error]) (n int, err error) {
	if _, err := io.WriteString(w, "["); err != nil {
		return 0, err
	}
	sep := "\n"
	for item, err := range items {
		if err != nil {
			return n, err
		}
		if !Exportable(item.Record) || len(item.Document) == 0 {
			continue
		}
		if _, err := fmt.Fprintf(w, "%s%s", sep, item.Document); err != nil {
			return n, err
		}
		sep = ",\n"
		n++
	}
	_, err = io.WriteString(w, "\n]\n")
	return n, err
}
