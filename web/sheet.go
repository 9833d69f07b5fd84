// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"cmp"
	"strings"

	"essaim"
)

// Sheet is a record laid out to be read from its first word to its last, as
// paper is: what a booklet shows of it, as a page and as a PDF.
type Sheet struct {
	Record  essaim.Record
	Number  int
	Facts   []SheetFact
	Parts   []SheetPart
	Credit  string // the line by which it is credited
	Address string // where it is read online
	From    Origin // how its origin fared when this was made
}

// SheetFact is a short answer with its name.
type SheetFact struct {
	Name   string
	Values []string
	Own    bool // in the record's own words, and not in those of the page
}

// SheetPart is a heading with what stands under it, one of the three.
type SheetPart struct {
	Title string
	Text  string // Markdown
	Items []string
	Own   bool // the items are in the record's own words
	Steps []essaim.Step
}

// sheet lays out a record of any kind; a test walks the kinds and their fields.
func (l *locale) sheet(rec essaim.Record) Sheet {
	sh := Sheet{Record: rec, Credit: credit(l, rec), Address: rec.URL}
	b, isMeeting := rec.Body.(*essaim.Meeting)
	if isMeeting {
		sh.fact(l.T("field.on"), l.When(b))
	}
	sh.text("", rec.Text)
	switch b := rec.Body.(type) {
	case *essaim.Initiative:
		sh.initiative(l, b)
	case *essaim.Recipe:
		sh.recipe(l, b)
	case *essaim.Venue:
		sh.list(l.T("fact.services"), b.Services)
		var hours []string
		for _, row := range l.hoursRows(b.OpeningHours) {
			hours = append(hours, row.Days+l.T("print.colon")+strings.Join(row.Hours, ", "))
		}
		if len(hours) > 0 {
			sh.Parts = append(sh.Parts, SheetPart{Title: l.T("field.openingHours"), Items: hours})
		}
		sh.text(l.T("field.access"), b.Access)
	case *essaim.Organisation:
		sh.list(l.T("fact.does"), b.Services)
		sh.term(l, "field.legalForm", essaim.ListActor, b.LegalForm)
		sh.fact(l.T("field.founded"), l.Partial(b.Founded))
		sh.fact(l.T("field.addressSince"), l.Partial(b.AddressSince))
		sh.fact(l.T("field.rna"), b.RNA)
		sh.fact(l.T("field.siren"), sirenGroups(b.SIREN))
	case *essaim.Meeting:
		sh.meeting(l, b)
	case *essaim.Remake:
		sh.term(l, "field.outcome", essaim.ListOutcome, b.Outcome)
		sh.fact(l.T("field.on"), l.Partial(b.On))
		sh.text(l.T("field.changes"), b.Changes)
		sh.text(l.T("field.advice"), b.Advice)
	}
	sh.list(l.T("record.help_wanted"), helpLines(l, rec.HelpWanted))
	sh.list(l.T("record.help_offered"), helpLines(l, rec.HelpOffered))
	sh.head(l)
	return sh
}

// head adds what records of all kinds tell of themselves.
func (sh *Sheet) head(l *locale) {
	rec := sh.Record
	var places, themes []string
	for _, p := range rec.Places {
		at := placeName(l, p)
		if p.Street != "" {
			at += ", " + p.Street
		}
		places = append(places, at)
	}
	if len(places) == 0 && rec.Everywhere {
		places = []string{l.T("place.everywhere")}
	}
	sh.fact(l.N("fact.places", max(1, len(places))), places...)
	groups, unnamed := creditGroups(rec.Content)
	for _, g := range groups {
		var names []string
		for _, c := range g.Credits {
			names = append(names, c.Name)
		}
		sh.fact(l.term(essaim.ListRole, g.Role), names...)
	}
	if unnamed > 0 {
		sh.fact(l.T("record.carried"), l.N("record.unnamed", unnamed))
	}
	for _, id := range rec.Themes {
		themes = append(themes, l.theme(id))
	}
	sh.fact(l.T("field.themes"), themes...)
	var links []string
	for _, link := range rec.Links {
		links = append(links, strings.TrimSpace(link.Name+" "+link.URL))
	}
	sh.list(l.T("record.links"), links)
	var sources []string
	for _, src := range rec.Sources {
		sources = append(sources, strings.TrimSpace(src.Name+" "+src.URL))
	}
	sh.list(l.N("fact.sources", max(1, len(sources))), sources)
	if rec.CollectedBy != "" || rec.CollectedOn != "" {
		sh.fact(l.T("fact.collected"), rec.CollectedBy, l.Partial(rec.CollectedOn))
	}
	if rec.ReviewedOn != "" {
		sh.fact(l.T("field.reviewedOn"), l.Partial(rec.ReviewedOn))
	}
}

func (sh *Sheet) initiative(l *locale, b *essaim.Initiative) {
	for _, p := range []struct{ key, text string }{
		{"need", b.Need},
		{"participation", b.Participation},
		{"trigger", b.Trigger},
		{"novelty", b.Novelty},
		{"levers", b.Levers},
		{"obstacles", b.Obstacles},
		{"advice", b.Advice},
		{"socialValue", b.SocialValue},
		{"economicModel", b.EconomicModel},
		{"transferability", b.Transferability},
	} {
		sh.text(l.T("field."+p.key), p.text)
	}
	var figures []string
	for _, i := range b.Indicators {
		line := i.Label + l.T("print.colon") + strings.TrimSpace(i.Value+" "+i.Unit)
		if from := withComma(i.Source, l.Partial(i.Date)); from != "" {
			line += " (" + from + ")"
		}
		figures = append(figures, line)
	}
	sh.list(l.T("fact.indicators"), figures)
	sh.term(l, "field.stage", essaim.ListStage, b.Stage)
	sh.term(l, "field.activity", essaim.ListActivity, b.Activity)
	sh.term(l, "field.scope", essaim.ListLevel, b.Scope)
	sh.fact(l.T("fact.begun"), l.Partial(b.Since))
	sh.fact(l.T("fact.ended"), l.Partial(b.Until))
	sh.term(l, "field.purposes", essaim.ListPurpose, b.Purposes...)
	sh.term(l, "field.forms", essaim.ListForm, b.Forms...)
	sh.own(l.T("field.publics"), b.Publics...)
	sh.own(l.T("field.methods"), b.Methods...)
}

func (sh *Sheet) recipe(l *locale, b *essaim.Recipe) {
	sh.own(l.T("field.yields"), b.Yields)
	sh.own(l.T("field.duration"), b.Duration)
	sh.own(l.T("field.groupSize"), b.GroupSize)
	sh.term(l, "field.difficulty", essaim.ListDifficulty, b.Difficulty)
	sh.own(l.T("field.cost"), b.Cost)
	sh.term(l, "field.readiness", essaim.ListReadiness, b.Readiness)
	sh.own(l.T("field.methods"), b.Methods...)
	sh.list(l.T("field.ingredients"), b.Ingredients)
	sh.list(l.T("field.tools"), b.Tools)
	if len(b.Steps) > 0 {
		sh.Parts = append(sh.Parts, SheetPart{Title: l.T("record.steps"), Steps: b.Steps})
	}
	sh.text(l.T("field.levers"), b.Levers)
	sh.text(l.T("field.obstacles"), b.Obstacles)
	sh.text(l.T("field.advice"), b.Advice)
}

func (sh *Sheet) meeting(l *locale, b *essaim.Meeting) {
	sh.term(l, "field.form", essaim.ListEvent, b.Form)
	series := b.Series
	if b.Edition != "" {
		series = withComma(series, l.F("fact.edition", "Edition", b.Edition))
	}
	sh.own(l.T("field.series"), series)
	sh.term(l, "field.status", essaim.ListMeetingStatus, cmp.Or(b.Status, "confirmed"))
	sh.fact(l.T("field.registration"), b.Registration)
	sh.fact(l.T("field.online"), b.Online)
	sh.text(l.T("field.programme"), b.Programme)
	sh.text(l.T("field.account"), b.Account)
}

// fact adds an answer, unless there is none.
func (sh *Sheet) fact(name string, values ...string) {
	var said []string
	for _, v := range values {
		if v != "" {
			said = append(said, v)
		}
	}
	if len(said) > 0 {
		sh.Facts = append(sh.Facts, SheetFact{Name: name, Values: said})
	}
}

// own adds an answer in the record's own words.
func (sh *Sheet) own(name string, values ...string) {
	before := len(sh.Facts)
	sh.fact(name, values...)
	for i := before; i < len(sh.Facts); i++ {
		sh.Facts[i].Own = true
	}
}

// term adds answers from a closed list.
func (sh *Sheet) term(l *locale, key string, list essaim.List, ids ...string) {
	var labels []string
	for _, id := range ids {
		if id != "" {
			labels = append(labels, l.term(list, id))
		}
	}
	sh.fact(l.T(key), labels...)
}

func (sh *Sheet) text(title, text string) {
	if strings.TrimSpace(text) != "" {
		sh.Parts = append(sh.Parts, SheetPart{Title: title, Text: text})
	}
}

func (sh *Sheet) list(title string, items []string) {
	if len(items) > 0 {
		sh.Parts = append(sh.Parts, SheetPart{Title: title, Items: items, Own: true})
	}
}

// helpLines are calls for help, or offers of it, a line each.
func helpLines(l *locale, notices []essaim.HelpNotice) []string {
	var lines []string
	for _, n := range notices {
		line := n.Text
		if n.Kind != "" {
			line = l.term(essaim.ListCallKind, n.Kind)
			if n.Text != "" {
				line += " – " + n.Text
			}
		}
		if n.Until != "" {
			line += " (" + l.Dated("fact.until", n.Until) + ")"
		}
		lines = append(lines, line)
	}
	return lines
}

// withComma puts a comma between two that are not empty.
func withComma(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ", " + b
}
