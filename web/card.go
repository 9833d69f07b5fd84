// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"time"

	"essaim"
)

// Card is a record in a list.
type Card struct {
	essaim.Record
	Meeting   *essaim.Meeting // nil for other kinds
	Cancelled bool
	// Roles are those in which a record credits the person whose page it is on.
	Roles    []string
	Help     bool     // it asks for help that is still wanted
	From     Origin   // how its origin fares
	Named    bool     // its territory is said: the list may hold those of several
	Why      []string // in what it resembles the record of the page
	Distance float64  // kilometres from where the search looks; negative when unknown
}

// Remote tells whether the record comes from another territory.
func (c Card) Remote() bool { return c.Origin != "" }

// Stage is an initiative's.
func (c Card) Stage() string {
	if b, ok := c.Body.(*essaim.Initiative); ok {
		return b.Stage
	}
	return ""
}

// unnamed does not say the territory of each card of a list that is about one
// search for the records of here: its heading does.
func unnamed(list []Card, origin string) {
	for i := range list {
		list[i].Named = list[i].Named && origin != essaim.OriginLocal
	}
}

func cardOf(r essaim.Record, now time.Time) Card {
	c := Card{Record: r, Help: r.WantsHelp(now), Distance: -1}
	if m, ok := r.Body.(*essaim.Meeting); ok && m != nil {
		c.Meeting, c.Cancelled = m, m.Status == "cancelled"
	}
	return c
}

func cards(records []essaim.Record, now time.Time) []Card {
	out := make([]Card, len(records))
	for i, r := range records {
		out[i] = cardOf(r, now)
	}
	return out
}

// near gives each card its distance from the middle of a circle.
func near(list []Card, at *essaim.Circle) {
	if at == nil {
		return
	}
	for i := range list {
		for _, p := range list[i].Places {
			if !p.Located() {
				continue
			}
			d := essaim.Distance(at.Lat, at.Lon, *p.Lat, *p.Lon)
			if list[i].Distance < 0 || d < list[i].Distance {
				list[i].Distance = d
			}
		}
	}
}
