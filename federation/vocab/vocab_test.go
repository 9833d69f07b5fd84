// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"essaim"
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

// TestEveryKindRoundTrips holds that nothing of a record that may leave the
// node is lost on the wire, and that every kind of the table has its terms.
func TestEveryKindRoundTrips(t *testing.T) {
	t.Parallel()
	r := testRenderer(t)
	for _, info := range essaim.Kinds() {
		t.Run(string(info.Kind), func(t *testing.T) {
			t.Parallel()
			if kinds[info.Kind] == nil {
				t.Fatalf("kind %s has no terms", info.Kind)
			}
			rec := fullRecord(t, info)
			requireFilled(t, reflect.ValueOf(rec), "Record", map[string]bool{
				"Record.Number": true, "Record.ContentDigest": true, "Record.CopyDigest": true, "Record.Origin": true, "Record.Content.Contacts": true,
			})
			out, err := r.Render(request(rec, essaim.VerbCreate))
			if err != nil {
				t.Fatal(err)
			}
			got, err := Parse(out.Document)
			if err != nil {
				t.Fatal(err)
			}
			want := rec
			want.Origin, want.Contacts = "brest.example", nil
			for i := range want.Credits {
				if c := want.Credits[i].Consent; c != nil {
					want.Credits[i].Consent = &essaim.Consent{On: "2026-03-02", How: "origin", Fields: []string{"name", "role"}}
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("round trip (-want +got)\n%s", diff)
			}
			golden(t, string(info.Kind)+".json", out.Document)
			golden(t, string(info.Kind)+"-create.json", out.Activity)
		})
	}
}

// requireFilled fails for a field left empty, so that a field added to the
// trade's words cannot be forgotten here.
func requireFilled(t *testing.T, v reflect.Value, path string, except map[string]bool) {
	t.Helper()
	if except[path] {
		return
	}
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			t.Errorf("%s is empty in the test record", path)
			return
		}
		requireFilled(t, v.Elem(), path, except)
	case reflect.Struct:
		if _, ok := v.Interface().(time.Time); ok {
			break
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				requireFilled(t, v.Field(i), path+"."+v.Type().Field(i).Name, except)
			}
		}
		return
	case reflect.Slice:
		if v.Len() > 0 && v.Index(0).Kind() == reflect.Struct {
			requireFilled(t, v.Index(0), path+"[0]", except)
		}
	}
	if v.IsZero() {
		t.Errorf("%s is empty in the test record", path)
	}
}

func TestDocumentsPassThePeersRules(t *testing.T) {
	t.Parallel()
	r := testRenderer(t)
	key := r.key.Public().(ed25519.PublicKey)
	for _, info := range essaim.Kinds() {
		t.Run(string(info.Kind), func(t *testing.T) {
			t.Parallel()
			rec := fullRecord(t, info)
			rec.Places[0].Lat, rec.Places[0].Lon = essaim.Point(48, -4)
			rec.Updated = rec.Published.Add(-time.Hour)
			out, err := r.Render(request(rec, essaim.VerbUpdate))
			if err != nil {
				t.Fatal(err)
			}
			for name, doc := range map[string][]byte{"document": out.Document, "activity": out.Activity} {
				if err := proof.Verify(doc, key); err != nil {
					t.Errorf("proof of the %s: %v", name, err)
				}
			}
			if !bytes.Contains(out.Activity, out.Document) {
				t.Error("the activity does not embed the document's exact bytes")
			}
			// Mobilizon's is_float drops a point written 48.
			if !bytes.Contains(out.Document, []byte(`"latitude":48.0,"longitude":-4.0`)) {
				t.Error("coordinates are not written as floats")
			}
			var d struct {
				Context            []any           `json:"@context"`
				Type, URL, Content string          // single strings
				Published, Updated time.Time       // GoToSocial wants published ≤ updated
				Location           map[string]any  // Mobilizon: one object
				Image              map[string]any  // Lemmy: one object
				Likes, Shares      string          // addresses, never embedded
				Language           json.RawMessage // Lemmy refuses a string here
				ContentMap         map[string]string
			}
			if err := json.Unmarshal(out.Document, &d); err != nil {
				t.Fatal(err)
			}
			if d.Context[0] != activityStreams || d.Type != info.Type || d.Updated.Before(d.Published) || d.Language != nil {
				t.Errorf("got context %v, type %s, published %s, updated %s, language %s", d.Context[0], d.Type, d.Published, d.Updated, d.Language)
			}
			if got := markup.Sanitize(d.Content); got != d.Content {
				t.Errorf("content leaves the allow-list\n got %s\nwant %s", d.Content, got)
			}
			if d.ContentMap["fr"] != d.Content {
				t.Error("contentMap differs from content")
			}
			contextsAreBundled(t, out.Activity)
			if bytes.Contains(out.Document, []byte(`\u003c`)) {
				t.Error("HTML is escaped")
			}
		})
	}
}

// contextsAreBundled: Friendica loses a message whose context it must fetch.
func contextsAreBundled(t *testing.T, doc []byte) {
	t.Helper()
	var d struct {
		Context []any `json:"@context"`
		Object  struct {
			Context []any `json:"@context"`
		}
	}
	if err := json.Unmarshal(doc, &d); err != nil {
		t.Fatal(err)
	}
	for _, c := range append(d.Context, d.Object.Context...) {
		if s, ok := c.(string); ok && s != activityStreams && s != securityV1 && s != proof.ContextURL {
			t.Errorf("context %s is not one that every peer bundles", s)
		}
	}
}

func TestEveryMemberIsDefinedInTheContext(t *testing.T) {
	t.Parallel()
	r := testRenderer(t)
	core := map[string]bool{}
	for _, s := range strings.Fields(`@context @id @type @container id type attributedTo name nameMap summary summaryMap content contentMap mediaType
		source url published updated to cc tag attachment image location replies likes shares context startTime endTime href width height
		latitude longitude address proof kind role fromStage toStage since person text until label value unit date tip trap by on fetched key rna siren actor object fr cryptosuite verificationMethod proofPurpose proofValue created formerType deleted isOnline`) {
		core[s] = true
	}
	for _, info := range essaim.Kinds() {
		out, err := r.Render(request(fullRecord(t, info), essaim.VerbCreate))
		if err != nil {
			t.Fatal(err)
		}
		var d map[string]any
		if err := json.Unmarshal(out.Document, &d); err != nil {
			t.Fatal(err)
		}
		defined := d["@context"].([]any)[2].(map[string]any)
		if defined["@vocab"] != essaim.Namespace {
			t.Fatalf("got @vocab %v, want %s", defined["@vocab"], essaim.Namespace)
		}
		delete(d, "@context")
		delete(d, "proof")
		walk(d, func(name string) {
			prefix, _, prefixed := strings.Cut(name, ":")
			if !prefixed {
				prefix = name
			}
			// address and isOnline come from the peers' own practice.
			if defined[prefix] == nil && !core[name] {
				t.Errorf("%s: %q is in no context", info.Kind, name)
			}
		})
	}
}

func walk(v any, visit func(string)) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			visit(name)
			walk(member, visit)
		}
	case []any:
		for _, item := range v {
			walk(item, visit)
		}
	}
}

func TestALongRecordFitsThroughAPeersGate(t *testing.T) {
	t.Parallel()
	r := testRenderer(t)
	rec := typical()
	rec.Text = strings.Repeat("Un paragraphe. ", 50_000/15)
	out, err := r.Render(request(rec, essaim.VerbCreate))
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Activity) > 256<<10 || bytes.Contains(out.Document, []byte(`"contentMap"`)) {
		t.Errorf("got %d bytes", len(out.Activity))
	}
	if got, err := Parse(out.Document); err != nil || got.Text != rec.Text {
		t.Errorf("the text was lost: %v", err)
	}
	rec.Text = strings.Repeat("<", 60_000)
	rec.Body = &essaim.Venue{Access: strings.Repeat("&", 5_000)}
	if _, err := r.Render(request(rec, essaim.VerbCreate)); !errors.Is(err, essaim.ErrInvalid) {
		t.Errorf("too large: got %v, want %v", err, essaim.ErrInvalid)
	}
}

func TestTheSameRequestGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	info, _ := essaim.KindMeeting.Info()
	a, err := testRenderer(t).Render(request(fullRecord(t, info), essaim.VerbCreate))
	if err != nil {
		t.Fatal(err)
	}
	b, err := testRenderer(t).Render(request(fullRecord(t, info), essaim.VerbCreate))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Document, b.Document) || !bytes.Equal(a.Activity, b.Activity) {
		t.Error("two renderings of one request differ")
	}
}

func TestDeleteGivesATombstoneWithoutContent(t *testing.T) {
	t.Parallel()
	r := testRenderer(t)
	info, _ := essaim.KindInitiative.Info()
	full := fullRecord(t, info)
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

func TestANaturalPersonWithoutConsentStaysOut(t *testing.T) {
	t.Parallel()
	info, _ := essaim.KindInitiative.Info()
	rec := fullRecord(t, info)
	rec.Credits = []essaim.Credit{{Name: "Personne sans accord", Role: "porteur", Person: true}}
	rec.Contacts = []essaim.Contact{{Kind: "email", Value: "secret@brest.example"}}
	out, err := testRenderer(t).Render(request(rec, essaim.VerbCreate))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"Personne sans accord", "secret@brest.example"} {
		if bytes.Contains(out.Activity, []byte(secret)) {
			t.Errorf("%q left the node", secret)
		}
	}
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
	for name, doc := range map[string][]byte{"follow.json": follow, "accept.json": accept, "undo.json": undo} {
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

func TestActorsCarryBothKeysAsTheirOwn(t *testing.T) {
	t.Parallel()
	r := testRenderer(t)
	key := r.key.Public().(ed25519.PublicKey)
	application, err := r.Application(false)
	if err != nil {
		t.Fatal(err)
	}
	territory, err := r.Territory()
	if err != nil {
		t.Fatal(err)
	}
	for name, doc := range map[string][]byte{"actor-application.json": application, "actor-territory.json": territory} {
		if err := proof.Verify(doc, key); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		golden(t, name, doc)
		contextsAreBundled(t, doc)
		var a struct {
			ID        string
			PublicKey struct{ ID, Owner string }
			Assertion []struct{ ID, Controller, PublicKeyMultibase string } `json:"assertionMethod"`
		}
		if err := json.Unmarshal(doc, &a); err != nil {
			t.Fatal(err)
		}
		if a.PublicKey.Owner != a.ID || a.PublicKey.ID != a.ID+"#main-key" {
			t.Errorf("%s: got key %+v, want that of %s", name, a.PublicKey, a.ID)
		}
		if got, err := proof.DecodeMultikey(a.Assertion[0].PublicKeyMultibase); err != nil || !got.Equal(key) || a.Assertion[0].ID != r.ProofKeyID(a.ID) {
			t.Errorf("%s: got %+v, %v", name, a.Assertion, err)
		}
	}
}

func TestSummaryNamesDateAndPlaceOfAMeeting(t *testing.T) {
	t.Parallel()
	place := essaim.Place{Label: "Maison pour tous", City: "Brest"}
	start := time.Date(2026, 3, 1, 13, 30, 0, 0, time.UTC)
	for _, tt := range []struct {
		name, want string
		rec        essaim.Record
	}{
		{"French", "<p>On répare. Dimanche 1er mars 2026, 14\u00a0h\u00a030 – 17\u00a0h, Maison pour tous, Brest.</p>", essaim.Record{Content: essaim.Content{
			Tagline: "On répare", Places: []essaim.Place{place}, Body: &essaim.Meeting{Start: start, End: start.Add(150 * time.Minute)},
		}}},
		{"English", "<p>Mending. Sunday 1 March 2026, 14:30, Maison pour tous, Brest.</p>", essaim.Record{Content: essaim.Content{
			Tagline: "Mending.", Language: "en", Places: []essaim.Place{place}, Body: &essaim.Meeting{Start: start},
		}}},
		{"cancelled", "<p>Annulé : dimanche 1er mars 2026, 14\u00a0h\u00a030.</p>", essaim.Record{Content: essaim.Content{
			Body: &essaim.Meeting{Start: start, Status: "cancelled"},
		}}},
		{"no tagline", "<p>Un jardin & des poules.</p>", essaim.Record{Content: essaim.Content{Text: "Un **jardin** & des poules.\n\nSuite.", Body: &essaim.Initiative{}}}},
		{"nothing", "", essaim.Record{Content: essaim.Content{Body: &essaim.Venue{}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := strings.ReplaceAll(tt.want, " & ", " &amp; ")
			if got := summary(&tt.rec, language(&tt.rec)); got != want {
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

func BenchmarkRender(b *testing.B) {
	r := testRenderer(b)
	info, _ := essaim.KindInitiative.Info()
	rec := fullRecord(b, info)
	for b.Loop() {
		if _, err := r.Render(request(rec, essaim.VerbCreate)); err != nil {
			b.Fatal(err)
		}
	}
}

// typical is a record as imports and people write most of them.
func typical() essaim.Record {
	lat, lon := essaim.Point(48.3828, -4.5032)
	return essaim.Record{
		ID: "https://brest.example/objects/01j", Slug: "espace-x", Territory: "https://brest.example/actors/brest", TerritoryName: "Brest",
		URL: "https://brest.example/lieux/espace-x", State: essaim.StatePublished, Incarnation: 1, Revision: 1, Published: noon, Updated: noon,
		Content: essaim.Content{
			Kind: essaim.KindVenue, Title: "Espace public numérique", Text: strings.Repeat("On y apprend à se servir d’un ordinateur. ", 6),
			Places:  []essaim.Place{{Street: "2 rue de l’Exemple", Postcode: "29200", City: "Brest", INSEE: "29019", Lat: lat, Lon: lon}},
			Licence: "odbl-1.0", Holder: "Médiation numérique", Sources: []essaim.Source{{URL: "https://source.example/1", Name: "Source"}},
			Body: &essaim.Venue{Services: []string{"accompagnement"}, OpeningHours: []string{"Mo-Fr 09:00-12:00"}},
		},
	}
}

func BenchmarkRenderTypical(b *testing.B) {
	r := testRenderer(b)
	rec := typical()
	for b.Loop() {
		if _, err := r.Render(request(rec, essaim.VerbCreate)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseTypical(b *testing.B) {
	out, err := testRenderer(b).Render(request(typical(), essaim.VerbCreate))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(len(out.Document)), "bytes")
	for b.Loop() {
		if _, err := Parse(out.Document); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	info, _ := essaim.KindInitiative.Info()
	out, err := testRenderer(b).Render(request(fullRecord(b, info), essaim.VerbCreate))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(len(out.Document)), "bytes")
	for b.Loop() {
		if _, err := Parse(out.Document); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleParse() {
	rec, err := Parse([]byte(`{"@context":"https://www.w3.org/ns/activitystreams","id":"https://mobilizon.example/e/1","type":"Event",
		"name":"Brest: jardin partagé","startTime":"2026-05-02T10:00:00+02:00","location":[{"type":"Place","name":"Recouvrance","latitude":"48.38","longitude":-4.5}]}`))
	fmt.Println(rec.Kind, rec.Title, rec.Places[0].Label, *rec.Places[0].Lat, err)
	// Output: meeting Brest: jardin partagé Recouvrance 48.38 <nil>
}
