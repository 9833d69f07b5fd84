// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"essaim"
	"essaim/federation/fedtest"
	"essaim/federation/proof"
	"essaim/web/markup"
)

var update = flag.Bool("update", false, "write the golden documents anew")

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// testRSA is a fixed key, so that documents are the same at each run.
func testRSA(t testing.TB) *rsa.PublicKey {
	t.Helper()
	b, err := os.ReadFile("testdata/rsa-public.pem")
	if err != nil {
		t.Fatal(err)
	}
	return parsePEM(t, b)
}

func parsePEM(t testing.TB, b []byte) *rsa.PublicKey {
	t.Helper()
	block, _ := pem.Decode(b)
	if block == nil {
		t.Fatal("no PEM block")
		return nil
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*rsa.PublicKey)
}

func testNode() essaim.Node {
	return essaim.Node{
		BaseURL: "https://brest.example", Incarnation: 1_767_225_600,
		Territory: essaim.Territory{
			Actor: "https://brest.example/actors/brest", Username: "brest", Name: "Brest métropole",
			Summary: "Les initiatives du **pays de Brest**.", EPCIs: []string{"242900314"}, Lat: 48.4, Lon: -4.5,
		},
	}
}

func testRenderer(t testing.TB) *Renderer {
	t.Helper()
	r, err := New(Config{
		Node: testNode(), Ed25519: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)), RSA: testRSA(t),
		Now: func() time.Time { return noon },
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// golden compares with a file of testdata, which -update writes.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, got, "", "  "); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	pretty.WriteByte('\n')
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, pretty.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(pretty.String(), "\n")); diff != "" {
		t.Errorf("%s (-want +got)\n%s", name, diff)
	}
}

func request(rec essaim.Record, verb essaim.Verb) essaim.RenderRequest {
	return essaim.RenderRequest{Verb: verb, ActivityID: "https://brest.example/activities/01JACT" + string(rec.Kind), Record: rec, At: rec.Updated}
}

func TestDeleteGivesATombstoneWithoutContent(t *testing.T) {
	t.Parallel()
	r := testRenderer(t)
	info, _ := essaim.KindInitiative.Info()
	full := fedtest.FullRecord(t, info)
	out, err := r.Render(essaim.RenderRequest{
		Verb: essaim.VerbDelete, ActivityID: "https://brest.example/activities/01JDELETE", At: noon,
		Record: essaim.Record{ID: full.ID, Territory: full.Territory, Incarnation: 7, Revision: 4, Content: essaim.Content{Kind: info.Kind}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := proof.Verify(out.Document, r.key.Public().(ed25519.PublicKey)); err != nil {
		t.Errorf("proof of the tombstone: %v", err)
	}
	golden(t, "tombstone.json", out.Document)
	golden(t, "delete.json", out.Activity)
}

func TestActivitiesKeepArraysAndTheirProof(t *testing.T) {
	t.Parallel()
	r := testRenderer(t)
	key := r.key.Public().(ed25519.PublicKey)
	follow, err := r.Follow("https://brest.example/activities/01JF", r.NodeActor(), "https://toulouse.example/actor")
	if err != nil {
		t.Fatal(err)
	}
	theirs := []byte(`{"@context":"https://www.w3.org/ns/activitystreams","id":"https://m.example/f/1","type":"Follow","actor":"https://m.example/u/a","object":"https://brest.example/actors/brest"}`)
	accept, err := r.Accept("https://brest.example/activities/01JA", "https://brest.example/actors/brest", "https://m.example/u/a", theirs)
	if err != nil {
		t.Fatal(err)
	}
	undo, err := r.Undo("https://brest.example/activities/01JU", r.NodeActor(), "https://toulouse.example/actor", follow)
	if err != nil {
		t.Fatal(err)
	}
	const (
		territory = "https://brest.example/actors/brest"
		object    = "https://brest.example/objects/01J"
		post      = "https://m.example/u/a/s/1"
	)
	reject, err := r.Reject("https://brest.example/activities/01JR", r.NodeActor(), "https://m.example/u/a", theirs)
	if err != nil {
		t.Fatal(err)
	}
	stamp, err := r.Stamp(object+"/quotes/5f1c", territory, post, object, noon)
	if err != nil {
		t.Fatal(err)
	}
	quote, err := r.AcceptQuote("https://brest.example/activities/01JQ", territory, QuoteRequest{ID: "https://m.example/q/1", Actor: "https://m.example/u/a", Object: object, Post: post}, object+"/quotes/5f1c")
	if err != nil {
		t.Fatal(err)
	}
	ignore, err := r.Ignore("https://brest.example/activities/01JI", territory, "https://m.example/u/a", "https://m.example/j/1")
	if err != nil {
		t.Fatal(err)
	}
	offer, err := r.Offer("https://brest.example/activities/01JO", territory, "https://toulouse.example/actors/toulouse", object, "https://toulouse.example/objects/1", noon)
	if err != nil {
		t.Fatal(err)
	}
	acknowledged, err := r.Tell(essaim.Told{ID: "https://brest.example/activities/01JP", Verb: "Accept", Actor: territory, Author: "https://tourcoing.example/actors/tourcoing", Object: "https://tourcoing.example/activities/1"})
	if err != nil {
		t.Fatal(err)
	}
	notice, err := r.Tell(essaim.Told{
		ID: "https://brest.example/activities/01JF", Verb: "Flag", Actor: r.NodeActor(), Author: "https://tourcoing.example/actor", Object: "https://toulouse.example/objects/1",
		Digest: strings.Repeat("5e", 32), Text: "Demande fondée d’une personne nommée.", At: noon,
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, doc := range map[string][]byte{
		"notice.json": notice, "offer.json": offer, "accept-offer.json": acknowledged, "follow.json": follow, "accept.json": accept, "reject.json": reject, "undo.json": undo, "stamp.json": stamp, "accept-quote.json": quote, "ignore.json": ignore,
	} {
		if err := proof.Verify(doc, key); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		golden(t, name, doc)
	}
	if !bytes.Contains(accept, theirs) {
		t.Error("the Accept does not embed the Follow as it came")
	}
	if !bytes.Contains(follow, []byte(`"to":["https://toulouse.example/actor"]`)) {
		t.Errorf("to is not an array: %s", follow)
	}
	if _, err := r.Follow("not an address", r.NodeActor(), "https://toulouse.example/actor"); err == nil {
		t.Error("an activity without proper id was built")
	}
}

// A record of few words, as it is published and changed: the examples of
// FEDERATION.md.
func TestWhatIsPublishedAndChangedCarriesItsDocument(t *testing.T) {
	t.Parallel()
	r := testRenderer(t)
	key := r.key.Public().(ed25519.PublicKey)
	rec := essaim.Record{
		ID: "https://brest.example/objects/01JFOUR", Slug: "four-partage", Territory: "https://brest.example/actors/brest", TerritoryName: "Brest métropole",
		URL: "https://brest.example/lieux/four-partage", State: essaim.StatePublished, Incarnation: 1_767_225_600, Revision: 1, Published: noon, Updated: noon,
		Content: essaim.Content{Kind: essaim.KindVenue, Title: "Un four partagé", Tagline: "Cuire son pain ensemble", Language: "fr", Licence: "CC-BY-SA-4.0", Body: &essaim.Venue{}},
	}
	created, err := r.Render(request(rec, essaim.VerbCreate))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Parse(created.Document); err != nil || got.Holder != rec.TerritoryName {
		t.Errorf("who holds the rights of what names nobody: %q, %v, want the territory", got.Holder, err)
	}
	if !bytes.Contains(created.Document, []byte("CC BY-SA 4.0</a>, Brest métropole")) {
		t.Error("the whole text gives the licence without its holder")
	}
	rec.Revision, rec.Updated, rec.Tagline = 2, noon.Add(time.Hour), "Cuire son pain ensemble, le samedi"
	updated, err := r.Render(request(rec, essaim.VerbUpdate))
	if err != nil {
		t.Fatal(err)
	}
	for name, doc := range map[string][]byte{"create.json": created.Activity, "update.json": updated.Activity} {
		if err := proof.Verify(doc, key); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, f := range fedtest.Lint(doc) {
			t.Errorf("%s: %s", name, f)
		}
		golden(t, name, doc)
	}
	if !bytes.Contains(updated.Activity, updated.Document) {
		t.Error("the Update does not carry the document that is signed")
	}
}

// Every type that is built has a golden document that FEDERATION.md shows among
// what is sent.
func TestFederationDocumentHasAnExampleOfEveryTypeThatIsSent(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../FEDERATION.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## Activities sent\n")
	section, _, found := strings.Cut(section, "\n## Activities accepted\n")
	if !found {
		t.Fatal("FEDERATION.md has no part on what is sent")
	}
	shown := map[string]bool{}
	for _, m := range regexp.MustCompile(`<!-- federation/vocab/(testdata/\S+\.json) -->`).FindAllStringSubmatch(section, -1) {
		b, err := os.ReadFile(m[1])
		if err != nil {
			t.Fatal(err)
		}
		var a struct{ Type string }
		if err := json.Unmarshal(b, &a); err != nil {
			t.Fatal(err)
		}
		shown[a.Type] = true
	}
	built := 0
	for _, kind := range strings.Fields("Accept Add Announce Arrive Block Create Delete Dislike EmojiReact Flag Follow Ignore Invite Join Leave Like Listen Move Offer QuoteRequest Read Reject Remove TentativeAccept TentativeReject Travel Undo Update View") {
		if _, ok := newActivity(kind); !ok {
			continue
		}
		if built++; !shown[kind] {
			t.Errorf("%s is sent and has no example in FEDERATION.md", kind)
		}
		if !regexp.MustCompile(`(?m)^\|[^|]*\b` + kind + `\b`).MatchString(section) {
			t.Errorf("the table of FEDERATION.md does not name %s", kind)
		}
	}
	if built != 11 {
		t.Errorf("%d types are built, want 11", built)
	}
}

func TestSummaryNamesDateAndPlaceOfAMeeting(t *testing.T) {
	t.Parallel()
	place := essaim.Place{Label: "Maison pour tous", City: "Brest"}
	start := time.Date(2026, 3, 1, 13, 30, 0, 0, time.UTC)
	midnight := time.Date(2026, 2, 28, 23, 0, 0, 0, time.UTC) // in Paris
	for _, tt := range []struct {
		name, want string
		rec        essaim.Record
	}{
		{"French", "<p>On répare. Dimanche 1er\u00a0mars 2026, 14\u00a0h\u00a030 – 17\u00a0h, Maison pour tous, Brest.</p>", essaim.Record{Content: essaim.Content{
			Tagline: "On répare", Places: []essaim.Place{place}, Body: &essaim.Meeting{Start: start, End: start.Add(150 * time.Minute)},
		}}},
		{"English", "<p>Mending. Sunday 1\u00a0March 2026, 14:30, Maison pour tous, Brest.</p>", essaim.Record{Content: essaim.Content{
			Tagline: "Mending.", Language: "en", Places: []essaim.Place{place}, Body: &essaim.Meeting{Start: start},
		}}},
		{"cancelled", "<p>Annulée : dimanche 1er\u00a0mars 2026, 14\u00a0h\u00a030.</p>", essaim.Record{Content: essaim.Content{
			Body: &essaim.Meeting{Start: start, Status: "cancelled"},
		}}},
		{"a whole day", "<p>Dimanche 1er\u00a0mars 2026, Maison pour tous, Brest.</p>", essaim.Record{Content: essaim.Content{
			Places: []essaim.Place{place}, Body: &essaim.Meeting{Start: midnight, End: midnight.Add(24*time.Hour - time.Minute)},
		}}},
		{"whole days", "<p>Dimanche 1er\u00a0mars 2026 – mardi 3\u00a0mars 2026.</p>", essaim.Record{Content: essaim.Content{
			Body: &essaim.Meeting{Start: midnight, End: midnight.Add(72*time.Hour - time.Minute)},
		}}},
		{"a day without its hour", "<p>Dimanche 1er\u00a0mars 2026.</p>", essaim.Record{Content: essaim.Content{Body: &essaim.Meeting{Start: midnight}}}},
		{"no tagline", "<p>Un jardin & des poules.</p>", essaim.Record{Content: essaim.Content{Text: "Un **jardin** & des poules.\n\nSuite.", Body: &essaim.Initiative{}}}},
		{"nothing", "", essaim.Record{Content: essaim.Content{Body: &essaim.Venue{}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := strings.ReplaceAll(tt.want, " & ", " &amp; ")
			if got := summary(&tt.rec, language(&tt.rec), markup.Markdown); got != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

func TestHashtagsJoinWordsWithCapitals(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"circuits-courts": "CircuitsCourts", "jardin partagé": "JardinPartagé", "l’eau": "LEau", "2026": "", "": "", "tiers lieux 2026": "TiersLieux2026", "…": "",
	} {
		if got := hashtag(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func ExampleParse() {
	rec, err := Parse([]byte(`{"@context":"https://www.w3.org/ns/activitystreams","id":"https://toulouse.example/objects/1","type":"Event","essaim:kind":"meeting",
		"name":"Brest: jardin partagé","startTime":"2026-05-02T10:00:00+02:00","location":[{"type":"Place","name":"Recouvrance","latitude":"48.38","longitude":-4.5}]}`))
	fmt.Println(rec.Kind, rec.Title, rec.Places[0].Label, *rec.Places[0].Lat, err)
	// Output: meeting Brest: jardin partagé Recouvrance 48.38 <nil>
}
