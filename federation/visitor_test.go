// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"essaim"
	"essaim/federation/fedtest"
)

// finger serves a WebFinger with links, by resource.
func finger(network *fedtest.Network, host string, answers map[string][]map[string]string) {
	network.Serve(host, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		links, ok := answers[r.URL.Query().Get("resource")]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"subject": r.URL.Query().Get("resource"), "links": links})
	}))
}

func TestAPersonIsSentToTheFollowPageOfHerOwnServer(t *testing.T) {
	t.Parallel()
	network := fedtest.NewNetwork()
	link := func(rel, template string) map[string]string {
		return map[string]string{"rel": rel, "template": template}
	}
	finger(network, "m.example", map[string][]map[string]string{
		"acct:ana@m.example":       {link(relSubscribe, "https://m.example/old?uri={uri}"), link(relFollow, "https://m.example/follow?on={object}&then={on-success}")},
		"acct:m.example@m.example": {link(relSubscribe, "https://m.example/authorize_interaction?uri={uri}")},
		"acct:sub@m.example":       {link(relSubscribe, "https://social.m.example/authorize?uri={uri}")},
		"acct:object@m.example":    {link(relObject, "https://m.example/object?uri={object}")},
		"acct:evil@m.example":      {link(relFollow, "https://evil.example/follow?on={object}")},
		"acct:near@m.example":      {link(relFollow, "https://evilm.example/follow?on={object}")},
		"acct:plain@m.example":     {link(relFollow, "http://m.example/follow?on={object}")},
		"acct:script@m.example":    {link(relFollow, "javascript:alert(1)//{object}")},
		"acct:host@m.example":      {link(relFollow, "https://{object}.m.example/")},
		"acct:user@m.example":      {link(relFollow, "https://m.example@evil.example/{object}")},
		"acct:nothing@m.example":   nil,
	})
	network.SetDown("down.example", true)
	s, _ := testServer(t, newShelf(), network)
	const actor, escaped = "https://brest.example/actors/brest", "https%3A%2F%2Fbrest.example%2Factors%2Fbrest"
	for account, want := range map[string]string{
		"@ana@m.example":         "https://m.example/follow?on=" + escaped + "&then=",
		"m.example":              "https://m.example/authorize_interaction?uri=" + escaped,
		"https://m.example/@ana": "https://m.example/follow?on=" + escaped + "&then=",
		"sub@m.example":          "https://social.m.example/authorize?uri=" + escaped,
		"object@m.example":       "https://m.example/object?uri=" + escaped,
	} {
		if got, err := s.FollowAddress(t.Context(), account, actor); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", account, got, err, want)
		}
	}
	for account, want := range map[string]error{
		"evil@m.example": essaim.ErrNotFound, "near@m.example": essaim.ErrNotFound, "plain@m.example": essaim.ErrNotFound, "script@m.example": essaim.ErrNotFound,
		"host@m.example": essaim.ErrNotFound, "user@m.example": essaim.ErrNotFound, "nothing@m.example": essaim.ErrNotFound, "nobody@m.example": essaim.ErrNotFound,
		"@a@down.example": essaim.ErrUnavailable, "no handle": essaim.ErrInvalid, "brest@brest.example": essaim.ErrNotFound,
	} {
		if got, err := s.FollowAddress(t.Context(), account, actor); !errors.Is(err, want) {
			t.Errorf("%s: got %q, %v, want %v", account, got, err, want)
		}
	}
	for _, r := range network.Log() {
		if !strings.HasPrefix(r.Path, "/.well-known/webfinger?resource=") {
			t.Errorf("asked for %s", r.Path)
		}
	}
}

func TestReadersCannotMakeUsAskAHostWithoutEnd(t *testing.T) {
	t.Parallel()
	network := fedtest.NewNetwork()
	finger(network, "m.example", nil)
	s, _ := testServer(t, newShelf(), network)
	for range 300 {
		if _, err := s.FollowAddress(t.Context(), "@ana@m.example", "https://brest.example/actors/brest"); err == nil {
			t.Fatal("an account that does not exist was found")
		}
	}
	if n := len(network.Log()); n > strangersPerHost+20 {
		t.Errorf("%d requests to one host", n)
	}
}
