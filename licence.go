// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "strings"

// Licence is a line of the table of licences. Ids are SPDX identifiers in lower
// case, but for the two that only allow a link.
type Licence struct {
	ID   string
	Name string
	// IRI is what dcterms:license carries.
	IRI string
	// Free records may be exported, copied, adapted and served again. The rest is
	// shown and linked only.
	Free bool
}

// DefaultLicence is what people's own writing gets unless they choose another.
const DefaultLicence = "cc-by-sa-4.0"

var licences = [...]Licence{
	{"cc-by-sa-4.0", "CC BY-SA 4.0", "https://creativecommons.org/licenses/by-sa/4.0/", true},
	{"cc-by-4.0", "CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/", true},
	{"cc0-1.0", "CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/", true},
	{"cc-by-sa-3.0", "CC BY-SA 3.0", "https://creativecommons.org/licenses/by-sa/3.0/", true},
	{"cc-by-sa-2.0-fr", "CC BY-SA 2.0 FR", "https://creativecommons.org/licenses/by-sa/2.0/fr/", true},
	{"fal-1.3", "Licence Art Libre 1.3", "https://artlibre.org/licence/lal/", true},
	{"etalab-2.0", "Licence Ouverte 2.0", "https://spdx.org/licenses/etalab-2.0.html", true},
	{"odbl-1.0", "ODbL 1.0", "https://opendatacommons.org/licenses/odbl/1-0/", true},
	{"cc-pddc", "Domaine public", "https://creativecommons.org/licenses/publicdomain/", true},
	{"cc-by-nc-nd", "CC BY-NC-ND", "https://creativecommons.org/licenses/by-nc-nd/4.0/", false},
	{"tous-droits", "Tous droits réservés", "https://w3id.org/essaim/licences#tous-droits", false},
}

// Licences lists the table, the default first.
func Licences() []Licence { return licences[:] }

// LicenceByID finds a licence by its identifier, whatever its case.
func LicenceByID(id string) (Licence, bool) {
	id = strings.ToLower(strings.TrimSpace(id))
	for _, l := range licences {
		if l.ID == id {
			return l, true
		}
	}
	return Licence{}, false
}

// LicenceByIRI finds a licence by its address, http or https, with or without
// the last slash; that of Creative Commons' summary ("deed.fr") or legal text
// names the licence too.
func LicenceByIRI(iri string) (Licence, bool) {
	key := func(s string) string {
		s = strings.TrimPrefix(strings.TrimPrefix(s, "https://"), "http://")
		if at := strings.LastIndexByte(s, '/'); at >= 0 && (strings.HasPrefix(s[at:], "/deed") || strings.HasPrefix(s[at:], "/legalcode")) {
			s = s[:at]
		}
		return strings.TrimSuffix(s, "/")
	}
	for _, l := range licences {
		if key(l.IRI) == key(iri) {
			return l, true
		}
	}
	return Licence{}, false
}

// KnownLicence tells whether the table holds an identifier.
func KnownLicence(id string) bool {
	_, ok := LicenceByID(id)
	return ok
}

// Reusable tells whether a record under this licence may be exported, copied,
// adapted and served again by others.
func Reusable(id string) bool {
	l, ok := LicenceByID(id)
	return ok && l.Free
}
