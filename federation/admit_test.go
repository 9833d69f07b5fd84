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

func TestWhoIsBlockedReadsNothingInItsOwnName(t *testing.T) {
	t.Parallel()
	store := newShelf()
	store.blocked = map[string]bool{"https://evil.example/u/a": true}
	store.objects["https://brest.example/objects/01j"] = Stored{Bytes: []byte(`{}`), ETag: "x"}
	_, h := testServer(t, store, nil)
	cavage := func(key string) string {
		return `keyId="` + key + `",headers="(request-target) host date",signature="AAAA"`
	}
	for _, path := range []string{"/actor", "/actors/brest", "/actors/brest/outbox", "/actors/brest/followers", "/objects/01j", "/objects/01j/likes"} {
		for _, tt := range []struct {
			name   string
			header []string
			want   int
		}{
			{"says nothing", nil, http.StatusOK},
			{"blocked", []string{"Signature", cavage("https://evil.example/u/a#main-key")}, http.StatusForbidden},
			{"blocked, RFC 9421", []string{"Signature-Input", `s=("@method");created=1;keyid="https://evil.example/u/a#k"`, "Signature", "s=:AAAA:"}, http.StatusForbidden},
			{"another", []string{"Signature", cavage("https://peer.example/u/a#main-key")}, http.StatusOK},
			{"unreadable", []string{"Signature", "x"}, http.StatusOK},
		} {
			if got := get(h, path, tt.header...); got.StatusCode != tt.want {
				t.Errorf("%s, %s: got %d, want %d", path, tt.name, got.StatusCode, tt.want)
			}
		}
	}
	if got := get(h, "/.well-known/webfinger?resource=acct:brest@brest.example", "Signature", cavage("https://evil.example/u/a#main-key")); got.StatusCode != http.StatusOK {
		t.Errorf("discovery: got %d", got.StatusCode)
	}
	store.err = essaim.ErrUnavailable
	if got := get(h, "/actor", "Signature", cavage("https://peer.example/u/a#main-key")); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("the database is away: got %d", got.StatusCode)
	}
}

type onePage struct{}

func (onePage) RecordBySlug(context.Context, essaim.Kind, string, string) (essaim.Record, error) {
	return essaim.Record{ID: "https://brest.example/objects/01j", State: essaim.StatePublished}, nil
}

func (onePage) Document(context.Context, string) ([]byte, error) { return []byte(`{}`), nil }

func TestAPageSaysThatItsAddressHasADocumentToo(t *testing.T) {
	t.Parallel()
	store := newShelf()
	store.blocked = map[string]bool{"https://evil.example/u/a": true}
	store.objects["https://brest.example/objects/01j"] = Stored{Bytes: []byte(`{}`), ETag: "x"}
	s, _ := testServer(t, store, nil)
	h := s.Pages(onePage{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Add("Vary", "Cookie") }))
	for accept, want := range map[string]string{"text/html": "Accept, Cookie", activityJSON: "Accept"} {
		r := httptest.NewRequest(http.MethodGet, "/initiatives/jardin", nil)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := strings.Join(w.Header().Values("Vary"), ", "); got != want || w.Code != http.StatusOK {
			t.Errorf("%s: %d, Vary %q, want %q", accept, w.Code, got, want)
		}
		r.Header.Set("Signature", `keyId="https://evil.example/u/a#main-key",headers="date",signature="AAAA"`)
		w = httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if (w.Code == http.StatusForbidden) != (accept == activityJSON) {
			t.Errorf("%s to one who is blocked: %d", accept, w.Code)
		}
	}
}
