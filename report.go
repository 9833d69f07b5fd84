// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "time"

// MaxReport is how many characters of a report's text are kept (Mastodon's limit).
const MaxReport = 5000

// Report says that something published here must not be: a notice in the sense
// of article 16 of the Digital Services Act, by a person through this site or
// by another server (Flag). Its state is that of its item: held as long as it is
// examined, accepted when it was found right, hidden when it was not; the
// reasons are in the journal.
type Report struct {
	ID   string `json:"id"`             // the Flag's, or a receipt that only who reports knows
	Host string `json:"host,omitempty"` // of the server that reports; empty for a person here
	// Contact is the address that a person gave to be told of the decision.
	Contact string `json:"contact,omitempty"`
	// Objects are ids of records and comments here, or else of actors.
	Objects    []string  `json:"objects"`
	Text       string    `json:"text"`
	ReceivedAt time.Time `json:"receivedAt"`
	// Withdrawn makes the report a notice: its server, which is followed, withdrew the
	// version of this content digest. Accepted, the record is withdrawn here too.
	Withdrawn string `json:"withdrawn,omitempty"`
}

// Receipt is what who reports may know of a report.
type Receipt struct {
	ID         string    `json:"id"`
	State      ItemState `json:"state"`
	ReceivedAt time.Time `json:"receivedAt"`
	// DecidedAt and Reason are those of the last decision; zero before.
	DecidedAt time.Time `json:"decidedAt,omitzero"`
	Reason    string    `json:"reason,omitempty"`
}

// FileReport stores a report that another server sends (Flag).
type FileReport struct {
	Report Report
	// Actors are ids of actors here that it names too. They are kept when none of
	// Report.Objects is here: a profile is reported that way.
	Actors []string
}

// Refuse ends what a local actor has to do with one elsewhere that blocks it:
// its follow goes, and what waits for it.
type Refuse struct{ Local, Actor string }

func (FileReport) effect() {}
func (Refuse) effect()     {}
