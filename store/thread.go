// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"fmt"

	"essaim"
)

// Members are the ids of up to n members of a collection about a local record,
// after a number (0 = from the first), in the order in which they came here.
func (s *Store) Members(ctx context.Context, record string, c essaim.CollectionKind, after int64, n int) (essaim.Members, error) {
	var m essaim.Members
	page, count, ok := collectionStatements(c)
	if !ok {
		return m, fmt.Errorf("%s of %s: %w", c, record, essaim.ErrNotFound)
	}
	if err := s.query().row(ctx, count, record).Scan(&m.Total); err != nil {
		return m, fmt.Errorf("%s of %s: %w", c, record, err)
	}
	err := s.query().each(ctx, page, func(scan func(...any) error) error {
		var id string
		if err := scan(&m.Last, &id); err != nil {
			return err
		}
		m.IDs = append(m.IDs, id)
		return nil
	}, record, after, n)
	if err != nil {
		return m, fmt.Errorf("%s of %s: %w", c, record, err)
	}
	return m, nil
}

func collectionStatements(c essaim.CollectionKind) (page, count string, ok bool) {
	switch c {
	case essaim.CollectionReplies:
		return "replies_page", "replies_count", true
	case essaim.CollectionThread:
		return "thread_page", "comments_count", true
	case essaim.CollectionAdaptations:
		return "adaptations_page", "adaptations_count", true
	}
	return "", "", false
}
