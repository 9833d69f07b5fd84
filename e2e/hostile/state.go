// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"essaim/e2e/rig"
)

// get fetches a page or document of the node.
func (w *world) get(ctx context.Context, address, accept string) (int, http.Header, []byte, error) {
	if strings.HasPrefix(address, "/") {
		address = w.node.URL + address
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, nil, nil, err
	}
	req.Header.Set("Accept", accept)
	resp, err := w.client.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	return resp.StatusCode, resp.Header, body, err
}

// total is a collection's totalItems; an absent collection has -1.
func (w *world) total(ctx context.Context, address string) (int, error) {
	status, _, body, err := w.get(ctx, address, rig.ActivityJSON)
	if err != nil {
		return 0, err
	}
	var c struct {
		TotalItems *int `json:"totalItems"`
	}
	if status != http.StatusOK || json.Unmarshal(body, &c) != nil || c.TotalItems == nil {
		return -1, nil
	}
	return *c.TotalItems, nil
}

// dump is all that anyone can see of the node's state, in one order: what an
// activity that changes nothing leaves as it was.
func (w *world) dump(ctx context.Context) ([]string, error) {
	var lines []string
	rows, err := w.node.Records(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		lines = append(lines, fmt.Sprintf("record %s %q %s %s", r.ID, r.Title, r.URL, r.Origin))
	}
	for _, id := range []string{w.object, w.names["ALICE"], w.node.URL + "/actor"} {
		_, _, body, err := w.get(ctx, id, rig.ActivityJSON)
		if err != nil {
			return nil, err
		}
		lines = append(lines, fmt.Sprintf("document %s %x", id, sha256.Sum256(body)))
	}
	for _, r := range rows {
		if r.Origin != "node.test" && r.Origin != "" {
			_, _, body, err := w.get(ctx, "/ailleurs/"+r.Origin+"/"+r.Slug, rig.ActivityJSON)
			if err != nil {
				return nil, err
			}
			lines = append(lines, fmt.Sprintf("copy %s %x", r.ID, sha256.Sum256(body)))
		}
	}
	for _, c := range []string{
		w.object + "/likes", w.object + "/shares", w.object + "/replies", w.names["ALICE"] + "/followers", w.names["ALICE"] + "/following",
		w.names["ALICE"] + "/outbox", w.node.URL + "/actor/followers", w.node.URL + "/actor/following", w.node.URL + "/actor/outbox",
	} {
		n, err := w.total(ctx, c)
		if err != nil {
			return nil, err
		}
		lines = append(lines, fmt.Sprintf("collection %s %d", c, n))
	}
	told, err := w.told(ctx, "peer", "list")
	if err != nil {
		return nil, err
	}
	lines = append(lines, told...)
	if w.moderates {
		for _, state := range []string{"held", "accepted", "hidden"} {
			rows, err := w.items(ctx, state)
			if err != nil {
				return nil, err
			}
			told, err := plain("moderate list "+state, rows)
			if err != nil {
				return nil, err
			}
			lines = append(lines, told...)
		}
	}
	slices.Sort(lines)
	return lines, nil
}

// items are all that moderators have in a state, however many came before.
func (w *world) items(ctx context.Context, state string) ([]map[string]any, error) {
	const page = 100
	var all []map[string]any
	for after := "0"; ; after = fmt.Sprint(all[len(all)-1]["n"]) {
		rows, err := w.rows(ctx, "moderate", "list", "--limit", strconv.Itoa(page), "--state", state, "--after", after)
		if err != nil {
			return nil, err
		}
		if all = append(all, rows...); len(rows) < page {
			return all, nil
		}
	}
}

// rows is what a command lists.
func (w *world) rows(ctx context.Context, command ...string) ([]map[string]any, error) {
	out, err := w.node.Run(ctx, append(command, "--data", w.node.Dir, "--json")...)
	if err != nil {
		return nil, err
	}
	var rows []map[string]any
	dec := json.NewDecoder(strings.NewReader(out))
	dec.UseNumber()
	if err := dec.Decode(&rows); err != nil {
		return nil, fmt.Errorf("%s: %w", strings.Join(command, " "), err)
	}
	return rows, nil
}

// told is what a command lists, without what time alone changes.
func (w *world) told(ctx context.Context, command ...string) ([]string, error) {
	rows, err := w.rows(ctx, command...)
	if err != nil {
		return nil, err
	}
	return plain(strings.Join(command, " "), rows)
}

// plain are lines of what is listed, without what time alone changes.
func plain(what string, rows []map[string]any) ([]string, error) {
	var lines []string
	for _, row := range rows {
		for name := range row {
			switch name {
			case "host", "state", "actor", "id", "kind", "ref", "about", "excerpt", "object", "type", "title":
			default:
				delete(row, name)
			}
		}
		b, err := json.Marshal(row)
		if err != nil {
			return nil, err
		}
		lines = append(lines, what+" "+string(b))
	}
	return lines, nil
}

// differ tells what changed between two dumps; empty when nothing did.
func differ(before, after []string) string {
	var text strings.Builder
	for _, l := range before {
		if !slices.Contains(after, l) {
			text.WriteString("\n  - " + l)
		}
	}
	for _, l := range after {
		if !slices.Contains(before, l) {
			text.WriteString("\n  + " + l)
		}
	}
	return text.String()
}

// applied waits until nothing that came in waits.
func (w *world) applied(ctx context.Context) error {
	return rig.Eventually(10*time.Second, func() error {
		n, err := w.node.Metric(ctx, "essaim_inbox_waiting")
		if err == nil && n != 0 {
			err = fmt.Errorf("%v activities wait", n)
		}
		return err
	})
}

// honest sends an honest activity and waits for what it does: the next one
// must be applied within 5 seconds, whatever came before. took has how long it took.
func (w *world) honest(ctx context.Context, took *timings) error {
	peer := w.fakes["peer.test"]
	start := time.Now()
	var err error
	if w.liked {
		err = w.post(ctx, peer, w.names["PACTOR"], "Undo", map[string]any{"id": w.likeID, "type": "Like", "actor": w.names["PACTOR"], "object": w.probe}, nil)
	} else {
		err = w.post(ctx, peer, w.names["PACTOR"], "Like", w.probe, nil)
		w.likeID = fmt.Sprintf("https://peer.test/honest/%d", w.serial)
	}
	if err != nil {
		return fmt.Errorf("an honest activity: %w", err)
	}
	w.liked = !w.liked
	want := 0
	if w.liked {
		want = 1
	}
	err = rig.Eventually(5*time.Second, func() error {
		asked := time.Now()
		n, err := w.total(ctx, w.probe+"/likes")
		if err != nil {
			return err
		}
		took.pages = append(took.pages, time.Since(asked))
		if n != want {
			return fmt.Errorf("%d thanks, want %d", n, want)
		}
		return nil
	})
	took.delays = append(took.delays, time.Since(start))
	if err != nil {
		return fmt.Errorf("the next honest activity: %w", err)
	}
	return nil
}

// alive holds what must hold at every moment: the same process, no panic in
// its log, no connection begun to where none should go.
func (w *world) alive() error {
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", w.pid)); err != nil || w.node.Pid() != w.pid {
		return fmt.Errorf("the process %d is gone: %s", w.pid, w.node.LastLog())
	}
	f, err := os.Open(w.logFile())
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Seek(w.logged, io.SeekStart); err != nil {
		return err
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	w.logged += int64(len(text))
	for line := range bytes.Lines(text) {
		lower := bytes.ToLower(line)
		for _, sign := range []string{"panic", "goroutine ", "syntax error", "sqlstate 42", "fatal"} {
			if bytes.Contains(lower, []byte(sign)) {
				return fmt.Errorf("the log says: %.600s", line)
			}
		}
	}
	if n, where := w.watch.seen(); n != 0 {
		return fmt.Errorf("%d connections begun to where none should go:%s", n, where)
	}
	return nil
}

func (w *world) logFile() string {
	return w.dir + "/node.node.test_443.log"
}

// baseline measures the node before anything hostile came.
func (w *world) baseline(ctx context.Context) error {
	for range 20 {
		if err := w.honest(ctx, &w.calm); err != nil {
			return err
		}
	}
	var err error
	if w.goroutines, err = w.node.Metric(ctx, "go_goroutines"); err != nil {
		return err
	}
	if w.goroutines < 5 {
		return errors.New("too few goroutines to be true")
	}
	w.suite.Figure("honest_before_p95_ms", ms(percentile(w.calm.delays, 95)), "ms")
	w.suite.Figure("page_before_p95_ms", ms(percentile(w.calm.pages, 95)), "ms")
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// percentile is the p-th of a list of times.
func percentile(times []time.Duration, p int) time.Duration {
	if len(times) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(times))
	return sorted[min(len(sorted)*p/100, len(sorted)-1)]
}

// noSecret looks for what no log may hold: links, cookies, tokens, private
// keys, what people wrote in a header to prove who they are.
func (w *world) noSecret() error {
	text, err := os.ReadFile(w.logFile())
	if err != nil {
		return err
	}
	if len(text) < 1000 {
		return fmt.Errorf("a log of %d bytes", len(text))
	}
	secrets := append([]string{w.node.Token, "PRIVATE KEY", "Authorization:", "Cookie:", "__Host-essaim="}, w.mail.secrets...)
	for _, secret := range secrets {
		if secret == "" {
			return errors.New("a secret that is empty")
		}
		if bytes.Contains(text, []byte(secret)) {
			return fmt.Errorf("the log holds %.12s…", secret)
		}
	}
	return nil
}
