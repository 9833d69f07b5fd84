// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"iter"
	"log/slog"
	"path/filepath"
	"time"

	"essaim"
	"essaim/web/transfer"
)

// dumpsDir holds, in the data directory, dated files of the commons.
const dumpsDir = "dumps"

// A node that starts has better to do for a while; then it looks whether dumps are
// due, so that those which an erasure took away are soon there again.
const (
	dumpsFirst = 10 * time.Minute
	dumpsEvery = time.Minute
)

// openDumps makes what keeps the dated files of a node.
func (n *Node) openDumps() *transfer.Dumps {
	return &transfer.Dumps{
		Root: filepath.Join(n.cfg.Dir, dumpsDir), Name: n.info.Territory.Username, Now: n.opt.now,
		Items: func(ctx context.Context, scope transfer.DumpScope, format string) iter.Seq2[transfer.Item, error] {
			q := essaim.Query{Newest: true}
			if scope == transfer.DumpOwn {
				q.Origin = "local"
			}
			return transfer.Walk(ctx, n.store, q, transfer.Walked{Documents: format == "jsonld", Keep: transfer.Exportable, Began: n.now()})
		},
		Erased: func(ctx context.Context, scope transfer.DumpScope) (time.Time, error) {
			return n.store.LastErasure(ctx, scope == transfer.DumpOwn)
		},
	}
}

// renewDumps makes those that are due from time to time. What fails is tried again.
func (n *Node) renewDumps(ctx context.Context) {
	wait := time.NewTimer(dumpsFirst)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		if err := n.dumps.Renew(ctx); err != nil && ctx.Err() == nil {
			n.opt.logger.LogAttrs(ctx, slog.LevelWarn, "dumps not made", slog.String("error", err.Error()))
		}
		wait.Reset(dumpsEvery)
	}
}
