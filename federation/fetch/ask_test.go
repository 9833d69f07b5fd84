// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"essaim"
)

func TestTheOtherSignatureIsTriedOnceAndRemembered(t *testing.T) {
	t.Parallel()
	var asked []string
	takes, refusal := "other", http.StatusUnauthorized
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		signed := r.Header.Get("X-Signed")
		asked = append(asked, signed)
		if signed != takes {
			w.WriteHeader(refusal)
			return
		}
		_, _ = io.WriteString(w, "ok")
	})
	sign := func(as string) func(*http.Request, []byte) error {
		return func(r *http.Request, _ []byte) error { r.Header.Set("X-Signed", as); return nil }
	}
	c := client(t, Config{AllowPrivate: loopback, Sign: sign("first"), SignOther: sign("other")})
	get := func(want error, wantAsked ...string) {
		t.Helper()
		asked = nil
		_, err := c.Get(t.Context(), s.URL+"/x", "*/*", false)
		if !errors.Is(err, want) || !slices.Equal(asked, wantAsked) {
			t.Errorf("got %v, signed %s; want %v, %s", err, strings.Join(asked, " "), want, strings.Join(wantAsked, " "))
		}
	}
	get(nil, "first", "other")
	get(nil, "other")
	takes = "first"
	get(nil, "other", "first")
	get(nil, "first")
	ctx := Bounded(t.Context(), 3)
	takes = "none" // each counts, for what one input may make us ask
	for _, want := range []error{essaim.ErrForbidden, essaim.ErrForbidden, essaim.ErrInvalid} {
		if _, err := c.Get(ctx, s.URL+"/x", "*/*", false); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	if want := []string{"first", "first", "other", "first"}; !slices.Equal(asked, want) {
		t.Errorf("asked %s, want %s", asked, want)
	}
	takes, refusal = "other", http.StatusBadRequest
	get(nil, "first", "other")
	takes = "none"
	get(essaim.ErrInvalid, "other", "first")
	refusal = http.StatusForbidden // blocked here: no signature helps
	get(essaim.ErrForbidden, "other")
	c.other.set("a.example", true)
	for i := range maxHosts + 10 {
		c.other.set(fmt.Sprint(i, ".example"), true)
	}
	if len(c.other.hosts) > maxHosts {
		t.Errorf("%d hosts remembered", len(c.other.hosts))
	}
}
