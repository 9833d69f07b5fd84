// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"essaim"
	"essaim/federation/fetch"
	"essaim/federation/proof"
	"essaim/federation/sig"
	"essaim/federation/wire"
)

// TrustStore keeps the keys by which nodes that are replicated prove what they
// publish.
type TrustStore interface {
	PeerTrust(ctx context.Context, host string) (essaim.PeerTrust, error)
	// PinPeerKeys takes keys after the one that holds; essaim.ErrConflict when
	// that is another by now.
	PinPeerKeys(ctx context.Context, host, after string, keys ...essaim.PeerKey) error
	ContestPeer(ctx context.Context, host, key string) error
	SettlePeer(ctx context.Context, host string) error
	// KeepsCopy tells whether something of another node is held under an id.
	KeepsCopy(ctx context.Context, id string) (bool, error)
}

// Keys continue or the origin is contested (replication.md): what comes from a
// host whose key is pinned counts only if the key that holds proves it, or one
// that it introduced. It binds nodes that are replicated; of everyone else a key
// is fetched anew as usual.
var (
	// errContested means that the host shows a key that does not continue those
	// that are pinned: what it says is kept, and does nothing.
	errContested = fmt.Errorf("contested: its key does not continue the one that was pinned: %w", essaim.ErrConflict)
	// errUnproven means that the host's key continues, and did not prove this.
	errUnproven = fmt.Errorf("not proven by the key of its node: %w", essaim.ErrForbidden)
	// errBehind means that the host showed an older state of its commons than one
	// that it signed: what it sends is kept until it shows a newer one.
	errBehind = fmt.Errorf("behind: it shows an older state than it signed: %w", essaim.ErrConflict)
	// errRefused means that the host shows a key that an administrator refused.
	errRefused = fmt.Errorf("by a key that was refused: %w", essaim.ErrForbidden)
	// errGone means that the host's node was said to be gone, and had no key by which
	// it could show that it is back.
	errGone = fmt.Errorf("contested: its node was said to be gone: %w", essaim.ErrConflict)
)

const (
	trustFresh = 2 * time.Second // for which what the database says is remembered
	// maxStatements bounds the rotations that one document may tell of.
	maxStatements = 64
)

// Vouch tells whether a host proves a document that is said to be owner's and
// about an object: a record or a tombstone, pushed, fetched or of a page, that came
// at a time. nil for a host without pinned keys, which is taken at its signature or
// at its address; so is one that is followed no more, save about the copies of it
// that are kept here. Such a document is kept and handed on as it came: a member that
// its proof does not cover is errUnproven, for whoever answers at the host's address
// may have added it. Errors wrap errContested, errUnproven, errRefused or
// essaim.ErrUnavailable, when whether its key was rotated cannot be known now.
func (a *Actors) Vouch(ctx context.Context, owner, about essaim.IRI, doc *proof.Document, came time.Time) error {
	return a.vouch(ctx, owner, doc, doc.VerifyWhole, came, a.bound(ctx, owner, about))
}

// VouchActivity is Vouch for an activity, which is not handed on: other software adds
// a linked-data signature to its own.
func (a *Actors) VouchActivity(ctx context.Context, owner, about essaim.IRI, doc *proof.Document, came time.Time) error {
	return a.vouch(ctx, owner, doc, doc.VerifyOwned, came, a.bound(ctx, owner, about))
}

// binding says what is known of a host, and whether it is held to its keys.
type binding func() (essaim.PeerTrust, bool, error)

func (a *Actors) bound(ctx context.Context, owner, about essaim.IRI) binding {
	return func() (essaim.PeerTrust, bool, error) { return a.trust.binds(ctx, owner.Host(), about) }
}

// vouch is Vouch where verify looks at the document's proof.
func (a *Actors) vouch(ctx context.Context, owner essaim.IRI, doc *proof.Document, verify func(...ed25519.PublicKey) (ed25519.PublicKey, error), came time.Time, binds binding) error {
	host := owner.Host()
	for try := 0; ; try++ {
		known, bound, err := binds()
		if err == nil && !known.GoneAt.IsZero() && len(known.Keys) == 0 {
			return errGone
		}
		if err != nil || !bound {
			return err
		}
		_, wrong := verify(keysOf(known.Current())...)
		if wrong == nil {
			if !known.Contested() {
				return nil
			}
			if q, mine := a.trust.ask(host); mine {
				// What it proves counts, whatever it shows.
				q.heard(a.recheck(ctx, known))
			}
			return nil
		}
		last := a.trust.lately(host)
		asked := try > 0 || last.continued() && !known.Contested() && (!last.at.Before(came) || !another(doc.Bytes(), known))
		switch {
		case asked && !known.Binds():
			return errContested // kept: whoever has the domain now may not be who had it
		case asked:
			return fmt.Errorf("%w: %w", errUnproven, wrong)
		}
		if err := a.reread(ctx, owner, known); err != nil {
			return err
		}
	}
}

// Proven is Vouch for what counts by its proof alone, of whatever host: one without
// pinned keys is asked for its first, and what comes from one that shows none is
// errUnproven.
func (a *Actors) Proven(ctx context.Context, node essaim.IRI, raw []byte, came time.Time) error {
	known, err := a.trust.of(ctx, node.Host())
	if err == nil && len(known.Keys) == 0 {
		if _, err = a.Fetch(ctx, node); err == nil {
			known, err = a.trust.of(ctx, node.Host())
		}
	}
	switch {
	case err != nil:
		return err
	case len(known.Keys) == 0:
		return fmt.Errorf("%s shows no key that proves its actor: %w", node.Host(), errUnproven)
	}
	doc := proof.Of(raw)
	return a.vouch(ctx, node, doc, doc.VerifyWhole, came, func() (essaim.PeerTrust, bool, error) {
		known, err := a.trust.of(ctx, node.Host())
		return known, true, err
	})
}

// another tells whether a proof may be by a key that is not known here: it is
// well formed, and names none of those that are.
func another(doc []byte, known essaim.PeerTrust) bool {
	p, err := proof.Read(doc)
	if err != nil {
		return false
	}
	_, name, _ := strings.Cut(p.VerificationMethod, "#")
	return !slices.ContainsFunc(known.Keys, func(k essaim.PeerKey) bool {
		keys := keysOf(k.Key)
		return len(keys) == 1 && proof.KeyFragment(keys[0]) == name
	})
}

// reread asks a host which key it shows now: nil when it continues. While one asks,
// others wait for what it hears.
func (a *Actors) reread(ctx context.Context, owner essaim.IRI, known essaim.PeerTrust) error {
	host := owner.Host()
	q, mine := a.trust.ask(host)
	if !mine {
		return q.wait(ctx, host, known)
	}
	who := owner
	if node, err := essaim.ParseIRI(known.Actor); err == nil {
		who = node
	}
	err := a.shows(ctx, who)
	q.heard(err)
	return err
}

// wait gives what a question comes to that another put, or, when it was answered
// before, why the host is not asked again.
func (q *question) wait(ctx context.Context, host string, known essaim.PeerTrust) error {
	if !q.answered() {
		select {
		case <-q.over:
			return q.err
		case <-ctx.Done():
			return unheard(host, ctx.Err())
		}
	}
	switch {
	case known.Contested():
		return errContested
	case errors.Is(q.err, errRefused):
		return errRefused
	}
	return fmt.Errorf("%s was asked for its key lately: %w", host, essaim.ErrUnavailable)
}

// shows reads which key a host whose keys are pinned shows now, of one of its
// actors: nil when it continues.
func (a *Actors) shows(ctx context.Context, owner essaim.IRI) error {
	_, err := a.Fetch(ctx, owner)
	if errors.Is(err, essaim.ErrGone) || errors.Is(err, essaim.ErrNotFound) {
		// A host that shows no key at all continues none.
		return a.trust.distrust(ctx, owner.Host(), "")
	}
	return unheard(owner.Host(), err)
}

// unheard is what a question for a key came to: whatever is no answer to it leaves
// the key unknown for now.
func unheard(host string, err error) error {
	if err == nil || errors.Is(err, errContested) || errors.Is(err, errRefused) {
		return err
	}
	return fmt.Errorf("the key of %s: %w: %w", host, essaim.ErrUnavailable, err)
}

// recheck reads anew which key a contested node shows, and settles it when that
// is its own again.
func (a *Actors) recheck(ctx context.Context, known essaim.PeerTrust) error {
	id, err := essaim.ParseIRI(known.Actor)
	if err != nil {
		return err
	}
	_, err = a.Fetch(ctx, id)
	return unheard(id.Host(), err)
}

// Continues asks a host that is replicated for its key, before something that it
// did not prove ends a follow: whoever buys a lapsed domain signs its requests and
// answers 410 as well. nil when the key continues those that are pinned, and for
// any other host; errors are Vouch's.
func (a *Actors) Continues(ctx context.Context, host string) error {
	known, err := a.trust.of(ctx, host)
	if err != nil || !known.Binds() {
		return err
	}
	node, err := essaim.ParseIRI(known.Actor)
	if err != nil {
		return err
	}
	return a.shows(ctx, node)
}

// Departed tells whether what a fetch came to says that something is gone. Of a
// host whose keys are pinned only its Tombstone says so, proven by them: who
// buys a lapsed domain answers 410 as well.
func (a *Actors) Departed(ctx context.Context, id essaim.IRI, err error) bool {
	if !errors.Is(err, essaim.ErrGone) && !errors.Is(err, essaim.ErrNotFound) {
		return false
	}
	_, bound, unknown := a.trust.binds(ctx, id.Host(), id)
	if unknown != nil || !bound {
		return unknown == nil
	}
	var gone *fetch.Gone
	if !errors.As(err, &gone) {
		return false
	}
	doc, malformed := wire.Parse(gone.Body, wire.Fetched)
	if malformed != nil || doc.Get("type").TextOr() != "Tombstone" {
		return false
	}
	said, ok := doc.Get("id").IRI()
	return ok && said == id && a.Vouch(ctx, id, id, proof.Of(gone.Body), a.now()) == nil
}

// judge holds an actor's document to the keys of its host: the one that holds, or
// those that the document shows to continue it. The first is pinned once the node
// is followed. errContested and errRefused say that none does, of a host that is
// followed: any other may be somebody else's now.
func (t *trust) judge(ctx context.Context, actor essaim.RemoteActor) error {
	id, err := essaim.ParseIRI(actor.ID)
	if err != nil {
		return err
	}
	host := id.Host()
	for try := 0; ; try++ {
		known, err := t.of(ctx, host)
		if err != nil {
			return err
		}
		var next []essaim.PeerKey
		switch {
		case len(known.Keys) == 0:
			key := provenBy(actor)
			if known.Actor != actor.ID || key == "" {
				return nil
			}
			next = []essaim.PeerKey{{Key: key, How: essaim.KeyFirst}}
		case proves(actor.Document, known.Current()):
			if !known.Contested() {
				return nil
			}
			return t.changed(host, t.store.SettlePeer(ctx, host))
		default:
			next = continued(known.Current(), id, actor.Document)
			if n := len(next); n == 0 || !proves(actor.Document, next[n-1].Key) {
				return t.distrust(ctx, host, shown(actor, known.Current()))
			}
		}
		err = t.changed(host, t.store.PinPeerKeys(ctx, host, known.Current(), next...))
		if try > 0 || !errors.Is(err, essaim.ErrConflict) {
			return err
		}
	}
}

// continued reads from an actor's document the keys that follow one, each
// introduced by a statement that the key before it signed.
func continued(key string, actor essaim.IRI, document []byte) (next []essaim.PeerKey) {
	doc, err := wire.Parse(document, wire.Limits{})
	if err != nil {
		return nil
	}
	read := 0
	for s := range doc.Get("essaim:keyHistory").Elements() {
		if read++; read > maxStatements {
			break
		}
		by, ok := s.Get("actor").IRI()
		if !ok || !by.SameOrigin(actor) || s.Get("essaim:oldKey").TextOr() != key || !proves(s.Raw(), key) {
			continue
		}
		introduced := s.Get("essaim:newKey").TextOr()
		if keysOf(introduced) == nil {
			continue
		}
		key = introduced
		next = append(next, essaim.PeerKey{Key: key, How: essaim.KeyContinued, Statement: append([]byte(nil), s.Raw()...)})
	}
	return next
}

// proves tells whether a key proves a document in the name of its owner.
func proves(doc []byte, key string) bool {
	_, err := proof.VerifyOwned(doc, keysOf(key)...)
	return err == nil
}

// keysOf decodes a key; nil when it is none.
func keysOf(multikey string) []ed25519.PublicKey {
	key, err := proof.DecodeMultikey(multikey)
	if err != nil {
		return nil
	}
	return []ed25519.PublicKey{key}
}

// listed are the Ed25519 keys that an actor's document lists.
func listed(actor essaim.RemoteActor) (keys []ed25519.PublicKey) {
	for _, k := range actor.Keys {
		public, err := sig.ParsePublicKey(k.PEM)
		if key, ok := public.(ed25519.PublicKey); ok && err == nil {
			keys = append(keys, key)
		}
	}
	return keys
}

// provenBy is the key of an actor's own that proves its document; empty when none
// does, as of software that signs no documents.
func provenBy(actor essaim.RemoteActor) string {
	key, err := proof.VerifyOwned(actor.Document, listed(actor)...)
	if err != nil {
		return ""
	}
	return proof.EncodeMultikey(key)
}

// shown is the key that an actor's document lists instead of one; empty for none.
func shown(actor essaim.RemoteActor, instead string) string {
	for _, key := range listed(actor) {
		if s := proof.EncodeMultikey(key); s != instead {
			return s
		}
	}
	return ""
}
