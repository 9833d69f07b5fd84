// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"slices"
	"time"
)

// start measures the time from exec to readiness of a node that exists, and
// what it holds in memory when nothing happens.
func (b *bench) start() error {
	node, err := b.node("start", false)
	if err != nil {
		return err
	}
	var times []float64
	for range 7 {
		begin := time.Now()
		if err := node.Start(b.ctx); err != nil {
			return err
		}
		times = append(times, time.Since(begin).Seconds()*1000)
		if len(times) == 7 {
			time.Sleep(3 * time.Second) // what start-up allocated is given back
			now, _, err := node.RSS()
			if err != nil {
				return err
			}
			b.line("rss_idle", float64(now)/1e6, "MB", "this program (MB)", b.ceilings.resident)
		}
		node.Stop()
	}
	slices.Sort(times)
	b.line("start", times[len(times)/2], "ms to ready, median of 7", "version (ms)", b.ceilings.exec)
	return nil
}
