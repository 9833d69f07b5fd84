// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"cmp"
	"time"

	"essaim"
	"essaim/web/markup"
)

// Structured is what a page shows, in the words of schema.org, for those who
// read pages by program. It is data: the policy against inline scripts does not
// concern it.
type Structured struct {
	Context     string   `json:"@context,omitempty"`
	Type        string   `json:"@type"`
	ID          string   `json:"@id,omitempty"`
	Name        string   `json:"name,omitempty"`
	Headline    string   `json:"headline,omitempty"`
	Description string   `json:"description,omitempty"`
	URL         string   `json:"url,omitempty"`
	Image       []string `json:"image,omitempty"`
	Language    string   `json:"inLanguage,omitempty"`
	License     string   `json:"license,omitempty"`
	Keywords    []string `json:"keywords,omitempty"`
	Published   string   `json:"datePublished,omitempty"`
	Modified    string   `json:"dateModified,omitempty"`
	Text        string   `json:"text,omitempty"` // of a step
	Value       string   `json:"value,omitempty"`
	Position    int      `json:"position,omitempty"`
	Items       int      `json:"numberOfItems,omitempty"`
	CreditText  string   `json:"creditText,omitempty"` // how to name the work where it is reused
	Target      string   `json:"target,omitempty"`
	QueryInput  string   `json:"query-input,omitempty"`

	Publisher *Structured  `json:"publisher,omitempty"`
	Author    *Structured  `json:"author,omitempty"`
	Organizer []Structured `json:"organizer,omitempty"`
	Location  []Structured `json:"location,omitempty"`
	Address   *Structured  `json:"address,omitempty"`
	Spatial   []Structured `json:"spatialCoverage,omitempty"` // where a work is about
	About     []Structured `json:"about,omitempty"`           // themes
	Holder    *Structured  `json:"copyrightHolder,omitempty"`
	BasedOn   []Structured `json:"isBasedOn,omitempty"`
	Idents    []Structured `json:"identifier,omitempty"`
	Amenities []Structured `json:"amenityFeature,omitempty"`
	MemberOf  []Structured `json:"memberOf,omitempty"`
	Within    []Structured `json:"containedInPlace,omitempty"`
	Main      *Structured  `json:"mainEntity,omitempty"`
	Elements  []Structured `json:"itemListElement,omitempty"`
	Item      string       `json:"item,omitempty"`
	Action    *Structured  `json:"potentialAction,omitempty"`
	SubjectOf *Structured  `json:"subjectOf,omitempty"`
	Trail     *Structured  `json:"breadcrumb,omitempty"`
	MainOf    *Structured  `json:"mainEntityOfPage,omitempty"`
	Geo       *Structured  `json:"geo,omitempty"`
	Steps     []Structured `json:"step,omitempty"`
	Supply    []string     `json:"supply,omitempty"`
	Tools     []string     `json:"tool,omitempty"`
	Yield     string       `json:"yield,omitempty"`

	StartDate  string   `json:"startDate,omitempty"`
	EndDate    string   `json:"endDate,omitempty"`
	Status     string   `json:"eventStatus,omitempty"`
	Attendance string   `json:"eventAttendanceMode,omitempty"`
	Hours      []string `json:"openingHours,omitempty"`
	Founded    string   `json:"foundingDate,omitempty"`
	LegalName  string   `json:"legalName,omitempty"`

	Street    string   `json:"streetAddress,omitempty"`
	Postcode  string   `json:"postalCode,omitempty"`
	City      string   `json:"addressLocality,omitempty"`
	Country   string   `json:"addressCountry,omitempty"`
	Latitude  *float64 `json:"latitude,omitempty"`
	Longitude *float64 `json:"longitude,omitempty"`
}

const schemaOrg = "https://schema.org"

// structuredTerritory is the home page.
func (s *Server) structuredTerritory(description string) *Structured {
	t := s.cfg.Node.Territory
	return &Structured{
		Context: schemaOrg, Type: "Organization", ID: t.Actor, Name: t.Name, Description: description, URL: s.abs("/"),
		SubjectOf: &Structured{Type: "WebSite", Name: t.Name, URL: s.abs("/"), Action: &Structured{
			Type: "SearchAction", Target: s.abs("/recherche?q={words}"), QueryInput: "required name=words",
		}},
	}
}

// structuredFeed is the page of a theme or a commune that is followed from it.
func (s *Server) structuredFeed(p *ListPage, path string) *Structured {
	t := s.cfg.Node.Territory
	return &Structured{
		Context: schemaOrg, Type: "CollectionPage", ID: p.Object, Name: p.Followed.Name, Description: p.Description, URL: s.abs(path),
		Publisher: &Structured{Type: "Organization", ID: t.Actor, Name: t.Name}, Main: s.itemList(p),
	}
}

// structuredList is any other list that may be found from outside.
func (s *Server) structuredList(p *ListPage, path string) *Structured {
	t := s.cfg.Node.Territory
	return &Structured{
		Context: schemaOrg, Type: "CollectionPage", Name: p.Title, Description: p.Description, URL: s.abs(path),
		Publisher: &Structured{Type: "Organization", ID: t.Actor, Name: t.Name}, Main: s.itemList(p), Trail: s.trail(p.Crumbs),
	}
}

// itemList is the records that a page of a list shows, in their order.
func (s *Server) itemList(p *ListPage) *Structured {
	d := &Structured{Type: "ItemList", Items: p.Total}
	for i := range p.Cards {
		d.Elements = append(d.Elements, Structured{Type: "ListItem", Position: i + 1, Name: p.Cards[i].Title, URL: s.abs(recordPath(p.Cards[i].Record))})
	}
	return d
}

// trail is the way from the home page; the page itself ends it without an address.
func (s *Server) trail(crumbs []Crumb) *Structured {
	d := &Structured{Type: "BreadcrumbList"}
	for i, c := range crumbs {
		item := Structured{Type: "ListItem", Position: i + 1, Name: c.Name}
		if c.Path != "" {
			item.Item = s.abs(c.Path)
		}
		d.Elements = append(d.Elements, item)
	}
	return d
}

// structured is a record's page. What a kind has no word for stays an article.
func (s *Server) structured(l *locale, p *RecordPage) *Structured {
	rec := p.Record
	d := &Structured{
		Context: schemaOrg, Type: "Article", ID: rec.ID, Name: rec.Title, Description: p.Description, URL: rec.URL,
		Language: cmp.Or(rec.Language, "fr"), Keywords: rec.Keywords,
		Publisher: &Structured{Type: "Organization", ID: rec.Territory, Name: rec.TerritoryName},
	}
	if lic, ok := essaim.LicenceByID(rec.Licence); ok {
		d.License = lic.IRI
	}
	for _, img := range p.Images {
		d.Image = append(d.Image, img.URL)
	}
	if len(d.Image) == 0 && p.Image != "" {
		d.Image = []string{p.Image}
	}
	d.MainOf = &Structured{Type: "WebPage", URL: cmp.Or(p.Canonical, s.abs(recordPath(rec))), Trail: s.trail(p.Crumbs)}
	var places []Structured
	for _, pl := range rec.Places {
		places = append(places, structuredPlace(pl))
	}
	switch b := rec.Body.(type) {
	case *essaim.Meeting:
		d.event(b, places, rec.PublicCredits())
		d.Publisher, d.License = nil, ""
		return d
	case *essaim.Venue:
		d.Type, d.Hours = "Place", b.OpeningHours
		for _, name := range b.Services {
			d.Amenities = append(d.Amenities, Structured{Type: "LocationFeatureSpecification", Name: name, Value: "true"})
		}
		d.Within = related(rec.Relations, essaim.RelationWithin, "Place")
		d.here(places)
		return d
	case *essaim.Organisation:
		d.Type, d.Founded = "Organization", b.Founded
		for _, id := range []struct{ name, value string }{{"SIREN", b.SIREN}, {"RNA", b.RNA}} {
			if id.value != "" {
				d.Idents = append(d.Idents, Structured{Type: "PropertyValue", Name: id.name, Value: id.value})
			}
		}
		d.MemberOf = related(rec.Relations, essaim.RelationMember, "Organization")
		d.here(places)
		return d
	case *essaim.Recipe:
		d.howTo(b)
	default:
		d.Headline = rec.Title
	}
	d.work(&rec, places, credit(l, rec))
	for _, id := range rec.Themes {
		d.About = append(d.About, Structured{Type: "DefinedTerm", Name: l.theme(id)})
	}
	if !rec.Published.IsZero() {
		d.Published, d.Modified = rec.Published.Format(time.RFC3339), rec.Updated.Format(time.RFC3339)
	}
	return d
}

// work is what a licence asks to be told of what it covers: by whom, of what it is
// made, how it is named. Record and page of a person are apart: authors are named
// by their consent alone.
func (d *Structured) work(rec *essaim.Record, places []Structured, credit string) {
	d.Author, d.Spatial, d.CreditText = d.Publisher, places, credit
	if rec.Holder != "" {
		d.Holder = &Structured{Type: "Organization", Name: rec.Holder}
	}
	if from := rec.DerivedFrom; from != nil {
		based := Structured{Type: "CreativeWork", ID: from.ID, Name: from.Name}
		if l, ok := essaim.LicenceByID(from.Licence); ok {
			based.License = l.IRI
		}
		d.BasedOn = []Structured{based}
	}
}

// related are the records that one of a kind points to.
func related(relations []essaim.Relation, by essaim.RelationType, as string) []Structured {
	var out []Structured
	for _, r := range relations {
		if r.Type == by {
			out = append(out, Structured{Type: as, ID: r.Target, Name: r.Name})
		}
	}
	return out
}

// here is where a venue or an organisation is: of several places the first.
func (d *Structured) here(places []Structured) {
	// A place or a body is no work: nobody publishes it.
	d.Publisher, d.License, d.Language, d.Keywords = nil, "", "", nil
	if len(places) == 0 {
		return
	}
	if d.Address = places[0].Address; d.Type == "Place" {
		d.Geo = places[0].Geo
	} else {
		d.Location = places
	}
}

func (d *Structured) event(b *essaim.Meeting, places []Structured, credits []essaim.Credit) {
	d.Type, d.Location = "Event", places
	d.StartDate, d.EndDate = bounds(b)
	d.Status = schemaOrg + "/EventScheduled"
	if b.Status == "cancelled" {
		d.Status = schemaOrg + "/EventCancelled"
	}
	d.Attendance = schemaOrg + "/OfflineEventAttendanceMode"
	switch {
	case b.Online != "" && len(places) > 0:
		d.Attendance = schemaOrg + "/MixedEventAttendanceMode"
	case b.Online != "":
		d.Attendance = schemaOrg + "/OnlineEventAttendanceMode"
	}
	if b.Online != "" {
		d.Location = append(d.Location, Structured{Type: "VirtualLocation", URL: b.Online})
	}
	for _, c := range credits {
		kind := "Organization"
		if c.Person {
			kind = "Person"
		}
		if c.Role == "porteur" || c.Role == "animateur" {
			d.Organizer = append(d.Organizer, Structured{Type: kind, Name: c.Name, URL: c.Actor})
		}
	}
}

func (d *Structured) howTo(b *essaim.Recipe) {
	d.Type, d.Yield, d.Supply, d.Tools = "HowTo", b.Yields, b.Ingredients, b.Tools
	for _, step := range b.Steps {
		d.Steps = append(d.Steps, Structured{Type: "HowToStep", Name: step.Name, Text: markup.Plain(markup.Markdown(step.Content))})
	}
}

func structuredPlace(pl essaim.Place) Structured {
	d := Structured{Type: "Place", Name: cmp.Or(pl.Label, pl.City)}
	if pl.Street != "" || pl.Postcode != "" || pl.City != "" {
		d.Address = &Structured{Type: "PostalAddress", Street: pl.Street, Postcode: pl.Postcode, City: pl.City, Country: cmp.Or(pl.Country, "FR")}
	}
	if pl.Located() {
		d.Geo = &Structured{Type: "GeoCoordinates", Latitude: pl.Lat, Longitude: pl.Lon}
	}
	return d
}
