// SPDX-License-Identifier: AGPL-3.0-or-later

package wire

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"essaim"
)

// Document is a JSON object that passed the gate. It keeps the caller's bytes
// and where each value lies in them; nothing is copied until it is asked for.
type Document struct {
	raw      []byte
	nodes    []node
	repeated bool // some object has a key twice, see Limits.Repeats
}

// Parse passes raw through the gate as one JSON object. The document keeps raw,
// which must not change afterwards.
func Parse(raw []byte, lim Limits) (*Document, error) {
	lim = lim.orDefault()
	if len(raw) > lim.Size {
		return nil, ErrTooLarge
	}
	nodes, repeated, err := scan(raw, lim)
	if err != nil {
		return nil, err
	}
	if nodes[0].kind != KindObject {
		return nil, malformed("not an object")
	}
	return &Document{raw: raw, nodes: nodes, repeated: repeated}, nil
}

// document is a value as a document of its own, within its limits: it passed the gate
// with the one that it is part of, and is not read again. Its depth is not looked at,
// for it is less than what that one was allowed.
func (v Value) document(lim Limits) (*Document, error) {
	lim = lim.orDefault()
	root := v.node()
	switch {
	case root.kind != KindObject:
		return nil, malformed("not an object")
	case int(root.end-root.start) > lim.Size:
		return nil, ErrTooLarge
	case int(root.next-v.n) > lim.Nodes:
		return nil, fmt.Errorf("more than %d values: %w", lim.Nodes, ErrMalformed)
	}
	d := &Document{raw: v.Raw(), nodes: slices.Clone(v.d.nodes[v.n:root.next]), repeated: v.d.repeated}
	for i := range d.nodes {
		n := &d.nodes[i]
		if n.kind == KindArray && int(n.size) > lim.Array || n.kind == KindObject && int(n.size) > lim.Keys {
			return nil, malformed("%d values in one", n.size)
		}
		n.start, n.end, n.next = n.start-root.start, n.end-root.start, n.next-v.n
		if i == 0 {
			n.keyStart, n.keyEnd, n.keyEscaped = 0, 0, false // its name is not its own
		} else if n.keyEnd > 0 {
			n.keyStart, n.keyEnd = n.keyStart-root.start, n.keyEnd-root.start
		}
	}
	return d, nil
}

// Raw is the whole document, byte for byte.
func (d *Document) Raw() []byte { return d.raw }

// Root is the document's object.
func (d *Document) Root() Value { return Value{d: d} }

// Get is a property of the document's object; the zero Value if it has none.
func (d *Document) Get(key string) Value { return d.Root().Get(key) }

// Value is one value of a document. The zero Value is a property that is not
// there: every method may be called on it and finds nothing.
type Value struct {
	d *Document
	n int32
}

func (v Value) node() node {
	if v.d == nil {
		return node{}
	}
	return v.d.nodes[v.n]
}

// Kind is the JSON type; KindNone for the zero Value.
func (v Value) Kind() Kind { return v.node().kind }

// Present tells whether there is a value other than null.
func (v Value) Present() bool { return v.Kind() > KindNull }

// Raw is the value's own bytes; nil for the zero Value.
func (v Value) Raw() []byte {
	if v.d == nil {
		return nil
	}
	n := v.node()
	return v.d.raw[n.start:n.end:n.end]
}

// Len is the number of elements or properties.
func (v Value) Len() int { return int(v.node().size) }

// Get finds a property of an object by its literal name; of a repeated one the
// last, as encoding/json does.
func (v Value) Get(key string) Value {
	var found Value
	if v.Kind() != KindObject {
		return found
	}
	for i, end := v.n+1, v.node().next; i < end; i = v.d.nodes[i].next {
		n := &v.d.nodes[i]
		k := v.d.raw[n.keyStart:n.keyEnd]
		if n.keyEscaped {
			k = unescape(k)
		}
		if string(k) == key {
			if found = (Value{v.d, i}); !v.d.repeated {
				break
			}
		}
	}
	return found
}

// Elements walks an array; a value that is no array is walked as its only
// element, since ActivityStreams writes one-element lists both ways. Nothing
// and null have no elements.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		switch v.Kind() {
		case KindNone, KindNull:
		case KindArray:
			for i, end := v.n+1, v.node().next; i < end; i = v.d.nodes[i].next {
				if !yield(Value{v.d, i}) {
					return
				}
			}
		default:
			yield(v)
		}
	}
}

// Properties walks an object.
func (v Value) Properties() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if v.Kind() != KindObject {
			return
		}
		for i, end := v.n+1, v.node().next; i < end; i = v.d.nodes[i].next {
			n := &v.d.nodes[i]
			k := v.d.raw[n.keyStart:n.keyEnd]
			if n.keyEscaped {
				k = unescape(k)
			}
			if !yield(string(k), Value{v.d, i}) {
				return
			}
		}
	}
}

// Text is a string's text.
func (v Value) Text() (string, bool) {
	n := v.node()
	if n.kind != KindString {
		return "", false
	}
	inner := v.d.raw[n.start+1 : n.end-1]
	if n.escaped {
		inner = unescape(inner)
	}
	return string(inner), true
}

// TextOr is the text, or nothing for what is not a string.
func (v Value) TextOr() string {
	s, _ := v.Text()
	return s
}

// Int is a number without fraction that fits.
func (v Value) Int() (int64, bool) {
	if v.Kind() != KindNumber {
		return 0, false
	}
	i, err := strconv.ParseInt(string(v.Raw()), 10, 64)
	return i, err == nil
}

// Float is a number.
func (v Value) Float() (float64, bool) {
	if v.Kind() != KindNumber {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(v.Raw()), 64)
	return f, err == nil
}

// Bool is true or false.
func (v Value) Bool() (value, ok bool) {
	return v.Kind() == KindBool && v.Raw()[0] == 't', v.Kind() == KindBool
}

// Time is a date and time as ActivityStreams writes it (RFC 3339; some
// software leaves the seconds' zone colon out, which is not accepted).
func (v Value) Time() (time.Time, bool) {
	s, ok := v.Text()
	if !ok {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, false
	}
	return t.UTC(), true
}

// IRI is an address, written as a string or as an object's id.
func (v Value) IRI() (essaim.IRI, bool) {
	if v.Kind() == KindObject {
		v = v.Get("id")
	}
	s, ok := v.Text()
	if !ok {
		return essaim.IRI{}, false
	}
	iri, err := essaim.ParseIRI(s)
	return iri, err == nil
}

// unescape resolves the escapes of a string that was scanned.
func unescape(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		if b[i] != '\\' {
			out = append(out, b[i])
			i++
			continue
		}
		n := escapeLen(b[i:])
		switch c := b[i+1]; c {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, _ := hex4(b[i:])
			if n == 12 {
				low, _ := hex4(b[i+6:])
				r = (r-0xD800)<<10 + (low - 0xDC00) + 0x10000
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, c)
		}
		i += n
	}
	return out
}
