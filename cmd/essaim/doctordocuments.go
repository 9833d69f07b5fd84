// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"

	"essaim"
	"essaim/federation"
	"essaim/federation/proof"
	"essaim/store"
)

// namedRows is how many rows that fail a check are named.
const namedRows = 10

// failing counts rows that fail in one way, and names the first.
type failing struct {
	n   int
	ids []string
}

func (f *failing) add(id string) {
	if f.n++; len(f.ids) < namedRows {
		f.ids = append(f.ids, id)
	}
}

func (f *failing) list() string {
	s := strings.Join(f.ids, " ")
	if f.n > len(f.ids) {
		s += " …"
	}
	return s
}

// examination is what the looking at all documents came to.
type examination struct {
	*Node
	keys              map[string][]ed25519.PublicKey // by host, "" for this node
	seen, without     int
	changed, unproven failing
	misread           failing // rows
}

// checkDocuments recomputes from its bytes both digests of every document that
// is kept, and its proof: records, and what stands beside them in the commons, ours
// and those of others, actors, tombstones and heads. Ours are proven by the node's
// key, a copy by the keys that are pinned of its node, retired ones included. Copies
// of nodes that prove nothing are counted. The rows of our own records are compared
// with their documents too.
func checkDocuments(ctx context.Context, n *Node) (finding, error) {
	keys := map[string][]ed25519.PublicKey{"": {n.keys.Ed25519.Public().(ed25519.PublicKey)}}
	// While documents are signed again, some still are by the keys before.
	done, err := n.store.Resigned(ctx)
	if err != nil {
		return finding{}, err
	}
	if !done {
		keys[""] = append(keys[""], retired(n.info)...)
	}
	x := &examination{Node: n, keys: keys}
	hosts, err := n.store.CopiedHosts(ctx)
	if err == nil {
		err = x.records(ctx)
	}
	for _, host := range append([]string{""}, hosts...) {
		if err == nil {
			err = x.lines(ctx, host)
		}
	}
	if err != nil {
		return finding{}, err
	}
	return x.finding(), nil
}

// retired are the keys that a node had before its own.
func retired(n essaim.Node) (keys []ed25519.PublicKey) {
	for _, change := range n.Rotations {
		if key, err := proof.DecodeMultikey(change.Old); err == nil {
			keys = append(keys, key)
		}
	}
	return keys
}

// records looks at those that are published, of any origin.
func (x *examination) records(ctx context.Context) error {
	for after := int64(0); ; {
		page, err := x.store.KeptDocuments(ctx, after, 200)
		if err != nil {
			return err
		}
		for _, d := range page {
			after = d.Position
			whole, err := x.document(ctx, d.ID, d.Origin, d.Document, d.ContentDigest, d.CopyDigest)
			if err == nil && whole && d.Origin == "" {
				err = x.row(ctx, d)
			}
			if err != nil {
				return err
			}
		}
		if len(page) < 200 {
			return nil
		}
	}
}

// lines looks at the lines of a host that are not of records, and at its heads.
func (x *examination) lines(ctx context.Context, host string) error {
	for after := ""; ; {
		page, err := x.store.Copies(ctx, host, after, 200)
		if err != nil {
			return err
		}
		for _, c := range page {
			if after = c.Key; c.Row != nil || c.Digest == "" {
				continue
			}
			if _, err := x.document(ctx, c.ID, host, c.Bytes, "", c.Digest); err != nil {
				return err
			}
		}
		if len(page) < 200 {
			break
		}
	}
	heads, err := x.store.Heads(ctx, host, 1)
	if err != nil {
		return err
	}
	for _, h := range heads {
		of, err := keysAt(ctx, x.store, x.keys, host)
		if err != nil {
			return err
		}
		if host == "" { // it is signed again within a day
			of = slices.Concat(of, retired(x.info))
		}
		if _, wrong := proof.VerifyOwned(h.Document, of...); wrong != nil && len(of) > 0 {
			x.unproven.add(cmp.Or(host, "this node") + ", its head " + h.Number.String())
		}
	}
	return nil
}

// row looks at what stands beside a document of this node.
func (x *examination) row(ctx context.Context, d store.KeptDocument) error {
	misread, err := federation.Misread(ctx, x.store, d.ID, d.Document)
	if misread {
		x.misread.add(d.ID)
	}
	return err
}

// document looks at one, and tells whether it is whole. What names its content is
// not noted of all.
func (x *examination) document(ctx context.Context, id, host string, doc []byte, content, exact string) (whole bool, err error) {
	x.seen++
	is, copied, wrong := proof.Digests(doc)
	if wrong != nil || content != "" && is != content || copied != exact {
		x.changed.add(id)
		return false, nil
	}
	of, err := keysAt(ctx, x.store, x.keys, host)
	if err != nil {
		return true, err
	}
	if len(of) == 0 {
		x.without++
	} else if _, wrong := proof.VerifyOwned(doc, of...); wrong != nil {
		x.unproven.add(id)
	}
	return true, nil
}

func (x *examination) finding() finding {
	var words []string
	if x.changed.n > 0 {
		words = append(words, fmt.Sprintf("%d of %d documents are not the bytes that were kept: %s.", x.changed.n, x.seen, x.changed.list()))
	}
	if x.unproven.n > 0 {
		words = append(words, fmt.Sprintf("%d of %d documents are not proven by a key of their node: %s.", x.unproven.n, x.seen, x.unproven.list()))
	}
	if x.misread.n > 0 {
		words = append(words, fmt.Sprintf("%d rows say something else than their documents: %s.", x.misread.n, x.misread.list()))
	}
	if len(words) > 0 {
		return finding{State: "wrong", What: strings.Join(words, " "), Mend: "essaim peer sync HOST for a copy; what is this node's it mends by itself within a day, else restore a backup from before (essaim restore)"}
	}
	what := fmt.Sprintf("%d documents are the bytes of their digests", x.seen)
	if x.without > 0 {
		return finding{What: fmt.Sprintf("%s, %d proven; %d are of nodes that prove nothing.", what, x.seen-x.without, x.without)}
	}
	return finding{What: what + ", each proven by its node."}
}

// keysAt are the keys that are pinned of a host, read once.
func keysAt(ctx context.Context, db *store.Store, keys map[string][]ed25519.PublicKey, host string) ([]ed25519.PublicKey, error) {
	if of, ok := keys[host]; ok {
		return of, nil
	}
	known, err := db.PeerTrust(ctx, host)
	if err != nil {
		return nil, err
	}
	var of []ed25519.PublicKey
	for _, k := range known.Keys {
		if key, err := proof.DecodeMultikey(k.Key); err == nil {
			of = append(of, key)
		}
	}
	keys[host] = of
	return of, nil
}
