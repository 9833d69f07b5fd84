// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"essaim/e2e/rig"
)

// commandSpecials are items whose address does not exist because a command does
// it: the same input goes to the command.
func commandSpecials(items []item) map[string]special {
	m := map[string]special{
		"WEB-004": {send: authenticated},
		"WEB-024": {send: lettersOfOthers},
		"WEB-069": {changes: true, send: takenNames},
	}
	for id, name := range map[string]string{"WEB-070": "carte.kml", "WEB-071": "fiches.zip", "WEB-081": "agenda.ics", "WEB-082": "lieux.geojson"} {
		m[id] = special{send: func(t *trial) (int, error) { return t.imports(name) }, after: nothingInside}
	}
	for _, it := range items {
		if it.Class == "csv-out" && strings.Contains(it.Path, "{EXPORT_CSV}") {
			m[it.ID] = special{changes: true, send: exported}
		}
	}
	return m
}

// authenticated asks, as an administrator and from another site, for what only
// she may see.
func authenticated(t *trial) (int, error) {
	for _, path := range []string{"/api/v1/moderation", "/api/v1/moderation/journal", "/api/v1/moderation/measures"} {
		got, err := t.asked(path, [2]string{"Cookie", t.sessions["admin"]}, [2]string{"Origin", "https://evil.test"})
		if err != nil {
			return 0, err
		}
		if got.header.Get("Access-Control-Allow-Credentials") != "" || strings.Contains(got.header.Get("Access-Control-Allow-Origin"), "evil") {
			return 0, fmt.Errorf("%s lets another site read it: %v", path, got.header)
		}
		if !t.item.expects(got.status) {
			return got.status, nil
		}
	}
	return 0, nil
}

// lettersOfOthers makes an account whose address holds a second recipient.
func lettersOfOthers(t *trial) (int, error) {
	before := len(t.mail.received())
	for _, email := range []string{"a@b.test\r\nBcc: x@evil.test", "a@b.test\nBcc: x@evil.test", "a@b.test, x@evil.test", "a@b.test>\r\nDATA\r\n"} {
		if _, err := t.node.Run(t.ctx, "user", "add", "--data", t.node.Dir, "--email", email, "--role", "animateur"); err == nil {
			return 0, fmt.Errorf("an account for %q", email)
		}
	}
	if n := len(t.mail.received()); n != before {
		return 0, fmt.Errorf("%d letters went out", n-before)
	}
	return 0, nil
}

// takenNames asks for names that are reserved, look like another's, or were
// somebody's.
func takenNames(t *trial) (int, error) {
	publish := func(email, name string) error { return t.command("user", "publish", email, "--name", name) }
	for _, name := range []string{"admin", ".well-known", "ａｌｉｃｅ", "brest", "Brest", "actor", ""} {
		if err := publish("editor@node.test", name); err == nil {
			return 0, fmt.Errorf("somebody is named %q", name)
		}
	}
	if err := publish("editor@node.test", "premiere"); err != nil {
		return 0, err
	}
	if err := t.command("user", "unpublish", "editor@node.test"); err != nil {
		return 0, err
	}
	for _, name := range []string{"premiere", "Premiere", "PREMIÈRE", "première"} {
		if err := publish("admin@node.test", name); err == nil {
			return 0, fmt.Errorf("%q, which was somebody's, is given again", name)
		}
	}
	return 0, nil
}

// countsOf is the last line of an import's report.
var countsOf = regexp.MustCompile(`(?m)^rows \d+ created (\d+) changed (\d+) unchanged \d+ refused \d+\n\z`)

// imports gives the item's body, as a file of that name, to the import: it has
// to end, to create nothing, and to take no more memory than it may. The status is
// what a page would answer: 422 where the command refuses the file, 200 where it
// reads it.
func (t *trial) imports(name string) (int, error) {
	file := filepath.Join(t.dir, name)
	f, err := os.Create(file)
	if err != nil {
		return 0, err
	}
	defer os.Remove(file)
	_, err = io.Copy(f, t.item.body(t.names, t.rng))
	if err := errors.Join(err, f.Close()); err != nil {
		return 0, err
	}
	measure := func(args ...string) (int64, string, error) {
		cmd := t.node.Command(t.ctx, append(args, "--data", t.node.Dir)...)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			return 0, "", err
		}
		// Not what wait4 tells: a child begins with the peak of its parent, the suite.
		var most atomic.Int64
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				_, peak, err := rig.RSS(cmd.Process.Pid)
				if err != nil || peak == 0 {
					return // it ended
				}
				most.Store(peak)
				time.Sleep(2 * time.Millisecond)
			}
		}()
		err := cmd.Wait()
		<-done
		return most.Load(), out.String(), err
	}
	// A command that ended before anyone looked is run once more.
	rss := func(args ...string) (most int64, out string, err error) {
		for range 5 {
			if most, out, err = measure(args...); most > 0 {
				break
			}
		}
		return most, out, err
	}
	least, out, err := rss("import", "list")
	if err != nil {
		return 0, fmt.Errorf("%w: %s", err, out)
	}
	status := http.StatusOK
	most, out, err := rss("import", "file", "--licence", "etalab-2.0", "--attribution", "Evil", file)
	counts := countsOf.FindStringSubmatch(out)
	switch {
	case counts != nil && (counts[1] != "0" || counts[2] != "0"):
		return 0, fmt.Errorf("it is imported: %.300s", out)
	case err == nil && counts == nil:
		return 0, fmt.Errorf("it says not what it did: %.300s", out)
	case err != nil:
		status = http.StatusUnprocessableEntity
	}
	t.suite.Figure("import_of_"+name, float64(most)/1e6, "MB")
	if strings.Contains(out, "goroutine ") || strings.Contains(out, "root:") {
		return 0, fmt.Errorf("it says %.600s", out)
	}
	if least < 1<<20 || most > least+64<<20 {
		return 0, fmt.Errorf("%d MB, %d MB without the file", most>>20, least>>20)
	}
	return status, nil
}

// exported publishes a title that a spreadsheet would run, and reads the two
// exports.
func exported(t *trial) (int, error) {
	var seed struct {
		Title string `json:"seed_title"`
	}
	if err := json.Unmarshal(t.item.Body, &seed); err != nil || seed.Title == "" {
		return 0, fmt.Errorf("no title to try: %w", err)
	}
	var made rig.Listed
	err := t.node.API(t.ctx, http.MethodPost, "initiatives", map[string]any{
		"title": seed.Title, "tagline": seed.Title, "description": "Rien de plus.", "themes": []string{"reemploi"}, "places": []map[string]any{{"insee": "29019"}},
	}, &made)
	if err != nil {
		return 0, err
	}
	sheet, err := t.node.Run(t.ctx, "export", "--data", t.node.Dir, "--format", "csv")
	if err != nil {
		return 0, err
	}
	text := strings.TrimPrefix(sheet, "\ufeff")
	reader := csv.NewReader(strings.NewReader(text))
	if first, _, _ := strings.Cut(text, "\n"); strings.Count(first, ";") > strings.Count(first, ",") {
		reader.Comma = ';'
	}
	rows, err := reader.ReadAll()
	if err != nil {
		return 0, err
	}
	seen := 0
	for _, row := range rows {
		for _, cell := range row {
			if strings.Contains(cell, strings.TrimSpace(seed.Title)) {
				seen++
				if strings.ContainsAny(cell[:1], "=+-@\t\r") || strings.HasPrefix(cell, "＝") {
					return 0, fmt.Errorf("a cell that a spreadsheet would run: %q", cell)
				}
			}
		}
	}
	if seen == 0 {
		return 0, fmt.Errorf("the title is in none of %d rows", len(rows))
	}
	plain, err := t.node.Run(t.ctx, "export", "--data", t.node.Dir, "--format", "jsonld")
	if err != nil {
		return 0, err
	}
	var quoted bytes.Buffer
	enc := json.NewEncoder(&quoted)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(seed.Title); err != nil {
		return 0, err
	}
	if want := strings.TrimSpace(quoted.String()); !strings.Contains(plain, want) {
		return 0, fmt.Errorf("the documents do not hold %s as it was written", want)
	}
	return 0, t.node.API(t.ctx, http.MethodDelete, "initiatives/"+made.Slug, nil, nil)
}
