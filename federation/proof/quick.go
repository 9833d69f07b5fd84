// SPDX-License-Identifier: AGPL-3.0-or-later

package proof

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"
)

// quick reads an object as nodes of our kind write it, without white space, in
// one pass: it is found to be JSON, taken apart, and each value brought into its
// canonical form (RFC 8785) at once. What it does not know it leaves to the careful
// way, which says too what is wrong with a document.
type quick struct {
	doc    []byte
	list   []member
	sorted []*member // of list, by their names
	// Forms of what is nested, one behind the other.
	former
	at []int // where the form of each of list ends in out; 0 for one that is in its place
	// shared is an @context and its form: whoever has many documents has few of them.
	shared member
}

// maxQuick is how deep it goes.
const maxQuick = 32

// read gives the members of the object that doc is, with their forms, and the
// position behind the last of them; ok is false for what it leaves to others. The
// members are good until it is used again.
func (q *quick) read(doc []byte) (end int, ok bool) {
	q.doc, q.list, q.out, q.at, q.members = doc, q.list[:0], q.out[:0], q.at[:0], q.members[:0]
	if len(doc) < 2 || doc[0] != '{' {
		return 0, false
	}
	i := 1
	for doc[i] != '}' {
		if i = q.member(i); i < 0 || doc[i] != '}' && doc[i] != ',' {
			return 0, false
		}
		if doc[i] == ',' {
			if i++; i == len(doc) || doc[i] == '}' {
				return 0, false
			}
		}
	}
	if i+1 != len(doc) {
		return 0, false
	}
	from := 0
	for k := range q.list {
		if to := q.at[k]; to > 0 {
			q.list[k].form, from = q.out[from:to:to], to
		}
	}
	return i, q.sort()
}

// sort brings the members into the order of their names; it tells whether each
// occurs once.
func (q *quick) sort() bool {
	q.sorted = slices.Grow(q.sorted[:0], len(q.list))
	for k := range q.list {
		q.sorted = append(q.sorted, &q.list[k])
	}
	slices.SortFunc(q.sorted, func(a, b *member) int { return bytes.Compare(a.name.text, b.name.text) })
	for k := 1; k < len(q.sorted); k++ {
		if bytes.Equal(q.sorted[k].name.text, q.sorted[k-1].name.text) {
			return false
		}
	}
	return true
}

// member reads one of the object that doc is, and gives the position behind it,
// where there is another byte; below 0 when it cannot.
func (q *quick) member(i int) (end int) {
	m := member{start: i}
	if m.name, i = q.name(i); i < 0 {
		return -1
	}
	from := len(q.out)
	switch known := q.known(m.name, i); {
	case known > 0:
		m.form, end = q.shared.form, known
	case q.doc[i] == '"':
		if end, _ = q.text(i); end > 0 {
			m.form = q.doc[i:end:end]
		}
	default:
		end = q.value(i, 1)
	}
	if end < 0 || end >= len(q.doc) {
		return -1
	}
	m.value, m.end = q.doc[i:end:end], end
	at := 0
	if m.form == nil {
		at = len(q.out)
		if m.name.is("@context") && (q.doc[i] == '[' || q.doc[i] == '{') {
			q.shared = member{value: bytes.Clone(m.value), form: bytes.Clone(q.out[from:])}
		}
	}
	q.list, q.at = append(q.list, m), append(q.at, at)
	return end
}

// known is the position behind the shared @context when it is the value of a
// member of this name at i, else 0. As an array or object it shows its own end.
func (q *quick) known(n name, i int) (end int) {
	if len(q.shared.value) == 0 || !n.is("@context") || !bytes.HasPrefix(q.doc[i:], q.shared.value) {
		return 0
	}
	return i + len(q.shared.value)
}

// name reads a name that is ASCII without escapes, and its colon; there is another
// byte behind.
func (q *quick) name(i int) (n name, end int) {
	if i >= len(q.doc) || q.doc[i] != '"' {
		return n, -1
	}
	end, ascii := q.text(i)
	if end < 0 || !ascii || end+1 >= len(q.doc) || q.doc[end] != ':' {
		return n, -1
	}
	inner := q.doc[i+1 : end-1]
	if bytes.IndexByte(inner, '\\') >= 0 || bytes.IndexByte(inner, 0x7f) >= 0 {
		return n, -1
	}
	return name{inner, true}, end + 1
}

// text gives the position behind the string that begins at i, when it is its own
// canonical form: UTF-8, with the short escapes only.
func (q *quick) text(i int) (end int, ascii bool) {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	doc, from, high := q.doc, i+1, uint64(0)
	for i++; ; {
		for i+8 <= len(doc) {
			w := binary.LittleEndian.Uint64(doc[i:])
			quote, escape := w^(ones*'"'), w^(ones*'\\')
			// A high bit for each of these and for a control; the lowest is a true one.
			found := ((quote-ones)&^quote | (escape-ones)&^escape | (w-ones*' ')&^w) & highs
			if found != 0 {
				high |= w & highs & (found&-found - 1) // what stands before it
				i += bits.TrailingZeros64(found) / 8
				break
			}
			high |= w & highs
			i += 8
		}
		if i >= len(doc) {
			return -1, false
		}
		switch c := doc[i]; {
		case c == '"':
			if high != 0 && !utf8.Valid(doc[from:i]) {
				return -1, false
			}
			return i + 1, high == 0
		case c == '\\':
			if i+1 >= len(doc) || strings.IndexByte(`"\bfnrt`, doc[i+1]) < 0 {
				return -1, false
			}
			i += 2
		case c < ' ':
			return -1, false
		default:
			high |= uint64(c) & 0x80
			i++
		}
	}
}

// value adds the form of the value that begins at i, and gives the position behind
// it.
func (q *quick) value(i, depth int) (end int) {
	if i >= len(q.doc) || depth > maxQuick {
		return -1
	}
	switch c := q.doc[i]; c {
	case '"':
		end, _ = q.text(i)
	case '{':
		return q.nested(i, depth)
	case '[':
		return q.array(i, depth)
	default:
		for end = i; end < len(q.doc) && strings.IndexByte(",]} \t\r\n", q.doc[end]) < 0; end++ {
		}
		if raw := q.doc[i:end:end]; !asItIs(raw) {
			if !json.Valid(raw) {
				return -1
			}
			form, err := canonical(raw)
			if err != nil {
				return -1
			}
			q.out = append(q.out, form...)
			return end
		}
	}
	if end > 0 {
		q.out = append(q.out, q.doc[i:end]...)
	}
	return end
}

func (q *quick) array(i, depth int) (end int) {
	q.out = append(q.out, '[')
	for first := true; ; first = false {
		i++ // past the bracket, or a comma
		if first && i < len(q.doc) && q.doc[i] == ']' {
			break
		}
		if i = q.value(i, depth+1); i < 0 || i >= len(q.doc) {
			return -1
		}
		if q.doc[i] == ']' {
			break
		}
		if q.doc[i] != ',' {
			return -1
		}
		q.out = append(q.out, ',')
	}
	q.out = append(q.out, ']')
	return i + 1
}

func (q *quick) nested(i, depth int) (end int) {
	outer, ordered := len(q.members), true
	q.out = append(q.out, '{')
	begin := len(q.out)
	for first := true; ; first = false {
		i++ // past the brace, or a comma
		if first && i < len(q.doc) && q.doc[i] == '}' {
			break
		}
		from, quoted := len(q.out), i
		var n name
		if n, i = q.name(i); i < 0 {
			return -1
		}
		q.out = append(q.out, q.doc[quoted:i]...)
		if known := q.known(n, i); known > 0 {
			q.out, i = append(q.out, q.shared.form...), known
		} else {
			i = q.value(i, depth+1)
		}
		if i < 0 || i >= len(q.doc) {
			return -1
		}
		if mine := q.members[outer:]; len(mine) > 0 && bytes.Compare(n.text, mine[len(mine)-1].name.text) <= 0 {
			ordered = false
		}
		q.members = append(q.members, span{n, from, len(q.out)})
		if q.doc[i] == '}' {
			break
		}
		if q.doc[i] != ',' {
			return -1
		}
		q.out = append(q.out, ',')
	}
	if !ordered && q.reorder(q.members[outer:], begin) != nil {
		return -1 // a name twice
	}
	q.members = q.members[:outer]
	q.out = append(q.out, '}')
	return i + 1
}
