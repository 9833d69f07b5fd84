// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"essaim"
)

type peerSync struct {
	Host string `arg:"" help:"Host of a node that is followed."`
}

func (peerSync) Help() string {
	return "Reads on in what the node publishes, looks at the bytes of all copies held of it,\n" +
		"compares them with its signed digests and mends what differs. When the node cannot be read,\n" +
		"the other nodes that are followed are asked for what they hold of it: its proofs decide.\n\n" +
		"Example:\n\n    essaim peer sync --data /var/lib/essaim toulouse.example"
}

func (c peerSync) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		host, err := hostName(c.Host)
		if err != nil {
			return err
		}
		got, err := ask[comparisonRow](ctx, node, "peer.sync", host)
		if err != nil {
			return err
		}
		if len(got.Others) > 0 {
			fmt.Fprintf(a.out, "%s cannot be read; compared with what is held of it at %s.\n", printable(host), printable(strings.Join(got.Others, ", ")))
		}
		fmt.Fprintf(a.out, "%s: %d differences, %d mended.\n", printable(host), got.Differences, got.Mended)
		for _, id := range got.Kept {
			fmt.Fprintln(a.out, "Kept, though its node lists it no more: "+printable(id))
		}
		return nil
	})
}

// comparisonRow is what a comparison came to, as commands show it.
type comparisonRow struct {
	Differences int      `json:"differences"`
	Mended      int      `json:"mended"`
	Kept        []string `json:"kept,omitempty"`
	Others      []string `json:"others,omitempty"` // asked instead, since it cannot be read
}

func syncPeer(ctx context.Context, n *Node, host string) (comparisonRow, error) {
	c, err := n.federation.Replicator().Compare(ctx, host)
	if err != nil {
		return comparisonRow{}, unknownPeer(err)
	}
	return comparisonRow{c.Differences, c.Mended, c.Kept, c.Others}, nil
}

// commonsRow is how far a node's commons are read, as commands show it.
type commonsRow struct {
	State       string    `json:"state"` // "", reading, read
	Items       int       `json:"items"`
	Total       int       `json:"total"`
	Pages       int       `json:"pages"`
	Bytes       int64     `json:"bytes"`
	CheckedAt   time.Time `json:"checkedAt,omitzero"`
	NextAt      time.Time `json:"nextAt,omitzero"`
	Reason      string    `json:"reason,omitempty"`
	Refused     int       `json:"refused,omitempty"` // items, and why the first
	Refusal     string    `json:"refusal,omitempty"`
	ComparedAt  time.Time `json:"comparedAt,omitzero"`
	Differences int       `json:"differences"`
	Mended      int       `json:"mended"`
	Kept        []string  `json:"kept,omitempty"`
}

func newCommonsRow(p essaim.CommonsProgress) commonsRow {
	r := commonsRow{
		Items: p.Items, Total: p.Total, Pages: p.Pages, Bytes: p.Bytes, CheckedAt: p.CheckedAt, NextAt: p.NextAt, Reason: p.Reason,
		Refused: p.Refused, Refusal: p.Refusal,
		ComparedAt: p.ComparedAt, Differences: p.Differences, Mended: p.Mended, Kept: p.Kept,
	}
	switch {
	case p.StartedAt.IsZero():
	case p.DoneAt.IsZero():
		r.State = "reading"
	default:
		r.State = "read"
	}
	return r
}

// lines tell it to people.
func (r commonsRow) lines() [][2]string {
	if r.State == "" && r.Reason == "" {
		return nil
	}
	all := [][2]string{{"commons", strings.TrimSpace(r.State + " " + r.progress())}, {"commons read at", stamp(r.CheckedAt)}, {"commons next", stamp(r.NextAt)}}
	if r.Reason != "" {
		all = append(all, [2]string{"commons not read", r.Reason})
	}
	if r.Refused > 0 {
		all = append(all, [2]string{"commons refused", fmt.Sprintf("%d, the first %s", r.Refused, r.Refusal)})
	}
	if !r.ComparedAt.IsZero() {
		all = append(all, [2]string{"compared at", stamp(r.ComparedAt)},
			[2]string{"differences then", fmt.Sprintf("%d, %d mended, %d kept", r.Differences, r.Mended, len(r.Kept))})
	}
	return all
}

func (r commonsRow) progress() string {
	if r.Total > 0 {
		return fmt.Sprintf("%d of %d, %d pages, %d bytes", r.Items, max(r.Total, r.Items), r.Pages, r.Bytes)
	}
	return fmt.Sprintf("%d, %d pages, %d bytes", r.Items, r.Pages, r.Bytes)
}
