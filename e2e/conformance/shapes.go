// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	_ "embed" // testdata/shapes.tsv
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// shape is which keys a document has, joined by dots, and of which type the value
// of each is: text, number, bool, null, list (an empty one) or object (an empty
// one, or one whose keys stand in a row of their own). A list counts as its
// elements, as one value and a list of it are the same in ActivityStreams.
type shape map[string]string

// apart are the kinds of object whose keys stand in a row of their own.
var apart = []string{
	"Note", "Article", "Page", "Event", "Question", "Video",
	"Follow", "Like", "EmojiReact", "Announce", "Dislike", "Create", "Update", "Delete",
}

// shapeOf is the shape of a document, without its context and its proofs.
func shapeOf(doc any) shape {
	var plain any
	if err := json.Unmarshal(encode(doc), &plain); err != nil {
		panic(err) // what was just encoded
	}
	s := shape{}
	s.add("", plain)
	return s
}

func (s shape) add(path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		embedded := strings.HasSuffix("."+path, ".object") && slices.Contains(apart, text(v, "type"))
		if embedded || len(v) == 0 && path != "" {
			s.put(path, "object")
			return
		}
		for name, e := range v {
			switch {
			case name == "@context", name == "signature", name == "proof":
				continue
			case strings.HasSuffix(path, "Map"): // by language
				name = "*"
			}
			s.add(strings.TrimPrefix(path+"."+name, "."), e)
		}
	case []any:
		if len(v) == 0 {
			s.put(path, "list")
		}
		for _, e := range v {
			s.add(path, e)
		}
	case nil:
		s.put(path, "null")
	case bool:
		s.put(path, "bool")
	case float64:
		s.put(path, "number")
	default:
		s.put(path, "text")
	}
}

// put notes a type; values of two types in one list are both noted.
func (s shape) put(path, kind string) {
	kinds := strings.Split(s[path], "|")
	if s[path] != "" && !slices.Contains(kinds, kind) {
		kinds = append(kinds, kind)
		slices.Sort(kinds)
		kind = strings.Join(kinds, "|")
	}
	s[path] = kind
}

// open tells whether a value says nothing of what else could stand there.
func open(kind string) bool { return kind == "list" || kind == "null" }

// has tells whether a key is there with a value of a type, as far as the document
// says.
func (s shape) has(path, kind string) bool {
	// "any" is an object that is named or given whole: whoever passed the document
	// on wrote it there.
	named := func(a, b string) bool { return a == "any" && (b == "text" || b == "object") }
	if s[path] == kind || named(s[path], kind) || named(kind, s[path]) {
		return true
	}
	for p := path; p != ""; p = p[:max(strings.LastIndexByte(p, '.'), 0)] {
		if open(s[p]) {
			return true
		}
	}
	for p := range s {
		if open(kind) && (p == path || strings.HasPrefix(p, path+".")) {
			return true
		}
	}
	return false
}

// differs lists what only one of two shapes has. An activity gets its id when it
// is sent, and an object "updated" when it is edited.
func (s shape) differs(other shape) (found []string) {
	lacks := func(a, b shape, who string) {
		for path, kind := range b {
			if path != "id" && path != "updated" && !a.has(path, kind) {
				found = append(found, fmt.Sprintf("%s %s:%s", who, path, kind))
			}
		}
	}
	lacks(s, other, "no")
	lacks(other, s, "besides")
	slices.Sort(found)
	return found
}

// written is the shape of one document that a software wrote.
type written struct {
	software, kind string
	document       string // a file of the corpus, or a repository and a file of it
	commit         string // at which it was read; "corpus" for one of the corpus
	at             string // where in it, dotted; "-" for the whole
	shape          shape
}

//go:embed testdata/shapes.tsv
var shapesTSV string

// writings are the rows of testdata/shapes.tsv.
var writings = readShapes(shapesTSV)

func readShapes(tsv string) (rows []written) {
	for line := range strings.Lines(tsv) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") || len(f) != 6 {
			continue
		}
		w := written{f[0], f[1], f[2], f[3], f[4], shape{}}
		for word := range strings.FieldsSeq(f[5]) {
			cut := strings.LastIndexByte(word, ':')
			w.shape.put(word[:cut], word[cut+1:])
		}
		rows = append(rows, w)
	}
	return rows
}

// wrote are the documents of some kinds that a software wrote.
func wrote(software string, kinds ...string) (rows []written) {
	for _, w := range writings {
		if w.software == software && slices.Contains(kinds, w.kind) {
			rows = append(rows, w)
		}
	}
	return rows
}

// asWritten is how an activity that the suite sends for a software differs from
// every one of its kind that the software wrote, and so the object that it gives
// whole. What there is no document of is not compared: its cell in
// docs/FEDIVERSE.md says so.
func asWritten(software string, doc map[string]any) error {
	sent, nearest := shapeOf(doc), []string(nil)
	rows := wrote(software, text(doc, "type"))
	for _, w := range rows {
		found := sent.differs(w.shape)
		if len(found) == 0 {
			nearest = nil
			break
		}
		if nearest == nil || len(found) < len(nearest) {
			nearest = found
		}
	}
	if len(nearest) > 0 {
		return fmt.Errorf("%s: a %s of that software looks otherwise: %s", software, text(doc, "type"), strings.Join(nearest, ", "))
	}
	if o, ok := doc["object"].(map[string]any); ok && slices.Contains(apart, text(o, "type")) {
		return asWritten(software, o)
	}
	return nil
}
