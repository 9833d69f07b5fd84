// SPDX-License-Identifier: AGPL-3.0-or-later

package federation_test

import (
	"strings"
	"testing"
	"time"

	"essaim"
)

// What a node withdrew is news of its own actor, for those who follow it; from
// anybody else it is a report like another.
func TestANoticeIsBelievedOfANodeThatIsFollowedAlone(t *testing.T) {
	t.Parallel()
	digest := strings.Repeat("5e", 32)
	for _, c := range []struct {
		name, digest string
		peer         essaim.Peer
		want         bool
	}{
		{"a node that is followed", digest, essaim.Peer{Actor: alice, State: essaim.PeerFollowed}, true},
		{"another actor of its host", digest, essaim.Peer{Actor: "https://peer.example/actor", State: essaim.PeerFollowed}, false},
		{"a node that is only known", digest, essaim.Peer{Actor: alice, State: essaim.PeerKnown}, false},
		{"a stranger", digest, essaim.Peer{}, false},
		{"no digest", "", essaim.Peer{Actor: alice, State: essaim.PeerFollowed}, false},
		{"not a digest", "5e", essaim.Peer{Actor: alice, State: essaim.PeerFollowed}, false},
		{"the digest of nothing", strings.Repeat("00", 32), essaim.Peer{Actor: alice, State: essaim.PeerFollowed}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			if c.peer.Host = "peer.example"; c.peer.Actor != "" {
				n.peers[c.peer.Host] = c.peer
			}
			body := strings.Replace(activity("https://peer.example/a/1", "Flag", alice, `"https://toulouse.example/objects/1"`), `"type"`, `"essaim:withdrawn":"`+c.digest+`","content":"Demande fondée.","type"`, 1)
			apply(t, n, time.Millisecond, body)
			if len(n.applied) != 1 || len(n.applied[0].Effects) != 1 {
				t.Fatalf("applied %+v", n.applied)
			}
			e, ok := n.applied[0].Effects[0].(essaim.FileReport)
			if !ok || e.Report.Objects[0] != "https://toulouse.example/objects/1" || e.Report.Text != "Demande fondée." {
				t.Fatalf("effects %s", said(n.applied[0].Effects))
			}
			if got := e.Report.Withdrawn == digest; got != c.want || !got && e.Report.Withdrawn != "" {
				t.Errorf("withdrawn %q, want it: %t", e.Report.Withdrawn, c.want)
			}
		})
	}
}
