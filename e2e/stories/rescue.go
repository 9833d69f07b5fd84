// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"essaim/e2e/rig"
)

// rescue: a node whose disk is gone comes back from what the others hold of it.
func (s *story) rescue() {
	brest := s.nodes["brest"]
	others := []string{"toulouse", "tourcoing"}
	sealed := filepath.Join(s.dir, "brest.keys")
	withPassphrase := *brest
	withPassphrase.Env = append(withPassphrase.Env, "ESSAIM_PASSPHRASE=sept fougères au bord de la Penfeld")
	var before map[string]string // documents by id
	var records []rig.Listed
	s.Must("Brest keeps its key apart; Toulouse and Tourcoing hold all that it publishes", func() (err error) {
		if _, err := withPassphrase.Run(s.ctx, "key", "backup", "--data", brest.Dir, sealed); err != nil {
			return err
		}
		if err := brest.API(s.ctx, http.MethodDelete, "initiatives/"+s.newest(brest), nil, nil); err != nil {
			return err
		}
		if records, err = brest.Records(s.ctx, "origin=local"); err != nil {
			return err
		}
		if before, err = dump(s, brest.URL+"/commons?after=0.0"); err != nil {
			return err
		}
		s.Figure("documents_before", len(before), "")
		for _, name := range others {
			if _, err := s.nodes[name].Run(s.ctx, "peer", "sync", "--data", s.nodes[name].Dir, rig.Host(brest.URL)); err != nil {
				return err
			}
			held, err := dump(s, s.copies(name))
			if err != nil {
				return err
			}
			if err := same(held, before); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	})
	s.Must("Brest's disk is gone", func() error {
		brest.Kill()
		if _, _, err := rig.Get(s.ctx, brest.URL+"/readyz", ""); err == nil {
			return errors.New("Brest still answers")
		}
		return os.RemoveAll(brest.Dir)
	})
	s.Check("Toulouse and Tourcoing still find its records, and prove them", func() error {
		for _, name := range others {
			for _, r := range records {
				if err := s.titled(name, r.ID, r.Title); err != nil {
					return err
				}
			}
			found, err := s.nodes[name].Records(s.ctx, "q="+url.QueryEscape(records[0].Title))
			if err != nil || len(found) == 0 {
				return fmt.Errorf("%s finds nothing of %q (%w)", name, records[0].Title, err)
			}
			out, err := s.nodes[name].Run(s.ctx, "doctor", "--data", s.nodes[name].Dir)
			if err != nil {
				return fmt.Errorf("%s: %w: %s", name, err, out)
			}
		}
		return nil
	})
	hosts := []string{rig.Host(s.nodes["toulouse"].URL), rig.Host(s.nodes["tourcoing"].URL)}
	command := append([]string{"restore", "--from-peers", "--data", brest.Dir, "--key", sealed, "--admin-email", rig.AdminEmail}, hosts...)
	s.Must("a dry run says that nothing is missing, and writes nothing", func() error {
		out, err := withPassphrase.Run(s.ctx, append(command, "--dry-run")...)
		if err != nil {
			return err
		}
		if !strings.Contains(out, "Nothing is missing") || !strings.Contains(out, "Nothing was written") {
			return fmt.Errorf("it says %s", out)
		}
		if _, err := os.Stat(brest.Dir); err == nil {
			return errors.New("it made the directory")
		}
		return nil
	})
	s.Must("with its key, in an empty directory, Brest comes back from them", func() error {
		start := time.Now()
		out, err := withPassphrase.Run(s.ctx, command...)
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		s.Figure("rescue_seconds", time.Since(start).Seconds(), "s")
		if !strings.Contains(out, "to the byte") {
			return fmt.Errorf("it says %s", out)
		}
		if err := brest.Start(s.ctx); err != nil {
			return err
		}
		return brest.AdminToken(s.ctx)
	})
	s.Check("its documents are what they were, byte for byte", func() error {
		after, err := dump(s, brest.URL+"/commons?after=0.0")
		if err != nil {
			return err
		}
		return same(after, before)
	})
	s.Check("it follows and is followed again: what it writes is seen, what was deleted stays so", func() error {
		var made rig.Listed
		if err := brest.API(s.ctx, http.MethodPost, "initiatives", initiative("Une fête du retour"), &made); err != nil {
			return err
		}
		return s.timed("rescue_to_copy_ms", 90*time.Second, func() error {
			for _, name := range others {
				if err := s.titled(name, made.ID, made.Title); err != nil {
					return err
				}
			}
			here, err := brest.Records(s.ctx, "")
			if err != nil {
				return err
			}
			there, err := s.nodes["toulouse"].Records(s.ctx, "")
			if err != nil || len(here) != len(there) {
				return fmt.Errorf("Brest lists %d records, Toulouse %d (%w)", len(here), len(there), err)
			}
			for id, doc := range before {
				if !strings.Contains(doc, `"Tombstone"`) {
					continue
				}
				status, _, err := rig.Get(s.ctx, id, rig.ActivityJSON)
				if err != nil {
					return err
				}
				if status != http.StatusGone {
					return fmt.Errorf("%s answers %d", id, status)
				}
			}
			return nil
		})
	})
}

// newest is the slug of an initiative that the story may do without.
func (s *story) newest(n *rig.Node) string {
	var made rig.Listed
	if err := n.API(s.ctx, http.MethodPost, "initiatives", initiative("Une guinguette d’un été"), &made); err != nil {
		return ""
	}
	return made.Slug
}

func (s *story) copies(name string) string {
	return s.nodes[name].URL + "/commons/copies?of=" + url.QueryEscape(rig.Host(s.nodes["brest"].URL))
}

// dump reads a collection to its end: the documents as they stand, by id.
func dump(s *story, page string) (map[string]string, error) {
	all := map[string]string{}
	for page != "" {
		status, body, err := rig.Get(s.ctx, page, rig.ActivityJSON)
		if err != nil {
			return nil, err
		}
		var p struct {
			Next  string            `json:"next"`
			Items []json.RawMessage `json:"orderedItems"`
		}
		if err := json.Unmarshal(body, &p); err != nil || status != http.StatusOK {
			return nil, fmt.Errorf("%s: %d, %w", page, status, err)
		}
		for _, raw := range p.Items {
			var item struct {
				ID string `json:"id"`
			}
			if err := json.Unmarshal(raw, &item); err != nil {
				return nil, err
			}
			all[item.ID] = string(raw)
		}
		page = p.Next
	}
	return all, nil
}

// same tells how two dumps differ.
func same(got, want map[string]string) error {
	if len(want) == 0 {
		return errors.New("nothing is compared")
	}
	for id, doc := range want {
		if got[id] != doc {
			return fmt.Errorf("%s is\n%.900s\nwant\n%.900s", id, got[id], doc)
		}
	}
	if !maps.Equal(got, want) {
		return fmt.Errorf("%d documents, want %d", len(got), len(want))
	}
	return nil
}
