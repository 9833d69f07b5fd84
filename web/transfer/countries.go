// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import "strings"

// countryNames gives the ISO 3166-1 code of the names that files write, folded.
var countryNames = map[string]string{
	"france": "FR", "frace": "FR", "fr": "FR",
	"osterreich": "AT", "austria": "AT", "autriche": "AT",
	"england": "GB", "uk": "GB", "united kingdom": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB", "great britain": "GB", "royaume uni": "GB",
	"isle of man": "IM",
	"italy":       "IT", "italia": "IT", "italu": "IT", "italie": "IT",
	"portugal": "PT", "portogallo": "PT",
	"deutschland": "DE", "germany": "DE", "allemagne": "DE",
	"ελλαδα": "GR", "greece": "GR", "grece": "GR", "el": "GR",
	"spain": "ES", "espana": "ES", "espagne": "ES",
	"belgique": "BE", "belgium": "BE", "belgie": "BE",
	"estonia": "EE", "eesti": "EE", "estonie": "EE",
	"hungary": "HU", "magyarorszag": "HU", "hongrie": "HU",
	"malta": "MT", "malte": "MT",
	"slovenia": "SI", "slovenija": "SI", "slovenie": "SI",
	"romania": "RO", "roumanie": "RO",
	"serbia": "RS", "serbie": "RS", "srbija": "RS",
	"croatia": "HR", "hrvatska": "HR", "croatie": "HR",
	"czech republic": "CZ", "czechia": "CZ", "tchequie": "CZ", "cesko": "CZ",
	"poland": "PL", "polska": "PL", "pologne": "PL",
	"finland": "FI", "suomi": "FI", "finlande": "FI",
	"cyprus": "CY", "cypres": "CY", "chypre": "CY",
	"ireland": "IE", "irlande": "IE",
	"bulgaria": "BG", "bulgarie": "BG",
	"slovakia": "SK", "slovensko": "SK", "slovaquie": "SK",
	"latvia": "LV", "latvija": "LV", "lettonie": "LV",
	"lithuania": "LT", "lietuva": "LT", "lituanie": "LT",
	"netherlands": "NL", "nederland": "NL", "pays bas": "NL",
	"switzerland": "CH", "suisse": "CH", "schweiz": "CH",
	"luxembourg": "LU", "denmark": "DK", "danmark": "DK", "danemark": "DK",
	"sweden": "SE", "sverige": "SE", "suede": "SE", "norway": "NO", "norge": "NO", "norvege": "NO",
	"ghana": "GH", "uganda": "UG", "kenya": "KE", "canada": "CA", "united states": "US", "usa": "US",
}

// country gives the code of a country: two letters as they stand, known names;
// "" for what is neither.
func country(s string) string {
	f := Fold(s)
	if code, ok := countryNames[f]; ok {
		return code
	}
	if len(f) == 2 && f[0] >= 'a' && f[0] <= 'z' && f[1] >= 'a' && f[1] <= 'z' {
		return strings.ToUpper(f)
	}
	return ""
}
