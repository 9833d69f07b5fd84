// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"essaim/e2e/rig"
)

// signatureSpecials are those that take more than one request.
func signatureSpecials() map[string]special {
	return map[string]special{
		"SIG-016": {send: func(t *trial) (int, error) { return t.storm(100, nil) }},
		"SIG-007": {after: oddButRight},
		"SIG-023": {after: func(t *trial) error {
			if n, where := t.watch.seen(); n != 0 {
				return errors.New("it fetched itself: " + where)
			}
			return nil
		}},
		"SIG-044": {after: func(t *trial) error {
			if n := t.evil().asked("/u/gone"); n > 1 {
				return fmt.Errorf("%d fetches of a key that is gone", n)
			}
			return nil
		}},
		"SIG-046": {
			before: func(t *trial) error {
				t.evil().anything = func(w http.ResponseWriter, r *http.Request) {
					time.Sleep(20 * time.Millisecond) // so that they would be many at a time
					http.NotFound(w, r)
				}
				return nil
			},
			send: func(t *trial) (int, error) {
				var took timings
				status, err := t.beside(&took, func() (int, error) {
					return t.storm(1000, func(i int, s *signing) { s.keyID = fmt.Sprintf("https://evil.test/keys/%d", i) })
				})
				return status, errors.Join(err, t.calm.slower(&took, underLoad))
			},
			after: func(t *trial) error {
				if n := t.evil().most(); n > 4 {
					return fmt.Errorf("%d fetches at a time", n)
				}
				return nil
			},
		},
		"SIG-047": {
			send: func(t *trial) (int, error) {
				return t.storm(500, func(_ int, s *signing) { s.signature = strings.Repeat("A", 344) })
			},
			after: func(t *trial) error {
				if n := t.evil().asked("/u/evil"); n > 1 {
					return fmt.Errorf("%d fetches of one key", n)
				}
				return nil
			},
		},
		"SIG-049": {after: func(t *trial) error {
			if t.got != nil && t.got.header.Get("X") != "" {
				return errors.New("a header of theirs in our answer")
			}
			return nil
		}},
	}
}

// oddButRight holds that what is oddly written and rightly signed has its
// effect, and once.
func oddButRight(t *trial) error {
	if err := thankAndUndo(t); err != nil {
		return err
	}
	return replay(t)
}

// thankAndUndo has evil thank as any other may, in odd writing, and take it back.
func thankAndUndo(t *trial) error {
	t.serial++
	id := fmt.Sprintf("https://evil.test/act/odd-%d", t.serial)
	body := []byte("{ \"@context\" :\"" + rig.ASContext + "\",\n\t\"id\":\"" + id + "\" , \"type\":\"Lik\\u0065\",\r\n\"actor\":\"" +
		t.names["EACTOR"] + "\",\"object\":\"" + t.object + "\"}\n")
	before, err := t.total(t.ctx, t.object+"/likes")
	if err != nil {
		return err
	}
	t.replayed = body
	undo := []byte(`{"@context":"` + rig.ASContext + `","id":"` + id + `-undo","type":"Undo","actor":"` + t.names["EACTOR"] +
		`","object":"` + id + `"}`)
	for _, step := range []struct {
		body []byte
		want int
	}{{body, before + 1}, {undo, before}} {
		if status, err := t.deliver(t.ctx, t.evil(), t.names["EACTOR"], step.body); err != nil || status/100 != 2 {
			return fmt.Errorf("%d, %w", status, err)
		}
		err := rig.Eventually(5*time.Second, func() error {
			n, err := t.total(t.ctx, t.object+"/likes")
			if err == nil && n != step.want {
				err = fmt.Errorf("%d thanks, want %d", n, step.want)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// replay sends again what was applied and taken back: the same bytes do
// nothing a second time.
func replay(t *trial) error {
	before, err := t.total(t.ctx, t.object+"/likes")
	if err != nil {
		return err
	}
	if status, err := t.deliver(t.ctx, t.evil(), t.names["EACTOR"], t.replayed); err != nil || status/100 != 2 {
		return fmt.Errorf("a replay: %d, %w", status, err)
	}
	if err := t.applied(t.ctx); err != nil {
		return err
	}
	if n, err := t.total(t.ctx, t.object+"/likes"); err != nil || n != before {
		return fmt.Errorf("a replay counts: %d thanks, want %d, %w", n, before, err)
	}
	return nil
}

// storm sends an item n times; change makes each signature another.
func (t *trial) storm(n int, change func(int, *signing)) (int, error) {
	return t.many(n, func(i int) (*request, signing, []byte) {
		q := t.bare()
		sg := signing{keyID: t.actor + "#main-key", key: t.signer.key}
		if change != nil {
			change(i, &sg)
		}
		return q, sg, t.body
	})
}

// beside sends honest activities while send goes on.
func (t *trial) beside(took *timings, send func() (int, error)) (status int, err error) {
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		defer close(done)
		status, err = send()
	})
	var late error
	for under := true; under; {
		select {
		case <-done:
			under = false
		default:
			late = errors.Join(late, t.honest(t.ctx, took))
		}
	}
	wg.Wait()
	return status, errors.Join(err, late)
}

// stormOf sends n activities of as many actors of evil.
func (t *trial) stormOf(n int, activity func(int) (actor string, body []byte)) (int, error) {
	return t.many(n, func(i int) (*request, signing, []byte) {
		actor, body := activity(i)
		return inboxRequest(t.routes["SHARED_INBOX"], body), signing{keyID: actor + "#main-key", key: t.evil().key}, body
	})
}

// written is the size in which an item is sent: that which its title tells, or a
// fifth in the short form.
func (t *trial) written(n int) (int, error) {
	if !regexp.MustCompile(`\b` + strconv.Itoa(n) + `\b`).MatchString(strings.ReplaceAll(t.item.Title, ",", "")) {
		return 0, fmt.Errorf("%d of %q: not the size that is written", n, t.item.Title)
	}
	if t.opt.turn {
		n /= 5
	}
	return n, nil
}

// many sends n requests, eight at a time; each answer must be one that the item
// allows. It gives the last status.
func (t *trial) many(n int, next func(int) (*request, signing, []byte)) (int, error) {
	n, err := t.written(n)
	if err != nil {
		return 0, err
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	i, last, failed := 0, 0, error(nil)
	take := func() (*request, signing, []byte) {
		mu.Lock()
		defer mu.Unlock()
		if i >= n || t.ctx.Err() != nil {
			return nil, signing{}, nil
		}
		i++
		return next(i - 1)
	}
	judge := func(got *answer, err error) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err != nil:
			failed = err
		case got.status != http.StatusTooManyRequests && !t.item.expects(got.status):
			failed = fmt.Errorf("answered %d, want %s: %.200s", got.status, t.item.Expect, got.body)
		case (got.status == 429 || got.status == 503) && got.header.Get("Retry-After") == "":
			failed = fmt.Errorf("%d without Retry-After", got.status)
		case got.status == http.StatusTooManyRequests:
			// Of so many at once, that is what is to be refused.
		default:
			last = got.status
			if got.status/100 == 2 {
				t.taken++
			}
		}
	}
	for range 8 {
		wg.Go(func() {
			for q, sg, body := take(); q != nil; q, sg, body = take() {
				if err := sg.sign(q, body, time.Now()); err != nil {
					judge(nil, err)
					continue
				}
				judge(t.kept(t.ctx, q))
			}
		})
	}
	wg.Wait()
	if failed == nil && i != n {
		failed = fmt.Errorf("%d of %d were sent", i, n)
	}
	return last, failed
}

func jsonSpecials() map[string]special {
	return map[string]special{
		"JSON-010": {
			before: func(t *trial) error {
				var fields, keys []map[string]any
				for i := range 100_000 {
					fields = append(fields, map[string]any{"type": "PropertyValue", "name": fmt.Sprint(i), "value": "x"})
				}
				id := t.evil().url + "/u/big"
				for i := range 5000 {
					keys = append(keys, map[string]any{"id": fmt.Sprintf("%s#k%d", id, i), "owner": id, "publicKeyPem": t.evil().pem})
				}
				t.evil().putActor("/u/big", "Person", map[string]any{"attachment": fields, "publicKey": keys})
				// One within every limit of size, that lists eleven keys.
				t.evil().putActor("/u/keys", "Person", map[string]any{"publicKey": append([]map[string]any{}, renamed(keys[:11], id, t.evil().url+"/u/keys")...)})
				return nil
			},
			send: func(t *trial) (int, error) {
				big := t.evil().url + "/u/big"
				status, err := t.likeAs(big, big+"#k0")
				if err != nil || !refused(status) {
					return status, fmt.Errorf("a document of 7 MB with 5,000 keys is taken: %d, %w", status, err)
				}
				keys := t.evil().url + "/u/keys"
				status, err = t.likeAs(keys, keys+"#k10")
				if err != nil || !refused(status) {
					return status, fmt.Errorf("the eleventh key counts: %d, %w", status, err)
				}
				return 0, nil
			},
		},
	}
}

// renamed moves keys to another actor.
func renamed(keys []map[string]any, from, to string) []map[string]any {
	var out []map[string]any
	for _, k := range keys {
		out = append(out, map[string]any{"id": strings.Replace(k["id"].(string), from, to, 1), "owner": to, "publicKeyPem": k["publicKeyPem"]})
	}
	return out
}

// likeAs sends a Like of the probe's neighbour as an actor with a key.
func (t *trial) likeAs(actor, keyID string) (int, error) {
	body, err := json.Marshal(map[string]any{
		"@context": rig.ASContext, "id": actor + "/like", "type": "Like", "actor": actor, "object": t.object,
	})
	if err != nil {
		return 0, err
	}
	q := inboxRequest(t.routes["SHARED_INBOX"], body)
	if err := (signing{keyID: keyID, key: t.evil().key}).sign(q, body, time.Now()); err != nil {
		return 0, err
	}
	got, err := t.world.send(t.ctx, q)
	if err != nil {
		return 0, err
	}
	return got.status, nil
}
