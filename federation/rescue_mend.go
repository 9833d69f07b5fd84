// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"essaim"
	"essaim/federation/proof"
	"essaim/federation/vocab"
)

// Bounds of looking at what this node published, and of mending it.
const (
	examineDay   = 24 * time.Hour // all of it is looked at
	examineEvery = 10 * time.Minute
	examinePage  = 200              // documents read at a time
	mendAsks     = 8                // nodes, for one document
	mendTime     = 30 * time.Second // for one of them
	mendAgain    = time.Hour
	mendTold     = 1000 // ids
)

// Tell has a document that was found to be damaged be mended soon.
func (r *Rescuer) Tell(id string) {
	select {
	case r.told <- id:
	default: // the day's looking finds it
	}
}

// examineDue mends what was told of, and looks at the documents whose time of the
// day it is: each has a place in the day as in the digest tree.
func (r *Rescuer) examineDue(ctx context.Context) error {
	if under, err := r.Store.Recovering(ctx); err != nil || under {
		return err
	}
	now := r.Now()
	for told := true; told; {
		select {
		case id := <-r.told:
			if now.Sub(r.tried[id]) < mendAgain {
				continue
			}
			if r.tried == nil || len(r.tried) >= mendTold {
				r.tried = map[string]time.Time{}
			}
			r.tried[id] = now
			r.mend(ctx, id)
		default:
			told = false
		}
	}
	last := r.examined
	if last.IsZero() {
		last = now.Add(-examineEvery)
	}
	if now.Sub(last) < examineEvery {
		return nil
	}
	var err error
	switch from, to := placeInDay(last), placeInDay(now); {
	case now.Sub(last) >= examineDay:
		err = r.Examine(ctx)
	case to < from: // midnight
		err = errors.Join(r.examine(ctx, from, "g"), r.examine(ctx, "", to))
	default:
		err = r.examine(ctx, from, to)
	}
	if err == nil {
		r.examined = now
	}
	return err
}

// placeInDay is the key of the digest tree at which the looking is at a time.
func placeInDay(t time.Time) string {
	const day = int64(examineDay / time.Second)
	return fmt.Sprintf("%08x", (t.Unix()%day)<<32/day)
}

// Examine computes again, from their bytes, the digests of all documents of this
// node, and mends those that are not what was noted, and the rows that say something
// else than their documents.
func (r *Rescuer) Examine(ctx context.Context) error { return r.examine(ctx, "", "g") }

// examine is Examine for the keys after one, up to another.
func (r *Rescuer) examine(ctx context.Context, from, to string) error {
	var reader proof.Reader
	for {
		page, err := r.Store.Copies(ctx, "", from, examinePage)
		if err != nil {
			return err
		}
		for _, c := range page {
			if from = c.Key; from > to || ctx.Err() != nil {
				return ctx.Err()
			}
			switch {
			case whole(&reader, Stored{Bytes: c.Bytes, Digest: c.Digest}) != nil:
				r.mend(ctx, c.ID)
			case c.Row != nil:
				r.mendRow(ctx, c)
			}
		}
		if len(page) < examinePage {
			return nil
		}
	}
}

// mend mends a document, and tells what came of it. A panic over what others hold
// of it leaves the next one alone.
func (r *Rescuer) mend(ctx context.Context, id string) {
	by, err := func() (by string, err error) {
		defer caught(&err)
		return r.mendOne(ctx, id)
	}()
	switch {
	case ctx.Err() != nil:
	case err != nil:
		r.Logger.LogAttrs(ctx, slog.LevelError, "a document of this node is damaged", slog.String("item", cut(id, 200)), slog.String("reason", cut(err.Error(), 300)))
	default:
		r.Logger.LogAttrs(ctx, slog.LevelWarn, "a document of this node was damaged, and is mended", slog.String("item", cut(id, 200)), slog.String("by", by))
	}
}

// mendOne puts in the place of what is damaged the bytes that were signed: made
// again from the row, which comes to the same where nothing changed since, or as
// another node holds them, proven by a key of this node and of the digest that is
// noted. Where neither is to be had and the content is what was signed, it is signed
// once more, which peers learn of as of any change.
func (r *Rescuer) mendOne(ctx context.Context, id string) (by string, err error) {
	made, err := r.Store.Remade(ctx, id)
	if err != nil {
		return "", err
	}
	if made.Document != nil && made.CopyDigest == made.Noted {
		return "its row", r.Store.Mend(ctx, made.Recovered, made.Noted)
	}
	held, by, err := r.heldElsewhere(ctx, id, made.Noted)
	switch {
	case err == nil:
		return by, r.Store.Mend(ctx, held, made.Noted)
	case made.Intact:
		return "a new proof", r.Store.Mend(ctx, made.Recovered, made.Noted)
	}
	return "", err
}

// heldElsewhere asks the nodes that may hold copies of this one for a document of a
// digest.
func (r *Rescuer) heldElsewhere(ctx context.Context, id, digest string) (it essaim.Recovered, by string, err error) {
	hosts, err := r.Store.RecoveryHosts(ctx)
	if err != nil {
		return it, "", err
	}
	err = fmt.Errorf("nobody holds it: %w", essaim.ErrNotFound)
	for _, host := range hosts[:min(len(hosts), mendAsks)] {
		c, wrong := r.held(ctx, host, id, digest)
		if wrong != nil {
			if !errors.Is(wrong, essaim.ErrNotFound) {
				err = fmt.Errorf("%s: %w", host, wrong)
			}
			continue
		}
		if it, err = readRecovered(c); err != nil {
			return it, "", err
		}
		return it, host, r.proveAnew(&it)
	}
	return it, "", err
}

// held asks one node, once, for a document of a digest, which a key of this one
// proves. By the digest it is known to have been published: a key that was retired
// since proves it as well.
func (r *Rescuer) held(ctx context.Context, host, id, digest string) (found essaim.VerifiedCopy, err error) {
	ctx, stop := context.WithTimeout(ctx, mendTime)
	defer stop()
	actor, err := r.Client.NodeActor(ctx, host)
	if err != nil {
		return found, err
	}
	holder, err := essaim.ParseIRI(actor)
	if err != nil {
		return found, err
	}
	one := CopiesOf{Client: r.Client, Holder: holder.Origin(), Origin: r.Node, Keys: r.Keys, Under: essaim.CommonsKey(id), Digest: digest, Pages: 1, Now: r.Now}
	err = ReadCopies(ctx, one, func(_ context.Context, page essaim.CopiesPage) error {
		for _, c := range page.Copies {
			if c.ID == id {
				found = c
			}
		}
		return nil
	})
	if err == nil && found.ID == "" {
		err = fmt.Errorf("%s: %w", id, essaim.ErrNotFound)
	}
	return found, err
}

// proveAnew signs by the present key what one of those before it proves: nobody
// else takes that of the node itself.
func (r *Rescuer) proveAnew(it *essaim.Recovered) error {
	if r.Renderer == nil || r.Renderer.Signed(it.Document) {
		return nil
	}
	out, err := r.Renderer.Resign(it.Document)
	it.Document, it.CopyDigest = out.Document, out.CopyDigest
	return err
}

// Resigner signs again what this node signed before; *vocab.Renderer is the one.
type Resigner interface {
	Signed(document []byte) bool
	Resign(document []byte) (essaim.Rendered, error)
}

var _ Resigner = (*vocab.Renderer)(nil)
