// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"essaim"
	"essaim/e2e/rig"
)

// furnish adds what pages show in states that the demonstration is not in: a person,
// a theme of the territory's own, a draft, a record withdrawn, a name that waits for
// its owner's yes, an adaptation, a remake.
func (w *world) furnish() error {
	if err := w.dump(); err != nil {
		return err
	}
	n := w.nodes[0]
	if err := rig.Furnish(w.ctx, n); err != nil {
		return err
	}
	if _, err := n.Run(w.ctx, "theme", "add", "--data", n.Dir, "Algues vertes", "--english", "Green algae", "--broader", "nature"); err != nil {
		return err
	}
	record := func(title string) map[string]any {
		return map[string]any{
			"title": title, "tagline": "Une fiche de démonstration, pour regarder ce que l’on en voit.",
			"description": "Un texte, avec un [lien](https://essaim.example/ailleurs).", "themes": []string{"alimentation"}, "places": []map[string]any{{"insee": "29019"}},
		}
	}
	draft := record("Un brouillon")
	draft["state"] = "draft"
	waiting := record("Une fiche qui attend un accord")
	waiting["credits"] = []map[string]any{{"name": "Une voisine", "role": "porteur", "person": true}}
	for _, r := range []map[string]any{draft, waiting} {
		var made rig.Listed
		if err := n.API(w.ctx, http.MethodPost, "initiatives", r, &made); err != nil {
			return err
		}
		w.first = append(w.first, "/initiatives/"+made.Slug)
	}
	var gone rig.Listed
	if err := n.API(w.ctx, http.MethodPost, "initiatives", record("Une fiche retirée"), &gone); err != nil {
		return err
	}
	if err := n.API(w.ctx, http.MethodDelete, "initiatives/"+gone.Slug, nil, nil); err != nil {
		return err
	}
	if err := w.passOn(record); err != nil {
		return err
	}
	if err := w.replicated(); err != nil {
		return err
	}
	return w.age(record)
}

// replicated names a record of each kind that the first node has from another: what
// its page leads to depends on the kind.
func (w *world) replicated() error {
	for _, k := range essaim.Kinds() {
		query := "?origin=elsewhere&limit=1"
		if k.Kind == essaim.KindMeeting { // one that is over is in no calendar
			query += "&from=" + time.Now().Format(time.DateOnly)
		}
		var page struct{ Items []rig.Listed }
		if err := w.nodes[0].API(w.ctx, http.MethodGet, k.API+query, nil, &page); err != nil {
			return err
		}
		if len(page.Items) == 0 {
			return fmt.Errorf("no %s came from another node", k.Kind)
		}
		w.first = append(w.first, "/ailleurs/"+page.Items[0].Origin+"/"+page.Items[0].Slug)
	}
	return nil
}

// passOn has a recipe and an initiative of the first node adapted at the second, and
// remade at the first.
func (w *world) passOn(record func(title string) map[string]any) error {
	from, to := w.nodes[0], w.nodes[1]
	s := &site{url: to.URL, node: to}
	if err := s.signIn(w.ctx); err != nil {
		return err
	}
	for segment, path := range map[string]string{"recipes": "recettes", "initiatives": "initiatives"} {
		in := record("À refaire ailleurs, " + path)
		if segment == "recipes" {
			in["body"] = map[string]any{"duration": "deux mois", "ingredients": []string{"de l’argile"}}
		}
		var original rig.Listed
		if err := from.API(w.ctx, http.MethodPost, segment, in, &original); err != nil {
			return err
		}
		if err := w.arrives(to, original.ID); err != nil {
			return err
		}
		w.first = append(w.first, "/"+path+"/"+original.Slug)
		form, err := s.post(w.ctx, "/ailleurs/"+rig.Host(from.URL)+"/"+original.Slug+"/adapter")
		if err != nil {
			return err
		}
		slug, _, _ := strings.Cut(strings.TrimPrefix(form, "/"+path+"/"), "/")
		var adapted rig.Listed
		if err := to.API(w.ctx, http.MethodPut, segment+"/"+slug, map[string]any{
			"title": "Refait au sud, " + path, "state": "published", "places": []map[string]any{{"insee": "31555"}},
		}, &adapted); err != nil {
			return err
		}
		remake := record("Refait, " + path)
		remake["relations"] = []map[string]any{{"type": "remakes", "target": original.ID, "name": original.Title}}
		remake["body"] = map[string]any{"outcome": "adapted", "on": "2026-02", "advice": "Prévoir du thé."}
		if err := from.API(w.ctx, http.MethodPost, "remakes", remake, nil); err != nil {
			return err
		}
		err = rig.Eventually(20*time.Second, func() error {
			total, err := rig.Total(w.ctx, original.ID+"/adaptations")
			if err == nil && total != 1 {
				err = fmt.Errorf("%d adaptations are listed", total)
			}
			return err
		})
		if err != nil {
			return err
		}
		w.first = append(w.first, "/ailleurs/"+rig.Host(to.URL)+"/"+adapted.Slug)
	}
	return nil
}

// post sends an empty form as the administrator and gives the path that it leads to.
func (s *site) post(ctx context.Context, path string) (string, error) {
	return s.send(ctx, path, nil)
}

// send is post with what is typed.
func (s *site) send(ctx context.Context, path string, typed url.Values) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, strings.NewReader(typed.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", s.url)
	resp, err := s.signed.Do(req)
	if err != nil {
		return "", err
	}
	resp.Body.Close()
	to := strings.TrimPrefix(resp.Header.Get("Location"), s.url)
	if to == "" {
		return "", fmt.Errorf("%s: %s, and leads nowhere", path, resp.Status)
	}
	return to, nil
}
