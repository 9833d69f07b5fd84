// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"essaim"
)

// terms are the properties that only one kind has. A kind's file holds its
// struct, whose tags are the names on the wire.
type terms interface {
	// fill sets the properties from a record of the kind.
	fill(rec *essaim.Record)
	// body reads them back.
	body(h *head) essaim.Body
	// tell adds the kind's part to the record's whole text.
	tell(p *page)
}

// kinds is the table of kinds: one line a kind.
var kinds = map[essaim.Kind]func() terms{
	essaim.KindInitiative:   func() terms { return new(initiativeTerms) },
	essaim.KindRecipe:       func() terms { return new(recipeTerms) },
	essaim.KindVenue:        func() terms { return new(venueTerms) },
	essaim.KindOrganisation: func() terms { return new(organisationTerms) },
	essaim.KindMeeting:      func() terms { return new(meetingTerms) },
	essaim.KindRemake:       func() terms { return new(remakeTerms) },
}

// head is what every record has on the wire, in the order it is written.
type head struct {
	ID           iri             `json:"id"`
	Type         text            `json:"type"`
	AttributedTo iri             `json:"attributedTo"`
	Name         text            `json:"name"`
	NameMap      words           `json:"nameMap,omitempty"`
	Summary      text            `json:"summary,omitempty"`
	SummaryMap   words           `json:"summaryMap,omitempty"`
	Content      text            `json:"content,omitempty"`
	ContentMap   words           `json:"contentMap,omitempty"`
	MediaType    text            `json:"mediaType,omitempty"`
	Source       one[source]     `json:"source,omitzero"`
	URL          iri             `json:"url,omitempty"`
	Published    moment          `json:"published,omitzero"`
	Updated      moment          `json:"updated,omitzero"`
	To           iris            `json:"to,omitempty"`
	CC           iris            `json:"cc,omitempty"`
	Audience     iri             `json:"audience,omitempty"`
	Tag          listOf[tag]     `json:"tag,omitempty"`
	Attachment   listOf[picture] `json:"attachment,omitempty"`
	Image        one[picture]    `json:"image,omitzero"`
	Location     one[place]      `json:"location,omitzero"`
	Preview      one[preview]    `json:"preview,omitzero" read:"-"`

	// Totals change: these are addresses, never embedded, so that a thanks
	// does not touch what is signed.
	Replies     iri `json:"replies,omitempty"`
	Likes       iri `json:"likes,omitempty"`
	Shares      iri `json:"shares,omitempty"`
	Thread      iri `json:"context,omitempty"`
	Adaptations iri `json:"essaim:adaptations,omitempty"`

	// Policy says that anyone may quote (FEP-044f); without it Mastodon takes
	// that nobody may. Nothing is read from it.
	Policy one[policy] `json:"interactionPolicy,omitzero" read:"-"`

	Kind          text   `json:"essaim:kind,omitempty"`
	Incarnation   number `json:"essaim:incarnation,omitempty"`
	Revision      number `json:"essaim:revision,omitempty"`
	Territory     iri    `json:"essaim:territory,omitempty"`
	TerritoryName text   `json:"essaim:territoryName,omitempty"`
	Tagline       text   `json:"essaim:tagline,omitempty"`

	Licence     iri                `json:"dcterms:license,omitempty"`
	Holder      text               `json:"dcterms:rightsHolder,omitempty"`
	Sources     listOf[origin]     `json:"dcterms:source,omitempty"`
	DerivedFrom one[derivation]    `json:"prov:wasDerivedFrom,omitzero"`
	Themes      iris               `json:"essaim:themes,omitempty"`
	Keywords    texts              `json:"essaim:keywords,omitempty"`
	Networks    iris               `json:"essaim:networks,omitempty"`
	Places      listOf[place]      `json:"essaim:places,omitempty"`
	Everywhere  boolean            `json:"essaim:everywhere,omitempty"`
	Links       listOf[link]       `json:"essaim:links,omitempty"`
	Carriers    listOf[credit]     `json:"essaim:carriers,omitempty"`
	Ambassadors listOf[credit]     `json:"essaim:ambassadors,omitempty"`
	Partners    listOf[credit]     `json:"essaim:partners,omitempty"`
	Funders     listOf[credit]     `json:"essaim:funders,omitempty"`
	Adapts      iris               `json:"essaim:adapts,omitempty"`
	Documents   iris               `json:"essaim:documents,omitempty"`
	RemakeOf    iris               `json:"essaim:remakeOf,omitempty"`
	About       iris               `json:"essaim:about,omitempty"`
	AnswerTo    iris               `json:"essaim:answerTo,omitempty"`
	Hosts       iris               `json:"essaim:hosts,omitempty"`
	Within      iris               `json:"essaim:within,omitempty"`
	MemberOf    iris               `json:"essaim:memberOf,omitempty"`
	Cites       iris               `json:"essaim:cites,omitempty"`
	Translation iri                `json:"essaim:translationOf,omitempty"`
	HelpWanted  listOf[helpNotice] `json:"essaim:helpWanted,omitempty"`
	HelpOffered listOf[helpNotice] `json:"essaim:helpOffered,omitempty"`
	Collected   one[collected]     `json:"essaim:collected,omitzero"`
	ReviewedOn  text               `json:"essaim:reviewedOn,omitempty"`
}

// policy is who may do what with an object.
type policy struct {
	CanQuote struct {
		Automatic iris `json:"automaticApproval"`
	} `json:"canQuote"`
}

// quotable lets everyone quote.
func quotable() (p policy) {
	p.CanQuote.Automatic = iris{Public}
	return p
}

// source is the Markdown that people wrote.
type source struct {
	Content   text `json:"content"`
	MediaType text `json:"mediaType"`
}

// preview is what software that shows short texts only may show of an Article
// (FEP-b2b8).
type preview struct {
	Type         text   `json:"type"`
	AttributedTo iri    `json:"attributedTo"`
	Content      text   `json:"content"`
	URL          iri    `json:"url,omitempty"`
	Published    moment `json:"published,omitzero"`
}

// origin is an entry of dcterms:source.
type origin struct {
	URL     iri  `json:"url,omitempty"`
	Name    text `json:"name,omitempty"`
	Fetched text `json:"fetched,omitempty"`
	Key     text `json:"key,omitempty"`
}

// derivation is prov:wasDerivedFrom: the exact version adapted.
type derivation struct {
	ID           iri  `json:"id"`
	Digest       text `json:"essaim:digest,omitempty"`
	Name         text `json:"name,omitempty"`
	AttributedTo iri  `json:"attributedTo,omitempty"`
	Licence      iri  `json:"dcterms:license,omitempty"`
}

// link is an entry of essaim:links. Not an attachment: Akkoma refuses an Event
// whole for one attachment without url, and Mastodon shows four.
type link struct {
	Href iri  `json:"href"`
	Name text `json:"name,omitempty"`
}

// credit names who stands behind a record. Consent never travels: a natural
// person is there because she gave it to the node that wrote this.
type credit struct {
	Actor     iri     `json:"actor,omitempty"`
	Name      text    `json:"name"`
	Kind      text    `json:"kind,omitempty"`
	Role      text    `json:"role,omitempty"`
	FromStage text    `json:"fromStage,omitempty"`
	ToStage   text    `json:"toStage,omitempty"`
	Since     text    `json:"since,omitempty"`
	Person    boolean `json:"person,omitempty"`
}

type helpNotice struct {
	Kind  text `json:"kind"`
	Text  text `json:"text,omitempty"`
	Until text `json:"until,omitempty"`
}

type collected struct {
	By text `json:"by,omitempty"`
	On text `json:"on,omitempty"`
}

// tag is a Hashtag, or a Link to another object (FEP-e232).
type tag struct {
	Type      text `json:"type"`
	MediaType text `json:"mediaType,omitempty"`
	Name      text `json:"name,omitempty"`
	Href      iri  `json:"href,omitempty"`
}

// relations pairs each relation with the property that carries it.
func (h *head) relations() []struct {
	Type essaim.RelationType
	IRIs *iris
} {
	return []struct {
		Type essaim.RelationType
		IRIs *iris
	}{
		{essaim.RelationAdapts, &h.Adapts},
		{essaim.RelationDocuments, &h.Documents},
		{essaim.RelationRemakes, &h.RemakeOf},
		{essaim.RelationAbout, &h.About},
		{essaim.RelationAnswers, &h.AnswerTo},
		{essaim.RelationHosts, &h.Hosts},
		{essaim.RelationWithin, &h.Within},
		{essaim.RelationMember, &h.MemberOf},
		{essaim.RelationCites, &h.Cites},
	}
}

// creditLists pairs each list of credits with the role that it stands for;
// carriers hold every other role.
func (h *head) creditLists() []struct {
	Role    string
	Credits *listOf[credit]
} {
	return []struct {
		Role    string
		Credits *listOf[credit]
	}{
		{"porteur", &h.Carriers},
		{"ambassadeur", &h.Ambassadors},
		{"partenaire", &h.Partners},
		{"financeur", &h.Funders},
	}
}
