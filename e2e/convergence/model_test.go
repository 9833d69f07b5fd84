// SPDX-License-Identifier: AGPL-3.0-or-later

package convergence

import (
	"fmt"
	"maps"
	"slices"

	"essaim"
	"essaim/federation/proof"
)

// model is what each origin acknowledged, as the rig wrote it down: it knows
// nothing of how it is kept.
type model map[string]*origin // by host

type origin struct {
	records map[string]*fact
	order   []string // ids as they were made
}

// fact is a record as its origin acknowledged it last.
type fact struct {
	content  essaim.Content
	revision int
	deleted  bool
	touched  int      // round of the last change
	spared   bool     // from damage: its origin's was
	versions [][]byte // documents, the oldest first
}

func (m model) of(host string) *origin {
	if m[host] == nil {
		m[host] = &origin{records: map[string]*fact{}}
	}
	return m[host]
}

// note writes down what an origin acknowledged.
func (o *origin) note(r essaim.Record, round int, doc []byte) {
	f := o.records[r.ID]
	if f == nil {
		f = &fact{}
		o.records[r.ID] = f
		o.order = append(o.order, r.ID)
	}
	f.content, f.revision, f.touched = r.Content, r.Revision, round
	f.versions = append(f.versions, doc)
}

// wanted is what a node must say under an id: its document, as the rig reads it, and
// its row, all of it.
type wanted struct{ says, content string }

// wants is what every node must say of an origin in the end.
func (m model) wants(n *node) map[string]wanted {
	want := map[string]wanted{}
	for id, f := range m.of(n.host).records {
		if want[id] = (wanted{says: "deleted"}); !f.deleted {
			want[id] = wanted{contentSays(&f.content, f.revision), wholeContent(withHolder(f.content, id))}
		}
	}
	want[n.territory()] = wanted{says: "actor with key " + proof.EncodeMultikey(n.publicKey())}
	return want
}

// disagrees lists where a dump of an origin is not what the origin acknowledged.
func disagrees(d dump, want map[string]wanted) (list []string) {
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if got := (wanted{d[id].Says, d[id].Content}); got != want[id] {
			list = append(list, fmt.Sprintf("%s: got %+v, want %+v", id, got, want[id]))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(d)) {
		if _, ok := want[id]; !ok {
			list = append(list, fmt.Sprintf("%s: got %s, and it was never made", id, d[id].Says))
		}
	}
	return list
}
