// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"cmp"
	"html"
	"strings"
	"time"

	"essaim"
)

// meetingTerms are the properties of an Event (FEP-8a8e, Mobilizon). What a
// meeting is about is a relation, in the head.
type meetingTerms struct {
	StartTime moment `json:"startTime,omitzero"`
	EndTime   moment `json:"endTime,omitzero"`
	Timezone  text   `json:"timezone,omitempty"`
	Category  text   `json:"category,omitempty"`
	// Mobilizon reads status, and the versions before it ical:status, which is
	// the same property; FEP-8a8e has its own words.
	Status      text `json:"status,omitempty"`
	ICalStatus  text `json:"ical:status,omitempty"`
	EventStatus text `json:"eventStatus,omitempty"`
	InLanguage  text `json:"inLanguage,omitempty"`
	// Mobilizon takes an absent joinMode for "free", which would promise that
	// we answer Join.
	JoinMode      text    `json:"joinMode,omitempty"`
	Participation iri     `json:"externalParticipationUrl,omitempty"`
	IsOnline      boolean `json:"isOnline,omitempty"`
	// Organizers change with the record alone, so that they stand in it, as
	// FEP-8a8e wants.
	Organizers one[organizers] `json:"organizers,omitzero"`

	Form      text `json:"essaim:form,omitempty"`
	Series    text `json:"essaim:series,omitempty"`
	Edition   text `json:"essaim:edition,omitempty"`
	Online    iri  `json:"essaim:online,omitempty"`
	Programme text `json:"essaim:programme,omitempty"`
	Account   text `json:"essaim:account,omitempty"`

	// occasion and page are for the text alone.
	occasion string
	page     string
}

func (t *meetingTerms) fill(rec *essaim.Record) {
	b := rec.Body.(*essaim.Meeting)
	status := cmp.Or(b.Status, "confirmed")
	*t = meetingTerms{
		Timezone: text(cmp.Or(b.Timezone, "Europe/Paris")), Category: text(category(b.Form)),
		Status: text(strings.ToUpper(status)), ICalStatus: text(strings.ToUpper(status)), EventStatus: eventStatuses[status],
		InLanguage: text(language(rec)), JoinMode: "external", Organizers: only(organizersOf(rec)),
		Participation: iri(cmp.Or(b.Registration, rec.URL)), IsOnline: b.Online != "",
		Form: text(b.Form), Series: text(b.Series), Edition: text(b.Edition), Online: iri(b.Online),
		Programme: text(b.Programme), Account: text(b.Account),
		occasion: occasion(b, rec.Places, language(rec)), page: rec.URL,
	}
	zone, err := time.LoadLocation(string(t.Timezone))
	if err != nil {
		zone = time.UTC
	}
	if !b.Start.IsZero() {
		t.StartTime = moment{b.Start.In(zone)}
	}
	if !b.End.IsZero() {
		t.EndTime = moment{b.End.In(zone)}
	}
}

func (t *meetingTerms) body(h *head) essaim.Body {
	b := &essaim.Meeting{
		Start: t.StartTime.Time, End: t.EndTime.Time, Timezone: string(t.Timezone),
		Form: string(t.Form), Series: string(t.Series), Edition: string(t.Edition),
		Registration: string(t.Participation), Online: string(t.Online),
		Programme: string(t.Programme), Account: string(t.Account),
	}
	// Without registration elsewhere, the page itself says how to come.
	if b.Registration == string(h.URL) {
		b.Registration = ""
	}
	if _, err := time.LoadLocation(b.Timezone); err != nil {
		b.Timezone = ""
	}
	if s := strings.ToLower(string(cmp.Or(t.Status, t.ICalStatus))); essaim.ListMeetingStatus.Has(s) {
		b.Status = s
	}
	return b
}

// eventStatuses are the statuses in the words of FEP-8a8e.
var eventStatuses = map[string]text{"confirmed": "EventScheduled", "tentative": "EventTentative", "cancelled": "EventCancelled"}

// organizers is the collection of who holds a meeting (FEP-8a8e): the actors
// of its carriers, the names of those without; the territory when it names
// none.
type organizers struct {
	Type  text  `json:"type"`
	Total int   `json:"totalItems"`
	Items []any `json:"items"`
}

// organizer is a body without an actor of its own.
type organizer struct {
	Type text `json:"type"`
	Name text `json:"name"`
}

func organizersOf(rec *essaim.Record) organizers {
	o := organizers{Type: "Collection"}
	for _, c := range rec.PublicCredits() {
		switch {
		case c.Role != "porteur" && c.Role != "animateur":
		case c.Actor != "":
			o.Items = append(o.Items, c.Actor)
		case c.Person:
			o.Items = append(o.Items, organizer{"Person", text(c.Name)})
		default:
			o.Items = append(o.Items, organizer{"Organization", text(c.Name)})
		}
	}
	if len(o.Items) == 0 {
		o.Items = []any{rec.Territory}
	}
	o.Total = len(o.Items)
	return o
}

func (t *meetingTerms) tell(p *page) {
	if t.occasion != "" {
		p.WriteString("<p>" + html.EscapeString(t.occasion) + "</p>")
	}
	p.terms(label{"Forme", "Form"}, essaim.ListEvent, string(t.Form))
	p.line(label{"Série", "Series"}, strings.Trim(string(t.Series)+", "+string(t.Edition), ", "))
	if t.Participation != "" && string(t.Participation) != t.page {
		p.WriteString("<p>" + anchor(string(t.Participation), label{"S’inscrire", "Register"}.in(p.lang)) + "</p>")
	}
	if t.Online != "" {
		p.WriteString("<p>" + anchor(string(t.Online), label{"Suivre en ligne", "Join online"}.in(p.lang)) + "</p>")
	}
	p.markup(label{"Programme", "Programme"}, string(t.Programme))
	p.markup(label{"Compte rendu", "Account"}, string(t.Account))
}

// category is the nearest of Mobilizon's own list, in capitals as it reads it.
func category(form string) string {
	switch form {
	case "atelier", "formation", "conference", "visite":
		return "LEARNING"
	case "rencontre", "pitchs", "cafe-projets", "world-cafe", "forum":
		return "NETWORKING"
	}
	return "MEETING"
}
