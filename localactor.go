// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ActorKind is what an actor of this node stands for.
type ActorKind string

// The kinds of actor. Themes and communes are feeds (fils): they announce what
// the territory publishes and write nothing.
const (
	ActorNode         ActorKind = "node"
	ActorTerritory    ActorKind = "territory"
	ActorTheme        ActorKind = "theme"
	ActorCommune      ActorKind = "commune"
	ActorInitiative   ActorKind = "initiative"
	ActorOrganisation ActorKind = "organisation"
	ActorPerson       ActorKind = "person"
	ActorGroup        ActorKind = "group"
)

// Feed tells whether the actor only announces.
func (k ActorKind) Feed() bool { return k == ActorTheme || k == ActorCommune }

// LocalActor is an actor of this node that others may follow.
type LocalActor struct {
	ID       string // IRI
	Username string // what stands before the @
	Kind     ActorKind
	// Subject is a theme's id, a commune's INSEE code, an account's number; the
	// record's id of an initiative or an organisation.
	Subject string
	// Label is a theme in words.
	Label string
	// Record is that of an initiative or an organisation.
	Record    Record
	Profile   Profile
	CreatedAt time.Time
	UpdatedAt time.Time
	// Gone is set once it is deleted: its name and address are never another's.
	Gone bool
}

// Carries tells whether a published record of this node is in what the actor
// announces.
func (a LocalActor) Carries(c *Content) bool {
	switch a.Kind {
	case ActorNode, ActorGroup:
		return true
	case ActorTheme:
		return slices.Contains(c.Themes, a.Subject)
	case ActorCommune:
		return slices.ContainsFunc(c.Places, func(p Place) bool { return p.INSEE == a.Subject })
	}
	return false
}

// Profile is what was chosen of an actor; the zero value leaves everything to
// what it stands for.
type Profile struct {
	Name    string         `json:"name,omitempty"`
	Summary string         `json:"summary,omitempty"` // Markdown
	Icon    string         `json:"icon,omitempty"`    // address of a PNG, JPEG, GIF or WebP
	Header  string         `json:"header,omitempty"`  // the same
	Fields  []ProfileField `json:"fields,omitempty"`
	// Discoverable lets directories list it, Indexable full-text searches find
	// what it writes (FEP-5feb). Nil is yes, but for a person, for whom only her
	// own yes counts.
	Discoverable *bool    `json:"discoverable,omitempty"`
	Indexable    *bool    `json:"indexable,omitempty"`
	AlsoKnownAs  []string `json:"alsoKnownAs,omitempty"` // actors elsewhere
	// Weekly is the day on which a feed announces what came in the week, in a
	// spaced batch; empty for at once. One of Weekdays.
	Weekly string `json:"weekly,omitempty"`
}

// ProfileField is a line of a profile.
type ProfileField struct {
	Name  string `json:"name"`
	Value string `json:"value"` // text or a web address
}

// Weekdays are the values of Profile.Weekly, Sunday first.
var Weekdays = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

// weeklyHour is when a weekly batch begins, UTC: in the morning in France.
const weeklyHour = 7

// NextWeekly is when the batch after a time begins.
func (p Profile) NextWeekly(after time.Time) time.Time {
	after = after.UTC()
	at := time.Date(after.Year(), after.Month(), after.Day(), weeklyHour, 0, 0, 0, time.UTC)
	at = at.AddDate(0, 0, (slices.Index(Weekdays, p.Weekly)-int(at.Weekday())+7)%7)
	if at.Before(after) {
		at = at.AddDate(0, 0, 7)
	}
	return at
}

// maxFields is what Mastodon shows of a profile's lines without hiding any.
const maxFields = 8

// Validate says what of a profile cannot be published.
func (p Profile) Validate() Problems {
	bad := Problems{}
	bad.within("name", p.Name, 200)
	bad.within("summary", p.Summary, 5000)
	bad.webAddress("icon", p.Icon)
	bad.webAddress("header", p.Header)
	bad.atMost("fields", len(p.Fields), maxFields)
	for i, f := range p.Fields {
		at := "fields." + strconv.Itoa(i)
		bad.required(at+".name", f.Name, 100)
		bad.required(at+".value", f.Value, 500)
	}
	bad.atMost("alsoKnownAs", len(p.AlsoKnownAs), 20)
	for i, a := range p.AlsoKnownAs {
		if _, err := ParseIRI(a); err != nil {
			bad.Add("alsoKnownAs."+strconv.Itoa(i), "bad_url")
		}
	}
	if p.Weekly != "" && !slices.Contains(Weekdays, p.Weekly) {
		bad.Add("weekly", "unknown")
	}
	return bad
}

// Prefixes of the names that are allotted by what an actor stands for.
const (
	prefixTheme        = "theme_"
	prefixCommune      = "commune_"
	prefixInitiative   = "fiche_"
	prefixOrganisation = "structure_"
	prefixGroup        = "groupe_"
)

// ActorName is the name wanted for the actor of a theme, a record (by its slug)
// or a territory's group: at most 30 characters, never ending in "-" or "_".
// Another may bear it already.
func ActorName(k ActorKind, word string) string {
	prefix := map[ActorKind]string{
		ActorTheme: prefixTheme, ActorCommune: prefixCommune, ActorInitiative: prefixInitiative,
		ActorOrganisation: prefixOrganisation, ActorGroup: prefixGroup,
	}[k]
	if _, name, local := LocalTheme(word); local {
		word = name // a concept of this node, whose host may have a port
	}
	return CutName(prefix+word, 0)
}

// CutName shortens a name so that it keeps room for more characters after it.
func CutName(name string, room int) string {
	if n := maxUsername - room; len(name) > n {
		name = name[:n]
	}
	return strings.TrimRight(name, "-_.")
}

// CommuneActorName is the name wanted for the actor of a commune: with its INSEE
// code where another commune of France is called the same.
func (g *Gazetteer) CommuneActorName(insee string) string {
	c, ok := g.Commune(insee)
	if !ok {
		return prefixCommune + strings.ToLower(insee)
	}
	word := strings.ReplaceAll(Slug(c.Name), "-", "_")
	if c.Code == insee && len(g.Named(c.Name)) == 1 {
		return CutName(prefixCommune+word, 0)
	}
	code := "_" + strings.ToLower(insee)
	return CutName(prefixCommune+word, len(code)) + code
}

// reservedNames are words that a person may not be called: they would pass for
// the node or for who runs it.
var reservedNames = []string{
	"abuse", "accueil", "actor", "admin", "administrateur", "administration", "administratrice", "api", "contact", "essaim", "everyone",
	"hostmaster", "inbox", "info", "mairie", "moderateur", "moderation", "moderatrice", "nobody", "noreply", "official", "officiel",
	"outbox", "peertube", "postmaster", "privacy", "relay", "root", "security", "support", "system", "territoire", "webmaster", "www",
}

// PersonName checks the name that a person chose, in the form that it has on the
// Fediverse. It wraps ErrInvalid for what is no name, a reserved word or a name
// made for other actors.
func PersonName(chosen string) (string, error) {
	name := strings.ToLower(strings.TrimPrefix(strings.TrimSpace(chosen), "@"))
	if Username(name) != name || len(name) < 2 {
		return "", fmt.Errorf("name %q: 2 to %d letters, digits and underscores: %w", chosen, maxUsername, ErrInvalid)
	}
	for _, prefix := range []string{prefixTheme, prefixCommune, prefixInitiative, prefixOrganisation, prefixGroup} {
		if strings.HasPrefix(name+"_", prefix) {
			return "", fmt.Errorf("name %q: %s is for other actors: %w", chosen, prefix, ErrInvalid)
		}
	}
	if slices.Contains(reservedNames, name) {
		return "", fmt.Errorf("name %q is reserved: %w", chosen, ErrInvalid)
	}
	return name, nil
}

// Told is an activity that the store makes by itself, in the transaction of what
// it follows from: an Announce, an Offer, the Accept of one, or the Update or
// Delete of an actor.
type Told struct {
	ID     string
	Verb   string // Announce, Update, Delete, Offer, Accept or Flag
	Actor  string
	Object string // of an Accept, the Offer
	// Author is the object's, who learns of it; empty otherwise.
	Author string
	// Subject is, for an Offer, the record that adapts the object.
	Subject string
	// Digest and Text are, for a Flag, the content digest of the version that is
	// withdrawn here, and why.
	Digest, Text string
	// Embedded is the object whole, where it is not named only.
	Embedded []byte
	// Is is the actor whose document an Update carries; Was, how it stood before,
	// for the store to see whether its document changed.
	Is, Was *LocalActor
	At      time.Time
}

// AnnounceID is the id of the one announce of an object by an actor of this node.
func AnnounceID(actor, object string) string {
	base, name := actor[:strings.LastIndex(actor, "/actor")], actor[strings.LastIndexByte(actor, '/')+1:]
	return base + "/activities/" + name + "-" + object[strings.LastIndexByte(object, '/')+1:]
}

// TellFunc makes the bytes of such an activity, with its proof.
type TellFunc func(Told) ([]byte, error)

// ListEntry is a record that an actor announces.
type ListEntry struct {
	ID        string
	Number    int64 // change number of its latest publication
	Published time.Time
}
