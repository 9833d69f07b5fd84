// SPDX-License-Identifier: AGPL-3.0-or-later

package proof

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Text reads a JSON string with its quotes. ok is false for what is none, and
// for the few that encoding/json is to judge: not UTF-8, or with surrogates.
func Text(raw []byte) (s string, ok bool) {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return "", false
	}
	raw = raw[1 : len(raw)-1]
	if !utf8.Valid(raw) {
		return "", false
	}
	at := bytes.IndexByte(raw, '\\')
	if at < 0 {
		return string(raw), true
	}
	var b strings.Builder
	b.Grow(len(raw))
	for ; at >= 0; at = bytes.IndexByte(raw, '\\') {
		b.Write(raw[:at])
		r, size := escape(raw[at:])
		if size == 0 {
			return "", false
		}
		b.WriteRune(r)
		raw = raw[at+size:]
	}
	b.Write(raw)
	return b.String(), true
}

// textOf reads a JSON string of a valid document, whatever stands in it.
func textOf(raw []byte) (s string, err error) {
	if s, ok := Text(raw); ok {
		return s, nil
	}
	if err = json.Unmarshal(raw, &s); err != nil {
		err = fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return s, err
}

// escape reads the escape that b begins with; its size is 0 when it is half of
// a pair, or none.
func escape(b []byte) (r rune, size int) {
	if len(b) < 2 {
		return 0, 0
	}
	switch b[1] {
	case '"', '\\', '/':
		return rune(b[1]), 2
	case 'u':
		if len(b) < 6 {
			return 0, 0
		}
		n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
		if err != nil || n >= 0xD800 && n < 0xE000 {
			return 0, 0
		}
		return rune(n), 6
	}
	if i := strings.IndexByte("bfnrt", b[1]); i >= 0 {
		return rune("\b\f\n\r\t"[i]), 2
	}
	return 0, 0
}

// appendText adds the canonical form of a text (RFC 8785 3.2.2.2).
func appendText(out []byte, s string) []byte {
	const hex = "0123456789abcdef"
	out = append(out, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		out, from = append(out, s[from:i]...), i+1
		if at := strings.IndexByte("\"\\\b\f\n\r\t", c); at >= 0 {
			out = append(out, '\\', `"\bfnrt`[at])
		} else {
			out = append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(out, s[from:]...), '"')
}
