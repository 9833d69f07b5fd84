// SPDX-License-Identifier: AGPL-3.0-or-later

package convergence

import (
	"errors"
	"fmt"
	"time"

	"essaim"
)

var author = essaim.Author{User: 1, Name: "Contributrice de démonstration"}

// act has a node do something that the seed says: make, change, delete, adapt a
// record, or change its keys.
func (w *world) act(n *node) {
	own := w.untouched(n)
	switch d := w.random.IntN(100); {
	case d < 35 || len(own) == 0:
		w.create(n)
	case d < 70:
		w.edit(n, own[w.random.IntN(len(own))])
	case d < 84:
		w.withdraw(n, own[w.random.IntN(len(own))])
	case d < 96:
		w.adapt(n)
	default:
		w.tell("%s changes its keys", n.host)
		w.must(n.rotate(w.ctx))
	}
}

// untouched lists the records of a node that may be changed: those that were not
// lately, or the loss of what they were would be made good by what they become.
func (w *world) untouched(n *node) (ids []string) {
	o := w.model.of(n.host)
	for _, id := range o.order {
		f := o.records[id]
		if !f.deleted && (f.touched < w.round-1 || w.network.dice("again", w.round, id) < 5) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (w *world) content() essaim.Content {
	w.made++
	c := essaim.Content{
		Title: fmt.Sprintf("Fiche %d", w.made), Tagline: "En une phrase.", Text: fmt.Sprintf("Le texte *entier* de la fiche %d.", w.made),
		Language: "fr", Licence: []string{"cc-by-sa-4.0", "cc-by-4.0"}[w.random.IntN(2)], Themes: w.themes(), Places: w.places(),
		Kind: essaim.KindInitiative, Body: &essaim.Initiative{Stage: "experimentation", Need: fmt.Sprintf("Le besoin %d.", w.made)},
	}
	if w.random.IntN(3) == 0 {
		c.Kind, c.Body = essaim.KindRecipe, &essaim.Recipe{}
	}
	return c
}

func (w *world) themes() []string {
	all := []string{"alimentation", "jardins", "nature", "reemploi"}
	return all[w.random.IntN(len(all)):]
}

func (w *world) places() []essaim.Place {
	p := []essaim.Place{{Label: "Brest", INSEE: "29019"}, {Label: "Toulouse", INSEE: "31555"}, {Label: "Tourcoing", INSEE: "59599"}}[w.random.IntN(3)]
	p.Lat, p.Lon = essaim.Point(48.25+float64(w.random.IntN(16))/16, -4.5)
	return []essaim.Place{p}
}

func (w *world) create(n *node) string {
	r, err := n.CreateRecord(w.ctx, essaim.NewRecord{Content: w.content(), State: essaim.StatePublished, Author: author})
	w.must(err)
	w.note(n, r)
	w.tell("%s publishes %s", n.host, r.ID)
	return r.ID
}

func (w *world) edit(n *node, id string) {
	c := w.model.of(n.host).records[id].content
	c.Title = fmt.Sprintf("%.40s, revue %d", c.Title, w.round)
	switch w.random.IntN(4) {
	case 0:
		c.Text += fmt.Sprintf("\n\nEt *la suite* %d.", w.round)
	case 1:
		c.Themes = w.themes()
	case 2:
		c.Places = w.places()
	case 3:
		if b, ok := c.Body.(*essaim.Initiative); ok {
			other := *b
			other.Need = fmt.Sprintf("Un autre besoin %d.", w.round)
			c.Body = &other
		}
	}
	r, err := n.UpdateRecord(w.ctx, id, 0, c, essaim.StatePublished, author)
	if errors.Is(err, essaim.ErrNotFound) {
		w.tell("%s has not got %s back", n.host, id)
		return
	}
	w.must(err)
	w.note(n, r)
	w.tell("%s changes %s", n.host, id)
}

func (w *world) withdraw(n *node, id string) {
	err := n.WithdrawRecord(w.ctx, id, author)
	if errors.Is(err, essaim.ErrNotFound) {
		w.tell("%s has not got %s back", n.host, id)
		return
	}
	w.must(err)
	f := w.model.of(n.host).records[id]
	f.deleted, f.touched = true, w.round
	w.tell("%s deletes %s", n.host, id)
}

// adapt has a node publish an adaptation of what it holds of another.
func (w *world) adapt(n *node) {
	other := w.nodes[w.random.IntN(len(w.nodes))]
	for _, id := range w.model.of(other.host).order {
		if other == n || w.network.dice("adapt", w.round, id) >= 40 {
			continue
		}
		draft, err := n.Adapt(w.ctx, id, author)
		if errors.Is(err, essaim.ErrNotFound) || errors.Is(err, essaim.ErrGone) {
			continue // not here yet, or no more
		}
		if errors.Is(err, essaim.ErrForbidden) && w.model.of(other.host).records[id].deleted {
			continue // one that damage brought back from the dead has no licence
		}
		w.must(err)
		c := w.content()
		d := draft.Content
		d.Title, d.Tagline, d.Themes, d.Places = c.Title+", adaptée", c.Tagline, c.Themes, c.Places
		r, err := n.UpdateRecord(w.ctx, draft.ID, 0, d, essaim.StatePublished, author)
		w.must(err)
		w.note(n, r)
		w.tell("%s adapts %s as %s", n.host, id, r.ID)
		return
	}
	w.create(n)
}

// note writes down what a node acknowledged, and the bytes that stand for it.
func (w *world) note(n *node, r essaim.Record) {
	stored, err := n.Object(w.ctx, r.ID)
	w.must(err)
	w.model.of(n.host).note(r, w.round, stored.Bytes)
}

// stock has the first node hold, in one world of five, more than a leaf of the
// digest tree does before anybody follows it.
func (w *world) stock() {
	if w.seed%5 != 0 {
		return
	}
	for range essaim.CommonsLeaf + 10 {
		w.create(w.nodes[0])
	}
}

// rounds lets the nodes write while faults befall them, for so many rounds of
// about an hour.
func (w *world) rounds(rounds int) {
	w.network.faulty, w.network.lost, w.network.reset = true, 30, 2
	for w.round = 1; w.round <= rounds; w.round++ {
		w.befall()
		for _, n := range w.nodes {
			for range w.random.IntN(3) {
				if n.up && !w.readOnly(n) {
					w.act(n)
				}
			}
		}
		w.exchange()
		hours := 1
		if w.round == rounds/2 {
			hours = 26 // a day in which all is compared
		}
		w.reading = w.reading.plus(w.pass(time.Duration(hours)*time.Hour + time.Duration(5+w.random.IntN(25))*time.Minute))
	}
}

// calm ends all faults and lets two periods of comparing pass.
func (w *world) calm() {
	w.network.faulty = false
	w.recover()
	w.reading = w.reading.plus(w.pass(80 * time.Minute)).plus(w.pass(26 * time.Hour))
	w.resting = w.pass(80 * time.Minute).plus(w.pass(26 * time.Hour))
}
