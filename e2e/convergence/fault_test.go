// SPDX-License-Identifier: AGPL-3.0-or-later

package convergence

import (
	"fmt"
	"strings"
)

// fault is something that befell, and what it made differ.
type fault struct {
	kind string
	what string
	// watched are the differences that it made; a reset is known by the name of its
	// request instead.
	watched []*watch
	name    string
	mended  bool // something of it was seen to be repaired
}

// watch is an id of which a node holds something else than its origin.
type watch struct {
	at, of, id string
	over       bool
}

// befell notes a fault.
func (w *world) befell(kind, what string, watched ...*watch) *fault {
	f := &fault{kind: kind, what: what, watched: watched}
	w.faults = append(w.faults, f)
	w.tell("%s: %s", kind, what)
	return f
}

// wasLost notes a delivery that was thrown away. What is between two actors alone
// is not replicated: nothing but its sender's next one makes its loss good.
func (w *world) wasLost(from, to string, a activity) {
	id, _ := a.about()
	switch a.Type {
	case "Create", "Update", "Delete":
		w.befell("lost", fmt.Sprintf("%s of %s to %s", a.Type, id, to), &watch{at: to, of: from, id: id})
	default:
		w.tell("lost: %s from %s to %s", a.Type, from, to)
	}
}

func (w *world) wasReset(_, _, name string) {
	w.befell("reset", name).name = name
}

func (w *world) wasRetried(name string) {
	for _, f := range w.faults {
		if f.name == name {
			f.mended = true
		}
	}
}

// same tells whether a node holds of an id what its origin does.
func (w *world) same(at, of, id string) bool {
	here, err := w.node(at).one(w.ctx, id)
	w.must(err)
	there, err := w.node(of).one(w.ctx, id)
	w.must(err)
	return here == there
}

// observe looks which of the differences at a node are gone after its turn: what
// was read mended them, or a later push made them good without. It returns how
// many were mended.
func (w *world) observe(n *node, read bool) (mended int) {
	if !n.up {
		return 0
	}
	for _, f := range w.faults {
		for _, p := range f.watched {
			if p.over || p.at != n.host || !w.node(p.of).up || !w.same(p.at, p.of, p.id) {
				continue
			}
			p.over = true
			if read {
				mended++
			}
			// A delivery that is made again repairs what kept it from arriving, not
			// what was lost or damaged after.
			if read || f.kind == "partition" || f.kind == "death" {
				f.mended = true
			}
		}
	}
	return mended
}

// befall has happen what the seed says for a round.
func (w *world) befall() {}

// recover ends what lasts.
func (w *world) recover() {}

// die ends a node in the middle of a request.
func (w *world) die(n *node) {}

// tally counts the faults of each kind, and those that caused a repair.
func (w *world) tally() (all, mended map[string]int) {
	all, mended = map[string]int{}, map[string]int{}
	for _, f := range w.faults {
		all[f.kind]++
		if f.mended {
			mended[f.kind]++
		}
	}
	return all, mended
}

// idle lists the faults that caused no repair.
func (w *world) idle() string {
	var b strings.Builder
	for _, f := range w.faults {
		if !f.mended {
			fmt.Fprintf(&b, "%s: %s\n", f.kind, f.what)
		}
	}
	return b.String()
}
