// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"essaim"
)

// ConvertConfig says how rows become records. Licence and Attribution are
// required; they fill rows that do not carry their own.
type ConvertConfig struct {
	Kind        essaim.Kind       // of rows that do not say theirs
	Licence     string            // id of the table of licences, any case
	Attribution string            // who holds the rights and made the data
	SourceURL   string            // where the file comes from; optional
	Language    string            // of texts that do not say theirs; "fr" when empty
	Contacts    bool              // keep e-mail and telephone, at this node only
	Gazetteer   *essaim.Gazetteer // the built-in one when nil
	Thesaurus   essaim.Thesaurus  // with the node's own themes
	Now         func() time.Time
}

// Converter makes records of the rows of one file. One goroutine uses it.
type Converter struct {
	cfg     ConvertConfig
	mapping *Mapping
	own     bool
	// keyPrefix is the holder and the column of keys: two data sets of one holder
	// may both count from 1.
	keyPrefix string
	cells     map[cell]bool // far from France
}

// NewConverter checks the configuration against the file.
func NewConverter(f *File, m *Mapping, cfg ConvertConfig) (*Converter, error) {
	if _, ok := cfg.Kind.Info(); !ok {
		return nil, fmt.Errorf("kind %q is none of %s: %w", cfg.Kind, named(essaim.Kinds(), func(k essaim.KindInfo) string { return string(k.Kind) }), essaim.ErrInvalid)
	}
	licence, ok := essaim.LicenceByID(cfg.Licence)
	if !ok {
		return nil, fmt.Errorf("licence %q is not in the table of licences (%s): %w", cfg.Licence, named(essaim.Licences(), func(l essaim.Licence) string { return l.ID }), essaim.ErrInvalid)
	}
	if strings.TrimSpace(cfg.Attribution) == "" {
		return nil, fmt.Errorf("the attribution is required: %w", essaim.ErrInvalid)
	}
	if cfg.SourceURL != "" && webAddress(cfg.SourceURL) == "" {
		return nil, fmt.Errorf("source %q is no web address: %w", cfg.SourceURL, essaim.ErrInvalid)
	}
	cfg.Licence = licence.ID
	if cfg.Gazetteer == nil {
		cfg.Gazetteer = essaim.EmbeddedGazetteer()
	}
	c := &Converter{cfg: cfg, mapping: m, own: f.Own, cells: map[cell]bool{}}
	c.keyPrefix = essaim.Slug(cfg.Attribution) + ":"
	if columns := m.Columns[FieldSourceKey]; len(columns) > 0 {
		c.keyPrefix += columns[0] + ":"
	}
	return c, nil
}

// Convert makes an import row of a row, or says why it is refused: a title, a
// place and a source are required, codes must exist. What is only not enough
// for publication makes a candidate.
func (c *Converter) Convert(r Row) (essaim.ImportRow, error) {
	if r.Err != nil {
		return essaim.ImportRow{}, r.Err
	}
	if err := c.checkBroken(r); err != nil {
		return essaim.ImportRow{}, err
	}
	var content essaim.Content
	var key string
	var err error
	cut := 0
	if c.own {
		content, key, err = c.ownContent(r)
	} else {
		if content, err = c.content(r); err == nil {
			cut, err = c.cutContacts(&content)
		}
		key = c.key(r, &content)
	}
	if err != nil {
		return essaim.ImportRow{}, err
	}
	p := essaim.Problems{}
	if content.Themes = c.cfg.Thesaurus.Complete(p, content.Themes, nil); len(p) > 0 {
		return essaim.ImportRow{}, p.Err()
	}
	if err := content.Validate(false).Err(); err != nil {
		return essaim.ImportRow{}, err
	}
	row := essaim.ImportRow{Key: key, Content: content, State: essaim.StatePublished, Digest: digest(content), Cut: cut}
	if len(content.Validate(true)) > 0 {
		row.State = essaim.StateCandidate
	}
	return row, nil
}

// checkBroken refuses a row where a column that counts holds a spreadsheet's error.
func (c *Converter) checkBroken(r Row) error {
	for _, column := range r.Broken {
		if !slices.Contains(c.mapping.Unused, column) {
			return fmt.Errorf("column %s holds a spreadsheet's error: %w", column, essaim.ErrInvalid)
		}
	}
	return nil
}

// content makes the content of a row of a file written elsewhere.
func (c *Converter) content(r Row) (essaim.Content, error) {
	m := c.mapping
	out := essaim.Content{Kind: c.kind(r), Title: oneLine(m.Value(r, FieldTitle))}
	if out.Title == "" {
		return out, errNoTitle
	}
	pl, ok, err := c.place(r)
	if err != nil {
		return out, err
	}
	if !ok {
		return out, errNoPlace
	}
	out.Places = []essaim.Place{pl}
	c.texts(r, &out)
	out.Themes, out.Keywords = splitThemes(m.all(r, FieldThemes), c.matchTheme)
	out.Themes = c.fewer(out.Themes)
	for _, column := range m.Columns[FieldWebsite] {
		if u := webAddress(r.Values[column]); u != "" {
			out.Links = []essaim.Link{{URL: u}}
			break
		}
	}
	if err := c.rights(r, &out); err != nil {
		return out, err
	}
	out.ReviewedOn = date(m.Value(r, FieldUpdated))
	if name := oneLine(m.Value(r, FieldCarrier)); name != "" {
		out.Credits = []essaim.Credit{{Name: name, Role: "porteur"}}
	}
	if c.cfg.Contacts {
		for _, v := range m.all(r, FieldEmail) {
			out.Contacts = append(out.Contacts, essaim.Contact{Kind: "email", Value: v})
		}
		for _, v := range m.all(r, FieldPhone) {
			out.Contacts = append(out.Contacts, essaim.Contact{Kind: "phone", Value: v})
		}
	}
	out.Body, err = c.body(r, out.Kind)
	return out, err
}

// cutContacts takes ways to reach people out of all that a row says, and counts
// them: what is published has none. Only asked for are they kept, at this node.
func (c *Converter) cutContacts(out *essaim.Content) (int, error) {
	found := out.CutContacts()
	said := func(s string) bool { return strings.ContainsFunc(s, unicode.IsLetter) }
	if len(found) > 0 && !said(out.Title) {
		return 0, errNoTitle
	}
	if len(found) > 0 && !said(out.Text) {
		out.Text = "" // there was nothing else
	}
	for i, s := range out.Sources {
		if _, named := essaim.CutContacts(s.Key, false); len(named) > 0 {
			out.Sources[i].Key = ""
		}
	}
	for _, contact := range found {
		if c.cfg.Contacts && !slices.Contains(out.Contacts, contact) {
			out.Contacts = append(out.Contacts, contact)
		}
	}
	return len(found), nil
}

// The reasons that refuse a row whatever its kind.
var (
	errNoTitle = fmt.Errorf("no title: %w", essaim.ErrInvalid)
	errNoPlace = fmt.Errorf("no place: %w", essaim.ErrInvalid)
)

func (c *Converter) kind(r Row) essaim.Kind {
	k := essaim.Kind(Fold(c.mapping.Value(r, FieldKind)))
	if _, ok := k.Info(); ok {
		return k
	}
	return c.cfg.Kind
}

// languageTag is the usual part of BCP 47; a column may say "English" instead.
var languageTag = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,4})?$`)

// texts fills tagline, text and language. A tagline that is too long for one
// begins the text: nothing is cut.
func (c *Converter) texts(r Row, out *essaim.Content) {
	m := c.mapping
	if v := m.Value(r, FieldLanguage); languageTag.MatchString(v) {
		out.Language = v
	}
	for _, column := range m.Columns[FieldText] {
		if v := r.Values[column]; v != "" {
			out.Text = plainText(v)
			if lang := m.languages[column]; lang != "" && out.Language == "" {
				out.Language = lang
			}
			break
		}
	}
	if out.Language == "" {
		out.Language = c.cfg.Language
		if pl := out.Places[0]; out.Language == "" && pl.Country != "" {
			out.Language = "und" // BCP 47: not determined; French would be a guess
		}
	}
	tagline := oneLine(plainText(m.Value(r, FieldTagline)))
	if utf8.RuneCountInString(tagline) > 180 {
		out.Text = strings.TrimSpace(tagline + "\n\n" + out.Text)
		tagline = ""
	}
	out.Tagline = tagline
}

// rights fills licence, holder and source, of the row first.
func (c *Converter) rights(r Row, out *essaim.Content) error {
	m := c.mapping
	out.Licence, out.Holder = c.cfg.Licence, c.cfg.Attribution
	if v := m.Value(r, FieldLicence); v != "" {
		id, ok := MatchLicence(v)
		if !ok {
			return fmt.Errorf("licence %q is not known: %w", v, essaim.ErrInvalid)
		}
		out.Licence = id
	}
	if v := m.Value(r, FieldHolder); v != "" {
		out.Holder = oneLine(v)
	}
	src := essaim.Source{Name: c.cfg.Attribution, URL: c.cfg.SourceURL}
	for _, column := range m.Columns[FieldSourceURL] {
		v := r.Values[column]
		if u := webAddress(v); u != "" && strings.Contains(v, "://") {
			src.URL = u
			break
		} else if v != "" {
			src.Name = oneLine(v)
		}
	}
	if v := m.Value(r, FieldSourceName); v != "" {
		src.Name = oneLine(v)
	}
	src.Key = m.Value(r, FieldSourceKey)
	if c.cfg.Now != nil {
		src.Fetched = c.cfg.Now().UTC().Format(time.DateOnly)
	}
	out.Sources = []essaim.Source{src}
	return nil
}

// body makes what only the kind has.
func (c *Converter) body(r Row, kind essaim.Kind) (essaim.Body, error) {
	m := c.mapping
	info, _ := kind.Info()
	body := info.Body()
	switch b := body.(type) {
	case *essaim.Initiative:
		b.Since = date(m.Value(r, FieldSince))
	case *essaim.Venue:
		b.OpeningHours = c.hours(r)
		b.Services = services(m.all(r, FieldServices))
	case *essaim.Organisation:
		b.Services = services(m.all(r, FieldServices))
		b.Founded = date(m.Value(r, FieldSince))
		if v := strings.ReplaceAll(m.Value(r, FieldSIREN), " ", ""); isDigits(v) && (len(v) == 9 || len(v) == 14) {
			b.SIREN = v[:9] // a SIRET begins with it
		}
		if v := strings.ToUpper(m.Value(r, FieldRNA)); len(v) == 10 && v[0] == 'W' {
			b.RNA = v
		}
	case *essaim.Meeting:
		start, err := instant(m.Value(r, FieldStart))
		if err != nil {
			return nil, err
		}
		end, err := instant(m.Value(r, FieldEnd))
		if err != nil {
			return nil, err
		}
		b.Start, b.End = start, end
	}
	return body, nil
}

func services(cells []string) []string {
	var out []string
	for _, cell := range cells {
		for _, v := range splitValues(cell) {
			if utf8.RuneCountInString(v) <= 100 && len(out) < 30 && !slices.Contains(out, v) {
				out = append(out, v)
			}
		}
	}
	return out
}

// hours makes opening hours of the columns by day, or of one that has them in
// the shape of schema.org. A day that cannot be read is left out.
func (c *Converter) hours(r Row) []string {
	var w week
	for _, d := range c.mapping.days {
		if spans, ok := parseSpans(r.Values[d.column]); ok {
			w[d.day] = merge(append(w[d.day], spans...))
		}
	}
	if rules := w.rules(); len(rules) > 0 {
		return rules
	}
	var out []string
	for _, v := range c.mapping.all(r, FieldHours) {
		out = append(out, hoursRules(v)...)
	}
	return out
}

// key identifies the row at its source for good: by its own identifier, by its
// address at the source, or by what it is and where.
func (c *Converter) key(r Row, content *essaim.Content) string {
	if id := c.mapping.Value(r, FieldSourceKey); id != "" {
		return c.keyPrefix + id
	}
	var pl essaim.Place
	if len(content.Places) > 0 {
		pl = content.Places[0]
	}
	if u := webAddress(c.mapping.Value(r, FieldSourceURL)); u != "" && u != c.cfg.SourceURL {
		return c.keyPrefix + u
	}
	return c.keyPrefix + Fold(strings.Join([]string{string(content.Kind), content.Title, pl.Street, pl.City, pl.INSEE, pl.EPCI, pl.Departement, pl.Region}, "|"))
}

// digest is the digest of a content as its source has it, whenever it was fetched.
func digest(c essaim.Content) string {
	c.Sources = slices.Clone(c.Sources)
	for i := range c.Sources {
		c.Sources[i].Fetched = ""
	}
	b, err := json.Marshal(c)
	if err != nil { // only a body of a foreign type could do that
		panic(err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// Reason is why a row was refused, in words for the report.
func Reason(err error) string {
	var v *essaim.ValidationError
	if errors.As(err, &v) {
		return v.Error()
	}
	return strings.TrimSuffix(strings.TrimSuffix(err.Error(), ": "+essaim.ErrInvalid.Error()), ": "+ErrFormat.Error())
}

// webAddress gives an http address, with the scheme added that files leave out;
// "" for what is none.
func webAddress(s string) string {
	s = strings.TrimSpace(s)
	if s == "" || strings.ContainsAny(s, " \t\n\"<>@") && !strings.Contains(s, "://") || len(s) > 1900 {
		return ""
	}
	if !strings.Contains(s, "://") {
		host, _, _ := strings.Cut(s, "/")
		if !strings.Contains(host, ".") || strings.HasSuffix(host, ".") || strings.HasPrefix(host, ".") {
			return ""
		}
		s = "http://" + s // https would not fall back where only http answers
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" || !utf8.ValidString(s) {
		return ""
	}
	return s
}
