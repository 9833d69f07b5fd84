// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"io"
	"time"

	"essaim"
	"essaim/web/transfer"
)

// exportRequest says what goes out.
type exportRequest struct {
	Format string        `json:"format"`
	Kinds  []essaim.Kind `json:"kinds,omitempty"`
	All    bool          `json:"all,omitempty"` // with the records of other territories
}

// writeExport writes the records that may leave as copies.
func writeExport(ctx context.Context, s transfer.Source, r exportRequest, w io.Writer) error {
	q := essaim.Query{Kinds: r.Kinds, Origin: essaim.OriginLocal, Newest: true}
	if r.All {
		q.Origin = ""
	}
	keep := transfer.Exportable
	if r.Format == "ics" {
		keep = nil // when and where is nobody's
	}
	_, err := transfer.Export(w, r.Format, transfer.Walk(ctx, s, q, transfer.Walked{Documents: r.Format == "jsonld", Keep: keep, Began: time.Now()}))
	return err
}
