// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "time"

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

// Over is when a meeting has ended: its start when no end is told.
func (b *Meeting) Over() time.Time {
	if b.End.IsZero() {
		return b.Start
	}
	return b.End
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
