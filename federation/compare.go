// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"essaim"
	"essaim/federation/vocab"
	"essaim/federation/wire"
)

// Bounds of comparing what is held of a node with its digest tree.
const (
	compareEvery  = 24 * time.Hour
	compareJitter = 2 * time.Hour
	compareTime   = 30 * time.Minute
	compareTries  = 3 // walks, when the node changes meanwhile
	compareAtOnce = 4 // documents asked for
	compareWrites = 50
	copiesAtOnce  = 200   // copies whose bytes are looked at
	maxKept       = 100   // ids that are noted
	walkHolds     = 20000 // differences held in memory: then they are mended
	maxItemID     = 2048  // bytes, as of every id that is read

	// readAnew is from how many differences on, as a part of all items, reading
	// everything costs less than asking for each.
	readAnew = 4
)

// CopyStore knows what is held of other nodes, line by line.
type CopyStore interface {
	// CopyTree makes the digest tree of what is held of a host, CopyItems lists the
	// items below a prefix.
	CopyTree(ctx context.Context, host string) (map[string]essaim.CommonsNode, error)
	CopyItems(ctx context.Context, host, prefix string, n int) ([]essaim.CommonsItem, error)
	// Copies lists the documents, in the order of their keys; NoteCopies writes the
	// digests that their bytes have.
	Copies(ctx context.Context, host, after string, n int) ([]essaim.CommonsCopy, error)
	NoteCopies(ctx context.Context, found []essaim.CommonsItem) error
	// Document is a record as it was signed; essaim.ErrNotFound for one not published.
	Document(ctx context.Context, id string) ([]byte, error)
	// HeldCopies says what is held under ids.
	HeldCopies(ctx context.Context, ids []string) (map[string]essaim.HeldCopy, error)
	// DueComparisons claims nodes that are to be compared now.
	DueComparisons(ctx context.Context, n int) ([]string, error)
	SaveComparison(ctx context.Context, host string, c essaim.CommonsComparison) error
	PutOffComparison(ctx context.Context, host string, at time.Time) error
	// WithdrawnHere lists the records of a host that this node shows no more.
	WithdrawnHere(ctx context.Context, host string) (map[string]bool, error)
}

// errMoved means that the node changed while it was walked.
var errMoved = fmt.Errorf("the node changed meanwhile: %w", essaim.ErrUnavailable)

// compareDue compares with the node whose day it has been longest, if there is
// one, and tells whether the next may have its turn.
func (r *Replicator) compareDue(ctx context.Context) bool {
	hosts, err := r.Store.DueComparisons(ctx, 1)
	if err != nil && ctx.Err() == nil {
		r.Logger.Warn("comparisons not read", "error", err)
	}
	for _, host := range hosts {
		_, err := r.Compare(ctx, host)
		if err == nil || ctx.Err() != nil {
			continue
		}
		r.Logger.LogAttrs(ctx, slog.LevelInfo, "not compared", slog.String("host", host), slog.String("reason", cut(err.Error(), 300)))
		wait := readEvery
		if p, err := r.Store.CommonsProgress(ctx, host); err == nil && silent(p, r.Now()) {
			wait = compareEvery // the bytes of all its copies are looked at each time
		}
		if err := r.Store.PutOffComparison(ctx, host, r.Now().Add(wait)); err != nil {
			r.Logger.Warn("comparison not put off", "host", host, "error", err)
			return false
		}
	}
	return len(hosts) > 0 && ctx.Err() == nil
}

// Compare reads on in a node's commons, then walks its digest tree where it
// differs from what is held, and mends: what is missing, old, damaged, or was
// deleted there is asked for at its own address and taken by the rules of what is
// pushed. Of a node that cannot be read, other nodes are asked. The bytes of all
// copies are looked at first, for the walk believes their noted digests. Another
// comparison of the node that is under way ends first. A panic over what the node
// sent is an error.
func (r *Replicator) Compare(ctx context.Context, host string) (done essaim.CommonsComparison, err error) {
	defer caught(&err)
	end, err := r.comparing.begin(ctx, host)
	if err != nil {
		return done, err
	}
	defer end()
	ctx, stop := context.WithTimeout(ctx, compareTime)
	defer stop()
	peer, err := r.Store.Peer(ctx, host)
	if err != nil {
		return essaim.CommonsComparison{}, err
	}
	again, err := r.examineCopies(ctx, peer)
	if err != nil {
		return essaim.CommonsComparison{}, err
	}
	for try := 1; ; try++ {
		p, err := r.readFirst(ctx, host)
		if err != nil {
			return r.compareOthers(ctx, peer, again, err)
		}
		if p.DoneAt.IsZero() {
			return done, fmt.Errorf("%s is still being read: %w", host, essaim.ErrUnavailable)
		}
		c, err := r.crawl(peer, p)
		if err != nil {
			return done, err
		}
		w := &walk{crawl: c, holds: walkHolds, differs: map[string]string{}, held: map[string]string{}}
		w.asks, w.full = w.ask, w.mendFound
		err = w.run(ctx)
		if errors.Is(err, errMoved) && try < compareTries {
			again += w.mended
			continue
		}
		if err != nil {
			return done, err
		}
		done.Differences, done.Mended, done.Kept = again+w.found, again+w.mended, w.kept
		break
	}
	if err := r.readLineage(ctx, host); err != nil && ctx.Err() == nil {
		r.Logger.LogAttrs(ctx, slog.LevelInfo, "adaptations not read", slog.String("host", host), slog.String("reason", cut(err.Error(), 300)))
	}
	if err := r.readAbout(ctx, peer); err != nil && ctx.Err() == nil {
		r.Logger.LogAttrs(ctx, slog.LevelInfo, "what a node says of itself is not read", slog.String("host", host), slog.String("reason", cut(err.Error(), 300)))
	}
	done.ComparedAt = r.Now()
	done.NextCompared = done.ComparedAt.Add(compareEvery + jitter(host, done.ComparedAt, compareJitter))
	return done, r.Store.SaveComparison(context.WithoutCancel(ctx), host, done)
}

// walk is one comparison.
type walk struct {
	*crawl
	asks    func(ctx context.Context, prefix string) (*answered, error)
	full    func(ctx context.Context) error // what is done about as many differences as are held
	holds   int
	third   bool // it is of what another holds of the node: what that lacks says nothing
	head    essaim.CommonsHead
	here    map[string]essaim.CommonsNode
	asked   int               // nodes of the tree
	most    int               // as many as one of as many items has
	differs map[string]string // by id: the digest that the node lists
	held    map[string]string // of those, the digest noted here
	extra   []string          // held, and not listed
	found   int               // differences that were to be mended, and those that were
	mended  int
	kept    []string
}

func (w *walk) run(ctx context.Context) (err error) {
	if w.head, err = w.crawl.head(ctx); err != nil {
		return err
	}
	if w.here, err = w.Store.CopyTree(ctx, w.peer.Host); err != nil {
		return err
	}
	w.most = 2*w.head.Count + essaim.CommonsLeaf
	read, err := w.Store.CommonsProgress(ctx, w.peer.Host)
	if err != nil {
		return err
	}
	if missing := w.head.Count - w.here[""].Count - read.Refused; missing > w.head.Count/readAnew+commonsPage {
		// Mostly nothing is here, and pages bring it with fewer requests: but for what
		// was refused of them, which would be again.
		return w.anew(ctx, read)
	}
	if err := w.node(ctx, "", w.head.Root); err != nil {
		return err
	}
	return w.mendFound(ctx)
}

// anew has everything read from the beginning. Should the node be away by now, since
// when is known by its last answer.
func (w *walk) anew(ctx context.Context, read essaim.CommonsProgress) error {
	if err := w.Store.SaveCommonsProgress(ctx, essaim.CommonsProgress{Host: w.peer.Host, CheckedAt: read.CheckedAt}); err != nil {
		return err
	}
	return fmt.Errorf("read from the beginning: %w", errMoved)
}

// node compares what is below a prefix, where the node's hash is want.
func (w *walk) node(ctx context.Context, prefix string, want essaim.Digest) error {
	here, err := w.below(ctx, prefix)
	if err != nil || here.Hash == want {
		return err
	}
	if want == (essaim.Digest{}) {
		return w.leaf(ctx, prefix, nil)
	}
	if w.asked++; w.asked > w.most || len(prefix) > keyDigits {
		// A hash says nothing of how much there is below it: the same few would do for
		// a tree without end.
		return fmt.Errorf("digests of %s at %.80q: more than its items have: %w", w.peer.Host, prefix, essaim.ErrForbidden)
	}
	n, err := w.asks(ctx, prefix)
	if err != nil {
		return err
	}
	if n.hash() != want {
		return fmt.Errorf("digests of %s at %q: not what stands above them: %w", w.peer.Host, prefix, essaim.ErrForbidden)
	}
	if !n.inner {
		return w.leaf(ctx, prefix, n.lines)
	}
	for i, c := range n.children {
		if err := w.node(ctx, prefix+essaim.CommonsDigits[i:i+1], c.Hash); err != nil {
			return err
		}
	}
	return nil
}

// leaf compares what is held below a prefix with all that is listed there. More may
// be held than is listed: it is looked at leaf by leaf.
func (w *walk) leaf(ctx context.Context, prefix string, lines []essaim.CommonsItem) error {
	if w.third && len(lines) == 0 {
		return nil
	}
	if n, ok := w.here[prefix]; ok && !n.Leaf() {
		for i := range essaim.CommonsDigits {
			below := prefix + essaim.CommonsDigits[i:i+1]
			there := slices.DeleteFunc(slices.Clone(lines), func(it essaim.CommonsItem) bool { return !strings.HasPrefix(essaim.CommonsKey(it.ID), below) })
			if err := w.leaf(ctx, below, there); err != nil {
				return err
			}
		}
		return nil
	}
	held := map[string]string{}
	items, err := w.Store.CopyItems(ctx, w.peer.Host, prefix, 1<<20)
	if err != nil {
		return err
	}
	for _, it := range items {
		held[it.ID] = it.Digest
	}
	for _, it := range lines {
		if held[it.ID] != it.Digest {
			w.differs[it.ID], w.held[it.ID] = it.Digest, held[it.ID]
		}
		delete(held, it.ID)
	}
	if !w.third {
		w.extra = slices.AppendSeq(w.extra, maps.Keys(held))
	}
	return w.noted(ctx)
}

// noted does something about the differences once they are as many as are held.
func (w *walk) noted(ctx context.Context) error {
	if len(w.differs)+len(w.extra) < w.holds {
		return nil
	}
	return w.full(ctx)
}

// below is the node of what is held under a prefix, which may be deeper than the
// tree of it goes.
func (w *walk) below(ctx context.Context, prefix string) (essaim.CommonsNode, error) {
	if n, ok := w.here[prefix]; ok {
		return n, nil
	}
	items, err := w.Store.CopyItems(ctx, w.peer.Host, prefix, essaim.CommonsLeaf)
	if err != nil || len(items) == 0 {
		return essaim.CommonsNode{}, err
	}
	return essaim.CommonsTree(prefix, items)[prefix], nil
}

// answered is a node of the other's tree, as it was told.
type answered struct {
	inner    bool
	children [16]essaim.CommonsNode
	lines    []essaim.CommonsItem
}

func (a *answered) hash() essaim.Digest {
	if a.inner {
		return essaim.CommonsInner(a.children).Hash
	}
	return essaim.CommonsLeafHash(a.lines)
}

// ask fetches a node of the tree, of the head that is walked.
func (w *walk) ask(ctx context.Context, prefix string) (*answered, error) {
	return askDigests(ctx, w.Client, vocab.CommonsDigests(w.base, prefix), "essaim:head", w.head.Number.String())
}

// askDigests fetches a node of a digest tree whose member has a value; errMoved
// when it has another by now.
func askDigests(ctx context.Context, client Changer, address, member, value string) (*answered, error) {
	answer, err := client.Changed(ctx, address, "")
	if err != nil {
		return nil, err
	}
	doc, err := wire.Parse(answer.Body, wire.Limits{})
	if err != nil {
		return nil, err
	}
	if doc.Get(member).TextOr() != value {
		return nil, errMoved
	}
	return readDigests(doc)
}

// readDigests reads a node of a digest tree (docs/PROFILE.md).
func readDigests(doc *wire.Document) (*answered, error) {
	bad := fmt.Errorf("no node of a digest tree: %w", essaim.ErrInvalid)
	n := &answered{}
	if children := doc.Get("essaim:children"); children.Present() {
		if children.Kind() != wire.KindArray || children.Len() != len(n.children) {
			return nil, bad
		}
		n.inner = true
		i := 0
		for v := range children.Elements() {
			text, ok := v.Text()
			d, err := essaim.ParseDigest(text)
			if !ok || err != nil {
				return nil, bad
			}
			n.children[i].Hash = d
			i++
		}
		return n, nil
	}
	lines := doc.Get("essaim:lines")
	if lines.Kind() != wire.KindArray || lines.Len() > essaim.CommonsLeaf {
		return nil, bad
	}
	for v := range lines.Elements() {
		id, isID := v.Get("id").Text()
		text, isText := v.Get("essaim:copyDigest").Text()
		if _, err := essaim.ParseDigest(text); err != nil || !isID || !isText || text == "" || len(id) > maxItemID {
			return nil, bad
		}
		n.lines = append(n.lines, essaim.CommonsItem{ID: id, Digest: text})
	}
	return n, nil
}
