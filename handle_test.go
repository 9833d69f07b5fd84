// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim_test

import (
	"errors"
	"testing"

	"essaim"
)

func TestHandlesAreReadAsPeopleTypeThem(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"@ana@m.example": "@ana@m.example", "ana@M.example": "@ana@m.example", "acct:ana.b-c_d@m.example": "@ana.b-c_d@m.example",
		"m.example": "m.example", "m.example/": "m.example", "https://m.example/@ana": "@ana@m.example", "https://m.example/users/ana": "@ana@m.example",
		"https://m.example/": "m.example", "https://m.example/@ana?x=1": "@ana@m.example", "127.0.0.1:8080": "127.0.0.1:8080", "@Brest@127.0.0.1:8080": "@Brest@127.0.0.1:8080",
		"m.example:443": "m.example",
	} {
		if got, err := essaim.ParseHandle(" " + in + "\n"); err != nil || got.String() != want {
			t.Errorf("%q: got %q, %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "ana", "@ana@", "@@m.example", "ana@m.example/path", "ana@m.example@other.example", "a b@m.example", "ana@m.example?x", "ftp://m.example/@ana",
		"https://m.example/@ana/2", "ana@user:pass@m.example", "ana@m.exa mple", "https://a@m.example/", "é@m.example",
	} {
		if got, err := essaim.ParseHandle(in); !errors.Is(err, essaim.ErrInvalid) {
			t.Errorf("%q: got %+v, %v, want it refused", in, got, err)
		}
	}
}

// FuzzParseHandle holds that what is read is read the same when written, and
// that its host is one that an address may have.
func FuzzParseHandle(f *testing.F) {
	for _, s := range []string{"@ana@m.example", "https://m.example/@ana", "m.example:8080", "acct:a@b.c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h, err := essaim.ParseHandle(s)
		if err != nil {
			return
		}
		if again, err := essaim.ParseHandle(h.String()); err != nil || again != h {
			t.Errorf("%q: %q is read as %q, %v", s, h, again, err)
		}
		if iri, err := essaim.ParseIRI("https://" + h.Host); err != nil || iri.Host() != h.Host {
			t.Errorf("%q: host %q", s, h.Host)
		}
	})
}
