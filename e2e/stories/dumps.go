// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// dumpsSeen are the dated files that showed the canary.
func (e *erasure) dumpsSeen(name string) (files []string) {
	for path := range e.seen[name] {
		if strings.HasPrefix(path, "/export/") && strings.HasSuffix(path, ".gz") {
			files = append(files, path)
		}
	}
	return files
}

// dumpedAnew has a node make its dated files, and looks for the canary in each.
func (e *erasure) dumpedAnew(name string) error {
	n := e.nodes[name]
	if _, err := n.Run(e.ctx, "dump", "--data", n.Dir); err != nil {
		return err
	}
	page, err := e.ask(name, "/export/")
	if err != nil {
		return err
	}
	files := regexp.MustCompile(`/export/[^"/]+\.gz`).FindAllString(string(bytes.Join(page, nil)), -1)
	slices.Sort(files)
	files = slices.Compact(files)
	for _, path := range files {
		if shows, err := e.shows(name, path); err != nil || shows {
			return errors.Join(err, fmt.Errorf("the dump %s holds it", path))
		}
	}
	if len(files) < 6 {
		return fmt.Errorf("%s has the dumps %v only", name, files)
	}
	return nil
}
