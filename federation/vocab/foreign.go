// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"slices"
	"strings"
	"time"

	"essaim"
	"essaim/federation/wire"
)

// Foreign is what a document of other software says, as far as ActivityStreams
// and the usual extensions go. What is missing or written in a way that nobody
// uses is left empty: one odd property must not lose an object.
type Foreign struct {
	// ID and Type are as written; whether they may be believed is for the caller.
	ID   string
	Type string
	// Authors are the ids under actor, for an activity, or else attributedTo, in
	// their order; Actor is the object's own "actor", which Mobilizon writes for
	// the person who publishes for a group.
	Authors   []string
	Actor     string
	Name      string
	Summary   string // HTML
	Content   string // of type MediaType
	MediaType string // text/html when the document says nothing
	Language  string // BCP 47; empty when the document says none
	Published time.Time
	Updated   time.Time
	Start     time.Time
	End       time.Time
	URL       string // of the page, on the id's origin; the id when there is none
	InReplyTo string
	// Licence is an id of our table; empty when none is declared that it holds.
	Licence string
	Place   essaim.Place
	Online  string // address of an online meeting
	Tags    []string
	Images  []essaim.Image
	Join    string // where one registers
	Status  string // ListMeetingStatus
	Zone    string // IANA name
}

// Bounds of what is read of one document.
const (
	maxForeignIDs    = 20
	maxForeignTags   = 30
	maxForeignImages = 20
	maxForeignText   = 50_000 // characters
)

// ReadForeign reads an object, an actor or an activity that passed the gate. It
// fetches nothing and follows nothing: what a document names stays a name.
func ReadForeign(v wire.Value) Foreign {
	f := Foreign{
		ID: firstText(v, "id", "@id"), Type: foreignType(v),
		Name: foreignText(v, "name"), Summary: foreignText(v, "summary"), Content: foreignText(v, "content"),
		MediaType: v.Get("mediaType").TextOr(), Language: foreignLanguage(v),
		Published: foreignTime(v.Get("published")), Updated: foreignTime(v.Get("updated")),
		Start: foreignTime(v.Get("startTime")), End: foreignTime(v.Get("endTime")),
		Authors: foreignIDs(v.Get("actor")), InReplyTo: first(foreignIDs(v.Get("inReplyTo"))),
	}
	f.Actor = first(f.Authors)
	if wire.IsObject(f.Type) || len(f.Authors) == 0 {
		f.Authors = foreignIDs(v.Get("attributedTo"))
	}
	f.readSource(v)
	f.URL = foreignURL(v.Get("url"), f.ID)
	f.Licence = foreignLicence(v)
	f.readTags(v)
	f.readImages(v)
	f.readEvent(v)
	return f
}

// Author is the first of the authors: where a list names several, the one that
// every reader takes.
func (f *Foreign) Author() string { return first(f.Authors) }

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

func firstText(v wire.Value, keys ...string) string {
	for _, k := range keys {
		if s, ok := v.Get(k).Text(); ok {
			return s
		}
	}
	return ""
}

// namespaces are the spellings of the vocabulary's namespace.
var namespaces = [...]string{"https://www.w3.org/ns/activitystreams#", "http://www.w3.org/ns/activitystreams#", "as:"}

// foreignType is the first type of ActivityStreams' own, else the first.
func foreignType(v wire.Value) string {
	types := v.Get("type")
	if !types.Present() {
		types = v.Get("@type")
	}
	other := ""
	for e := range types.Elements() {
		t := e.TextOr()
		for _, ns := range namespaces {
			t = strings.TrimPrefix(t, ns)
		}
		if wire.IsKnown(t) {
			return t
		}
		if other == "" {
			other = t
		}
	}
	return other
}

// foreignText is name, summary or content: plain, by language, or as a list of
// which the first is taken. Older software writes the map under the plain name.
func foreignText(v wire.Value, property string) string {
	if s := wire.TextOf(v, property).In("fr"); s != "" {
		return s
	}
	plain := v.Get(property)
	if !plain.Present() {
		plain = v.Get(namespaces[0] + property) // an expanded document
	}
	for e := range plain.Elements() {
		if s, ok := e.Text(); ok {
			return s
		}
		if s, ok := e.Get("@value").Text(); ok {
			return s
		}
	}
	best, text := "", ""
	for tag, e := range plain.Properties() {
		if s, ok := e.Text(); ok && !strings.HasPrefix(tag, "@") && (best == "" || tag == "fr" || tag < best && best != "fr") {
			best, text = tag, s
		}
	}
	return text
}

// foreignLanguage is the language of the text that foreignText takes: of a map,
// else what the document says of itself.
func foreignLanguage(v wire.Value) string {
	for _, property := range [...]string{"contentMap", "nameMap", "summaryMap"} {
		best := ""
		for tag := range v.Get(property).Properties() {
			if tag == "fr" || best == "" || tag < best && best != "fr" {
				best = tag
			}
		}
		if IsLanguage(best) {
			return best
		}
	}
	return DeclaredLanguage(v)
}

// DeclaredLanguage is the language that a document gives of itself beside its
// texts, as BCP 47: Lemmy an object, Akkoma and Pleroma a tag, PeerTube
// inLanguage, others their context. Empty when it gives none.
func DeclaredLanguage(v wire.Value) string {
	for _, property := range [...]string{"inLanguage", "language"} {
		for e := range v.Get(property).Elements() {
			if tag := firstOf(e.TextOr(), e.Get("identifier").TextOr()); IsLanguage(tag) {
				return tag
			}
		}
	}
	for e := range v.Get("@context").Elements() {
		if tag := e.Get("@language").TextOr(); IsLanguage(tag) {
			return tag
		}
	}
	return ""
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// IsLanguage tells whether a tag says a language: "und" and Mobilizon's
// "undetermined" do not.
func IsLanguage(tag string) bool {
	if tag == "und" || len(tag) < 2 || len(tag) > 35 {
		return false
	}
	head, _, _ := strings.Cut(tag, "-")
	for _, r := range tag {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' {
			return false
		}
	}
	return len(head) <= 3
}

// foreignTime reads a date and time; without zone as UTC, without time as
// midnight. What no calendar has reads as none.
func foreignTime(v wire.Value) time.Time {
	var s string
	for e := range v.Elements() {
		s = e.TextOr()
		break
	}
	if len(s) > 40 {
		return time.Time{}
	}
	var m moment
	_ = m.UnmarshalJSON([]byte(quoted(s))) // never fails
	if y := m.Year(); m.IsZero() || y < 1 || y > 9999 {
		return time.Time{}
	}
	return m.Time
}

// foreignIDs are the ids of a property: strings, objects, or a list of both.
func foreignIDs(v wire.Value) []string {
	var ids []string
	for e := range v.Elements() {
		s, ok := e.Text()
		if !ok {
			s = firstText(e, "id", "@id", "href")
		}
		if s != "" && !slices.Contains(ids, s) && len(ids) < maxForeignIDs {
			ids = append(ids, s)
		}
	}
	return ids
}

// foreignURL is the page of an object: a string, a Link, or a list of which a
// Link to text/html is best. PeerTube lists the page, the files and the torrents.
func foreignURL(v wire.Value, id string) string {
	home, err := essaim.ParseIRI(id)
	if err != nil {
		return id
	}
	page := ""
	for e := range v.Elements() {
		s := firstOf(e.TextOr(), e.Get("href").TextOr())
		iri, err := essaim.ParseIRI(s)
		// A page elsewhere would lead readers where the author is not.
		if err != nil || !iri.SameOrigin(home) {
			continue
		}
		if strings.HasPrefix(e.Get("mediaType").TextOr(), "text/html") {
			return iri.String()
		}
		if page == "" {
			page = iri.String()
		}
	}
	return firstOf(page, id)
}

// licenceTerms are the properties under which a licence is written.
var licenceTerms = [...]string{
	"dcterms:license", "http://purl.org/dc/terms/license", "dc:license", "schema:license", "http://schema.org/license",
	"https://schema.org/license", "cc:license", "http://creativecommons.org/ns#license", "license", "licence",
}

// foreignLicence is the one licence of our table that a document declares; none
// when it declares two, or one that the table does not hold. A bare name
// ("Attribution", as PeerTube writes) is no licence: it says no version.
func foreignLicence(v wire.Value) string {
	found := ""
	for _, term := range licenceTerms {
		for e := range v.Get(term).Elements() {
			s := firstOf(e.TextOr(), firstText(e, "id", "@id", "url", "href"))
			l, ok := essaim.LicenceByIRI(s)
			if !ok || found != "" && found != l.ID {
				return ""
			}
			found = l.ID
		}
	}
	return found
}

func (f *Foreign) readTags(v wire.Value) {
	for e := range v.Get("tag").Elements() {
		word := oneLine(strings.TrimPrefix(e.Get("name").TextOr(), "#"), 60)
		if t := e.Get("type").TextOr(); t != "Hashtag" && t != "as:Hashtag" || word == "" || slices.Contains(f.Tags, word) {
			continue
		}
		if f.Tags = append(f.Tags, word); len(f.Tags) == maxForeignTags {
			return
		}
	}
}
