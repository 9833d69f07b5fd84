// SPDX-License-Identifier: AGPL-3.0-or-later

package convergence

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"essaim"
	"essaim/federation/proof"
)

// dump is what a node holds of an origin, line by line, by id. Two nodes whose
// dumps are equal hold the same bytes, and rows that say the same.
type dump map[string]line

// line is what is held under an id.
type line struct {
	Digest  string // copy digest, of the bytes as they are held
	Listed  string // copy digest, as the line of the digest tree has it
	Says    string // what the document says, as the model does
	Content string // all that the row of what is published has of what was written: JSON
	Row     string // what pages and search say of it: JSON; empty for what is no record
}

// dump reads what the node holds of an origin, which may be itself.
func (n *node) dump(ctx context.Context, origin string) (dump, error) {
	if origin == n.host {
		origin = ""
	}
	d := dump{}
	for after := ""; ; {
		page, err := n.Copies(ctx, origin, after, 500)
		if err != nil {
			return nil, err
		}
		for _, c := range page {
			after = c.Key
			if d[c.ID], err = n.line(ctx, c); err != nil {
				return nil, err
			}
		}
		if len(page) < 500 {
			break
		}
	}
	return d, n.unlisted(ctx, origin, d)
}

// unlisted adds the records that are shown and have no line.
func (n *node) unlisted(ctx context.Context, origin string, d dump) error {
	rows, err := n.DB().QueryContext(ctx, "SELECT id FROM record WHERE origin = $1 AND state = 'published'", origin)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return err
		}
		if _, ok := d[id]; !ok {
			d[id] = line{Says: "shown, and not listed"}
		}
	}
	return rows.Err()
}

// one reads the line of one id; the zero line when nothing is held.
func (n *node) one(ctx context.Context, id string) (line, error) {
	c := essaim.CommonsCopy{ID: id}
	const statement = `SELECT c.digest, CASE c.sort WHEN 'record' THEN r.document WHEN 'tombstone' THEN coalesce(c.document, t.document) ELSE c.document END
		FROM commons c LEFT JOIN record r ON r.id = c.id LEFT JOIN tombstone t ON t.id = c.id WHERE c.id = $1`
	rows, err := n.DB().QueryContext(ctx, statement, id)
	if err != nil {
		return line{}, err
	}
	defer rows.Close()
	if !rows.Next() {
		return line{}, rows.Err()
	}
	if err := errors.Join(rows.Scan(&c.Digest, &c.Bytes), rows.Close()); err != nil {
		return line{}, err
	}
	return n.line(ctx, c)
}

func (n *node) line(ctx context.Context, c essaim.CommonsCopy) (line, error) {
	l := line{Listed: c.Digest, Says: says(c.Bytes)}
	if _, exact, err := proof.Digests(c.Bytes); err == nil {
		l.Digest = exact
	}
	r, err := n.Record(ctx, c.ID)
	if errors.Is(err, essaim.ErrNotFound) {
		return l, nil
	}
	if err != nil {
		return l, err
	}
	r.Content = withHolder(r.Content, c.ID)
	if r.State == essaim.StatePublished {
		if row := contentSays(&r.Content, r.Revision); row != l.Says {
			l.Says += ", its row " + row
		}
		l.Content = wholeContent(r.Content)
	}
	l.Row, err = n.row(ctx, r)
	return l, err
}

// row is what the columns of a record say that must be the same wherever it is
// held: not its address here, nor what only its own node keeps.
func (n *node) row(ctx context.Context, r essaim.Record) (string, error) {
	if r.State == essaim.StateWithdrawn {
		return "", nil // the tombstone counts: who never held the record has no row of it
	}
	r.Slug, r.Origin, r.Contacts = "", "", nil
	r.Published, r.Updated = r.Published.Truncate(time.Second), r.Updated.Truncate(time.Second) // as documents have it
	b, err := json.Marshal(r)
	if err != nil {
		return "", err
	}
	var indexed int
	err = n.DB().QueryRowContext(ctx, "SELECT count(*) FROM search s JOIN record r ON r.rid = s.rid WHERE r.id = $1", r.ID).Scan(&indexed)
	if indexed != 1 {
		return fmt.Sprintf("%s indexed %d times", b, indexed), err
	}
	return string(b), err
}

// document is what the rig reads of a document, by itself.
type document struct {
	ID, Type, Name, Summary string
	Username                string   `json:"preferredUsername"`
	Revision                int      `json:"essaim:revision"`
	Kind                    string   `json:"essaim:kind"`
	Licence                 string   `json:"dcterms:license"`
	Themes                  []string `json:"essaim:themes"`
	Source                  struct{ Content string }
	Location                placed
	Need                    string `json:"essaim:need"`
	From                    struct {
		ID string `json:"id"`
	} `json:"prov:wasDerivedFrom"`
	AssertionMethod []struct {
		Key string `json:"publicKeyMultibase"`
	} `json:"assertionMethod"`
}

// placed is a place of a document.
type placed struct {
	Name      string
	INSEE     string `json:"essaim:insee"`
	Latitude  float64
	Longitude float64
}

// licences of the rig, as documents name them.
var licences = map[string]string{
	"cc-by-sa-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
	"cc-by-4.0":    "https://creativecommons.org/licenses/by/4.0/",
}

// says tells what a document says in the words of the model.
func says(doc []byte) string {
	var d document
	if err := json.Unmarshal(doc, &d); err != nil {
		return "nothing that can be read"
	}
	switch {
	case d.Type == "Tombstone":
		return "deleted"
	case d.Username != "" && len(d.AssertionMethod) > 0:
		return "actor with key " + d.AssertionMethod[0].Key
	}
	d.Summary = strings.TrimSuffix(strings.TrimPrefix(d.Summary, "<p>"), "</p>")
	return d.told()
}

// told is what of a record the rig compares between its document, its row and the
// model; of row and model all the rest too.
func (d *document) told() string {
	return fmt.Sprintf("%s %q, %q, revision %d, from %q, %q, %v, %v, under %s, need %q", d.Kind, d.Name, d.Summary, d.Revision, d.From.ID, d.Source.Content, d.Themes, d.Location, d.Licence, d.Need)
}

func contentSays(c *essaim.Content, revision int) string {
	d := document{Name: c.Title, Summary: c.Tagline, Revision: revision, Kind: string(c.Kind), Licence: licences[c.Licence], Source: struct{ Content string }{c.Text}}
	for _, theme := range c.Themes {
		d.Themes = append(d.Themes, "https://w3id.org/essaim/themes#"+theme)
	}
	for _, p := range c.Places {
		d.Location = placed{Name: cmp.Or(p.Label, p.City), INSEE: p.INSEE}
		if p.Located() {
			d.Location.Latitude, d.Location.Longitude = *p.Lat, *p.Lon
		}
	}
	if c.DerivedFrom != nil {
		d.From.ID = c.DerivedFrom.ID
	}
	if b, ok := c.Body.(*essaim.Initiative); ok {
		d.Need = b.Need
	}
	return d.told()
}

// withHolder has a content name who holds its rights as its document does: the
// territory, where nobody is named.
func withHolder(c essaim.Content, id string) essaim.Content {
	host, _, _ := strings.Cut(strings.TrimPrefix(id, "https://"), ".")
	c.Holder = cmp.Or(c.Holder, strings.ToUpper(host[:1])+host[1:])
	return c
}

// wholeContent is all that people wrote of a record and that leaves its node.
func wholeContent(c essaim.Content) string {
	c.Contacts = nil
	b, err := json.Marshal(c)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// differences lists the ids of which two dumps say different things.
func differences(a, b dump) []string {
	var ids []string
	for id, l := range a {
		if b[id] != l {
			ids = append(ids, id)
		}
	}
	for id := range b {
		if _, ok := a[id]; !ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// against tells where two lines differ.
func (l line) against(o line) string {
	var b strings.Builder
	for _, f := range [][3]string{{"says", l.Says, o.Says}, {"digest", l.Digest, o.Digest}, {"listed", l.Listed, o.Listed}, {"content", l.Content, o.Content}, {"row", l.Row, o.Row}} {
		if f[1] != f[2] {
			at := 0
			for at < min(len(f[1]), len(f[2])) && f[1][at] == f[2][at] {
				at++
			}
			fmt.Fprintf(&b, "%s %.120q and %.120q; ", f[0], f[1][max(0, at-30):], f[2][max(0, at-30):])
		}
	}
	return b.String()
}

// text is the dump as it is compared between runs.
func (d dump) text() string {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(d)) {
		fmt.Fprintf(&b, "%s %+v\n", id, d[id])
	}
	return b.String()
}
