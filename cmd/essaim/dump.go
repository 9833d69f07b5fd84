// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
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

type dumpCommand struct{}

func (dumpCommand) Help() string {
	return "A running node makes them each day and soon after an erasure, the first ones ten minutes after it starts. This makes them now, in the place of today's. Just after an erasure it waits, a minute at most, so that nothing of what was erased is in them.\n\n" +
		"Example:\n\n    essaim dump --data /var/lib/essaim"
}

func (dumpCommand) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		for {
			got, err := ask[dumped](ctx, node, "dump", none{})
			if err != nil {
				return err
			}
			if got.Wait <= 0 {
				for _, d := range got.Dumps {
					fmt.Fprintf(a.out, "%s  records %d bytes %d\n", d.File, d.Records, d.Bytes)
				}
				return nil
			}
			fmt.Fprintf(a.out, "something was erased just now: %s more\n", got.Wait.Round(time.Second))
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(got.Wait):
			}
		}
	})
}

// dumped are the dumps that stand, or how long to wait before they may be made.
type dumped struct {
	Dumps []transfer.Dump `json:"dumps"`
	Wait  time.Duration   `json:"wait"`
}

func makeDumps(ctx context.Context, n *Node, _ none) (got dumped, err error) {
	got.Dumps, got.Wait, err = n.dumps.Make(ctx)
	return got, err
}

// openDumps makes what keeps the dated files of a node.
func (n *Node) openDumps() *transfer.Dumps {
	return &transfer.Dumps{
		Root: filepath.Join(n.cfg.Dir, dumpsDir), Name: n.info.Territory.Username, Now: n.opt.now,
		Items: func(ctx context.Context, scope transfer.DumpScope, format string) iter.Seq2[transfer.Item, error] {
			q := essaim.Query{Newest: true}
			if scope == transfer.DumpOwn {
				q.Origin = essaim.OriginLocal
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
