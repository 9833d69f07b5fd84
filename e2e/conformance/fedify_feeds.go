// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"net/http"
	"strings"

	"essaim/e2e/rig"
)

// fedifyFeeds follows a theme and an initiative of the second node, which
// publishes little enough that its feeds announce at once.
func (w *world) fedifyFeeds(j *judge) {
	var first, second rig.Listed
	j.no(w.b.API(w.ctx, http.MethodPost, "initiatives", initiative("Pour ouvrir le thème"), &first))
	theme := w.b.URL + "/actors/theme_reemploi"
	w.followWith(j, "dominique", theme)
	j.no(w.b.API(w.ctx, http.MethodPost, "initiatives", initiative("Annoncée par son thème"), &second))
	announce := w.fedify.verified(j, "Announce", second.ID, cavageName)
	same(j, "who announces", announce.Actor, theme)
	same(j, "what Fedify reads of it", w.fedify.lookup(j, second.ID).Name, "Annoncée par son thème")

	name := "fiche_" + first.Slug
	actor := w.fedify.lookup(j, "@"+strings.TrimRight(name[:min(len(name), 30)], "-_")+"@"+rig.Host(w.b.URL))
	same(j, "type of an initiative's actor", actor.Kind, "Organization")
	w.followWith(j, "dominique", actor.ID)
	pinned := list(w.document(actor.ID+"/featured"), "orderedItems")
	if j.that(len(pinned) == 1, "pinned: %v", pinned) {
		presentation := w.fedify.lookup(j, id(pinned[0]))
		same(j, "type of its presentation", presentation.Kind, "Note")
		same(j, "author of its presentation", presentation.Author, actor.ID)
		j.that(strings.Contains(presentation.Content, first.URL), "the presentation links nothing: %q", presentation.Content)
	}
	// Withdrawn, the record takes its actor along.
	j.no(w.b.API(w.ctx, http.MethodDelete, "initiatives/"+first.Slug, nil, nil))
	same(j, "who says that the actor is gone", w.fedify.verified(j, "Delete", actor.ID, cavageName).Actor, actor.ID)
}
