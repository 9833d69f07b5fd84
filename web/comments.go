// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"

	"essaim"
	"essaim/web/markup"
)

// commentsTogether is how many comments a page shows; paramComments asks for
// those after one.
const (
	commentsTogether = 100
	paramComments    = "reponses"
)

// maxDepth is how deep a thread is drawn: below, answers stand side by side, so
// that the text keeps its width on a phone.
const maxDepth = 4

// CommentNode is a comment with the answers to it.
type CommentNode struct {
	essaim.Comment
	Replies []*CommentNode
}

// Text is the comment's own, through the sanitizer once more: what is stored
// may come from a backup or an older version.
func (c *CommentNode) Text() template.HTML { return markup.Foreign(c.Content) }

// At is when it was written, for machines.
func (c *CommentNode) At() string { return c.Published.UTC().Format("2006-01-02T15:04:05Z07:00") }

// thread draws comments as a tree, each list in the order in which they came. An
// answer to a comment that is not shown stands at the top.
func thread(all []essaim.Comment) []*CommentNode {
	var top []*CommentNode
	nodes, above := map[string]*CommentNode{}, map[*CommentNode]*CommentNode{}
	depth := map[*CommentNode]int{}
	for _, c := range all {
		n := &CommentNode{Comment: c}
		nodes[c.ID] = n
		parent := nodes[c.InReplyTo]
		if parent == nil || parent == n {
			top = append(top, n)
			continue
		}
		if depth[parent] >= maxDepth {
			parent = above[parent] // beside the one that it answers
		}
		above[n], depth[n] = parent, depth[parent]+1
		parent.Replies = append(parent.Replies, n)
	}
	return top
}

// fillComments gives a page the comments that everyone may see.
func (s *Server) fillComments(r *http.Request, p *RecordPage) error {
	after, err := strconv.ParseInt(r.URL.Query().Get(paramComments), 10, 64)
	if err != nil || after < 0 {
		after = 0
	}
	if p.CommentCount, err = s.store.CountComments(r.Context(), p.Record.ID); err != nil || p.CommentCount == 0 {
		return err
	}
	all, err := s.store.Comments(r.Context(), p.Record.ID, after, commentsTogether+1)
	if err != nil {
		return err
	}
	if len(all) > commentsTogether {
		all = all[:commentsTogether]
		p.MoreComments = fmt.Sprintf("%s?%s=%d#reponses", recordPath(p.Record), paramComments, all[len(all)-1].N)
	}
	p.Comments = thread(all)
	return nil
}

// APIComments is a page of the comments of a record that everyone may see, in
// the order in which they came.
type APIComments struct {
	Items []essaim.Comment `json:"items"`
	Total int              `json:"total"`
	// Next is what after= takes for the page that follows; 0 on the last.
	Next int64 `json:"next,omitempty"`
}

// apiComments answers GET /api/v1/comments?record=.
func (s *Server) apiComments(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	page, err := s.readComments(r, v)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-cache")
	writeJSON(w, http.StatusOK, page)
	return nil
}

func (s *Server) readComments(r *http.Request, v url.Values) (page APIComments, err error) {
	problems := essaim.Problems{}
	id := v.Get("record")
	if id == "" {
		problems["record"] = "required"
	}
	after, limit := number(v, paramAfter, 0, problems), int(number(v, paramLimit, 50, problems))
	if limit < 1 || limit > 100 {
		problems[paramLimit] = "out_of_range"
	}
	if err := problems.Err(); err != nil {
		return page, err
	}
	rec, err := s.store.Record(r.Context(), id)
	switch {
	case errors.Is(err, essaim.ErrNotFound), err == nil && rec.State != essaim.StatePublished:
		return page, errPageNotFound
	case err != nil:
		return page, fmt.Errorf("comments: %w", err)
	}
	if page.Total, err = s.store.CountComments(r.Context(), id); err != nil {
		return page, fmt.Errorf("comments: %w", err)
	}
	items, err := s.store.Comments(r.Context(), id, after, limit)
	if err != nil {
		return page, fmt.Errorf("comments: %w", err)
	}
	if page.Items = append([]essaim.Comment{}, items...); len(items) == limit {
		page.Next = items[limit-1].N
	}
	return page, nil
}
