// SPDX-License-Identifier: AGPL-3.0-or-later

package proof

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// The key pair and signed document of FEP-8b32's own scenario (CC0).
const (
	fepSecret = "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq"
	fepPublic = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
	fepMethod = "https://server.example/users/alice#ed25519-key"
)

func fepKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	raw, err := decodeBase58(fepSecret)
	if err != nil {
		t.Fatal(err)
	}
	// multicodec ed25519-priv is 0x1300.
	return ed25519.NewKeyFromSeed(raw[2:])
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSignGivesTheValueOfTheSpecification(t *testing.T) {
	t.Parallel()
	signed := readFile(t, "testdata/fep-8b32-signed.json")
	out, err := Sign(unsigned(t, signed), fepKey(t), fepMethod, time.Date(2023, 2, 24, 23, 36, 38, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	got, err := canonical(out.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	want, err := canonical(signed)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("signed document\n got %s\nwant %s", got, want)
	}
}

func TestVerifyAcceptsTheDocumentOfTheSpecification(t *testing.T) {
	t.Parallel()
	doc := readFile(t, "testdata/fep-8b32-signed.json")
	key, err := DecodeMultikey(fepPublic)
	if err != nil {
		t.Fatal(err)
	}
	if err := Verify(doc, key); err != nil {
		t.Errorf("got %v, want a valid proof", err)
	}
	p, err := Read(doc)
	if err != nil || p.VerificationMethod != fepMethod {
		t.Errorf("got method %q, %v, want %q", p.VerificationMethod, err, fepMethod)
	}
}

func newKey(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

const sample = `{"@context":["https://www.w3.org/ns/activitystreams","` + ContextURL + `",{"essaim":"https://w3id.org/essaim#"}],` +
	`"id":"https://brest.example/objects/1","type":"Article","name":"Réparer <ensemble> & durer","location":{"type":"Place","latitude":48.0,"longitude":-4.5e0}}`

// unsigned takes the proof, the last member, off a document.
func unsigned(t *testing.T, doc []byte) []byte {
	t.Helper()
	i := bytes.Index(doc, []byte(`"proof": {`))
	if i < 0 {
		t.Fatal("no proof at the end")
	}
	return append(bytes.TrimRight(bytes.Clone(doc[:i]), ", \n"), '}')
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestSignLeavesEveryOtherByteAlone(t *testing.T) {
	t.Parallel()
	out, err := Sign([]byte(sample), newKey(1), "https://brest.example/a#k", noon)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(out.Bytes[:len(sample)-1]), sample[:len(sample)-1]; got != want {
		t.Errorf("got %s\nwant prefix %s", got, want)
	}
	if err := Verify(out.Bytes, newKey(1).Public().(ed25519.PublicKey)); err != nil {
		t.Errorf("own proof: %v", err)
	}
	content, exact, err := Digests(out.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if content != out.ContentDigest || exact != out.CopyDigest {
		t.Errorf("signing says %s and %s, the bytes %s and %s", out.ContentDigest, out.CopyDigest, content, exact)
	}
	before, _, err := Digests([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	if content != before {
		t.Errorf("content digest changed by signing: got %s, want %s", content, before)
	}
	again, err := Sign([]byte(sample), newKey(2), "https://brest.example/a#k2", noon)
	if err != nil {
		t.Fatal(err)
	}
	content2, exact2, err := Digests(again.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if content2 != content || exact2 == exact {
		t.Errorf("another key: content %s → %s (want equal), copy %s → %s (want different)", content, content2, exact, exact2)
	}
}

func TestSignAroundGivesWhatSignGives(t *testing.T) {
	t.Parallel()
	key := newKey(1)
	inner, err := Sign([]byte(sample), key, "https://brest.example/a#k", noon)
	if err != nil {
		t.Fatal(err)
	}
	envelope := `{"@context":["https://www.w3.org/ns/activitystreams"],"type":"Create"`
	want, err := Sign([]byte(envelope+`,"object":`+string(inner.Bytes)+`}`), key, "https://brest.example/a#k", noon)
	if err != nil {
		t.Fatal(err)
	}
	got, err := SignAround([]byte(envelope+`}`), inner, key, "https://brest.example/a#k", noon)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes) {
		t.Errorf("got  %s\nwant %s", got, want.Bytes)
	}
	for _, taken := range []string{"object", "proof"} {
		if got, err := SignAround([]byte(envelope+`,"`+taken+`":"x"}`), inner, key, "https://brest.example/a#k", noon); !errors.Is(err, ErrMalformed) {
			t.Errorf("an envelope with %s: got %s, %v, want %v", taken, got, err, ErrMalformed)
		}
	}
}

func TestSplitAgreesWithTheStandardLibrary(t *testing.T) {
	t.Parallel()
	doc := []byte(" {\n\"a\" : 1 ,\"b\\\"\":[1, {\"x\":\"]}\"}] ,\t\"\u00e9\":null,\"c\":{ },\"d\":-1.5e3\n} ")
	list, end, err := split(doc)
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]json.RawMessage
	if err := json.Unmarshal(doc, &want); err != nil {
		t.Fatal(err)
	}
	if len(list) != len(want) || end != len(doc)-3 {
		t.Errorf("got %d members to %d, want %d to %d", len(list), end, len(want), len(doc)-3)
	}
	for _, m := range list {
		if got := string(m.value); got != string(want[string(m.name.text)]) {
			t.Errorf("%q: got %q, want %q", m.name.text, got, want[string(m.name.text)])
		}
	}
}

// FuzzForm holds our shorter way to the canonical form against the library's.
func FuzzForm(f *testing.F) {
	for _, doc := range []string{
		sample, `{"b":[1,-0,0,1e2,1.50,123456789012345678,"é\u00e9\n","\u2028",true,null,{"z":{},"a":[ ]}],"a":{"\u20ac":1,"\r":2,"1":3}}`,
		`{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":[[[[[[[[1 , 2]]]]]]]]}}}}}}}}`, `{"a":{"x":1,"x":2}}`, "{\"a\":\"\x7f\xff\"}", `{"a":"\ud800"}`,
		`{"@context":[ "b",{"z":1,"a":2}],"proof":{"@context":[ "b",{"z":1,"a":2}]},"x":{"@context":["b"]}}`, `{"@context":1,"a":{"@context":12}}`,
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		list, _, err := split(doc)
		if err != nil {
			return
		}
		got, err := object(list)
		want, wantErr := canonical(doc)
		if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got, want) {
			t.Errorf("%s: got %s, %v, want %s, %v", doc, got, err, want, wantErr)
		}
	})
}

func TestVerifyRefusesWhatWasChanged(t *testing.T) {
	t.Parallel()
	key := newKey(1)
	public := key.Public().(ed25519.PublicKey)
	out, err := Sign([]byte(sample), key, "https://brest.example/a#k", noon)
	if err != nil {
		t.Fatal(err)
	}
	signed := string(out.Bytes)
	replace := func(from, to string) string {
		if !strings.Contains(signed, from) {
			t.Fatalf("%q not in the document", from)
		}
		return strings.Replace(signed, from, to, 1)
	}
	for _, tt := range []struct {
		name, doc string
		key       ed25519.PublicKey
		want      error
	}{
		{"untouched", signed, public, nil},
		{"white space", strings.ReplaceAll(signed, `,"`, `, "`), public, nil},
		{"number spelt otherwise", replace("48.0", "48"), public, nil},
		{"a foreign linked-data signature", replace(`"type":"Article"`, `"type":"Article","signature":{"a":1}`), public, nil},
		{"one letter", replace("durer", "Durer"), public, ErrInvalid},
		{"member added", replace(`"type":"Article"`, `"type":"Article","x":1`), public, ErrInvalid},
		{"date of the proof", replace("2026-03-01T12", "2026-03-02T12"), public, ErrInvalid},
		{"method of the proof", replace("a#k", "a#j"), public, ErrInvalid},
		{"another key", signed, newKey(2).Public().(ed25519.PublicKey), ErrInvalid},
		{"a short key", signed, public[:31], ErrInvalid},
		{"another suite", replace(Suite, "eddsa-rdfc-2022"), public, ErrUnsupported},
		{"another purpose", replace(`"assertionMethod"`, `"authentication"`), public, ErrUnsupported},
		{"an array of proofs", replace(`"proof":{`, `"proof":[{`)[:len(signed)] + "]}", public, ErrUnsupported},
		{"a repeated member", replace(`"type":"Article"`, `"type":"Article","type":"Note"`), public, ErrMalformed},
		{"no proof", sample, public, ErrNone},
		{"not an object", `[1]`, public, ErrMalformed},
		{"text after", signed + "x", public, ErrMalformed},
		{"cut", signed[:len(signed)-2], public, ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Verify([]byte(tt.doc), tt.key); !errors.Is(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestVerifyWantsTheProofContextFirst(t *testing.T) {
	t.Parallel()
	key := newKey(3)
	out, err := Sign([]byte(sample), key, "https://brest.example/a#k", noon)
	if err != nil {
		t.Fatal(err)
	}
	// A context put before those that were signed changes what the terms mean.
	moved := strings.Replace(string(out.Bytes), `"@context":[`, `"@context":["https://evil.example/context",`, 1)
	if got := Verify([]byte(moved), key.Public().(ed25519.PublicKey)); !errors.Is(got, ErrInvalid) {
		t.Errorf("got %v, want %v", got, ErrInvalid)
	}
}

func TestSignRefusesDocumentsThatPeersWouldRefuse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, doc string }{
		{"context as a string", `{"@context":"https://www.w3.org/ns/activitystreams","id":"x"}`},
		{"no context", `{"id":"x"}`},
		{"signed already", `{"@context":["x"],"proof":{}}`},
		{"not an object", `"x"`},
		{"empty", ``},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if out, err := Sign([]byte(tt.doc), newKey(1), "k", noon); !errors.Is(err, ErrMalformed) {
				t.Errorf("got %s, %v, want %v", out.Bytes, err, ErrMalformed)
			}
		})
	}
}

func TestMultikeyRoundTrip(t *testing.T) {
	t.Parallel()
	want := fepKey(t).Public().(ed25519.PublicKey)
	if got := EncodeMultikey(want); got != fepPublic {
		t.Errorf("got %s, want %s", got, fepPublic)
	}
	got, err := DecodeMultikey(fepPublic)
	if err != nil || !got.Equal(want) {
		t.Errorf("got %x, %v, want %x", got, err, want)
	}
	if got, want := KeyFragment(want), "ed25519-z6MkrJVn"; got != want {
		t.Errorf("got fragment %s, want %s", got, want)
	}
	for _, bad := range []string{"", "z", "6MkrJVn", "z0OIl", fepPublic[:20], fepSecret, "z" + strings.Repeat("1", 300), "uAAAA"} {
		if key, err := DecodeMultikey(bad); !errors.Is(err, ErrKey) {
			t.Errorf("%q: got %x, %v, want %v", bad, key, err, ErrKey)
		}
	}
}

func TestBase58KeepsLeadingZeros(t *testing.T) {
	t.Parallel()
	for _, want := range [][]byte{{0}, {0, 0, 1}, {255, 0}, {}} {
		got, err := decodeBase58(encodeBase58(want))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
}
