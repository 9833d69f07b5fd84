// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"cmp"
	"math"
	"path"
	"strings"

	"essaim"
)

// place is an ActivityStreams Place with an address and the official codes.
type place struct {
	Type        text         `json:"type"`
	ID          iri          `json:"id,omitempty"`
	Name        text         `json:"name,omitempty"`
	Latitude    *degrees     `json:"latitude,omitempty"`
	Longitude   *degrees     `json:"longitude,omitempty"`
	Address     one[address] `json:"address,omitzero"`
	INSEE       text         `json:"essaim:insee,omitempty"`
	EPCI        text         `json:"essaim:epci,omitempty"`
	Departement text         `json:"essaim:departement,omitempty"`
	Region      text         `json:"essaim:region,omitempty"`
	Approximate boolean      `json:"essaim:approximate,omitempty"`
	Level       text         `json:"essaim:level,omitempty"`
}

// address is a schema.org PostalAddress, as Mobilizon and WordPress write it.
type address struct {
	Type     text `json:"type"`
	Street   text `json:"streetAddress,omitempty"`
	Postcode text `json:"postalCode,omitempty"`
	City     text `json:"addressLocality,omitempty"`
	Country  text `json:"addressCountry,omitempty"`
}

func placeOf(pl essaim.Place) place {
	w := place{
		// Other software shows the name only: a commune needs one too.
		Type: "Place", Name: text(cmp.Or(pl.Label, pl.City)),
		INSEE: text(pl.INSEE), EPCI: text(pl.EPCI), Departement: text(pl.Departement), Region: text(pl.Region),
		Approximate: boolean(pl.Approximate), Level: text(pl.Level),
	}
	if pl.Located() {
		lat, lon := rounded(*pl.Lat), rounded(*pl.Lon)
		w.Latitude, w.Longitude = &lat, &lon
	}
	if pl.Street != "" || pl.Postcode != "" || pl.City != "" {
		w.Address = only(address{
			Type: "PostalAddress", Street: text(pl.Street), Postcode: text(pl.Postcode),
			City: text(pl.City), Country: text(cmp.Or(pl.Country, "FR")),
		})
	}
	return w
}

func (w place) place() essaim.Place {
	pl := essaim.Place{
		Label: string(w.Name), INSEE: string(w.INSEE), EPCI: string(w.EPCI), Departement: string(w.Departement), Region: string(w.Region),
		Approximate: bool(w.Approximate), Level: string(w.Level),
	}
	if a := w.Address.v; a != nil {
		pl.Street, pl.Postcode, pl.City, pl.Country = string(a.Street), string(a.Postcode), string(a.City), string(a.Country)
		// A name that only repeats the town is no label.
		if pl.Label == pl.City {
			pl.Label = ""
		}
	}
	if lat, lon := w.Latitude, w.Longitude; lat != nil && lon != nil && math.Abs(float64(*lat)) <= 90 && math.Abs(float64(*lon)) <= 180 {
		pl.Lat, pl.Lon = essaim.Point(float64(*lat), float64(*lon))
	}
	return pl
}

// empty tells whether a place says nothing at all.
func empty(pl essaim.Place) bool {
	pl.Approximate, pl.Level, pl.Country = false, "", ""
	return pl == essaim.Place{}
}

// picture is an Image with its alternative text as name.
type picture struct {
	Type      text   `json:"type"`
	MediaType text   `json:"mediaType,omitempty"`
	URL       iri    `json:"url,omitempty"`
	Name      text   `json:"name,omitempty"`
	Summary   text   `json:"summary,omitempty"`
	Width     number `json:"width,omitempty"`
	Height    number `json:"height,omitempty"`
	Author    text   `json:"dcterms:creator,omitempty"`
	Licence   iri    `json:"dcterms:license,omitempty"`
}

func pictureOf(img essaim.Image) picture {
	p := picture{
		Type: "Image", MediaType: text(cmp.Or(img.MediaType, mediaType(img.URL))), URL: iri(img.URL), Name: text(img.Alt),
		Width: number(img.Width), Height: number(img.Height), Author: text(img.Author),
	}
	if l, ok := essaim.LicenceByID(img.Licence); ok {
		p.Licence = iri(l.IRI)
	}
	return p
}

func (p picture) image() essaim.Image {
	img := essaim.Image{
		URL: string(p.URL), MediaType: string(p.MediaType), Alt: string(cmp.Or(p.Name, p.Summary)),
		Author: string(p.Author), Width: int(p.Width), Height: int(p.Height),
	}
	if l, ok := essaim.LicenceByIRI(string(p.Licence)); ok {
		img.Licence = l.ID
	}
	return img
}

// shown tells whether an attachment is a picture with an address. Pleroma and
// Mobilizon write Document where others write Image.
func (p picture) shown() bool {
	if p.URL == "" || p.MediaType != "" && !strings.HasPrefix(string(p.MediaType), "image/") {
		return false
	}
	return p.Type == "Image" || p.Type == "Document" && p.MediaType != ""
}

// mediaType guesses an image's type from its address: several peers want one.
func mediaType(url string) string {
	switch strings.ToLower(path.Ext(url)) {
	case ".png":
		return "image/png"
	case ".webp":
		return "image/webp"
	case ".gif":
		return "image/gif"
	case ".avif":
		return "image/avif"
	}
	return "image/jpeg"
}
