// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	_ "embed"
	"strings"
	"sync"
)

// List names one of the closed lists of the vocabulary; ids are stable.
type List string

// The closed lists. ListRole is a person's or body's part in an initiative,
// ListActor what kind of body it is, ListCallKind what help is about.
const (
	ListStage         List = "stage"
	ListActivity      List = "activity"
	ListRole          List = "role"
	ListActor         List = "actor"
	ListPurpose       List = "purpose"
	ListForm          List = "form"
	ListLevel         List = "level"
	ListCallKind      List = "call-kind"
	ListEvent         List = "event"
	ListDifficulty    List = "difficulty"
	ListReadiness     List = "readiness"
	ListMeetingStatus List = "meeting-status"
	ListOutcome       List = "outcome" // of a remake
)

// Term is an entry of a closed list.
type Term struct {
	List                List // that it is of
	ID, French, English string
}

// Label is the term in a language, French unless "en".
func (t Term) Label(lang string) string {
	if lang == "en" {
		return t.English
	}
	return t.French
}

//go:embed lists.tsv
var listsTSV string

var lists = sync.OnceValue(func() map[List][]Term {
	m := map[List][]Term{}
	for _, row := range tsv(listsTSV) {
		m[List(row[0])] = append(m[List(row[0])], Term{List: List(row[0]), ID: row[1], French: row[2], English: row[3]})
	}
	return m
})

// Terms is the list in its own order.
func (l List) Terms() []Term { return lists()[l] }

// Has tells whether the list holds an id.
func (l List) Has(id string) bool {
	_, ok := l.Term(id)
	return ok
}

// Term finds an entry by its id.
func (l List) Term(id string) (Term, bool) {
	for _, t := range lists()[l] {
		if t.ID == id {
			return t, true
		}
	}
	return Term{}, false
}

// tsv splits an embedded table, without its header line.
func tsv(s string) [][]string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")[1:]
	rows := make([][]string, len(lines))
	for i, l := range lines {
		rows[i] = strings.Split(l, "\t")
	}
	return rows
}
