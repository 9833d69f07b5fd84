// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"essaim/e2e/rig"
)

// restart has the node run for development, or as in production again.
func (w *world) restart(t *trial, dev bool) error {
	w.node.Stop()
	w.node.Dev = dev
	if err := w.node.Start(t.ctx); err != nil {
		return err
	}
	w.pid = w.node.Pid()
	return nil
}

// poisonTries is how often an activity is tried that panics (security.md, P8).
const poisonTries = 5

// poison waits until an entry of the queue was tried more often, and holds that it
// keeps its reason, and waits until it was tried as often as anything is.
func (t *trial) poison(row string, than int) (tries int, err error) {
	err = rig.Eventually(5*time.Second, func() error {
		rows, err := t.rows(t.ctx, "queue", "list")
		if err != nil {
			return err
		}
		i := slices.IndexFunc(rows, func(r map[string]any) bool { return r["id"] == row })
		if i < 0 {
			return errors.New("the poison is gone from the queue")
		}
		if tries, err = strconv.Atoi(fmt.Sprint(rows[i]["attempt"])); err != nil {
			return err
		}
		state := "waiting"
		if tries == poisonTries {
			state = "failed"
		}
		if tries <= than || tries > poisonTries || rows[i]["state"] != state || !strings.Contains(fmt.Sprint(rows[i]["reason"]), "panic") {
			return fmt.Errorf("tried %d times and more: %v", than, rows[i])
		}
		return nil
	})
	return tries, err
}

// poisoned sends an activity whose reading panics, to a node for development:
// only one panics when asked to. It must be tried again later, with its reason
// told, and hold up nobody.
func poisoned(t *trial) (int, error) {
	if err := oddButRight(t); err != nil {
		return 0, err
	}
	if err := t.restart(t, true); err != nil {
		return 0, err
	}
	if err := replay(t); err != nil {
		return 0, fmt.Errorf("after a restart: %w", err)
	}
	t.names["PANIC_HOOK"] = t.routes["PANIC_HOOK"]
	status, err := t.ask()
	if err != nil || status/100 != 2 {
		return 0, errors.Join(err, fmt.Errorf("the poison is answered %d%s", status, t.said()))
	}
	row := ""
	err = rig.Eventually(5*time.Second, func() error {
		out, err := t.node.Run(t.ctx, "queue", "list", "--data", t.node.Dir, "--json")
		if err != nil {
			return err
		}
		var rows []map[string]any
		if err := json.Unmarshal([]byte(out), &rows); err != nil {
			return err
		}
		for _, r := range rows {
			if text := fmt.Sprint(r); strings.Contains(text, "panic") {
				row = fmt.Sprint(r["id"])
				return nil
			}
		}
		return errors.New("no row tells of a panic: " + out)
	})
	if err != nil {
		return 0, err
	}
	// The next activities of the same host are applied as if nothing had been, thanks
	// taken back within a second each. The poison is due again and again meanwhile,
	// until it is given up.
	best := time.Hour
	for tries := 1; tries < poisonTries; {
		if err := t.command("queue", "retry", row); err != nil {
			return 0, err
		}
		start := time.Now()
		if err := thankAndUndo(t); err != nil {
			return 0, fmt.Errorf("after the poison: %w", err)
		}
		best = min(best, time.Since(start))
		if tries, err = t.poison(row, tries); err != nil {
			return 0, err
		}
	}
	t.suite.Figure("after_poison_ms", ms(best), "ms")
	if best > 2*time.Second {
		return 0, fmt.Errorf("two activities after the poison took %s", best)
	}
	if err := t.alive(); err != nil && !strings.Contains(err.Error(), "panic") {
		return 0, err
	}
	if err := t.command("queue", "drop", row); err != nil {
		return 0, err
	}
	if err := t.restart(t, false); err != nil {
		return 0, err
	}
	// What it said of the panic was asked for.
	info, err := os.Stat(t.logFile())
	if err == nil {
		t.logged = info.Size()
	}
	return 0, err
}
