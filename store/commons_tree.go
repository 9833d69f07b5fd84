// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"essaim"
)

// digestTree keeps the inner hashes of this node's digest tree in memory, as of a
// change number. A look at it recomputes the way from each item that changed
// since to the root, and reads no other leaf.
type digestTree struct {
	mu    sync.Mutex
	grown bool
	n     int64 // number of the latest change that the nodes know of
	nodes map[string]essaim.CommonsNode
}

// loadTogether is how many items are read at a time to grow a subtree: what it
// costs in memory.
const loadTogether = 4096

// CommonsState is the head of this node's commons as of now, not signed.
func (s *Store) CommonsState(ctx context.Context) (essaim.CommonsHead, error) {
	h, _, _, _, err := s.commonsNode(ctx, "", false)
	return h, err
}

// CommonsNode is a node of this node's digest tree, with the state of which it is
// one: of an inner node the children, of a leaf the items. A prefix without items
// is an empty leaf.
func (s *Store) CommonsNode(ctx context.Context, prefix string) (h essaim.CommonsHead, n essaim.CommonsNode, children [16]essaim.CommonsNode, items []essaim.CommonsItem, err error) {
	h, n, items, children, err = s.commonsNode(ctx, prefix, true)
	return h, n, children, items, err
}

func (s *Store) commonsNode(ctx context.Context, prefix string, whole bool) (h essaim.CommonsHead, n essaim.CommonsNode, items []essaim.CommonsItem, children [16]essaim.CommonsNode, err error) {
	t := &s.tree
	t.mu.Lock()
	defer t.mu.Unlock()
	err = s.growTree(ctx, t)
	if err == nil {
		err = s.read(ctx, func(tx *Tx) error {
			if err := tx.renewTree(ctx, t); err != nil {
				t.grown = false
				return err
			}
			node, err := tx.knownNode(ctx)
			if err != nil {
				return err
			}
			root := t.nodes[""]
			h = essaim.CommonsHead{Number: essaim.CommonsNumber{Incarnation: node.Incarnation, N: t.n}, Count: root.Count, Root: root.Hash}
			n = t.nodes[prefix]
			if !n.Leaf() {
				for i := range children {
					children[i] = t.nodes[prefix+essaim.CommonsDigits[i:i+1]]
				}
				return nil
			}
			if !whole {
				return nil
			}
			// Below a leaf there are no nodes, but what is asked for can be told.
			items, err = tx.commonsRange(ctx, "", prefix, essaim.CommonsLeaf)
			n.Count = len(items)
			if n.Hash = (essaim.Digest{}); n.Count > 0 || prefix == "" {
				n.Hash = essaim.CommonsLeafHash(items)
			}
			return err
		})
	}
	if err != nil {
		return h, n, nil, children, fmt.Errorf("digest tree at %q: %w", prefix, err)
	}
	return h, n, items, children, nil
}

// growTree makes the whole tree once, without holding the database at one moment:
// what changes meanwhile is renewed afterwards.
func (s *Store) growTree(ctx context.Context, t *digestTree) error {
	if t.grown {
		return nil
	}
	t.nodes, t.n = map[string]essaim.CommonsNode{}, 0
	tx := s.query()
	if err := tx.row(ctx, "commons_last").Scan(&t.n); err != nil {
		return err
	}
	if err := tx.loadTree(ctx, "", t.nodes, ""); err != nil {
		return err
	}
	t.grown = true
	return nil
}

// loadTree makes the nodes of an origin's tree from prefix down.
func (tx *Tx) loadTree(ctx context.Context, origin string, nodes map[string]essaim.CommonsNode, prefix string) error {
	items, err := tx.commonsRange(ctx, origin, prefix, loadTogether+1)
	if err != nil {
		return err
	}
	if len(items) <= loadTogether {
		if len(items) == 0 {
			delete(nodes, prefix)
		}
		maps.Copy(nodes, essaim.CommonsTree(prefix, items))
		return nil
	}
	var children [16]essaim.CommonsNode
	for i := range children {
		below := prefix + essaim.CommonsDigits[i:i+1]
		if err := tx.loadTree(ctx, origin, nodes, below); err != nil {
			return err
		}
		children[i] = nodes[below]
	}
	nodes[prefix] = essaim.CommonsInner(children)
	return nil
}

// commonsRange lists the items of an origin whose keys begin with prefix.
func (tx *Tx) commonsRange(ctx context.Context, origin, prefix string, n int) ([]essaim.CommonsItem, error) {
	return list(ctx, tx, func(scan scanFunc) (it essaim.CommonsItem, err error) {
		err = scan(&it.ID, &it.Digest)
		return it, err
	}, "commons_range", origin, prefix, prefix+"g", n)
}

// renewTree brings the tree up to the state that the transaction sees.
func (tx *Tx) renewTree(ctx context.Context, t *digestTree) error {
	changed, err := list(ctx, tx, only[string], "commons_changed", t.n)
	if err != nil {
		return err
	}
	dirty := map[string]bool{}
	for _, key := range changed {
		for end := 0; end <= len(key); end++ {
			prefix := key[:end]
			dirty[prefix] = true
			if n, ok := t.nodes[prefix]; !ok || n.Leaf() {
				break
			}
		}
	}
	if dirty[""] {
		if err := tx.renewNode(ctx, t.nodes, dirty, ""); err != nil {
			return err
		}
	}
	return tx.row(ctx, "commons_last").Scan(&t.n)
}

func (tx *Tx) renewNode(ctx context.Context, nodes map[string]essaim.CommonsNode, dirty map[string]bool, prefix string) error {
	if nodes[prefix].Leaf() {
		return tx.loadTree(ctx, "", nodes, prefix)
	}
	var children [16]essaim.CommonsNode
	for i := range children {
		below := prefix + essaim.CommonsDigits[i:i+1]
		if dirty[below] {
			if err := tx.renewNode(ctx, nodes, dirty, below); err != nil {
				return err
			}
		}
		children[i] = nodes[below]
	}
	n := essaim.CommonsInner(children)
	if n.Leaf() {
		fell(nodes, prefix)
		return tx.loadTree(ctx, "", nodes, prefix)
	}
	nodes[prefix] = n
	return nil
}

// fell removes the nodes below one that became a leaf.
func fell(nodes map[string]essaim.CommonsNode, prefix string) {
	for i := range len(essaim.CommonsDigits) {
		below := prefix + essaim.CommonsDigits[i:i+1]
		if _, ok := nodes[below]; ok {
			fell(nodes, below)
			delete(nodes, below)
		}
	}
}
