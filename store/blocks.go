// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"fmt"
	"time"

	"essaim"
)

// BlockScope says what a block is of.
type BlockScope string

// The scopes of a block. That of a host holds for the domains below it too.
const (
	BlockHost  BlockScope = "host"
	BlockActor BlockScope = "actor"
)

// Block keeps a host or an actor out.
type Block struct {
	Scope  BlockScope
	Value  string // a host, or an actor's id
	Reason string
	At     time.Time
}

// AddBlock blocks a host or an actor: its follows go, what waits for a host is
// dropped, and a peer of that host is no longer followed. What is held of it
// stays.
func (s *Store) AddBlock(ctx context.Context, b Block) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		if _, err := tx.exec(ctx, "block_add", string(b.Scope), b.Value, b.Reason, micros(s.now())); err != nil {
			return err
		}
		if b.Scope == BlockActor {
			_, err := tx.exec(ctx, "follower_remove_actor", b.Value)
			return err
		}
		if _, err := tx.exec(ctx, "follower_remove_host", b.Value); err != nil {
			return err
		}
		_, err := tx.exec(ctx, "peer_set_state", b.Value, string(essaim.PeerBlocked))
		return err
	})
	for err == nil && b.Scope == BlockHost {
		var n int64
		err = s.write(ctx, urgent, func(tx *Tx) (err error) {
			n, err = tx.exec(ctx, "delivery_drop_host", b.Value, micros(s.now()), wakeTogether)
			return err
		})
		if n < wakeTogether {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("block %s %s: %w", b.Scope, b.Value, err)
	}
	return nil
}

// RemoveBlock ends a block; essaim.ErrNotFound when there is none. A peer of
// that host is known again, and may be followed.
func (s *Store) RemoveBlock(ctx context.Context, scope BlockScope, value string) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		n, err := tx.exec(ctx, "block_remove", string(scope), value)
		if err != nil {
			return err
		}
		if n == 0 {
			return essaim.ErrNotFound
		}
		if scope != BlockHost {
			return nil
		}
		_, err = tx.exec(ctx, "peer_set_state", value, string(essaim.PeerKnown))
		return err
	})
	if err != nil {
		return fmt.Errorf("unblock %s %s: %w", scope, value, err)
	}
	return nil
}

// Blocks lists them by scope and value.
func (s *Store) Blocks(ctx context.Context) ([]Block, error) {
	all, err := list(ctx, s.query(), func(scan scanFunc) (b Block, err error) {
		err = scan((*string)(&b.Scope), &b.Value, &b.Reason, moment{&b.At})
		return b, err
	}, "block_list")
	if err != nil {
		return nil, fmt.Errorf("blocks: %w", err)
	}
	return all, nil
}
