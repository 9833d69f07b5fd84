// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"essaim"
	"essaim/federation/proof"
	"essaim/federation/vocab"
	"essaim/federation/wire"
)

// Bounds of asking other nodes what they hold.
const (
	checkEvery   = 24 * time.Hour
	checkSoon    = 3 * time.Hour // where something differs, or was not answered
	checkJitter  = time.Hour
	checkTime    = 10 * time.Minute // for one node
	checkNodes   = 2000             // of a tree
	checkDiffers = 20000            // items
	checkSamples = 4                // whose bytes are read
	sampleWidth  = 5                // digits that a sample's key begins with, if there is one
)

// CheckStore keeps what other nodes were found to hold.
type CheckStore interface {
	// DueCopyChecks lists up to n nodes that are to be asked now.
	DueCopyChecks(ctx context.Context, n int) ([]string, error)
	SaveCopyCheck(ctx context.Context, c essaim.CopyCheck) error
	// PutOffCopyCheck plans the next question to a node that did not answer.
	PutOffCopyCheck(ctx context.Context, host string, at time.Time) error
	CommonsNode(ctx context.Context, prefix string) (essaim.CommonsHead, essaim.CommonsNode, [16]essaim.CommonsNode, []essaim.CommonsItem, error)
	CopyNode(ctx context.Context, host, prefix string) (root, n essaim.CommonsNode, children [16]essaim.CommonsNode, items []essaim.CommonsItem, err error)
}

// checkDue asks the nodes whose day it is.
func (r *Replicator) checkDue(ctx context.Context) {
	hosts, err := r.Store.DueCopyChecks(ctx, 1)
	if err != nil && ctx.Err() == nil {
		r.Logger.Warn("copies elsewhere not read", "error", err)
	}
	for _, host := range hosts {
		err := r.CheckCopies(ctx, host)
		if err == nil || ctx.Err() != nil {
			continue
		}
		r.Logger.LogAttrs(ctx, slog.LevelInfo, "copies not checked", slog.String("host", host), slog.String("reason", cut(err.Error(), 300)))
		if err := r.Store.PutOffCopyCheck(ctx, host, r.Now().Add(checkSoon+jitter(host, r.Now(), checkJitter))); err != nil {
			r.Logger.Warn("check not put off", "host", host, "error", err)
		}
	}
}

// CheckCopies asks a node what it holds of this one and of the others that are
// followed: its digest trees are compared with what stands here, and the bytes of
// some copies are read. A panic over what it answers is an error.
func (r *Replicator) CheckCopies(ctx context.Context, host string) (err error) {
	defer caught(&err)
	ctx, stop := context.WithTimeout(ctx, checkTime)
	defer stop()
	peer, err := r.Store.Peer(ctx, host)
	if err != nil {
		return err
	}
	at, err := essaim.ParseIRI(peer.Actor)
	if err != nil {
		return fmt.Errorf("node %s: %w", host, err)
	}
	wrong := r.checkOne(ctx, peer, at.Origin(), "")
	if peer.State != essaim.PeerFollowed || away(ctx, wrong) {
		return wrong
	}
	peers, err := r.Store.Peers(ctx)
	if err != nil {
		return errors.Join(wrong, err)
	}
	for _, of := range inTurn(peers, r.Now()) {
		if of.State != essaim.PeerFollowed || of.Host == host {
			continue
		}
		err := r.checkOne(ctx, peer, at.Origin(), of.Host)
		if err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("copies of %s: %w", of.Host, err))
		}
		if away(ctx, err) {
			break
		}
	}
	return wrong
}

// away tells whether an error says that a node cannot be asked for anything else
// now; a wrong answer about one origin says nothing of the next.
func away(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, essaim.ErrUnavailable) && !errors.Is(err, errMoved)
}

func (r *Replicator) checkOne(ctx context.Context, peer essaim.Peer, base, origin string) error {
	c := &copyCheck{Replicator: r, base: base, of: cmp.Or(origin, r.Ingester.origin.Host()), CopyCheck: essaim.CopyCheck{Host: peer.Host, Origin: origin, At: r.Now()}}
	root, err := c.here(ctx, "")
	if err != nil {
		return err
	}
	c.State, err = c.compare(ctx, root)
	if err != nil {
		return err
	}
	wait := checkEvery
	if c.State != essaim.CheckCompared || len(c.Differs) > 0 {
		wait = checkSoon
	}
	c.Next = c.At.Add(wait + jitter(peer.Host, c.At, checkJitter))
	return r.Store.SaveCopyCheck(ctx, c.CopyCheck)
}

// copyCheck is one question to a node: what it holds of a host.
type copyCheck struct {
	*Replicator
	essaim.CopyCheck
	base  string
	of    string // host, this node's own too
	asked int
}

// heldNode is a node of the tree of what stands here.
type heldNode struct {
	essaim.CommonsNode
	children [16]essaim.CommonsNode
	items    []essaim.CommonsItem // of a leaf
}

func (c *copyCheck) here(ctx context.Context, prefix string) (n heldNode, err error) {
	if c.Origin == "" {
		var head essaim.CommonsHead
		head, n.CommonsNode, n.children, n.items, err = c.Store.CommonsNode(ctx, prefix)
		if c.Number == 0 || head.Number.N < c.Number {
			c.Number = head.Number.N
		}
		return n, err
	}
	_, n.CommonsNode, n.children, n.items, err = c.Store.CopyNode(ctx, c.Origin, prefix)
	return n, err
}

// compare walks both trees where they differ, then reads some copies. What the
// other says is held to itself: hash by hash from its root.
func (c *copyCheck) compare(ctx context.Context, root heldNode) (essaim.CopyCheckState, error) {
	theirs, err := c.ask(ctx, "")
	if errors.Is(err, essaim.ErrNotFound) || errors.Is(err, essaim.ErrGone) {
		return essaim.CheckNothing, nil
	}
	if err != nil {
		return "", err
	}
	err = c.walk(ctx, "", root, theirs.hash(), theirs)
	if errors.Is(err, errFar) {
		c.Differs = nil
		return essaim.CheckFar, nil
	}
	if err != nil {
		return "", err
	}
	return c.sample(ctx)
}

// errFar means that two trees differ too much for their differences to be listed.
var errFar = errors.New("too different")

func (c *copyCheck) ask(ctx context.Context, prefix string) (*answered, error) {
	if c.asked++; c.asked > checkNodes {
		return nil, errFar
	}
	return askDigests(ctx, c.Client, vocab.CopyDigests(c.base, c.of, prefix), "essaim:of", c.of)
}

// walk compares what is below a prefix, where the other's hash is want; theirs is
// its node, nil when it was not asked for yet.
func (c *copyCheck) walk(ctx context.Context, prefix string, here heldNode, want essaim.Digest, theirs *answered) error {
	switch {
	case here.Hash == want || here.Count == 0:
		return nil // what it holds besides is its own affair
	case want == (essaim.Digest{}):
		return c.lacks(ctx, prefix, nil)
	case theirs == nil:
		var err error
		if theirs, err = c.ask(ctx, prefix); err != nil {
			return err
		}
	}
	if theirs.hash() != want {
		return fmt.Errorf("digests of %s at %q: not what stands above them: %w", c.Host, prefix, essaim.ErrForbidden)
	}
	if !theirs.inner {
		return c.lacks(ctx, prefix, theirs.lines)
	}
	for i, n := range theirs.children {
		below := prefix + essaim.CommonsDigits[i:i+1]
		if !here.Leaf() && here.children[i].Hash == n.Hash {
			continue
		}
		next, err := c.here(ctx, below)
		if err != nil {
			return err
		}
		if err := c.walk(ctx, below, next, n.Hash, nil); err != nil {
			return err
		}
	}
	return nil
}

// lacks notes which items below a prefix are not among the other's lines.
func (c *copyCheck) lacks(ctx context.Context, prefix string, lines []essaim.CommonsItem) error {
	items, err := c.Store.CopyItems(ctx, c.Origin, prefix, checkDiffers+1)
	if err != nil {
		return err
	}
	held := make(map[string]string, len(lines))
	for _, l := range lines {
		held[l.ID] = l.Digest
	}
	for _, it := range items {
		if held[it.ID] != it.Digest {
			c.Differs = append(c.Differs, essaim.CommonsItem{ID: it.ID, Digest: held[it.ID]})
		}
	}
	if len(c.Differs) > checkDiffers {
		return errFar
	}
	return nil
}

// sample reads the bytes of some copies that the other says it holds: digests are
// public, and whoever repeats them need hold nothing.
func (c *copyCheck) sample(ctx context.Context) (essaim.CopyCheckState, error) {
	shown, hidden := 0, 0
	for i := range checkSamples {
		from := essaim.CommonsKey(fmt.Sprint(c.Host, c.of, c.At.UnixNano(), i))
		var items []essaim.CommonsItem
		for width := sampleWidth; width >= 0 && len(items) == 0; width-- {
			var err error
			if items, err = c.Store.CopyItems(ctx, c.Origin, from[:width], 1); err != nil {
				return "", err
			}
		}
		if len(items) == 0 || slices.ContainsFunc(c.Differs, func(d essaim.CommonsItem) bool { return d.ID == items[0].ID }) {
			continue
		}
		has, err := c.shows(ctx, items[0])
		if err != nil {
			return "", err
		}
		if has {
			shown++
			continue
		}
		hidden++
		c.Differs = append(c.Differs, essaim.CommonsItem{ID: items[0].ID}) // it may be withdrawn there alone
	}
	if hidden > shown {
		return essaim.CheckUnproven, nil
	}
	return essaim.CheckCompared, nil
}

func (c *copyCheck) shows(ctx context.Context, item essaim.CommonsItem) (bool, error) {
	answer, err := c.Client.Changed(ctx, vocab.CopiesOf(c.base, c.of, essaim.CommonsKey(item.ID), ""), "")
	if errors.Is(err, essaim.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	doc, err := wire.Parse(answer.Body, wire.Collection)
	if err != nil {
		return false, nil //nolint:nilerr // what cannot be read shows nothing
	}
	for v := range doc.Get("orderedItems").Elements() {
		if exact, err := proof.Of(v.Raw()).Digest(); err == nil && exact == item.Digest {
			return true, nil
		}
	}
	return false, nil
}
