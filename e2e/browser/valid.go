// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const vnuFile = "e2e/browser/node_modules/vnu-jar/build/dist/vnu.jar"

// valid holds pages of each kind to the W3C's checker of HTML.
func (w *world) valid() {
	if !w.takes("valid") || w.short && w.db != "sqlite" {
		return
	}
	w.Check(w.db+" HTML: the checker of the W3C finds no error", func() error {
		list := w.samples()
		found, err := w.vnu(list)
		if err != nil {
			return err
		}
		w.Figure("pages_checked_"+w.db, len(list), "")
		return verdict(told(found))
	})
}

// vnu checks pages together: starting it costs more than a page does.
func (w *world) vnu(list []*page) (found []finding, err error) {
	dir, err := os.MkdirTemp(w.dir, "html-")
	if err != nil {
		return nil, err
	}
	of := map[string]*page{}
	args := []string{"-Xss1m", "-jar", vnuFile, "--format", "json", "--exit-zero-always", "--errors-only"}
	for i, p := range list {
		file := filepath.Join(dir, fmt.Sprintf("%d.html", i))
		if err := os.WriteFile(file, p.body, 0o600); err != nil {
			return nil, err
		}
		of["file:"+file] = p
		args = append(args, file)
	}
	cmd := exec.CommandContext(w.ctx, "java", args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("vnu: %w: %.400s", err, said.Bytes())
	}
	var report struct {
		Messages []struct{ Type, URL, Message, Extract string }
	}
	if err := json.Unmarshal(said.Bytes(), &report); err != nil {
		return nil, fmt.Errorf("vnu: %w: %.400s", err, said.Bytes())
	}
	for _, m := range report.Messages {
		p, ok := of[m.URL]
		if !ok {
			return nil, fmt.Errorf("vnu: %s: %s", m.URL, m.Message)
		}
		found = append(found, finding{"html", fmt.Sprintf("%s: %.120s", m.Message, m.Extract), p.String()})
	}
	return found, nil
}
