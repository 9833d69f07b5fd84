// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"essaim"
	"essaim/federation/fetch"
	"essaim/federation/proof"
)

// NewRescuer makes a Rescuer without a database, which surveys what other nodes
// hold of one that is to begin anew. Node and Keys are required.
func NewRescuer(c Config) (*Rescuer, error) {
	base := strings.TrimSuffix(c.Node.BaseURL, "/")
	c.Version = cmp.Or(c.Version, "dev")
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Keys.RSA == nil || len(c.Keys.Ed25519) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("rescue of %s: keys are required: %w", base, essaim.ErrInvalid)
	}
	client, err := newClient(c, base, nil)
	if err != nil {
		return nil, fmt.Errorf("rescue of %s: %w", base, err)
	}
	r, err := newRescuer(c, base, client)
	if err != nil {
		return nil, fmt.Errorf("rescue of %s: %w", base, err)
	}
	r.Now, r.Logger = c.Now, c.Logger
	if r.Logger == nil {
		r.Logger = slog.New(slog.DiscardHandler)
	}
	return r, nil
}

func newRescuer(c Config, base string, client *fetch.Client) (*Rescuer, error) {
	node, err := essaim.ParseIRI(base + "/actor")
	if err != nil {
		return nil, err
	}
	public, ok := c.Keys.Ed25519.Public().(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("no Ed25519 key: %w", essaim.ErrInvalid)
	}
	r := &Rescuer{Client: client, Node: node, woken: make(chan struct{}, 1), told: make(chan string, 64)}
	for _, change := range c.Node.Rotations {
		r.Keys = append(r.Keys, essaim.PeerKey{Key: change.Old})
	}
	r.Keys = append(r.Keys, essaim.PeerKey{Key: proof.EncodeMultikey(public)})
	return r, nil
}

// surveyTime is for how long one node is read in a survey.
const surveyTime = 30 * time.Minute

// surveyed is the latest that somebody supplies under an id.
type surveyed struct {
	sort    essaim.CopySort
	digest  string
	version essaim.RecordVersion
	updated time.Time
}

// follows tells whether it takes the place of another.
func (s surveyed) follows(o surveyed) bool {
	switch {
	case o.sort == essaim.CopyTombstone:
		return false
	case s.sort == essaim.CopyTombstone:
		return true
	case s.sort == essaim.CopyRecord:
		return s.version.Compare(o.version) > 0
	}
	return s.updated.After(o.updated)
}

// Survey asks each host for all that it holds of the node, and says what could be
// got back and what is missing towards the latest head of all. Nothing is written.
func (r *Rescuer) Survey(ctx context.Context, hosts []string) essaim.RecoverySurvey {
	var out essaim.RecoverySurvey
	found := map[string]surveyed{}
	for _, host := range hosts {
		from := essaim.RecoverySource{Host: host}
		if err := r.surveyOne(ctx, &from, found, &out); err != nil {
			from.Reason = cut(err.Error(), 300)
		}
		out.Hosts = append(out.Hosts, from)
	}
	items := make([]essaim.CommonsItem, 0, len(found))
	for id, s := range found {
		items = append(items, essaim.CommonsItem{ID: id, Digest: s.digest})
		switch s.sort {
		case essaim.CopyRecord:
			out.Records++
		case essaim.CopyActor:
			out.Actors++
		case essaim.CopyTombstone:
			out.Tombstones++
		}
	}
	out.Missing = max(out.Head.Count-len(found), 0)
	out.Whole = out.Head.Document != nil && essaim.CommonsTree("", items)[""].Hash == out.Head.Root
	return out
}

// surveyOne reads all that one host holds of the node.
func (r *Rescuer) surveyOne(ctx context.Context, from *essaim.RecoverySource, found map[string]surveyed, out *essaim.RecoverySurvey) error {
	ctx, stop := context.WithTimeout(ctx, surveyTime)
	defer stop()
	for more := true; more; {
		err := r.copies(ctx, from.Host, from.Cursor, func(_ context.Context, page essaim.CopiesPage) error {
			from.Cursor, more = page.Cursor, page.More
			from.Seen += len(page.Copies)
			if len(page.Heads) > 0 && (out.Head.Document == nil || older(out.Head, page.Heads[0])) {
				out.Head = page.Heads[0]
			}
			for i := range page.Refused {
				if out.Refused++; out.Refused == 1 {
					out.Refusal = page.Refused[i].ID + ": " + page.Refused[i].Reason
				}
			}
			for i := range page.Copies {
				c := &page.Copies[i]
				is := surveyed{c.Sort, c.CopyDigest, c.Version, c.Updated}
				if was, ok := found[c.ID]; !ok || is.follows(was) {
					found[c.ID] = is
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
