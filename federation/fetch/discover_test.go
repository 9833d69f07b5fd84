// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"essaim"
)

func TestNodeActor(t *testing.T) {
	t.Parallel()
	var base string
	nodeinfo, webfinger := "", ""
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/.well-known/nodeinfo" && nodeinfo != "":
			_, _ = io.WriteString(w, strings.ReplaceAll(nodeinfo, "BASE", base))
		case r.URL.Path == "/.well-known/webfinger" && webfinger != "" && r.URL.Query().Get("resource") == base+"/":
			_, _ = io.WriteString(w, strings.ReplaceAll(webfinger, "BASE", base))
		default:
			http.NotFound(w, r)
		}
	})
	base = s.URL
	c := client(t, Config{AllowPrivate: loopback})
	host := strings.TrimPrefix(base, "http://")
	link := func(rel, href string) string { return fmt.Sprintf(`{"links":[{"rel":%q,"href":%q}]}`, rel, href) }
	for _, tc := range []struct {
		name, nodeinfo, webfinger, want string
	}{
		{"NodeInfo", link(relApplication, "BASE/actor"), "", "/actor"},
		{"WebFinger", "", link(relService, "BASE/server"), "/server"},
		{"NodeInfo without the link", link("other", "BASE/x"), link(relService, "BASE/server"), "/server"},
		{"another host's actor", link(relApplication, "https://victim.example/actor"), "", ""},
		{"another host's actor by WebFinger", "", link(relService, "https://victim.example/actor"), ""},
		{"a script", link(relApplication, "data:application/json,{}"), "", ""},
		{"not JSON", "<html>", "", ""},
		{"nothing", "", "", ""},
	} {
		nodeinfo, webfinger = tc.nodeinfo, tc.webfinger
		for _, form := range []string{host, base} {
			got, err := c.NodeActor(t.Context(), form)
			if tc.want == "" && err == nil || tc.want != "" && got != base+tc.want {
				t.Errorf("%s of %s: got %q, %v; want %q", tc.name, form, got, err, tc.want)
			}
		}
	}
	for _, host := range []string{"", "a b", "a.example/x", "u@a.example", "https://"} {
		if _, err := c.NodeActor(t.Context(), host); !errors.Is(err, essaim.ErrInvalid) {
			t.Errorf("%q: %v", host, err)
		}
	}
}

// Whoever follows may be no node, such as a relay of other software: its NodeInfo says
// so. A proxy whose node is away says 404 as well, and no more.
func TestAHostWhoseSoftwareAnswersIsKnownToBeNoNode(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name                string
		nodeinfo, webfinger int
		none, unavailable   bool
	}{
		{"other software", 200, 404, true, false},
		{"other software that takes no addresses", 200, 400, true, false},
		{"its WebFinger is away", 200, 503, false, true},
		{"a proxy", 404, 404, false, false},
		{"all is away", 503, 404, false, true},
	} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/.well-known/nodeinfo" {
				w.WriteHeader(tc.nodeinfo)
				_, _ = io.WriteString(w, `{"links":[]}`)
				return
			}
			w.WriteHeader(tc.webfinger)
		})
		_, err := client(t, Config{AllowPrivate: loopback}).NodeActor(t.Context(), s.URL)
		if errors.Is(err, ErrNoNode) != tc.none || errors.Is(err, essaim.ErrUnavailable) != tc.unavailable || errors.Is(err, essaim.ErrNotFound) == tc.unavailable {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

func TestJRDSelf(t *testing.T) {
	t.Parallel()
	j := JRD{Links: []Link{{Rel: "self", Type: "text/html", Href: "a"}, {Rel: "self", Type: "application/activity+json", Href: "b"}}}
	if got, ok := j.Self(); !ok || got != "b" {
		t.Errorf("got %q, %v", got, ok)
	}
	if _, ok := (JRD{}).Self(); ok {
		t.Error("a link in nothing")
	}
}
