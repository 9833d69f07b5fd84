// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"

	"essaim/e2e/rig"
)

// lineage: a recipe goes from one territory to the next, with its credit, and
// outlives its origin.
func (s *story) lineage() {
	var original, adapted, again rig.Listed
	s.Must("Brest publishes a recipe, which Tourcoing and Toulouse see", func() error {
		err := s.nodes["brest"].API(s.ctx, http.MethodPost, "recipes", map[string]any{
			"title": "Le four à pain de quartier", "tagline": "Un four, une place, du pain.", "description": "Bâtir sans ciment.",
			"themes": []string{"alimentation"}, "places": []map[string]any{{"insee": "29019", "label": "Brest"}},
			"body": map[string]any{"duration": "deux mois", "ingredients": []string{"de l’argile"}},
		}, &original)
		if err != nil {
			return err
		}
		for _, name := range []string{"tourcoing", "toulouse"} {
			if err := rig.Eventually(20*time.Second, func() error { return s.titled(name, original.ID, original.Title) }); err != nil {
				return err
			}
		}
		return nil
	})
	s.Must("Tourcoing adapts it with one button, says what differs and publishes", func() (err error) {
		adapted, err = s.adapt("tourcoing", original, "Le four à pain du Nord")
		return err
	})
	s.Check("Brest acknowledges, and lists it", func() error {
		return s.timed("publish_to_acknowledged_ms", 20*time.Second, func() error {
			if err := s.reads(adapted.URL, "Adaptation confirmée par le territoire d'origine"); err != nil {
				return err
			}
			return s.listed(original.ID, 1, adapted.ID)
		})
	})
	s.Check("both pages show the tree, with the two territories", func() error {
		for _, page := range []string{original.URL, adapted.URL} {
			if err := s.reads(page+"/lignee", "Le four à pain de quartier", "Le four à pain du Nord", "Brest", "Tourcoing"); err != nil {
				return err
			}
		}
		return nil
	})
	s.Check("Brest changes its recipe, and Tourcoing sees what changed", func() error {
		if err := s.reads(adapted.URL+"/lignee", "L'original n'a pas changé depuis."); err != nil {
			return err
		}
		err := s.nodes["brest"].API(s.ctx, http.MethodPut, "recipes/"+original.Slug, map[string]any{"description": "Bâtir avec un peu de chaux."}, nil)
		if err != nil {
			return err
		}
		// How often a lineage may be asked for is limited: what is awaited is the copy.
		held := original
		held.Origin = rig.Host(s.nodes["brest"].URL)
		err = rig.Eventually(20*time.Second, func() error {
			return s.reads(s.pageOf("tourcoing", held), "Bâtir avec un peu de chaux.")
		})
		if err != nil {
			return err
		}
		return s.reads(adapted.URL+"/lignee", "Ajouté : Bâtir avec un peu de chaux.", "Des lignes ont été retirées")
	})
	s.Check("Brest is gone: Toulouse adapts the copy that it holds, and the claim stays one", func() error {
		s.nodes["brest"].Stop()
		var err error
		if again, err = s.adapt("toulouse", original, "Le four à pain du Midi"); err != nil {
			return err
		}
		if err := s.reads(again.URL, "Pas encore confirmée par le territoire d'origine"); err != nil {
			return err
		}
		return s.reads(again.URL+"/lignee", "Le four à pain de quartier", "Le four à pain du Midi", "Le four à pain du Nord")
	})
	s.Check("and once Brest is back, it acknowledges that too", func() error {
		if err := s.nodes["brest"].Start(s.ctx); err != nil {
			return err
		}
		return s.timed("back_to_acknowledged_ms", 90*time.Second, func() error {
			if err := s.reads(again.URL, "Adaptation confirmée par le territoire d'origine"); err != nil {
				return err
			}
			return s.listed(original.ID, 2, again.ID)
		})
	})
}

// listed tells whether a record's collection of adaptations holds so many, and
// one of them.
func (s *story) listed(id string, want int, member string) error {
	total, err := rig.Total(s.ctx, id+"/adaptations")
	if err != nil {
		return err
	}
	_, page, err := rig.Get(s.ctx, id+"/adaptations?page=true", rig.ActivityJSON)
	if err == nil && (total != want || !bytes.Contains(page, []byte(member))) {
		err = fmt.Errorf("%d adaptations are listed, want %d with %s: %.400s", total, want, member, page)
	}
	return err
}

// adapt does what a person does: she opens the copy, presses the button, gives
// the draft a title and a place, and publishes it.
func (s *story) adapt(name string, original rig.Listed, title string) (rig.Listed, error) {
	node := s.nodes[name]
	browser, err := s.signIn(node)
	if err != nil {
		return rig.Listed{}, err
	}
	copied := original
	copied.Origin = rig.Host(s.nodes["brest"].URL)
	page := s.pageOf(name, copied)
	if err := browser.reads(s.ctx, page, "Adapter chez nous"); err != nil {
		return rig.Listed{}, err
	}
	form, err := browser.post(s.ctx, page+"/adapter", url.Values{})
	if err != nil {
		return rig.Listed{}, err
	}
	slug, _, _ := strings.Cut(strings.TrimPrefix(form, node.URL+"/recettes/"), "/")
	var draft struct {
		DerivedFrom struct{ ID, Digest, Licence, AttributedTo string } `json:"derivedFrom"`
	}
	if err := node.API(s.ctx, http.MethodGet, "recipes/"+slug, nil, &draft); err != nil {
		return rig.Listed{}, err
	}
	if d := draft.DerivedFrom; d.ID != original.ID || len(d.Digest) != 64 || d.Licence == "" || d.AttributedTo == "" {
		return rig.Listed{}, fmt.Errorf("the draft comes from %+v", d)
	}
	var made rig.Listed
	err = node.API(s.ctx, http.MethodPut, "recipes/"+slug, map[string]any{"title": title, "state": "published"}, &made)
	return made, err
}

// reads tells whether a page says words, to somebody who is not signed in.
func (s *story) reads(page string, words ...string) error {
	b := browser{http.DefaultClient}
	return b.reads(s.ctx, page, words...)
}

// browser keeps the cookies of one person.
type browser struct{ *http.Client }

var tags = regexp.MustCompile(`<[^>]*>`)

func (b browser) reads(ctx context.Context, page string, words ...string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, page, nil)
	if err != nil {
		return err
	}
	resp, err := b.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		return err
	}
	text := plain(tags.ReplaceAllString(string(body), ""))
	for _, w := range words {
		if !strings.Contains(text, plain(w)) {
			return fmt.Errorf("%s (%d) does not say %q", page, resp.StatusCode, w)
		}
	}
	return nil
}

// plain is a text with the spaces and apostrophes of a keyboard.
func plain(s string) string {
	s = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "’", "'").Replace(html.UnescapeString(s))
	return strings.Join(strings.Fields(s), " ")
}

// post sends a form and returns the address that it leads to.
func (b browser) post(ctx context.Context, address string, form url.Values) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	u := *req.URL
	u.Path, u.RawQuery = "", ""
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", u.String())
	resp, err := b.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return "", fmt.Errorf("%s: %s", address, resp.Status)
	}
	return resp.Request.URL.String(), nil
}

// signIn follows a link that the node prints for its administrator.
func (s *story) signIn(n *rig.Node) (browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return browser{}, err
	}
	b := browser{&http.Client{Jar: jar, Timeout: 15 * time.Second}}
	link, err := n.SignInLink(s.ctx)
	if err != nil {
		return b, err
	}
	if _, err := b.post(s.ctx, link, url.Values{}); err != nil {
		return b, err
	}
	home, err := url.Parse(n.URL)
	if err == nil && len(jar.Cookies(home)) == 0 {
		err = errors.New("signing in set no cookie")
	}
	return b, err
}
