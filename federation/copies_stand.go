// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"slices"
	"strings"

	"essaim"
	"essaim/federation/vocab"
)

// Bounds of what is looked at to believe a retired key.
const (
	maxWitnesses = 8
	maxNodes     = 4096
)

// listed tells whether a copy by a retired key stood in a head: one that a key no
// later than that proves, which was taken while it held, or one of the present key
// (replication.md, Authenticity). That it stood there is shown by the digest tree
// of who is asked, hash by hash from the head's root down.
func (r *copiesReader) listed(ctx context.Context, c *essaim.VerifiedCopy, key int) bool {
	return slices.ContainsFunc(r.witness, func(w witness) bool {
		return (w.key <= key || w.key == len(r.keys)-1) && r.member(ctx, w.root, essaim.CommonsItem{ID: c.ID, Digest: c.CopyDigest})
	})
}

// member tells whether a tree of a root has an item, by what the node that is
// asked shows of it.
func (r *copiesReader) member(ctx context.Context, root essaim.Digest, item essaim.CommonsItem) bool {
	key, want := essaim.CommonsKey(item.ID), root
	for i := range key {
		n, err := r.node(ctx, key[:i])
		switch {
		case err != nil || n.hash() != want:
			return false
		case !n.inner:
			return slices.Contains(n.lines, item)
		}
		want = n.children[strings.IndexByte(essaim.CommonsDigits, key[i])].Hash
	}
	return false
}

// node asks for one of the digest tree, once in a reading.
func (r *copiesReader) node(ctx context.Context, prefix string) (*answered, error) {
	if n, ok := r.nodes[prefix]; ok || len(r.nodes) >= maxNodes {
		if n == nil {
			return nil, essaim.ErrUnavailable
		}
		return n, nil
	}
	n, err := askDigests(ctx, r.Client, vocab.CopyDigests(r.Holder, r.Origin.Host(), prefix), "essaim:of", r.Origin.Host())
	r.nodes[prefix] = n
	return n, err
}

// leaveOut drops the copies that say no more than what stands.
func (r *copiesReader) leaveOut(ctx context.Context, p *essaim.CopiesPage) error {
	if r.Standing == nil || len(p.Copies) == 0 {
		return nil
	}
	ids := make([]string, len(p.Copies))
	for i := range p.Copies {
		ids[i] = p.Copies[i].ID
	}
	held, err := r.Standing(ctx, ids)
	if err != nil {
		return err
	}
	all := len(p.Copies)
	p.Copies = slices.DeleteFunc(p.Copies, func(c essaim.VerifiedCopy) bool { return !held[c.ID].Wants(&c) })
	p.Held = all - len(p.Copies)
	return nil
}
