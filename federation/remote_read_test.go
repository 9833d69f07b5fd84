// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"strings"
	"testing"
)

func TestAUserNameCannotLookLikeAnotherHosts(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"ana": true, "Ana_1": true, "ana.b-c": true, "éléonore": true, "": true,
		"ana@known.example": false, "ana b": false, "ana/b": false, "a\u202eb": false, "a\nb": false, "<b>": false,
		strings.Repeat("a", 300): false,
	} {
		if got := userName(name) == name; got != want {
			t.Errorf("%q taken %v, want %v", name, got, want)
		}
	}
}
