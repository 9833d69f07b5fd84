// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"strings"
	"time"

	"essaim"
)

const (
	purposeBase = "https://w3id.org/essaim/purposes#"
	formBase    = "https://w3id.org/essaim/forms#"
)

// initiativeTerms are the properties of an Article of kind initiative.
type initiativeTerms struct {
	// StartTime and EndTime are full dates, as ActivityStreams wants them; the
	// partial dates beside them say how much is really known.
	StartTime moment `json:"startTime,omitzero"`
	EndTime   moment `json:"endTime,omitzero"`
	Since     text   `json:"essaim:since,omitempty"`
	Until     text   `json:"essaim:until,omitempty"`

	Stage    text  `json:"essaim:stage,omitempty"`
	Activity text  `json:"essaim:activity,omitempty"`
	Purposes iris  `json:"essaim:purposes,omitempty"`
	Forms    iris  `json:"essaim:forms,omitempty"`
	Publics  texts `json:"essaim:publics,omitempty"`
	Methods  texts `json:"essaim:methods,omitempty"`
	Scope    text  `json:"essaim:scope,omitempty"`

	Need            text `json:"essaim:need,omitempty"`
	Participation   text `json:"essaim:participation,omitempty"`
	Trigger         text `json:"essaim:trigger,omitempty"`
	Novelty         text `json:"essaim:novelty,omitempty"`
	SocialValue     text `json:"essaim:socialValue,omitempty"`
	EconomicModel   text `json:"essaim:economicModel,omitempty"`
	Transferability text `json:"essaim:transferability,omitempty"`
	Levers          text `json:"essaim:levers,omitempty"`
	Obstacles       text `json:"essaim:obstacles,omitempty"`
	Advice          text `json:"essaim:advice,omitempty"`

	Indicators listOf[indicator] `json:"essaim:indicators,omitempty"`
}

type indicator struct {
	Label  text `json:"label"`
	Value  text `json:"value"`
	Unit   text `json:"unit,omitempty"`
	Source text `json:"source,omitempty"`
	Date   text `json:"date,omitempty"`
}

func (t *initiativeTerms) fill(rec *essaim.Record) {
	b := rec.Body.(*essaim.Initiative)
	*t = initiativeTerms{
		StartTime: periodStart(b.Since), EndTime: periodEnd(b.Until), Since: text(b.Since), Until: text(b.Until),
		Stage: text(b.Stage), Activity: text(b.Activity), Purposes: concepts(purposeBase, b.Purposes), Forms: concepts(formBase, b.Forms),
		Publics: b.Publics, Methods: b.Methods, Scope: text(b.Scope),
		Need: text(b.Need), Participation: text(b.Participation), Trigger: text(b.Trigger), Novelty: text(b.Novelty),
		SocialValue: text(b.SocialValue), EconomicModel: text(b.EconomicModel), Transferability: text(b.Transferability),
		Levers: text(b.Levers), Obstacles: text(b.Obstacles), Advice: text(b.Advice),
	}
	for _, i := range b.Indicators {
		t.Indicators = append(t.Indicators, indicator{text(i.Label), text(i.Value), text(i.Unit), text(i.Source), text(i.Date)})
	}
}

func (t *initiativeTerms) body(*head) essaim.Body {
	b := &essaim.Initiative{
		Since: known(t.Since, t.StartTime), Until: known(t.Until, t.EndTime),
		Stage: string(t.Stage), Activity: string(t.Activity), Purposes: conceptIDs(purposeBase, t.Purposes), Forms: conceptIDs(formBase, t.Forms),
		Publics: conceptWords(t.Publics), Methods: conceptWords(t.Methods), Scope: string(t.Scope),
		Need: string(t.Need), Participation: string(t.Participation), Trigger: string(t.Trigger), Novelty: string(t.Novelty),
		SocialValue: string(t.SocialValue), EconomicModel: string(t.EconomicModel), Transferability: string(t.Transferability),
		Levers: string(t.Levers), Obstacles: string(t.Obstacles), Advice: string(t.Advice),
	}
	for _, i := range t.Indicators {
		b.Indicators = append(b.Indicators, essaim.Indicator{Label: string(i.Label), Value: string(i.Value), Unit: string(i.Unit), Source: string(i.Source), Date: string(i.Date)})
	}
	return b
}

func (t *initiativeTerms) tell(p *page) {
	p.terms(label{"Étape", "Stage"}, essaim.ListStage, string(t.Stage))
	p.terms(label{"Activité", "Activity"}, essaim.ListActivity, string(t.Activity))
	p.line(label{"Depuis", "Since"}, p.date(string(t.Since)))
	p.line(label{"Jusqu’à", "Until"}, p.date(string(t.Until)))
	p.terms(label{"Finalités", "Purposes"}, essaim.ListPurpose, conceptIDs(purposeBase, t.Purposes)...)
	p.terms(label{"Formes", "Forms"}, essaim.ListForm, conceptIDs(formBase, t.Forms)...)
	p.line(label{"Publics", "For whom"}, t.Publics...)
	p.line(label{"Méthodes", "Methods"}, t.Methods...)
	p.terms(label{"Échelle", "Scope"}, essaim.ListLevel, string(t.Scope))
	for _, s := range []struct {
		label label
		text  text
	}{
		{label{"Le besoin", "The need"}, t.Need},
		{label{"La participation des personnes concernées", "How the people concerned take part"}, t.Participation},
		{label{"L’élément déclencheur", "What set it off"}, t.Trigger},
		{label{"Ce qui est nouveau", "What is new"}, t.Novelty},
		{label{"L’utilité sociale", "Social value"}, t.SocialValue},
		{label{"Le modèle économique", "Economic model"}, t.EconomicModel},
		{label{"Ce qui peut se transposer", "What can be transferred"}, t.Transferability},
		{label{"Facilitations", "What helped"}, t.Levers},
		{label{"Freins", "Obstacles"}, t.Obstacles},
		{label{"Conseils", "Advice"}, t.Advice},
	} {
		p.markup(s.label, string(s.text))
	}
	var figures []string
	for _, i := range t.Indicators {
		s := string(i.Label) + p.colon() + strings.TrimSpace(string(i.Value)+" "+string(i.Unit))
		if about := strings.Trim(string(i.Source)+", "+p.date(string(i.Date)), ", "); about != "" {
			s += " (" + about + ")"
		}
		figures = append(figures, s)
	}
	p.list(label{"Repères chiffrés", "Figures"}, figures)
}

func concepts(base string, ids []string) iris {
	var list iris
	for _, id := range ids {
		list = append(list, base+id)
	}
	return list
}

func conceptIDs(base string, list iris) []string {
	var ids []string
	for _, c := range list {
		if id, ok := strings.CutPrefix(c, base); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// conceptWords reads words where a node may write the addresses of concepts: the
// last part of an address says what it is about.
func conceptWords(list texts) []string {
	var out []string
	for _, s := range list {
		if i := strings.LastIndexByte(s, '#'); i >= 0 && i < len(s)-1 && strings.HasPrefix(s, "https://") {
			s = strings.ReplaceAll(s[i+1:], "-", " ")
		}
		out = append(out, s)
	}
	return out
}

// partial reads a partial date ("2003", "2006-03", "2006-03-26") as the first
// moment of its period and the first of the next.
func partial(s string) (from, to time.Time) {
	for layout, next := range map[string][3]int{"2006": {1, 0, 0}, "2006-01": {0, 1, 0}, time.DateOnly: {0, 0, 1}} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, t.AddDate(next[0], next[1], next[2])
		}
	}
	return time.Time{}, time.Time{}
}

func periodStart(s string) moment {
	from, _ := partial(s)
	return moment{from}
}

func periodEnd(s string) moment {
	_, to := partial(s)
	if to.IsZero() {
		return moment{}
	}
	return moment{to.Add(-time.Second)}
}

// known is the partial date, or the day of a full one from other software.
func known(partial text, full moment) string {
	if partial != "" || full.IsZero() {
		return string(partial)
	}
	return full.Format(time.DateOnly)
}
