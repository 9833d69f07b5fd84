// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"cmp"
	"slices"
	"time"

	"essaim"
)

// Carriers are those who carry what the record tells of, for its head: by name, as
// far as they agreed, the first few.
func (p *RecordPage) Carriers() []string {
	names := p.allCarriers()
	return names[:min(len(names), maxCarriers)]
}

// MoreCarriers is how many more there are.
func (p *RecordPage) MoreCarriers() int { return max(0, len(p.allCarriers())-maxCarriers) }

const maxCarriers = 3

func (p *RecordPage) allCarriers() []string {
	var names []string
	for _, g := range p.Credits {
		if g.Role == roleCarrier {
			for _, c := range g.Credits {
				names = append(names, c.Name)
			}
		}
	}
	return names
}

const roleCarrier = "porteur"

// Stage is an initiative's.
func (p *RecordPage) Stage() string { return Card{Record: p.Record}.Stage() }

// HolderNames are the territories that hold a conforming copy, up to a few: the
// first of them this one, for a record of another. All stand on a page of their own.
func (p *RecordPage) HolderNames() (names []string) {
	for _, c := range p.Copies[:min(len(p.Copies), maxHolderNames)] {
		names = append(names, cmp.Or(c.Name, c.Host))
	}
	return names
}

// MoreHolders is how many more there are.
func (p *RecordPage) MoreHolders() int { return max(0, len(p.Copies)-maxHolderNames) }

const maxHolderNames = 12

// HelpLine is a call for help, or an offer of it, and whether it is over.
type HelpLine struct {
	essaim.HelpNotice
	Lang  string
	Ended bool
}

func helpOf(notices []essaim.HelpNotice, lang string, now time.Time) []HelpLine {
	lines := make([]HelpLine, len(notices))
	for i, n := range notices {
		lines[i] = HelpLine{n, lang, n.Ended(now)}
	}
	return lines
}

// Calls tells whether a call for help stands.
func (p *RecordPage) Calls() bool {
	return slices.ContainsFunc(p.Wanted, func(h HelpLine) bool { return !h.Ended })
}

// licenceTerms is what a licence allows and asks, in plain words.
func licenceTerms(l *locale, id string) string {
	to := essaim.AdaptationRule(id).To
	switch {
	case len(to) == 0:
		return l.T("licence.none")
	case slices.Contains(to, "cc0-1.0"):
		return l.T("licence.free")
	case slices.Contains(to, "cc-by-4.0"):
		return l.T("licence.credit")
	}
	return l.T("licence.alike")
}

// Dated is a sentence about a partial date, which a day takes in another form than
// a month or a year: "jusqu'au 3 mai", "jusqu'en mai".
func (l *locale) Dated(key, partial string) string {
	if len(partial) == len(time.DateOnly) {
		key += "_day"
	}
	return l.F(key, "Date", l.Partial(partial))
}

// sirenGroups writes a SIREN as people read it: "123 456 789".
func sirenGroups(s string) string {
	if len(s) != 9 {
		return s
	}
	return s[:3] + "\u202f" + s[3:6] + "\u202f" + s[6:]
}
