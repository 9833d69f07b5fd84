// SPDX-License-Identifier: AGPL-3.0-or-later

// Package query holds the statements that both databases read, and the reader
// of named statements. A file holds any number of them:
//
//	-- name: record_by_id
//	SELECT … FROM record WHERE id = $1
//
// What follows a name up to the next one is its text; lines that start with
// "--" before the first name, or within a statement, are comments. Parameters
// are written $1, $2… on both databases.
package query

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

//go:embed *.sql
var shared embed.FS

// Shared is the directory of the statements that are the same on both
// databases.
func Shared() fs.FS { return shared }

// Set is a set of named statements.
type Set struct{ text map[string]string }

// Load reads every .sql file at the top of each directory. A name that stands
// twice is refused: which text runs must not depend on an order.
func Load(dirs ...fs.FS) (*Set, error) {
	s := &Set{text: map[string]string{}}
	for _, dir := range dirs {
		files, err := fs.Glob(dir, "*.sql")
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			b, err := fs.ReadFile(dir, f)
			if err != nil {
				return nil, err
			}
			if err := s.add(string(b)); err != nil {
				return nil, fmt.Errorf("%s: %w", f, err)
			}
		}
	}
	return s, nil
}

const marker = "-- name:"

func (s *Set) add(file string) error {
	name := ""
	var text []string
	flush := func() error {
		body := strings.TrimSuffix(strings.TrimSpace(strings.Join(text, "\n")), ";")
		text = text[:0]
		if name == "" {
			return nil
		}
		if body == "" {
			return fmt.Errorf("statement %s is empty", name)
		}
		if _, twice := s.text[name]; twice {
			return fmt.Errorf("statement %s stands twice", name)
		}
		s.text[name] = body
		return nil
	}
	for line := range strings.Lines(file) {
		line = strings.TrimRight(line, " \t\r\n")
		if n, ok := strings.CutPrefix(line, marker); ok {
			if err := flush(); err != nil {
				return err
			}
			if name = strings.TrimSpace(n); name == "" {
				return fmt.Errorf("a statement has no name")
			}
			continue
		}
		if strings.HasPrefix(strings.TrimSpace(line), "--") {
			continue
		}
		if name != "" {
			text = append(text, line)
		}
	}
	return flush()
}

// Text returns a statement's SQL.
func (s *Set) Text(name string) (string, bool) {
	t, ok := s.text[name]
	return t, ok
}

// Names lists the statements in alphabetical order.
func (s *Set) Names() []string { return slices.Sorted(maps.Keys(s.text)) }
