// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "strconv"

// Initiative is what people invent in a territory (initiative, fiche). All long
// fields are Markdown; all but the head's minimum wait at people's own pace.
type Initiative struct {
	Stage    string `json:"stage,omitempty"`    // ListStage
	Activity string `json:"activity,omitempty"` // ListActivity
	// Since and Until are partial dates: "2003", "2006-03", "2006-03-26".
	Since    string   `json:"since,omitempty"`
	Until    string   `json:"until,omitempty"`
	Purposes []string `json:"purposes,omitempty"` // ListPurpose
	Forms    []string `json:"forms,omitempty"`    // ListForm
	Publics  []string `json:"publics,omitempty"`  // free words: who it is for
	Methods  []string `json:"methods,omitempty"`  // free words: ways of working
	Scope    string   `json:"scope,omitempty"`    // ListLevel

	Need            string `json:"need,omitempty"`
	Participation   string `json:"participation,omitempty"`
	Trigger         string `json:"trigger,omitempty"`
	Novelty         string `json:"novelty,omitempty"`
	SocialValue     string `json:"socialValue,omitempty"`
	EconomicModel   string `json:"economicModel,omitempty"`
	Transferability string `json:"transferability,omitempty"`
	Levers          string `json:"levers,omitempty"`    // facilitations
	Obstacles       string `json:"obstacles,omitempty"` // freins
	Advice          string `json:"advice,omitempty"`    // conseils

	Indicators []Indicator `json:"indicators,omitempty"`
}

// Indicator is a declared, sourced figure of social utility; never ranked.
type Indicator struct {
	Label  string `json:"label"`
	Value  string `json:"value"`
	Unit   string `json:"unit,omitempty"`
	Source string `json:"source,omitempty"`
	Date   string `json:"date,omitempty"`
}

// Kind implements Body.
func (*Initiative) Kind() Kind { return KindInitiative }

// Validate implements Body.
func (b *Initiative) Validate(p Problems, _ bool) {
	p.oneOf("body.stage", ListStage, b.Stage)
	p.oneOf("body.activity", ListActivity, b.Activity)
	p.oneOf("body.scope", ListLevel, b.Scope)
	p.allOf("body.purposes", ListPurpose, b.Purposes)
	p.allOf("body.forms", ListForm, b.Forms)
	p.partialDate("body.since", b.Since)
	p.partialDate("body.until", b.Until)
	if b.Since != "" && b.Until != "" && b.Until < b.Since[:min(len(b.Since), len(b.Until))] {
		p.Add("body.until", "before_start")
	}
	p.words("body.publics", b.Publics)
	p.words("body.methods", b.Methods)
	for field, s := range map[string]string{
		"need": b.Need, "participation": b.Participation, "trigger": b.Trigger, "novelty": b.Novelty,
		"socialValue": b.SocialValue, "economicModel": b.EconomicModel, "transferability": b.Transferability,
		"levers": b.Levers, "obstacles": b.Obstacles, "advice": b.Advice,
	} {
		p.within("body."+field, s, 20_000)
	}
	p.atMost("body.indicators", len(b.Indicators), 30)
	for i, ind := range b.Indicators {
		at := "body.indicators." + strconv.Itoa(i)
		p.required(at+".label", ind.Label, 200)
		p.required(at+".value", ind.Value, 100)
		p.partialDate(at+".date", ind.Date)
	}
}

func (p Problems) words(field string, words []string) {
	p.atMost(field, len(words), 30)
	for i, w := range words {
		p.required(field+"."+strconv.Itoa(i), w, 100)
	}
}
