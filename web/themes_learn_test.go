// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"context"
	"net/http"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

// overtaken is a store whose next reading of the themes ends after something else.
type overtaken struct {
	Store
	by func()
}

func (o *overtaken) Thesaurus(ctx context.Context) (essaim.Thesaurus, error) {
	t, err := o.Store.Thesaurus(ctx)
	if by := o.by; by != nil {
		o.by = nil
		by()
	}
	return t, err
}

func TestAPageThatReadTheThemesBeforeAnotherBringsNoOldNameBack(t *testing.T) {
	t.Parallel()
	o := &overtaken{}
	s := newSite(t, storetest.SQLite(t), func(c *Config) { o.Store, c.Store = c.Store, o })
	define := func(french string) essaim.Theme {
		t.Helper()
		theme, err := s.store.DefineTheme(t.Context(), "algues-vertes", "nature", french, "")
		if err != nil {
			t.Fatal(err)
		}
		return theme
	}
	id := define("Algues vertes").ID
	s.get(t, "/", http.StatusOK)
	o.by = func() {
		define("Marées vertes")
		s.get(t, "/", http.StatusOK)
	}
	s.get(t, "/", http.StatusOK)
	if got := s.themes.get().Label("fr", id); got != "Marées vertes" {
		t.Errorf("the theme is %q", got)
	}
}
