// SPDX-License-Identifier: AGPL-3.0-or-later

package federation_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"essaim"
)

// Many accounts of a server that never answers: each of their Follows has to ask
// it who they are.
func TestASlowServerHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	add := func(id, kind, actor, object string) {
		n.rows = append(n.rows, &inbound{state: essaim.InboundWaiting, Inbound: essaim.Inbound{
			ID: int64(len(n.rows) + 1), ActivityID: id, Type: kind, Actor: actor, Raw: []byte(activity(id, kind, actor, object)),
			ReceivedAt: n.Now().Add(time.Duration(len(n.rows))),
		}})
	}
	for i := range 40 {
		actor := fmt.Sprintf("https://slow.example/users/%d", i)
		add(fmt.Sprintf("https://slow.example/a/%d", i), "Follow", actor, `"`+here+`/actors/brest"`)
	}
	add("https://peer.example/a/1", "Like", alice, `"`+here+`/objects/1"`)
	synctest.Test(t, func(t *testing.T) {
		n.home.hold = make(chan struct{})
		n.mu.Lock()
		n.clock = time.Time{} // the bubble's
		n.mu.Unlock()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- n.ingest.Run(ctx) }()
		<-time.After(15 * time.Second)
		n.mu.Lock()
		if like := n.rows[40]; like.state != essaim.InboundApplied {
			t.Errorf("after 15 s the Like beside them is %s: %s", like.state, like.reason)
		}
		n.mu.Unlock()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		close(n.home.hold) // what was asked for comes to its end
	})
	for _, row := range n.rows {
		if row.Type == "Follow" && (row.state != essaim.InboundWaiting || row.reason == "") {
			t.Errorf("%s is %s: %q, want it put off", row.ActivityID, row.state, row.reason)
		}
	}
}
