// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"net/http"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

const commenter = "https://toulouse.example/users/ana"

// comment takes in an answer to a record.
func (s *site) comment(t testing.TB, id, to string, p essaim.CommentPolicy) string {
	t.Helper()
	id = "https://toulouse.example/notes/" + id
	s.apply(t, commenter, essaim.HoldComment{
		ID: id, Actor: commenter, InReplyTo: to, URL: id + "/page", Content: "<p>Réponse " + id + "</p>", Excerpt: "Réponse " + id,
		Language: "fr", Published: s.clock.Now(), Policy: p,
	})
	return id
}

// as makes an account of a role and sends its token.
func (s *site) as(t testing.TB, role essaim.Role) asked {
	t.Helper()
	email := string(role) + "@brest.example"
	u, err := s.store.UserByEmail(t.Context(), email)
	if err != nil {
		if u, err = s.store.CreateUser(t.Context(), essaim.User{Email: email, Name: "Compte de démonstration", Role: role}); err != nil {
			t.Fatal(err)
		}
		if err := s.store.NewToken(t.Context(), u.ID, "test", "jeton-"+email); err != nil {
			t.Fatal(err)
		}
	}
	return header("Authorization", "Bearer jeton-"+email)
}

// signedInAs sends the session of an account of a role.
func (s *site) signedInAs(t testing.TB, role essaim.Role) asked {
	t.Helper()
	s.as(t, role)
	u, err := s.store.UserByEmail(t.Context(), string(role)+"@brest.example")
	if err != nil {
		t.Fatal(err)
	}
	secret := "session-" + string(role)
	if err := s.store.NewSignIn(t.Context(), u.ID, secret, s.clock.Now().Add(signInLife)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.store.UseSignIn(t.Context(), secret, secret, s.clock.Now().Add(sessionLife)); err != nil {
		t.Fatal(err)
	}
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: s.cookieName(), Value: secret}) }
}

func TestModeratorsDecideThroughTheAPI(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		rec := storetest.Publish(t, s.store, storetest.Initiative("Jardin"))
		for i := range 3 {
			s.comment(t, fmt.Sprint(i), rec.ID, essaim.CommentsHeld)
		}
		page := call[APIItems](t, s, http.MethodGet, "moderation?kind=comment&limit=2", "", http.StatusOK)
		if len(page.Items) != 2 || page.Next != page.Items[1].N || page.Items[0].Actor != commenter || page.Items[0].About != rec.ID {
			t.Fatalf("%+v", page)
		}
		rest := call[APIItems](t, s, http.MethodGet, fmt.Sprintf("moderation?limit=2&after=%d", page.Next), "", http.StatusOK)
		if len(rest.Items) != 1 || rest.Next != 0 {
			t.Errorf("second page %+v", rest)
		}
		path := fmt.Sprintf("moderation/%d", page.Items[0].N)
		d := call[essaim.ItemDetail](t, s, http.MethodPost, path, `{"action":"accept","reason":" bienvenue "}`, http.StatusOK, s.as(t, essaim.RoleFacilitator))
		if d.State != essaim.ItemAccepted || len(d.Decisions) != 1 || d.Decisions[0].Reason != "bienvenue" || d.Decisions[0].Account == 0 || d.Comment == nil {
			t.Errorf("decided %+v", d)
		}
		if shown, err := s.store.Comments(t.Context(), rec.ID, 0, 10); err != nil || len(shown) != 1 {
			t.Errorf("shown %v, %v", shown, err)
		}
		call[refusal](t, s, http.MethodPost, path, `{"action":"accept"}`, http.StatusConflict)
		call[essaim.ItemDetail](t, s, http.MethodGet, path, "", http.StatusOK)
		call[refusal](t, s, http.MethodGet, "moderation/999", "", http.StatusNotFound)
		call[refusal](t, s, http.MethodGet, "moderation/x", "", http.StatusNotFound)
		for body, field := range map[string]string{`{"action":"burn"}`: "action", `{}`: "action", `{"action":"hide","reason":"` + fmt.Sprintf("%2001d", 1) + `"}`: ""} {
			if got := call[refusal](t, s, http.MethodPost, path, body, map[bool]int{true: http.StatusOK, false: http.StatusUnprocessableEntity}[field == ""]); field != "" && got.Errors[field] == "" {
				t.Errorf("%s: %+v", body, got)
			}
		}
		call[refusal](t, s, http.MethodPost, path, `{"action":"hide","raison":"x"}`, http.StatusBadRequest)
		for query, field := range map[string]string{"state=shown": "state", "kind=letter": "kind", "after=-1": "after", "limit=101": "limit"} {
			if got := call[refusal](t, s, http.MethodGet, "moderation?"+query, "", http.StatusUnprocessableEntity); got.Errors[field] == "" {
				t.Errorf("%s: %+v", query, got)
			}
		}
		journal := call[APIJournal](t, s, http.MethodGet, "moderation/journal?limit=1", "", http.StatusOK)
		if len(journal.Decisions) != 1 || journal.Next != journal.Decisions[0].N {
			t.Errorf("journal %+v", journal)
		}
	})
}

// A candidate is accepted as the kind that the moderator says.
func TestACandidateIsAcceptedThroughTheAPI(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		const blog = "https://blog.example/u"
		err := s.store.FollowAccount(t.Context(), essaim.Followed{Actor: blog, Handle: "u@blog.example", FollowID: "f"}, "",
			essaim.Outgoing{ActivityID: "https://brest.example/activities/f", Inbox: blog + "/inbox", Body: []byte("{}")})
		if err != nil {
			t.Fatal(err)
		}
		s.apply(t, blog, essaim.Propose{By: blog, Proposal: essaim.Proposal{Object: blog + "/1", Author: blog, URL: blog + "/1", Content: essaim.Content{
			Kind: essaim.KindInitiative, Title: "Un jardin", Text: "Un jardin.", Body: &essaim.Initiative{},
		}}})
		items := call[APIItems](t, s, http.MethodGet, "moderation?kind=candidate", "", http.StatusOK).Items
		if len(items) != 1 {
			t.Fatalf("got %+v", items)
		}
		path := fmt.Sprintf("moderation/%d", items[0].N)
		if d := call[essaim.ItemDetail](t, s, http.MethodGet, path, "", http.StatusOK); d.Candidate == nil || d.Candidate.Content.Title != "Un jardin" || d.Candidate.Missing["licence"] == "" {
			t.Errorf("got %+v", d.Candidate)
		}
		for _, body := range []string{`{"action":"accept","as":"castle"}`, `{"action":"hide","as":"meeting"}`} {
			if got := call[refusal](t, s, http.MethodPost, path, body, http.StatusUnprocessableEntity); got.Errors["as"] == "" {
				t.Errorf("%s: %+v", body, got)
			}
		}
		d := call[essaim.ItemDetail](t, s, http.MethodPost, path, `{"action":"accept","as":"organisation"}`, http.StatusOK)
		if d.State != essaim.ItemAccepted || d.Candidate.State != essaim.StateDraft || d.Candidate.Content.Kind != essaim.KindOrganisation {
			t.Errorf("got %+v, %+v", d, d.Candidate)
		}
	})
}

// Who may moderate is decided by the one function, and nobody else learns
// anything.
func TestOnlyModeratorsModerate(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	rec := storetest.Publish(t, s.store, storetest.Initiative("Jardin"))
	s.comment(t, "1", rec.ID, essaim.CommentsHeld)
	items, err := s.store.Items(t.Context(), essaim.ItemFilter{State: essaim.ItemHeld})
	if err != nil || len(items) != 1 {
		t.Fatal(items, err)
	}
	path := fmt.Sprintf("moderation/%d", items[0].N)
	nobody := func(r *http.Request) { r.Header.Del("Authorization") }
	for _, c := range []struct {
		who    asked
		status int
	}{{nobody, http.StatusUnauthorized}, {s.as(t, essaim.RoleContributor), http.StatusForbidden}, {s.signedInAlone, http.StatusUnauthorized}} {
		call[refusal](t, s, http.MethodGet, "moderation", "", c.status, c.who)
		call[refusal](t, s, http.MethodGet, "moderation/journal", "", c.status, c.who)
		call[refusal](t, s, http.MethodGet, path, "", c.status, c.who)
		call[refusal](t, s, http.MethodPost, path, `{"action":"accept"}`, c.status, c.who)
	}
	if d, err := s.store.Item(t.Context(), items[0].N); err != nil || d.State != essaim.ItemHeld {
		t.Errorf("%+v, %v", d, err)
	}
	if resp := s.ask(http.MethodGet, "/api/v1/moderation", "", s.bearer); resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("what only moderators may see is kept: %q", resp.Header.Get("Cache-Control"))
	}
}

func TestAdministratorsTakeMeasuresThroughTheAPI(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	s.follow(t)
	const path = "moderation/measures"
	got := call[APIMeasures](t, s, http.MethodPost, path, `{"subject":"https://Spam.example/","level":"block","reason":"publicité"}`, http.StatusOK)
	if len(got.Measures) != 1 || got.Measures[0].Value != "spam.example" || got.Measures[0].Level != essaim.LevelBlock || got.Measures[0].Reason != "publicité" {
		t.Errorf("%+v", got)
	}
	if st, err := s.store.Standing(t.Context(), "https://a.spam.example/u"); err != nil || !st.Blocked {
		t.Errorf("%+v, %v", st, err)
	}
	for body, field := range map[string]string{`{"subject":"x y","level":"block"}`: "subject", `{"subject":"a.example","level":"burn"}`: "level", `{"subject":"a.example"}`: "level"} {
		if got := call[refusal](t, s, http.MethodPost, path, body, http.StatusUnprocessableEntity); got.Errors[field] == "" {
			t.Errorf("%s: %+v", body, got)
		}
	}
	call[refusal](t, s, http.MethodPost, path, `{"subject":"toulouse.example","level":"silence"}`, http.StatusConflict)
	call[refusal](t, s, http.MethodPost, path, `{"subject":"b.example","level":"block"}`, http.StatusForbidden, s.as(t, essaim.RoleFacilitator))
	call[APIMeasures](t, s, http.MethodGet, path, "", http.StatusOK, s.as(t, essaim.RoleFacilitator))
	call[refusal](t, s, http.MethodGet, path, "", http.StatusForbidden, s.as(t, essaim.RoleContributor))
	if got := call[APIMeasures](t, s, http.MethodPost, path, `{"subject":"spam.example","level":"lift"}`, http.StatusOK); len(got.Measures) != 0 {
		t.Errorf("%+v", got)
	}
	call[refusal](t, s, http.MethodPost, path, `{"subject":"spam.example","level":"lift"}`, http.StatusNotFound)
}

// signedInAlone sends the session without the token: the API reads no cookie.
func (s *site) signedInAlone(r *http.Request) {
	r.Header.Del("Authorization")
	s.signedIn(r)
}

func TestAModeratorWithdrawsARecordOfAnotherTerritoryAndItsPageSaysSo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		s.follow(t)
		rec, other := storetest.Publish(t, s.store, storetest.Initiative("D'ici")), s.replicate(t, storetest.Initiative("De Toulouse"), 1)
		page := "/ailleurs/" + toulouse + "/" + other.Slug
		call[struct{}](t, s, http.MethodPost, "moderation/withdrawals", `{"url":"`+other.ID+`","reason":""}`, http.StatusUnprocessableEntity, s.as(t, essaim.RoleFacilitator))
		call[struct{}](t, s, http.MethodPost, "moderation/withdrawals", `{"url":"https://nulle.example/part","reason":"x"}`, http.StatusNotFound, s.as(t, essaim.RoleFacilitator))
		call[struct{}](t, s, http.MethodPost, "moderation/withdrawals", `{"url":"`+other.ID+`","reason":"x"}`, http.StatusForbidden, s.as(t, essaim.RoleContributor))
		d := call[essaim.ItemDetail](t, s, http.MethodPost, "moderation/withdrawals", `{"url":"https://brest.example`+page+`","reason":"demande fondée"}`, http.StatusCreated, s.as(t, essaim.RoleFacilitator))
		if d.Kind != essaim.ItemWithdrawal || d.About != other.ID || d.State != essaim.ItemAccepted {
			t.Errorf("item %+v", d.Item)
		}
		for lang, words := range map[string][]string{
			"fr": {"Fiche retirée ici par Brest", "retrait local", "ni un retrait par son origine", "ni une disparition"},
			"en": {"Record withdrawn here by Brest", "local withdrawal", "It was not withdrawn by its origin", "has not disappeared"},
		} {
			s.get(t, page, http.StatusGone, header("Accept-Language", lang)).says(t, words...)
		}
		answer := call[struct{ Withdrawn string }](t, s, http.MethodGet, "initiatives?id="+urlEscape(other.ID), "", http.StatusGone)
		if answer.Withdrawn != "here" {
			t.Errorf("the API says %q", answer.Withdrawn)
		}
		if err := s.store.WithdrawRecord(t.Context(), rec.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		s.get(t, "/initiatives/"+rec.Slug, http.StatusGone).says(t, "un retrait par son origine")
		d = call[essaim.ItemDetail](t, s, http.MethodPost, fmt.Sprintf("moderation/%d", d.N), `{"action":"restore","reason":"à tort"}`, http.StatusOK, s.as(t, essaim.RoleFacilitator))
		if d.State != essaim.ItemHidden {
			t.Errorf("lifted: %+v", d.Item)
		}
		s.get(t, page, http.StatusNotFound) // until it is fetched again
	})
}
