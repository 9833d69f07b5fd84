// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// itemCount is how many items the file holds.
const itemCount = 254

// item is a line of bad-inputs.jsonl.
type item struct {
	ID       string            `json:"id"`
	Category string            `json:"category"`
	Class    string            `json:"class"`
	Title    string            `json:"title"`
	Setup    string            `json:"setup"`
	Method   string            `json:"method"`
	Path     string            `json:"path"`
	Headers  map[string]string `json:"headers"`
	Sign     string            `json:"sign"`
	Body     json.RawMessage   `json:"body"`
	Gen      *generator        `json:"gen"`
	Serve    string            `json:"serve"`
	Expect   string            `json:"expect_status"`

	turn int // place in the file
}

func readItems(file string) ([]item, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var items []item
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 4<<20)
	for sc.Scan() {
		it := item{turn: len(items)}
		if err := json.Unmarshal(sc.Bytes(), &it); err != nil {
			return nil, fmt.Errorf("item %d: %w", len(items)+1, err)
		}
		items = append(items, it)
	}
	if sc.Err() == nil && len(items) != itemCount {
		return nil, fmt.Errorf("%d items, want %d", len(items), itemCount)
	}
	return items, sc.Err()
}

var (
	repeated = regexp.MustCompile(`\{REPEAT:(.*?):(\d+)\}`)
	letters  = regexp.MustCompile(`\{A\*(\d+)\}`)
	marks    = regexp.MustCompile(`\{([A-Z_]+)\}`)
)

// names are what placeholders stand for.
type names map[string]string

// fill replaces placeholders, as bad-inputs-expand.py does.
func (n names) fill(s string, rng *rand.Rand) string {
	s = repeated.ReplaceAllStringFunc(s, func(m string) string {
		parts := repeated.FindStringSubmatch(m)
		count, _ := strconv.Atoi(parts[2]) // the expression matches digits
		var b strings.Builder
		for i := range count {
			b.WriteString(strings.ReplaceAll(parts[1], "%d", strconv.Itoa(i)))
		}
		return b.String()
	})
	s = letters.ReplaceAllStringFunc(s, func(m string) string {
		count, _ := strconv.Atoi(letters.FindStringSubmatch(m)[1]) // the expression matches digits
		return strings.Repeat("A", count)
	})
	return marks.ReplaceAllStringFunc(s, func(m string) string {
		switch m {
		case "{RAND}":
			return fmt.Sprintf("%016x", rng.Uint64())
		case "{RANDIP}":
			return fmt.Sprintf("%d.%d.%d.%d", 1+rng.IntN(250), 1+rng.IntN(250), 1+rng.IntN(250), 1+rng.IntN(250))
		}
		if v, ok := n[m[1:len(m)-1]]; ok {
			return v
		}
		return m
	})
}

// body is what the item sends; nil when it sends nothing.
func (it *item) body(n names, rng *rand.Rand) io.Reader {
	if it.Gen != nil {
		return it.Gen.body(n, rng)
	}
	if len(it.Body) == 0 || string(it.Body) == "null" {
		return nil
	}
	var text string
	if json.Unmarshal(it.Body, &text) != nil {
		text = string(it.Body)
	}
	return strings.NewReader(n.fill(text, rng))
}

// expects tells whether a status is one of those that the item allows. A 429 says
// that the node looked no further, so that it counts only where it is named: "4xx"
// is a refusal of what was sent.
func (it *item) expects(status int) bool {
	if it.Expect == "n/a" {
		return status < 500 && status != http.StatusTooManyRequests || status == 503
	}
	for want := range strings.SplitSeq(it.Expect, "|") {
		if want == strconv.Itoa(status) || strings.HasSuffix(want, "xx") && want[:1] == strconv.Itoa(status/100) && status != http.StatusTooManyRequests {
			return true
		}
	}
	return false
}

// refused tells whether a request was looked at and refused.
func refused(status int) bool { return status/100 == 4 && status != http.StatusTooManyRequests }
