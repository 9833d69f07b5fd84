// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"essaim"
	"essaim/store/storetest"
)

func TestThreadsAreDrawnAsTrees(t *testing.T) {
	t.Parallel()
	c := func(id, to string) essaim.Comment { return essaim.Comment{ID: id, InReplyTo: to} }
	var draw func([]*CommentNode) string
	draw = func(nodes []*CommentNode) string {
		var b strings.Builder
		for _, n := range nodes {
			b.WriteString(n.ID)
			if len(n.Replies) > 0 {
				b.WriteString("(" + draw(n.Replies) + ")")
			}
		}
		return b.String()
	}
	for _, tt := range []struct {
		name string
		in   []essaim.Comment
		want string
	}{
		{"nothing", nil, ""},
		{"side by side", []essaim.Comment{c("a", "r"), c("b", "r")}, "ab"},
		{"an answer stands below", []essaim.Comment{c("a", "r"), c("b", "r"), c("c", "a")}, "a(c)b"},
		{"below one that is not shown", []essaim.Comment{c("a", "r"), c("c", "hidden")}, "ac"},
		{"that answers itself", []essaim.Comment{c("a", "a")}, "a"},
		{"deep", []essaim.Comment{c("a", "r"), c("b", "a"), c("c", "b"), c("d", "c"), c("e", "d"), c("f", "e"), c("g", "f")}, "a(b(c(d(efg))))"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, draw(thread(tt.in))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCommentsThatAreShownStandOnThePage(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		rec := storetest.Publish(t, s.store, storetest.Initiative("Jardin"))
		s.get(t, recordPath(rec), http.StatusOK).hides(t, "réponse", "thread")
		err := s.store.SaveRemoteActor(t.Context(), essaim.RemoteActor{ID: commenter, Type: "Person", Username: "ana", Name: "Contributrice <b>de</b> démonstration", URL: "https://toulouse.example/@ana", Inbox: commenter + "/inbox", FetchedAt: s.clock.Now(), Document: []byte("{}")})
		if err != nil {
			t.Fatal(err)
		}
		first := s.comment(t, "1", rec.ID, essaim.CommentsShown)
		s.comment(t, "2", first, essaim.CommentsShown)
		s.comment(t, "3", rec.ID, essaim.CommentsHeld)
		// Below the store: what the sanitizer of another day let through.
		s.apply(t, commenter, essaim.HoldComment{
			ID: "https://toulouse.example/notes/4", Actor: commenter, InReplyTo: rec.ID, Content: `<p>quatre<script>alert(1)</script><img src="https://evil.example/t.gif"></p>`,
			Warning: "Attention <i>", Language: "br", Published: s.clock.Now(), Policy: essaim.CommentsShown,
		})
		d := s.get(t, recordPath(rec), http.StatusOK)
		d.says(t, "3 réponses", "Réponse "+first, "@ana@toulouse.example", "Contributrice <b>de</b> démonstration", "Attention <i>", "quatre")
		d.hides(t, "notes/3", "alert(1)", "evil.example")
		for _, want := range []string{`href="https://toulouse.example/notes/1/page"`, `<div lang="fr">`, `<div lang="br">`, `<details>`, `href="https://toulouse.example/@ana"`, `<time datetime="`} {
			if !strings.Contains(d.raw, want) {
				t.Errorf("the page has no %s", want)
			}
		}
		list := call[APIComments](t, s, http.MethodGet, "comments?limit=2&record="+rec.ID, "", http.StatusOK)
		if list.Total != 3 || len(list.Items) != 2 || list.Next != list.Items[1].N || list.Items[1].InReplyTo != first {
			t.Errorf("%+v", list)
		}
		if rest := call[APIComments](t, s, http.MethodGet, fmt.Sprintf("comments?after=%d&record=%s", list.Next, rec.ID), "", http.StatusOK); len(rest.Items) != 1 || rest.Next != 0 {
			t.Errorf("%+v", rest)
		}
		call[refusal](t, s, http.MethodGet, "comments", "", http.StatusUnprocessableEntity)
		call[refusal](t, s, http.MethodGet, "comments?record=https://brest.example/objects/none", "", http.StatusNotFound)
	})
}

func TestManyCommentsArePaged(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	rec := storetest.Publish(t, s.store, storetest.Initiative("Jardin"))
	for i := range commentsTogether + 1 {
		s.comment(t, fmt.Sprintf("%d.", i), rec.ID, essaim.CommentsShown)
	}
	d := s.get(t, recordPath(rec), http.StatusOK)
	d.says(t, "Réponses suivantes", "notes/99.")
	d.hides(t, "notes/100.")
	items, err := s.store.Comments(t.Context(), rec.ID, 0, commentsTogether)
	if err != nil {
		t.Fatal(err)
	}
	next := s.get(t, fmt.Sprintf("%s?%s=%d", recordPath(rec), paramComments, items[commentsTogether-1].N), http.StatusOK)
	next.says(t, "notes/100.")
	next.hides(t, "notes/99.", "Réponses suivantes")
}
