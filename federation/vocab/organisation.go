// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import "essaim"

// organisationTerms are the properties of an Article of kind organisation.
// Membership is a relation, in the head.
type organisationTerms struct {
	StartTime    moment        `json:"startTime,omitzero"`
	Founded      text          `json:"essaim:founded,omitempty"`
	LegalForm    text          `json:"essaim:legalForm,omitempty"`
	AddressSince text          `json:"essaim:addressSince,omitempty"`
	Registry     one[registry] `json:"essaim:registry,omitzero"`
	Services     texts         `json:"essaim:services,omitempty"`
}

// registry holds the official numbers of a French body.
type registry struct {
	RNA   text `json:"rna,omitempty"`
	SIREN text `json:"siren,omitempty"`
}

func (t *organisationTerms) fill(rec *essaim.Record) {
	b := rec.Body.(*essaim.Organisation)
	*t = organisationTerms{
		StartTime: periodStart(b.Founded), Founded: text(b.Founded), LegalForm: text(b.LegalForm),
		AddressSince: text(b.AddressSince), Services: b.Services,
	}
	if b.RNA != "" || b.SIREN != "" {
		t.Registry = only(registry{RNA: text(b.RNA), SIREN: text(b.SIREN)})
	}
}

func (t *organisationTerms) body(*head) essaim.Body {
	b := &essaim.Organisation{
		Founded: known(t.Founded, t.StartTime), LegalForm: string(t.LegalForm), AddressSince: string(t.AddressSince), Services: t.Services,
	}
	if t.Registry.v != nil {
		b.RNA, b.SIREN = string(t.Registry.v.RNA), string(t.Registry.v.SIREN)
	}
	return b
}

func (t *organisationTerms) tell(p *page) {
	p.terms(label{"Statut", "Legal form"}, essaim.ListActor, string(t.LegalForm))
	p.line(label{"Création", "Founded"}, p.date(string(t.Founded)))
	p.line(label{"À cette adresse depuis", "At this address since"}, p.date(string(t.AddressSince)))
	if t.Registry.v != nil {
		p.line(label{"RNA", "RNA"}, string(t.Registry.v.RNA))
		p.line(label{"SIREN", "SIREN"}, string(t.Registry.v.SIREN))
	}
	p.list(label{"Services", "Services"}, t.Services)
}
