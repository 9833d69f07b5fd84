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
	{"check_activity", "the activity of a published record is kept"},
	{"check_revision", "a local record has its latest revision"},
	{"check_withdrawn", "a withdrawn record is erased and has its tombstone"},
	{"check_commons", "what is published under a free licence, and no other record, is in the commons"},
	{"check_sample", "the sample of what is indexed has its terms"},
	{"check_search", "published records, and no others, are indexed"},
	{"check_credit", "the records that credit people are published, and the people here"},
	{"check_erased", "what has a tombstone has no content"},
	{"check_slug", "a record's slug is allotted to it"},
	{"check_counter", "no change number is above the counter"},
	{"check_event", "an event has its activity and a number below the counter"},
	{"check_cursor", "the dispatcher is not ahead of the counter"},
	{"check_delivery", "what waits to be delivered has its bytes"},
	{"check_queue", "what is queued is in a known state"},
	{"check_host", "a delivery goes to its inbox's host"},
	{"check_facet", "the counts of the unfiltered list are right"},
	{"check_themes", "the counts of themes are right"},
	{"check_cells", "the counts of the map's cells are right"},
	{"check_reference", "no row refers to one that is gone"},
}

// Check looks for broken rules. Each is an error of the program or of the disk:
// no use of the node breaks one.
func (s *Store) Check(ctx context.Context) ([]Breach, error) {
	var found []Breach
	var integrity string
	err := s.read(ctx, func(tx *Tx) error {
		var n int
		if err := tx.row(ctx, "check_index").Scan(&n); err != nil {
			return err
		}
		return tx.row(ctx, "check_integrity").Scan(&integrity)
	})
	if err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	if integrity != "ok" {
		found = append(found, Breach{Rule: "the database file is whole", Rows: 1, Example: integrity})
	}
	if err := s.checkTerms(ctx); err != nil {
		found = append(found, Breach{Rule: "the full-text index holds the words of the records", Rows: 1, Example: err.Error()})
	}
	err = s.read(ctx, func(tx *Tx) error {
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

// checkTerms has SQLite compare its full-text index with what it indexes, which
// takes the writer's place: it does so in a copy. PostgreSQL's index is a column.
func (s *Store) checkTerms(ctx context.Context) error {
	if s.cfg.URL != "" {
		return nil
	}
	return s.copied(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, "check_terms")
		return err
	})
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
