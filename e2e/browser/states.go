// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"essaim/e2e/rig"
)

// age brings the first node what a network comes to with time: answers from
// elsewhere, a report, copies that are withdrawn, a territory that is gone.
func (w *world) age(record func(title string) map[string]any) error {
	if err := w.answered(record); err != nil {
		return err
	}
	if err := w.withdrawn(record); err != nil {
		return err
	}
	return w.lost(record)
}

// answered has an account of another software answer a recipe, and itself; a reader
// reports the recipe.
func (w *world) answered(record func(title string) map[string]any) error {
	n := w.nodes[0]
	var about rig.Listed
	if err := n.API(w.ctx, http.MethodPost, "recipes", record("Une recette dont on parle"), &about); err != nil {
		return err
	}
	peer, err := rig.NewPeer(nil)
	if err != nil {
		return err
	}
	w.Cleanup(peer.Close)
	peer.Portray("Une passante", nil)
	actor, to := peer.Actor("passante"), about.ID
	for i, text := range []string{"Chez nous, on y met du thé. Et vous, par temps de pluie ?", "Je me réponds : sous un préau."} {
		id := fmt.Sprintf("%s/notes/%d", peer.URL, i)
		note := map[string]any{"id": id, "type": "Note", "attributedTo": actor, "inReplyTo": to, "content": "<p>" + text + "</p>", "to": []string{rig.Public}}
		if _, err := peer.Post(w.ctx, n.URL+"/inbox", actor, peer.Activity("Create", fmt.Sprint("answer", i), actor, note, nil)); err != nil {
			return err
		}
		err := rig.Eventually(20*time.Second, func() error {
			var shown struct {
				Total int `json:"total"`
			}
			err := n.API(w.ctx, http.MethodGet, "comments?record="+url.QueryEscape(about.ID), nil, &shown)
			if err == nil && shown.Total != i+1 {
				err = fmt.Errorf("%d answers are shown", shown.Total)
			}
			return err
		})
		if err != nil {
			return err
		}
		to = id
	}
	var receipt struct {
		ID string `json:"id"`
	}
	if err := n.API(w.ctx, http.MethodPost, "reports", map[string]any{"object": about.URL, "text": "L’adresse a changé."}, &receipt); err != nil {
		return err
	}
	w.first = append(w.first, "/recettes/"+about.Slug, "/signaler/"+receipt.ID)
	return nil
}

// withdrawn has two records of the second node withdrawn: one by itself, one at the
// first node alone.
func (w *world) withdrawn(record func(title string) map[string]any) error {
	here, from := w.nodes[0], w.nodes[1]
	s := &site{url: here.URL, node: here}
	if err := s.signIn(w.ctx); err != nil {
		return err
	}
	for _, local := range []bool{false, true} {
		var made rig.Listed
		if err := from.API(w.ctx, http.MethodPost, "initiatives", record(fmt.Sprintf("Retirée ailleurs, ici : %t", local)), &made); err != nil {
			return err
		}
		if err := w.arrives(here, made.ID); err != nil {
			return err
		}
		page := "/ailleurs/" + rig.Host(from.URL) + "/" + made.Slug
		w.first = append(w.first, page)
		if local {
			if _, err := s.send(w.ctx, page+"/retirer", url.Values{"motif": {"À la demande de qui s’y reconnaît."}}); err != nil {
				return err
			}
			w.first = append(w.first, page+"/retablir")
			continue
		}
		if err := from.API(w.ctx, http.MethodDelete, "initiatives/"+made.Slug, nil, nil); err != nil {
			return err
		}
		err := rig.Eventually(20*time.Second, func() error {
			status, _, err := rig.Get(w.ctx, here.URL+page, "text/html")
			if err == nil && status != http.StatusGone {
				err = fmt.Errorf("%s answers %d", page, status)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// arrives waits until a node shows a record.
func (w *world) arrives(at *rig.Node, id string) error {
	return rig.Eventually(30*time.Second, func() error {
		rows, err := at.Records(w.ctx, "")
		for _, r := range rows {
			if r.ID == id {
				return nil
			}
		}
		return errors.Join(err, errors.New("the record did not come"))
	})
}

// lost has the first node follow a fourth one, which then stops for good.
func (w *world) lost(record func(title string) map[string]any) error {
	n := w.nodes[0]
	port, err := rig.FreePort()
	if err != nil {
		return err
	}
	gone := &rig.Node{Bin: n.Bin, Dir: filepath.Join(w.dir, "plougastel"), URL: fmt.Sprintf("http://127.0.0.1:%d", port)}
	if err := gone.Init(w.ctx, "Plougastel-Daoulas", "--insee", "29189"); err != nil {
		return err
	}
	w.Cleanup(gone.Kill)
	if err := gone.Start(w.ctx); err != nil {
		return err
	}
	defer gone.Stop()
	var made rig.Listed
	if err := gone.API(w.ctx, http.MethodPost, "initiatives", record("Ce que gardent les autres"), &made); err != nil {
		return err
	}
	host := rig.Host(gone.URL)
	if _, err := n.Run(w.ctx, "peer", "follow", "--data", n.Dir, host); err != nil {
		return err
	}
	if err := w.arrives(n, made.ID); err != nil {
		return err
	}
	gone.Stop()
	if _, err := n.Run(w.ctx, "peer", "gone", "--data", n.Dir, host); err != nil {
		return err
	}
	w.first = append(w.first, "/ailleurs/"+host+"/"+made.Slug, "/territoires/"+host)
	return nil
}
