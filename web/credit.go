// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import "essaim"

// credit is the line by which whoever reuses a record names it: title, holder,
// territory, licence and address, as the licences ask (CC BY-SA 4.0, 3(a)), and
// for an adaptation what it was made from.
func credit(l *locale, r essaim.Record) string {
	who := r.TerritoryName
	switch {
	case who == "":
		who = r.Holder
	case r.Holder != "" && r.Holder != who:
		who = r.Holder + " (" + who + ")"
	}
	line := l.F("credit.work", "Title", typo(r.Title, r.Language), "Who", who)
	if r.Licence != "" {
		line += ", " + licenceOf(r.Licence).Name
	}
	line += ", " + r.URL
	if d := r.DerivedFrom; d != nil {
		line += l.F("credit.from", "Title", d.Name, "URL", d.ID)
	}
	return line
}
