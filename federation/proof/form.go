// SPDX-License-Identifier: AGPL-3.0-or-later

package proof

import (
	"bytes"
	"unicode/utf8"
)

// ownLevels is how deep form goes by itself. Each level is walked again by the
// one above it; what is nested deeper is the library's, in one pass.
const ownLevels = 6

// form is canonical for a value of a valid document. Most of a document is
// short words, addresses and texts whose canonical form is what they are:
// those are recognised here, and the library does the others.
func form(raw []byte, level int) ([]byte, error) {
	if asItIs(raw) {
		return raw, nil
	}
	if s, ok := Text(raw); ok {
		return appendText(make([]byte, 0, len(raw)), s), nil
	}
	switch {
	case level >= ownLevels || len(raw) == 0:
	case raw[0] == '{':
		list, _, err := walk(raw)
		if err != nil {
			return nil, err
		}
		return objectAt(list, level+1)
	case raw[0] == '[':
		return array(raw, level+1)
	}
	return canonical(raw)
}

// array is the canonical form of an array of a valid document.
func array(raw []byte, level int) ([]byte, error) {
	out := append(make([]byte, 0, len(raw)), '[')
	for i := space(raw, 1); raw[i] != ']'; i = space(raw, i) {
		if raw[i] == ',' {
			out = append(out, ',')
			i = space(raw, i+1)
		}
		end := skipValue(raw, i)
		item, err := form(raw[i:end], level)
		if err != nil {
			return nil, err
		}
		out, i = append(out, item...), end
	}
	return append(out, ']'), nil
}

// asItIs tells whether a scalar is its own canonical form: a string without
// escapes, a literal, or an integer that a double holds exactly (RFC 8785
// 3.2.2).
func asItIs(raw []byte) bool {
	if len(raw) == 0 {
		return false
	}
	switch raw[0] {
	case '"':
		inner := raw[1:max(len(raw)-1, 1)]
		return len(raw) > 1 && raw[len(raw)-1] == '"' && bytes.IndexByte(inner, '"') < 0 && bytes.IndexByte(inner, '\\') < 0 && clean(inner)
	case 't', 'f', 'n':
		return string(raw) == "true" || string(raw) == "false" || string(raw) == "null"
	case '0':
		return len(raw) == 1
	}
	for _, c := range raw {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(raw) <= 15
}

// clean tells whether a text is UTF-8 without control characters.
func clean(s []byte) bool {
	for _, c := range s {
		if c < ' ' {
			return false
		}
	}
	return utf8.Valid(s)
}
