// SPDX-License-Identifier: AGPL-3.0-or-later

package wire

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"essaim"
)

func TestWhatStandsInADocumentIsReadAsByItself(t *testing.T) {
	t.Parallel()
	many := func(n int) string { return strings.Repeat(`"x",`, n) + `"x"` }
	for _, item := range []string{
		`{}`, `{"a":{"b\u0041":[1,{"c":"é\n"},null]},"":true,"a\nb":"x"}`, ` { "a" : [ ] } `, `"text"`, `[{}]`, `{"a":[` + many(255) + `]}`, `{"a":[` + many(256) + `]}`,
	} {
		for _, form := range []string{`{"z":"é","items":[0,%s]}`, `{"items":{"in\"ner":%s}}`} {
			d, err := Parse([]byte(fmt.Sprintf(form, item)), Collection)
			if err != nil {
				t.Fatal(err)
			}
			v := d.Get("items").Get(`in"ner`)
			if v.Kind() == KindNone {
				for v = range d.Get("items").Elements() { // the last
				}
			}
			got, gotErr := v.document(Limits{})
			want, wantErr := Parse(v.Raw(), Limits{})
			if (gotErr == nil) != (wantErr == nil) || gotErr != nil && !errors.Is(gotErr, essaim.ErrInvalid) {
				t.Errorf("%s: got %v, want %v", item, gotErr, wantErr)
			}
			if wantErr == nil && (!slices.Equal(got.nodes, want.nodes) || string(got.raw) != string(want.raw)) {
				t.Errorf("%s: got %v, want %v", item, got.nodes, want.nodes)
			}
		}
	}
}
