// SPDX-License-Identifier: AGPL-3.0-or-later

package proof

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/gowebpki/jcs"
)

// member is one name and value of a JSON object, where they stand in its bytes,
// and the value's canonical form once it is known.
type member struct {
	name  name
	value []byte
	start int // of the name's quote
	end   int // after the value
	form  []byte
	from  int // where it stands in the form of the whole; see write
	to    int
}

// Members gives the members of a JSON object by their names: the bytes of each
// value, in place. A name that occurs twice gives ErrMalformed.
func Members(doc []byte) (map[string]json.RawMessage, error) { return Of(doc).Members() }

// split finds the members of a JSON object without changing its bytes, and
// the position just after the last of them (before white space and '}').
// A name that occurs twice is refused: two readers would see two documents.
func split(doc []byte) ([]member, int, error) { return splitKnowing(doc, member{}) }

// splitKnowing is split where the form of an @context is known.
func splitKnowing(doc []byte, shared member) ([]member, int, error) {
	q := quick{shared: shared}
	if end, ok := q.read(doc); ok {
		return q.list, end, nil
	}
	return careful(doc)
}

// careful is split for whatever may come.
func careful(doc []byte) ([]member, int, error) {
	if !json.Valid(doc) {
		return nil, 0, fmt.Errorf("%w: not JSON", ErrMalformed)
	}
	return walk(doc)
}

// walk is careful for what is known to be valid JSON.
func walk(doc []byte) ([]member, int, error) {
	i := space(doc, 0)
	if i == len(doc) || doc[i] != '{' {
		return nil, 0, fmt.Errorf("%w: not an object", ErrMalformed)
	}
	list := make([]member, 0, 48) // as many as a record has
	seen := names{}
	end := i + 1
	for i = space(doc, i+1); doc[i] != '}'; i = space(doc, i) {
		if doc[i] == ',' {
			i = space(doc, i+1)
		}
		m := member{start: i}
		i = skipString(doc, i)
		var err error
		if m.name, err = readName(doc[m.start:i]); err != nil {
			return nil, 0, err
		}
		if seen.twice(list, m.name.text) {
			return nil, 0, fmt.Errorf("%w: %q twice", ErrMalformed, m.name.text)
		}
		i = space(doc, space(doc, i)+1) // past the colon
		from := i
		i = skipValue(doc, i)
		m.value, m.end = doc[from:i], i
		end = i
		list = append(list, m)
	}
	return list, end, nil
}

// names tells which names an object has had. Of a few, looking is enough.
type names map[string]bool

func (n *names) twice(before []member, name []byte) bool {
	if len(before) < 8 {
		return slices.ContainsFunc(before, func(m member) bool { return bytes.Equal(m.name.text, name) })
	}
	if len(*n) == 0 {
		*n = make(names, 4*len(before))
		for i := range before {
			(*n)[string(before[i].name.text)] = true
		}
	}
	if (*n)[string(name)] {
		return true
	}
	(*n)[string(name)] = true
	return false
}

// Elements gives the elements of an array that is a value of a valid document, in
// their place. Of other bytes reading panics.
func Elements(array []byte) (list []json.RawMessage) {
	for i := space(array, 1); array[i] != ']'; i = space(array, i) {
		if array[i] == ',' {
			i = space(array, i+1)
		}
		end := skipValue(array, i)
		list = append(list, json.RawMessage(array[i:end:end]))
		i = end
	}
	return list
}

func space(doc []byte, i int) int {
	for i < len(doc) && (doc[i] == ' ' || doc[i] == '\t' || doc[i] == '\n' || doc[i] == '\r') {
		i++
	}
	return i
}

// skipString returns the position after the string that begins at i.
func skipString(doc []byte, i int) int {
	i++
	if end := i + bytes.IndexByte(doc[i:], '"'); bytes.IndexByte(doc[i:end], '\\') < 0 {
		return end + 1
	}
	for ; doc[i] != '"'; i++ {
		if doc[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// skipValue returns the position after the value that begins at i.
func skipValue(doc []byte, i int) int {
	depth := 0
	for ; i < len(doc); i++ {
		switch doc[i] {
		case '"':
			i = skipString(doc, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return i
			}
			continue
		default:
			continue
		}
		if depth == 0 {
			return i + 1
		}
	}
	return i
}

// find returns a member by its name, nil when there is none.
func find(list []member, name string) *member {
	for i := range list {
		if list[i].name.is(name) {
			return &list[i]
		}
	}
	return nil
}

// object is the canonical form of an object of these members, but for the names to
// skip. It keeps each value's form in the list.
func object(list []member, skip ...string) ([]byte, error) {
	sorted, err := formed(list)
	if err != nil {
		return nil, err
	}
	sorted = slices.DeleteFunc(sorted, func(m *member) bool { return slices.ContainsFunc(skip, m.name.is) })
	return write(nil, sorted)
}

// formed gives each member its form, and the members in the order of their names:
// by UTF-16 code units (RFC 8785 3.2.3).
func formed(list []member) (sorted []*member, err error) {
	context, err := contextOf(list)
	if err != nil {
		return nil, err
	}
	sorted = make([]*member, 0, len(list))
	for i := range list {
		m := &list[i]
		if m.form == nil {
			if m.form, err = form(m.value, context); err != nil {
				return nil, err
			}
		}
		sorted = append(sorted, m)
	}
	slices.SortFunc(sorted, func(a, b *member) int { return a.name.compare(b.name) })
	return sorted, nil
}

// write makes the canonical form of an object of these members, which stand in their
// order and note their places, in the memory of out.
func write(out []byte, sorted []*member) (_ []byte, err error) {
	size := 2
	for _, m := range sorted {
		size += len(m.name.text) + len(m.form) + 4
	}
	out = append(slices.Grow(out[:0], size), '{')
	for i, m := range sorted {
		if i > 0 {
			out = append(out, ',')
		}
		m.from = len(out)
		if out, err = m.name.append(out); err != nil {
			return nil, err
		}
		out = append(append(out, ':'), m.form...)
		m.to = len(out)
	}
	return append(out, '}'), nil
}

// contextOf is the member that says what the names mean, with its form; nil when
// there is none.
func contextOf(list []member) (m *member, err error) {
	if m = find(list, "@context"); m != nil && m.form == nil {
		m.form, err = form(m.value, nil)
	}
	return m, err
}

// canonical is the RFC 8785 form of one JSON value.
func canonical(raw []byte) ([]byte, error) {
	out, err := jcs.Transform(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return out, nil
}

// appendString adds the canonical form of a string.
func appendString(out []byte, s string) ([]byte, error) {
	if plain([]byte(s)) {
		return append(append(append(out, '"'), s...), '"'), nil
	}
	raw, err := encode(s)
	if err != nil {
		return nil, err
	}
	form, err := canonical(raw)
	return append(out, form...), err
}

// plain tells whether a text stands in JSON as it is: ASCII without quotes,
// backslashes or controls.
func plain(s []byte) bool {
	for _, c := range s {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// encode writes v as JSON without escaping HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
