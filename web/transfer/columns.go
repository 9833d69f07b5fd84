// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"essaim"
)

// Field is what a column can feed.
type Field string

// The fields that --map names. Several columns may feed one: the first that is
// filled counts, but for themes, services, street and hours, which add up.
const (
	FieldTitle       Field = "title"
	FieldTagline     Field = "tagline"
	FieldText        Field = "text"
	FieldLanguage    Field = "language"
	FieldLabel       Field = "label" // name of the place
	FieldStreet      Field = "street"
	FieldHouseNumber Field = "housenumber"
	FieldPostcode    Field = "postcode"
	FieldCity        Field = "city"
	FieldCountry     Field = "country"
	FieldCode        Field = "insee" // code of a commune, or of the level's territory
	FieldEPCI        Field = "epci"
	FieldDepartement Field = "departement"
	FieldRegion      Field = "region"
	FieldLevel       Field = "level" // commune, epci, departement, region
	FieldLat         Field = "lat"
	FieldLon         Field = "lon"
	FieldPoint       Field = "point" // "lat, lon" in one column
	FieldWebsite     Field = "website"
	FieldThemes      Field = "themes"
	FieldServices    Field = "services"
	FieldHours       Field = "hours"
	FieldSince       Field = "since"
	FieldStart       Field = "start" // a meeting's beginning
	FieldEnd         Field = "end"
	FieldSIREN       Field = "siren"
	FieldRNA         Field = "rna"
	FieldCarrier     Field = "carrier" // an organisation, never a person
	FieldSourceKey   Field = "source_key"
	FieldSourceURL   Field = "source_url"
	FieldSourceName  Field = "source_name"
	FieldUpdated     Field = "updated"
	FieldKind        Field = "kind"
	FieldLicence     Field = "licence"
	FieldHolder      Field = "holder"
	FieldEmail       Field = "email"
	FieldPhone       Field = "phone"
)

// columnNames are the names, folded, under which files write a field, the
// preferred first.
var columnNames = []struct {
	field Field
	names []string
}{
	{FieldTitle, []string{"title", "titre", "name", "nom", "nom structure", "nom lieu", "nom du lieu", "nom de la structure", "denomination", "raison sociale", "intitule", "libelle", "structure"}},
	{FieldTagline, []string{"tagline", "accroche", "resume", "summary", "en une phrase", "chapo", "sous titre", "description courte", "presentation resumee"}},
	{FieldText, []string{"text", "texte", "description", "description longue", "descriptif", "presentation", "presentation detail", "contenu", "content", "commentaire", "commentaires", "remarques"}},
	{FieldLanguage, []string{"language", "langue", "lang"}},
	{FieldLabel, []string{"label", "lieu", "nom commune", "libgeo", "place"}},
	{FieldHouseNumber, []string{"addr housenumber", "numero", "numero de voie", "housenumber"}},
	{FieldStreet, []string{"street", "adresse", "adresse postale", "address", "rue", "voie", "addr street", "street address", "streetaddress", "address streetaddress", "complement adresse", "adresse complement"}},
	{FieldPostcode, []string{"postcode", "code postal", "cp", "codepostal", "postal code", "zip", "addr postcode", "address postalcode", "postalcode"}},
	{FieldCity, []string{"city", "ville", "commune", "lib com", "libelle commune", "nom de la commune", "localite", "addr city", "address addresslocality", "addresslocality", "town"}},
	{FieldCountry, []string{"country", "pays", "addr country", "addresscountry", "address addresscountry"}},
	{FieldCode, []string{"insee", "code insee", "insee com", "codgeo", "code commune", "codeinsee", "com insee", "code insee commune", "insee code", "depcom", "code geo"}},
	{FieldEPCI, []string{"epci", "code epci", "siren epci"}},
	{FieldDepartement, []string{"departement", "insee dep", "code departement", "dep", "dept", "num dep", "department"}},
	{FieldRegion, []string{"region", "code region", "insee reg", "reg"}},
	{FieldLevel, []string{"level", "echelon", "niveau", "maille"}},
	{FieldLat, []string{"lat", "latitude", "y wgs84", "geo latitude", "gps lat"}},
	{FieldLon, []string{"lon", "longitude", "lng", "long", "x wgs84", "geo longitude", "gps lon"}},
	{FieldPoint, []string{"geo point 2d", "geo point", "coordonnees", "geolocalisation", "coordinates", "latlon", "latlong"}},
	{FieldWebsite, []string{"website", "url", "site", "site web", "site internet", "url lieu", "lien", "web", "page web", "homepage", "contact website", "url site"}},
	{FieldThemes, []string{"themes", "theme", "thematique", "thematiques", "categorie", "categories", "category", "type of initiative", "tags", "mots cles", "keywords", "free keywords", "domaine", "domaines"}},
	{FieldServices, []string{"services", "service", "offre", "prestations"}},
	{FieldHours, []string{"hours", "horaires", "horaires ouverture", "opening hours", "openinghours", "horaires d ouverture"}},
	{FieldSince, []string{"since", "depuis", "annee", "date creation", "annee creation", "date de creation", "annee de creation"}},
	{FieldStart, []string{"start", "debut", "date debut", "starttime", "dtstart", "date de debut"}},
	{FieldEnd, []string{"end", "fin", "date fin", "endtime", "dtend", "date de fin"}},
	{FieldSIREN, []string{"siren", "numero siren"}},
	{FieldRNA, []string{"rna", "numero rna", "waldec"}},
	{FieldCarrier, []string{"carrier", "porteur", "structure porteuse", "organisme", "organisme porteur", "gestionnaire"}},
	{FieldSourceKey, []string{"source key", "id", "identifiant", "uid", "uuid", "ref", "reference", "code unique"}},
	{FieldSourceURL, []string{"source url", "uri", "url source", "lien source", "permalink", "source"}},
	{FieldSourceName, []string{"source name", "nom source", "source nom"}},
	{FieldUpdated, []string{"updated", "mise a jour", "maj", "date maj", "updated at", "last modified", "modified", "date modification", "date de mise a jour", "timestamp"}},
	{FieldKind, []string{kindColumn, "kind", "essaim kind"}},
	{FieldLicence, []string{"licence", "license"}},
	{FieldHolder, []string{"holder", "rightsholder", "rights holder", "titulaire", "detenteur", "attribution"}},
	{FieldEmail, []string{"email", "mail", "e mail", "courriel", "contact email", "adresse mail", "contact mail", "adresse email", "adresse electronique"}},
	{FieldPhone, []string{"phone", "telephone", "tel", "contact tel", "contact phone", "numero de telephone", "portable", "mobile", "fax"}},
}

// dayColumn is a column that holds the hours of one day.
type dayColumn struct {
	column string
	day    int
}

// Mapping says which columns feed which field.
type Mapping struct {
	// Columns lists the columns of each field in order of preference.
	Columns map[Field][]string
	// Unused lists the columns that feed nothing.
	Unused []string

	days      []dayColumn
	languages map[string]string // column of a text → its language
	given     map[Field]bool    // said by --map: taken as it stands
}

// Fields lists the names that --map accepts.
func Fields() []string {
	out := make([]string, len(columnNames))
	for i, c := range columnNames {
		out[i] = string(c.field)
	}
	sort.Strings(out)
	return out
}

// Guess makes the mapping of a file: what the person says first
// (field → column, an empty column leaves the field out), then known names.
func Guess(f *File, override map[string]string) (*Mapping, error) {
	m := &Mapping{Columns: map[Field][]string{}, languages: map[string]string{}, given: map[Field]bool{}}
	taken := map[string]bool{}
	for field, column := range override {
		if !slices.Contains(Fields(), field) {
			return nil, fmt.Errorf("--map %s: no such field (known: %s): %w", field, strings.Join(Fields(), ", "), essaim.ErrInvalid)
		}
		m.given[Field(field)] = true
		if column == "" {
			continue
		}
		if !slices.Contains(f.Columns, column) {
			return nil, fmt.Errorf("--map %s=%s: no such column (the file has: %s): %w", field, column, strings.Join(f.Columns, ", "), essaim.ErrInvalid)
		}
		m.Columns[Field(field)] = []string{column}
		taken[column] = true
	}
	m.guessDays(f.Columns, taken)
	m.guessNames(f.Columns, taken)
	m.guessByShape(f, taken)
	for _, c := range f.Columns {
		if !taken[c] {
			m.Unused = append(m.Unused, c)
		}
	}
	return m, nil
}

// guessDays finds the columns of opening hours by day ("h_lundi", "mardi matin").
func (m *Mapping) guessDays(columns []string, taken map[string]bool) {
	if m.given[FieldHours] {
		return
	}
	for _, c := range columns {
		if d, ok := dayOf(Fold(c)); ok && !taken[c] {
			m.days = append(m.days, dayColumn{c, d})
			taken[c] = true
		}
	}
	if len(m.days) < 3 { // one stray "samedi" is no timetable
		for _, d := range m.days {
			delete(taken, d.column)
		}
		m.days = nil
	}
}

func (m *Mapping) guessNames(columns []string, taken map[string]bool) {
	byName := map[string][]string{}
	for _, c := range columns {
		if !taken[c] {
			byName[Fold(c)] = append(byName[Fold(c)], c)
		}
	}
	for _, known := range columnNames {
		if m.given[known.field] {
			continue
		}
		for _, name := range known.names {
			for _, c := range byName[name] {
				if !taken[c] {
					m.add(known.field, c, taken)
				}
			}
		}
	}
}

func (m *Mapping) add(f Field, column string, taken map[string]bool) {
	m.Columns[f] = append(m.Columns[f], column)
	taken[column] = true
}

// notTitles are the words that make "lib_x" or "nom_x" the name of something
// else than the record.
var notTitles = map[string]bool{
	"com": true, "commune": true, "dep": true, "departement": true, "reg": true, "region": true, "geo": true, "epci": true,
	"contact": true, "responsable": true, "prenom": true, "referent": true, "famille": true, "ville": true, "voie": true, "rue": true,
}

// guessByShape takes what no list of names foresees: "lib_fs" as a title,
// "id_fs" as a key, "description:fr" as a text in French.
func (m *Mapping) guessByShape(f *File, taken map[string]bool) {
	for _, c := range f.Columns {
		words := strings.Fields(Fold(c))
		if taken[c] || len(words) < 2 {
			continue
		}
		first, last := words[0], words[len(words)-1]
		switch {
		case len(m.Columns[FieldTitle]) == 0 && !m.given[FieldTitle] && (first == "lib" || first == "libelle" || first == "nom" || first == "intitule") && !notTitles[last]:
			m.add(FieldTitle, c, taken)
		case !m.given[FieldText] && (first == "description" || first == "presentation") && len(words) == 2 && len(last) == 2:
			m.languages[c] = last
			m.add(FieldText, c, taken)
		}
	}
	m.preferFrench()
	if len(m.Columns[FieldTitle]) == 0 && !m.given[FieldTitle] {
		// A table of territories has no other title than their names.
		m.Columns[FieldTitle] = append(m.Columns[FieldTitle], m.Columns[FieldLabel]...)
	}
	m.guessKey(f, taken)
}

// preferFrench puts the text in French before those in other languages.
func (m *Mapping) preferFrench() {
	rank := func(c string) int {
		switch m.languages[c] {
		case "":
			return 0
		case "fr":
			return 1
		case "en":
			return 2
		}
		return 3
	}
	slices.SortStableFunc(m.Columns[FieldText], func(a, b string) int { return rank(a) - rank(b) })
}

// guessKey takes as key of the rows a column "id_x" or "x_id" whose values are
// all there and all different in the sample.
func (m *Mapping) guessKey(f *File, taken map[string]bool) {
	if m.given[FieldSourceKey] {
		return
	}
	for _, c := range f.Columns {
		words := strings.Fields(Fold(c))
		if !taken[c] && len(words) >= 2 && (words[0] == "id" || words[len(words)-1] == "id") && unique(f.sample, c) {
			m.add(FieldSourceKey, c, taken)
		}
	}
	kept := m.Columns[FieldSourceKey][:0]
	for _, c := range m.Columns[FieldSourceKey] {
		if unique(f.sample, c) {
			kept = append(kept, c)
		}
	}
	m.Columns[FieldSourceKey] = kept[:min(len(kept), 1)]
}

func unique(rows []Row, column string) bool {
	seen := make(map[string]bool, len(rows))
	for _, r := range rows {
		v := r.Values[column]
		if r.Err != nil {
			continue
		}
		if v == "" || seen[v] {
			return false
		}
		seen[v] = true
	}
	return true
}

// Value gives the value of a field in a row, "" when none of its columns has one.
func (m *Mapping) Value(r Row, f Field) string {
	for _, c := range m.Columns[f] {
		if v := r.Values[c]; v != "" {
			return v
		}
	}
	return ""
}

// all gives the values of all columns of a field.
func (m *Mapping) all(r Row, f Field) []string {
	var out []string
	for _, c := range m.Columns[f] {
		if v := r.Values[c]; v != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// GuessKind says of what kind the rows are, and by what it shows. What is not
// recognised is an initiative.
func (m *Mapping) GuessKind(f *File) (essaim.Kind, string) {
	has := func(fields ...Field) bool {
		for _, x := range fields {
			if len(m.Columns[x]) > 0 {
				return true
			}
		}
		return false
	}
	switch {
	case has(FieldKind):
		return essaim.KindInitiative, "column " + m.Columns[FieldKind][0] + " says it row by row"
	case has(FieldStart):
		return essaim.KindMeeting, "column " + m.Columns[FieldStart][0]
	case len(m.days) > 0:
		return essaim.KindVenue, "opening hours by day"
	case has(FieldSIREN, FieldRNA):
		return essaim.KindOrganisation, "SIREN or RNA numbers"
	case has(FieldStreet) && has(FieldWebsite) && has(FieldEmail, FieldPhone):
		return essaim.KindOrganisation, "addresses with website and contacts"
	case has(FieldHours):
		return essaim.KindVenue, "opening hours"
	}
	return essaim.KindInitiative, "nothing shows another kind"
}

// Describe lists, for a report, what each field is read from and what is left
// out; contacts tells whether ways to reach people are kept.
func (m *Mapping) Describe(contacts bool) []string {
	var out, left []string
	for _, c := range columnNames {
		columns := m.Columns[c.field]
		if !contacts && (c.field == FieldEmail || c.field == FieldPhone) {
			left = append(left, columns...)
		} else if len(columns) > 0 {
			out = append(out, string(c.field)+" from "+strings.Join(columns, ", "))
		}
	}
	if len(m.days) > 0 {
		names := make([]string, len(m.days))
		for i, d := range m.days {
			names[i] = d.column
		}
		out = append(out, "hours from "+strings.Join(names, ", "))
	}
	if left = append(left, m.Unused...); len(left) > 0 {
		out = append(out, "left out: "+strings.Join(left, ", "))
	}
	return out
}

// named writes the names of what may be chosen.
func named[T any](rows []T, name func(T) string) string {
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = name(r)
	}
	return strings.Join(names, ", ")
}
