// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"essaim"
)

// Distances in kilometres. A point that is nearEnough to the middle of a commune
// may lie in it: the largest of mainland France are 40 km wide. A cell whose
// middle is farAway from any commune is surely elsewhere.
const (
	nearEnough = 25.0
	farAway    = 40.0
)

// cell is a square of a quarter of a degree: the distance to the nearest commune
// is computed once for each.
type cell struct{ lat, lon int16 }

// maxCells bounds what is remembered of them.
const maxCells = 20_000

// abroad says that a point is surely not in France.
func (c *Converter) abroad(lat, lon float64) bool {
	at := cell{int16(math.Floor(lat * 4)), int16(math.Floor(lon * 4))}
	far, ok := c.cells[at]
	if !ok {
		if len(c.cells) >= maxCells {
			clear(c.cells)
		}
		_, km := c.cfg.Gazetteer.Nearest((float64(at.lat)+0.5)/4, (float64(at.lon)+0.5)/4)
		far = km > farAway
		c.cells[at] = far
	}
	return far
}

var siren = regexp.MustCompile(`^2\d{8}$`)

// elsewhere is the code of a country that is not France and not known
// (ISO 3166-1 leaves it to users); an empty one would mean France.
const elsewhere = "ZZ"

// place makes the place of a row. ok is false when the row names none.
func (c *Converter) place(r Row) (pl essaim.Place, ok bool, err error) {
	m := c.mapping
	said := m.Value(r, FieldCountry)
	pl = essaim.Place{
		Street:   street(m, r),
		Postcode: m.Value(r, FieldPostcode),
		City:     m.Value(r, FieldCity),
		Country:  country(said),
	}
	if err := c.locate(&pl, r); err != nil {
		return pl, false, err
	}
	switch {
	case pl.Country == "FR":
		pl.Country = ""
	case pl.Country == "" && said != "":
		pl.Country = elsewhere
	}
	if label := m.Value(r, FieldLabel); label != pl.City {
		pl.Label = label
	}
	if code := strings.ToUpper(strings.ReplaceAll(m.Value(r, FieldCode), " ", "")); code != "" {
		pl.Country = ""
		err = c.byCode(&pl, code, m.Value(r, FieldLevel))
	} else if pl.Country == "" {
		c.byName(&pl, m.Value(r, FieldDepartement))
	}
	if v := m.Value(r, FieldEPCI); pl.EPCI == "" && pl.INSEE == "" && siren.MatchString(v) {
		pl.EPCI = v
	}
	code := pl.INSEE + pl.EPCI + pl.Departement + pl.Region
	if code == "" && said == "" && pl.Located() && c.abroad(*pl.Lat, *pl.Lon) {
		pl.Country = elsewhere
	}
	if err == nil {
		err = c.complete(&pl)
	}
	// A name that only repeats the town is no label.
	if pl.INSEE != "" && pl.Label == pl.City {
		pl.Label = ""
	}
	return pl, pl.Located() || code != "" || pl.City != "" || pl.Label != "", err
}

// areaWords name in a report what a code is of.
var areaWords = map[essaim.AreaLevel]string{
	essaim.AreaCommune: "commune", essaim.AreaEPCI: "EPCI", essaim.AreaDepartement: "département", essaim.AreaRegion: "region",
}

// complete gives a place what its codes say, and refuses one that says nothing.
func (c *Converter) complete(pl *essaim.Place) error {
	unknown := c.cfg.Gazetteer.Locate(pl)
	if len(unknown) == 0 {
		return nil
	}
	return fmt.Errorf("%s code %q is not known: %w", areaWords[unknown[0]], pl.Code(unknown[0]), essaim.ErrInvalid)
}

// street joins number, street and complement.
func street(m *Mapping, r Row) string {
	parts := m.all(r, FieldStreet)
	if n := m.Value(r, FieldHouseNumber); n != "" && len(parts) > 0 {
		parts[0] = n + " " + parts[0]
	}
	return strings.Join(strings.Fields(strings.Join(parts, ", ")), " ")
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// locate reads the point: the geometry first, then columns.
func (c *Converter) locate(pl *essaim.Place, r Row) error {
	if r.Lat != nil {
		pl.Lat, pl.Lon = r.Lat, r.Lon
		return nil
	}
	latText, lonText := c.mapping.Value(r, FieldLat), c.mapping.Value(r, FieldLon)
	if both := c.mapping.Value(r, FieldPoint); latText == "" && both != "" {
		if a, b, ok := strings.Cut(both, ","); ok {
			latText, lonText = strings.TrimSpace(a), strings.TrimSpace(b)
		}
	}
	if latText == "" && lonText == "" {
		return nil
	}
	lat, err1 := degrees(latText)
	lon, err2 := degrees(lonText)
	if err1 != nil || err2 != nil {
		return fmt.Errorf("coordinates %q, %q: %w", latText, lonText, essaim.ErrInvalid)
	}
	if lat == 0 && lon == 0 {
		return nil // the point that programs write for none
	}
	if err := checkDegrees(lat, lon); err != nil {
		return err
	}
	pl.Lat, pl.Lon = essaim.Point(lat, lon)
	return nil
}

// degrees reads a number with a decimal point or comma.
func degrees(s string) (float64, error) {
	v, err := strconv.ParseFloat(strings.Replace(s, ",", ".", 1), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, essaim.ErrInvalid
	}
	return v, nil
}

// byCode fills the place from an official code at the level that the row names,
// that of a commune when it names none.
func (c *Converter) byCode(pl *essaim.Place, code, level string) error {
	name := pl.City
	if name == "" {
		name = pl.Label
	}
	switch Fold(level) {
	case "", "commune", "com":
		return c.byCommune(pl, code, name)
	case "epci", "intercommunalite", "petr", "syndicat":
		if !siren.MatchString(code) {
			return fmt.Errorf("%q is no SIREN of an EPCI: %w", code, essaim.ErrInvalid)
		}
		pl.EPCI, pl.Level = code, "epci"
	case "departement", "dep":
		fixed, known, err := mendZero(code, name, 2, func(code string) (string, bool) {
			d, ok := c.cfg.Gazetteer.Departement(code)
			return d.Name, ok
		})
		if err != nil {
			return fmt.Errorf("département %w", err)
		}
		pl.Departement, pl.Level, pl.Label = fixed, "departement", known
	case "region", "reg":
		fixed, known, err := mendZero(code, name, 2, func(code string) (string, bool) {
			r, ok := c.cfg.Gazetteer.Region(code)
			return r.Name, ok
		})
		if err != nil {
			return fmt.Errorf("region %w", err)
		}
		pl.Region, pl.Level, pl.Label = fixed, "region", known
	default:
		return fmt.Errorf("level %q is not known: %w", level, essaim.ErrInvalid)
	}
	return nil
}

// mendZero finds a code, or the same with the zero that a spreadsheet took from
// its front when the name of the row is that of the mended code.
func mendZero(code, name string, length int, find func(string) (string, bool)) (fixed, known string, err error) {
	if known, ok := find(code); ok {
		return code, known, nil
	}
	if len(code) == length-1 && isDigits(code) {
		known, ok := find("0" + code)
		if ok && Fold(known) == Fold(name) {
			return "0" + code, known, nil
		}
		if ok {
			return "", "", fmt.Errorf("code %q is too short, and 0%s is %s, not %q: %w", code, code, known, name, essaim.ErrInvalid)
		}
	}
	return "", "", fmt.Errorf("code %q is not known: %w", code, essaim.ErrInvalid)
}

// byCommune reads the code of a commune.
func (c *Converter) byCommune(pl *essaim.Place, code, name string) error {
	fixed, _, err := mendZero(code, name, 5, func(code string) (string, bool) {
		k, ok := c.cfg.Gazetteer.Commune(code)
		return k.Name, ok
	})
	if err != nil {
		return fmt.Errorf("commune %w", err)
	}
	pl.INSEE = fixed
	if fixed != code && len(pl.Postcode) == 4 && isDigits(pl.Postcode) {
		pl.Postcode = "0" + pl.Postcode
	}
	return nil
}

// byName finds the commune of a name, only when the département or the point of
// the row says the same and one commune remains: 1,441 names are shared.
func (c *Converter) byName(pl *essaim.Place, departement string) {
	if pl.City == "" {
		return
	}
	departement = departementCode(departement)
	fromPostcode := departementOf(pl.Postcode)
	if departement == "" && fromPostcode == "" && !pl.Located() {
		return
	}
	pointOnly := departement == "" && fromPostcode == ""
	var found []essaim.Commune
	for _, k := range c.named(pl.City) {
		agrees := (departement == "" || k.Departement == departement) &&
			(fromPostcode == "" || k.Departement == fromPostcode || fromPostcode == "20" && strings.HasPrefix(k.Departement, "2")) &&
			(!pl.Located() || !k.Located() || k.Approximate || essaim.Distance(*pl.Lat, *pl.Lon, k.Lat, k.Lon) <= nearEnough)
		if agrees && !(pointOnly && k.Approximate) {
			found = append(found, k)
		}
	}
	if len(found) == 1 {
		pl.INSEE = found[0].Code
	}
}

// cityNoise are what addresses add to the name of a commune.
var cityNoise = regexp.MustCompile(`(?i)\s+(cedex(\s+\d+)?|\d{1,2}\s*(e|er|ème|eme)?(\s+arrondissement)?)\s*$`)

// named finds communes by name, without CEDEX or arrondissement.
func (c *Converter) named(city string) []essaim.Commune {
	if found := c.cfg.Gazetteer.Named(city); len(found) > 0 {
		return found
	}
	return c.cfg.Gazetteer.Named(cityNoise.ReplaceAllString(city, ""))
}

// departementCode reads a column of départements: a code, with or without its
// zero; a name gives nothing.
func departementCode(s string) string {
	s = strings.ToUpper(strings.TrimSpace(s))
	if len(s) == 1 && isDigits(s) {
		return "0" + s
	}
	if len(s) == 2 && (isDigits(s) || s == "2A" || s == "2B") || len(s) == 3 && isDigits(s) && s > "970" && s < "977" {
		return s
	}
	return ""
}

// departementOf gives the département of a French postcode; "20" for Corsica,
// whose postcodes do not tell its two apart for sure.
func departementOf(postcode string) string {
	if len(postcode) != 5 || !isDigits(postcode) {
		return ""
	}
	if d := postcode[:2]; d != "97" && d != "98" {
		return d
	}
	return postcode[:3]
}
