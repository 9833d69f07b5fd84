// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim_test

import (
	"testing"

	"essaim"
)

func TestAPartialDateReadsAsPeopleWriteIt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ date, french, english string }{
		{"2003", "2003", "2003"},
		{"2006-03", "mars 2006", "March 2006"},
		{"2006-03-26", "26\u00a0mars 2006", "26\u00a0March 2006"},
		{"2006-04-01", "1er\u00a0avril 2006", "1\u00a0April 2006"},
		{"2006-02-30", "2006-02-30", "2006-02-30"},
		{"été 2006", "été 2006", "été 2006"},
		{"", "", ""},
	} {
		for lang, want := range map[string]string{"fr": tt.french, "en": tt.english, "br": tt.french} {
			if got := essaim.PartialDateInWords(tt.date, lang); got != want {
				t.Errorf("%q in %s: got %q, want %q", tt.date, lang, got, want)
			}
		}
	}
}
