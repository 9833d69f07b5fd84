// SPDX-License-Identifier: AGPL-3.0-or-later

package fedtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// A Rule is a habit of one or more servers of the Fediverse that a document
// must respect to be read by them. Each names who breaks on it.
type Rule struct {
	ID   string // stable: tests and docs/spec.tsv name it
	Text string // what must be so, and who needs it
	// check looks at one JSON object of the document.
	check func(l *linter, o object)
}

// Finding is a rule that a document breaks, and where.
type Finding struct {
	Rule string
	At   string // path of members from the root, "object.attachment[1]"
	Got  string
}

func (f Finding) String() string {
	text := ""
	if i := slices.IndexFunc(Rules, func(r Rule) bool { return r.ID == f.Rule }); i >= 0 {
		text = Rules[i].Text
	}
	return fmt.Sprintf("%s at %q: got %s; %s", f.Rule, f.At, f.Got, text)
}

// object is a JSON object of a document with what surrounds it.
type object struct {
	m     map[string]any
	at    string
	terms terms  // that its @context and those around it define
	of    string // the member that holds it, "" for the root
	// document is set for what has an address of its own: the root, and what
	// stands whole inside an activity or a page of a collection.
	document bool
	// ours is set where names without prefix are the namespace's own, below a
	// prefixed member.
	ours bool
}

type linter struct {
	host     string // of the root
	findings []Finding
	rule     string
}

func (l *linter) found(o object, member, format string, args ...any) {
	at := strings.Trim(o.at+"."+member, ".")
	l.findings = append(l.findings, Finding{l.rule, at, fmt.Sprintf(format, args...)})
}

// Lint tells which rules a document breaks; none for one that every server
// reads. It reads the JSON by itself, so that it shares no mistake with what
// wrote it. Documents of other hosts inside it are not looked at.
func Lint(doc []byte) []Finding {
	l := &linter{}
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	var root map[string]any
	if err := dec.Decode(&root); err != nil {
		return []Finding{{Rule: "json-object", Got: err.Error()}}
	}
	l.host = hostOf(text(root["id"]))
	l.rule = "size"
	if limit := sizeLimit(root); len(doc) > limit {
		l.found(object{}, "", "%d bytes, more than %d", len(doc), limit)
	}
	l.walk(object{m: root, document: true, terms: coreTerms})
	return l.findings
}

// walk checks an object, then those that it holds.
func (l *linter) walk(o object) {
	o.terms = o.terms.with(o.m["@context"])
	for _, r := range Rules {
		if r.check != nil {
			l.rule = r.ID
			r.check(l, o)
		}
	}
	for _, name := range sorted(o.m) {
		if name == "@context" || strings.HasSuffix(name, "Map") {
			continue
		}
		prefixed := strings.Contains(name, ":")
		l.each(o.m[name], strings.Trim(o.at+"."+name, "."), func(m map[string]any, at string) {
			l.walk(object{m: m, at: at, of: name, terms: o.terms, ours: o.ours || prefixed, document: l.isDocument(o, name, m)})
		})
	}
}

// each visits the objects of a value that the root's host answers for.
func (l *linter) each(v any, at string, visit func(map[string]any, string)) {
	switch v := v.(type) {
	case map[string]any:
		if id := text(v["id"]); id == "" || hostOf(id) == l.host {
			visit(v, at)
		}
	case []any:
		for i, item := range v {
			l.each(item, fmt.Sprintf("%s[%d]", at, i), visit)
		}
	}
}

// isDocument tells what has an address of its own. A Relationship is a part of
// the Offer around it.
func (l *linter) isDocument(o object, member string, m map[string]any) bool {
	return o.document && m["type"] != "Relationship" && slices.Contains([]string{"object", "items", "orderedItems"}, member) && m["id"] != nil
}

// LintServed lints what an address answers: its status, its media type and the
// id of the document too.
func LintServed(address string, answer *http.Response, body []byte) []Finding {
	var list []Finding
	add := func(rule, format string, args ...any) {
		list = append(list, Finding{Rule: rule, Got: fmt.Sprintf(format, args...)})
	}
	kind := answer.Header.Get("Content-Type")
	if kind != "application/activity+json" && kind != "application/activity+json; charset=utf-8" {
		add("served-type", "%q", kind)
	}
	if !slices.Contains(answer.Header.Values("Vary"), "Accept") {
		add("served-vary", "%q", answer.Header.Values("Vary"))
	}
	var d struct{ ID, Type string }
	if err := json.Unmarshal(body, &d); err == nil && d.ID != address {
		add("served-id", "%q at %s", d.ID, address)
	}
	if answer.StatusCode != http.StatusOK && (answer.StatusCode != http.StatusGone || d.Type != "Tombstone") {
		add("served-status", "%d", answer.StatusCode)
	}
	return append(list, Lint(body)...)
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

func sorted(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// show is a value as an error tells it.
func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if len(b) > 120 {
		b = append(b[:120], "…"...)
	}
	return string(b)
}
