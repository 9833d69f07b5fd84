// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"sync"
	"time"
)

// Meeting is something people come to (rencontre). What it presents is a
// relation of type about; where, its places.
type Meeting struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end,omitzero"`
	// Timezone is an IANA name; "Europe/Paris" when empty.
	Timezone     string `json:"timezone,omitempty"`
	Form         string `json:"form,omitempty"`   // ListEvent
	Status       string `json:"status,omitempty"` // ListMeetingStatus; confirmed when empty
	Series       string `json:"series,omitempty"`
	Edition      string `json:"edition,omitempty"`
	Registration string `json:"registration,omitempty"` // outside address where one registers
	Online       string `json:"online,omitempty"`       // address of an online meeting
	Programme    string `json:"programme,omitempty"`    // Markdown
	Account      string `json:"account,omitempty"`      // what came of it, afterwards; Markdown
}

// Kind implements Body.
func (*Meeting) Kind() Kind { return KindMeeting }

// Zone is the time zone in which a meeting's days and hours are told.
func (b *Meeting) Zone() *time.Location {
	if b.Timezone != "" {
		if z, err := time.LoadLocation(b.Timezone); err == nil {
			return z
		}
	}
	return paris()
}

var paris = sync.OnceValue(func() *time.Location {
	z, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		return time.UTC
	}
	return z
})

// Times are a meeting's beginning and end in its own zone; the end is zero when none
// is told. A midnight stands for a day without its hour, but one that ends an evening.
func (b *Meeting) Times() (start, end time.Time) {
	z := b.Zone()
	if start = b.Start.In(z); b.End.After(b.Start) {
		end = b.End.In(z)
	}
	return start, end
}

// Over is the moment from which on a meeting is over: what tells no end, or an end
// without its hour, lasts until its day does. It is zero for what has no beginning.
func (b *Meeting) Over() time.Time {
	if b.Start.IsZero() {
		return time.Time{}
	}
	start, end := b.Times()
	switch {
	case end.IsZero():
		return nextDay(start)
	case atMidnight(end) && (atMidnight(start) || !end.Equal(nextDay(start))):
		return nextDay(end)
	}
	return end
}

// Days are the first and the last day of a meeting: their midnights, in its zone.
func (b *Meeting) Days() (first, last time.Time) {
	start, _ := b.Times()
	if b.Start.IsZero() {
		return start, start
	}
	last = b.Over().Add(-time.Nanosecond)
	return nextDay(start).AddDate(0, 0, -1), nextDay(last).AddDate(0, 0, -1)
}

// WholeDays tells whether a meeting takes whole days: no hour is told.
func (b *Meeting) WholeDays() bool {
	start, end := b.Times()
	return atMidnight(start) && (end.IsZero() || atMidnight(end) || end.Hour() == 23 && end.Minute() == 59)
}

func atMidnight(t time.Time) bool { return t.Hour() == 0 && t.Minute() == 0 }

// nextDay is the midnight that ends the day of t, in its zone.
func nextDay(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, t.Location())
}

// Validate implements Body.
func (b *Meeting) Validate(p Problems, publish bool) {
	if publish && b.Start.IsZero() {
		p.Add("body.start", "required")
	}
	if !b.End.IsZero() && b.End.Before(b.Start) {
		p.Add("body.end", "before_start")
	}
	if b.Timezone != "" {
		if _, err := time.LoadLocation(b.Timezone); err != nil {
			p.Add("body.timezone", "unknown")
		}
	}
	p.oneOf("body.form", ListEvent, b.Form)
	p.oneOf("body.status", ListMeetingStatus, b.Status)
	p.within("body.series", b.Series, 200)
	p.within("body.edition", b.Edition, 50)
	p.webAddress("body.registration", b.Registration)
	p.webAddress("body.online", b.Online)
	p.within("body.programme", b.Programme, 20_000)
	p.within("body.account", b.Account, 20_000)
}
