// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"encoding/json"
	"html"
	"strings"
	"time"

	"essaim"
)

// presentation is the Note that the actor of a record pins: Mastodon shows no
// object of another author on a profile, and the record is the territory's.
type presentation struct {
	Context      json.RawMessage `json:"@context"`
	ID           iri             `json:"id"`
	Type         text            `json:"type"`
	AttributedTo iri             `json:"attributedTo"`
	Content      text            `json:"content"`
	ContentMap   words           `json:"contentMap"`
	MediaType    text            `json:"mediaType"`
	URL          iri             `json:"url"`
	Published    moment          `json:"published"`
	Updated      moment          `json:"updated"`
	To           iris            `json:"to"`
	CC           iris            `json:"cc"`
	Tag          listOf[tag]     `json:"tag"`
	Licence      iri             `json:"dcterms:license,omitempty"`
	Holder       text            `json:"dcterms:rightsHolder,omitempty"`
}

// presentationMark ends the id of a presentation, behind its record's.
const presentationMark = "-presentation"

// PresentationID is the id of the Note that presents a record.
func PresentationID(record string) string { return record + presentationMark }

// PresentedRecord is the id of the record that a Note of this id presents.
func PresentedRecord(id string) (string, bool) { return strings.CutSuffix(id, presentationMark) }

// Presentation is the Note by which the actor of a record names and links it.
func (r *Renderer) Presentation(a essaim.LocalActor) ([]byte, error) {
	rec := &a.Record
	lang := language(rec)
	content := "<p><strong>" + html.EscapeString(rec.Title) + "</strong></p>" + summary(rec, lang, r.markdown) +
		"<p>" + anchor(rec.URL, label{"Lire la fiche", "Read the record"}.in(lang)) + "</p>"
	n := presentation{
		Context: recordContext, ID: iri(PresentationID(rec.ID)), Type: "Note", AttributedTo: iri(a.ID),
		Content: text(content), ContentMap: words{lang: content}, MediaType: "text/html", URL: iri(rec.URL),
		Published: utc(rec.Published), Updated: utc(rec.Updated), To: iris{Public}, CC: iris{a.ID + "/followers"},
		Tag:    listOf[tag]{{Type: "Link", MediaType: profiled, Href: iri(rec.ID), Name: text(rec.Title)}},
		Holder: text(holder(rec)),
	}
	if n.Updated.Before(n.Published.Time) {
		n.Updated = n.Published
	}
	if l, ok := essaim.LicenceByID(rec.Licence); ok {
		n.Licence = iri(l.IRI)
	}
	doc, err := encode(n)
	if err != nil {
		return nil, err
	}
	out, err := r.sign(doc, a.ID, n.Updated.Time)
	return out.Bytes, err
}

// Farewell is what remains at the address of an actor, or of its presentation,
// that is gone. It is the territory's to say: the actor has no key any more.
func (r *Renderer) Farewell(id, former string, deleted time.Time) ([]byte, error) {
	territory := r.node.Territory.Actor
	doc, err := encode(tombstone{
		Context: tombstoneTerms, ID: iri(id), Type: "Tombstone", FormerType: text(former), AttributedTo: iri(territory),
		Deleted: utc(deleted), Updated: utc(deleted), To: iris{Public},
	})
	if err != nil {
		return nil, err
	}
	out, err := r.sign(doc, territory, deleted)
	return out.Bytes, err
}

// FormerType is the type of an actor on the wire.
func FormerType(k essaim.ActorKind) string { return string(types[k]) }

// Tell is the essaim.TellFunc of this node. An announce names its object, so
// that whoever receives it asks the origin, but for a group's, which carries
// what the territory sent (FEP-1b12). An Update carries the actor's document.
func (r *Renderer) Tell(t essaim.Told) ([]byte, error) {
	switch t.Verb {
	case "Offer":
		return r.Offer(t.ID, t.Actor, t.Author, t.Subject, t.Object, t.At)
	case "Accept":
		return r.AcceptOffer(t.ID, t.Actor, t.Author, t.Object)
	case "Flag":
		return r.Notice(t.ID, t.Actor, t.Author, t.Object, t.Digest, t.Text, t.At)
	}
	a := Activity{
		ID: t.ID, Type: t.Verb, Actor: t.Actor, Object: t.Object, Document: t.Embedded,
		To: []string{Public}, CC: []string{t.Actor + "/followers"}, Published: t.At,
	}
	if t.Is != nil {
		// ActivityPub 7.3: Mastodon looks again by itself only after days.
		doc, err := r.Actor(*t.Is, false)
		if err != nil {
			return nil, err
		}
		a.Document = doc
	}
	if t.Embedded != nil {
		// Lemmy looks for its community in both.
		a.To = []string{t.Actor, Public}
	}
	if t.Author != "" {
		a.CC = append(a.CC, t.Author)
	}
	return r.Build(a)
}
