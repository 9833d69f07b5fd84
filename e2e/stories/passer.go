// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"essaim/e2e/rig"
)

// passer is an account of another software, who answers, is shown with a portrait and
// leaves: the portraits are files, which no word finds.
type passer struct {
	*rig.Peer
	actor    string
	portrait string // path of the copy at Brest
}

var portraitAddress = regexp.MustCompile(`/m/[0-9a-f]{64}\.(?:jpg|png)`)

// answered: somebody answers what is to be erased, and what stays.
func (e *erasure) answered() error {
	peer, err := rig.NewPeer(nil)
	if err != nil {
		return err
	}
	e.Cleanup(peer.Close)
	var face bytes.Buffer
	img := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for i := range img.Pix { // no two seeds have the same face
		img.Pix[i] = byte(e.Seed()>>(i%8*8)) ^ byte(i*i)
	}
	img.Set(1, 1, color.White)
	if err := png.Encode(&face, img); err != nil {
		return err
	}
	peer.Portray(e.canary, face.Bytes())
	e.passer = &passer{Peer: peer, actor: peer.Actor("passante")}
	for i, r := range append(slices.Clone(e.records), e.credited...) {
		note := map[string]any{
			"id": fmt.Sprintf("%s/notes/%d", peer.URL, i), "type": "Note", "attributedTo": e.passer.actor, "inReplyTo": r.ID,
			"content": "<p>Bravo, " + e.canary + ".</p>", "to": []string{rig.Public},
		}
		if err := e.tells("Create", fmt.Sprint("answer", i), note); err != nil {
			return err
		}
	}
	return nil
}

// tells delivers an activity of the passer.
func (e *erasure) tells(verb, id string, object any) error {
	_, err := e.passer.Post(e.ctx, e.nodes["brest"].URL+"/inbox", e.passer.actor, e.passer.Activity(verb, id, e.passer.actor, object, nil))
	return err
}

// portrayed waits until the answers are shown with a portrait, of which Brest keeps a
// copy.
func (e *erasure) portrayed() error {
	return rig.Eventually(time.Minute, func() error {
		bodies, err := e.ask("brest", "/initiatives/"+e.credited[0].Slug)
		if err != nil {
			return err
		}
		e.passer.portrait = string(portraitAddress.Find(bodies[0]))
		if e.passer.portrait == "" || !bytes.Contains(bodies[0], []byte(e.canary)) {
			return errors.New("the answer, or its portrait, is not shown")
		}
		status, _, err := rig.Get(e.ctx, e.nodes["brest"].URL+e.passer.portrait, "")
		if err != nil || status != http.StatusOK || !e.keepsPortrait() {
			return errors.Join(err, fmt.Errorf("%s is answered %d, or no file holds it", e.passer.portrait, status))
		}
		return nil
	})
}

// leaves has the passer delete the account.
func (e *erasure) leaves() error {
	e.passer.Leave()
	return e.tells("Delete", "leave", e.passer.actor)
}

// keepsPortrait tells whether a file of Brest is the portrait.
func (e *erasure) keepsPortrait() (kept bool) {
	_ = filepath.WalkDir(e.nodes["brest"].Dir, func(_ string, d fs.DirEntry, err error) error { // a file that goes meanwhile is not kept
		kept = kept || err == nil && d.Name() == filepath.Base(e.passer.portrait)
		return nil
	})
	return kept
}

// faceless: the portrait is served no more at once, and no file of it is left once
// the node is scrubbed. What is a minute old may be one that is just being kept.
func (e *erasure) faceless() error {
	status, _, err := rig.Get(e.ctx, e.nodes["brest"].URL+e.passer.portrait, "")
	if err != nil || status != http.StatusNotFound {
		return errors.Join(err, fmt.Errorf("%s is answered %d", e.passer.portrait, status))
	}
	return rig.Eventually(75*time.Second, func() error {
		if _, err := e.nodes["brest"].Run(e.ctx, "scrub", "--data", e.nodes["brest"].Dir); err != nil || !e.keepsPortrait() {
			return err
		}
		return errors.New("the file of the portrait is there")
	})
}
