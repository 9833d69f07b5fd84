// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"bytes"
	_ "embed"
	"iter"
	"math"
	"slices"
	"strings"
	"sync"
)

// Commune is the smallest French territory, by its INSEE code.
type Commune struct {
	Code        string // INSEE, five characters: "29019", "2A004"
	Name        string
	Departement string // code
	Region      string // code
	EPCI        string // SIREN of the intercommunalité, empty for the few that have none
	// Lat and Lon are the middle of the commune in degrees, WGS 84; both zero
	// when the gazetteer does not place it.
	Lat, Lon float64
	// Approximate says that the point is only the mean of the communes around.
	Approximate bool
	Population  int
}

// Located tells whether the gazetteer places the commune.
func (c Commune) Located() bool { return c.Lat != 0 || c.Lon != 0 }

// EPCI is an association of communes (intercommunalité) that levies taxes.
type EPCI struct {
	Code     string // SIREN
	Name     string
	Communes []string // INSEE codes, ascending
}

// Departement is a French département.
type Departement struct{ Code, Name, Region string }

// Region is a French région.
type Region struct{ Code, Name string }

// Gazetteer is the list of French communes and of what they make up. It does
// not change once read: any number of goroutines may use one.
type Gazetteer struct {
	rows         []communeRow // by code
	epcis        []epciRow    // by code
	former       map[string]string
	departements map[string]Departement
	regions      map[string]Region
	centres      func() map[area]centre
	names        func() map[string][]int32
	postcodes    func() map[string][]int32
	keys         func() []string // of names, sorted
	byPeople     func() []int32
}

// communeRow keeps 35,000 communes in a few megabytes; its strings are parts
// of one text.
type communeRow struct {
	code, name, postcodes string
	lat, lon              int32 // millionths of a degree
	population            int32
	epci                  int16 // index, -1 for none
	departement           departementCodeBytes
	approximate           bool
}

type departementCodeBytes [3]byte

func (d departementCodeBytes) String() string { return strings.TrimRight(string(d[:]), "\x00") }

type epciRow struct {
	code, name string
	members    []int32 // indices of rows, ascending
}

//go:embed gazetteer.tsv.gz
var gazetteerTSV []byte

var embeddedGazetteer = sync.OnceValue(func() *Gazetteer {
	g, err := readGazetteer(bytes.NewReader(gazetteerTSV))
	if err != nil {
		panic("essaim: built-in gazetteer: " + err.Error()) // a test reads it
	}
	return g
})

// EmbeddedGazetteer is the one built into the program, decoded at its first
// use. Codes, names and members are of 2026 (Etalab, Licence Ouverte 2.0),
// coordinates of GeoNames (CC BY 4.0): 8,600 communes where four inhabitants in
// five live are placed within a few kilometres, the others are approximate.
func EmbeddedGazetteer() *Gazetteer { return embeddedGazetteer() }

func (g *Gazetteer) commune(i int32) Commune {
	r := &g.rows[i]
	c := Commune{
		Code: r.code, Name: r.name, Departement: r.departement.String(),
		Lat: float64(r.lat) / 1e6, Lon: float64(r.lon) / 1e6,
		Approximate: r.approximate, Population: int(r.population),
	}
	if r.epci >= 0 {
		c.EPCI = g.epcis[r.epci].code
	}
	c.Region = g.departements[c.Departement].Region
	return c
}

func (g *Gazetteer) communes(of []int32) []Commune {
	list := make([]Commune, len(of))
	for i, n := range of {
		list[i] = g.commune(n)
	}
	return list
}

// Len is the number of communes.
func (g *Gazetteer) Len() int { return len(g.rows) }

// All walks the communes, by code.
func (g *Gazetteer) All() iter.Seq[Commune] {
	return func(yield func(Commune) bool) {
		for i := range g.rows {
			if !yield(g.commune(int32(i))) {
				return
			}
		}
	}
}

// Commune finds a commune by its INSEE code. The code of a former commune, or
// of an arrondissement of Paris, Lyon or Marseille, gives the commune that
// holds it now.
func (g *Gazetteer) Commune(code string) (Commune, bool) {
	i, ok := g.index(code)
	if !ok {
		if i, ok = g.index(g.former[code]); !ok {
			return Commune{}, false
		}
	}
	return g.commune(i), true
}

func (g *Gazetteer) index(code string) (int32, bool) {
	i, ok := slices.BinarySearchFunc(g.rows, code, func(r communeRow, code string) int { return strings.Compare(r.code, code) })
	return int32(i), ok
}

// Named lists the communes of a name whatever its accents, capitals, hyphens
// and abbreviations ("St Etienne" is Saint-Étienne), the most peopled first.
// Names are shared by up to a dozen communes: a caller that takes the first has
// to know that it is in the right place.
func (g *Gazetteer) Named(name string) []Commune { return g.communes(g.names()[nameKey(name)]) }

// PlacedIn goes through the communes whose middle is known and lies in a box, the
// most peopled first.
func (g *Gazetteer) PlacedIn(b Box) iter.Seq[Commune] {
	return func(yield func(Commune) bool) {
		for _, i := range g.byPeople() {
			r := &g.rows[i]
			if r.approximate || r.lat == 0 && r.lon == 0 || !b.Holds(float64(r.lat)/1e6, float64(r.lon)/1e6) {
				continue
			}
			if !yield(g.commune(i)) {
				return
			}
		}
	}
}

// WithPostcode lists the communes that a postcode serves, the most peopled first.
func (g *Gazetteer) WithPostcode(code string) []Commune { return g.communes(g.postcodes()[code]) }

// Beginning lists up to n communes whose name begins so, the most peopled first.
func (g *Gazetteer) Beginning(name string, n int) []Commune {
	key := nameKey(name)
	if key == "" {
		return nil
	}
	keys, names := g.keys(), g.names()
	var rows []int32
	i, _ := slices.BinarySearch(keys, key)
	for ; i < len(keys) && strings.HasPrefix(keys[i], key); i++ {
		rows = append(rows, names[keys[i]]...)
	}
	slices.SortStableFunc(rows, func(a, b int32) int { return int(g.rows[b].population) - int(g.rows[a].population) })
	return g.communes(rows[:min(n, len(rows))])
}

// nameKey folds a commune's name.
func nameKey(name string) string {
	words := strings.Split(Slug(name), "-")
	for i, w := range words {
		switch w {
		case "st":
			words[i] = "saint"
		case "ste":
			words[i] = "sainte"
		}
	}
	return strings.Join(words, "-")
}

// indexBy lists the rows under each key, the most peopled first.
func (g *Gazetteer) indexBy(keys func(*communeRow) []string) map[string][]int32 {
	m := make(map[string][]int32, len(g.rows))
	for i := range g.rows {
		for _, k := range keys(&g.rows[i]) {
			m[k] = append(m[k], int32(i))
		}
	}
	for _, list := range m {
		slices.SortStableFunc(list, func(a, b int32) int { return int(g.rows[b].population) - int(g.rows[a].population) })
	}
	return m
}

// EPCI finds an intercommunalité by its SIREN, with its communes.
func (g *Gazetteer) EPCI(siren string) (EPCI, bool) {
	i, ok := slices.BinarySearchFunc(g.epcis, siren, func(e epciRow, siren string) int { return strings.Compare(e.code, siren) })
	if !ok {
		return EPCI{}, false
	}
	row := g.epcis[i]
	e := EPCI{Code: row.code, Name: row.name, Communes: make([]string, len(row.members))}
	for i, m := range row.members {
		e.Communes[i] = g.rows[m].code
	}
	return e, true
}

// Departement finds a département by its code.
func (g *Gazetteer) Departement(code string) (Departement, bool) {
	d, ok := g.departements[code]
	return d, ok
}

// Region finds a région by its code.
func (g *Gazetteer) Region(code string) (Region, bool) {
	r, ok := g.regions[code]
	return r, ok
}

// Nearest is the commune whose middle is nearest to a point in degrees, and its
// distance in kilometres; communes placed approximately are passed over. The
// distance tells whether the point is in France at all.
func (g *Gazetteer) Nearest(lat, lon float64) (Commune, float64) {
	best, at := math.Inf(1), int32(-1)
	scale := math.Cos(lat * math.Pi / 180)
	for i := range g.rows {
		r := &g.rows[i]
		if r.approximate || r.lat == 0 && r.lon == 0 {
			continue
		}
		// Degrees on a flat map are enough to compare neighbours.
		dy, dx := float64(r.lat)/1e6-lat, (float64(r.lon)/1e6-lon)*scale
		if d := dx*dx + dy*dy; d < best {
			best, at = d, int32(i)
		}
	}
	if at < 0 {
		return Commune{}, math.Inf(1)
	}
	c := g.commune(at)
	return c, Distance(lat, lon, c.Lat, c.Lon)
}

// Within lists the communes of a territory's perimeter, by code.
func (g *Gazetteer) Within(t Territory) []Commune {
	var list []int32
	for i := range g.rows {
		if r := &g.rows[i]; g.covers(t, r) {
			list = append(list, int32(i))
		}
	}
	return g.communes(list)
}

// Covers tells whether a commune, by its INSEE code, lies in the perimeter.
func (g *Gazetteer) Covers(t Territory, insee string) bool {
	i, ok := g.index(insee)
	if !ok {
		i, ok = g.index(g.former[insee])
	}
	return ok && g.covers(t, &g.rows[i])
}

func (g *Gazetteer) covers(t Territory, r *communeRow) bool {
	return slices.Contains(t.Communes, r.code) ||
		r.epci >= 0 && slices.Contains(t.EPCIs, g.epcis[r.epci].code) ||
		slices.Contains(t.Departements, r.departement.String())
}

// Centre is the middle of a perimeter, where its people live; not ok when no
// commune of it is placed.
func (g *Gazetteer) Centre(t Territory) (lat, lon float64, ok bool) {
	var weight float64
	for _, c := range g.Within(t) {
		if !c.Located() {
			continue
		}
		w := float64(c.Population) + 1
		lat, lon, weight = lat+c.Lat*w, lon+c.Lon*w, weight+w
	}
	if weight == 0 {
		return 0, 0, false
	}
	return lat / weight, lon / weight, true
}
