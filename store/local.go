// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"essaim"
)

// CreateRecord writes a record of this territory, and publishes it when its
// state says so, in one transaction. A content that its state does not allow
// is an *essaim.ValidationError.
func (s *Store) CreateRecord(ctx context.Context, n essaim.NewRecord) (essaim.Record, error) {
	var made essaim.Record
	s.foresee(&n.Content)
	err := s.write(ctx, urgent, func(tx *Tx) error {
		if err := tx.classify(ctx, &n.Content, nil); err != nil {
			return err
		}
		e, p, err := tx.create(ctx, n, "", "")
		if err != nil {
			return err
		}
		err = tx.number(ctx, p)
		made = e.numbered(p)
		return err
	})
	if err != nil {
		return essaim.Record{}, fmt.Errorf("new %s: %w", n.Content.Kind, err)
	}
	return made, nil
}

// publication is a version that becomes public in a transaction, or another
// activity that goes out with it. A silent one without anything moves the
// counter alone.
type publication struct {
	rid      int64  // of the record whose version it is, or 0
	id       string // of the record
	verb     essaim.Verb
	activity string // id
	body     []byte // of the activity
	actor    string
	silent   bool // an import's: never announced
	mentions []essaim.Mention
	listing  *listing     // what it changes of the commons
	also     *publication // that comes of it, with a number of its own
	number   int64
}

// create writes a new local record; p is nil when it is not public.
func (tx *Tx) create(ctx context.Context, n essaim.NewRecord, key, digest string) (*entry, *publication, error) {
	e, err := tx.planNew(ctx, n, key, digest)
	if err != nil {
		return nil, nil, err
	}
	p, err := tx.s.render(e, essaim.VerbCreate, n.Import != 0)
	if err != nil {
		return nil, nil, err
	}
	return e, p, tx.keep(ctx, e, n.Author, p)
}

// planNew makes the entry of a new record, with its name, and writes no more.
func (tx *Tx) planNew(ctx context.Context, n essaim.NewRecord, key, digest string) (*entry, error) {
	if n.State == essaim.StateWithdrawn {
		return nil, fmt.Errorf("state %s: %w", n.State, essaim.ErrInvalid)
	}
	if err := n.Content.Validate(n.State == essaim.StatePublished).Err(); err != nil {
		return nil, err
	}
	node, err := tx.knownNode(ctx)
	if err != nil {
		return nil, err
	}
	info, _ := n.Content.Kind.Info()
	space, want := localName(&n.Content)
	now := tx.s.now()
	e := &entry{importID: n.Import, key: key, digest: digest}
	e.ID = node.BaseURL + "/objects/" + tx.s.cfg.NewID()
	if e.Slug, err = tx.allot(ctx, space, want, e.ID); err != nil {
		return nil, err
	}
	e.Territory, e.TerritoryName = node.Territory.Actor, node.Territory.Name
	e.URL = node.BaseURL + "/" + info.Path + "/" + e.Slug
	e.State, e.Content = n.State, n.Content
	e.Incarnation, e.Revision, e.Updated = node.Incarnation, 1, now
	if e.State == essaim.StatePublished {
		e.Published = now
	}
	return e, nil
}

// localName is the name that a record of this territory wants, and its space.
func localName(c *essaim.Content) (space, want string) {
	return string(c.Kind), cmp.Or(essaim.Slug(c.Title), string(c.Kind))
}

// render makes the bytes of an entry's version and sets what comes of them; nil
// for one that is not public. It needs no transaction: the entries of an import
// are rendered side by side.
func (s *Store) render(e *entry, verb essaim.Verb, silent bool) (*publication, error) {
	if e.State != essaim.StatePublished && verb != essaim.VerbDelete {
		return nil, nil
	}
	if s.cfg.Render == nil {
		return nil, fmt.Errorf("nothing renders documents: %w", essaim.ErrUnavailable)
	}
	base, _, _ := strings.Cut(e.ID, "/objects/")
	e.activityID = base + "/activities/" + s.cfg.NewID()
	out, err := s.cfg.Render(essaim.RenderRequest{Verb: verb, ActivityID: e.activityID, Record: e.Record, At: e.Updated})
	if err != nil {
		return nil, err
	}
	e.document, e.ContentDigest, e.CopyDigest = out.Document, out.ContentDigest, out.CopyDigest
	return &publication{id: e.ID, verb: verb, activity: e.activityID, body: out.Activity, actor: e.Territory, silent: silent, mentions: e.Mentions, listing: listingOf(e, verb)}, nil
}

// keep writes an entry's row, its revision and, when it is public, the activity.
func (tx *Tx) keep(ctx context.Context, e *entry, by essaim.Author, p *publication) error {
	if err := tx.save(ctx, e); err != nil {
		return err
	}
	if err := tx.later(ctx, "revision_insert", e.rid, e.Revision, micros(e.Updated), by.User, by.Name, string(e.State), e.content); err != nil {
		return err
	}
	if err := tx.keepActivity(ctx, e, p); err != nil || p == nil {
		return err
	}
	if err := tx.relistActor(ctx, e, p); err != nil {
		return err
	}
	feeds, err := tx.introduce(ctx, e, p.verb)
	if err != nil || p.silent {
		return err
	}
	if err := tx.offer(ctx, e, p); err != nil {
		return err
	}
	if err := tx.announceToGroup(ctx, e, p); err != nil {
		return err
	}
	return tx.announce(ctx, e, p, feeds)
}

func (tx *Tx) keepActivity(ctx context.Context, e *entry, p *publication) error {
	if p == nil {
		return nil
	}
	p.rid = e.rid
	return tx.later(ctx, "activity_insert", p.activity, string(p.verb), p.actor, p.rid, p.body, micros(e.Updated))
}

// takeNumbers is the statement that moves the one counter.
const takeNumbers = "take_numbers"

// number gives publications their change numbers and writes their events. It
// comes last in a transaction: from here to the commit, nobody else has one.
func (tx *Tx) number(ctx context.Context, list ...*publication) error {
	list = slices.DeleteFunc(list, func(p *publication) bool { return p == nil })
	for _, p := range list {
		if p.also != nil {
			list = append(list, p.also)
		}
	}
	if len(list) == 0 {
		return nil
	}
	if err := tx.flush(ctx); err != nil {
		return err
	}
	if tx.s.cfg.Guest && tx.s.cfg.URL == "" {
		// The owner answers from memory what it alone can change.
		return fmt.Errorf("a guest publishes nothing: %w", essaim.ErrConflict)
	}
	last, err := tx.takeNumbers(ctx, len(list))
	if err != nil {
		return err
	}
	for i, p := range list {
		p.number = last - int64(len(list)-1-i)
		if p.rid != 0 {
			if err := tx.later(ctx, "record_number", p.rid, p.number); err != nil {
				return err
			}
		}
		if p.listing != nil {
			if err := tx.enlist(ctx, p.listing, p.number); err != nil {
				return err
			}
		}
		if p.silent {
			continue
		}
		if err := tx.later(ctx, "event_insert", p.number, p.activity, p.actor, p.id); err != nil {
			return err
		}
		if err := tx.notify(ctx, p); err != nil {
			return err
		}
		tx.wake()
	}
	return nil
}

// takeNumbers moves the counter and gives the last of n numbers. While the node
// gets back what it lost there is none but for what came back.
func (tx *Tx) takeNumbers(ctx context.Context, n int) (last int64, err error) {
	var recovering bool
	var recoveries int64
	if err := tx.row(ctx, takeNumbers, n).Scan(&last, bit{&recovering}, &recoveries); err != nil {
		return 0, err
	}
	if recovering && !tx.recovers {
		return 0, essaim.ErrRecovering
	}
	if tx.recoveries != nil && *tx.recoveries != recoveries {
		// It began and ended meanwhile: what was made bears the incarnation before.
		tx.s.forgetNode()
		return 0, essaim.ErrRecovering
	}
	return last, nil
}

// publishes has publications numbered at the end of the transaction, where what
// else it does comes before.
func (tx *Tx) publishes(list ...*publication) { tx.due = append(tx.due, list...) }

// UpdateRecord writes a new revision; revision is the one that was edited, and
// another in between is essaim.ErrConflict (0 skips the check). state is draft
// or published; a published record stays published.
func (s *Store) UpdateRecord(ctx context.Context, id string, revision int, c essaim.Content, state essaim.State, by essaim.Author) (essaim.Record, error) {
	var made essaim.Record
	s.foresee(&c)
	err := s.write(ctx, urgent, func(tx *Tx) error {
		e, err := tx.editable(ctx, id)
		if err != nil {
			return err
		}
		if revision != 0 && revision != e.Revision {
			return fmt.Errorf("revision %d was edited and %d stands: %w", revision, e.Revision, essaim.ErrConflict)
		}
		if err := tx.classify(ctx, &c, e.Themes); err != nil {
			return err
		}
		list, err := tx.edit(ctx, &e, c, state, by)
		if err != nil {
			return err
		}
		p := list[0]
		err = tx.number(ctx, list...)
		made = e.numbered(p)
		return err
	})
	if err != nil {
		return essaim.Record{}, fmt.Errorf("record %s: %w", id, err)
	}
	return made, nil
}

// edit writes the next version of an entry and tells who follows its actor of what
// changed; the first publication is the version's, nil when it is not public.
func (tx *Tx) edit(ctx context.Context, e *entry, c essaim.Content, state essaim.State, by essaim.Author) ([]*publication, error) {
	was, err := tx.followedActor(ctx, e)
	if err != nil {
		return nil, err
	}
	p, err := tx.update(ctx, e, c, state, by, false)
	if err != nil {
		return nil, err
	}
	var told *publication
	if was != nil {
		is := *was
		is.Record, is.UpdatedAt = e.Record, later(e.Updated, was.UpdatedAt)
		told, err = tx.tellChange(ctx, *was, is)
	}
	return []*publication{p, told}, err
}

// editable reads and locks a local record that is not withdrawn.
func (tx *Tx) editable(ctx context.Context, id string) (entry, error) {
	e, ok, err := tx.locked(ctx, id)
	switch {
	case err != nil:
		return e, err
	case !ok:
		return e, essaim.ErrNotFound
	case e.Origin != "":
		return e, fmt.Errorf("of %s: %w", e.Origin, essaim.ErrForbidden)
	case e.State == essaim.StateWithdrawn:
		return e, essaim.ErrGone
	}
	return e, nil
}

// update changes an entry's content and writes its next revision; the
// publication is nil when it is not public.
func (tx *Tx) update(ctx context.Context, e *entry, c essaim.Content, state essaim.State, by essaim.Author, silent bool) (*publication, error) {
	before := e.Mentions
	was := e.State
	verb, err := tx.planNext(ctx, e, c, state)
	if err != nil {
		return nil, err
	}
	p, err := tx.s.render(e, verb, silent)
	if err != nil {
		return nil, err
	}
	p.alsoTell(before)
	if was == essaim.StateCandidate && e.State != was {
		if err := tx.opened(ctx, e.ID, essaim.ItemAccepted); err != nil {
			return nil, err
		}
	}
	return p, tx.keep(ctx, e, by, p)
}

// planNext moves an entry to its next version, with new content, and says with
// what verb it is published.
func (tx *Tx) planNext(ctx context.Context, e *entry, c essaim.Content, state essaim.State) (essaim.Verb, error) {
	if e.State == essaim.StatePublished {
		state = essaim.StatePublished
	}
	if c.Kind != e.Kind {
		return "", fmt.Errorf("a %s does not become a %s: %w", e.Kind, c.Kind, essaim.ErrInvalid)
	}
	if state == essaim.StateWithdrawn {
		return "", fmt.Errorf("state %s: %w", state, essaim.ErrInvalid)
	}
	if err := c.Validate(state == essaim.StatePublished).Err(); err != nil {
		return "", err
	}
	node, err := tx.knownNode(ctx)
	if err != nil {
		return "", err
	}
	verb := essaim.VerbUpdate
	if e.State != essaim.StatePublished {
		verb = essaim.VerbCreate
	}
	if e.was = map[feed]bool{}; e.State == essaim.StatePublished {
		for _, f := range feedsOf(&e.Content, node) {
			e.was[f] = true
		}
	}
	e.next(node, tx.s.now())
	e.State, e.Content = state, c
	e.TerritoryName = node.Territory.Name
	if state == essaim.StatePublished && e.Published.IsZero() {
		e.Published = e.Updated
	}
	return verb, nil
}

// next moves an entry to its next version. updated is strictly newer at each,
// by a second at least: others compare it (vocabulary.md).
func (e *entry) next(node essaim.Node, now time.Time) {
	e.Incarnation, e.Revision = node.Incarnation, e.Revision+1
	if least := e.Updated.Add(time.Second); now.Before(least) {
		now = least
	}
	e.Updated = now
}

func (e *entry) numbered(p *publication) essaim.Record {
	if p != nil {
		e.Number = p.number
	}
	return e.Record
}
