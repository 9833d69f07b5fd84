// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"essaim"
	"essaim/federation/fetch"
	"essaim/federation/proof"
	"essaim/federation/vocab"
	"essaim/federation/wire"
)

// CopiesOf says whose copies are read, from whom, and what they are held to.
// Client, Holder, Origin and Keys are required.
type CopiesOf struct {
	Client Changer
	// Holder is the base address of the node that is asked, without a last slash.
	Holder string
	// Origin is the actor of the node whose copies they are.
	Origin essaim.IRI
	// Keys are that node's, as published, oldest first: the last holds, those
	// before it are retired.
	Keys []essaim.PeerKey
	// Heads of that node are held here, each verified when it came: what a retired key
	// signed counts only if it stood in one that was known while that key held, or in
	// one that the present key signed.
	Heads []essaim.CommonsHead
	// Under is the prefix of the digest tree below which they are wanted; all when
	// empty.
	Under string
	// Digest is the copy digest of the one that is wanted, when it is known to have
	// been published: whichever of Keys proves it.
	Digest string
	// After goes on behind a page that was read, at its Cursor.
	After string
	// Standing says what is held already under ids; nothing when nil.
	Standing func(ctx context.Context, ids []string) (map[string]essaim.HeldCopy, error)
	Pages    int              // that a reading has at most; 1000 when 0
	Now      func() time.Time // time.Now when nil
}

// ReadCopies asks a node for the copies that it holds of another, which may be
// silent, and gives those that prove themselves to take, page by page: signed by
// the key of their origin, or by one of its retired keys if a head says so, with id,
// author and key of that one origin, newer than what stands, and none that a
// tombstone keeps out (replication.md, Authenticity).
// The node that is asked is believed in nothing. It ends at the last page, at an
// error of take, or at the bounds of a reading; the last page that take saw says
// whether there is More, and where to go on. essaim.ErrNotFound means that the
// node holds nothing of the other.
func ReadCopies(ctx context.Context, c CopiesOf, take func(context.Context, essaim.CopiesPage) error) error {
	r, err := newCopiesReader(c)
	if err != nil {
		return err
	}
	for pages, size := 0, 0; pages < cmp.Or(c.Pages, readPages) && size < readBytes; pages++ {
		answer, err := c.Client.Changed(ctx, vocab.CopiesOf(c.Holder, c.Origin.Host(), c.Under, r.after), "")
		if err != nil {
			return err
		}
		size += len(answer.Body)
		page, err := r.page(ctx, answer)
		if err != nil {
			return fmt.Errorf("copies of %s at %s: %w", c.Origin.Host(), c.Holder, err)
		}
		if err := r.leaveOut(ctx, &page); err != nil {
			return err
		}
		if err := take(ctx, page); err != nil {
			return err
		}
		if !page.More {
			return nil
		}
		r.after = page.Cursor
	}
	return nil
}

// copiesReader reads pages of copies, in their order.
type copiesReader struct {
	CopiesOf
	after   string
	keys    []ed25519.PublicKey // of Keys, in their order; nil for none that can be read
	witness []witness
	nodes   map[string]*answered // of the digest tree of who is asked, by prefix
}

// witness is a head that shows what its node listed, and the place among the keys
// of the one that proves it.
type witness struct {
	root essaim.Digest
	key  int
}

func newCopiesReader(c CopiesOf) (*copiesReader, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	r := &copiesReader{CopiesOf: c, after: c.After, nodes: map[string]*answered{}}
	for _, k := range c.Keys {
		r.keys = append(r.keys, append(keysOf(k.Key), nil)[0])
	}
	if n := len(r.keys); c.Origin.IsZero() || n == 0 || r.keys[n-1] == nil {
		return nil, fmt.Errorf("copies of %q: no key that would prove them: %w", c.Origin, essaim.ErrForbidden)
	}
	for _, h := range c.Heads {
		if key, err := r.provenBy(proof.Of(h.Document)); err == nil {
			r.witness = append(r.witness, witness{h.Root, key})
		}
	}
	return r, nil
}

// provenBy is the place of the key that proves a document: the last holds, those
// before it are retired.
func (r *copiesReader) provenBy(doc *proof.Document) (i int, err error) {
	for i = len(r.keys) - 1; i >= 0; i-- {
		if r.keys[i] == nil {
			continue
		}
		var wrong error
		if _, wrong = doc.VerifyWhole(r.keys[i]); wrong == nil {
			return i, nil
		}
		if err == nil {
			err = wrong // of the key that holds
		}
	}
	return -1, fmt.Errorf("%w: %w", errUnproven, err)
}

// page reads one, which is bounded as it comes: what is wrong with an item leaves
// the others alone, what is wrong with the page refuses it.
func (r *copiesReader) page(ctx context.Context, answer fetch.Answer) (p essaim.CopiesPage, err error) {
	doc, err := wire.Parse(answer.Body, wire.Collection)
	if err != nil {
		return p, err
	}
	list, heads := doc.Get("orderedItems"), doc.Get("essaim:heads")
	if doc.Get("essaim:of").TextOr() != r.Origin.Host() || list.Kind() != wire.KindArray || list.Len() > commonsPage || heads.Len() > servedHeads {
		return p, fmt.Errorf("no page of its copies: %w", essaim.ErrInvalid)
	}
	p.Cursor, p.More = r.after, doc.Get("next").Present()
	if cursor := doc.Get("essaim:cursor"); cursor.Present() {
		// The order is that of keys: whoever answers in another would never end.
		text := cursor.TextOr()
		if !isKey(text) || text <= r.after {
			return p, fmt.Errorf("cursor %.80q after %q: %w", text, r.after, essaim.ErrInvalid)
		}
		p.Cursor = text
	} else if p.More || list.Len() > 0 {
		return p, fmt.Errorf("no cursor: %w", essaim.ErrInvalid)
	}
	p.Heads = r.heads(heads)
	last := r.after
	for v := range list.Elements() {
		c, err := r.copy(ctx, v.Raw())
		if key := essaim.CommonsKey(c.ID); err == nil && (key <= last || key > p.Cursor) {
			err = fmt.Errorf("out of the order of keys: %w", essaim.ErrInvalid)
		} else if err == nil {
			last = key
		}
		if err != nil {
			p.Refused = append(p.Refused, essaim.RefusedCopy{ID: cut(v.Get("id").TextOr(), 200), Reason: cut(err.Error(), 300)})
			continue
		}
		p.Copies = append(p.Copies, c)
	}
	return p, nil
}

// copy says what an item is, if it proves itself. A panic over it leaves the
// others alone.
func (r *copiesReader) copy(ctx context.Context, raw []byte) (c essaim.VerifiedCopy, err error) {
	defer caught(&err)
	a, err := wire.Published(raw, wire.Limits{})
	if err != nil {
		return c, err
	}
	if !a.Actor.SameOrigin(r.Origin) || !a.Object.ID.SameOrigin(r.Origin) {
		return c, fmt.Errorf("of another origin: %w", essaim.ErrForbidden)
	}
	if err := a.CheckAuthority(a.Actor); err != nil {
		return c, err
	}
	doc := proof.Of(raw)
	key, err := r.provenBy(doc)
	if err != nil {
		return c, err
	}
	c = essaim.VerifiedCopy{ID: a.Object.ID.String(), Actor: a.Actor.String(), Document: slices.Clone(raw)}
	if c.ContentDigest, c.CopyDigest, err = doc.Digests(); err != nil {
		return c, err
	}
	if r.Digest != "" && c.CopyDigest != r.Digest {
		return c, fmt.Errorf("not the one that is wanted: %w", essaim.ErrNotFound)
	}
	if r.Digest == "" && key < len(r.keys)-1 && !r.listed(ctx, &c, key) {
		return c, fmt.Errorf("by a retired key, and in no head that was known while it held: %w", errUnproven)
	}
	return c, r.describe(&c, &a.Object)
}

// describe reads of a copy what it is and how new.
func (r *copiesReader) describe(c *essaim.VerifiedCopy, o *wire.Object) error {
	stamp := "updated"
	switch {
	case o.Type == "Tombstone":
		c.Sort, stamp = essaim.CopyTombstone, "deleted"
	case wire.IsActor(o.Type):
		c.Sort = essaim.CopyActor
	case o.Value.Get("essaim:kind").Kind() != wire.KindNone:
		c.Sort = essaim.CopyRecord
		for name, into := range map[string]*int64{"essaim:incarnation": &c.Version.Incarnation, "essaim:revision": &c.Version.Revision} {
			if v := o.Value.Get(name); v.Present() && json.Unmarshal(v.Raw(), into) != nil {
				return fmt.Errorf("%s: %w", name, essaim.ErrInvalid)
			}
		}
	default:
		return fmt.Errorf("neither a record, nor an actor, nor a tombstone: %w", essaim.ErrInvalid)
	}
	c.Updated, _ = o.Value.Get(stamp).Time()
	if c.Updated.After(r.Now().Add(maxAhead)) {
		return fmt.Errorf("dated ahead: %w", essaim.ErrInvalid)
	}
	return nil
}

// heads reads those of the origin that the key which holds proves, the newest
// first, and takes them for witnesses.
func (r *copiesReader) heads(list wire.Value) (heads []essaim.CommonsHead) {
	present := len(r.keys) - 1
	for v := range list.Elements() {
		h, err := readHead(v, r.Origin, r.Now())
		if err != nil {
			continue
		}
		if _, err := proof.Of(v.Raw()).VerifyWhole(r.keys[present]); err != nil {
			continue
		}
		heads = append(heads, h)
		if w := (witness{h.Root, present}); !slices.Contains(r.witness, w) {
			r.witness = append(r.witness[:min(len(r.witness), maxWitnesses)], w)
		}
	}
	slices.SortFunc(heads, func(a, b essaim.CommonsHead) int {
		if older(a, b) {
			return 1
		}
		return -1
	})
	return heads
}

// readHead reads a signed head of a node, by the node's actor. Its proof is for
// the caller to check.
func readHead(v wire.Value, origin essaim.IRI, now time.Time) (h essaim.CommonsHead, err error) {
	by, ok := v.Get("attributedTo").IRI()
	if v.Get("id").TextOr() != vocab.Commons(origin.Origin()) || !ok || by != origin {
		return h, fmt.Errorf("head of %s: of another: %w", origin.Host(), essaim.ErrForbidden)
	}
	if h, err = vocab.ReadCommonsHead(v); err != nil {
		return h, err
	}
	if h.At.After(now.Add(maxAhead)) {
		return h, fmt.Errorf("head of %s: dated ahead: %w", origin.Host(), essaim.ErrInvalid)
	}
	if h.Number.Incarnation > now.Add(maxAhead).Unix() {
		// The pairs of an honest node would stay below it for as long.
		return h, fmt.Errorf("head of %s: its incarnation is ahead: %w", origin.Host(), essaim.ErrInvalid)
	}
	return h, nil
}
