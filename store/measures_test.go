// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

func host(value string, level essaim.MeasureLevel) essaim.Measure {
	return essaim.Measure{Scope: essaim.MeasureHost, Value: value, Level: level, Reason: "because"}
}

func (n *node) measure(t testing.TB, m essaim.Measure) {
	t.Helper()
	if _, err := n.AddMeasure(t.Context(), m, 7); err != nil {
		t.Fatal(err)
	}
}

func (n *node) lift(t testing.TB, m essaim.Measure) {
	t.Helper()
	if _, err := n.LiftMeasure(t.Context(), m, 7); err != nil {
		t.Fatal(err)
	}
}

func TestMeasuresHoldForHostsBelowAndForActors(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.measure(t, host("evil.example", essaim.LevelBlock))
		n.measure(t, host("noisy.example", essaim.LevelSilence))
		n.measure(t, host("friends.example", essaim.LevelAllow))
		n.measure(t, essaim.Measure{Scope: essaim.MeasureActor, Value: "https://friends.example/u/rude", Level: essaim.LevelBlock})
		n.measure(t, essaim.Measure{Scope: essaim.MeasureActor, Value: "https://evil.example/u/kind", Level: essaim.LevelAllow})
		n.raw(t, "INSERT INTO peer (host, state, actor, territory, territory_name, username, url, inbox, follow_id, created_at) VALUES ('toulouse.example', 'followed', '', '', '', '', '', '', '', 1)")
		n.raw(t, "INSERT INTO peer (host, state, actor, territory, territory_name, username, url, inbox, follow_id, created_at) VALUES ('lyon.example', 'known', '', '', '', '', '', '', '', 1)")
		deep := "https://" + strings.Repeat("x.", 40) + "evil.example/u"
		for actor, want := range map[string]essaim.Standing{
			"https://evil.example/u":              {Blocked: true},
			"https://EVIL.example/u":              {Blocked: true},
			"https://a.b.evil.example/u":          {Blocked: true},
			deep:                                  {Blocked: true},
			"https://evil.example:8443/u":         {Blocked: true},
			"https://evil.example/u/kind":         {Blocked: true, Listed: true},
			"https://notevil.example/u":           {},
			"https://evil.example.org/u":          {},
			"https://noisy.example/u":             {Silenced: true},
			"https://friends.example/u":           {Listed: true},
			"https://friends.example/u/rude":      {Blocked: true, Listed: true},
			"https://friends.example/u/rude/more": {Listed: true},
			"https://toulouse.example/actor":      {Listed: true},
			"https://lyon.example/actor":          {},
			"https://[2001:db8::1]:8443/u":        {},
			"not an address":                      {},
		} {
			if got, err := n.Standing(t.Context(), actor); err != nil || got != want {
				t.Errorf("%s: %+v, %v; want %+v", actor, got, err, want)
			}
		}
		n.lift(t, host("evil.example", ""))
		if _, err := n.LiftMeasure(t.Context(), host("evil.example", ""), 7); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("lifted twice: %v", err)
		}
		if got, _ := n.Standing(t.Context(), deep); got.Blocked {
			t.Error("still blocked")
		}
		all, err := n.Measures(t.Context())
		if err != nil || len(all) != 4 || all[0].Scope != essaim.MeasureActor || all[2].Value != "friends.example" || all[2].Level != essaim.LevelAllow || all[2].Reason != "because" || !all[2].At.Equal(n.clock.now()) {
			t.Errorf("measures %+v, %v", all, err)
		}
		journal, err := n.Decisions(t.Context(), 0, 10)
		if err != nil || len(journal) != 6 || journal[0].Action != "lift" || journal[0].Before != "block" || journal[0].After != "" || journal[0].Kind != "host" || journal[0].Subject != "evil.example" || journal[0].Account != 7 {
			t.Errorf("journal %+v, %v", journal, err)
		}
		for _, own := range []essaim.Measure{host("brest.example", essaim.LevelBlock), {Scope: essaim.MeasureActor, Value: territory, Level: essaim.LevelSilence}} {
			if _, err := n.AddMeasure(t.Context(), own, 0); !errors.Is(err, essaim.ErrInvalid) {
				t.Errorf("a measure against oneself: %v", err)
			}
		}
		if _, err := n.AddMeasure(t.Context(), host("toulouse.example", essaim.LevelSilence), 0); !errors.Is(err, essaim.ErrConflict) {
			t.Errorf("the silence of a node that is followed: %v", err)
		}
	})
}

// Who is silenced goes on writing, and nobody sees nor counts it.
func TestASilenceHidesAndItsEndShowsAgain(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]essaim.Measure{
		"an actor":               {Scope: essaim.MeasureActor, Value: "https://a.b.example/users/eve"},
		"its host":               host("a.b.example", ""),
		"the domain of its host": host("b.example", ""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db storetest.DB) {
				n := newNode(t, db)
				object := n.record(t, "jardin")
				const eve = "https://a.b.example/users/eve"
				seq := 0
				send := func(actor string) {
					t.Helper()
					seq++
					c := comment(fmt.Sprintf("%s/notes/%d", actor, seq), object, n.clock.now())
					c.Actor, c.Policy = actor, essaim.CommentsShown
					n.apply(t, actor, c)
					n.apply(t, actor, essaim.React{Kind: essaim.ReactionLike, ActivityID: fmt.Sprintf("%s/likes/%d", actor, seq), Actor: actor, Object: object, At: n.clock.now()})
				}
				sees := func(when string, likes, comments int) {
					t.Helper()
					got, err := n.Reactions(t.Context(), object, essaim.ReactionLike)
					if err != nil || got != likes {
						t.Errorf("%s: %d likes, %v; want %d", when, got, err, likes)
					}
					if thanks, _, err := n.Thanks(t.Context(), object); err != nil || thanks != likes {
						t.Errorf("%s: %d thanks, %v; want %d", when, thanks, err, likes)
					}
					if got := n.shown(t, object); len(got) != comments {
						t.Errorf("%s: shown %v, want %d", when, got, comments)
					}
				}
				send(ana)
				send(eve)
				n.follow(t, territory, eve, "https://a.b.example/inbox")
				sees("before", 2, 2)
				m.Level = essaim.LevelSilence
				n.measure(t, m)
				sees("silenced", 1, 1)
				send(eve + "2")
				send(eve)
				if m.Scope == essaim.MeasureHost {
					sees("writing on", 1, 1)
				} else {
					sees("writing on", 2, 2)
				}
				// Accepted by a moderator or changed, it is still not shown.
				i := n.item(t, eve+"/notes/2")
				n.decide(t, i, essaim.ItemHide)
				if d := n.decide(t, i, essaim.ItemAccept); !d.Muted {
					t.Error("the moderator is not told that it stays hidden")
				}
				if m.Scope == essaim.MeasureHost {
					sees("accepted by a moderator", 1, 1)
				} else {
					sees("accepted by a moderator", 2, 2)
				}
				c := comment(eve+"/notes/2", object, n.clock.now().Add(time.Minute))
				c.Actor, c.Policy = eve, essaim.CommentsShown
				n.apply(t, eve, c)
				if m.Scope == essaim.MeasureHost {
					sees("accepted", 1, 1)
				} else {
					sees("accepted", 2, 2)
				}
				if got, err := n.Followers(t.Context(), territory, "", 10); err != nil || len(got) != 1 {
					t.Errorf("followers %v, %v: a silence is no block", got, err)
				}
				n.decide(t, n.item(t, fmt.Sprintf("%s/notes/%d", eve, seq)), essaim.ItemHide)
				n.lift(t, m)
				sees("lifted", 3, 3) // all but the one that a moderator hid
			})
		})
	}
}

// Of who is blocked nothing counts, nothing is shown, and nothing goes there;
// what it sent before and waits does nothing.
func TestABlockSevers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		object := n.record(t, "jardin")
		const eve, sub = "https://evil.example/users/eve", "https://a.evil.example/users/eve"
		actors := []string{ana, eve, sub}
		for i, actor := range actors {
			c := comment(fmt.Sprintf("%s/notes/%d", actor, i), object, n.clock.now())
			c.Actor, c.Policy = actor, essaim.CommentsShown
			n.apply(t, actor, c)
			n.apply(t, actor, essaim.React{Kind: essaim.ReactionLike, ActivityID: actor + "/like", Actor: actor, Object: object, At: n.clock.now()})
			n.follow(t, territory, actor, actor[:len(actor)-len("/users/eve")]+"/inbox")
		}
		n.publish(t, "Create", "1", object)
		n.dispatch(t)
		n.measure(t, host("evil.example", essaim.LevelBlock))
		if got, _ := n.Reactions(t.Context(), object, essaim.ReactionLike); got != 1 {
			t.Errorf("%d likes, want ana's", got)
		}
		if got := one[int](t, n, "SELECT count(*) FROM reaction"); got != 1 {
			t.Errorf("%d reactions kept", got)
		}
		if got := n.shown(t, object); len(got) != 1 {
			t.Errorf("shown %v", got)
		}
		if got, _ := n.Followers(t.Context(), territory, "", 10); len(got) != 1 || got[0] != ana {
			t.Errorf("followers %v", got)
		}
		for _, h := range []string{"evil.example", "a.evil.example"} {
			if got := n.take(t, h, 10); len(got) != 0 {
				t.Errorf("%v goes to %s", sent(got), h)
			}
		}
		if got := n.take(t, "a.example", 10); len(got) != 1 {
			t.Errorf("%v goes to the others", sent(got))
		}
		late := comment(eve+"/notes/late", object, n.clock.now())
		late.Actor, late.Policy = eve, essaim.CommentsShown
		for _, e := range []essaim.Effect{
			late,
			essaim.React{Kind: essaim.ReactionAnnounce, ActivityID: eve + "/boost", Actor: eve, Object: object, At: n.clock.now()},
			essaim.AddFollower{Local: territory, FollowID: "f", Follower: remote(eve, "Person", "https://evil.example/inbox", n.clock.now())},
		} {
			if got := n.apply(t, eve, e); got.State != essaim.InboundIgnored || got.Reason != "its actor is blocked" {
				t.Errorf("%T that waited is %s: %s", e, got.State, got.Reason)
			}
		}
		// It may take back what it said.
		n.apply(t, eve, essaim.Erase{ID: eve + "/notes/1", Actor: eve})
		n.lift(t, host("evil.example", ""))
		if got := n.shown(t, object); len(got) != 2 {
			t.Errorf("after the block %v is shown, want ana's and the one of %s", got, sub)
		}
	})
}
