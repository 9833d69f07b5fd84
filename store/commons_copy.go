// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"essaim"
)

// CopyTree makes the digest tree of what is held of a host, as it was noted when
// it came; Copies has the bytes.
func (s *Store) CopyTree(ctx context.Context, host string) (map[string]essaim.CommonsNode, error) {
	nodes := map[string]essaim.CommonsNode{}
	if err := s.query().loadTree(ctx, host, nodes, ""); err != nil {
		return nil, fmt.Errorf("digest tree of %s: %w", host, err)
	}
	return nodes, nil
}

// CopyItems lists up to n items held of a host whose keys begin with prefix.
func (s *Store) CopyItems(ctx context.Context, host, prefix string, n int) ([]essaim.CommonsItem, error) {
	items, err := s.query().commonsRange(ctx, host, prefix, n)
	if err != nil {
		return nil, fmt.Errorf("items of %s at %q: %w", host, prefix, err)
	}
	return items, nil
}

// CopiedHosts lists the hosts of which something is held.
func (s *Store) CopiedHosts(ctx context.Context) ([]string, error) {
	hosts, err := list(ctx, s.query(), only[string], "commons_hosts")
	if err != nil {
		return nil, fmt.Errorf("hosts of copies: %w", err)
	}
	return hosts, nil
}

// Copies lists up to n documents held of a host in the order of their keys, those
// after one.
func (s *Store) Copies(ctx context.Context, host, after string, n int) ([]essaim.CommonsCopy, error) {
	copies, err := list(ctx, s.query(), func(scan scanFunc) (c essaim.CommonsCopy, err error) {
		var content *string
		var row essaim.CommonsRow
		err = scan(&c.Key, &c.ID, &c.Digest, &c.Bytes, &content, &row.Title, &row.Incarnation, &row.Revision, stamp{&row.Published}, stamp{&row.Updated})
		if content != nil {
			row.Content = *content
			c.Row = &row
		}
		return c, err
	}, "commons_copies", host, after, n)
	if err != nil {
		return nil, fmt.Errorf("copies of %s: %w", host, err)
	}
	return copies, nil
}

// CopiesAfter lists the documents held of a host as they are served again: those
// that stand, in the order of their keys after one and below a prefix, at most n,
// and no more than size bytes after the first; more tells whether others follow.
func (s *Store) CopiesAfter(ctx context.Context, host, under, after string, n, size int) (list []essaim.CommonsCopy, more bool, err error) {
	total := 0
	err = s.query().each(ctx, "commons_copies_page", func(scan func(...any) error) error {
		var c essaim.CommonsCopy
		if more {
			return nil
		}
		if err := scan(&c.Key, &c.ID, &c.Digest, &c.Bytes); err != nil {
			return err
		}
		if total += len(c.Bytes); len(list) == n || total > size && len(list) > 0 {
			more = true
			return nil
		}
		list = append(list, c)
		return nil
	}, host, after, under, under+"g", n+1)
	if err != nil {
		return nil, false, fmt.Errorf("copies of %s: %w", host, err)
	}
	return list, more, nil
}

// HeldCopies says what is held under ids, of whatever origin: the version, the
// digest that its bytes have, and whether a tombstone stands. An id of which
// nothing is known is not in it.
func (s *Store) HeldCopies(ctx context.Context, ids []string) (map[string]essaim.HeldCopy, error) {
	held := make(map[string]essaim.HeldCopy, len(ids))
	tx := s.query()
	for _, id := range ids {
		var h essaim.HeldCopy
		err := tx.row(ctx, "copy_held", id).Scan(bit{&h.Gone}, &h.CopyDigest, &h.Version.Incarnation, &h.Version.Revision)
		if err != nil {
			return nil, fmt.Errorf("what is held of %s: %w", id, err)
		}
		if h != (essaim.HeldCopy{}) {
			held[id] = h
		}
	}
	return held, nil
}

// heldTrees keeps the digest trees of what is held of other hosts in memory for a
// moment: whoever asks for a node of one does not make all of it anew.
type heldTrees struct {
	making sync.Mutex // one at a time
	mu     sync.Mutex
	by     map[string]heldTree
}

type heldTree struct {
	at    time.Time
	nodes map[string]essaim.CommonsNode
}

const (
	heldTreeFresh = time.Minute
	maxHeldTrees  = 64
)

// since is the tree of a host, if it is fresh and was made after a time.
func (t *heldTrees) since(host string, after, now time.Time) (heldTree, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	tree, known := t.by[host]
	return tree, known && tree.at.After(after) && now.Sub(tree.at) < heldTreeFresh
}

// keep keeps the tree of a host. When there are too many, those that are no longer
// fresh go first.
func (t *heldTrees) keep(host string, tree heldTree) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.by) >= maxHeldTrees {
		maps.DeleteFunc(t.by, func(_ string, old heldTree) bool { return tree.at.Sub(old.at) >= heldTreeFresh })
	}
	if t.by == nil || len(t.by) >= maxHeldTrees {
		t.by = map[string]heldTree{}
	}
	t.by[host] = tree
}

// heldTree is the digest tree of what is held of a host, made after a time and less
// than a minute ago. Of a host of which nothing is held none is kept: anybody may
// name any.
func (s *Store) heldTree(ctx context.Context, host string, after time.Time) (heldTree, error) {
	if tree, ok := s.held.since(host, after, s.now()); ok {
		return tree, nil
	}
	s.held.making.Lock()
	defer s.held.making.Unlock()
	now := s.now()
	if tree, ok := s.held.since(host, after, now); ok {
		return tree, nil
	}
	nodes, err := s.CopyTree(ctx, host)
	if err == nil && nodes[""].Count > 0 {
		s.held.keep(host, heldTree{now, nodes})
	}
	return heldTree{now, nodes}, err
}

// CopyNode is a node of the digest tree of what is held of a host, with the root
// of which it is a part: of an inner node the children, of a leaf the items. What
// changed less than a minute ago may not be in it.
func (s *Store) CopyNode(ctx context.Context, host, prefix string) (root, n essaim.CommonsNode, children [16]essaim.CommonsNode, items []essaim.CommonsItem, err error) {
	var tree heldTree
	for try := 0; ; try++ {
		if tree, err = s.heldTree(ctx, host, tree.at); err != nil {
			return root, n, children, nil, err
		}
		root, n = tree.nodes[""], tree.nodes[prefix]
		if !n.Leaf() {
			for i := range children {
				children[i] = tree.nodes[prefix+essaim.CommonsDigits[i:i+1]]
			}
			return root, n, children, nil, nil
		}
		if items, err = s.CopyItems(ctx, host, prefix, essaim.CommonsLeaf); err != nil {
			return root, n, children, nil, err
		}
		was := n
		if n = (essaim.CommonsNode{Count: len(items)}); n.Count > 0 || prefix == "" {
			n.Hash = essaim.CommonsLeafHash(items)
		}
		if _, stands := tree.nodes[prefix]; !stands || was.Hash == n.Hash || try > 0 {
			return root, n, children, items, nil
		}
	}
}

// NoteCopies writes the copy digests that the bytes of copies were found to have;
// empty for one without bytes.
func (s *Store) NoteCopies(ctx context.Context, found []essaim.CommonsItem) error {
	err := s.write(ctx, patient, func(tx *Tx) error {
		for _, it := range found {
			if err := tx.later(ctx, "commons_note", it.ID, it.Digest); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("digests of copies: %w", err)
	}
	return nil
}

// compareLease is for how long a comparison is its process's alone.
const compareLease = 40 * time.Minute

// DueComparisons claims up to n nodes that were read to the end and are to be
// compared now: no other process gets them until the comparison is noted or put off,
// or 40 minutes went by.
func (s *Store) DueComparisons(ctx context.Context, n int) ([]string, error) {
	return s.claimHosts(ctx, "compare_due", "compare_claim", compareLease, n)
}

// SaveComparison notes what a comparison came to.
func (s *Store) SaveComparison(ctx context.Context, host string, c essaim.CommonsComparison) error {
	err := s.write(ctx, patient, func(tx *Tx) error {
		_, err := tx.exec(ctx, "compare_save", host, instant(c.NextCompared), micros(c.ComparedAt), c.Differences, c.Mended, strings.Join(c.Kept, "\n"))
		return err
	})
	if err != nil {
		return fmt.Errorf("comparison with %s: %w", host, err)
	}
	return nil
}

// PutOffComparison plans the next one where one could not be made.
func (s *Store) PutOffComparison(ctx context.Context, host string, at time.Time) error {
	err := s.write(ctx, patient, func(tx *Tx) error {
		_, err := tx.exec(ctx, "compare_put_off", host, instant(at))
		return err
	})
	if err != nil {
		return fmt.Errorf("comparison with %s: %w", host, err)
	}
	return nil
}
