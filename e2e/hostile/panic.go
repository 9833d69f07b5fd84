// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
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
	// The next activity of the same host is applied as if nothing had been.
	start := time.Now()
	if err := thankAndUndo(t); err != nil {
		return 0, fmt.Errorf("after the poison: %w", err)
	}
	t.suite.Figure("after_poison_ms", ms(time.Since(start)), "ms")
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
