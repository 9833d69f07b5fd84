// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"strings"

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

// checkDocuments recomputes from its bytes both digests of every document that
// is kept, and its proof: ours by the node's key, a copy by the keys that are
// pinned of its node, retired ones included. Copies of nodes that prove nothing
// are counted.
func checkDocuments(ctx context.Context, n *Node) (finding, error) {
	var changed, unproven failing
	seen, without := 0, 0
	keys := map[string][]ed25519.PublicKey{"": {n.keys.Ed25519.Public().(ed25519.PublicKey)}}
	// While documents are signed again, some still are by the keys before.
	done, err := n.store.Resigned(ctx)
	if err != nil {
		return finding{}, err
	}
	if !done {
		for _, change := range n.info.Rotations {
			if key, err := proof.DecodeMultikey(change.Old); err == nil {
				keys[""] = append(keys[""], key)
			}
		}
	}
	for after := int64(0); ; {
		page, err := n.store.KeptDocuments(ctx, after, 200)
		if err != nil {
			return finding{}, err
		}
		for _, d := range page {
			after = d.Position
			seen++
			content, copied, err := proof.Digests(d.Document)
			if err != nil || content != d.ContentDigest || copied != d.CopyDigest {
				changed.add(d.ID)
				continue
			}
			of, err := keysAt(ctx, n.store, keys, d.Origin)
			if err != nil {
				return finding{}, err
			}
			if len(of) == 0 {
				without++
			} else if _, err := proof.VerifyOwned(d.Document, of...); err != nil {
				unproven.add(d.ID)
			}
		}
		if len(page) < 200 {
			break
		}
	}
	return documentsFinding(seen, without, changed, unproven), nil
}

func documentsFinding(seen, without int, changed, unproven failing) finding {
	var words []string
	if changed.n > 0 {
		words = append(words, fmt.Sprintf("%d of %d documents are not the bytes that were kept: %s.", changed.n, seen, changed.list()))
	}
	if unproven.n > 0 {
		words = append(words, fmt.Sprintf("%d of %d documents are not proven by a key of their node: %s.", unproven.n, seen, unproven.list()))
	}
	if len(words) > 0 {
		return finding{State: "wrong", What: strings.Join(words, " "), Mend: "restore a backup from before (essaim restore)"}
	}
	what := fmt.Sprintf("%d documents are the bytes of their digests", seen)
	if without > 0 {
		return finding{What: fmt.Sprintf("%s, %d proven; %d are of nodes that prove nothing.", what, seen-without, without)}
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
