// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"

	"essaim"
)

// Listed is what a file says of a thing that is no record: a value for each column,
// and where it is, if it is somewhere.
type Listed struct {
	Values   []string
	Lat, Lon *float64
}

// WriteListed writes a list as "csv", whose cells no spreadsheet runs, or as "geojson".
func WriteListed(w io.Writer, format string, columns []string, lines []Listed) error {
	switch format {
	case "csv":
		cw := csv.NewWriter(w)
		err := cw.Write(columns)
		for _, r := range lines {
			cells := make([]string, len(r.Values))
			for i, v := range r.Values {
				cells[i] = guard(v)
			}
			if err == nil {
				err = cw.Write(cells)
			}
		}
		cw.Flush()
		if err == nil {
			err = cw.Error()
		}
		return err
	case "geojson":
		out := struct {
			Type     string       `json:"type"`
			Features []geoFeature `json:"features"`
		}{"FeatureCollection", make([]geoFeature, 0, len(lines))}
		for _, r := range lines {
			f := geoFeature{Type: "Feature", Properties: map[string]string{}}
			for i, v := range r.Values {
				if v != "" {
					f.Properties[columns[i]] = v
				}
			}
			if r.Lat != nil && r.Lon != nil {
				f.Geometry = &geoPoint{"Point", [2]float64{*r.Lon, *r.Lat}}
			}
			out.Features = append(out.Features, f)
		}
		return json.NewEncoder(w).Encode(out)
	}
	return fmt.Errorf("format %q: %w", format, essaim.ErrInvalid)
}
