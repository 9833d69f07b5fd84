// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"essaim"
	"essaim/federation/wire"
	"essaim/web/markup"
)

// readSource prefers what people wrote to what was made of it: Lemmy and others
// give the Markdown.
func (f *Foreign) readSource(v wire.Value) {
	src := v.Get("source")
	if s := src.Get("content").TextOr(); s != "" && src.Get("mediaType").TextOr() == "text/markdown" && f.Content != "" {
		f.Content, f.MediaType = s, "text/markdown"
	}
	if f.MediaType == "" {
		f.MediaType = "text/html"
	}
}

// Text is the content without markup, in lines.
func (f *Foreign) Text() string {
	s := f.Content
	switch f.MediaType {
	case "text/markdown":
		s = markup.Plain(markup.Markdown(s))
	case "text/plain":
	default:
		s = markup.Plain(s)
	}
	if utf8.RuneCountInString(s) > maxForeignText/2 {
		s = string([]rune(s)[:maxForeignText/2])
	}
	return strings.ToValidUTF8(s, "")
}

// readImages takes the pictures with alternative text: attachments, the image,
// PeerTube's icon. Without a text nobody who cannot see it knows what it shows.
func (f *Foreign) readImages(v wire.Value) {
	for _, property := range [...]string{"attachment", "image", "icon"} {
		for e := range v.Get(property).Elements() {
			if e.Kind() != wire.KindObject || len(f.Images) == maxForeignImages {
				continue
			}
			var p picture
			read(members(e.Raw()), &p)
			if p.URL == "" {
				p.URL = iri(first(readIRIs(e.Get("href").Raw())))
			}
			img := p.image()
			img.Alt = oneLine(img.Alt, 1500)
			if _, err := essaim.ParseIRI(img.URL); err != nil || !p.shown() || img.Alt == "" || len(img.URL) > 2000 {
				continue
			}
			if !slices.ContainsFunc(f.Images, func(held essaim.Image) bool { return held.URL == img.URL }) {
				f.Images = append(f.Images, img)
			}
		}
		if len(f.Images) > 0 {
			return // the others show the same, smaller
		}
	}
}

// readEvent takes where and how one comes: FEP-8a8e, Mobilizon, Gancio, WordPress.
func (f *Foreign) readEvent(v wire.Value) {
	for e := range v.Get("location").Elements() {
		if online := firstOf(e.Get("url").TextOr(), e.Get("uri").TextOr()); e.Get("type").TextOr() == "VirtualLocation" {
			f.Online = webAddress(online)
			continue
		}
		if pl := foreignPlace(e); empty(f.Place) {
			f.Place = pl
		}
	}
	f.Join = webAddress(v.Get("externalParticipationUrl").TextOr())
	for _, property := range [...]string{"ical:status", "eventStatus", "status"} {
		s := strings.ToLower(strings.TrimPrefix(v.Get(property).TextOr(), "https://schema.org/Event"))
		if f.Status == "" && essaim.ListMeetingStatus.Has(s) {
			f.Status = s
		}
	}
	zone := v.Get("timezone").TextOr()
	if _, err := time.LoadLocation(zone); err == nil && zone != "" && zone != "Local" && len(zone) <= 64 {
		f.Zone = zone
	}
}

// foreignPlace reads a Place, or the line of text that some write instead.
func foreignPlace(v wire.Value) essaim.Place {
	if s, ok := v.Text(); ok {
		return essaim.Place{Label: oneLine(s, 300)}
	}
	if v.Kind() != wire.KindObject {
		return essaim.Place{}
	}
	var w place
	read(members(v.Raw()), &w)
	pl := w.place()
	// The codes are ours to look up: elsewhere nobody writes them.
	pl.INSEE, pl.EPCI, pl.Departement, pl.Region, pl.Approximate, pl.Level = "", "", "", "", false, ""
	if line := v.Get("address").TextOr(); line != "" && pl.Street == "" {
		pl.Street = line // Gancio
	}
	pl.Label, pl.Street, pl.City, pl.Postcode = oneLine(pl.Label, 300), oneLine(pl.Street, 300), oneLine(pl.City, 200), oneLine(pl.Postcode, 20)
	if len(pl.Country) != 2 {
		pl.Country = ""
	}
	if !pl.Located() {
		pl.Lat, pl.Lon = nil, nil
		if pl.Label == "" && pl.City == "" {
			pl.Label, pl.Street = pl.Street, ""
		}
	}
	return pl
}

func webAddress(s string) string {
	if iri, err := essaim.ParseIRI(s); err == nil {
		return iri.String()
	}
	return ""
}

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(b)
}

// Proposable tells whether an object is of a type that may become a candidate.
func Proposable(typ string) bool {
	switch typ {
	case "Article", "Event", "Note", "Page", "Video":
		return true
	}
	return false
}

// Proposal is the object as a candidate by author: an Event makes a meeting,
// anything else an initiative, for a moderator to look at. false when there is
// nothing in it that could be shown.
func (f *Foreign) Proposal(author string) (essaim.Proposal, bool) {
	text := f.Text()
	p := essaim.Proposal{
		Object: f.ID, Author: author, URL: f.URL, Published: f.Published, Updated: f.Updated,
		Content: essaim.Content{
			Kind: essaim.KindInitiative, Title: oneLine(markup.Plain(f.Name), 200), Language: f.Language,
			Tagline: oneLine(markup.Plain(f.Summary), 180), Text: strings.ReplaceAll(text, "\n", "\n\n"),
			Keywords: f.Tags, Images: f.Images, Licence: f.Licence, Body: &essaim.Initiative{},
		},
	}
	if p.Content.Title == "" {
		p.Content.Title, p.Untitled = oneLine(cmp.Or(text, p.Content.Tagline), 80), true
	}
	if p.Content.Title == "" {
		return essaim.Proposal{}, false
	}
	if !empty(f.Place) {
		p.Content.Places = []essaim.Place{f.Place}
	}
	if f.Type == "Event" {
		p.Content.Kind = essaim.KindMeeting
		m := &essaim.Meeting{Start: f.Start, End: f.End, Timezone: f.Zone, Status: f.Status, Registration: f.Join, Online: f.Online}
		if m.End.Before(m.Start) {
			m.End = time.Time{}
		}
		p.Content.Body = m
	}
	return p, true
}
