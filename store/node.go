// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"encoding/json"
	"fmt"

	"essaim"
)

// CreateNode writes down who this node is, once: essaim.ErrConflict when it
// was done. The territory's username is allotted with it.
func (s *Store) CreateNode(ctx context.Context, n essaim.Node) error {
	return s.write(ctx, urgent, func(tx *Tx) error { return tx.createNode(ctx, n) })
}

func (tx *Tx) createNode(ctx context.Context, n essaim.Node) error {
	territory, err := json.Marshal(n.Territory)
	if err != nil {
		return err
	}
	if n.CreatedAt.IsZero() {
		n.CreatedAt = tx.s.now()
	}
	if _, err := tx.exec(ctx, "node_insert", n.BaseURL, n.Incarnation, string(territory), n.KeyFingerprint, flag(n.Demo), micros(n.CreatedAt)); err != nil {
		return fmt.Errorf("node %s: %w", n.BaseURL, err)
	}
	// All that it will index this program does: there is nothing to make again.
	if _, err := tx.exec(ctx, "reindex_save", searchVersion, newest, flag(true)); err != nil {
		return err
	}
	_, err = tx.allot(ctx, actorNames, n.Territory.Username, n.Territory.Actor)
	return err
}

// Node is who this node is; essaim.ErrNotFound before CreateNode.
func (s *Store) Node(ctx context.Context) (essaim.Node, error) { return s.query().knownNode(ctx) }

// Incarnation is that of the node.
func (s *Store) Incarnation(ctx context.Context) (int64, error) {
	n, err := s.Node(ctx)
	return n.Incarnation, err
}

// knownNode is the node as it was last read. What is not known yet is read by
// this transaction's own means: one that waited for a second connection while
// others do the same would wait for good.
func (tx *Tx) knownNode(ctx context.Context) (essaim.Node, error) {
	tx.s.node.Lock()
	known, recoveries := tx.s.node.known, tx.s.node.recoveries
	tx.s.node.Unlock()
	if known != nil {
		tx.recoveries = &recoveries
		return *known, nil
	}
	n, recoveries, err := tx.node(ctx)
	if err == nil {
		tx.recoveries = &recoveries
		tx.s.node.Lock()
		tx.s.node.known, tx.s.node.recoveries = &n, recoveries
		tx.s.node.Unlock()
	}
	return n, err
}

// UpdateNode changes what the node says of itself. Its address and its
// territory's actor are permanent and stay; the incarnation only rises.
func (s *Store) UpdateNode(ctx context.Context, n essaim.Node) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		old, _, err := tx.node(ctx)
		if err != nil {
			return err
		}
		if n.Incarnation < old.Incarnation {
			return fmt.Errorf("incarnation %d after %d: %w", n.Incarnation, old.Incarnation, essaim.ErrInvalid)
		}
		n.Territory.Actor, n.Territory.Username = old.Territory.Actor, old.Territory.Username
		territory, err := json.Marshal(n.Territory)
		if err != nil {
			return err
		}
		_, err = tx.exec(ctx, "node_update", n.Incarnation, string(territory), n.KeyFingerprint, flag(n.Demo))
		return err
	})
	s.forgetNode()
	return err
}

// node reads who this node is, and how often it got back what it lost: its
// incarnation is another after each.
func (tx *Tx) node(ctx context.Context) (n essaim.Node, recoveries int64, err error) {
	var territory string
	if err := tx.row(ctx, "node").Scan(&n.BaseURL, &n.Incarnation, &territory, &n.KeyFingerprint, bit{&n.Demo}, stamp{&n.CreatedAt}, &recoveries); err != nil {
		return n, 0, err
	}
	if n.Rotations, err = tx.rotations(ctx); err != nil {
		return n, 0, err
	}
	return n, recoveries, json.Unmarshal([]byte(territory), &n.Territory)
}

// nodeActor is the id of the node's own actor.
func (s *Store) nodeActor(ctx context.Context) (string, error) { return s.query().nodeActor(ctx) }

func (tx *Tx) nodeActor(ctx context.Context) (string, error) {
	n, err := tx.knownNode(ctx)
	return n.BaseURL + "/actor", err
}
