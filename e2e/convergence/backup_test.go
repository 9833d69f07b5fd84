// SPDX-License-Identifier: AGPL-3.0-or-later

package convergence

import (
	"bytes"
	"slices"

	"essaim/store/storetest"
)

// saved is a backup of a node, of the round in which it was made.
type saved struct {
	node      *node
	bytes     []byte
	round     int
	rotations int // of its keys, by then: a backup is restored with the keys of its time
}

// forget makes a backup of a node and, rounds later, puts the node back to it. What
// it published meanwhile it gets back from the others.
func (w *world) forget() {
	s := w.saved
	switch {
	case s == nil || s.round > 0 && s.rotations != s.node.rotations:
		n := w.nodes[w.random.IntN(len(w.nodes))]
		if !n.up {
			return
		}
		var b bytes.Buffer
		_, err := n.Backup(w.ctx, &b, nil)
		w.must(err)
		w.saved = &saved{n, b.Bytes(), w.round, n.rotations}
		w.tell("%s makes a backup", n.host)
	case s.round > 0 && w.round >= s.round+2 && s.node.up && w.side == nil && w.known(s.node):
		n := s.node
		before, err := n.dump(w.ctx, n.host)
		w.must(err)
		db := storetest.DB{Name: "sqlite", Dir: n.db.Dir + "r"}
		if n.db.Dir == "" {
			db = storetest.Postgres(w.t)
		}
		// Before anybody read the head of what was pushed, nobody can tell a node that
		// its disk is old (it is told by a restore that it is).
		snapshot := w.random.IntN(2) == 0 && w.headKnown(n)
		w.must(n.restore(w.ctx, db, s.bytes, snapshot))
		s.round = 0 // one is enough
		after, err := n.dump(w.ctx, n.host)
		w.must(err)
		gone := differences(before, after)
		var lost []*watch
		for _, other := range w.nodes {
			if other == n || !other.up {
				continue
			}
			lost = append(lost, w.behind(n, other)...)
			for _, id := range gone {
				lost = append(lost, &watch{at: n.host, of: other.host, id: id})
			}
		}
		how := "a backup"
		if snapshot {
			how = "a snapshot of its disk"
		}
		w.befell("restore", n.host+" to "+how, lost...)
	}
}

// known tells whether two others that are up hold each thing that a node published,
// as it is: what nobody else holds is gone with its disk, and nothing is to be shown.
func (w *world) known(n *node) bool {
	own, err := n.dump(w.ctx, n.host)
	w.must(err)
	holders := map[string]int{}
	for _, other := range w.nodes {
		if other == n || !other.up {
			continue
		}
		d, err := other.dump(w.ctx, n.host)
		w.must(err)
		for id, l := range own {
			if d[id] == l {
				holders[id]++
			}
		}
	}
	for id := range own {
		if holders[id] < 2 {
			return false
		}
	}
	return true
}

// headKnown tells whether another holds the latest head of a node.
func (w *world) headKnown(n *node) bool {
	is, err := n.CommonsState(w.ctx)
	w.must(err)
	return slices.ContainsFunc(w.nodes, func(other *node) bool {
		if other == n || !other.up {
			return false
		}
		heads, err := other.Heads(w.ctx, n.host, 1)
		w.must(err)
		return len(heads) > 0 && heads[0].Number.Compare(is.Number) >= 0
	})
}

// recovering tells whether a node gets back what it lost.
func (w *world) recovering() bool {
	return slices.ContainsFunc(w.nodes, func(n *node) bool { return n.up && w.readOnly(n) })
}

func (w *world) readOnly(n *node) bool {
	under, err := n.Recovering(w.ctx)
	w.must(err)
	return under
}
