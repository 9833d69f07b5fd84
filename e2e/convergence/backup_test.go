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
		snapshot := w.random.IntN(2) == 0
		w.must(n.restore(w.ctx, db, s.bytes, snapshot))
		s.round = 0 // one is enough
		after, err := n.dump(w.ctx, n.host)
		w.must(err)
		var lost []*watch
		for _, other := range w.nodes {
			if other == n || !other.up {
				continue
			}
			lost = append(lost, w.behind(n, other)...)
			for _, id := range differences(before, after) {
				lost = append(lost, &watch{at: n.host, of: other.host, id: id})
			}
		}
		w.befell("restore", n.host, lost...)
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

// recovering tells whether a node gets back what it lost.
func (w *world) recovering() bool {
	return slices.ContainsFunc(w.nodes, func(n *node) bool { return n.up && w.readOnly(n) })
}

func (w *world) readOnly(n *node) bool {
	under, err := n.Recovering(w.ctx)
	w.must(err)
	return under
}
