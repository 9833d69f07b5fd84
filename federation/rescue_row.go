// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"essaim"
	"essaim/federation/proof"
	"essaim/federation/vocab"
)

// Misread tells whether the row of a record of this node, from which its pages, its
// search and its next version are made, says something else than its document, of
// which the bytes are whole. Both are compared as a reader of documents has them:
// a later version of the program may write the same otherwise.
func Misread(ctx context.Context, rows interface {
	Remade(ctx context.Context, id string) (essaim.Remade, error)
}, id string, document []byte,
) (bool, error) {
	made, err := rows.Remade(ctx, id)
	switch {
	case errors.Is(err, essaim.ErrDamaged), errors.Is(err, essaim.ErrNotFound):
		return true, nil // nothing that could have been published
	case err != nil:
		return false, err
	case made.Sort != essaim.CopyRecord || !made.Repeated:
		return true, nil
	}
	content, _, err := proof.Digests(document)
	if err != nil || content == made.ContentDigest {
		return false, err
	}
	says, err := saying(document)
	if err != nil {
		return false, err
	}
	row, err := saying(made.Document)
	return says != row, err
}

// saying is all that a document says of a record, as one text.
func saying(document []byte) (string, error) {
	rec, err := vocab.Parse(document)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(&rec)
	return string(text), err
}

// mendRow writes a row again that says something else than its document, and tells
// what came of it.
func (r *Rescuer) mendRow(ctx context.Context, c essaim.CommonsCopy) {
	misread, err := func() (misread bool, err error) {
		defer caught(&err)
		if misread, err = Misread(ctx, r.Store, c.ID, c.Bytes); err != nil || !misread {
			return misread, err
		}
		return true, r.rowAgain(ctx, c)
	}()
	switch {
	case ctx.Err() != nil:
	case err != nil:
		r.Logger.LogAttrs(ctx, slog.LevelError, "a row of this node says something else than its document", slog.String("item", cut(c.ID, 200)), slog.String("reason", cut(err.Error(), 300)))
	case misread:
		r.Logger.LogAttrs(ctx, slog.LevelWarn, "a row of this node said something else than its document, and is mended", slog.String("item", cut(c.ID, 200)))
	}
}

// rowAgain writes the row as the document says, which a key of this node proves.
func (r *Rescuer) rowAgain(ctx context.Context, c essaim.CommonsCopy) error {
	var keys []ed25519.PublicKey
	for _, k := range r.Keys {
		keys = append(keys, keysOf(k.Key)...)
	}
	if _, err := proof.VerifyOwned(c.Bytes, keys...); err != nil {
		return fmt.Errorf("its document is not proven: %w", err)
	}
	content, exact, err := proof.Digests(c.Bytes)
	if err != nil {
		return err
	}
	it, err := readRecovered(essaim.VerifiedCopy{ID: c.ID, Sort: essaim.CopyRecord, Document: c.Bytes, ContentDigest: content, CopyDigest: exact})
	if err != nil {
		return err
	}
	return r.Store.MendRow(ctx, it)
}
