// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// State is how far a record's publication is.
type State string

// The states of a record. A candidate came from an import or from elsewhere and
// lacks what publication needs or waits for a decision. A withdrawn record is a
// tombstone: its content is erased, its id and kind stay for good.
const (
	StateDraft     State = "draft"
	StateCandidate State = "candidate"
	StatePublished State = "published"
	StateWithdrawn State = "withdrawn"
)

// Record is anything that a territory publishes: a common head and a body of
// its kind. Local and replicated records have the same shape; Origin tells them
// apart.
type Record struct {
	// ID is the ActivityPub id, permanent and ASCII.
	ID string `json:"id"`
	// Slug names the record in page addresses; ASCII, permanent, unique among a
	// kind's local records, and with the host among replicated ones.
	Slug string `json:"slug"`
	// Origin is the host of the node it comes from; empty for a local record.
	Origin string `json:"origin,omitempty"`
	// Territory is the actor IRI of the territory that publishes it, and
	// TerritoryName its name at that time.
	Territory     string `json:"territory"`
	TerritoryName string `json:"territoryName,omitempty"`
	// URL is the address of its page at its origin.
	URL   string `json:"url"`
	State State  `json:"state"`
	// Version orders the versions of one record: (Incarnation, Revision), strictly rising.
	Incarnation int64 `json:"incarnation"`
	Revision    int   `json:"revision"`
	// Number is the local change number within our own incarnation; zero until published.
	Number    int64     `json:"-"`
	Published time.Time `json:"published,omitzero"`
	Updated   time.Time `json:"updated,omitzero"`
	// ContentDigest and CopyDigest are hex SHA-256 of the document's JCS form
	// without and with its proof (replication.md, "Two digests").
	ContentDigest string `json:"contentDigest,omitempty"`
	CopyDigest    string `json:"copyDigest,omitempty"`

	Content
}

// Content is what people write: the part of a record that a form, an import or
// a peer's document supplies, and that a revision keeps.
type Content struct {
	Kind    Kind   `json:"kind"`
	Title   string `json:"title"`
	Tagline string `json:"tagline,omitempty"` // in one sentence, ≤ 180 characters
	Text    string `json:"text,omitempty"`    // Markdown
	// Language is a BCP 47 tag; "fr" when empty.
	Language string  `json:"language,omitempty"`
	Places   []Place `json:"places,omitempty"`
	// Everywhere says "tout le territoire" in place of places.
	Everywhere bool     `json:"everywhere,omitempty"`
	Themes     []string `json:"themes,omitempty"`   // theme ids, see theme.go
	Keywords   []string `json:"keywords,omitempty"` // free tags, without "#"
	Networks   []string `json:"networks,omitempty"` // IRIs
	// Licence is an SPDX identifier in lower case; Holder who holds the rights.
	Licence       string       `json:"licence,omitempty"`
	Holder        string       `json:"holder,omitempty"`
	Images        []Image      `json:"images,omitempty"`
	Links         []Link       `json:"links,omitempty"`
	Sources       []Source     `json:"sources,omitempty"` // dcterms:source
	Credits       []Credit     `json:"credits,omitempty"` // carriers, ambassadors, partners, funders
	Relations     []Relation   `json:"relations,omitempty"`
	DerivedFrom   *Derivation  `json:"derivedFrom,omitempty"` // prov:wasDerivedFrom
	TranslationOf string       `json:"translationOf,omitempty"`
	HelpWanted    []HelpNotice `json:"helpWanted,omitempty"`
	HelpOffered   []HelpNotice `json:"helpOffered,omitempty"`
	CollectedBy   string       `json:"collectedBy,omitempty"` // essaim:collected
	CollectedOn   string       `json:"collectedOn,omitempty"`
	ReviewedOn    string       `json:"reviewedOn,omitempty"` // when it was last known to be true
	// Mentions are the accounts that Text names, as found when it was published.
	Mentions []Mention `json:"mentions,omitempty"`
	// Contacts are never federated nor exported; forms relay to them.
	Contacts []Contact `json:"contacts,omitempty"`
	Body     Body      `json:"body"`
}

// Image is a picture by address, with the alternative text that is required of it.
type Image struct {
	URL       string `json:"url"`
	MediaType string `json:"mediaType,omitempty"`
	Alt       string `json:"alt"`
	Author    string `json:"author,omitempty"`
	Licence   string `json:"licence,omitempty"`
	Width     int    `json:"width,omitempty"`  // pixels
	Height    int    `json:"height,omitempty"` // pixels
}

// Link is an address worth following from the record.
type Link struct {
	URL  string `json:"url"`
	Name string `json:"name,omitempty"`
}

// Source says where the facts or the row came from. Key identifies the row at
// an import's source, so that a second import finds it again.
type Source struct {
	URL     string `json:"url"`
	Name    string `json:"name,omitempty"`
	Fetched string `json:"fetched,omitempty"` // date
	Key     string `json:"key,omitempty"`
}

// RelationType names a relation between two records.
type RelationType string

// The relations between records, across nodes as within one.
const (
	RelationAdapts    RelationType = "adapts"
	RelationDocuments RelationType = "documents" // a recipe tells how to do an initiative
	RelationRemakes   RelationType = "remakes"
	RelationAbout     RelationType = "about" // a meeting presents an initiative
	RelationAnswers   RelationType = "answers"
	RelationHosts     RelationType = "hosts"  // a venue hosts an initiative
	RelationWithin    RelationType = "within" // a venue inside another
	RelationMember    RelationType = "member" // an organisation is a member of another
	RelationCites     RelationType = "cites"
)

// Relation points from the record that holds it to another by its id.
type Relation struct {
	Type   RelationType `json:"type"`
	Target string       `json:"target"`         // record id (IRI)
	Name   string       `json:"name,omitempty"` // title at the time, for when the target is not known here
}

// Derivation names the exact version that was adapted; it survives the origin.
type Derivation struct {
	ID           string `json:"id"`
	Digest       string `json:"digest"` // content digest
	Name         string `json:"name"`
	AttributedTo string `json:"attributedTo"`
	Licence      string `json:"licence"`
}

// HelpNotice is a call for, or an offer of, help attached to a record.
type HelpNotice struct {
	Kind  string `json:"kind"` // ListCallKind
	Text  string `json:"text,omitempty"`
	Until string `json:"until,omitempty"` // date
}

// Ended tells whether the last day that a notice names is over on a day. One that
// names none stands.
func (h HelpNotice) Ended(on time.Time) bool {
	day := time.Date(on.Year(), on.Month(), on.Day(), 0, 0, 0, 0, time.UTC)
	last, ok := EndOfPartialDate(h.Until)
	return ok && last.Before(day)
}

// WantsHelp tells whether a record asks for help still on a day.
func (c *Content) WantsHelp(on time.Time) bool {
	return slices.ContainsFunc(c.HelpWanted, func(h HelpNotice) bool { return !h.Ended(on) })
}

// Contact is a way to reach who carries a record, kept by its node only.
type Contact struct {
	Kind  string `json:"kind"` // "email" or "phone"
	Value string `json:"value"`
}

// UnmarshalJSON reads the body into the type of the content's kind.
func (c *Content) UnmarshalJSON(b []byte) error {
	type plain Content // without this method
	aux := struct {
		*plain
		Body json.RawMessage `json:"body"`
	}{plain: (*plain)(c)}
	if err := json.Unmarshal(b, &aux); err != nil {
		return err
	}
	return c.readBody(aux.Body)
}

// UnmarshalJSON reads the head and the content, which share one JSON object.
func (r *Record) UnmarshalJSON(b []byte) error {
	type plain Record
	aux := struct {
		*plain
		Body json.RawMessage `json:"body"`
		// A field of this name hides the method promoted from Content.
		UnmarshalJSON struct{} `json:"-"`
	}{plain: (*plain)(r)}
	if err := json.Unmarshal(b, &aux); err != nil {
		return err
	}
	return r.readBody(aux.Body)
}

func (c *Content) readBody(raw json.RawMessage) error {
	info, ok := c.Kind.Info()
	if !ok {
		return fmt.Errorf("kind %q: %w", c.Kind, ErrInvalid)
	}
	c.Body = info.Body()
	if len(raw) == 0 {
		return nil
	}
	return json.Unmarshal(raw, c.Body)
}

// Validate checks a content as a draft or, with publish, as something about to
// be public: then the kind's minimum is required (vocabulary.md).
func (c *Content) Validate(publish bool) Problems {
	p := Problems{}
	info, ok := c.Kind.Info()
	if !ok {
		p.Add("kind", "unknown")
		return p
	}
	p.required("title", c.Title, 200)
	p.within("tagline", c.Tagline, 180)
	p.within("text", c.Text, 50_000)
	if strings.ContainsAny(c.Title, "\n\r") || strings.ContainsAny(c.Tagline, "\n\r") {
		p.Add("title", "one_line")
	}
	if !validLanguage(c.Language) {
		p.Add("language", "unknown")
	}
	c.validateLists(p)
	c.validatePeople(p)
	c.validateMentions(p)
	if publish {
		c.validatePublication(p)
	}
	if c.Body == nil || c.Body.Kind() != info.Kind {
		p.Add("body", "required")
	} else {
		c.Body.Validate(p, publish)
	}
	if len(p) == 0 && c.size() > maxContent {
		p.Add("text", "too_long")
	}
	return p
}

// size is that of a content as a document writes it, in bytes of JSON.
func (c *Content) size() int {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(c) // what does not encode is refused by the store
	return b.Len()
}

// maxContent is how much people may write in all parts of a record together, in
// bytes of JSON: its document must stay below what every server takes.
const maxContent = 80_000

func (c *Content) validateLists(p Problems) {
	p.atMost("places", len(c.Places), 50)
	for i := range c.Places {
		c.Places[i].validate(p, "places."+strconv.Itoa(i))
	}
	p.atMost("themes", len(c.Themes), 10)
	for i, t := range c.Themes {
		if !validThemeRef(t) {
			p.Add("themes."+strconv.Itoa(i), "unknown")
		}
	}
	p.atMost("keywords", len(c.Keywords), 30)
	for i, k := range c.Keywords {
		p.required("keywords."+strconv.Itoa(i), k, 60)
	}
	p.atMost("images", len(c.Images), 20)
	for i, img := range c.Images {
		at := "images." + strconv.Itoa(i)
		p.webAddress(at+".url", img.URL)
		p.required(at+".url", img.URL, 2000)
		p.required(at+".alt", img.Alt, 1500)
		if img.Licence != "" && !KnownLicence(img.Licence) {
			p.Add(at+".licence", "unknown")
		}
	}
	p.atMost("links", len(c.Links), 50)
	for i, l := range c.Links {
		p.required("links."+strconv.Itoa(i)+".url", l.URL, 2000)
		p.webAddress("links."+strconv.Itoa(i)+".url", l.URL)
	}
	p.atMost("sources", len(c.Sources), 20)
	for i, s := range c.Sources {
		p.webAddress("sources."+strconv.Itoa(i)+".url", s.URL)
	}
	for i, n := range c.Networks {
		p.webAddress("networks."+strconv.Itoa(i), n)
	}
	p.atMost("relations", len(c.Relations), 200)
	for i, r := range c.Relations {
		p.required("relations."+strconv.Itoa(i)+".target", r.Target, 2000)
		p.webAddress("relations."+strconv.Itoa(i)+".target", r.Target)
	}
	for i, h := range append(append([]HelpNotice{}, c.HelpWanted...), c.HelpOffered...) {
		at := "help." + strconv.Itoa(i)
		p.oneOf(at+".kind", ListCallKind, h.Kind)
		p.within(at+".text", h.Text, 1000)
		p.partialDate(at+".until", h.Until)
	}
	if c.Licence != "" && !KnownLicence(c.Licence) {
		p.Add("licence", "unknown")
	}
	p.within("holder", c.Holder, 300)
	p.within("collectedBy", c.CollectedBy, 300)
	p.partialDate("collectedOn", c.CollectedOn)
	p.partialDate("reviewedOn", c.ReviewedOn)
	p.webAddress("translationOf", c.TranslationOf)
}

// validatePublication asks for the minimum of a kind: everything else waits, at
// people's own pace.
func (c *Content) validatePublication(p Problems) {
	place := len(c.Places) > 0 || c.Everywhere
	switch c.Kind {
	case KindInitiative:
		if strings.TrimSpace(c.Tagline) == "" {
			p.Add("tagline", "required")
		}
		if !place {
			p.Add("places", "required")
		}
		if len(c.Themes) == 0 {
			p.Add("themes", "required")
		}
	case KindVenue, KindOrganisation:
		if !place {
			p.Add("places", "required")
		}
	case KindRemake:
		if !c.remakes() {
			p.Add("relations", "required")
		}
	}
	if c.Licence == "" {
		p.Add("licence", "required")
	}
	if d := c.DerivedFrom; d != nil && KnownLicence(c.Licence) && !MayAdaptUnder(d.Licence, c.Licence) {
		p.Add("licence", "incompatible")
	}
}

func validLanguage(tag string) bool {
	if len(tag) > 35 {
		return false
	}
	for i, part := range strings.Split(tag, "-") {
		if i == 0 && tag != "" && (len(part) < 2 || len(part) > 3) {
			return false
		}
		for _, r := range part {
			if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
				return false
			}
		}
	}
	return true
}
