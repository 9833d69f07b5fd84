// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"essaim"
	"essaim/federation/proof"
	"essaim/web/markup"
)

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
