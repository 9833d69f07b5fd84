// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"strings"
	"time"
)

// Import is one run that brought rows of a file in; its records belong to it
// and can be undone by its id.
type Import struct {
	ID          int64        `json:"id"`
	StartedAt   time.Time    `json:"startedAt"`
	File        string       `json:"file"` // name or address, without its directory
	Kind        Kind         `json:"kind,omitempty"`
	Licence     string       `json:"licence"`
	Attribution string       `json:"attribution"`
	Report      ImportReport `json:"report"`
	UndoneAt    time.Time    `json:"undoneAt,omitzero"`
}

// ImportReport counts what became of the rows. Candidates are among the
// created and changed: rows that lack what publication needs.
type ImportReport struct {
	Rows       int `json:"rows"`
	Created    int `json:"created"`
	Changed    int `json:"changed"`
	Unchanged  int `json:"unchanged"`
	Refused    int `json:"refused"`
	Candidates int `json:"candidates"`
	// Contacts counts the e-mail addresses and telephone numbers that were cut out
	// of what the rows say.
	Contacts int `json:"contacts,omitempty"`
}

// ImportRow is one row made into content. Key identifies it at its source for
// good, Digest its content as the source has it: the same pair again changes
// nothing, whatever people have edited here since.
type ImportRow struct {
	Key     string
	Digest  string
	Content Content
	State   State // candidate or published
	Cut     int   // contacts cut out of its words
}

// RowName names the row that a content was made of by what is published of it: for
// a node that got its records back from others, who do not know the keys of rows.
// It is no key, and empty of what no import made.
func (c *Content) RowName() string {
	if len(c.Sources) == 0 || c.Sources[0].Fetched == "" {
		return ""
	}
	s := c.Sources[0]
	parts := []string{"~" + string(c.Kind), s.Name, s.URL, s.Key} // a key begins with a letter
	if s.Key == "" {
		parts = append(parts, c.Title)
		if len(c.Places) > 0 {
			p := c.Places[0]
			parts = append(parts, p.Street, p.City, p.INSEE, p.EPCI, p.Departement, p.Region)
		}
	}
	return strings.Join(parts, "|")
}

// ImportOutcome is what a store made of a row.
type ImportOutcome string

// The outcomes of a row. A row whose record people edited or withdrew here is
// left as they made it: unchanged.
const (
	ImportCreated   ImportOutcome = "created"
	ImportChanged   ImportOutcome = "changed"
	ImportUnchanged ImportOutcome = "unchanged"
)
