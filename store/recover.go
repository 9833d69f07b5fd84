// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"

	"essaim"
)

// TakeRecovered writes what this node signed and a peer gave back, each where it
// is newer than what stands and nothing says that it was erased, with how far the
// peer's copies are read, in one transaction. The bytes stay as they were signed;
// what comes back is announced to nobody. It tells why items came to nothing, by
// their index.
func (s *Store) TakeRecovered(ctx context.Context, items []essaim.Recovered, from essaim.RecoverySource) (why map[int]string, err error) {
	for i := range items {
		if items[i].Record != nil {
			s.foresee(&items[i].Record.Content)
		}
	}
	bad := map[int]string{}
	for {
		at := -1
		err = s.write(ctx, patient, func(tx *Tx) error {
			why = maps.Clone(bad)
			at, err = tx.takeAll(ctx, items, from, why)
			return err
		})
		if at < 0 || !errors.Is(err, essaim.ErrInvalid) && !errors.Is(err, essaim.ErrConflict) {
			break
		}
		bad[at] = err.Error() // one that cannot be leaves the others alone, and nothing of it
	}
	if err != nil {
		return nil, fmt.Errorf("recovery from %s: %w", from.Host, err)
	}
	return why, nil
}

// takeAll writes the items of which it is not told already why they come to nothing,
// and tells of the others. After an error at is the item that it is about, or -1.
func (tx *Tx) takeAll(ctx context.Context, items []essaim.Recovered, from essaim.RecoverySource, why map[int]string) (at int, err error) {
	tx.recovers = true
	var made []*publication
	recovered, withdrawn := 0, 0
	for i := range items {
		if why[i] != "" {
			continue
		}
		p, reason, err := tx.takeRecovered(ctx, &items[i], from.Reading)
		if err == nil {
			err = tx.flush(ctx)
		}
		if err != nil {
			return i, fmt.Errorf("%s: %w", items[i].ID, err)
		}
		switch {
		case reason != "":
			why[i] = reason
		case items[i].Sort == essaim.CopyTombstone:
			withdrawn++
		default:
			recovered++
		}
		made = append(made, p...)
	}
	if err := tx.later(ctx, "recovery_count", recovered, withdrawn); err != nil {
		return -1, err
	}
	if err := tx.saveSource(ctx, from); err != nil {
		return -1, err
	}
	return -1, tx.number(ctx, made...)
}

// Why something that came back changes nothing.
const (
	notLost    = "held as new or newer"
	notReborn  = "erased since"
	notItsName = "its name is another's here"
	notItsID   = "another stands under its id"
	notKnown   = "neither a record, nor an actor, nor a tombstone of this node"
)

func (tx *Tx) takeRecovered(ctx context.Context, it *essaim.Recovered, at essaim.RecoveryReading) ([]*publication, string, error) {
	node, err := tx.knownNode(ctx)
	if err != nil {
		return nil, "", err
	}
	name, actor := strings.CutPrefix(it.ID, node.BaseURL+"/actors/")
	was, listed, err := tx.listedAs(ctx, it.ID)
	switch {
	case err != nil:
		return nil, "", err
	case listed && was == it.CopyDigest:
		return nil, notLost, nil
	case it.Sort == essaim.CopyRecord && it.Record != nil && it.Record.Territory == node.Territory.Actor:
		return tx.recoverRecord(ctx, it, listed && at != essaim.ReadingLast)
	case it.Sort == essaim.CopyActor && actor:
		return tx.recoverActor(ctx, it, name)
	case it.Sort == essaim.CopyTombstone && actor:
		return tx.recoverFarewell(ctx, it, name)
	case it.Sort == essaim.CopyTombstone:
		return tx.recoverTombstone(ctx, it)
	}
	return nil, notKnown, nil
}

// recoverRecord writes a version that was lost, as it was signed. A tombstone that
// stands wins, and so does a version of the same number that was written here
// later: peers take that one when they compare. Where mends, a version whose row is
// lost takes no other's place.
func (tx *Tx) recoverRecord(ctx context.Context, it *essaim.Recovered, mends bool) ([]*publication, string, error) {
	gone, err := tx.found(ctx, "tombstone_stands", it.ID)
	if err != nil {
		return nil, "", err
	}
	held, ok, err := tx.locked(ctx, it.ID)
	switch {
	case err != nil:
		return nil, "", err
	case gone || ok && held.State == essaim.StateWithdrawn:
		return nil, notReborn, nil
	case !ok && mends:
		return nil, essaim.RecordDamaged, nil
	case ok && (held.Origin != "" || held.Kind != it.Record.Kind):
		return nil, notItsID, nil
	case ok && !loses(held, it.Record):
		return nil, notLost, nil
	}
	if ok && held.State == essaim.StateCandidate {
		if err := tx.opened(ctx, it.ID, essaim.ItemAccepted); err != nil {
			return nil, "", err
		}
	}
	e := &entry{Record: *it.Record, rid: held.rid, position: held.position, importID: held.importID, key: held.key, digest: held.digest}
	e.Origin, e.State, e.Contacts = "", essaim.StatePublished, held.Contacts
	if e.Slug = held.Slug; !ok {
		if e.Slug, err = tx.allot(ctx, string(e.Kind), it.Record.Slug, e.ID); err != nil {
			return nil, "", err
		}
	}
	if name := e.RowName(); e.key == "" && name != "" {
		named, err := tx.withKeys(ctx, []string{name})
		if err != nil {
			return nil, "", err
		}
		if len(named) == 0 {
			e.key = name
		}
	}
	p, err := tx.republish(e, it)
	if err != nil {
		return nil, "", err
	}
	for _, name := range []string{"deliveries_erase", "events_erase"} { // of the version before
		if ok {
			if err := tx.later(ctx, name, e.rid); err != nil {
				return nil, "", err
			}
		}
	}
	if err := tx.save(ctx, e); err != nil {
		return nil, "", err
	}
	if err := tx.later(ctx, "recovery_revision", e.rid, e.Revision, micros(e.Updated), recoveredBy, string(e.State), e.content); err != nil {
		return nil, "", err
	}
	if err := tx.keepActivity(ctx, e, p); err != nil {
		return nil, "", err
	}
	if err := tx.relistActor(ctx, e, p); err != nil {
		return nil, "", err
	}
	return []*publication{p}, "", tx.settleAnnounces(ctx, e)
}

// recoveredBy stands as the author of a revision that came back: who wrote it was
// never told to anybody.
const recoveredBy = "récupération"

// republish makes the activity by which a version that came back stands in the
// outbox; its document stays as it was signed.
func (tx *Tx) republish(e *entry, it *essaim.Recovered) (*publication, error) {
	if tx.s.cfg.Render == nil {
		return nil, fmt.Errorf("nothing renders documents: %w", essaim.ErrUnavailable)
	}
	base, _, _ := strings.Cut(e.ID, "/objects/")
	e.activityID = base + "/activities/" + tx.s.cfg.NewID()
	verb := essaim.VerbUpdate
	if e.Revision <= 1 {
		verb = essaim.VerbCreate
	}
	out, err := tx.s.cfg.Render(essaim.RenderRequest{
		Verb: verb, ActivityID: e.activityID, Record: e.Record, At: e.Updated,
		Signed: it.Document,
	})
	if err != nil {
		return nil, err
	}
	e.document, e.ContentDigest, e.CopyDigest = it.Document, it.ContentDigest, it.CopyDigest
	return &publication{id: e.ID, verb: verb, activity: e.activityID, body: out.Activity, actor: e.Territory, silent: true, listing: listingOf(e, verb)}, nil
}

// loses tells whether a version takes the place of what is held.
func loses(held entry, r *essaim.Record) bool {
	switch {
	case r.Incarnation != held.Incarnation:
		return r.Incarnation > held.Incarnation
	case r.Revision != held.Revision:
		return r.Revision > held.Revision
	}
	return held.State != essaim.StatePublished || r.ContentDigest != held.ContentDigest && !r.Updated.Before(held.Updated)
}

// settleAnnounces names the actors that a record speaks of, which announced it
// when it was published.
func (tx *Tx) settleAnnounces(ctx context.Context, e *entry) error {
	feeds, err := tx.introduce(ctx, e, essaim.VerbCreate)
	if err != nil {
		return err
	}
	node, err := tx.nodeActor(ctx)
	if err != nil {
		return err
	}
	at := micros(tx.s.now())
	if err := tx.later(ctx, "recovery_quiet", node, e.ID, at); err != nil {
		return err
	}
	for _, f := range feeds {
		if err := tx.later(ctx, "recovery_quiet", f.id, e.ID, at); err != nil {
			return err
		}
	}
	return nil
}

// recoverTombstone erases again what was erased after the backup, and keeps the
// tombstone of what is not known here any more.
func (tx *Tx) recoverTombstone(ctx context.Context, it *essaim.Recovered) ([]*publication, string, error) {
	gone, err := tx.found(ctx, "tombstone_stands", it.ID)
	if err != nil {
		return nil, "", err
	}
	e, ok, err := tx.locked(ctx, it.ID)
	switch {
	case err != nil:
		return nil, "", err
	case gone || ok && e.State == essaim.StateWithdrawn:
		return nil, notReborn, nil
	case ok && e.Origin != "":
		return nil, notItsID, nil
	}
	at := it.Updated
	if at.IsZero() {
		at = tx.s.now()
	}
	p := &publication{id: it.ID, silent: true, listing: &listing{id: it.ID, sort: sortTombstone, digest: it.CopyDigest}}
	if !ok {
		return []*publication{p}, "", tx.later(ctx, "tombstone_insert", it.ID, "", "", micros(at), it.Document)
	}
	if err := tx.leave(ctx, &e); err != nil {
		return nil, "", err
	}
	if err := tx.forgetParent(ctx, e.rid, e.DerivedFrom); err != nil {
		return nil, "", err
	}
	e.Content, e.State = blank(e.Kind), essaim.StateWithdrawn
	e.Updated = later(e.Updated, at)
	e.document, e.CopyDigest = nil, it.CopyDigest
	if err := tx.eraseEntry(ctx, &e, it.Document, at); err != nil {
		return nil, "", err
	}
	p.rid = e.rid
	// Its actor goes with it, and told so when it went the first time.
	actor, err := tx.blankActor(ctx, &e, at)
	if err != nil || actor.ID == "" {
		return []*publication{p}, "", err
	}
	l, err := tx.actorListing(ctx, actor)
	if l != nil {
		p.also = &publication{silent: true, listing: l}
	}
	return []*publication{p}, "", err
}

// recoverFarewell makes an actor be gone again, and keeps its name from being
// another's.
func (tx *Tx) recoverFarewell(ctx context.Context, it *essaim.Recovered, name string) ([]*publication, string, error) {
	a, err := tx.localActor(ctx, name)
	if err != nil && !errors.Is(err, essaim.ErrNotFound) {
		return nil, "", err
	}
	switch {
	case a.Gone:
	case err != nil: // not known here any more
		if err := tx.later(ctx, "name_keep", actorNames, name, micros(tx.s.now())); err != nil {
			return nil, "", err
		}
	case a.Kind == essaim.ActorPerson:
		if err := tx.retireRow(ctx, a.ID, it.Updated); err != nil {
			return nil, "", err
		}
	default:
		return nil, "its record stands", nil
	}
	l := &listing{id: it.ID, sort: sortTombstone, digest: it.CopyDigest, document: it.Document}
	return []*publication{{silent: true, listing: l}}, "", nil
}

// recoverActor takes what was chosen of an actor from its document, if that is
// newer. A person comes back without an account; an actor of a record only once
// the record did.
func (tx *Tx) recoverActor(ctx context.Context, it *essaim.Recovered, name string) ([]*publication, string, error) {
	if tx.s.cfg.Actor == nil || tx.s.cfg.ReadActor == nil {
		return nil, "nothing reads documents of actors", nil
	}
	if err := tx.flush(ctx); err != nil { // its record may have come back just now
		return nil, "", err
	}
	a, err := tx.localActor(ctx, name)
	if errors.Is(err, essaim.ErrNotFound) && it.Type == "Person" {
		a = essaim.LocalActor{ID: it.ID, Username: name, Kind: essaim.ActorPerson, Subject: it.ID, CreatedAt: it.Created}
		var given string
		if given, err = tx.allotActor(ctx, name, feed{a.Kind, a.Subject}.ref()); err == nil && given != name {
			return nil, notItsName, nil
		}
	} else if errors.Is(err, essaim.ErrNotFound) {
		return nil, essaim.RecordNotHere, nil
	}
	if err != nil {
		return nil, "", err
	}
	if a.Gone {
		return nil, notReborn, nil
	}
	made, err := tx.s.cfg.Actor(a)
	if err != nil {
		return nil, "", err
	}
	if made.CopyDigest != it.CopyDigest {
		if made, err = tx.chooseAgain(ctx, a, it); err != nil || made.Document == nil {
			return nil, notLost, err
		}
	}
	was, _, err := tx.listedAs(ctx, a.ID)
	if err != nil || was == made.CopyDigest {
		return nil, notLost, err
	}
	return []*publication{{silent: true, listing: &listing{id: a.ID, sort: sortActor, digest: made.CopyDigest, document: made.Document}}}, "", nil
}

// chooseAgain saves the profile that an actor's document shows, unless a later one
// is held; then nothing comes of it.
func (tx *Tx) chooseAgain(ctx context.Context, a essaim.LocalActor, it *essaim.Recovered) (out essaim.Rendered, err error) {
	if later(it.Created, it.Updated).Before(a.UpdatedAt) { // updated is left out when it is created
		return out, nil
	}
	was := a.Profile
	if a.Profile, err = tx.s.cfg.ReadActor(a, it.Document); err != nil {
		return out, err
	}
	a.Profile.Weekly = was.Weekly
	if reflect.DeepEqual(was, a.Profile) && a.Kind != essaim.ActorPerson {
		return out, nil
	}
	profile, err := json.Marshal(a.Profile)
	if err != nil {
		return out, err
	}
	created := later(a.CreatedAt, it.Created)
	a.CreatedAt, a.UpdatedAt = created, later(a.UpdatedAt, it.Updated)
	if a.UpdatedAt.IsZero() {
		a.UpdatedAt = created
	}
	if err := tx.later(ctx, "local_actor_save", a.ID, a.Username, string(a.Kind), a.Subject, string(profile), instant(created), instant(a.UpdatedAt)); err != nil {
		return out, err
	}
	return tx.s.cfg.Actor(a)
}
