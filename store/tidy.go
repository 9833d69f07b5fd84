// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"fmt"
	"time"
)

// What is kept, and for how long, once it is of no use to the node itself.
const (
	keepDelivered = 30 * 24 * time.Hour // deliveries done or dropped; failed ones stay for an administrator
	tidyTogether  = 500                 // rows of one transaction
)

// Tidy removes sessions and sign-in links that ended, and deliveries done long
// ago. It is to be called now and then, by any process.
func (s *Store) Tidy(ctx context.Context) error {
	now := s.now()
	err := s.write(ctx, patient, func(tx *Tx) error {
		for _, name := range []string{"session_expire", "signin_expire"} {
			if _, err := tx.exec(ctx, name, micros(now)); err != nil {
				return err
			}
		}
		return nil
	})
	for n := int64(tidyTogether); err == nil && n == tidyTogether; {
		err = s.write(ctx, patient, func(tx *Tx) (err error) {
			n, err = tx.exec(ctx, "tidy_deliveries", micros(now.Add(-keepDelivered)), tidyTogether)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("tidy: %w", err)
	}
	return nil
}
