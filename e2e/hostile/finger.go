// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"time"

	"essaim/e2e/rig"
)

// fingerSpecials are discovery: what the node answers, and what it believes.
func fingerSpecials() map[string]special {
	answers := func(jrd http.HandlerFunc) special {
		return special{
			before: func(t *trial) error {
				t.evil().put("/.well-known/nodeinfo", http.NotFound)
				t.evil().put("/.well-known/webfinger", jrd)
				return nil
			},
			// To follow a host is to ask it who stands for it.
			send: func(t *trial) (int, error) {
				start := time.Now()
				if err := t.command("peer", "follow", "evil.test"); err == nil {
					return 0, fmt.Errorf("it follows %s on such an answer", "evil.test")
				}
				if took := time.Since(start); took > 35*time.Second {
					return 0, fmt.Errorf("it took %s", took)
				}
				if t.evil().asked("/.well-known/webfinger") == 0 {
					return 0, fmt.Errorf("it was not asked")
				}
				return 0, nil
			},
			after: func(t *trial) error {
				if got := t.victim().delivered(); len(got) != 0 {
					return fmt.Errorf("the node posted to the victim: %+v", got)
				}
				return t.bounded(64 << 20)
			},
		}
	}
	service := func(href string) map[string]any {
		return map[string]any{"rel": rig.ASContext + "#Service", "type": rig.ActivityJSON, "href": href}
	}
	var many []map[string]any
	for range 100_000 {
		many = append(many, service("https://victim.test/actor"))
	}
	return map[string]special{
		"WF-011": {after: hiddenLikeAbsent},
		"WF-012": answers(document("application/jrd+json", map[string]any{
			"subject": "acct:v@victim.test", "links": []map[string]any{service("https://victim.test/actor"), {"rel": "self", "type": rig.ActivityJSON, "href": "https://victim.test/u/v"}},
		})),
		"WF-014": answers(document("application/jrd+json", map[string]any{
			"links": []map[string]any{{"rel": "lrdd", "template": "https://victim.test/.well-known/webfinger?resource={uri}"}},
		})),
		"WF-016": answers(document("application/jrd+json", map[string]any{"subject": "https://evil.test/", "links": many})),
		"WF-018": answers(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.String(), http.StatusFound) }),
		"WF-007": {after: func(t *trial) error {
			if t.got.header.Get("X") != "" {
				return fmt.Errorf("a header of theirs: %v", t.got.header)
			}
			return nil
		}},
		"WF-009": {after: func(t *trial) error {
			if t.got.status == http.StatusOK && bytes.Contains(t.got.body, []byte("..")) {
				return fmt.Errorf("not the one form of an address: %s", t.got.body)
			}
			return nil
		}},
	}
}

// hiddenLikeAbsent holds that a name that is reserved or hidden answers as one
// that never was, in the same time.
func hiddenLikeAbsent(t *trial) error {
	measure := func(name string) (time.Duration, []byte, error) {
		var times []time.Duration
		var body []byte
		for range 15 {
			start := time.Now()
			_, _, b, err := t.get(t.ctx, "/.well-known/webfinger?resource=acct:"+name+"@node.test", "application/jrd+json")
			if err != nil {
				return 0, nil, err
			}
			times, body = append(times, time.Since(start)), b
		}
		return percentile(times, 50), body, nil
	}
	hidden, one, err := measure("hidden")
	if err != nil {
		return err
	}
	absent, other, err := measure("nobody")
	if err != nil {
		return err
	}
	if !bytes.Equal(one, other) || (hidden-absent).Abs() > 20*time.Millisecond {
		return fmt.Errorf("%s in %s, one that never was %s in %s", one, hidden, other, absent)
	}
	return nil
}
