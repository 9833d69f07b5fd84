// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"essaim"
)

// However many inboxes there are, one way leads in: what the gate and the
// signature policy refuse at the shared inbox is refused at each actor's.
func TestEveryInboxIsBehindTheGate(t *testing.T) {
	t.Parallel()
	const activity = `{"@context":"https://www.w3.org/ns/activitystreams","id":"https://peer.example/a/1","type":"Like","actor":"https://peer.example/u/alice","object":"https://brest.example/objects/1"}`
	store := newShelf()
	_, h := testServer(t, store, nil)
	for _, inbox := range []string{"/inbox", "/actor/inbox", "/actors/brest/inbox"} {
		for _, c := range []struct {
			name, mediaType, body string
			want                  int
		}{
			{"not JSON", "application/activity+json", "{", http.StatusBadRequest},
			{"a repeated key", "application/activity+json", strings.Replace(activity, `"type"`, `"type":"Note","type"`, 1), http.StatusBadRequest},
			{"too large", "application/activity+json", strings.Replace(activity, `"type"`, `"x":"`+strings.Repeat("a", 2<<20)+`","type"`, 1), http.StatusRequestEntityTooLarge},
			{"another type", "text/plain", activity, http.StatusUnsupportedMediaType},
			{"unsigned", "application/activity+json", activity, http.StatusUnauthorized},
		} {
			r := httptest.NewRequest(http.MethodPost, inbox, strings.NewReader(c.body))
			r.Header.Set("Content-Type", c.mediaType)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("%s, %s: got %d, want %d", inbox, c.name, w.Code, c.want)
			}
		}
	}
	if got := len(store.objects); got != 0 {
		t.Errorf("%d activities were stored", got)
	}
}

func (s *shelf) ReceiveActivity(_ context.Context, in essaim.Inbound) (bool, error) {
	s.publish(in.ActivityID, Stored{Bytes: in.Raw})
	return true, nil
}
