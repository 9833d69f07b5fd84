// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"cmp"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	// Dates of meetings are written in their time zone; the same request must
	// give the same bytes on a machine without a zone database.
	_ "time/tzdata"

	"essaim"
	"essaim/federation/proof"
	"essaim/web/markup"
)

const (
	// maxDocument is what every server takes (interop.md 0.13), with room for the
	// proofs of the document and of its activity.
	maxDocument = 92 << 10
	maxActivity = 100_000
	// maxRepeated is the longest content that stands in contentMap too.
	maxRepeated = 20 << 10
)

// Config is what a Renderer needs.
type Config struct {
	// Node is this installation: base URL, territory, incarnation.
	Node essaim.Node
	// Group is the id of the territory's community, to which what is published is
	// addressed too (FEP-1b12); empty without one.
	Group string
	// Ed25519 signs proofs. Required.
	Ed25519 ed25519.PrivateKey
	// RSA is the public half of the key that signs requests, for actor
	// documents. Required.
	RSA *rsa.PublicKey
	// Now dates the proofs of activities that carry no date; time.Now when nil.
	Now func() time.Time
	// Markdown makes allow-listed HTML; markup.Markdown when nil.
	Markdown func(string) string
}

// Renderer makes the documents of one node. It holds no state besides its
// configuration and may be used by several goroutines.
type Renderer struct {
	node     essaim.Node
	base     string
	host     string // without port
	group    string
	key      ed25519.PrivateKey
	fragment string
	multikey string
	rsaPEM   string
	markdown func(string) string
	clock    func() time.Time
}

// New checks the configuration.
func New(c Config) (*Renderer, error) {
	u, err := url.Parse(c.Node.BaseURL)
	if err != nil || u.Host == "" || u.Path != "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("base URL %q: %w", c.Node.BaseURL, essaim.ErrInvalid)
	}
	if len(c.Ed25519) != ed25519.PrivateKeySize || c.RSA == nil {
		return nil, fmt.Errorf("renderer keys: %w", essaim.ErrInvalid)
	}
	der, err := x509.MarshalPKIXPublicKey(c.RSA)
	if err != nil {
		return nil, fmt.Errorf("RSA key: %w", err)
	}
	public := c.Ed25519.Public().(ed25519.PublicKey)
	r := &Renderer{
		node: c.Node, base: c.Node.BaseURL, host: u.Hostname(), group: c.Group,
		key: c.Ed25519, fragment: "#" + proof.KeyFragment(public), multikey: proof.EncodeMultikey(public),
		rsaPEM:   string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		markdown: c.Markdown, clock: c.Now,
	}
	if r.clock == nil {
		r.clock = time.Now
	}
	if r.markdown == nil {
		r.markdown = markup.Markdown
	}
	return r, nil
}

// Render is the essaim.RenderFunc of this node: the document with its proof,
// the activity that carries it with its own, and the digests.
func (r *Renderer) Render(req essaim.RenderRequest) (essaim.Rendered, error) {
	rec := &req.Record
	doc, err := r.document(req)
	if err != nil {
		return essaim.Rendered{}, fmt.Errorf("render %s: %w", rec.ID, err)
	}
	act, err := r.buildAround(Activity{
		ID: req.ActivityID, Type: string(req.Verb), Actor: rec.Territory, Object: rec.ID,
		To: []string{Public}, CC: r.copied(rec), Audience: r.group, Published: req.At,
	}, doc)
	if err != nil {
		return essaim.Rendered{}, fmt.Errorf("render %s: %w", rec.ID, err)
	}
	if len(act) > maxActivity {
		return essaim.Rendered{}, fmt.Errorf("render %s: %d bytes, more than the %d that every server takes: %w", rec.ID, len(act), maxActivity, essaim.ErrInvalid)
	}
	return essaim.Rendered{Document: doc.Bytes, Activity: act, ContentDigest: doc.ContentDigest, CopyDigest: doc.CopyDigest}, nil
}

// copied is whom a publication is addressed to besides everyone: the followers,
// the community, where Lemmy looks for it, and those whom the text names, which
// is what makes their servers tell them.
func (r *Renderer) copied(rec *essaim.Record) iris {
	cc := iris{rec.Territory + "/followers"}
	if r.group != "" {
		cc = append(cc, r.group)
	}
	for _, m := range rec.Mentions {
		if !slices.Contains(cc, m.Actor) {
			cc = append(cc, m.Actor)
		}
	}
	return cc
}

func (r *Renderer) document(req essaim.RenderRequest) (proof.Signed, error) {
	if req.Signed != nil {
		return proof.Held(req.Signed)
	}
	if req.Verb == essaim.VerbDelete {
		return r.tombstone(&req.Record, req.At)
	}
	return r.object(&req.Record)
}

// object writes a record's document and its proof, by a key of its territory.
func (r *Renderer) object(rec *essaim.Record) (proof.Signed, error) {
	info, ok := rec.Kind.Info()
	newTerms := kinds[rec.Kind]
	if !ok || newTerms == nil || rec.Body == nil || rec.Body.Kind() != rec.Kind {
		return proof.Signed{}, fmt.Errorf("kind %q: %w", rec.Kind, essaim.ErrInvalid)
	}
	t := newTerms()
	t.fill(rec)
	markdown := remembered(r.markdown)
	h := r.head(rec, info, markdown)
	p := page{lang: language(rec), markdown: func(s string) string { return markup.WithMentions(markdown(s), rec.Mentions) }}
	if info.Type == "Note" {
		// Of a Note nobody shows the name.
		p.WriteString("<p><strong>" + html.EscapeString(rec.Title) + "</strong></p>")
	}
	p.record(rec, t)
	h.Content = text(p.String())
	// A long text stands once, a very long one in the source and the terms only.
	if p.Len() <= maxRepeated {
		h.ContentMap = words{p.lang: p.String()}
	}
	doc, err := join(recordContext, h, t)
	if err == nil && len(doc) > maxDocument {
		h.Content, h.ContentMap = text(teaser(rec, string(h.Summary))), nil
		doc, err = join(recordContext, h, t)
	}
	if err != nil {
		return proof.Signed{}, err
	}
	return r.sign(doc, rec.Territory, rec.Updated)
}

// remembered keeps what became of the last text: that of a record is read for
// its summary and for its page.
func remembered(markdown func(string) string) func(string) string {
	var of, html string
	return func(s string) string {
		if s != of {
			of, html = s, markdown(s)
		}
		return html
	}
}

// sign adds the proof of an actor of this node.
func (r *Renderer) sign(doc []byte, actor string, at time.Time) (proof.Signed, error) {
	return proof.Sign(doc, r.key, r.ProofKeyID(actor), at)
}

// Signed tells whether a document's proof names the key that this node signs with
// now.
func (r *Renderer) Signed(doc []byte) bool {
	p, err := proof.Read(doc)
	return err == nil && strings.HasSuffix(p.VerificationMethod, r.fragment)
}

// KeyID is the id of the key with which an actor of this node signs requests
// (RSA, draft-cavage).
func KeyID(actor string) string { return actor + "#main-key" }

// ProofKeyID is the id of the key with which an actor of this node signs
// proofs.
func (r *Renderer) ProofKeyID(actor string) string { return actor + r.fragment }

func (r *Renderer) head(rec *essaim.Record, info essaim.KindInfo, markdown func(string) string) head {
	lang := language(rec)
	h := head{
		ID: iri(rec.ID), Type: text(info.Type), AttributedTo: iri(rec.Territory),
		Name: text(rec.Title), NameMap: words{lang: rec.Title}, MediaType: "text/html",
		URL: iri(rec.URL), Published: utc(rec.Published), Updated: utc(rec.Updated),
		To: iris{Public}, CC: r.copied(rec), Audience: iri(r.group),
		Replies: iri(rec.ID + "/replies"), Likes: iri(rec.ID + "/likes"), Shares: iri(rec.ID + "/shares"), Thread: iri(rec.ID + "/context"),
		Policy: only(quotable()),
		Kind:   text(rec.Kind), Incarnation: number(rec.Incarnation), Revision: number(rec.Revision),
		Territory: iri(rec.Territory), TerritoryName: text(rec.TerritoryName), Tagline: text(rec.Tagline), Holder: text(holder(rec)),
		Keywords: rec.Keywords, Networks: rec.Networks, Everywhere: boolean(rec.Everywhere),
		Translation: iri(rec.TranslationOf), ReviewedOn: text(rec.ReviewedOn),
	}
	// GoToSocial refuses a document updated before it was published.
	if h.Updated.Before(h.Published.Time) {
		h.Updated = h.Published
	}
	if rec.Kind == essaim.KindInitiative || rec.Kind == essaim.KindRecipe {
		h.Adaptations = iri(rec.ID + "/adaptations")
	}
	// The summary of a Note is a content warning: its text would stand behind it.
	if s := summary(rec, lang, markdown); s != "" && info.Type != "Note" {
		h.Summary, h.SummaryMap = text(s), words{lang: s}
	}
	if info.Type == "Article" {
		h.Preview = only(preview{Type: "Note", AttributedTo: h.AttributedTo, Content: text(teaser(rec, string(h.Summary))), URL: h.URL, Published: h.Published})
	}
	if rec.Text != "" {
		h.Source = only(source{Content: text(rec.Text), MediaType: "text/markdown"})
	}
	if l, ok := essaim.LicenceByID(rec.Licence); ok {
		h.Licence = iri(l.IRI)
	}
	r.lists(&h, rec)
	return h
}

func (r *Renderer) lists(h *head, rec *essaim.Record) {
	for _, t := range rec.Themes {
		h.Themes = append(h.Themes, essaim.ThemeIRI(t))
	}
	for i, pl := range rec.Places {
		w := placeOf(pl)
		// One object: Mobilizon has no clause for a list of locations. What has
		// neither name nor point says nothing to other software.
		if i == 0 && (w.Name != "" || w.Latitude != nil) {
			h.Location = only(w)
			continue
		}
		h.Places = append(h.Places, w)
	}
	for i, img := range rec.Images {
		p := pictureOf(img)
		h.Attachment = append(h.Attachment, p)
		if i == 0 {
			h.Image = only(picture{Type: "Image", MediaType: p.MediaType, URL: p.URL, Name: p.Name})
		}
	}
	for _, l := range rec.Links {
		h.Links = append(h.Links, link{Href: iri(l.URL), Name: text(l.Name)})
	}
	for _, s := range rec.Sources {
		h.Sources = append(h.Sources, origin{URL: iri(s.URL), Name: text(s.Name), Fetched: text(s.Fetched), Key: text(s.Key)})
	}
	for _, c := range rec.PublicCredits() {
		list := &h.Carriers
		for _, l := range h.creditLists() {
			if l.Role == c.Role {
				list = l.Credits
			}
		}
		*list = append(*list, credit{
			Actor: iri(c.Actor), Name: text(c.Name), Kind: text(c.Kind), Role: text(c.Role),
			FromStage: text(c.FromStage), ToStage: text(c.ToStage), Since: text(c.Since), Person: boolean(c.Person),
		})
	}
	for _, rel := range rec.Relations {
		for _, l := range h.relations() {
			if l.Type == rel.Type {
				*l.IRIs = append(*l.IRIs, rel.Target)
			}
		}
	}
	if d := rec.DerivedFrom; d != nil {
		w := derivation{ID: iri(d.ID), Digest: text(d.Digest), Name: text(d.Name), AttributedTo: iri(d.AttributedTo)}
		if l, ok := essaim.LicenceByID(d.Licence); ok {
			w.Licence = iri(l.IRI)
		}
		h.DerivedFrom = only(w)
	}
	for _, n := range rec.HelpWanted {
		h.HelpWanted = append(h.HelpWanted, helpNotice{Kind: text(n.Kind), Text: text(n.Text), Until: text(n.Until)})
	}
	for _, n := range rec.HelpOffered {
		h.HelpOffered = append(h.HelpOffered, helpNotice{Kind: text(n.Kind), Text: text(n.Text), Until: text(n.Until)})
	}
	if rec.CollectedBy != "" || rec.CollectedOn != "" {
		h.Collected = only(collected{By: text(rec.CollectedBy), On: text(rec.CollectedOn)})
	}
	h.Tag = r.tags(rec)
}

// tags are the hashtags of themes and keywords, then a link to each related
// object so that other software can show it (FEP-e232).
func (r *Renderer) tags(rec *essaim.Record) listOf[tag] {
	var list listOf[tag]
	seen := map[string]bool{}
	add := func(word, href string) {
		name := hashtag(word)
		if name == "" || seen[strings.ToLower(name)] {
			return
		}
		seen[strings.ToLower(name)] = true
		list = append(list, tag{Type: "Hashtag", Name: text("#" + name), Href: iri(href)})
	}
	info, _ := rec.Kind.Info()
	for _, t := range rec.Themes {
		_, name, _ := essaim.LocalTheme(t)
		add(name, r.base+"/"+info.Path+"?theme="+url.QueryEscape(t))
	}
	for _, k := range rec.Keywords {
		add(k, r.base+"/recherche?q="+url.QueryEscape(k))
	}
	for _, m := range rec.Mentions {
		list = append(list, tag{Type: "Mention", Href: iri(m.Actor), Name: text(m.Handle)})
	}
	targets := map[string]bool{}
	for _, rel := range rec.Relations {
		if rel.Target != "" && !targets[rel.Target] {
			targets[rel.Target] = true
			list = append(list, tag{Type: "Link", MediaType: profiled, Href: iri(rel.Target), Name: text(rel.Name)})
		}
	}
	return list
}

// hashtag joins words with capitals, which screen readers can tell apart:
// "circuits-courts" becomes "CircuitsCourts". Empty without any letter.
func hashtag(s string) string {
	var b strings.Builder
	letter, start := false, true
	for _, c := range s {
		if !unicode.IsLetter(c) && (c < '0' || c > '9') {
			start = true
			continue
		}
		letter = letter || unicode.IsLetter(c)
		if start {
			b.WriteString(strings.ToUpper(string(c)))
		} else {
			b.WriteRune(c)
		}
		start = false
	}
	if !letter {
		return ""
	}
	return b.String()
}

// holder is who holds the rights: the territory, unless somebody else is named. A
// licence goes nowhere without whom to credit.
func holder(rec *essaim.Record) string { return cmp.Or(rec.Holder, rec.TerritoryName) }

func language(rec *essaim.Record) string { return cmp.Or(rec.Language, "fr") }
