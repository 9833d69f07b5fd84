// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"fmt"

	"essaim"
)

// Thesaurus is the common one with this node's own concepts.
func (s *Store) Thesaurus(ctx context.Context) (t essaim.Thesaurus, err error) {
	if t, err = s.query().thesaurus(ctx); err != nil {
		return t, fmt.Errorf("thesaurus: %w", err)
	}
	return t, nil
}

func (tx *Tx) thesaurus(ctx context.Context) (essaim.Thesaurus, error) {
	node, err := tx.knownNode(ctx)
	if err != nil {
		return essaim.Thesaurus{}, err
	}
	own, err := list(ctx, tx, func(scan scanFunc) (t essaim.Theme, err error) {
		err = scan(&t.ID, &t.Broader, &t.French, &t.English)
		return t, err
	}, "themes")
	return essaim.ThesaurusOf(node.BaseURL, own), err
}

// DefineTheme adds a concept of this node, or gives one other labels. What it
// stands under is for good, since records say it too: another one is
// essaim.ErrConflict.
func (s *Store) DefineTheme(ctx context.Context, name, broader, french, english string) (t essaim.Theme, err error) {
	err = s.write(ctx, urgent, func(tx *Tx) error {
		all, err := tx.thesaurus(ctx)
		if err != nil {
			return err
		}
		if t, err = all.Define(name, broader, french, english); err != nil {
			return err
		}
		n, err := tx.exec(ctx, "theme_save", t.ID, t.Broader, t.French, t.English, micros(tx.s.now()))
		if err == nil && n == 0 {
			err = fmt.Errorf("it stands under another theme: %w", essaim.ErrConflict)
		}
		if err != nil {
			return err
		}
		return tx.number(ctx, &publication{silent: true}) // pages name it
	})
	if err != nil {
		return t, fmt.Errorf("theme %s: %w", t.ID, err)
	}
	return t, nil
}

// RemoveTheme takes back a concept of this node that no record has.
func (s *Store) RemoveTheme(ctx context.Context, name string) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		all, err := tx.thesaurus(ctx)
		if err != nil {
			return err
		}
		id := all.Host + ":" + name
		used, err := tx.found(ctx, "theme_used", id)
		if err != nil {
			return err
		}
		if used {
			return fmt.Errorf("records have it: %w", essaim.ErrConflict)
		}
		n, err := tx.exec(ctx, "theme_remove", id)
		if err == nil && n == 0 {
			err = essaim.ErrNotFound
		}
		if err != nil {
			return err
		}
		return tx.number(ctx, &publication{silent: true})
	})
	if err != nil {
		return fmt.Errorf("theme %s: %w", name, err)
	}
	return nil
}

// classify completes the themes of a content with those above this node's own.
// One of this node that nothing defines is a problem unless the record had it.
func (tx *Tx) classify(ctx context.Context, c *essaim.Content, stood []string) error {
	node, err := tx.knownNode(ctx)
	if err != nil || !essaim.ThesaurusOf(node.BaseURL, nil).HasOwn(c.Themes) {
		return err
	}
	t, err := tx.thesaurus(ctx)
	if err != nil {
		return err
	}
	p := essaim.Problems{}
	c.Themes = t.Complete(p, c.Themes, stood)
	return p.Err()
}
