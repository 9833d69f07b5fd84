// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"essaim"
)

// unknown says, of what is not known here, which command names what is.
func unknown(err error, which string) error {
	if errors.Is(err, essaim.ErrNotFound) {
		return fmt.Errorf("%w; %s", err, which)
	}
	return err
}

// print lists rows as a JSON array or in columns under their names.
func (l listing) print(a *app, rows any, columns []string, lines [][]string) error {
	if l.JSON {
		b, err := json.MarshalIndent(rows, "", "  ")
		if err != nil {
			return err
		}
		fmt.Fprintln(a.out, string(b))
		return nil
	}
	w := tabwriter.NewWriter(a.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(columns, "\t"))
	for _, l := range lines {
		fmt.Fprintln(w, strings.Join(l, "\t"))
	}
	return w.Flush()
}

// lines makes the columns of each row; nothing listed is an empty array, not null.
func lines[T any](rows []T, f func(T) []string) [][]string {
	out := make([][]string, 0, len(rows))
	for _, r := range rows {
		cells := f(r)
		for i, c := range cells {
			// What comes from elsewhere must not draw on the terminal.
			cells[i] = printable(c)
			if cells[i] == "" {
				cells[i] = "-"
			}
		}
		out = append(out, cells)
	}
	return out
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}

// stamp writes a time for people; empty for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}
