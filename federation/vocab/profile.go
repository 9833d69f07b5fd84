// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"cmp"
	"fmt"
	"html"
	"net/url"
	"path"
	"strings"

	"essaim"
	"essaim/web/markup"
)

// Pictures of an actor for which none was chosen; served by the node.
const (
	defaultIcon   = "/static/actor.png"
	defaultHeader = "/static/actor-header.png"
)

// Page is where people read what an actor stands for; empty when there is no
// such page.
func (r *Renderer) Page(a essaim.LocalActor) string {
	switch a.Kind {
	case essaim.ActorNode:
		return r.base + "/territoires"
	case essaim.ActorTerritory, essaim.ActorGroup:
		return r.base + "/"
	case essaim.ActorTheme:
		return r.base + "/recherche?theme=" + url.QueryEscape(a.Subject)
	case essaim.ActorCommune:
		return r.base + "/recherche?near=" + url.QueryEscape(a.Subject) + "&radius=10"
	case essaim.ActorInitiative, essaim.ActorOrganisation:
		return a.Record.URL
	case essaim.ActorPerson:
		return r.base + "/personnes/" + a.Username
	}
	return ""
}

// describe says what an actor stands for, where nothing else was chosen.
func (r *Renderer) describe(d *actorDocument, a essaim.LocalActor) {
	t := r.node.Territory
	d.URL = iri(cmp.Or(r.Page(a), a.ID))
	d.Icon, d.Image = r.pictureAt(defaultIcon, "Logo d’Essaim"), r.pictureAt(defaultHeader, "Alvéoles d’un essaim")
	d.Discoverable, d.Indexable = true, true
	site := property{Type: "PropertyValue", Name: "Site", Value: r.site()}
	d.Attachment = []property{site}
	switch a.Kind {
	case essaim.ActorNode:
		d.Name = text(t.Name + " (Essaim)")
		d.Summary = text("<p>" + html.EscapeString("Nœud Essaim\u00a0: "+t.Name) + "</p>")
		d.Attachment, d.Indexable = nil, false
	case essaim.ActorTerritory:
		d.Name, d.Summary, d.AttributionDomains = text(t.Name), r.bio(t.Summary), r.pagesHere()
		if t.Lat != 0 || t.Lon != 0 {
			d.Location = only(at(t.Name, t.Lat, t.Lon))
		}
	case essaim.ActorTheme:
		d.Name = text(themeLabel(a) + " – " + t.Name)
		d.Summary = feedSummary(t.Name, "sur le thème «\u00a0"+themeLabel(a)+"\u00a0»")
	case essaim.ActorCommune:
		r.describeCommune(d, a)
	case essaim.ActorInitiative, essaim.ActorOrganisation:
		r.describeRecord(d, a)
	case essaim.ActorGroup:
		d.Name = text(t.Name + " (communauté)")
		d.Summary = feedSummary(t.Name, "pour les communautés de Lemmy")
		d.Context, d.ModeratorsPost = groupContext, true
	case essaim.ActorPerson:
		d.Name, d.Discoverable, d.Indexable, d.AttributionDomains = text(a.Username), false, false, r.pagesHere()
	}
}

// pagesHere lists this node's host, as Mastodon compares it: without a port.
func (r *Renderer) pagesHere() []text { return []text{text(strings.ToLower(r.host))} }

// feedSummary says what a feed is.
func feedSummary(territory, about string) text {
	return text("<p>" + html.EscapeString("Ce que publie "+territory+" "+about+", au fil des publications.") + "</p>")
}

func (r *Renderer) describeCommune(d *actorDocument, a essaim.LocalActor) {
	name := a.Subject
	if c, ok := essaim.EmbeddedGazetteer().Commune(a.Subject); ok {
		name = c.Name
		if c.Located() {
			d.Location = only(at(c.Name, c.Lat, c.Lon))
		}
	}
	d.Name = text(name + " – " + r.node.Territory.Name)
	d.Summary = feedSummary(r.node.Territory.Name, inCommune(name))
}

// inCommune says where in French: articles of names contract.
func inCommune(name string) string {
	if rest, ok := strings.CutPrefix(name, "Le "); ok {
		return "au " + rest
	}
	if rest, ok := strings.CutPrefix(name, "Les "); ok {
		return "aux " + rest
	}
	return "à " + name
}

// describeRecord says what an initiative or an organisation is, and links its
// record.
func (r *Renderer) describeRecord(d *actorDocument, a essaim.LocalActor) {
	rec := &a.Record
	d.Name, d.Summary = text(rec.Title), text(summary(rec, language(rec), r.markdown))
	page := html.EscapeString(rec.URL)
	shown := html.EscapeString(r.authority() + strings.TrimPrefix(rec.URL, r.base))
	d.Attachment = append([]property{{Type: "PropertyValue", Name: "Fiche", Value: text(`<a href="` + page + `" rel="me">` + shown + "</a>")}}, d.Attachment...)
	if len(rec.Places) > 0 && rec.Places[0].Located() {
		p := rec.Places[0]
		d.Location = only(at(cmp.Or(p.Label, p.City, rec.Title), *p.Lat, *p.Lon))
	}
	if len(rec.Images) > 0 {
		p := pictureOf(rec.Images[0])
		d.Image = only(picture{Type: "Image", MediaType: p.MediaType, URL: p.URL, Name: p.Name})
	}
}

// choose puts what was chosen in place of what is said otherwise.
func (r *Renderer) choose(d *actorDocument, a essaim.LocalActor) {
	p := a.Profile
	d.Name = cmp.Or(text(p.Name), d.Name)
	d.Summary = cmp.Or(r.bio(p.Summary), d.Summary)
	if p.Icon != "" {
		d.Icon = r.pictureAt(p.Icon, p.Name)
	}
	if p.Header != "" {
		d.Image = r.pictureAt(p.Header, p.Name)
	}
	for _, f := range p.Fields {
		value := html.EscapeString(f.Value)
		if u, err := url.Parse(f.Value); err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
			value = `<a href="` + value + `" rel="me">` + html.EscapeString(u.Host+strings.TrimSuffix(u.Path, "/")) + "</a>"
		}
		d.Attachment = append(d.Attachment, property{Type: "PropertyValue", Name: text(f.Name), Value: text(value)})
	}
	if p.Discoverable != nil {
		d.Discoverable = *p.Discoverable
	}
	if p.Indexable != nil {
		d.Indexable = *p.Indexable
	}
	d.AlsoKnownAs = p.AlsoKnownAs
}

// ReadActor is the essaim.ReadActorFunc of this node. Of a summary its text comes
// back, without its marks.
func (r *Renderer) ReadActor(a essaim.LocalActor, document []byte) (p essaim.Profile, err error) {
	a.Profile = essaim.Profile{}
	plain, err := r.Actor(a, false)
	if err != nil {
		return p, err
	}
	var is, was actorDocument
	read(members(document), &is)
	read(members(plain), &was)
	if is.Name != was.Name {
		p.Name = string(is.Name)
	}
	if is.Summary != was.Summary {
		p.Summary = markup.Plain(string(is.Summary))
	}
	if icon := pictured(is.Icon); icon != pictured(was.Icon) {
		p.Icon = icon
	}
	if header := pictured(is.Image); header != pictured(was.Image) {
		p.Header = header
	}
	for _, f := range is.Attachment[min(len(is.Attachment), len(was.Attachment)):] {
		value := markup.Plain(string(f.Value))
		if _, after, ok := strings.Cut(string(f.Value), `href="`); ok {
			value, _, _ = strings.Cut(after, `"`)
			value = html.UnescapeString(value)
		}
		p.Fields = append(p.Fields, essaim.ProfileField{Name: string(f.Name), Value: value})
	}
	if is.Discoverable != was.Discoverable {
		p.Discoverable = &is.Discoverable
	}
	if is.Indexable != was.Indexable {
		p.Indexable = &is.Indexable
	}
	p.AlsoKnownAs = is.AlsoKnownAs
	if bad := p.Validate(); len(bad) > 0 {
		return essaim.Profile{}, fmt.Errorf("actor %s: %w", a.ID, bad.Err())
	}
	return p, nil
}

func pictured(p one[picture]) string {
	if p.v == nil {
		return ""
	}
	return string(p.v.URL)
}

func (r *Renderer) bio(markdown string) text {
	if markdown == "" {
		return ""
	}
	return text(r.markdown(markdown))
}

// site is the node's address as a line of a profile.
func (r *Renderer) site() text {
	return text(`<a href="` + html.EscapeString(r.base) + `/" rel="me">` + html.EscapeString(r.authority()) + "</a>")
}

// pictureTypes are the formats that Mastodon shows as an avatar.
var pictureTypes = map[string]text{".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp"}

func (r *Renderer) pictureAt(address, name string) one[picture] {
	if strings.HasPrefix(address, "/") {
		address = r.base + address
	}
	kind := ""
	if u, err := url.Parse(address); err == nil {
		kind = strings.ToLower(path.Ext(u.Path))
	}
	return only(picture{Type: "Image", MediaType: pictureTypes[kind], URL: iri(address), Name: text(name)})
}

// at is a place with its point.
func at(name string, latitude, longitude float64) place {
	lat, lon := rounded(latitude), rounded(longitude)
	return place{Type: "Place", Name: text(name), Latitude: &lat, Longitude: &lon}
}

// themeLabel is the French name of a feed's theme.
func themeLabel(a essaim.LocalActor) string {
	return cmp.Or(a.Label, essaim.Thesaurus{}.Label("fr", a.Subject))
}
