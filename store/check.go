// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"fmt"
)

// Breach is a rule of the database that does not hold.
type Breach struct {
	Rule    string // in words
	Rows    int    // that break it
	Example string // the id of one
}

// rules are what Check asks, by statement.
var rules = [...]struct{ statement, rule string }{
	{"check_published", "a published record has a document and a change number"},
	{"check_erased", "what has a tombstone has no content"},
	{"check_slug", "a record's slug is allotted to it"},
	{"check_counter", "no change number is above the counter"},
	{"check_cursor", "the dispatcher is not ahead of the counter"},
	{"check_delivery", "what waits to be delivered has its bytes"},
	{"check_facet", "the counts of the unfiltered list are right"},
}

// Check looks for broken rules. Each is an error of the program or of the disk:
// no use of the node breaks one.
func (s *Store) Check(ctx context.Context) ([]Breach, error) {
	var found []Breach
	var integrity string
	if err := s.query().row(ctx, "check_integrity").Scan(&integrity); err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	if integrity != "ok" {
		found = append(found, Breach{Rule: "the database file is whole", Rows: 1, Example: integrity})
	}
	err := s.read(ctx, func(tx *Tx) error {
		for _, r := range rules {
			b := Breach{Rule: r.rule}
			if err := tx.row(ctx, r.statement).Scan(&b.Rows, &b.Example); err != nil {
				return err
			}
			if b.Rows > 0 {
				found = append(found, b)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	return found, nil
}

// KeptDocument is a published document as kept, with the digests noted when it
// came.
type KeptDocument struct {
	Position      int64 // for the next page
	ID            string
	Origin        string // empty for one of this node
	Document      []byte
	ContentDigest string
	CopyDigest    string
}

// KeptDocuments is a page of the documents after a position, to be compared
// with their digests.
func (s *Store) KeptDocuments(ctx context.Context, after int64, n int) ([]KeptDocument, error) {
	var page []KeptDocument
	err := s.query().each(ctx, "check_documents", func(scan func(...any) error) error {
		var d KeptDocument
		err := scan(&d.Position, &d.ID, &d.Origin, &d.Document, &d.ContentDigest, &d.CopyDigest)
		page = append(page, d)
		return err
	}, after, n)
	if err != nil {
		return nil, fmt.Errorf("documents: %w", err)
	}
	return page, nil
}
