// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"essaim"
)

// Token is an API token as it may be listed: never the secret.
type Token struct {
	ID        string // begins its hash
	Label     string
	CreatedAt time.Time
}

// tokenID is how much of a token's hash names it: hex digits.
const tokenID = 12

// Tokens lists the API tokens of an account, the oldest first.
func (s *Store) Tokens(ctx context.Context, user int64) ([]Token, error) {
	var all []Token
	err := s.query().each(ctx, "token_list", func(scan func(...any) error) error {
		var t Token
		if err := scan(&t.ID, &t.Label, stamp{&t.CreatedAt}); err != nil {
			return err
		}
		t.ID = t.ID[:min(len(t.ID), tokenID)]
		all = append(all, t)
		return nil
	}, user)
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	return all, nil
}

// RevokeToken ends an API token of an account by its ID; essaim.ErrNotFound
// when there is none.
func (s *Store) RevokeToken(ctx context.Context, user int64, id string) error {
	if len(id) != tokenID || strings.Trim(id, "0123456789abcdef") != "" {
		return fmt.Errorf("token %q: %w", id, essaim.ErrNotFound)
	}
	return s.write(ctx, urgent, func(tx *Tx) error {
		n, err := tx.exec(ctx, "token_remove", user, id+"%")
		if err == nil && n == 0 {
			return fmt.Errorf("token %s: %w", id, essaim.ErrNotFound)
		}
		if err != nil {
			return err
		}
		return tx.noteNamed(ctx, essaim.ErasedToken, strconv.FormatInt(user, 10)+" "+id)
	})
}
