// SPDX-License-Identifier: AGPL-3.0-or-later

package convergence

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"essaim/store/sqlite"
)

// fault is something that befell, and what it made differ.
type fault struct {
	kind string
	what string
	// watched are the differences that it made, or kept from being mended; a delivery
	// that was reset is known by its name instead.
	watched []*watch
	name    string
	mended  bool // something of it was seen to be repaired
}

// watch is an id of which a node holds something else than its origin or, of its
// own, other bytes than it published.
type watch struct {
	at, of, id string
	was        string // what an origin's own said
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

// wasReset notes a request that was reset. A delivery is made good by the same one
// made again. What is asked of a node's commons is asked each hour anyway: its loss
// counts where there was something to be told, and is made good once that is read.
func (w *world) wasReset(from, to, name, path string) {
	if path == "" {
		w.befell("reset", name).name = name
		return
	}
	var differ []*watch
	if !strings.HasPrefix(path, "/commons/copies") { // which are of a third
		for _, id := range w.unlike(from, to) {
			differ = append(differ, &watch{at: from, of: to, id: id})
		}
	}
	if len(differ) == 0 {
		w.tell("reset, with nothing to be told: %s", name)
		return
	}
	w.befell("reset", name, differ...)
}

// unlike lists the ids of which a node lists something else than their origin does.
// It runs in the middle of a turn, and of a death maybe: none where neither is.
func (w *world) unlike(at, of string) (ids []string) {
	lines := func(n *node, origin string) map[string]string {
		list := map[string]string{}
		rows, err := n.DB().QueryContext(w.ctx, "SELECT id, digest FROM commons WHERE origin = $1", origin)
		if err != nil {
			return nil
		}
		defer rows.Close()
		for rows.Next() {
			var id, digest string
			if rows.Scan(&id, &digest) != nil {
				return nil
			}
			list[id] = digest
		}
		if rows.Err() != nil {
			return nil
		}
		return list
	}
	here, there := lines(w.node(at), of), lines(w.node(of), "")
	if here == nil || there == nil {
		return nil
	}
	for id, digest := range there {
		if here[id] != digest {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
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

// sound tells whether a difference is gone.
func (w *world) sound(p *watch) bool {
	if p.at != p.of {
		return w.same(p.at, p.of, p.id)
	}
	is, err := w.node(p.at).one(w.ctx, p.id)
	w.must(err)
	return is.Digest == is.Listed && is.Says == p.was
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
			if p.over || p.at != n.host || !w.node(p.of).up || !w.sound(p) {
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

// befall has happen what the seed says for a round, after what ends with it.
func (w *world) befall() {
	w.heal(false)
	w.revive(false)
	if w.side == nil && !w.recovering() && w.random.IntN(100) < 25 {
		w.part()
	}
	if w.doomed == "" && w.random.IntN(100) < 35 {
		n := w.nodes[w.random.IntN(len(w.nodes))]
		if n.up && !w.anyDown() {
			w.doomed, w.left = n.host, 1+w.random.IntN(12)
		}
	}
	for range w.random.IntN(4) {
		w.harm()
	}
	w.forget()
}

// recover ends what lasts.
func (w *world) recover() {
	w.doomed = ""
	w.heal(true)
	w.revive(true)
}

// part cuts the nodes into two sides, and something is written on each.
func (w *world) part() {
	w.side, w.healAt = map[string]bool{}, w.round+1+w.random.IntN(2)
	order := w.random.Perm(len(w.nodes))
	for _, i := range order[:1+w.random.IntN(len(order)-1)] {
		w.side[w.nodes[i].host] = true
	}
	w.across(func(a, b *node) { w.network.part(a.host, b.host, true) })
	w.tell("%v and the others are parted", slices.Sorted(maps.Keys(w.side)))
	for _, i := range []int{order[0], order[len(order)-1]} {
		if w.nodes[i].up && !w.readOnly(w.nodes[i]) {
			w.create(w.nodes[i])
		}
	}
}

// across does something for each pair of nodes on different sides, both ways.
func (w *world) across(f func(a, b *node)) {
	for _, a := range w.nodes {
		for _, b := range w.nodes {
			if w.side[a.host] != w.side[b.host] {
				f(a, b)
			}
		}
	}
}

// heal ends a cut, if it is time to, and notes what it made differ.
func (w *world) heal(now bool) {
	if w.side == nil || w.round < w.healAt && !now {
		return
	}
	var differ []*watch
	w.across(func(a, b *node) {
		w.network.part(a.host, b.host, false)
		if a.up && b.up {
			differ = append(differ, w.behind(a, b)...)
		}
	})
	w.befell("partition", fmt.Sprint(slices.Sorted(maps.Keys(w.side))), differ...)
	w.side = nil
}

// behind lists in what a node is behind another.
func (w *world) behind(at, of *node) (differ []*watch) {
	here, err := at.dump(w.ctx, of.host)
	w.must(err)
	there, err := of.dump(w.ctx, of.host)
	w.must(err)
	for _, id := range differences(here, there) {
		differ = append(differ, &watch{at: at.host, of: of.host, id: id})
	}
	return differ
}

func (w *world) anyDown() bool {
	return slices.ContainsFunc(w.nodes, func(n *node) bool { return !n.up })
}

// die ends a node in the middle of a request: its database is what it was then.
func (w *world) die(n *node) {
	d := w.network.dying
	n.up, n.backAt = false, w.round+1+w.random.IntN(2)
	n.link.dead.Store(true)
	w.network.serve(n.host, nil)
	if n.db.Dir != "" {
		next := n.db.Dir + "+"
		w.must(os.MkdirAll(next, 0o700))
		w.must(sqlite.CopyInto(w.ctx, n.db.Dir, filepath.Join(next, sqlite.File)))
		n.db.Dir = next
	}
	w.must(n.Close())
	close(d.release)
	w.doomed = ""
	w.tell("%s dies", n.host)
}

// revive starts the nodes that are down, if it is time to, and notes what their
// death made differ.
func (w *world) revive(now bool) {
	for _, n := range w.nodes {
		if n.up || w.round < n.backAt && !now {
			continue
		}
		w.must(n.open(w.ctx))
		var differ []*watch
		for _, other := range w.nodes {
			if other != n && other.up {
				differ = append(append(differ, w.behind(n, other)...), w.behind(other, n)...)
			}
		}
		w.befell("death", n.host, differ...)
	}
}

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
