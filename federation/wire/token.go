// SPDX-License-Identifier: AGPL-3.0-or-later

package wire

import (
	"math"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// key scans a key and its colon, and refuses one that the object, whose keys
// start at mine, already has.
func (s *scanner) key(mine int) (key, error) {
	if s.raw[s.pos] != '"' {
		return key{}, s.fail("no key")
	}
	start := s.pos + 1
	escaped, err := s.str()
	if err != nil {
		return key{}, err
	}
	k := key{start: int32(start), end: int32(s.pos - 1), escaped: escaped}
	text := s.raw[k.start:k.end]
	if escaped {
		text = unescape(text)
	}
	k.hash = foldHash(text, !s.context)
	for _, other := range s.keys[mine:] {
		if other.hash != k.hash {
			continue
		}
		if !s.lim.Repeats || escaped || other.escaped || !repeats(string(text)) || string(text) != string(s.raw[other.start:other.end]) {
			return key{}, s.fail("repeated key")
		}
		s.repeated = true
	}
	s.keys = append(s.keys, k)
	s.space()
	if s.pos >= len(s.raw) || s.raw[s.pos] != ':' {
		return key{}, s.fail("no colon after a key")
	}
	s.pos++
	s.space()
	return k, nil
}

// repeats tells whether a key only describes: nothing about who says it, to whom
// or about what hangs on it.
func repeats(key string) bool {
	switch key {
	case "name", "summary", "content", "startTime", "endTime", "category":
		return true
	}
	return false
}

// foldHash is FNV-1a of the key, under the case folding with which
// encoding/json matches struct fields if fold is set. Two keys of one object
// with the same hash are refused as repeated, equal or not.
func foldHash(text []byte, fold bool) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			if fold && c >= 'a' && c <= 'z' {
				c -= 'a' - 'A'
			}
			h = (h ^ uint64(c)) * prime
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		if fold {
			r = smallestFold(r)
		}
		h = (h ^ uint64(r)) * prime
		i += n
	}
	return h
}

func smallestFold(r rune) rune {
	for {
		next := unicode.SimpleFold(r)
		if next <= r {
			return next
		}
		r = next
	}
}

// str scans a string from its opening quote to past its closing one.
func (s *scanner) str() (escaped bool, err error) {
	raw, i := s.raw, s.pos+1
	for i < len(raw) {
		c := raw[i]
		switch {
		case c == '"':
			s.pos = i + 1
			return escaped, nil
		case c == '\\':
			escaped = true
			n := escapeLen(raw[i:])
			if n == 0 {
				s.pos = i
				return false, s.fail("bad escape")
			}
			i += n
		case c < ' ':
			s.pos = i
			return false, s.fail("control character in a string")
		case c < utf8.RuneSelf:
			i++
		default:
			r, n := utf8.DecodeRune(raw[i:])
			if r == utf8.RuneError && n == 1 {
				s.pos = i
				return false, s.fail("not UTF-8")
			}
			i += n
		}
	}
	s.pos = i
	return false, s.fail("unexpected end")
}

// escapeLen is the length of the escape at the start of b, both halves of a
// surrogate pair together; 0 for a bad one, for half a pair and for NUL, which
// PostgreSQL cannot store.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		r, ok := hex4(b)
		switch {
		case !ok || r == 0 || r >= 0xDC00 && r <= 0xDFFF:
			return 0
		case r >= 0xD800 && r <= 0xDBFF:
			low, ok := hex4(b[6:])
			if !ok || low < 0xDC00 || low > 0xDFFF {
				return 0
			}
			return 12
		}
		return 6
	}
	return 0
}

// hex4 reads \uXXXX.
func hex4(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range b[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

func (s *scanner) number() error {
	start := s.pos
	if s.peek() == '-' {
		s.pos++
	}
	switch c := s.peek(); {
	case c == '0':
		s.pos++
	case c >= '1' && c <= '9':
		s.digits()
	default:
		return s.fail("bad number")
	}
	if s.peek() == '.' {
		s.pos++
		if !s.digits() {
			return s.fail("bad number")
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if !s.digits() {
			return s.fail("bad number")
		}
	}
	if s.pos-start > 15 || s.pos-start > 3 && !allDigits(s.raw[start+1:s.pos]) {
		f, err := strconv.ParseFloat(string(s.raw[start:s.pos]), 64)
		if err != nil || math.IsInf(f, 0) {
			return s.fail("number out of range")
		}
	}
	return nil
}

func (s *scanner) peek() byte {
	if s.pos < len(s.raw) {
		return s.raw[s.pos]
	}
	return 0
}

func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.raw) && s.raw[s.pos] >= '0' && s.raw[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > start
}

func allDigits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
