// SPDX-License-Identifier: AGPL-3.0-or-later

package wire

import "fmt"

// Kind is the JSON type of a value.
type Kind uint8

// The JSON types; KindNone is the kind of a value that is not there.
const (
	KindNone Kind = iota
	KindNull
	KindBool
	KindNumber
	KindString
	KindArray
	KindObject
)

// node is one value of a scanned document. Nodes lie in document order, so a
// container's first child follows it and next skips a whole subtree.
type node struct {
	start, end       int32 // its bytes, quotes and brackets included
	keyStart, keyEnd int32 // the key's bytes without quotes; zero for array elements
	next             int32 // index of the node after its subtree
	size             int32 // children of a container
	kind             Kind
	escaped          bool // a string with backslash escapes
	keyEscaped       bool
}

// key is what the duplicate check keeps of an object's key.
type key struct {
	hash       uint64 // of the key under case folding
	start, end int32
	escaped    bool
}

type scanner struct {
	raw   []byte
	lim   Limits
	nodes []node
	keys  []key // of the objects that are open, innermost last
	pos   int
	depth int
	// context tells that the scan is below an "@context": terms defined there
	// may differ by case only ("Hashtag", "hashtag").
	context bool
	// repeated tells that a key stands twice in one object.
	repeated bool
}

// scan reads the whole of raw as one JSON value (RFC 8259) and refuses what
// readers disagree about: repeated keys, keys that differ by case only, unpaired
// surrogates, NUL, numbers beyond a float64, a byte order mark, bytes after the end.
func scan(raw []byte, lim Limits) (nodes []node, repeated bool, err error) {
	s := scanner{raw: raw, lim: lim, nodes: make([]node, 0, min(len(raw)/24+8, lim.Nodes))}
	s.space()
	if err := s.value(); err != nil {
		return nil, false, err
	}
	s.space()
	if s.pos != len(raw) {
		return nil, false, s.fail("bytes after the end")
	}
	return s.nodes, s.repeated, nil
}

func (s *scanner) fail(what string) error {
	return malformed("%s at byte %d", what, s.pos)
}

func (s *scanner) limit(what string, n int) error {
	return fmt.Errorf("more than %d %s: %w", n, what, ErrMalformed)
}

func (s *scanner) space() {
	for s.pos < len(s.raw) {
		switch s.raw[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// value scans one value and appends its node and those below it.
func (s *scanner) value() error {
	if s.pos >= len(s.raw) {
		return s.fail("unexpected end")
	}
	if len(s.nodes) >= s.lim.Nodes {
		return s.limit("values", s.lim.Nodes)
	}
	at := len(s.nodes)
	s.nodes = append(s.nodes, node{start: int32(s.pos)})
	n := node{start: int32(s.pos)}
	var err error
	switch c := s.raw[s.pos]; {
	case c == '"':
		n.kind = KindString
		n.escaped, err = s.str()
	case c == '{':
		n.kind = KindObject
		n.size, err = s.object()
	case c == '[':
		n.kind = KindArray
		n.size, err = s.array()
	case c == '-' || c >= '0' && c <= '9':
		n.kind = KindNumber
		err = s.number()
	case c == 't':
		n.kind, err = KindBool, s.literal("true")
	case c == 'f':
		n.kind, err = KindBool, s.literal("false")
	case c == 'n':
		n.kind, err = KindNull, s.literal("null")
	default:
		err = s.fail("unexpected character")
	}
	if err != nil {
		return err
	}
	n.end, n.next = int32(s.pos), int32(len(s.nodes))
	s.nodes[at] = n
	return nil
}

func (s *scanner) literal(word string) error {
	if len(s.raw)-s.pos < len(word) || string(s.raw[s.pos:s.pos+len(word)]) != word {
		return s.fail("unexpected character")
	}
	s.pos += len(word)
	return nil
}

func (s *scanner) array() (int32, error) {
	if s.depth++; s.depth > s.lim.Depth {
		return 0, s.limit("levels", s.lim.Depth)
	}
	s.pos++
	s.space()
	size := 0
	for first := true; ; first = false {
		if s.pos >= len(s.raw) {
			return 0, s.fail("unexpected end")
		}
		if s.raw[s.pos] == ']' && first {
			break
		}
		if size++; size > s.lim.Array {
			return 0, s.limit("elements in an array", s.lim.Array)
		}
		if err := s.value(); err != nil {
			return 0, err
		}
		s.space()
		if s.pos >= len(s.raw) {
			return 0, s.fail("unexpected end")
		}
		if s.raw[s.pos] == ']' {
			break
		}
		if s.raw[s.pos] != ',' {
			return 0, s.fail("unexpected character")
		}
		s.pos++
		s.space()
	}
	s.pos++
	s.depth--
	return int32(size), nil
}

func (s *scanner) object() (int32, error) {
	if s.depth++; s.depth > s.lim.Depth {
		return 0, s.limit("levels", s.lim.Depth)
	}
	mine, context := len(s.keys), s.context
	s.pos++
	s.space()
	size := 0
	for first := true; ; first = false {
		if s.pos >= len(s.raw) {
			return 0, s.fail("unexpected end")
		}
		if s.raw[s.pos] == '}' && first {
			break
		}
		if size++; size > s.lim.Keys {
			return 0, s.limit("keys in an object", s.lim.Keys)
		}
		k, err := s.key(mine)
		if err != nil {
			return 0, err
		}
		s.context = context || !k.escaped && string(s.raw[k.start:k.end]) == "@context"
		at := len(s.nodes)
		if err := s.value(); err != nil {
			return 0, err
		}
		s.context = context
		s.nodes[at].keyStart, s.nodes[at].keyEnd, s.nodes[at].keyEscaped = k.start, k.end, k.escaped
		s.space()
		if s.pos >= len(s.raw) {
			return 0, s.fail("unexpected end")
		}
		if s.raw[s.pos] == '}' {
			break
		}
		if s.raw[s.pos] != ',' {
			return 0, s.fail("unexpected character")
		}
		s.pos++
		s.space()
	}
	s.pos++
	s.depth--
	s.keys = s.keys[:mine]
	return int32(size), nil
}
