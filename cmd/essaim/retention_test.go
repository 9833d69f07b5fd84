// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"database/sql"
	"errors"
	"image"
	"image/png"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"essaim"
	"essaim/store/blob"
)

// A node that runs keeps what it received for the days that its configuration says,
// those of unknown types for theirs, then id, digest and outcome.
func TestARunningNodeForgetsInItsTime(t *testing.T) {
	t.Parallel()
	cfg, err := settings{URL: "https://brest.example", RawDays: "7", UnknownDays: "2"}.check()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Dir = t.TempDir()
	var passed atomic.Int64
	opt := options{now: func() time.Time { return time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(passed.Load())) }}
	if _, err := initialise(t.Context(), cfg, opt, newNode{Name: "Brest", EPCIs: []string{"242900314"}, Admin: demoAdmin}); err != nil {
		t.Fatal(err)
	}
	open := func() *Node {
		t.Helper()
		n, err := Open(t.Context(), cfg, opt)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	n := open()
	for _, state := range []essaim.InboundState{essaim.InboundApplied, essaim.InboundUnknown} {
		id := "https://peer.example/" + string(state)
		if _, err := n.store.ReceiveActivity(t.Context(), essaim.Inbound{ActivityID: id, Type: "Like", Actor: "https://peer.example/u", Raw: []byte("{}"), ReceivedAt: opt.now()}); err != nil {
			t.Fatal(err)
		}
		rows, err := n.store.ClaimInbound(t.Context(), 1, time.Minute)
		if err != nil || len(rows) != 1 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		if errs := n.store.Apply(t.Context(), []essaim.Applied{{ID: rows[0].ID, Attempt: rows[0].Attempt, State: state, Reason: "r"}}); errs[0] != nil {
			t.Fatal(errs[0])
		}
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	disk, err := sql.Open("sqlite", filepath.Join(cfg.Dir, "essaim.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	// kept are the outcomes of the activities whose bytes are there.
	kept := func(condition string) string {
		t.Helper()
		rows, err := disk.QueryContext(t.Context(), "SELECT state FROM inbox WHERE "+condition)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var states []string
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				t.Fatal(err)
			}
			states = append(states, s)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		slices.Sort(states)
		return strings.Join(states, " ")
	}
	for _, c := range []struct {
		days int
		want string
	}{{1, "applied unknown"}, {3, "applied"}, {8, ""}} {
		passed.Store(int64(time.Duration(c.days) * 24 * time.Hour))
		n := open()
		n.Start(t.Context())
		look := time.NewTicker(20 * time.Millisecond)
		for tries := 0; tries < 1000 && kept("raw IS NOT NULL") != c.want; tries++ {
			<-look.C
		}
		look.Stop()
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		if got := kept("raw IS NOT NULL"); got != c.want {
			t.Errorf("after %d days the bytes of %q are kept, want %q", c.days, got, c.want)
		}
		if got := kept("length(digest) > 0"); got != "applied unknown" {
			t.Errorf("after %d days id, digest and outcome of %q are kept", c.days, got)
		}
	}
}

// A scrub removes at once the pictures that nothing names any more; one that was just
// kept is about to be named.
func TestAScrubRemovesPicturesThatNothingNames(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	n := openedAt(t, &now)
	keep := func(side int) string {
		t.Helper()
		var raw bytes.Buffer
		if err := png.Encode(&raw, image.NewGray(image.Rect(0, 0, side, side))); err != nil {
			t.Fatal(err)
		}
		p, err := blob.Portrait(raw.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		file, err := n.files.Put(p)
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	left := keep(8)
	now = now.Add(2 * time.Minute)
	fresh := keep(9)
	if _, err := scrub(t.Context(), n, none{}); err != nil {
		t.Fatal(err)
	}
	if _, err := n.files.Read(left); !errors.Is(err, essaim.ErrNotFound) {
		t.Errorf("a picture that nothing names is kept: %v", err)
	}
	if _, err := n.files.Read(fresh); err != nil {
		t.Errorf("one that was just kept is gone: %v", err)
	}
}

// openedAt is a new node that takes the time from now.
func openedAt(t *testing.T, now *time.Time) *Node {
	t.Helper()
	cfg, err := settings{URL: "https://brest.example"}.check()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Dir = t.TempDir()
	opt := options{now: func() time.Time { return *now }}
	if _, err := initialise(t.Context(), cfg, opt, newNode{Name: "Brest", EPCIs: []string{"242900314"}, Admin: demoAdmin}); err != nil {
		t.Fatal(err)
	}
	n, err := Open(t.Context(), cfg, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}
