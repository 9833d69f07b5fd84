// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"essaim"
)

// bodyForm writes a kind's body into a form and reads it back. write(read(x))
// gives x again: a test holds each kind to it.
type bodyForm struct {
	write func(f *recordForm, b essaim.Body)
	read  func(f *recordForm, b essaim.Body)
}

// bodyForms is the table of the kinds' forms; a test compares it with the kinds.
var bodyForms = map[essaim.Kind]bodyForm{
	essaim.KindInitiative:   {writeInitiative, readInitiative},
	essaim.KindRecipe:       {writeRecipe, readRecipe},
	essaim.KindVenue:        {writeVenue, readVenue},
	essaim.KindOrganisation: {writeOrganisation, readOrganisation},
	essaim.KindMeeting:      {writeMeeting, readMeeting},
	essaim.KindRemake:       {writeRemake, readRemake},
}

// write fills the form with a content.
func (f *recordForm) write(c essaim.Content) {
	f.set("title", c.Title)
	f.set("tagline", c.Tagline)
	f.set("text", c.Text)
	f.set("language", c.Language)
	if c.Everywhere {
		f.set("everywhere", "1")
	}
	for i, p := range c.Places {
		f.writePlace("places."+strconv.Itoa(i)+".", p)
	}
	f.setBoxes("themes", c.Themes)
	f.setLines("keywords", c.Keywords)
	f.setLines("networks", c.Networks)
	f.set("licence", c.Licence)
	f.set("holder", c.Holder)
	links := make([]string, len(c.Links))
	for i, l := range c.Links {
		links[i] = strings.TrimSpace(l.URL + " " + l.Name)
	}
	f.setLines("links", links)
	sources := make([]string, len(c.Sources))
	for i, s := range c.Sources {
		sources[i] = strings.TrimSpace(s.URL + " " + s.Name)
	}
	f.setLines("sources", sources)
	rows := map[string]int{}
	for _, cr := range c.Credits {
		group := creditGroup(cr.Person)
		at := group + "." + strconv.Itoa(rows[group]) + "."
		rows[group]++
		f.set(at+"name", cr.Name)
		f.set(at+"role", cr.Role)
		f.set(at+"since", cr.Since)
		if !cr.Person {
			f.set(at+"kind", cr.Kind)
		} else if cr.Shown() {
			f.set(at+"agreed", cr.Consent.On)
		}
	}
	f.writeHelp("helpWanted", c.HelpWanted)
	f.writeHelp("helpOffered", c.HelpOffered)
	for _, t := range relationTypes[c.Kind] {
		var lines []string
		for _, r := range c.Relations {
			if r.Type == t {
				lines = append(lines, strings.TrimSpace(r.Target+" "+r.Name))
			}
		}
		f.setLines("relations-"+string(t), lines)
	}
	f.set("collectedBy", c.CollectedBy)
	f.set("collectedOn", c.CollectedOn)
	f.set("reviewedOn", c.ReviewedOn)
	if c.Body != nil {
		bodyForms[c.Kind].write(f, c.Body)
	}
}

// relationTypes are the relations that the form of a kind asks for.
var relationTypes = map[essaim.Kind][]essaim.RelationType{
	essaim.KindRecipe:       {essaim.RelationDocuments},
	essaim.KindVenue:        {essaim.RelationHosts, essaim.RelationWithin},
	essaim.KindOrganisation: {essaim.RelationMember},
	essaim.KindMeeting:      {essaim.RelationAbout},
	essaim.KindRemake:       {essaim.RelationRemakes},
}

// RelationTypes are those that this form asks for.
func (f *recordForm) RelationTypes() []essaim.RelationType { return relationTypes[f.kind] }

// read gives the content that the form makes of an earlier one: what the form
// does not ask for stays as it was.
func (f *recordForm) read(s *Server, before essaim.Content) essaim.Content {
	c := before
	c.Kind = f.kind
	c.Title, c.Tagline, c.Text = f.line("title"), f.line("tagline"), f.text("text")
	c.Language = f.line("language")
	c.Everywhere = f.values.Get("everywhere") != ""
	c.Places = f.readPlaces(s, before.Places)
	c.Themes, c.Keywords, c.Networks = inOrder(before.Themes, f.boxes("themes")), f.lines("keywords"), f.lines("networks")
	for i, k := range c.Keywords {
		c.Keywords[i] = strings.TrimPrefix(k, "#")
	}
	c.Licence, c.Holder = f.line("licence"), f.line("holder")
	c.Links, c.Sources = nil, nil
	for _, line := range f.lines("links") {
		address, name, _ := strings.Cut(line, " ")
		c.Links = append(c.Links, essaim.Link{URL: address, Name: name})
	}
	for _, line := range f.lines("sources") {
		address, name, _ := strings.Cut(line, " ")
		c.Sources = append(c.Sources, keepSource(before.Sources, essaim.Source{URL: address, Name: name}))
	}
	c.Credits = f.readCredits(f.readCredits(before.Credits, false), true)
	c.HelpWanted, c.HelpOffered = f.readHelp("helpWanted"), f.readHelp("helpOffered")
	c.Relations = f.readRelations(before.Relations)
	c.CollectedBy, c.CollectedOn, c.ReviewedOn = f.line("collectedBy"), f.line("collectedOn"), f.line("reviewedOn")
	info, _ := f.kind.Info()
	c.Body = info.Body()
	bodyForms[f.kind].read(f, c.Body)
	keepPictures(before.Body, c.Body)
	if old, ok := before.Body.(*essaim.Initiative); ok && old != nil {
		if b, ok := c.Body.(*essaim.Initiative); ok {
			b.Purposes, b.Forms = inOrder(old.Purposes, b.Purposes), inOrder(old.Forms, b.Forms)
		}
	}
	return c
}

// inOrder gives ticked values the order that they had: boxes stand in the order
// of the list, and an edit that ticks nothing must change nothing.
func inOrder(before, ticked []string) []string {
	var out []string
	for _, v := range before {
		if slices.Contains(ticked, v) {
			out = append(out, v)
		}
	}
	for _, v := range ticked {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// keepPictures gives the pictures of steps what the form does not carry.
func keepPictures(before, after essaim.Body) {
	old, ok1 := before.(*essaim.Recipe)
	recipe, ok2 := after.(*essaim.Recipe)
	if !ok1 || !ok2 || old == nil {
		return
	}
	for i := range recipe.Steps {
		for _, st := range old.Steps {
			if img := recipe.Steps[i].Image; img != nil && st.Image != nil && st.Image.URL == img.URL {
				recipe.Steps[i].Image = st.Image
			}
		}
	}
}

// keepSource keeps the key by which an import finds its row again.
func keepSource(before []essaim.Source, s essaim.Source) essaim.Source {
	for _, b := range before {
		if b.URL == s.URL {
			s.Key, s.Fetched = b.Key, b.Fetched
		}
	}
	return s
}

// creditGroup is the group of rows in which the form asks for credits: those of
// bodies, and those of natural persons, who are asked themselves (keepConsents).
func creditGroup(person bool) string {
	if person {
		return "people"
	}
	return "credits"
}

// creditRows are the rows of a group that name somebody.
func (f *recordForm) creditRows(group string) (rows []int) {
	for i := range f.count(group) {
		if at := group + "." + strconv.Itoa(i) + "."; f.line(at+"name") != "" || f.line(at+"self") != "" {
			rows = append(rows, i)
		}
	}
	return rows
}

// readCredits reads the credits of bodies, or of people.
func (f *recordForm) readCredits(before []essaim.Credit, person bool) []essaim.Credit {
	var out []essaim.Credit
	group := creditGroup(person)
	for _, i := range f.creditRows(group) {
		at := group + "." + strconv.Itoa(i) + "."
		name, role, self := f.line(at+"name"), cmp.Or(f.line(at+"role"), "porteur"), f.line(at+"self") != ""
		cr := essaim.Credit{Person: person}
		for _, o := range before {
			if o.Person == person && o.Name == name && o.Role == role {
				cr = o
			}
		}
		cr.Name, cr.Role, cr.Since = name, role, f.line(at+"since")
		if !person {
			cr.Kind = f.line(at + "kind")
		}
		if self {
			cr.Consent = &essaim.Consent{How: bySelf}
		}
		out = append(out, cr)
	}
	return inPlace(before, out, func(cr essaim.Credit) bool { return cr.Person == person })
}

// inPlace puts what a form asked for where it stood among what it did not: an
// edit that changes nothing must not reorder.
func inPlace[T any](before, written []T, asked func(T) bool) []T {
	var out []T
	for _, b := range before {
		switch {
		case !asked(b):
			out = append(out, b)
		case len(written) > 0:
			out, written = append(out, written[0]), written[1:]
		}
	}
	return append(out, written...)
}

func (f *recordForm) writeHelp(name string, list []essaim.HelpNotice) {
	for i, h := range list {
		at := name + "." + strconv.Itoa(i) + "."
		f.set(at+"kind", h.Kind)
		f.set(at+"text", h.Text)
		f.set(at+"until", h.Until)
	}
}

func (f *recordForm) readHelp(name string) []essaim.HelpNotice {
	var out []essaim.HelpNotice
	for i := range f.count(name) {
		at := name + "." + strconv.Itoa(i) + "."
		h := essaim.HelpNotice{Kind: f.line(at + "kind"), Text: f.text(at + "text"), Until: f.line(at + "until")}
		if h != (essaim.HelpNotice{}) {
			out = append(out, h)
		}
	}
	return out
}

// readRelations reads one record a line: its address here, at its origin, or
// its id, then its title. Relations that the form does not ask for stay.
func (f *recordForm) readRelations(before []essaim.Relation) []essaim.Relation {
	out := before
	for _, t := range relationTypes[f.kind] {
		var written []essaim.Relation
		for _, line := range f.lines("relations-" + string(t)) {
			target, name, _ := strings.Cut(line, " ")
			written = append(written, essaim.Relation{Type: t, Target: target, Name: name})
		}
		out = inPlace(out, written, func(r essaim.Relation) bool { return r.Type == t })
	}
	return out
}
