// SPDX-License-Identifier: AGPL-3.0-or-later

package proof

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// member is one name and value of a JSON object, with its place in the bytes.
type member struct {
	name  string
	value []byte
	start int // of the name's quote
	end   int // after the value
}

// split finds the members of a JSON object without changing its bytes, and
// the position just after the last of them (before white space and '}').
// A name that occurs twice is refused: two readers would see two documents.
func split(doc []byte) ([]member, int, error) {
	dec := json.NewDecoder(bytes.NewReader(doc))
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return nil, 0, fmt.Errorf("%w: not an object", ErrMalformed)
	}
	end := int(dec.InputOffset())
	seen := map[string]bool{}
	var list []member
	for dec.More() {
		start := int(dec.InputOffset())
		tok, err := dec.Token()
		name, ok := tok.(string)
		if err != nil || !ok {
			return nil, 0, fmt.Errorf("%w: member name", ErrMalformed)
		}
		if seen[name] {
			return nil, 0, fmt.Errorf("%w: %q twice", ErrMalformed, name)
		}
		seen[name] = true
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, 0, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		start += bytes.IndexByte(doc[start:], '"')
		end = int(dec.InputOffset())
		list = append(list, member{name: name, value: doc[end-len(value) : end], start: start, end: end})
	}
	if _, err := dec.Token(); err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if len(bytes.TrimSpace(doc[dec.InputOffset():])) > 0 {
		return nil, 0, fmt.Errorf("%w: text after the object", ErrMalformed)
	}
	return list, end, nil
}

// without returns the object without the named members; doc itself when it
// has none of them.
func without(doc []byte, names ...string) ([]byte, error) {
	list, _, err := split(doc)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(doc))
	out = append(out, '{')
	for _, m := range list {
		if drop(m.name, names) {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, doc[m.start:m.end]...)
	}
	return append(out, '}'), nil
}

func drop(name string, names []string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}
