// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"

	"essaim"
	"essaim/store/french"
)

// Bounds of what is compared with one record, so that it costs the same among a
// hundred records and among a million.
const (
	probedHead    = 10 // words of title, tagline and keywords that are looked up
	probedNeed    = 8  // words of the need, or else of the text
	describedText = 30 // words of the text that are compared
	probedThemes  = 3
	// rareAt is up to how many records a word is rare in; that many are read of each.
	rareAt   = 40
	paired   = 4  // frequent words that are looked up two by two
	compared = 60 // of the records found, the most promising
	// otherTerritories bounds those that are named where one has most records.
	otherTerritories = 64
)

// Similar lists published records, of other territories unless those of the same
// are asked for too, that resemble a record, published or not. It is computed from
// the index of search at each call: nothing is stored, and both databases give the
// same.
func (s *Store) Similar(ctx context.Context, rec *essaim.Record, q essaim.Likest) ([]essaim.Likeness, error) {
	if q.Limit <= 0 {
		q.Limit = 6
	}
	of := describe(rec)
	var others []essaim.Described
	err := s.read(ctx, func(tx *Tx) error {
		others = nil
		p, err := tx.prober(ctx, rec, q.Here)
		if err != nil || p == nil {
			return err
		}
		if err := p.probe(ctx, &of); err != nil {
			return err
		}
		found, err := tx.recordsAt(ctx, p.promising())
		for i := range found {
			if found[i].Kind != essaim.KindMeeting || rec.Kind == essaim.KindMeeting {
				others = append(others, describe(&found[i]))
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("similar to %s: %w", rec.ID, err)
	}
	return essaim.MostAlike(&of, others, min(q.Limit, 20)), nil
}

// describe finds the words of a record.
func describe(r *essaim.Record) essaim.Described {
	d := essaim.Described{Record: *r}
	d.Head = wordsOf(r.Title+"\n"+r.Tagline+"\n"+strings.Join(r.Keywords, "\n"), maxHead)
	if b, ok := r.Body.(*essaim.Initiative); ok && b != nil {
		d.Need = wordsOf(b.Need, describedText)
	}
	d.Text = wordsOf(r.Text, describedText)
	return d
}

// wordsOf are the first words of a text, each once. Of a long text only the
// beginning is cut into terms.
func wordsOf(text string, n int) (list []essaim.Word) {
	if most := n * 40; len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	seen := map[string]bool{}
	for _, s := range french.Spans(text) {
		if len(list) == n {
			break
		}
		// Numbers and single letters say nothing of what a record is about.
		if !seen[s.Term] && len(s.Term) > 1 && strings.Trim(s.Term, "0123456789") != "" && !saysNothing()[s.Term] {
			seen[s.Term] = true
			list = append(list, essaim.Word{Term: s.Term, Shown: strings.ToLower(text[s.Start:s.End])})
		}
	}
	return list
}

// saysNothing are words of records about anything: they are searched for, but two
// records that share one have nothing in common. What is left out has its subject under
// the same term: « devoirs », « parc » of « parce », « pré » of « près », who is « seul ».
var saysNothing = sync.OnceValue(func() map[string]bool {
	terms := map[string]bool{}
	for _, t := range french.Terms(`action agir année association autour besoin chaque collectif créer création démarche dire donner ensemble
		faire fait grand habitant initiative jour lancer local locale mettre mis mise moyen nouveau nouvelle objectif outil permettre permet personne petit
		place porte porter porteur premier projet proposer public structure territoire travail travailler utiliser venir vie ville
		ailleurs ainsi aller alors après assez aucun aujourd'hui aussi autant autre avant beaucoup certain combien comment contre déjà
		doit doivent donc dernier encore exemple faut fiche fois hors inventé jamais loin lors mais mieux moins non oui parfois partout pas
		pendant peu peut peuvent plus plusieurs pouvoir presque quelque quelqu'un rien son souvent surtout tant tard tôt toujours
		tour tous tout très trop voici voilà voir vouloir démonstration cent mille deux trois quatre cinq six sept huit neuf dix`) {
		terms[t] = true
	}
	return terms
})

// prober looks for records that have something in common with one.
type prober struct {
	tx     *Tx
	within match         // the territories that are asked for
	total  int           // records of them
	found  map[int64]int // position → how promising
}

// prober is nil when there is nothing to look through.
func (tx *Tx) prober(ctx context.Context, rec *essaim.Record, here bool) (*prober, error) {
	p := &prober{tx: tx, within: match{since: math.MinInt64, until: newest}, found: map[int64]int{}}
	err := tx.row(ctx, "facet_sum", facetOf[filterAny], `[""]`).Scan(&p.total)
	if err != nil || here {
		return p, err
	}
	territory, err := json.Marshal([]string{rec.Territory})
	if err != nil {
		return nil, err
	}
	own := 0
	if err := tx.row(ctx, "facet_sum", facetOf[filterTerritory], string(territory)).Scan(&own); err != nil {
		return nil, err
	}
	var others []string // the most frequent first
	err = tx.each(ctx, "facet_top", func(scan func(...any) error) error {
		var c essaim.Count
		err := scan(&c.Value, &c.Label, &c.N)
		if c.Value != rec.Territory {
			others = append(others, c.Value)
		}
		return err
	}, facetOf[filterTerritory], otherTerritories+1)
	if err != nil || len(others) == 0 {
		return nil, err
	}
	// Whichever is passed over sooner: the records of one, or those of the others.
	if 2*own <= p.total {
		p.within.none = [][]string{{filterTerm(filterTerritory, rec.Territory)}}
	} else {
		p.within.any(filterTerritory, others[:min(otherTerritories, len(others))])
	}
	p.total -= own
	return p, nil
}

// probe is what is looked up together: a theme, or none, and some words. promise is what
// it promises of a record to have them.
type probe struct {
	promise int
	theme   string
	words   []string
}

// look finds, for each probe, the latest records that have it, up to n.
func (p *prober) look(ctx context.Context, n int, probes []probe) ([][]int64, error) {
	list := make([]match, len(probes))
	for i, of := range probes {
		m := p.within
		m.filter = slices.Clone(m.filter)
		if of.theme != "" {
			m.any(filterTheme, []string{of.theme})
		}
		for _, w := range of.words {
			m.words = append(m.words, [][]string{{w}})
		}
		list[i] = m
	}
	return p.tx.pages(ctx, list, n)
}

func (p *prober) promise(positions []int64, promise int) {
	for _, at := range positions {
		p.found[at] += promise
	}
}

// promising are the positions of those found that promise most, the latest first
// among equals.
func (p *prober) promising() []int64 {
	list := slices.SortedFunc(maps.Keys(p.found), func(a, b int64) int {
		return cmp.Or(cmp.Compare(p.found[b], p.found[a]), cmp.Compare(b, a))
	})
	return list[:min(compared, len(list))]
}

// probe looks for the words of a record and notes which are rare; for its themes,
// with its frequent words and alone; and for its frequent words two by two.
func (p *prober) probe(ctx context.Context, of *essaim.Described) error {
	frequent, err := p.words(ctx, of)
	if err != nil {
		return err
	}
	var probes []probe
	for _, theme := range of.Themes[:min(probedThemes, len(of.Themes))] {
		probes = append(probes, probe{1, theme, nil})
		for _, w := range frequent {
			probes = append(probes, probe{2, theme, []string{w}})
		}
	}
	for i, a := range frequent {
		for _, b := range frequent[i+1:] {
			probes = append(probes, probe{2, "", []string{a, b}})
		}
	}
	found, err := p.look(ctx, rareAt, probes)
	for i, positions := range found {
		p.promise(positions, probes[i].promise)
	}
	return err
}

// words looks for each word by itself, marks the rare ones, and gives the first
// of the others.
func (p *prober) words(ctx context.Context, of *essaim.Described) (frequent []string, err error) {
	more := of.Need
	if len(more) == 0 {
		more = of.Text
	}
	var probes []probe
	seen := map[string]bool{}
	for _, w := range slices.Concat(of.Head[:min(probedHead, len(of.Head))], more[:min(probedNeed, len(more))]) {
		if !seen[w.Term] {
			seen[w.Term] = true
			probes = append(probes, probe{1, "", []string{w.Term}})
		}
	}
	rare := max(3, min(rareAt, p.total/20))
	found, err := p.look(ctx, rare+1, probes)
	if err != nil {
		return nil, err
	}
	isRare := map[string]bool{}
	for i, positions := range found {
		word := probes[i].words[0]
		if isRare[word] = len(positions) <= rare; isRare[word] {
			p.promise(positions, 5)
			continue
		}
		p.promise(positions, 1)
		if len(frequent) < paired {
			frequent = append(frequent, word)
		}
	}
	for _, list := range [][]essaim.Word{of.Head, of.Need, of.Text} {
		for i := range list {
			list[i].Rare = isRare[list[i].Term]
		}
	}
	return frequent, nil
}
