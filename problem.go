// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"fmt"
	"net/url"
	"sort"
	"strings"
	"unicode/utf8"
)

// Problems maps the path of a field ("title", "places.0.insee") to a reason: a
// stable key that web translates ("required", "too_long", "unknown", "bad_url",
// "bad_date", "no_consent", …), never a sentence.
type Problems map[string]string

// Add notes the first problem of a field; later ones of the same field are dropped.
func (p Problems) Add(field, reason string) {
	if _, ok := p[field]; !ok {
		p[field] = reason
	}
}

// Err is nil when there is no problem, else an error that wraps ErrInvalid and
// names the fields in order.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return &ValidationError{Problems: p}
}

// ValidationError carries the problems of one content to whoever shows them.
type ValidationError struct{ Problems Problems }

func (e *ValidationError) Error() string {
	fields := make([]string, 0, len(e.Problems))
	for f, r := range e.Problems {
		fields = append(fields, f+": "+r)
	}
	sort.Strings(fields)
	return "invalid: " + strings.Join(fields, ", ")
}

// Unwrap makes errors.Is(err, ErrInvalid) true.
func (e *ValidationError) Unwrap() error { return ErrInvalid }

// within refuses text that is longer than max characters or holds control
// characters other than line breaks and tabs.
func (p Problems) within(field, s string, max int) {
	switch {
	case utf8.RuneCountInString(s) > max:
		p.Add(field, "too_long")
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f || r == 0xfffe || r == 0xffff
	}):
		p.Add(field, "bad_text")
	}
}

func (p Problems) required(field, s string, max int) {
	if strings.TrimSpace(s) == "" {
		p.Add(field, "required")
		return
	}
	p.within(field, s, max)
}

func (p Problems) oneOf(field string, list List, id string) {
	if id != "" && !list.Has(id) {
		p.Add(field, "unknown")
	}
}

func (p Problems) allOf(field string, list List, ids []string) {
	for i, id := range ids {
		if !list.Has(id) {
			p.Add(fmt.Sprintf("%s.%d", field, i), "unknown")
		}
	}
}

func (p Problems) webAddress(field, s string) {
	if s == "" {
		return
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" || len(s) > 2000 {
		p.Add(field, "bad_url")
	}
}

func (p Problems) partialDate(field, s string) {
	if s != "" && !validPartialDate(s) {
		p.Add(field, "bad_date")
	}
}

func (p Problems) atMost(field string, n, max int) {
	if n > max {
		p.Add(field, "too_many")
	}
}
