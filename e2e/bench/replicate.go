// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"essaim/e2e/rig"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"
)

// replicate has a node follow one that holds many records, and take them all;
// then damages what it took and has it mended. Bytes are those on the wire.
func (b *bench) replicate() error {
	origin, err := b.node("origin", true)
	if err != nil {
		return err
	}
	meter, err := b.metered(origin)
	if err != nil {
		return err
	}
	if _, err := b.importPlaces(origin, b.records, "import_of_origin"); err != nil {
		return err
	}
	if err := origin.Start(b.ctx); err != nil {
		return err
	}
	defer origin.Kill()
	replica, err := b.node("replica", true)
	if err != nil {
		return err
	}
	if err := replica.Start(b.ctx); err != nil {
		return err
	}
	defer replica.Kill()
	if err := b.backfill(origin, replica); err != nil {
		return err
	}
	full := meter.bytes.Load()
	b.line("backfill_bytes", float64(full)/1e6, fmt.Sprintf("MB on the wire for %d records", b.records), "", 0)

	replica.Stop() // it compares by itself too, and would mend before it is asked

	db, err := b.open(replica)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, c := range []struct {
		name  string
		every int
		most  int64 // bytes on the wire
	}{{"repair_hundredth", 100, full / 20}, {"repair_ten", b.records / 10, 1_000_000}} {
		if err := b.sync(origin, replica, 0); err != nil { // the first of the day is its own
			return err
		}
		n, err := damage(db, c.every)
		if err != nil {
			return err
		}
		before, start := meter.bytes.Load(), time.Now()
		if err := b.sync(origin, replica, n); err != nil {
			return err
		}
		took, sent := time.Since(start), meter.bytes.Load()-before
		b.line(c.name+"_bytes", float64(sent)/1e6, fmt.Sprintf("MB on the wire for %d differences", n), "bytes of a full copy (MB)", float64(full)/1e6)
		b.line(c.name+"_time", took.Seconds(), fmt.Sprintf("s for %d differences, all %d copies looked at", n, b.records), "", 0)
		if sent > c.most {
			return fmt.Errorf("%d differences cost %d bytes, more than %d", n, sent, c.most)
		}
	}
	return nil
}

// sync has the replica compare with the origin, which finds n differences.
func (b *bench) sync(origin, replica *rig.Node, n int) error {
	out, err := replica.Run(b.ctx, "peer", "sync", "--data", replica.Dir, rig.Host(origin.URL))
	if err != nil {
		return err
	}
	if want := fmt.Sprintf("%d differences, %d mended", n, n); !strings.Contains(out, want) {
		return fmt.Errorf("peer sync said %q, want %q", out, want)
	}
	return nil
}

// backfill follows the origin and waits until all its records are held.
func (b *bench) backfill(origin, replica *rig.Node) error {
	host := rig.Host(origin.URL)
	var cpu [2]time.Duration
	var err error
	for i, n := range []*rig.Node{origin, replica} {
		if cpu[i], err = n.CPU(); err != nil {
			return err
		}
	}
	start := time.Now()
	if _, err := replica.Run(b.ctx, "peer", "follow", "--data", replica.Dir, host); err != nil {
		return err
	}
	var quarter int64
	var shown struct {
		Commons struct {
			State   string
			Items   int
			Refused int
			Reason  string
		}
	}
	for {
		if err := b.ctx.Err(); err != nil {
			return err
		}
		time.Sleep(time.Second) // to ask takes CPU too: a program that starts
		out, err := replica.Run(b.ctx, "peer", "show", "--data", replica.Dir, "--json", host)
		if err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(out), &shown); err != nil {
			return fmt.Errorf("peer show: %w: %.200s", err, out)
		}
		if quarter == 0 && shown.Commons.Items >= b.records/4 {
			if quarter, _, err = replica.RSS(); err != nil {
				return err
			}
		}
		if shown.Commons.State == "read" {
			break
		}
	}
	took := time.Since(start)
	if shown.Commons.Items < b.records || shown.Commons.Refused > 0 {
		return fmt.Errorf("%d items of %d read, %d refused: %s", shown.Commons.Items, b.records, shown.Commons.Refused, shown.Commons.Reason)
	}
	b.line("backfill_rate", float64(b.records)/took.Seconds(), fmt.Sprintf("records/s, %d of them", b.records), "two Ed25519 signatures", b.ceilings.seals/2)
	for i, n := range []*rig.Node{origin, replica} {
		end, err := n.CPU()
		if err != nil {
			return err
		}
		b.line([...]string{"backfill_cpu_origin", "backfill_cpu_replica"}[i], (end-cpu[i]).Seconds()*1000/float64(b.records), "ms CPU a record", "", 0)
	}
	now, peak, err := replica.RSS()
	if err != nil {
		return err
	}
	b.line("backfill_rss_quarter", float64(quarter)/1e6, "MB, a quarter read", "", 0)
	b.line("backfill_rss_end", float64(now)/1e6, "MB, all read", "", 0)
	b.line("backfill_rss_peak", float64(peak)/1e6, "MB", "", 0)
	if now > quarter+quarter/4 {
		return fmt.Errorf("%d MB with a quarter read, %d MB at the end: memory grows with the copies", quarter/1e6, now/1e6)
	}
	return nil
}

// open opens a node's database beside it, to damage it as a disk would.
func (b *bench) open(n *rig.Node) (*sql.DB, error) {
	if n.Database != "" {
		return sql.Open("pgx", n.Database)
	}
	return sql.Open("sqlite", "file:"+filepath.Join(n.Dir, "essaim.db")+"?_pragma=busy_timeout(20000)&_pragma=foreign_keys(1)")
}

// damage loses half of one record in so many, and overwrites the other half's
// documents; it returns how many.
func damage(db *sql.DB, every int) (n int, err error) {
	tx, err := db.Begin()
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	for _, s := range []struct {
		text   string
		counts bool
	}{
		{"DELETE FROM search WHERE rid %% %d = 0", false},
		{"DELETE FROM record WHERE rid %% %d = 0", true},
		{"UPDATE record SET document = '{}' WHERE rid %% %d = 1", true},
	} {
		done, err := tx.Exec(fmt.Sprintf(s.text, 2*every))
		if err != nil {
			return 0, err
		}
		if rows, err := done.RowsAffected(); err != nil {
			return 0, err
		} else if s.counts {
			n += int(rows)
		}
	}
	return n, tx.Commit()
}
