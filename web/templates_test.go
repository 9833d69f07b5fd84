// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"essaim"
	"essaim/store/storetest"

	"github.com/jba/templatecheck"
)

// What no page shown in a test reaches, a branch for an error or for a right,
// names no field that its page lacks either.
func TestTemplatesNameWhatTheirPagesHave(t *testing.T) {
	t.Parallel()
	pages := map[string]page{
		"accessibility": &TextPage{}, "legal": &TextPage{}, "account": &AccountPage{}, "booklet": &BookletPage{}, "confirm": &ConfirmPage{}, "consent": &ConsentPage{},
		"copies": &CopiesPage{}, "error": &ErrorPage{}, "embed": &EmbedPage{}, "follow": &FollowPage{}, "frame": &FramePage{}, "history": &HistoryPage{}, "home": &HomePage{},
		"lineage": &LineagePage{}, "list": &ListPage{}, "network": &NetworkPage{}, "people": &PeoplePage{}, "person": &PersonPage{},
		"signin": &SignInPage{}, "vocabulary": &VocabularyPage{}, "withdraw": &WithdrawPage{}, "withdrawal": &WithdrawalPage{},
	}
	pages["index"], pages["subject"] = &IndexPage{}, &SubjectPage{}
	pages["dumps"], pages["report"], pages["receipt"] = &DumpsPage{}, &ReportPage{}, &ReceiptPage{}
	for _, k := range essaim.Kinds() {
		pages[kindTemplate(k.Kind)], pages[formTemplate(k.Kind)] = &RecordPage{}, &FormPage{}
	}
	s := newSite(t, storetest.SQLite(t))
	set, err := s.Server.templates.set(templateKey{lang: defaultLanguage}, false)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := slices.Sorted(maps.Keys(set)), slices.Sorted(maps.Keys(pages)); !slices.Equal(got, want) {
		t.Errorf("templates %v, of which pages are known %v", got, want)
	}
	for name, p := range pages {
		// A field that the layout means its own by would be shown in its place.
		own := reflect.TypeOf(p).Elem()
		for i := range own.NumField() {
			if _, shared := reflect.TypeFor[Base]().FieldByName(own.Field(i).Name); shared {
				t.Errorf("%s: %s stands before that of the layout", name, own.Field(i).Name)
			}
		}
		if tmpl := set[name]; tmpl != nil {
			if err := templatecheck.CheckHTML(tmpl, p); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
