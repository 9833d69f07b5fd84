// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"fmt"
	"slices"
)

// LicenceRule says what the terms of one licence ask of an adaptation.
type LicenceRule struct {
	// To are the licences that an adaptation may carry; the first is the one
	// that it gets unless its author chooses another. None when the terms, or
	// our not knowing them, forbid adapting.
	To []string
	// French and English say why, in a sentence for people.
	French, English string
}

// Reason is why, in a language of the interface.
func (r LicenceRule) Reason(lang string) string {
	if lang == "en" {
		return r.English
	}
	return r.French
}

// noLicence stands for what has none that this version knows.
var noLicence = LicenceRule{
	French:  "La licence de cette fiche n’est pas connue : sans elle, on peut la lire et la citer, pas l’adapter.",
	English: "The licence of this record is not known: without it, it may be read and quoted, not adapted.",
}

// freely is every free licence, the default first: what has no condition may
// become anything.
var freely = []string{
	"cc-by-sa-4.0", "cc-by-4.0", "cc0-1.0", "cc-by-sa-3.0", "cc-by-sa-2.0-fr", "fal-1.3", "etalab-2.0", "odbl-1.0", "cc-pddc",
}

// adaptations are read from the licences' own terms, quoted in the test. What
// they neither allow nor name as compatible is refused, even where it might be
// argued: an adaptation that is not allowed is hard to take back from peers.
var adaptations = map[string]LicenceRule{
	"cc-by-sa-4.0": {
		To:      []string{"cc-by-sa-4.0", "fal-1.3"},
		French:  "CC BY-SA 4.0 demande de partager de même : sous la même licence, ou sous la Licence Art Libre 1.3 qu’elle reconnaît.",
		English: "CC BY-SA 4.0 asks to share alike: under the same licence, or under the Free Art License 1.3, which it recognises.",
	},
	"cc-by-4.0": {
		To:      []string{"cc-by-4.0", "cc-by-sa-4.0", "fal-1.3"},
		French:  "CC BY 4.0 demande une licence qui n’empêche personne de citer l’auteur : CC BY 4.0, CC BY-SA 4.0 ou la Licence Art Libre 1.3.",
		English: "CC BY 4.0 asks for a licence that lets everyone keep crediting the author: CC BY 4.0, CC BY-SA 4.0 or the Free Art License 1.3.",
	},
	"cc0-1.0": {
		To:      freely,
		French:  "CC0 1.0 n’y met aucune condition : toute licence libre convient.",
		English: "CC0 1.0 sets no condition: any free licence will do.",
	},
	"cc-by-sa-3.0": {
		To:      []string{"cc-by-sa-4.0", "cc-by-sa-3.0"},
		French:  "CC BY-SA 3.0 demande de partager de même : sous cette version ou une version plus récente de CC BY-SA.",
		English: "CC BY-SA 3.0 asks to share alike: under this version of CC BY-SA or a later one.",
	},
	"cc-by-sa-2.0-fr": {
		To:      []string{"cc-by-sa-4.0", "cc-by-sa-3.0", "cc-by-sa-2.0-fr"},
		French:  "CC BY-SA 2.0 FR demande de partager de même : sous cette version ou une version plus récente de CC BY-SA.",
		English: "CC BY-SA 2.0 FR asks to share alike: under this version of CC BY-SA or a later one.",
	},
	"fal-1.3": {
		To:      []string{"fal-1.3", "cc-by-sa-4.0"},
		French:  "La Licence Art Libre 1.3 demande de rester libre de la même façon : sous la même licence, ou sous CC BY-SA 4.0 qu’elle reconnaît.",
		English: "The Free Art License 1.3 asks to stay free in the same way: under the same licence, or under CC BY-SA 4.0, which it recognises.",
	},
	"etalab-2.0": {
		To:      []string{"cc-by-sa-4.0", "cc-by-4.0", "etalab-2.0", "cc-by-sa-3.0", "cc-by-sa-2.0-fr", "fal-1.3", "odbl-1.0"},
		French:  "La Licence Ouverte 2.0 demande de citer la source : toute licence libre qui demande au moins cela convient.",
		English: "The Open Licence 2.0 asks to name the source: any free licence that asks for at least that will do.",
	},
	"odbl-1.0": {
		To:      []string{"odbl-1.0"},
		French:  "ODbL 1.0 demande de partager de même : ce qui en est dérivé reste sous ODbL.",
		English: "ODbL 1.0 asks to share alike: what is derived from it stays under ODbL.",
	},
	"cc-pddc": {
		To:      freely,
		French:  "Le domaine public n’y met aucune condition : toute licence libre convient.",
		English: "The public domain sets no condition: any free licence will do.",
	},
	"cc-by-nc-nd": {
		French:  "CC BY-NC-ND ne permet pas de partager une adaptation : on peut lire cette fiche, la citer et y renvoyer.",
		English: "CC BY-NC-ND does not allow sharing an adaptation: this record may be read, quoted and linked to.",
	},
	"tous-droits": {
		French:  "Tous droits réservés : adapter cette fiche demande l’accord de qui l’a écrite. On peut la lire et y renvoyer.",
		English: "All rights reserved: adapting this record needs the agreement of its author. It may be read and linked to.",
	},
}

// AdaptationRule says under what an adaptation of a work under a licence may be
// published, and why.
func AdaptationRule(licence string) LicenceRule {
	l, ok := LicenceByID(licence)
	if !ok {
		return noLicence
	}
	r := adaptations[l.ID]
	r.To = slices.Clone(r.To)
	return r
}

// MayAdaptUnder tells whether an adaptation of a work under one licence may
// carry another.
func MayAdaptUnder(from, to string) bool {
	l, ok := LicenceByID(to)
	return ok && slices.Contains(AdaptationRule(from).To, l.ID)
}

// MayBeAdapted tells of the kinds that are adapted: those that tell how
// something is done.
func (k Kind) MayBeAdapted() bool { return k == KindInitiative || k == KindRecipe }

// Adaptation is the draft that adapts a version of a record: what may serve
// elsewhere, and the exact version that it comes from. What is of the place,
// its people and its time stays with the original. ErrForbidden when the
// record's kind or licence does not let it be adapted.
func (r *Record) Adaptation() (Content, error) {
	rule := AdaptationRule(r.Licence)
	if !r.Kind.MayBeAdapted() || len(rule.To) == 0 || r.State != StatePublished {
		return Content{}, fmt.Errorf("adapt %s under %q: %w", r.ID, r.Licence, ErrForbidden)
	}
	c := r.TakenOver()
	c.Licence = rule.To[0]
	c.DerivedFrom = &Derivation{ID: r.ID, Digest: r.ContentDigest, Name: r.Title, AttributedTo: r.Territory, Licence: r.Licence}
	return c, nil
}

// TakenOver is the part of a content that an adaptation takes over: the one
// list of what is copied, kept and compared.
func (c *Content) TakenOver() Content {
	out := Content{
		Kind: c.Kind, Title: c.Title, Tagline: c.Tagline, Text: c.Text, Language: c.Language,
		Themes: slices.Clone(c.Themes), Keywords: slices.Clone(c.Keywords), Links: slices.Clone(c.Links),
	}
	switch b := c.Body.(type) {
	case *Initiative:
		out.Body = &Initiative{
			Purposes: slices.Clone(b.Purposes), Forms: slices.Clone(b.Forms), Publics: slices.Clone(b.Publics), Methods: slices.Clone(b.Methods),
			Need: b.Need, Participation: b.Participation, Novelty: b.Novelty, SocialValue: b.SocialValue, EconomicModel: b.EconomicModel,
			Transferability: b.Transferability, Levers: b.Levers, Obstacles: b.Obstacles, Advice: b.Advice,
		}
	case *Recipe:
		recipe := *b
		recipe.Readiness = "" // it was tested there
		recipe.Steps = slices.Clone(b.Steps)
		for i := range recipe.Steps {
			recipe.Steps[i].Image = nil // pictures show the place, and have their own licence
		}
		out.Body = &recipe
	}
	return out
}

// ClaimState is how far an adaptation is acknowledged by the origin of what it
// adapts.
type ClaimState string

// The states of a claim. One that nobody was asked about has none.
const (
	ClaimOffered      ClaimState = "offered"
	ClaimAcknowledged ClaimState = "acknowledged"
	ClaimRefused      ClaimState = "refused"
	// ClaimWaiting is of an adaptation made elsewhere whose record is not held yet.
	ClaimWaiting ClaimState = "waiting"
)

// Branch is an adaptation as a tree shows it.
type Branch struct {
	Parent string // id of what it adapts
	// Record has what a tree says of it and no more: id, kind, slug, origin, title,
	// territory's name and date of publication.
	Record Record
	Claim  ClaimState
}

// Adapted is a record of another node that records held here adapt.
type Adapted struct {
	ID       string
	Document []byte
}

// RelationDerived is the relationship that an Offer speaks of.
const RelationDerived = "http://www.w3.org/ns/prov#wasDerivedFrom"

// Acknowledge lists an adaptation made elsewhere among those of a record of ours
// and queues the Accept, when its node is followed and its record, held here,
// says so; one that is not held yet waits. One that is listed gets its Accept
// again.
type Acknowledge struct {
	Parent, Child string
	Actor         string // the territory that adapted
	Offer         string // id of its Offer
	Accept        Outgoing
}

// OfferAnswer is the answer of an origin to an Offer of ours.
type OfferAnswer struct {
	Offer    string
	Actor    string // must be whom the Offer asked
	Accepted bool
}

func (Acknowledge) effect() {}
func (OfferAnswer) effect() {}
