// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim_test

import (
	"fmt"
	"testing"

	"essaim"
)

func TestHandlesAreFoundInATextAndMailAddressesAreNot(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Avec @ana@m.example et @Bob.b@sub.m.example:8080.": "[@ana@m.example @Bob.b@sub.m.example:8080]",
		"@ana@m.example, @ANA@M.example":                    "[@ana@m.example]",
		"(@ana@m.example)":                                  "[@ana@m.example]",
		"contact@atelier.example":                           "[]",
		"voir https://m.example/@ana@other.example":         "[]",
		"@ana, @@m.example et @ana@local":                   "[]",
		"« @ana@m.example »\n@bea@m.example":                "[@ana@m.example @bea@m.example]",
	} {
		c := essaim.Content{Text: text}
		if got := fmt.Sprint(c.Handles()); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
	long := essaim.Content{}
	for i := range 30 {
		long.Text += fmt.Sprintf("@ana%d@m.example ", i)
	}
	if n := len(long.Handles()); n != 10 {
		t.Errorf("%d accounts are called at once", n)
	}
}
