// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "regexp"

// Organisation is a body that carries initiatives (structure, réseau).
// Membership of another is a relation.
type Organisation struct {
	LegalForm    string   `json:"legalForm,omitempty"`    // ListActor
	AddressSince string   `json:"addressSince,omitempty"` // partial date
	Founded      string   `json:"founded,omitempty"`      // partial date
	RNA          string   `json:"rna,omitempty"`          // répertoire national des associations
	SIREN        string   `json:"siren,omitempty"`
	Services     []string `json:"services,omitempty"`
}

var (
	rnaNumber   = regexp.MustCompile(`^W[0-9A-Z]{9}$`)
	sirenNumber = regexp.MustCompile(`^[0-9]{9}$`)
)

// Kind implements Body.
func (*Organisation) Kind() Kind { return KindOrganisation }

// Validate implements Body.
func (b *Organisation) Validate(p Problems, _ bool) {
	p.oneOf("body.legalForm", ListActor, b.LegalForm)
	p.partialDate("body.addressSince", b.AddressSince)
	p.partialDate("body.founded", b.Founded)
	if b.RNA != "" && !rnaNumber.MatchString(b.RNA) {
		p.Add("body.rna", "bad_number")
	}
	if b.SIREN != "" && !sirenNumber.MatchString(b.SIREN) {
		p.Add("body.siren", "bad_number")
	}
	p.words("body.services", b.Services)
}
