// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"testing"

	"essaim/store/storetest"
)

// The law asks who publishes a site, and whom to tell of a difficulty.
func TestWhoeverRunsTheNodeIsReached(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t), func(c *Config) {
		c.Publisher = "Ville de **démonstration**, [nous écrire](https://ville.example/contact)\n\nHébergement : <script>Atelier</script>"
	})
	for _, path := range []string{"/mentions", "/accessibilite"} {
		d := s.get(t, path, http.StatusOK)
		d.says(t, "Ville de démonstration", "Hébergement")
		if len(d.with("a", "href", "https://ville.example/contact")) != 1 {
			t.Errorf("%s does not lead to who publishes", path)
		}
	}
	s.get(t, "/accessibilite", http.StatusOK).says(t, "Accessibilité : non conforme", "Défenseur des droits")
	newSite(t, storetest.SQLite(t)).get(t, "/mentions", http.StatusOK).says(t, "est édité par Brest", "Signaler un contenu")
}
