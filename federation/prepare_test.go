// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"testing"

	"essaim"
)

func TestAnActivityThatIsGivenUpIsNamedByWhatItCarriesItself(t *testing.T) {
	t.Parallel()
	c := corpusIngester(t)
	raw := func(id string) []byte {
		return []byte(`{"@context":"https://www.w3.org/ns/activitystreams","id":"https://toulon.example/a/` + id + `","type":"Create","actor":"https://toulon.example/alice",
			"object":{"id":"https://toulon.example/o/` + id + `","type":"Note","attributedTo":"https://toulon.example/alice","content":"x"}}`)
	}
	in := func(id string, attempt int) essaim.Inbound {
		return essaim.Inbound{ID: 1, ActivityID: "https://toulon.example/a/" + id, Actor: "https://toulon.example/alice", Raw: raw(id), Attempt: attempt, ReceivedAt: c.Now()}
	}
	if done := c.prepare(t.Context(), c.reader, in("1", 1)); done.Object != "https://toulon.example/o/1" {
		t.Fatalf("of one that is read: %+v", done)
	}
	broken := in("3", maxClaims+1)
	broken.Raw = broken.Raw[:40]
	for what, given := range map[string]struct {
		in   essaim.Inbound
		want string
	}{
		"one that is given up":               {in("2", maxClaims+1), "https://toulon.example/o/2"},
		"one whose bytes nothing can read":   {broken, ""},
		"one that reading may be the end of": {in("4", maxNamed+1), ""},
	} {
		if done := c.prepare(t.Context(), c.reader, given.in); done.State != essaim.InboundFailed || done.Object != given.want {
			t.Errorf("of %s: %+v, want %q", what, done, given.want)
		}
	}
}
