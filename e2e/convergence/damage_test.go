// SPDX-License-Identifier: AGPL-3.0-or-later

package convergence

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"essaim/federation/proof"
)

// damage runs statements below a node's store, as a disk or a hand does.
func (n *node) damage(ctx context.Context, statements ...statement) error {
	for _, s := range statements {
		if err := n.db.Exec(ctx, n.Store, s.text, s.args...); err != nil {
			return err
		}
	}
	return nil
}

type statement struct {
	text string
	args []any
}

func run(text string, args ...any) statement { return statement{text, args} }

// harm is a sort of damage to what a replica holds under an id: the statements
// that do it, none where it cannot be done. Of its own an origin mends those that
// leave its line, which says what was published; it has no other word for it.
type harm struct {
	name string
	own  bool // befalls origins as well
	do   func(id string, f *fact) []statement
}

// harms befall records, those of the end tombstones.
var harms = []harm{
	{"its row is deleted", true, func(id string, f *fact) []statement {
		return alive(f, run("DELETE FROM search WHERE rid = (SELECT rid FROM record WHERE id = $1)", id), run("DELETE FROM record WHERE id = $1", id))
	}},
	{"its line is deleted", false, func(id string, _ *fact) []statement { return []statement{run("DELETE FROM commons WHERE id = $1", id)} }},
	{"a byte of it turns", true, func(id string, f *fact) []statement {
		doc := bytes.Clone(f.versions[len(f.versions)-1])
		doc[len(doc)/2] ^= 1
		return alive(f, run("UPDATE record SET document = $2 WHERE id = $1", id, doc))
	}},
	{"its bytes are nonsense", true, func(id string, f *fact) []statement {
		return alive(f, run("UPDATE record SET document = $2 WHERE id = $1", id, []byte{0xff, 0x00}))
	}},
	{"an older version takes its place", false, func(id string, f *fact) []statement {
		if len(f.versions) < 2 {
			return nil
		}
		return alive(f, older(id, f.versions[len(f.versions)-2])...)
	}},
	{"its columns say something else", true, func(id string, f *fact) []statement {
		c := f.content
		c.Title = "Autre chose"
		b, err := json.Marshal(c)
		if err != nil {
			return nil
		}
		return alive(f, run("UPDATE record SET title = $2, content = $3 WHERE id = $1", id, c.Title, string(b)))
	}},
	{"its version is beyond all that will come", true, func(id string, f *fact) []statement {
		return alive(f, run("UPDATE record SET revision = revision + 1000 WHERE id = $1", id))
	}},
	{"so it is, and its bytes are nonsense", false, func(id string, f *fact) []statement {
		return alive(f, run("UPDATE record SET incarnation = incarnation + 1000, revision = 7, document = $2 WHERE id = $1", id, []byte("x")))
	}},
	{"its tombstone is deleted", true, func(id string, f *fact) []statement { return dead(f, run("DELETE FROM tombstone WHERE id = $1", id)) }},
	{"it comes back from the dead", false, func(id string, f *fact) []statement {
		old := older(id, f.versions[len(f.versions)-1])
		return dead(f, append(old, run("UPDATE record SET state = 'published' WHERE id = $1", id),
			run("DELETE FROM tombstone WHERE id = $1", id), run("UPDATE commons SET sort = 'record' WHERE id = $1", id))...)
	}},
}

func alive(f *fact, s ...statement) []statement {
	if f.deleted {
		return nil
	}
	return s
}

func dead(f *fact, s ...statement) []statement {
	if !f.deleted {
		return nil
	}
	return s
}

// older puts a version in the place of what is held, digests included.
func older(id string, doc []byte) []statement {
	content, exact, err := proof.Digests(doc)
	var d document
	if err != nil || json.Unmarshal(doc, &d) != nil {
		return nil
	}
	return []statement{
		run("UPDATE record SET document = $2, content_digest = $3, copy_digest = $4, revision = $5 WHERE id = $1", id, doc, content, exact, d.Revision),
		run("UPDATE commons SET digest = $2 WHERE id = $1", id, exact),
	}
}

// harm damages something that a node holds of another.
func (w *world) harm() {
	for tries := 0; tries < 10 && !w.harmOne(); tries++ {
	}
}

// harmOne damages, at a node, something that it holds as its origin does; false
// where that cannot be.
func (w *world) harmOne() bool {
	n, of := w.nodes[w.random.IntN(len(w.nodes))], w.nodes[w.random.IntN(len(w.nodes))]
	h := harms[w.random.IntN(len(harms))]
	if n == of && !h.own || !n.up || !of.up {
		return false
	}
	o := w.model.of(of.host)
	if w.random.IntN(12) == 0 {
		return w.harmActor(n, of)
	}
	for _, i := range w.random.Perm(len(o.order)) {
		id := o.order[i]
		do := h.do(id, o.records[id])
		if len(do) == 0 || o.records[id].spared || !w.same(n.host, of.host, id) || n == of && !w.elsewhere(of, id) {
			continue
		}
		was, err := n.one(w.ctx, id)
		w.must(err)
		w.must(n.damage(w.ctx, do...))
		is, err := n.one(w.ctx, id)
		w.must(err)
		if is == was {
			continue // nothing of it is held there, so nothing was harmed
		}
		w.befell("damage", fmt.Sprintf("at %s, of %s: %s", n.host, id, h.name), &watch{at: n.host, of: of.host, id: id, was: was.Says})
		o.records[id].touched = w.round + roundsOfSeed // what it becomes would hide it
		o.records[id].spared = n == of                 // whoever else holds it may be asked for it
		return true
	}
	return false
}

// elsewhere tells whether two others hold what an origin does under an id: what it
// alone holds is gone with its disk.
func (w *world) elsewhere(of *node, id string) bool {
	holders := 0
	for _, other := range w.nodes {
		if other != of && other.up && w.same(other.host, of.host, id) {
			holders++
		}
	}
	return holders > 1
}

func (w *world) harmActor(n, of *node) bool {
	id := of.territory()
	if !w.same(n.host, of.host, id) {
		return false
	}
	was, err := n.one(w.ctx, id)
	w.must(err)
	w.must(n.damage(w.ctx, run("UPDATE commons SET document = $2 WHERE id = $1", id, []byte("x"))))
	w.befell("damage", fmt.Sprintf("at %s, of %s: its bytes are nonsense", n.host, id), &watch{at: n.host, of: of.host, id: id, was: was.Says})
	return true
}
