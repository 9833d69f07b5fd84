// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"log/slog"

	"essaim"
	"essaim/federation/proof"
	"essaim/federation/vocab"
)

// examineCopies looks at the bytes of all copies of a node. What has another digest
// than was noted is noted so: the walk finds it then. A row that says something
// else than its bytes, which are whole, is written again from them; it needs nobody
// for that, and returns how many were.
func (r *Replicator) examineCopies(ctx context.Context, peer essaim.Peer) (again int, err error) {
	var reader proof.Reader
	for after := ""; ; {
		copies, err := r.Store.Copies(ctx, peer.Host, after, copiesAtOnce)
		if err != nil {
			return again, err
		}
		var wrong []essaim.CommonsItem
		var misread []essaim.CommonsCopy
		for _, c := range copies {
			after = c.Key
			digest := ""
			if c.Bytes != nil {
				if exact, err := reader.Of(c.Bytes).Digest(); err == nil {
					digest = exact
				}
			}
			switch {
			case c.Digest == "":
			case digest != c.Digest:
				wrong = append(wrong, essaim.CommonsItem{ID: c.ID, Digest: digest})
			case c.Row != nil && misreads(c):
				misread = append(misread, c)
			}
		}
		if len(wrong) > 0 {
			r.Logger.Warn("copies are damaged", "host", peer.Host, "copies", len(wrong))
			if err := r.Store.NoteCopies(ctx, wrong); err != nil {
				return again, err
			}
		}
		n, err := r.readAgain(ctx, peer, misread)
		again += n
		if err != nil || len(copies) < copiesAtOnce {
			return again, err
		}
	}
}

// misreads tells whether a row says something else than its document.
func misreads(c essaim.CommonsCopy) bool {
	rec, err := vocab.Parse(c.Bytes)
	return err == nil && rec.ID == c.ID && rec.Revision > 0 && !c.Row.Says(rec)
}

// readAgain writes rows anew from the bytes that they hold, by the rules by which
// these were taken.
func (r *Replicator) readAgain(ctx context.Context, peer essaim.Peer, copies []essaim.CommonsCopy) (again int, err error) {
	if len(copies) == 0 {
		return 0, nil
	}
	p, err := r.Store.CommonsProgress(ctx, peer.Host)
	if err != nil {
		return 0, err
	}
	one, err := r.crawl(peer, p)
	if err != nil {
		return 0, err
	}
	items := make([]essaim.CommonsTaken, 0, len(copies))
	for _, c := range copies {
		item, err := one.item(ctx, c.Bytes, r.Now())
		if err != nil {
			// By a key that was retired since, or of one that is contested.
			r.Logger.LogAttrs(ctx, slog.LevelInfo, "row not written again", slog.String("item", cut(c.ID, 200)), slog.String("reason", cut(err.Error(), 300)))
			continue
		}
		item.ID = c.ID
		for i, e := range item.Effects {
			if e, ok := e.(essaim.Replicate); ok {
				e.Repair, e.Held = e.Record.ID == c.ID, c.Digest
				item.Effects[i] = e
			}
		}
		items = append(items, item)
	}
	why, err := r.Store.ApplyCommons(ctx, items, p)
	if err != nil {
		return 0, err
	}
	r.Logger.Warn("rows said something else than their documents", "host", peer.Host, "rows", len(copies), "written", len(items)-len(why))
	return len(items) - len(why), nil
}
