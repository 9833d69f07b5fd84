// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"encoding/json"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"essaim"
)

func TestWebFingerFindsActorsByEveryName(t *testing.T) {
	t.Parallel()
	shelf := newShelf()
	shelf.locals = feedsAndOthers()
	_, h := testServer(t, shelf, nil)
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
		{"resource=https://brest.example/territoires", 200, node},
		{"resource=" + url.QueryEscape("https://brest.example/recherche?theme=circuits-courts"), 200, "https://brest.example/actors/theme_circuits-courts"},
		{"resource=" + url.QueryEscape("https://brest.example/recherche?theme=brest:voisins"), 404, ""}, // as no page of ours is written
		{"resource=" + url.QueryEscape("https://brest.example/recherche?theme=brest%3Avoisins"), 200, "https://brest.example/actors/theme_voisins"},
		{"resource=" + url.QueryEscape("https://brest.example/personnes/camille"), 200, "https://brest.example/actors/camille"},
		{"resource=" + url.QueryEscape("https://brest.example/personnes/camille/"), 404, ""}, // as no page of ours is written
		{"resource=" + url.QueryEscape("https://brest.example/personnes/camille?page=2"), 404, ""},
		{"resource=" + url.QueryEscape("https://brest.example/personnes/partie"), 404, ""}, // as one who never was
		{"resource=acct:partie@brest.example", 404, ""},
		{"resource=https://brest.example/actors/partie", 404, ""},
		{"resource=" + url.QueryEscape("https://brest.example/personnes/fiche_retire"), 404, ""}, // another's name
		{"resource=" + url.QueryEscape("https://brest.example/personnes/commune_brest"), 404, ""},
		{"resource=" + url.QueryEscape("https://brest.example/recherche?near=29019&radius=10"), 200, "https://brest.example/actors/commune_brest"},
		{"resource=" + url.QueryEscape("https://brest.example/recherche?near=29019&radius=20"), 404, ""},
		{"resource=" + url.QueryEscape("https://brest.example/recherche?theme=circuits-courts&near=29019"), 404, ""},
		{"resource=" + url.QueryEscape("https://brest.example/recherche?theme=rien"), 404, ""},
		{"resource=https://brest.example/recherche", 404, ""},
		{"resource=https://brest.example/initiatives/jardin", 200, "https://brest.example/actors/fiche_jardin"},
		{"resource=https://brest.example/initiatives/retire", 410, ""},
		{"resource=https://brest.example/recettes/pain", 404, ""},
		{"resource=https://brest.example/actors/brest?x", 404, ""},
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

// feedsAndOthers are actors of each kind that has a page.
func feedsAndOthers() []essaim.LocalActor {
	local := func(name string, k essaim.ActorKind, subject string) essaim.LocalActor {
		a := essaim.LocalActor{ID: "https://brest.example/actors/" + name, Username: name, Kind: k, Subject: subject}
		if k == essaim.ActorInitiative {
			a.Record = essaim.Record{ID: subject, Slug: strings.TrimPrefix(name, "fiche_"), URL: "https://brest.example/initiatives/" + strings.TrimPrefix(name, "fiche_")}
			a.Record.Kind = essaim.KindInitiative
		}
		return a
	}
	was := local("partie", essaim.ActorPerson, "https://brest.example/actors/partie")
	was.Gone = true
	gone := local("fiche_retire", essaim.ActorInitiative, "https://brest.example/objects/02")
	gone.Gone = true
	return []essaim.LocalActor{
		local("theme_circuits-courts", essaim.ActorTheme, "circuits-courts"), local("theme_voisins", essaim.ActorTheme, "brest:voisins"),
		local("commune_brest", essaim.ActorCommune, "29019"), local("fiche_jardin", essaim.ActorInitiative, "https://brest.example/objects/01"), gone,
		local("camille", essaim.ActorPerson, "7"), was,
	}
}

func TestWhatWebFingerListsLeadsBack(t *testing.T) {
	t.Parallel()
	shelf := newShelf()
	shelf.locals = feedsAndOthers()
	_, h := testServer(t, shelf, nil)
	finger := func(resource string) (d descriptor) {
		t.Helper()
		r := get(h, "/.well-known/webfinger?resource="+url.QueryEscape(resource))
		if err := json.Unmarshal([]byte(body(t, r)), &d); err != nil || r.StatusCode != 200 {
			t.Fatalf("%s: %d, %v", resource, r.StatusCode, err)
		}
		return d
	}
	pages := 0
	for _, name := range []string{"brest", "brest.example", "theme_circuits-courts", "theme_voisins", "commune_brest", "fiche_jardin", "camille"} {
		d := finger("acct:" + name + "@brest.example")
		for _, alias := range append([]string{d.Subject}, d.Aliases...) {
			if got := finger(alias); !reflect.DeepEqual(got, d) {
				t.Errorf("%s is an alias of %s and leads to %s", alias, d.Subject, got.Subject)
			}
		}
		pages += len(d.Aliases) - 1
	}
	if pages != 6 {
		t.Errorf("%d pages are aliases, want those of all but the territory", pages)
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
	for _, seed := range []string{"acct:brest@brest.example", "https://brest.example/", "acct:@@", "https://brest.example/actor?x", "acct:brest@brest.example/x", "https://brest.example/recherche?theme=circuits-courts"} {
		f.Add(seed)
	}
	shelf := newShelf()
	shelf.locals = feedsAndOthers()
	s, _ := testServer(f, shelf, nil)
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
