// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"strconv"
	"time"

	"essaim"
)

// texts pairs the names of a body's fields with where they are, so that one
// list serves both directions.
type texts map[string]*string

func (f *recordForm) writeTexts(t texts) {
	for name, p := range t {
		f.set(name, *p)
	}
}

// readTexts reads long texts; readLines what stands on one line.
func (f *recordForm) readTexts(t texts) {
	for name, p := range t {
		*p = f.text(name)
	}
}

func (f *recordForm) readLines(t texts) {
	for name, p := range t {
		*p = f.line(name)
	}
}

type words map[string]*[]string

func (f *recordForm) writeWords(w words) {
	for name, p := range w {
		f.setLines(name, *p)
	}
}

func (f *recordForm) readWords(w words) {
	for name, p := range w {
		*p = f.lines(name)
	}
}

func initiativeFields(b *essaim.Initiative) (short, long texts, lists words) {
	return texts{
			"body.stage": &b.Stage, "body.activity": &b.Activity, "body.since": &b.Since, "body.until": &b.Until, "body.scope": &b.Scope,
		}, texts{
			"body.need": &b.Need, "body.participation": &b.Participation, "body.trigger": &b.Trigger, "body.novelty": &b.Novelty,
			"body.socialValue": &b.SocialValue, "body.economicModel": &b.EconomicModel, "body.transferability": &b.Transferability,
			"body.levers": &b.Levers, "body.obstacles": &b.Obstacles, "body.advice": &b.Advice,
		}, words{"body.publics": &b.Publics, "body.methods": &b.Methods}
}

func writeInitiative(f *recordForm, body essaim.Body) {
	b := body.(*essaim.Initiative)
	short, long, lists := initiativeFields(b)
	f.writeTexts(short)
	f.writeTexts(long)
	f.writeWords(lists)
	f.setBoxes("body.purposes", b.Purposes)
	f.setBoxes("body.forms", b.Forms)
	for i, ind := range b.Indicators {
		f.writeTexts(indicatorFields(i, &ind))
	}
}

func readInitiative(f *recordForm, body essaim.Body) {
	b := body.(*essaim.Initiative)
	short, long, lists := initiativeFields(b)
	f.readLines(short)
	f.readTexts(long)
	f.readWords(lists)
	b.Purposes, b.Forms = f.boxes("body.purposes"), f.boxes("body.forms")
	for i := range f.count("body.indicators") {
		var ind essaim.Indicator
		f.readLines(indicatorFields(i, &ind))
		if ind != (essaim.Indicator{}) {
			b.Indicators = append(b.Indicators, ind)
		}
	}
}

func indicatorFields(i int, ind *essaim.Indicator) texts {
	at := "body.indicators." + strconv.Itoa(i) + "."
	return texts{at + "label": &ind.Label, at + "value": &ind.Value, at + "unit": &ind.Unit, at + "source": &ind.Source, at + "date": &ind.Date}
}

func recipeFields(b *essaim.Recipe) (short, long texts, lists words) {
	return texts{
			"body.yields": &b.Yields, "body.duration": &b.Duration, "body.difficulty": &b.Difficulty,
			"body.groupSize": &b.GroupSize, "body.cost": &b.Cost, "body.readiness": &b.Readiness,
		}, texts{
			"body.levers": &b.Levers, "body.obstacles": &b.Obstacles, "body.advice": &b.Advice,
		}, words{"body.ingredients": &b.Ingredients, "body.tools": &b.Tools, "body.methods": &b.Methods}
}

func writeRecipe(f *recordForm, body essaim.Body) {
	b := body.(*essaim.Recipe)
	short, long, lists := recipeFields(b)
	f.writeTexts(short)
	f.writeTexts(long)
	f.writeWords(lists)
	for i, st := range b.Steps {
		at := "body.steps." + strconv.Itoa(i) + "."
		f.set(at+"name", st.Name)
		f.writeTexts(stepFields(at, &st))
		if st.Image != nil {
			f.set(at+"image.url", st.Image.URL)
			f.set(at+"image.alt", st.Image.Alt)
			f.set(at+"image.author", st.Image.Author)
			f.set(at+"image.licence", st.Image.Licence)
		}
	}
}

func stepFields(at string, st *essaim.Step) texts {
	return texts{at + "content": &st.Content, at + "tip": &st.Tip, at + "trap": &st.Trap}
}

func readRecipe(f *recordForm, body essaim.Body) {
	b := body.(*essaim.Recipe)
	short, long, lists := recipeFields(b)
	f.readLines(short)
	f.readTexts(long)
	f.readWords(lists)
	for i := range f.count("body.steps") {
		at := "body.steps." + strconv.Itoa(i) + "."
		st := essaim.Step{Name: f.line(at + "name")}
		f.readTexts(stepFields(at, &st))
		if u := f.line(at + "image.url"); u != "" {
			st.Image = &essaim.Image{URL: u, Alt: f.line(at + "image.alt"), Author: f.line(at + "image.author"), Licence: f.line(at + "image.licence")}
		}
		if st != (essaim.Step{}) {
			b.Steps = append(b.Steps, st)
		}
	}
}

func writeVenue(f *recordForm, body essaim.Body) {
	b := body.(*essaim.Venue)
	f.setLines("body.services", b.Services)
	f.setLines("body.openingHours", f.writtenHours(b.OpeningHours))
	f.set("body.access", b.Access)
}

func readVenue(f *recordForm, body essaim.Body) {
	b := body.(*essaim.Venue)
	b.Services, b.OpeningHours, b.Access = f.lines("body.services"), readHours(f.lines("body.openingHours")), f.text("body.access")
}

func organisationFields(b *essaim.Organisation) texts {
	return texts{
		"body.legalForm": &b.LegalForm, "body.addressSince": &b.AddressSince, "body.founded": &b.Founded, "body.rna": &b.RNA, "body.siren": &b.SIREN,
	}
}

func writeOrganisation(f *recordForm, body essaim.Body) {
	b := body.(*essaim.Organisation)
	f.writeTexts(organisationFields(b))
	f.setLines("body.services", b.Services)
}

func readOrganisation(f *recordForm, body essaim.Body) {
	b := body.(*essaim.Organisation)
	f.readLines(organisationFields(b))
	b.Services = f.lines("body.services")
}

func meetingFields(b *essaim.Meeting) (short, long texts) {
	return texts{
			"body.timezone": &b.Timezone, "body.form": &b.Form, "body.status": &b.Status, "body.series": &b.Series,
			"body.edition": &b.Edition, "body.registration": &b.Registration, "body.online": &b.Online,
		}, texts{
			"body.programme": &b.Programme, "body.account": &b.Account,
		}
}

func writeMeeting(f *recordForm, body essaim.Body) {
	b := body.(*essaim.Meeting)
	short, long := meetingFields(b)
	f.writeTexts(short)
	f.writeTexts(long)
	zone := f.l.zoneOf(b.Timezone)
	for name, t := range map[string]time.Time{"body.start": b.Start, "body.end": b.End} {
		if !t.IsZero() {
			f.set(name, t.In(zone).Format(localTime))
		}
	}
}

func readMeeting(f *recordForm, body essaim.Body) {
	b := body.(*essaim.Meeting)
	short, long := meetingFields(b)
	f.readLines(short)
	f.readTexts(long)
	zone := f.l.zoneOf(b.Timezone)
	b.Start, b.End = f.when("body.start", zone), f.when("body.end", zone)
}

func writeRemake(f *recordForm, body essaim.Body) {
	b := body.(*essaim.Remake)
	f.writeTexts(texts{"body.outcome": &b.Outcome, "body.on": &b.On, "body.changes": &b.Changes, "body.advice": &b.Advice})
}

func readRemake(f *recordForm, body essaim.Body) {
	b := body.(*essaim.Remake)
	f.readLines(texts{"body.outcome": &b.Outcome, "body.on": &b.On})
	f.readTexts(texts{"body.changes": &b.Changes, "body.advice": &b.Advice})
}
