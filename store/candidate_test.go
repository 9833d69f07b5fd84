// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

const (
	blog     = "https://blog.example/author/redaction"
	article  = "https://blog.example/?p=1"
	relay    = "https://agenda.example/relay"
	followID = brest + "/activities/f1"
)

// follows makes the node follow an account, which accepts.
func (n *node) follows(t testing.TB, actor, agreed string) {
	t.Helper()
	id := followID + actor[8:]
	err := n.FollowAccount(t.Context(), essaim.Followed{Actor: actor, Handle: "x@" + actor[8:], Inbox: actor + "/inbox", FollowID: id, Agreed: agreed}, "she wrote",
		essaim.Outgoing{ActivityID: id + "/" + agreed, Actor: nodeActor, Inbox: actor + "/inbox", OrderKey: actor, Body: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	if got := n.apply(t, actor, essaim.PeerAnswer{FollowID: id, Actor: actor, Accepted: true}); got.State != essaim.InboundApplied {
		t.Fatalf("its Accept is %s: %s", got.State, got.Reason)
	}
}

// proposal is an article of the blog, in a version of its own.
func proposal(object, title string, updated time.Time) essaim.Proposal {
	return essaim.Proposal{
		Object: object, Author: blog, URL: object, Published: updated, Updated: updated,
		Content: essaim.Content{
			Kind: essaim.KindInitiative, Title: title, Text: strings.Repeat("Un jardin. ", 100), Keywords: []string{"jardin"},
			Images: []essaim.Image{{URL: "https://blog.example/1.png", Alt: "Un potager"}}, Body: &essaim.Initiative{},
		},
	}
}

// candidates lists what waits.
func (n *node) candidates(t testing.TB) []essaim.Record {
	t.Helper()
	found, err := n.Search(t.Context(), essaim.Query{State: essaim.StateCandidate, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return found.Records
}

func TestWhatAFollowedAccountPublishesBecomesACandidate(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		at := n.clock.now()
		propose := func(p essaim.Proposal) essaim.Propose { return essaim.Propose{Proposal: p, By: blog} }
		if got := n.apply(t, blog, propose(proposal(article, "Un jardin", at))); got.State != essaim.InboundIgnored || !strings.Contains(got.Reason, "not followed") {
			t.Fatalf("of an account that nobody follows: %s, %s", got.State, got.Reason)
		}
		n.follows(t, blog, "")
		n.apply(t, blog, propose(proposal(article, "Un jardin", at)))
		list := n.candidates(t)
		if len(list) != 1 || list[0].Title != "Un jardin" || len(list[0].Images) != 0 || len([]rune(list[0].Text)) > essaim.QuoteLimit+2 || list[0].Sources[0].Key != article {
			t.Fatalf("got %+v", list)
		}
		if got := one[int](t, n, "SELECT count(*) FROM event") + one[int](t, n, "SELECT count(*) FROM search"); got != 0 {
			t.Error("a candidate is announced or found")
		}
		if _, err := n.Object(t.Context(), list[0].ID); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("a candidate is served: %v", err)
		}
		if found, err := n.Search(t.Context(), essaim.Query{Text: "jardin", Limit: 10}); err != nil || len(found.Records) != 0 {
			t.Errorf("a candidate is found: %+v, %v", found.Records, err)
		}
		for _, c := range []struct {
			name, title string
			by          string
			at          time.Duration
			want, why   string
		}{
			{"the same again", "Un jardin", blog, 0, "Un jardin", "nothing new"},
			{"an older version", "Une friche", blog, -time.Hour, "Un jardin", "older"},
			{"a newer version", "Deux jardins", blog, time.Hour, "Deux jardins", ""},
			{"another's version", "Piraté", "https://blog.example/author/autre", 2 * time.Hour, "Deux jardins", ""},
		} {
			p := proposal(article, c.title, at.Add(c.at))
			p.Author = c.by
			got := n.apply(t, blog, essaim.Propose{Proposal: p, By: blog})
			if list := n.candidates(t); len(list) != 1 || list[0].Title != c.want || !strings.Contains(got.Reason, c.why) {
				t.Errorf("%s: got %+v, %s", c.name, list, got.Reason)
			}
		}
		if w := n.wanted(t); w.Object != article {
			t.Errorf("another of its host wrote to it, and its origin is not asked: %+v", w)
		}
	})
}

// wanted claims what is to be fetched.
func (n *node) wanted(t testing.TB) essaim.Wanted {
	t.Helper()
	w, err := n.ClaimWanted(t.Context(), time.Minute)
	if err != nil && !errors.Is(err, essaim.ErrNotFound) {
		t.Fatal(err)
	}
	return w
}

// waits is the one candidate that waits for a moderator.
func (n *node) waits(t testing.TB) essaim.Item {
	t.Helper()
	items, err := n.Items(t.Context(), essaim.ItemFilter{State: essaim.ItemHeld, Kind: essaim.ItemCandidate})
	if err != nil || len(items) != 1 {
		t.Fatalf("items %+v, %v; want one", items, err)
	}
	return items[0]
}

func TestACandidateThatPeopleTookOverIsTheirsUntilItsAuthorTakesItBack(t *testing.T) {
	t.Parallel()
	ana := essaim.Author{User: 7, Name: "Ana"}
	for name, take := range map[string]func(*testing.T, *node, essaim.Record){
		"edited": func(t *testing.T, n *node, r essaim.Record) {
			r.Content.Title = "Le nôtre"
			if _, err := n.UpdateRecord(t.Context(), r.ID, 0, r.Content, essaim.StateCandidate, ana); err != nil {
				t.Fatal(err)
			}
		},
		"accepted": func(t *testing.T, n *node, r essaim.Record) {
			d, err := n.DecideItem(t.Context(), n.waits(t).N, essaim.ItemAccept, 0, "")
			if err != nil || d.Candidate.State != essaim.StateDraft || d.Candidate.Content.Sources[0].Key != article || d.Candidate.Missing["licence"] == "" || d.Candidate.Record != r.ID {
				t.Fatalf("got %+v, %v", d.Candidate, err)
			}
		},
		"accepted as another kind": func(t *testing.T, n *node, r essaim.Record) {
			d, err := n.AcceptCandidate(t.Context(), n.waits(t).N, essaim.KindOrganisation, 0, "a school")
			if c := d.Candidate; err != nil || c.State != essaim.StateDraft || c.Content.Kind != essaim.KindOrganisation || c.Record == r.ID || d.About != c.Record || len(d.Decisions) != 1 {
				t.Fatalf("got %+v, %v", d, err)
			}
		},
		"opened in the pages": func(t *testing.T, n *node, r essaim.Record) {
			if _, err := n.UpdateRecord(t.Context(), r.ID, 0, r.Content, essaim.StateDraft, ana); err != nil {
				t.Fatal(err)
			}
			if items, err := n.Items(t.Context(), essaim.ItemFilter{State: essaim.ItemHeld}); err != nil || len(items) != 0 {
				t.Errorf("it still waits: %+v, %v", items, err)
			}
		},
		"removed in the pages": func(t *testing.T, n *node, r essaim.Record) {
			if err := n.WithdrawRecord(t.Context(), r.ID, ana); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db storetest.DB) {
				n := newNode(t, db)
				n.follows(t, blog, "")
				n.apply(t, blog, essaim.Propose{Proposal: proposal(article, "Un jardin", n.clock.now()), By: blog})
				take(t, n, n.candidates(t)[0])
				want := 1
				if name == "removed in the pages" {
					want = 0 // what it was made of goes with it
				}
				if got := one[int](t, n, "SELECT count(*) FROM inbox WHERE object = $1 AND raw IS NOT NULL", article); got != want {
					t.Fatalf("%d received copies, want %d", got, want)
				}
				before := one[int](t, n, "SELECT count(*) FROM record")
				n.clock.pass(time.Hour)
				for _, e := range []essaim.Effect{
					essaim.Propose{Proposal: proposal(article, "Changé", n.clock.now()), By: blog},
					essaim.SaveActor{Actor: essaim.RemoteActor{ID: blog, Type: "Person", Inbox: blog + "/inbox", Unindexed: true, FetchedAt: n.clock.now()}},
					essaim.Erase{ID: article, Actor: blog, At: n.clock.now()},
					essaim.ForgetActor{Actor: blog},
				} {
					n.apply(t, blog, e)
					if _, ok := e.(essaim.Erase); ok && name != "edited" {
						before = 0 // nobody wrote a word of it
					}
					if got := one[int](t, n, "SELECT count(*) FROM record WHERE title <> 'Changé'"); got != before {
						t.Errorf("%T: %d records, want %d", e, got, before)
					}
					switch e.(type) {
					case essaim.Propose, essaim.SaveActor:
						continue
					}
					if got := one[int](t, n, "SELECT count(*) FROM inbox WHERE object = $1 AND raw IS NOT NULL", article); got != 0 {
						t.Errorf("%T: %d received copies are kept", e, got)
					}
					if got := one[int](t, n, "SELECT count(*) FROM tombstone WHERE id = $1", article); got != 1 {
						t.Errorf("%T: %d tombstones, want 1", e, got)
					}
				}
			})
		})
	}
}

func TestACandidateIsWithdrawnWithWhatBroughtIt(t *testing.T) {
	t.Parallel()
	announce := "https://agenda.example/a/1"
	for name, c := range map[string]struct {
		by     string
		effect essaim.Effect
		left   int
	}{
		"its author deletes it":                {blog, essaim.Erase{ID: article, Actor: blog}, 0},
		"another of its host deletes it":       {"https://blog.example/author/autre", essaim.Erase{ID: article, Actor: "https://blog.example/author/autre"}, 1},
		"another host deletes it":              {relay, essaim.Erase{ID: article, Actor: relay}, 1},
		"its author leaves":                    {blog, essaim.ForgetActor{Actor: blog}, 0},
		"its author refuses to be indexed":     {blog, essaim.SaveActor{Actor: essaim.RemoteActor{ID: blog, Type: "Person", Inbox: blog + "/inbox", Unindexed: true, FetchedAt: time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)}}, 0},
		"the announce is undone":               {relay, essaim.Unreact{ActivityID: announce, Actor: relay}, 0},
		"the announce is undone by its object": {relay, essaim.Unreact{Kind: essaim.ReactionAnnounce, Object: article, Actor: relay}, 0},
		"its deletion is announced":            {relay, essaim.Want{Object: article, By: relay, Announce: announce + "/delete"}, 1},
		"its place is left by another":         {blog, essaim.Unreact{ActivityID: "https://agenda.example/featured " + article, Actor: blog}, 1},
		"another undoes the announce":          {blog, essaim.Unreact{ActivityID: announce, Actor: blog}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db storetest.DB) {
				n := newNode(t, db)
				n.follows(t, relay, "")
				want := essaim.Want{Object: article, By: relay, Announce: announce}
				n.apply(t, relay, want)
				w := n.wanted(t)
				if w.Want != want || w.Attempt != 1 || n.wanted(t).Object != "" {
					t.Fatalf("wanted %+v", w)
				}
				why, err := n.FinishWanted(t.Context(), w, &essaim.Propose{Proposal: proposal(article, "Un jardin", n.clock.now()), By: relay, Announce: announce}, false)
				if err != nil || why != "" || len(n.candidates(t)) != 1 {
					t.Fatalf("%s, %v, %d candidates", why, err, len(n.candidates(t)))
				}
				n.apply(t, c.by, c.effect)
				if got := len(n.candidates(t)); got != c.left {
					t.Errorf("%d candidates left, want %d", got, c.left)
				}
				if c.left == 0 {
					return
				}
				// The origin says that it is gone.
				n.clock.pass(10 * time.Second)
				w = n.wanted(t)
				if _, ok := c.effect.(essaim.Want); ok && w.Object != article {
					t.Error("the origin is not asked")
				}
				if w.Object != "" {
					if _, err := n.FinishWanted(t.Context(), w, nil, true); err != nil || len(n.candidates(t)) != 0 {
						t.Errorf("gone at its origin, still here: %v", err)
					}
				}
			})
		})
	}
}

func TestACandidateSetAsideDoesNotComeAgainUntilItIsTakenBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.follows(t, blog, "")
		next := func(title string) {
			n.clock.pass(time.Hour)
			n.apply(t, blog, essaim.Propose{Proposal: proposal(article, title, n.clock.now()), By: blog})
		}
		next("Un")
		i := n.waits(t)
		if _, err := n.DecideItem(t.Context(), i.N, essaim.ItemHide, 7, "not here"); err != nil {
			t.Fatal(err)
		}
		next("Deux")
		if r := n.candidates(t)[0]; r.Title != "Un" {
			t.Errorf("set aside, it became %q", r.Title)
		}
		if _, err := n.DecideItem(t.Context(), i.N, essaim.ItemRestore, 7, ""); err != nil {
			t.Fatal(err)
		}
		next("Trois")
		if r := n.candidates(t)[0]; r.Title != "Trois" || n.waits(t).Excerpt != "Trois" {
			t.Errorf("taken back, it is %q", r.Title)
		}
		if _, err := n.DecideItem(t.Context(), i.N, essaim.ItemHide, 7, ""); err != nil {
			t.Fatal(err)
		}
		n.apply(t, blog, essaim.Erase{ID: article, Actor: blog, At: n.clock.now()})
		if len(n.candidates(t)) != 0 || one[int](t, n, "SELECT count(*) FROM item") != 0 {
			t.Error("set aside, it outlives its author's Delete")
		}
	})
}

func TestNoCandidateOfWhoRefusesOrIsBlocked(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.follows(t, relay, "")
		propose := essaim.Propose{Proposal: proposal(article, "Un jardin", n.clock.now()), By: relay}
		actor := essaim.RemoteActor{ID: blog, Type: "Person", Name: "La rédaction", Inbox: blog + "/inbox", FetchedAt: n.clock.now(), Unindexed: true}
		if err := n.SaveRemoteActor(t.Context(), actor); err != nil {
			t.Fatal(err)
		}
		if got := n.apply(t, relay, propose); len(n.candidates(t)) != 0 || !strings.Contains(got.Reason, "refuses") {
			t.Errorf("who refuses to be indexed: %s", got.Reason)
		}
		actor.Unindexed, actor.FetchedAt = false, n.clock.now().Add(time.Hour)
		if err := n.SaveRemoteActor(t.Context(), actor); err != nil {
			t.Fatal(err)
		}
		n.raw(t, "INSERT INTO block (scope, value, reason, created_at) VALUES ('host', 'blog.example', '', 1)")
		if got := n.apply(t, relay, propose); len(n.candidates(t)) != 0 || !strings.Contains(got.Reason, "blocked") {
			t.Errorf("who is blocked: %s", got.Reason)
		}
		n.raw(t, "DELETE FROM block")
		n.apply(t, relay, propose)
		if list := n.candidates(t); len(list) != 1 || !strings.HasPrefix(list[0].Sources[0].Name, "La rédaction (blog.example)") {
			t.Errorf("got %+v", list)
		}
	})
}

func TestWhatItsAuthorAgreedToIsKeptWholeAndPublished(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.follows(t, blog, "cc-by-4.0")
		p := proposal(article, "Une fête", n.clock.now())
		p.Content.Kind, p.Content.Body = essaim.KindMeeting, &essaim.Meeting{Start: n.clock.now().Add(24 * time.Hour)}
		n.apply(t, blog, essaim.Propose{Proposal: p, By: blog})
		if journal, err := n.Decisions(t.Context(), 0, 10); err != nil || len(journal) != 1 || journal[0].Subject != blog || journal[0].After != "cc-by-4.0" || journal[0].Reason != "she wrote" {
			t.Errorf("journal %+v, %v", journal, err)
		}
		r := n.candidates(t)[0]
		if len(r.Images) != 1 || r.Licence != "cc-by-4.0" {
			t.Fatalf("got %+v", r.Content)
		}
		i := n.waits(t)
		if d, err := n.Item(t.Context(), i.N); err != nil || i.Actor != blog || i.About != r.ID || i.Excerpt != "Une fête" || d.Candidate.BroughtBy != blog || len(d.Candidate.Missing) != 0 {
			t.Errorf("got %+v, %+v, %v", i, d.Candidate, err)
		}
		d, err := n.DecideItem(t.Context(), i.N, essaim.ItemAccept, 7, "")
		if err != nil || d.Candidate.State != essaim.StatePublished || one[int](t, n, "SELECT count(*) FROM event") != 1 {
			t.Errorf("got %+v, %v; want it published", d, err)
		}
		for _, a := range []essaim.ItemAction{essaim.ItemAccept, essaim.ItemHide} {
			if _, err := n.DecideItem(t.Context(), i.N, a, 7, ""); !errors.Is(err, essaim.ErrConflict) {
				t.Errorf("%s once it is published: %v", a, err)
			}
		}
	})
}
