// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"essaim"
)

// LocalActor is an actor of this node by its username, besides the node's own;
// essaim.ErrNotFound for a name that nobody bears.
func (s *Store) LocalActor(ctx context.Context, username string) (essaim.LocalActor, error) {
	a, err := s.query().localActor(ctx, username)
	if err != nil {
		return a, fmt.Errorf("actor %s: %w", username, err)
	}
	return a, nil
}

func (tx *Tx) localActor(ctx context.Context, username string) (a essaim.LocalActor, err error) {
	var ref string
	if err := tx.row(ctx, "name_ref", actorNames, username).Scan(&ref); err != nil {
		return a, err
	}
	node, err := tx.knownNode(ctx)
	if err != nil {
		return a, err
	}
	a.ID, a.Username = node.BaseURL+"/actors/"+username, username
	var profile string
	err = tx.row(ctx, "local_actor", a.ID).Scan(&a.Kind, &a.Subject, &profile, bit{&a.Gone}, stamp{&a.CreatedAt}, stamp{&a.UpdatedAt})
	switch {
	case err == nil:
		if err := json.Unmarshal([]byte(profile), &a.Profile); err != nil {
			return a, err
		}
	case !errors.Is(err, essaim.ErrNotFound):
		return a, err
	case ref == node.Territory.Actor:
		a.Kind, a.Subject = essaim.ActorTerritory, ref
	default:
		a.Subject = ref // a record
	}
	if a.Kind == essaim.ActorTheme {
		all, err := tx.thesaurus(ctx)
		a.Label = all.Label("fr", a.Subject)
		return a, err
	}
	if a.Kind == "" || a.Kind == essaim.ActorInitiative || a.Kind == essaim.ActorOrganisation {
		return a, tx.ofRecord(ctx, &a)
	}
	return a, nil
}

// ofRecord completes the actor of a record, which lives as long as it does.
func (tx *Tx) ofRecord(ctx context.Context, a *essaim.LocalActor) error {
	e, err := tx.entry(ctx, "record_by_id", a.Subject)
	if err != nil {
		return err
	}
	if _, ok := recordActors[e.Kind]; !ok || e.Origin != "" || e.State != essaim.StatePublished && e.State != essaim.StateWithdrawn {
		return essaim.ErrNotFound
	}
	a.Kind, a.Record = recordActors[e.Kind], e.Record
	a.Gone = e.State != essaim.StatePublished
	a.CreatedAt, a.UpdatedAt = e.Published, later(e.Updated, a.UpdatedAt)
	return nil
}

// recordActors are the kinds of record that have an actor.
var recordActors = map[essaim.Kind]essaim.ActorKind{
	essaim.KindInitiative: essaim.ActorInitiative, essaim.KindOrganisation: essaim.ActorOrganisation,
}

// RecordActor is the username of a record's actor; essaim.ErrNotFound for a
// record that never had one.
func (s *Store) RecordActor(ctx context.Context, id string) (name string, err error) {
	if err := s.query().row(ctx, "actor_name", id).Scan(&name); err != nil {
		return "", fmt.Errorf("actor of %s: %w", id, err)
	}
	return name, nil
}

// Feed is the actor of a theme or a commune; essaim.ErrNotFound before the first
// publication about it.
func (s *Store) Feed(ctx context.Context, kind essaim.ActorKind, subject string) (a essaim.LocalActor, err error) {
	var id string
	if !kind.Feed() {
		err = essaim.ErrNotFound
	} else if err = s.query().row(ctx, "local_actor_of", string(kind), subject).Scan(&id); err == nil {
		a, err = s.query().localActor(ctx, id[strings.LastIndexByte(id, '/')+1:])
	}
	if err != nil {
		return a, fmt.Errorf("feed %s: %w", feed{kind, subject}.ref(), err)
	}
	return a, nil
}

// feed names the actor of a theme or a commune.
type feed struct {
	kind    essaim.ActorKind
	subject string
}

// announcer is a feed with the id of its actor.
type announcer struct {
	feed
	id string
}

func (f feed) ref() string { return string(f.kind) + ":" + f.subject }

// feedsOf lists the feeds of a node that carry a record, always in the same order: two
// transactions that wait for one another's would both lose. A concept of another node
// has none here, where its name may be that of a common theme.
func feedsOf(c *essaim.Content, node essaim.Node) []feed {
	host := essaim.ThesaurusOf(node.BaseURL, nil).Host
	var list []feed
	for _, t := range c.Themes {
		if of, _, local := essaim.LocalTheme(t); !local || of == host {
			list = append(list, feed{essaim.ActorTheme, t})
		}
	}
	for _, p := range c.Places {
		if p.INSEE != "" {
			list = append(list, feed{essaim.ActorCommune, p.INSEE})
		}
	}
	slices.SortFunc(list, func(a, b feed) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.subject, b.subject)) })
	return slices.Compact(list)
}

// foresee does what is slow of naming feeds before a transaction begins: the
// gazetteer is read at the first commune.
func (s *Store) foresee(c *essaim.Content) {
	for _, f := range feedsOf(c, essaim.Node{}) {
		if _, known := s.knownFeed(f); !known && f.kind == essaim.ActorCommune {
			essaim.EmbeddedGazetteer().CommuneActorName(f.subject)
			return
		}
	}
}

func (s *Store) knownFeed(f feed) (id string, ok bool) {
	s.feeds.Lock()
	defer s.feeds.Unlock()
	id, ok = s.feeds.known[f]
	return id, ok
}

// rememberFeeds keeps what a transaction found or made, after its commit: a feed
// is for good.
func (s *Store) rememberFeeds(made map[feed]string) {
	if len(made) == 0 {
		return
	}
	s.feeds.Lock()
	defer s.feeds.Unlock()
	if s.feeds.known == nil {
		s.feeds.known = map[feed]string{}
	}
	for f, id := range made {
		s.feeds.known[f] = id
	}
}

// feedActor is the id of a feed, which exists from here on.
func (tx *Tx) feedActor(ctx context.Context, f feed) (id string, err error) {
	if id, ok := tx.s.knownFeed(f); ok {
		return id, nil
	}
	if id, ok := tx.feeds[f]; ok {
		return id, nil
	}
	err = tx.row(ctx, "local_actor_of", string(f.kind), f.subject).Scan(&id)
	if errors.Is(err, essaim.ErrNotFound) {
		want := essaim.ActorName(f.kind, f.subject)
		if f.kind == essaim.ActorCommune {
			want = essaim.EmbeddedGazetteer().CommuneActorName(f.subject)
		}
		id, err = tx.newActor(ctx, want, f.kind, f.subject, essaim.Profile{})
	}
	if err != nil {
		return "", fmt.Errorf("feed %s: %w", f.ref(), err)
	}
	if tx.feeds == nil {
		tx.feeds = map[feed]string{}
	}
	tx.feeds[f] = id
	return id, nil
}

// newActor gives an actor its name and its row.
func (tx *Tx) newActor(ctx context.Context, want string, k essaim.ActorKind, subject string, p essaim.Profile) (id string, err error) {
	node, err := tx.knownNode(ctx)
	if err != nil {
		return "", err
	}
	name, err := tx.allotActor(ctx, want, feed{k, subject}.ref())
	if err != nil {
		return "", err
	}
	profile, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	id = node.BaseURL + "/actors/" + name
	return id, tx.later(ctx, "local_actor_add", id, name, string(k), subject, string(profile), micros(tx.s.now()))
}

// nameRoom is what an actor's name has room for behind the part that others
// have too: "_" and a number.
const nameRoom = 7

// allotActor gives ref an actor's name for good: the one wanted or, where that
// is another's, one with a number. What has one keeps it.
func (tx *Tx) allotActor(ctx context.Context, want, ref string) (string, error) {
	name := want
	for i := 2; ; i++ {
		bearer, taken, err := tx.take(ctx, actorNames, name, ref)
		if err != nil || taken || bearer == ref {
			return name, err
		}
		if i == 3 {
			// Others bear the name already; go on where they stopped.
			stem := essaim.CutName(want, nameRoom)
			if err := tx.row(ctx, "name_count", actorNames, stem, stem+"~").Scan(&i); err != nil {
				return "", err
			}
			i = max(i, 1) + 2
		}
		number := "_" + strconv.Itoa(i)
		name = essaim.CutName(want, len(number)) + number
	}
}

// introduce gives what a publication speaks of its actors: those of its themes
// and communes, and its own. It returns the feeds, in their order.
func (tx *Tx) introduce(ctx context.Context, e *entry, verb essaim.Verb) (feeds []announcer, err error) {
	node, err := tx.knownNode(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range feedsOf(&e.Content, node) {
		id, err := tx.feedActor(ctx, f)
		if err != nil {
			return nil, err
		}
		feeds = append(feeds, announcer{f, id})
	}
	if kind, ok := recordActors[e.Kind]; ok && verb == essaim.VerbCreate {
		_, err = tx.allotActor(ctx, essaim.ActorName(kind, e.Slug), e.ID)
	}
	return feeds, err
}

// namedTogether is how many records get their actors in a transaction.
const namedTogether = 100

// NameActors gives the records that were published before actors were made
// theirs, and their feeds. It has nothing to do on a node that was begun since.
func (s *Store) NameActors(ctx context.Context) error {
	essaim.EmbeddedGazetteer() // read before a transaction
	for last, more := int64(0), true; more; {
		var reached int64
		err := s.write(ctx, patient, func(tx *Tx) error {
			var unnamed []entry
			reached = last
			err := tx.each(ctx, "records_unnamed", func(scan func(...any) error) error {
				var e entry
				var content string
				if err := scan(&e.rid, &e.ID, &e.Kind, &e.Slug, &content); err != nil {
					return err
				}
				unnamed, reached = append(unnamed, e), e.rid
				return json.Unmarshal([]byte(content), &unnamed[len(unnamed)-1].Content)
			}, last, namedTogether)
			for i := range unnamed {
				if _, err := tx.introduce(ctx, &unnamed[i], essaim.VerbCreate); err != nil {
					return err
				}
			}
			more = len(unnamed) == namedTogether
			if err != nil || len(unnamed) == 0 {
				return err
			}
			return tx.number(ctx, &publication{silent: true})
		})
		if err != nil {
			return fmt.Errorf("name actors: %w", err)
		}
		last = reached
	}
	return nil
}

// actorOf is the id of a record's actor and whether somebody follows it; empty
// for a record that has none.
func (tx *Tx) actorOf(ctx context.Context, e *entry) (id string, followed bool, err error) {
	node, err := tx.knownNode(ctx)
	if err != nil {
		return "", false, err
	}
	var name string
	err = tx.row(ctx, "actor_name", e.ID).Scan(&name)
	if errors.Is(err, essaim.ErrNotFound) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	id = node.BaseURL + "/actors/" + name
	followed, err = tx.found(ctx, "follower_any", id, "")
	return id, followed, err
}

// followedActor is the actor of a published record as it stands before a change
// of the record; nil without one that somebody follows.
func (tx *Tx) followedActor(ctx context.Context, e *entry) (*essaim.LocalActor, error) {
	if _, ok := recordActors[e.Kind]; !ok || e.State != essaim.StatePublished {
		return nil, nil
	}
	id, followed, err := tx.actorOf(ctx, e)
	if err != nil || !followed {
		return nil, err
	}
	a, err := tx.localActor(ctx, id[strings.LastIndexByte(id, '/')+1:])
	return &a, err
}

// buryActor tells who knew a withdrawn record's actor that it is gone; nil when
// nobody did.
func (tx *Tx) buryActor(ctx context.Context, e *entry) (*publication, error) {
	gone, err := tx.blankActor(ctx, e, e.Updated)
	if err != nil || gone.ID == "" {
		return nil, err
	}
	return tx.farewell(ctx, gone)
}

// blankActor erases what was chosen of a withdrawn record's actor and what waits to
// be sent of it, and gives it as it is since; without an id when there is none.
func (tx *Tx) blankActor(ctx context.Context, e *entry, at time.Time) (gone essaim.LocalActor, err error) {
	id, _, err := tx.actorOf(ctx, e)
	if err != nil || id == "" {
		return gone, err
	}
	if err := tx.later(ctx, "local_actor_blank", id, micros(at)); err != nil {
		return gone, err
	}
	return essaim.LocalActor{ID: id, Kind: recordActors[e.Kind], UpdatedAt: at, Gone: true}, tx.silence(ctx, id)
}

// farewell tells the followers of an actor that it is gone, and the commons; nil
// when neither knew it.
func (tx *Tx) farewell(ctx context.Context, a essaim.LocalActor) (p *publication, err error) {
	l, err := tx.actorListing(ctx, a)
	if err != nil {
		return nil, err
	}
	told, err := tx.found(ctx, "follower_any", a.ID, "")
	if err == nil && !told && l != nil {
		// Who replicates this node holds its document, followed or not.
		var node string
		if node, err = tx.nodeActor(ctx); err == nil {
			told, err = tx.found(ctx, "follower_any", node, "")
		}
	}
	if err == nil && told {
		p, err = tx.tell(ctx, essaim.Told{Verb: string(essaim.VerbDelete), Actor: a.ID, Object: a.ID, At: a.UpdatedAt}, 0)
	}
	if err != nil || l == nil {
		return p, err
	}
	if p == nil {
		p = &publication{silent: true}
	}
	p.listing = l
	return p, nil
}
