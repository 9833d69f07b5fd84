// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CommonsLeaf is how many items a leaf of the digest tree holds at most.
const CommonsLeaf = 64

// Digest is a SHA-256 sum. Empty children of the digest tree are the zero value.
type Digest [sha256.Size]byte

// String is the sum in lower-case hex; empty for the zero value.
func (d Digest) String() string {
	if d == (Digest{}) {
		return ""
	}
	return hex.EncodeToString(d[:])
}

// ParseDigest reads what String writes.
func ParseDigest(s string) (d Digest, err error) {
	if s == "" {
		return d, nil
	}
	if len(s) != 2*len(d) || strings.ToLower(s) != s {
		return d, fmt.Errorf("digest %.80q: %w", s, ErrInvalid)
	}
	if _, err := hex.Decode(d[:], []byte(s)); err != nil {
		return d, fmt.Errorf("digest %.80q: %w", s, ErrInvalid)
	}
	return d, nil
}

// CommonsNumber is a place in the history of a node's commons. Pairs compare as
// pairs: the numbers of a restored node begin anew under a higher incarnation.
type CommonsNumber struct {
	Incarnation int64 // Unix seconds of init or of the last restore
	N           int64 // change number
}

// String writes it as in addresses: incarnation, full stop, n.
func (c CommonsNumber) String() string {
	return strconv.FormatInt(c.Incarnation, 10) + "." + strconv.FormatInt(c.N, 10)
}

// Compare orders by incarnation, then by number.
func (c CommonsNumber) Compare(o CommonsNumber) int {
	return cmp.Or(cmp.Compare(c.Incarnation, o.Incarnation), cmp.Compare(c.N, o.N))
}

// ParseCommonsNumber reads what String writes, in no other spelling.
func ParseCommonsNumber(s string) (c CommonsNumber, err error) {
	left, right, ok := strings.Cut(s, ".")
	if c.Incarnation, err = strconv.ParseInt(left, 10, 64); err == nil {
		c.N, err = strconv.ParseInt(right, 10, 64)
	}
	if !ok || err != nil || c.Incarnation < 0 || c.N < 0 || c.String() != s {
		return CommonsNumber{}, fmt.Errorf("number %.80q: %w", s, ErrInvalid)
	}
	return c, nil
}

// CommonsHead is the state of a node's commons, which the node signs: nobody can
// show an older one for it, nor keep an item back unnoticed.
type CommonsHead struct {
	Number CommonsNumber // of the latest change
	Count  int           // items, tombstones included
	Root   Digest        // of the digest tree
	At     time.Time     // when it was signed
	// Document is the signed bytes; nil for one that is not signed yet.
	Document []byte
}

// CommonsDocument is what stands in a node's commons, as signed, and the number
// of its latest change.
type CommonsDocument struct {
	Number int64
	ID     string
	Digest string // copy digest, as noted
	Bytes  []byte // nil for one that is lost
}

// CommonsProgress is how far this node read the commons of another.
type CommonsProgress struct {
	Host string
	// Cursor is up to where everything was taken, Tag what named the answer of the
	// last request at it: asked again, the same comes back without a body.
	Cursor CommonsNumber
	Tag    string
	// Since the reading began that is under way or ended last: documents, out of
	// about Total, pages, bytes.
	Items, Total, Pages int
	Bytes               int64
	StartedAt           time.Time
	DoneAt              time.Time // zero while it is under way
	CheckedAt           time.Time // the last answer
	NextAt              time.Time // when it is asked again
	Reason              string    // why it could not be read; empty when it could
	// Refused items since the reading from the beginning, and of the first which and
	// why.
	Refused int
	Refusal string

	CommonsComparison
}

// Expected is about how many documents the reading brings: an item that changes
// meanwhile comes again.
func (p *CommonsProgress) Expected() int { return max(p.Total, p.Items) }

// CommonsTaken is what an item of a node's commons comes to.
type CommonsTaken struct {
	ID      string // as it says itself
	Actor   string // its author
	Effects []Effect
	Refused string // why it has none; empty when it has
}

// CommonsComparison is what it came to when what is held of a node was compared
// with its digest tree.
type CommonsComparison struct {
	NextCompared time.Time
	ComparedAt   time.Time // zero when it never was
	Differences  int       // found
	Mended       int       // of them
	// Kept are ids that are held here and that the node does not list, without
	// showing that they were deleted.
	Kept []string
	// Others are the nodes that were asked instead, since it cannot be read.
	Others []string
}

// CommonsCopy is a document of another node as it is held here, with the copy
// digest noted when it came.
type CommonsCopy struct {
	Key    string // its place in the digest tree
	ID     string
	Digest string // hex; empty for one that is known to be damaged or gone
	Bytes  []byte
	Row    *CommonsRow // of a record
}

// CommonsRow is what the columns of a copied record say, which its document says
// too.
type CommonsRow struct {
	Title       string
	Content     string // JSON
	Incarnation int64
	Revision    int
	Published   time.Time
	Updated     time.Time
}

// Says tells whether a row says what was read from a document.
func (w *CommonsRow) Says(r Record) bool {
	r.Contacts = nil
	content, err := json.Marshal(&r.Content)
	return err == nil && w.Content == string(content) && w.Title == r.Title && w.Incarnation == r.Incarnation && w.Revision == r.Revision &&
		(r.Published.IsZero() || w.Published.Equal(r.Published)) && (r.Updated.IsZero() || w.Updated.Equal(r.Updated))
}

// CommonsItem is a line of the digest tree: an id, and the copy digest of the
// document that stands there.
type CommonsItem struct {
	ID     string
	Digest string // hex
}

// CommonsKey is where an item stands in the digest tree: SHA-256 of its id, in
// lower-case hex.
func CommonsKey(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

// CommonsPrefix tells whether a text names a node of the digest tree.
func CommonsPrefix(s string) bool {
	return len(s) <= 2*sha256.Size && strings.Trim(s, "0123456789abcdef") == ""
}

// CommonsNode is what a node of the digest tree comes to. It is a leaf when it
// holds no more than CommonsLeaf items.
type CommonsNode struct {
	Count int
	Hash  Digest
}

// Leaf tells whether the node lists items and not children.
func (n CommonsNode) Leaf() bool { return n.Count <= CommonsLeaf }

// CommonsLeafHash is the hash of a leaf: SHA-256 of 0x00 and, for each item in
// the order of keys, its id, a line feed, its copy digest, a line feed.
func CommonsLeafHash(items []CommonsItem) Digest {
	type line struct{ key, text string }
	lines := make([]line, len(items))
	for i, it := range items {
		lines[i] = line{CommonsKey(it.ID), it.ID + "\n" + it.Digest + "\n"}
	}
	slices.SortFunc(lines, func(a, b line) int { return cmp.Compare(a.key, b.key) })
	h := sha256.New()
	h.Write([]byte{0})
	for _, l := range lines {
		h.Write([]byte(l.text))
	}
	return Digest(h.Sum(nil))
}

// CommonsInner is an inner node: its hash is SHA-256 of 0x01 and the hashes of
// its sixteen children, 32 zero bytes for one that is empty.
func CommonsInner(children [16]CommonsNode) CommonsNode {
	h := sha256.New()
	h.Write([]byte{1})
	var n CommonsNode
	for _, c := range children {
		n.Count += c.Count
		h.Write(c.Hash[:])
	}
	n.Hash = Digest(h.Sum(nil))
	return n
}

// CommonsTree makes the nodes of the digest tree from prefix down, by prefix, of
// all the items whose keys begin with it. Nodes without items are left out, but
// for prefix itself when it is the root.
func CommonsTree(prefix string, items []CommonsItem) map[string]CommonsNode {
	sorted := make([]keyed, len(items))
	for i, it := range items {
		sorted[i] = keyed{CommonsKey(it.ID), it}
	}
	slices.SortFunc(sorted, func(a, b keyed) int { return cmp.Compare(a.key, b.key) })
	nodes := map[string]CommonsNode{}
	if len(items) > 0 || prefix == "" {
		growCommons(nodes, prefix, sorted)
	}
	return nodes
}

type keyed struct {
	key string
	CommonsItem
}

func growCommons(nodes map[string]CommonsNode, prefix string, sorted []keyed) CommonsNode {
	n := CommonsNode{Count: len(sorted)}
	if n.Leaf() {
		items := make([]CommonsItem, len(sorted))
		for i := range sorted {
			items[i] = sorted[i].CommonsItem
		}
		n.Hash = CommonsLeafHash(items)
		nodes[prefix] = n
		return n
	}
	var children [16]CommonsNode
	rest := sorted
	for i := range children {
		below := prefix + CommonsDigits[i:i+1]
		end, _ := slices.BinarySearchFunc(rest, below+"g", func(k keyed, end string) int { return cmp.Compare(k.key, end) })
		if end > 0 {
			children[i] = growCommons(nodes, below, rest[:end])
		}
		rest = rest[end:]
	}
	n = CommonsInner(children)
	nodes[prefix] = n
	return n
}

// CommonsDigits are the digits of keys, in the order of a node's children.
const CommonsDigits = "0123456789abcdef"
