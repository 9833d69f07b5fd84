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
	"essaim/federation/fedtest"
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
			rec := fedtest.FullRecord(t, info)
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
			rec := fedtest.FullRecord(t, info)
			rec.Places[0].Lat, rec.Places[0].Lon = essaim.Point(48, -4)
			rec.Places[1].Lat, rec.Places[1].Lon = essaim.Point(48.123456789012, -4.1)
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
			for _, f := range fedtest.Lint(out.Activity) {
				t.Error(f)
			}
			var d struct{ Content string }
			if err := json.Unmarshal(out.Document, &d); err != nil {
				t.Fatal(err)
			}
			if got, want := markup.Sanitize(d.Content), strings.ReplaceAll(d.Content, ` class="mention"`, ""); got != want {
				t.Errorf("content leaves the allow-list\n got %s\nwant %s", got, want)
			}
			if bytes.Contains(out.Document, []byte(`\u003c`)) {
				t.Error("HTML is escaped")
			}
		})
	}
}

func TestALongRecordFitsThroughEveryGate(t *testing.T) {
	t.Parallel()
	r := testRenderer(t)
	for _, size := range []int{10_000, 30_000, 50_000} {
		rec := typical()
		rec.Text = strings.Repeat("Un <p>. ", size/8)
		if p := rec.Validate(true); len(p) > 0 {
			t.Fatalf("a text of %d characters: %v", size, p)
		}
		out, err := r.Render(request(rec, essaim.VerbCreate))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fedtest.Lint(out.Activity) {
			t.Errorf("a text of %d characters: %s", size, f)
		}
		if got, err := Parse(out.Document); err != nil || got.Text != rec.Text {
			t.Errorf("the text was lost: %v", err)
		}
	}
	rec := typical()
	rec.Text = strings.Repeat("é", 50_000)
	if _, err := r.Render(request(rec, essaim.VerbCreate)); !errors.Is(err, essaim.ErrInvalid) || rec.Validate(true)["text"] == "" {
		t.Errorf("too large: got %v and %v, want %v", err, rec.Validate(true), essaim.ErrInvalid)
	}
}

func TestTheSameRequestGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	info, _ := essaim.KindMeeting.Info()
	a, err := testRenderer(t).Render(request(fedtest.FullRecord(t, info), essaim.VerbCreate))
	if err != nil {
		t.Fatal(err)
	}
	b, err := testRenderer(t).Render(request(fedtest.FullRecord(t, info), essaim.VerbCreate))
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
	rec := fedtest.FullRecord(t, info)
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
