// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim_test

import (
	"errors"
	"testing"

	"essaim"
)

func TestWhomAMeasureIsOf(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]struct {
		scope essaim.MeasureScope
		value string
	}{
		"evil.example":                          {essaim.MeasureHost, "evil.example"},
		" Evil.Example. ":                       {essaim.MeasureHost, "evil.example"},
		"*.evil.example":                        {essaim.MeasureHost, "evil.example"},
		"evil.example:8443":                     {essaim.MeasureHost, "evil.example:8443"},
		"https://evil.example":                  {essaim.MeasureHost, "evil.example"},
		"https://EVIL.example/":                 {essaim.MeasureHost, "evil.example"},
		"https://evil.example/users/troll":      {essaim.MeasureActor, "https://evil.example/users/troll"},
		"https://evil.example/?author=2":        {essaim.MeasureActor, "https://evil.example/?author=2"},
		"":                                      {},
		"*.":                                    {},
		"no host":                               {},
		"@troll@evil.example":                   {},
		"evil.example/users/troll":              {},
		"javascript://evil.example/users/troll": {},
		"https:///users/troll":                  {},
		"evil.example?x":                        {},
		"nonsense://evil.example":               {},
		"evil..example":                         {},
		"еvil.example":                          {essaim.MeasureHost, "xn--vil-qdd.example"}, // with a Cyrillic letter
	} {
		scope, value, err := essaim.MeasureSubject(in)
		if scope != want.scope || value != want.value || (err == nil) != (want.value != "") || err != nil && !errors.Is(err, essaim.ErrInvalid) {
			t.Errorf("%q: %s %q, %v; want %s %q", in, scope, value, err, want.scope, want.value)
		}
	}
}
