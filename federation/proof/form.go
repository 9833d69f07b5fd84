// SPDX-License-Identifier: AGPL-3.0-or-later

package proof

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// form is canonical for a value of a valid document (RFC 8785). Most of a document
// is short words, addresses and texts whose canonical form is what they are: those
// are recognised here, in one pass, and the library does the others. context is the
// document's @context, with its form, or nil.
func form(raw []byte, context *member) ([]byte, error) {
	if asItIs(raw) {
		return raw, nil
	}
	f := former{out: make([]byte, 0, len(raw)), context: context}
	if _, err := f.value(raw, 0); err != nil {
		return nil, err
	}
	return f.out, nil
}

// former writes canonical forms behind one another. Its members are those of the
// objects that are open, the innermost's last.
type former struct {
	out     []byte
	members []span
	spare   []byte
	// context is the document's: its proof repeats it, and it is a good part of a
	// small one's bytes.
	context *member
}

// span is where the form of a member stands, with its name, before members are
// brought into their order.
type span struct {
	name     name
	from, to int
}

// name is that of a member.
type name struct {
	text  []byte
	plain bool // stands in JSON as it is, and its bytes are in the order of its UTF-16 code units
}

func (n name) is(other string) bool { return string(n.text) == other }

// compare orders names by UTF-16 code units, which for ASCII is byte order.
func (n name) compare(other name) int {
	if n.plain && other.plain {
		return bytes.Compare(n.text, other.text)
	}
	return slices.Compare(utf16.Encode([]rune(string(n.text))), utf16.Encode([]rune(string(other.text))))
}

// readName reads the name of a member, given with its quotes, of which it keeps the
// bytes.
func readName(quoted []byte) (n name, err error) {
	if inner := quoted[1 : len(quoted)-1]; plain(inner) {
		return name{inner, true}, nil
	}
	if _, err := canonical(quoted); err != nil {
		return n, err // not UTF-8, or half a surrogate pair
	}
	var text string
	if err := json.Unmarshal(quoted, &text); err != nil {
		return n, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return name{text: []byte(text)}, nil
}

// append adds the canonical form of the name.
func (n name) append(out []byte) ([]byte, error) {
	if n.plain {
		return append(append(append(out, '"'), n.text...), '"'), nil
	}
	return appendString(out, string(n.text))
}

// value adds the form of the value that begins at i, and gives the position after it.
func (f *former) value(doc []byte, i int) (end int, err error) {
	switch doc[i] {
	case '{':
		return f.object(doc, i)
	case '[':
		return f.array(doc, i)
	}
	end = skipValue(doc, i)
	raw := doc[i:end:end]
	if asItIs(raw) {
		f.out = append(f.out, raw...)
		return end, nil
	}
	if s, ok := Text(raw); ok {
		f.out = appendText(f.out, s)
		return end, nil
	}
	form, err := canonical(raw)
	f.out = append(f.out, form...)
	return end, err
}

func (f *former) array(doc []byte, i int) (end int, err error) {
	f.out = append(f.out, '[')
	for i = space(doc, i+1); doc[i] != ']'; i = space(doc, i) {
		if doc[i] == ',' {
			f.out = append(f.out, ',')
			i = space(doc, i+1)
		}
		if i, err = f.value(doc, i); err != nil {
			return 0, err
		}
	}
	f.out = append(f.out, ']')
	return i + 1, nil
}

func (f *former) object(doc []byte, i int) (end int, err error) {
	outer, ordered := len(f.members), true
	f.out = append(f.out, '{')
	begin := len(f.out)
	for i = space(doc, i+1); doc[i] != '}'; i = space(doc, i) {
		if doc[i] == ',' {
			f.out = append(f.out, ',')
			i = space(doc, i+1)
		}
		from := len(f.out)
		after := skipString(doc, i)
		n, err := readName(doc[i:after])
		if err != nil {
			return 0, err
		}
		if f.out, err = n.append(f.out); err != nil {
			return 0, err
		}
		f.out = append(f.out, ':')
		i = space(doc, space(doc, after)+1) // past the colon
		if c := f.context; c != nil && n.is("@context") && bytes.Equal(doc[i:skipValue(doc, i)], c.value) {
			f.out, i = append(f.out, c.form...), i+len(c.value)
		} else if i, err = f.value(doc, i); err != nil {
			return 0, err
		}
		if mine := f.members[outer:]; len(mine) > 0 && n.compare(mine[len(mine)-1].name) <= 0 {
			ordered = false
		}
		f.members = append(f.members, span{n, from, len(f.out)})
	}
	if !ordered {
		if err := f.reorder(f.members[outer:], begin); err != nil {
			return 0, err
		}
	}
	f.members = f.members[:outer]
	f.out = append(f.out, '}')
	return i + 1, nil
}

// reorder brings the members of an object, whose forms stand from begin on, into the
// order of their names. A name that occurs twice is refused.
func (f *former) reorder(members []span, begin int) error {
	slices.SortFunc(members, func(a, b span) int { return a.name.compare(b.name) })
	f.spare = append(f.spare[:0], f.out[begin:]...)
	f.out = f.out[:begin]
	for i, m := range members {
		if i > 0 {
			if bytes.Equal(m.name.text, members[i-1].name.text) {
				return fmt.Errorf("%w: %q twice", ErrMalformed, m.name.text)
			}
			f.out = append(f.out, ',')
		}
		f.out = append(f.out, f.spare[m.from-begin:m.to-begin]...)
	}
	return nil
}

// asItIs tells whether a scalar of a valid document is its own canonical form: a string without
// escapes, a literal, or an integer that a double holds exactly (RFC 8785
// 3.2.2).
func asItIs(raw []byte) bool {
	if len(raw) == 0 {
		return false
	}
	switch raw[0] {
	case '"':
		return bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw)
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
