// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"time"

	"essaim/e2e/rig"
)

// swarm: what is published in one territory is found in the others, and stays.
func (s *story) swarm() {
	s.Check("each territory lists the records of all three, with their origin", s.listsAll)
	s.Check("a copy's bytes are its origin's", s.sameBytes)
	s.Check("every page says that it is a demonstration", s.banner)

	var made rig.Listed
	s.Check("a record created at Brest appears at Toulouse within 2 s", func() error {
		err := s.nodes["brest"].API(s.ctx, http.MethodPost, "initiatives", initiative("Une ressourcerie de quartier"), &made)
		if err != nil {
			return err
		}
		return s.timed("create_to_copy_ms", 2*time.Second, func() error { return s.titled("toulouse", made.ID, "Une ressourcerie de quartier") })
	})
	s.Check("its change too", func() error {
		err := s.nodes["brest"].API(s.ctx, http.MethodPut, "initiatives/"+made.Slug, initiative("Une ressourcerie dans chaque quartier"), nil)
		if err != nil {
			return err
		}
		return s.timed("update_to_copy_ms", 2*time.Second, func() error { return s.titled("toulouse", made.ID, "Une ressourcerie dans chaque quartier") })
	})
	s.Check("and its deletion, which leaves a tombstone", func() error {
		if err := s.nodes["brest"].API(s.ctx, http.MethodDelete, "initiatives/"+made.Slug, nil, nil); err != nil {
			return err
		}
		status, body, err := rig.Get(s.ctx, made.ID, rig.ActivityJSON)
		if err != nil {
			return err
		}
		if status != http.StatusGone || !bytes.Contains(body, []byte(`"Tombstone"`)) {
			return fmt.Errorf("%s answers %d: %.200s", made.ID, status, body)
		}
		return s.timed("delete_to_copy_ms", 2*time.Second, func() error { return s.absent("toulouse", made.ID) })
	})
	s.originStopped()
	s.followerStopped()
	s.blocked()
}

func (s *story) originStopped() {
	s.Check("with Brest stopped, its records are still at Toulouse", func() error {
		before, err := s.nodes["brest"].Records(s.ctx, "origin=local")
		if err != nil {
			return err
		}
		s.nodes["brest"].Stop()
		if _, _, err := rig.Get(s.ctx, s.nodes["brest"].URL+"/readyz", ""); err == nil {
			return errors.New("Brest still answers")
		}
		rows, err := s.nodes["toulouse"].Records(s.ctx, "")
		if err != nil {
			return err
		}
		held := map[string]rig.Listed{}
		for _, r := range rows {
			held[r.ID] = r
		}
		for _, r := range before {
			c, ok := held[r.ID]
			if !ok {
				return fmt.Errorf("%q is not at Toulouse", r.Title)
			}
			status, _, err := rig.Get(s.ctx, s.pageOf("toulouse", c), "text/html")
			if err != nil {
				return err
			}
			if status != http.StatusOK {
				return fmt.Errorf("the page of %q: %d", r.Title, status)
			}
		}
		if len(before) == 0 {
			return errors.New("Brest had no record")
		}
		return s.nodes["brest"].Start(s.ctx)
	})
}

func (s *story) followerStopped() {
	s.Check("what is created while Toulouse is stopped arrives after its start", func() error {
		s.nodes["toulouse"].Stop()
		var made rig.Listed
		if err := s.nodes["brest"].API(s.ctx, http.MethodPost, "initiatives", initiative("Un four à pain partagé"), &made); err != nil {
			return err
		}
		if err := rig.Eventually(20*time.Second, func() error { return s.titled("tourcoing", made.ID, "Un four à pain partagé") }); err != nil {
			return fmt.Errorf("Tourcoing, which runs: %w", err)
		}
		time.Sleep(2 * time.Second) // a first try fails meanwhile
		if err := s.nodes["toulouse"].Start(s.ctx); err != nil {
			return err
		}
		return s.timed("after_start_ms", 90*time.Second, func() error { return s.titled("toulouse", made.ID, "Un four à pain partagé") })
	})
}

// blocked is the control of the stories before: nothing arrives by chance.
func (s *story) blocked() {
	s.Check("with deliveries to Toulouse blocked, nothing arrives there (control)", func() error {
		brest := s.nodes["brest"]
		if _, err := brest.Run(s.ctx, "peer", "block", "--data", brest.Dir, rig.Host(s.nodes["toulouse"].URL)); err != nil {
			return err
		}
		var made rig.Listed
		if err := brest.API(s.ctx, http.MethodPost, "initiatives", initiative("Un atelier de vélos"), &made); err != nil {
			return err
		}
		if err := rig.Eventually(20*time.Second, func() error { return s.titled("tourcoing", made.ID, "Un atelier de vélos") }); err != nil {
			return fmt.Errorf("Tourcoing, not blocked: %w", err)
		}
		time.Sleep(4 * time.Second)
		return s.absent("toulouse", made.ID)
	})
}

func (s *story) listsAll() error {
	local := map[string]rig.Listed{}
	for i, name := range territories {
		rows, err := s.nodes[name].Records(s.ctx, "origin=local")
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return fmt.Errorf("%s has no record of its own", name)
		}
		s.Figure("records_of_"+name, len(rows), "")
		for _, r := range rows {
			r.Origin = fmt.Sprintf("127.0.0.1:%d", s.port+i)
			local[r.ID] = r
		}
	}
	for _, name := range territories {
		rows, err := s.nodes[name].Records(s.ctx, "")
		if err != nil {
			return err
		}
		if len(rows) != len(local) {
			return fmt.Errorf("%s lists %d records, the three have %d", name, len(rows), len(local))
		}
		own := rig.Host(s.nodes[name].URL)
		for _, r := range rows {
			want, ok := local[r.ID]
			if !ok {
				return fmt.Errorf("%s lists %s, which nobody has", name, r.ID)
			}
			if r.Origin != want.Origin && (want.Origin != own || r.Origin != "") || r.Title != want.Title {
				return fmt.Errorf("%s lists %q of %q, want %q of %q", name, r.Title, r.Origin, want.Title, want.Origin)
			}
		}
	}
	return nil
}

func (s *story) sameBytes() error {
	compared := 0
	for _, name := range territories {
		rows, err := s.nodes[name].Records(s.ctx, "")
		if err != nil {
			return err
		}
		for _, r := range rows {
			if r.Origin == "" || r.Origin == rig.Host(s.nodes[name].URL) {
				continue
			}
			status, want, err := rig.Get(s.ctx, r.ID, rig.ActivityJSON)
			if err != nil {
				return err
			}
			copied, got, err := rig.Get(s.ctx, s.pageOf(name, r), rig.ActivityJSON)
			if err != nil {
				return err
			}
			if status != http.StatusOK || copied != http.StatusOK || !bytes.Equal(got, want) {
				return fmt.Errorf("%s at %s: %d and %d, %d and %d bytes", r.ID, name, status, copied, len(want), len(got))
			}
			compared++
		}
	}
	if compared == 0 {
		return errors.New("no copy was compared")
	}
	s.Figure("copies_compared", compared, "")
	return nil
}

func (s *story) banner() error {
	const words = "Ce site n’est pas celui de la collectivité"
	for _, name := range territories {
		for _, path := range []string{"/", "/initiatives", "/recettes", "/territoires", "/recherche"} {
			status, body, err := rig.Get(s.ctx, s.nodes[name].URL+path, "text/html")
			if err != nil {
				return err
			}
			plain := bytes.ReplaceAll(bytes.ReplaceAll(body, []byte("&#39;"), []byte("’")), []byte("'"), []byte("’"))
			if status != http.StatusOK || !bytes.Contains(plain, []byte(words)) {
				return fmt.Errorf("%s%s: %d, without the notice", name, path, status)
			}
		}
	}
	return nil
}

// pageOf is the address of a copy's page at a node.
func (s *story) pageOf(name string, r rig.Listed) string {
	return s.nodes[name].URL + "/ailleurs/" + r.Origin + "/" + r.Slug
}

func (s *story) titled(name, id, title string) error {
	rows, err := s.nodes[name].Records(s.ctx, "")
	if err != nil {
		return err
	}
	for _, r := range rows {
		if r.ID == id {
			if r.Title != title {
				return fmt.Errorf("%s has it as %q", name, r.Title)
			}
			return nil
		}
	}
	return fmt.Errorf("%s does not list %s", name, id)
}

func (s *story) absent(name, id string) error {
	rows, err := s.nodes[name].Records(s.ctx, "")
	if err != nil {
		return err
	}
	for _, r := range rows {
		if r.ID == id {
			return fmt.Errorf("%s still lists it", name)
		}
	}
	return nil
}

func (s *story) timed(figure string, within time.Duration, f func() error) error {
	start := time.Now()
	err := rig.Eventually(within, f)
	s.Figure(figure, time.Since(start).Milliseconds(), "ms")
	return err
}

func initiative(title string) map[string]any {
	return map[string]any{
		"title": title, "tagline": "Racontée pour la démonstration.", "description": "Deux phrases. Pas plus.",
		"themes": []string{"reemploi"}, "places": []map[string]any{{"insee": "29019", "label": "Brest"}},
	}
}
