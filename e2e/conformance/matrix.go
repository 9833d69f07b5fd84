// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// matrixFile says what was found out about other servers.
const matrixFile = "docs/FEDIVERSE.md"

// servers are the columns that the matrix must have, by the names of their tests.
var servers = map[string]string{
	"Mastodon": "mastodon", "GoToSocial": "gotosocial", "Misskey": "misskey", "Pleroma/Akkoma": "pleroma", "Mobilizon": "mobilizon",
	"Lemmy": "lemmy", "Friendica": "friendica", "WordPress": "wordpress", "PeerTube": "peertube", "Fedify": "fedify",
}

// claim is a cell of a server's table.
type claim struct{ outcome, rule, way, test string }

// readMatrix reads the tables: the claims by "Server/verb", and the overview.
func readMatrix(doc string) (claims map[string]claim, overview map[string]string) {
	claims, overview = map[string]claim{}, map[string]string{}
	section := ""
	var verbs []string
	for line := range strings.SplitSeq(doc, "\n") {
		if name, ok := strings.CutPrefix(line, "## "); ok {
			section = name
			continue
		}
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case section == "Matrix" && cells[0] == "":
			verbs = cells[1:]
		case section == "Matrix":
			for i, c := range cells[1:] {
				if i < len(verbs) {
					overview[cells[0]+"/"+verbs[i]] = c
				}
			}
		case len(cells) == 5 && cells[0] != "verb":
			claims[section+"/"+cells[0]] = claim{cells[1], cells[2], cells[3], strings.Trim(cells[4], "`")}
		}
	}
	return claims, overview
}

// source is a file of a server's source, as a cell names it.
var source = regexp.MustCompile("`[^`]+\\.(ts|ex|rs|go|rb|php)`")

// triedBy is how a verb is tried for a server, by the name of its tests.
func triedBy(name, verb string) (tried bool, way string) {
	for _, s := range fediverse {
		if s.name == name {
			return s.way(verb)
		}
	}
	return true, byFedify
}

// checkMatrix holds the claims against the tests that passed, and what each says of
// how it was tried against the documents that there are of its software.
func checkMatrix(doc string, passed []string) error {
	claims, overview := readMatrix(doc)
	var wrong []error
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	claimed := map[string]bool{}
	for server, tests := range servers {
		for _, verb := range everything {
			cell := server + "/" + verb
			c, ok := claims[cell]
			if !ok || overview[cell] != c.outcome {
				say("%s: %q, in the overview %q", cell, c.outcome, overview[cell])
				continue
			}
			tried, way := triedBy(tests, verb)
			switch c.outcome {
			case "shown", "not tried":
				if claimed[c.test] = true; !slices.Contains(passed, c.test) {
					say("%s is claimed, and no test %q passed", cell, c.test)
				}
				if !strings.HasPrefix(c.test, tests+"/") || c.rule == "" {
					say("%s: test %q, rule %q", cell, c.test, c.rule)
				}
				if tried != (c.outcome == "shown") || c.way != way {
					say("%s: %s, tried by %q; its way is %q", cell, c.outcome, c.way, way)
				}
			case "not possible there":
				if c.test != "" || c.way != bySource || !source.MatchString(c.rule) {
					say("%s is not possible, and no source says so: %q", cell, c.rule)
				}
			default:
				say("%s: %q says nothing", cell, c.outcome)
			}
		}
	}
	for _, s := range fediverse {
		for _, verb := range s.verbs {
			if name := s.name + "/" + verb; !claimed[name] {
				say("test %s stands behind no cell", name)
			}
		}
	}
	if len(claims) != len(servers)*len(everything) || len(overview) != len(claims) {
		say("%d cells, %d in the overview, want %d", len(claims), len(overview), len(servers)*len(everything))
	}
	return errors.Join(wrong...)
}

// matrix checks the file against what passed on every database.
func matrix(passed []string) error {
	doc, err := os.ReadFile(matrixFile)
	if err != nil {
		return err
	}
	return checkMatrix(string(doc), passed)
}
