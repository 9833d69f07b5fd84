// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"essaim/e2e/rig"
)

// unheldCount is how many items ask for an address that is not built yet.
const unheldCount = 10

//go:embed unheld.tsv
var unheldTable string

//go:embed smaller.tsv
var smallerTable string

// special is what an item needs besides being sent: the hosts as it describes
// them, another way to ask, what must be true afterwards.
type special struct {
	// before makes the hosts lie as the item says.
	before func(*trial) error
	// send asks the node instead of the item's own request; the status is 0 when
	// there is none to judge.
	send func(*trial) (int, error)
	// after looks at what came of it.
	after func(*trial) error
	// undo takes back what before did, when clearing the hosts is not enough.
	undo func(*trial) error
	// smaller tells that less is sent than written: the item stands in smaller.tsv.
	smaller bool
	// changes tells that the node's state may be another afterwards.
	changes bool
}

// trial is one item under way.
type trial struct {
	*world
	ctx   context.Context
	item  *item
	names names
	// compared is what the answer on the other database must be, too.
	compared string
	// reads is what the page that shows the item's HTML must say.
	reads  string
	actor  string // who signs
	signer *fake
	keyID  string // where an item signs with a key elsewhere
	taken  int    // activities of a storm that were accepted
	logAt  int64  // where the log ended when the item began
	body   []byte
	got    *answer
}

func (t *trial) evil() *fake   { return t.fakes["evil.test"] }
func (t *trial) victim() *fake { return t.fakes["victim.test"] }

// judge sends every item and holds the node to what each one allows and to what
// holds for the whole run.
func (w *world) judge(ctx context.Context, items []item) {
	table := specials(items)
	unheld := w.readUnheld(items, table)
	w.suite.Check("every special is of an item", func() error {
		for id := range table {
			if !slices.ContainsFunc(items, func(it item) bool { return it.ID == id }) {
				return fmt.Errorf("%s is no item", id)
			}
		}
		return nil
	})
	w.suite.Check("every item that is sent smaller than written says why, and no other", func() error {
		said := map[string]bool{}
		for line := range strings.Lines(smallerTable) {
			if strings.HasPrefix(line, "#") {
				continue
			}
			fields := strings.Split(strings.TrimSpace(line), "\t")
			if len(fields) != 4 || !table[fields[0]].smaller {
				return fmt.Errorf("smaller.tsv: %q", line)
			}
			said[fields[0]] = true
		}
		for id, sp := range table {
			if sp.smaller && !said[id] {
				return fmt.Errorf("%s is sent smaller, and smaller.tsv does not say why", id)
			}
		}
		return nil
	})
	sent, left := 0, 0
	for i := range items {
		it := &items[i]
		if w.opt.turn && (it.turn%2 == 0) != (w.opt.db == "sqlite") || !w.opt.only.MatchString(it.ID) {
			left++
			continue
		}
		if reason := unheld[it.ID]; reason != "" {
			fmt.Printf("--    %s %s: %s\n", it.ID, it.Title, reason)
			continue
		}
		sent++
		w.caller++
		w.client.CloseIdleConnections()
		w.suite.Check(it.ID+" "+it.Title, func() error { return w.try(ctx, it, table[it.ID]) })
		if ctx.Err() != nil {
			break
		}
	}
	w.suite.Figure("sent", sent, "items")
	w.suite.Figure("unheld", len(unheld), "items")
	w.suite.Figure("of_the_other_turn", left, "items")
	w.closing(ctx)
}

// readUnheld reads the table of items that cannot be asked, and holds it to the
// routes that the node gives. An item without an address may have another way.
func (w *world) readUnheld(items []item, table map[string]special) map[string]string {
	unheld := map[string]string{}
	w.suite.Check("items without an address are those of the table", func() error {
		for line := range strings.Lines(unheldTable) {
			fields := strings.Split(strings.TrimSpace(line), "\t")
			if strings.HasPrefix(line, "#") {
				continue
			}
			if len(fields) != 3 || fields[2] == "" {
				return fmt.Errorf("unheld.tsv: %q", line)
			}
			if _, held := w.routes[fields[1]]; held {
				return fmt.Errorf("%s stands in unheld.tsv, and %s has an address: %s", fields[0], fields[1], w.routes[fields[1]])
			}
			unheld[fields[0]] = fields[2]
		}
		for _, it := range items {
			for _, m := range marks.FindAllStringSubmatch(it.Path, -1) {
				_, route := w.routes[m[1]]
				if _, name := w.names[m[1]]; !route && !name && unheld[it.ID] == "" && table[it.ID].send == nil {
					return fmt.Errorf("%s asks for %s, which is neither in the routes nor in unheld.tsv", it.ID, m[1])
				}
			}
		}
		if len(unheld) != unheldCount {
			return fmt.Errorf("%d items, want %d", len(unheld), unheldCount)
		}
		return nil
	})
	return unheld
}

// try sends one item and judges it.
func (w *world) try(ctx context.Context, it *item, sp special) error {
	for _, f := range w.fakes {
		f.clear()
	}
	w.setSwarm(http.NotFound)
	w.swarmed.Store(0)
	log, err := os.Stat(w.logFile())
	if err != nil {
		return err
	}
	t := &trial{world: w, ctx: ctx, item: it, names: maps.Clone(w.names), logAt: log.Size()}
	t.who()
	if sp.before != nil {
		if err := sp.before(t); err != nil {
			return fmt.Errorf("before: %w", err)
		}
	}
	before, err := w.dump(ctx)
	if err != nil {
		return fmt.Errorf("state before: %w", err)
	}
	opened, err := w.account()
	if err != nil {
		return err
	}
	ask := t.ask
	switch it.Method {
	case "SERVE", "SCENARIO", "LOAD", "SLOW", "RAW":
		if sp.send == nil {
			return fmt.Errorf("%s, and no way to ask", it.Method)
		}
	}
	if sp.send != nil {
		ask = func() (int, error) { return sp.send(t) }
	}
	status, err := ask()
	if err != nil {
		return err
	}
	if status != 0 && !it.expects(status) {
		return fmt.Errorf("answered %d, want %s%s", status, it.Expect, t.said())
	}
	if status == http.StatusServiceUnavailable && t.got != nil && t.got.header.Get("Retry-After") == "" {
		return errors.New("503 without Retry-After")
	}
	return errors.Join(t.outcome(sp, before, opened), w.alive())
}

// outcome is what became of the node after an item.
func (t *trial) outcome(sp special, before []string, opened cost) error {
	if err := t.applied(t.ctx); err != nil {
		return err
	}
	if sp.after != nil {
		if err := sp.after(t); err != nil {
			return err
		}
	}
	if t.compared != "" {
		t.suite.Figure("compared_"+t.item.ID, t.compared, "")
	}
	if err := t.affordable(t.item.ID, opened); err != nil {
		return err
	}
	if !sp.changes {
		after, err := t.dump(t.ctx)
		if err != nil {
			return fmt.Errorf("state after: %w", err)
		}
		if d := differ(before, after); d != "" {
			return fmt.Errorf("the state changed:%s", d)
		}
	}
	if sp.undo != nil {
		if err := sp.undo(t); err != nil {
			return fmt.Errorf("undo: %w", err)
		}
	}
	return errors.Join(t.honest(t.ctx, &t.afterwards), t.honest(t.ctx, &t.calm))
}

func (t *trial) said() string {
	if t.got == nil {
		return ""
	}
	return fmt.Sprintf(": %.200s", t.got.body)
}

// who finds the host and actor that sign.
func (t *trial) who() {
	t.signer, t.actor = t.evil(), t.names["EACTOR"]
	switch t.item.Sign {
	case "valid:peer":
		t.signer, t.actor = t.fakes["peer.test"], t.names["PACTOR"]
	case "valid:peer/bob":
		t.signer, t.actor = t.fakes["peer.test"], "https://peer.test/u/bob"
	}
}

// ask sends the item's own request.
func (t *trial) ask() (int, error) {
	q, err := t.request()
	if err != nil {
		return 0, err
	}
	return t.asks(q)
}

func (t *trial) asks(q *request) (int, error) {
	got, err := t.send(t.ctx, q)
	if err != nil {
		return 0, err
	}
	t.got = got
	if bytes.Contains(bytes.ToLower(got.body), []byte("goroutine ")) {
		return 0, fmt.Errorf("the answer shows the program: %.200s", got.body)
	}
	return got.status, nil
}

// request is the item's request, signed as it asks.
func (t *trial) request() (*request, error) {
	q := t.bare()
	if q.method != http.MethodPost && q.method != http.MethodGet || t.item.Sign == "none" || strings.HasPrefix(t.item.Sign, "session:") {
		return q, nil
	}
	sg := signing{keyID: t.actor + "#main-key", key: t.signer.key}
	if custom, ok := strings.CutPrefix(t.item.Sign, "custom:"); ok {
		var err error
		if sg, err = t.custom(custom, sg); err != nil {
			return nil, err
		}
	}
	if err := sg.sign(q, t.body, time.Now()); err != nil {
		return nil, err
	}
	if change, ok := ownWritings[strings.TrimPrefix(t.item.Sign, "custom:")]; ok {
		change(q, t.body)
	}
	return q, nil
}

// bare is the item's request without a signature.
func (t *trial) bare() *request {
	all := maps.Clone(t.names)
	for name, path := range t.routes {
		if _, ok := all[name]; !ok || name == "OBJ" {
			all[name] = path
		}
	}
	method := t.item.Method
	if method == "LOAD" {
		method = http.MethodPost
	}
	q := &request{method: method, target: all.fill(t.item.Path, t.rng), header: [][2]string{{"Host", "node.test"}}}
	if !strings.HasPrefix(q.target, "/") {
		q.target = "/"
	}
	if t.item.Method == "LOAD" {
		q.set("Content-Type", rig.ActivityJSON)
	}
	for name, value := range t.item.Headers {
		q.set(name, t.names.fill(value, t.rng))
	}
	if role, ok := strings.CutPrefix(t.item.Sign, "session:"); ok {
		q.set("Cookie", t.sessions[role])
		if t.item.Class != "csrf" {
			q.set("Origin", t.node.URL) // as a page of the node would
		}
	}
	body := t.item.body(t.names, t.rng)
	if body == nil || t.item.Method == http.MethodGet {
		return q
	}
	if g := t.item.Gen; g != nil && g.N+g.Out > 64<<20 {
		q.body = body // streamed, and signed over nothing
		return q
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		panic(err) // readers of memory
	}
	t.body = raw
	q.body, q.size = bytes.NewReader(raw), int64(len(raw))
	return q
}

// closing holds the node to what concerns the whole run.
func (w *world) closing(ctx context.Context) {
	w.suite.Figure("honest_p95_ms", ms(percentile(w.afterwards.delays, 95)), "ms")
	w.suite.Figure("honest_max_ms", ms(percentile(w.afterwards.delays, 100)), "ms")
	w.suite.Figure("page_p95_ms", ms(percentile(w.afterwards.pages, 95)), "ms")
	w.suite.Figure("calm_p95_ms", ms(percentile(w.calm.delays, 95)), "ms")
	w.suite.Figure("calm_page_p95_ms", ms(percentile(w.calm.pages, 95)), "ms")
	w.dearest()
	w.suite.Figure("private_connections", w.watch.ever(), "")
	w.suite.Check("WHOLE the same process, no panic, nothing private reached", func() error {
		if n := w.watch.ever(); n != 0 {
			return fmt.Errorf("%d connections", n)
		}
		return w.alive()
	})
	w.suite.Check("WHOLE honest activities and pages take less than twice their time", func() error { return w.calm.slower(&w.afterwards, slack) })
	w.suite.Check("WHOLE no secret in the log", w.noSecret)
	w.suite.Check("WHOLE no activity is left failed or waiting", func() error {
		told, err := w.told(ctx, "queue", "list")
		if err != nil {
			return err
		}
		for _, line := range told {
			if strings.Contains(line, "peer.test") || strings.Contains(line, "victim.test") {
				return fmt.Errorf("an honest host has to wait: %s", line)
			}
		}
		return nil
	})
	w.suite.Check("WHOLE essaim doctor finds nothing", func() error {
		out, err := w.node.Run(ctx, "doctor", "--data", w.node.Dir)
		if err != nil {
			return fmt.Errorf("%w: %.900s", err, out)
		}
		return nil
	})
	for _, s := range w.servers {
		_ = s.Close() // so that no connection of theirs keeps the node busy
	}
	w.client.CloseIdleConnections()
	w.suite.Check("WHOLE as many goroutines as before", func() error {
		return rig.Eventually(40*time.Second, func() error {
			n, err := w.node.Metric(ctx, "go_goroutines")
			if err == nil && n > w.goroutines+10 {
				err = fmt.Errorf("%v, before %v", n, w.goroutines)
			}
			return err
		})
	})
	w.node.Stop()
}
