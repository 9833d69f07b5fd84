// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestWebFingerFindsActorsByEveryName(t *testing.T) {
	t.Parallel()
	_, h := testServer(t, newShelf(), nil)
	const territory, node = "https://brest.example/actors/brest", "https://brest.example/actor"
	for _, tt := range []struct {
		query  string
		status int
		self   string
	}{
		{"resource=acct:brest@brest.example", 200, territory},
		{"resource=acct%3Abrest%40brest.example", 200, territory},
		{"resource=acct:BREST@Brest.Example", 200, territory},
		{"resource=acct:@brest@brest.example", 200, territory},
		{"resource=" + territory, 200, territory},
		{"resource=acct:brest.example@brest.example", 200, node},
		{"resource=acct:relay@brest.example", 200, node},
		{"resource=" + node, 200, node},
		{"rel=self&resource=acct:brest@brest.example", 200, territory},
		{"resource=acct:brest@brest.example&rel=avatar&rel=x", 200, territory},
		{"", 400, ""},
		{"resource=", 400, ""},
		{"resource=brest@brest.example", 400, ""},
		{"resource=brest@brest.example:8443", 400, ""},
		{"resource=:brest", 400, ""},
		{"resource=acct:nobody@brest.example", 404, ""},
		{"resource=acct:brest@toulouse.example", 404, ""},
		{"resource=acct:brest@brest.example@toulouse.example", 404, ""},
		{"resource=https://toulouse.example/actors/brest", 404, ""},
		{"resource=https://brest.example/nothing", 404, ""},
		{"resource=https://x@brest.example/actor", 404, ""},
	} {
		t.Run(tt.query, func(t *testing.T) {
			t.Parallel()
			r := get(h, "/.well-known/webfinger?"+tt.query)
			text := body(t, r)
			if r.StatusCode != tt.status || r.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Fatalf("got %d, CORS %q, want %d, *", r.StatusCode, r.Header.Get("Access-Control-Allow-Origin"), tt.status)
			}
			if tt.status != 200 {
				return
			}
			var d descriptor
			if err := json.Unmarshal([]byte(text), &d); err != nil {
				t.Fatal(err)
			}
			var self []string
			for _, l := range d.Links {
				if l.Rel == "self" && l.Type == activityJSON {
					self = append(self, l.Href)
				}
			}
			if !slices.Equal(self, []string{tt.self}) || r.Header.Get("Content-Type") != "application/jrd+json" {
				t.Errorf("got self %v as %s, want %s", self, r.Header.Get("Content-Type"), tt.self)
			}
		})
	}
	// FEP-d556: the server itself.
	if got := body(t, get(h, "/.well-known/webfinger?resource=https://brest.example/")); !strings.Contains(got, `"rel":"https://www.w3.org/ns/activitystreams#Service","type":"application/activity+json","href":"https://brest.example/actor"`) {
		t.Errorf("got %s, want a link to the node's actor", got)
	}
}

func TestNodeInfoTellsWhatIsTrue(t *testing.T) {
	t.Parallel()
	store := newShelf()
	store.outbox = [][]byte{[]byte(`{}`), []byte(`{}`)}
	_, h := testServer(t, store, nil)
	links := body(t, get(h, "/.well-known/nodeinfo"))
	for _, want := range []string{`schema/2.1","href":"https://brest.example/nodeinfo/2.1"`, `schema/2.0"`, `activitystreams#Application","type":"application/activity+json","href":"https://brest.example/actor"`} {
		if !strings.Contains(links, want) {
			t.Errorf("links: got %s, want %s", links, want)
		}
	}
	for _, version := range []string{"2.1", "2.0"} {
		r := get(h, "/nodeinfo/"+version)
		if got, want := r.Header.Get("Content-Type"), `application/json; profile="http://nodeinfo.diaspora.software/ns/schema/`+version+`#"`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		var d nodeInfo
		if err := json.Unmarshal([]byte(body(t, r)), &d); err != nil {
			t.Fatal(err)
		}
		if d.Version != version || d.Software.Name != "essaim" || d.Usage.LocalPosts != 2 || d.Usage.Users.Total != 3 || d.OpenRegistrations || d.Metadata.EPCIs[0] != "242900314" {
			t.Errorf("got %+v", d)
		}
	}
	if r := get(h, "/.well-known/host-meta"); !strings.Contains(body(t, r), `rel="lrdd"`) || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/xrd+xml") {
		t.Error("host-meta names no lrdd template")
	}
}

// FuzzWebFinger holds that an answer is always to a name of this node, as an
// independent reader takes it, and about an actor of it.
func FuzzWebFinger(f *testing.F) {
	for _, seed := range []string{"acct:brest@brest.example", "https://brest.example/", "acct:@@", "https://brest.example/actor?x", "acct:brest@brest.example/x"} {
		f.Add(seed)
	}
	s, _ := testServer(f, newShelf(), nil)
	f.Fuzz(func(t *testing.T, resource string) {
		d, err := s.describe(t.Context(), resource)
		if err != nil {
			return
		}
		host := ""
		if user, ok := strings.CutPrefix(resource, "acct:"); ok {
			host = user[strings.LastIndexByte(user, '@')+1:]
		} else if u, err := url.Parse(resource); err == nil && u.User == nil && (u.Scheme == "https" || u.Scheme == "http") {
			host = u.Host
		}
		if !strings.EqualFold(host, "brest.example") {
			t.Errorf("%q, of the host %q, is answered", resource, host)
		}
		if !strings.HasSuffix(d.Subject, "@brest.example") && !strings.HasPrefix(d.Subject, "https://brest.example/") {
			t.Errorf("%q is answered about %q", resource, d.Subject)
		}
		for _, l := range d.Links {
			if !strings.HasPrefix(l.Href, "https://brest.example/") {
				t.Errorf("%q leads to %s", resource, l.Href)
			}
		}
	})
}
