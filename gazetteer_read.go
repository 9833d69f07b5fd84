// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// maxGazetteer bounds what LoadGazetteer unpacks, in bytes.
const maxGazetteer = 64 << 20

// LoadGazetteer reads a gazetteer: tab-separated text, packed by gzip or not,
// with a header that names its columns in any order. "insee" and "name" are
// required; "dept", "epci", "lat", "lon", "coord_source", "population" and
// "postcodes" are read where they stand, others passed over. A coordinate whose
// source is "mean" is approximate. Lines before the header may name what the
// communes make up:
//
//	#region	53	Bretagne
//	#departement	29	Finistère	53
//	#epci	242900314	Brest Métropole
//	#former	59355	59350	Lomme
//
// What a file does not name is taken from the built-in gazetteer.
func LoadGazetteer(r io.Reader) (*Gazetteer, error) {
	g, err := readGazetteer(r)
	if err != nil {
		return nil, err
	}
	if len(g.regions) == 0 || len(g.departements) == 0 {
		g.complete(EmbeddedGazetteer())
	}
	return g, nil
}

func readGazetteer(r io.Reader) (*Gazetteer, error) {
	text, err := unpack(r)
	if err != nil {
		return nil, fmt.Errorf("gazetteer: %w: %w", ErrInvalid, err)
	}
	l := gazetteerLoader{
		g:      &Gazetteer{former: map[string]string{}, departements: map[string]Departement{}, regions: map[string]Region{}},
		epciAt: map[string]int16{},
	}
	l.g.rows = make([]communeRow, 0, 36000)
	number := 0
	for line := range strings.SplitSeq(text, "\n") {
		number++
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			continue
		}
		if err := l.line(line); err != nil {
			return nil, fmt.Errorf("gazetteer: line %d: %w", number, err)
		}
	}
	if err := l.finish(); err != nil {
		return nil, fmt.Errorf("gazetteer: %w", err)
	}
	return l.g, nil
}

func unpack(r io.Reader) (string, error) {
	b := bufio.NewReader(r)
	r = b
	if magic, _ := b.Peek(2); string(magic) == "\x1f\x8b" {
		z, err := gzip.NewReader(b)
		if err != nil {
			return "", err
		}
		r = z
	}
	var text strings.Builder
	text.Grow(2250 << 10)
	n, err := io.Copy(&text, io.LimitReader(r, maxGazetteer+1))
	if err != nil {
		return "", err
	}
	if n > maxGazetteer {
		return "", fmt.Errorf("more than %d bytes", maxGazetteer)
	}
	return strings.TrimPrefix(text.String(), "\ufeff"), nil
}

// The columns of a gazetteer, as indices into gazetteerLoader.at.
const (
	colINSEE = iota
	colName
	colDepartement
	colEPCI
	colLat
	colLon
	colSource
	colPopulation
	colPostcodes
	columnCount
)

var gazetteerColumns = [columnCount]string{"insee", "name", "dept", "epci", "lat", "lon", "coord_source", "population", "postcodes"}

type gazetteerLoader struct {
	g      *Gazetteer
	epciAt map[string]int16
	header bool
	at     [columnCount]int // column of each field, -1 when absent
	fields []string
}

func (l *gazetteerLoader) line(line string) error {
	l.fields = l.fields[:0]
	for f := range strings.SplitSeq(line, "\t") {
		l.fields = append(l.fields, f)
	}
	switch {
	case line[0] == '#':
		return l.area()
	case !l.header:
		return l.columns()
	}
	return l.commune()
}

func (l *gazetteerLoader) area() error {
	var f [4]string
	copy(f[:], l.fields)
	switch f[0] {
	case "#region":
		l.g.regions[f[1]] = Region{Code: f[1], Name: f[2]}
	case "#departement":
		l.g.departements[f[1]] = Departement{Code: f[1], Name: f[2], Region: f[3]}
	case "#former":
		l.g.former[f[1]] = f[2]
	case "#epci":
		i, err := l.epci(f[1])
		if err != nil {
			return err
		}
		l.g.epcis[i].name = f[2]
	}
	return nil
}

func (l *gazetteerLoader) columns() error {
	l.header = true
	for c, name := range gazetteerColumns {
		l.at[c] = slices.Index(l.fields, name)
		if l.at[c] < 0 && (c == colINSEE || c == colName) {
			return fmt.Errorf("%w: no column %q in the header", ErrInvalid, name)
		}
	}
	return nil
}

func (l *gazetteerLoader) field(c int) string {
	if i := l.at[c]; i >= 0 && i < len(l.fields) {
		return l.fields[i]
	}
	return ""
}

func (l *gazetteerLoader) commune() error {
	row := communeRow{code: l.field(colINSEE), name: l.field(colName), postcodes: l.field(colPostcodes), epci: -1}
	if !isINSEE(row.code) || row.name == "" {
		return fmt.Errorf("%w: commune %q has no INSEE code or no name", ErrInvalid, row.code)
	}
	departement := l.field(colDepartement)
	if departement == "" {
		departement = row.code[:2]
		if departement == "97" || departement == "98" {
			departement = row.code[:3]
		}
	}
	copy(row.departement[:], departement)
	if siren := l.field(colEPCI); siren != "" {
		i, err := l.epci(siren)
		if err != nil {
			return err
		}
		row.epci = i
	}
	var err error
	if row.lat, err = degrees(l.field(colLat), 90); err != nil {
		return err
	}
	if row.lon, err = degrees(l.field(colLon), 180); err != nil {
		return err
	}
	row.approximate = l.field(colSource) == "mean"
	if s := l.field(colPopulation); s != "" {
		n, err := strconv.ParseInt(s, 10, 32)
		if err != nil || n < 0 {
			return fmt.Errorf("%w: population %q", ErrInvalid, s)
		}
		row.population = int32(n)
	}
	l.g.rows = append(l.g.rows, row)
	return nil
}

// isINSEE is inseeCode at a tenth of its cost, since every start reads 35,000.
func isINSEE(code string) bool {
	if len(code) != 5 {
		return false
	}
	for i := range 5 {
		if c := code[i]; (c < '0' || c > '9') && (i != 1 || code[0] != '2' || c != 'A' && c != 'B') {
			return false
		}
	}
	return true
}

// degrees reads a coordinate into millionths of a degree; empty is zero.
func degrees(s string, limit float64) (int32, error) {
	if s == "" {
		return 0, nil
	}
	d, err := strconv.ParseFloat(s, 64)
	if err != nil || !(math.Abs(d) <= limit) {
		return 0, fmt.Errorf("%w: coordinate %q", ErrInvalid, s)
	}
	return int32(math.Round(d * 1e6)), nil
}

func (l *gazetteerLoader) epci(siren string) (int16, error) {
	if i, ok := l.epciAt[siren]; ok {
		return i, nil
	}
	if !epciCode.MatchString(siren) {
		return 0, fmt.Errorf("%w: EPCI %q", ErrInvalid, siren)
	}
	if len(l.g.epcis) == math.MaxInt16 {
		return 0, fmt.Errorf("%w: more than %d EPCI", ErrInvalid, math.MaxInt16)
	}
	i := int16(len(l.g.epcis))
	l.epciAt[siren] = i
	l.g.epcis = append(l.g.epcis, epciRow{code: siren})
	return i, nil
}

// finish sorts, links and completes what was read.
func (l *gazetteerLoader) finish() error {
	g := l.g
	if len(g.rows) == 0 {
		return fmt.Errorf("%w: no commune", ErrInvalid)
	}
	byCode := func(a, b communeRow) int { return strings.Compare(a.code, b.code) }
	if !slices.IsSortedFunc(g.rows, byCode) {
		slices.SortFunc(g.rows, byCode)
	}
	for i := 1; i < len(g.rows); i++ {
		if g.rows[i].code == g.rows[i-1].code {
			return fmt.Errorf("%w: commune %s stands twice", ErrInvalid, g.rows[i].code)
		}
	}
	order := make([]int16, len(g.epcis)) // old index → new
	sorted := slices.Clone(g.epcis)
	slices.SortFunc(sorted, func(a, b epciRow) int { return strings.Compare(a.code, b.code) })
	for i := range sorted {
		order[l.epciAt[sorted[i].code]] = int16(i)
	}
	g.epcis = sorted
	for i := range g.rows {
		if r := &g.rows[i]; r.epci >= 0 {
			r.epci = order[r.epci]
			g.epcis[r.epci].members = append(g.epcis[r.epci].members, int32(i))
		}
	}
	g.centres = sync.OnceValue(g.findCentres)
	g.keys = sync.OnceValue(func() []string { return slices.Sorted(maps.Keys(g.names())) })
	g.byPeople = sync.OnceValue(func() []int32 {
		all := g.indexBy(func(*communeRow) []string { return []string{""} })
		return all[""]
	})
	g.names = sync.OnceValue(func() map[string][]int32 {
		return g.indexBy(func(r *communeRow) []string { return []string{nameKey(r.name)} })
	})
	g.postcodes = sync.OnceValue(func() map[string][]int32 {
		return g.indexBy(func(r *communeRow) []string { return strings.Fields(r.postcodes) })
	})
	return nil
}

// complete takes from another gazetteer what a bare list of communes lacks.
func (g *Gazetteer) complete(from *Gazetteer) {
	g.regions, g.departements = from.regions, from.departements
	if len(g.former) == 0 {
		g.former = from.former
	}
	for i := range g.epcis {
		if e := &g.epcis[i]; e.name == "" {
			known, _ := from.EPCI(e.code)
			e.name = known.Name
		}
	}
}
