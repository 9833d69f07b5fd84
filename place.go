// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"math"
	"regexp"
)

// Place is where a record happens: a commune, EPCI, département or région by
// its code, or a point, or several of these at once (a commune with a street).
type Place struct {
	Label    string `json:"label,omitempty"`    // what people call it
	Street   string `json:"street,omitempty"`   // number and street
	Postcode string `json:"postcode,omitempty"` // five digits in France
	City     string `json:"city,omitempty"`
	Country  string `json:"country,omitempty"` // ISO 3166-1 alpha-2; "FR" when empty
	// INSEE is a commune's code; EPCI a SIREN; Departement and Region official
	// codes ("29", "2A", "53").
	INSEE       string `json:"insee,omitempty"`
	EPCI        string `json:"epci,omitempty"`
	Departement string `json:"departement,omitempty"`
	Region      string `json:"region,omitempty"`
	// Lat and Lon are degrees, WGS 84; both or none.
	Lat *float64 `json:"lat,omitempty"`
	Lon *float64 `json:"lon,omitempty"`
	// Approximate says that the point is the commune's centre or worse.
	Approximate bool   `json:"approximate,omitempty"`
	Level       string `json:"level,omitempty"` // ListLevel
}

// Point makes a place's coordinates.
func Point(lat, lon float64) (*float64, *float64) { return &lat, &lon }

// Located tells whether the place has coordinates.
func (pl Place) Located() bool { return pl.Lat != nil && pl.Lon != nil }

var (
	inseeCode       = regexp.MustCompile(`^(\d{2}|2[AB])\d{3}$`)
	epciCode        = regexp.MustCompile(`^2\d{8}$`)
	departementCode = regexp.MustCompile(`^(\d{2}|2[AB]|9[78]\d)$`)
	regionCode      = regexp.MustCompile(`^\d{2,3}$`)
)

func (pl Place) validate(p Problems, at string) {
	p.within(at+".label", pl.Label, 300)
	p.within(at+".street", pl.Street, 300)
	p.within(at+".postcode", pl.Postcode, 20)
	p.within(at+".city", pl.City, 200)
	p.oneOf(at+".level", ListLevel, pl.Level)
	for _, c := range []struct {
		field, code string
		form        *regexp.Regexp
	}{{"insee", pl.INSEE, inseeCode}, {"epci", pl.EPCI, epciCode}, {"departement", pl.Departement, departementCode}, {"region", pl.Region, regionCode}} {
		if c.code != "" && !c.form.MatchString(c.code) {
			p.Add(at+"."+c.field, "bad_code")
		}
	}
	if (pl.Lat == nil) != (pl.Lon == nil) {
		p.Add(at+".lat", "lat_and_lon")
	}
	if pl.Located() && !(math.Abs(*pl.Lat) <= 90 && math.Abs(*pl.Lon) <= 180) {
		p.Add(at+".lat", "out_of_range")
	}
	if !pl.Located() && pl.Label == "" && pl.City == "" && pl.INSEE == "" && pl.EPCI == "" && pl.Departement == "" && pl.Region == "" {
		p.Add(at, "required")
	}
}

// EarthRadius is the mean radius in kilometres that distances use.
const EarthRadius = 6371.0088

// Distance is the great-circle distance in kilometres between two points in
// degrees (haversine).
func Distance(lat1, lon1, lat2, lon2 float64) float64 {
	const rad = math.Pi / 180
	dLat, dLon := (lat2-lat1)*rad, (lon2-lon1)*rad
	a := math.Pow(math.Sin(dLat/2), 2) + math.Cos(lat1*rad)*math.Cos(lat2*rad)*math.Pow(math.Sin(dLon/2), 2)
	return 2 * EarthRadius * math.Asin(math.Min(1, math.Sqrt(a)))
}
