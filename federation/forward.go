// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"

	"essaim"
	"essaim/federation/proof"
	"essaim/federation/wire"
)

// speaker is who says the activity: its signer, or its actor when another
// passes on what the actor itself proved (ActivityPub 7.1.2, FEP-8b32). A proof
// that does not hold is an error, never a reason to look no further. What has no id
// means it again each time that it is said: it is for its actor alone to say.
func (i *Inbox) speaker(ctx context.Context, a *wire.Activity, signer essaim.IRI) (essaim.IRI, error) {
	if signer == a.Actor || a.Transient || a.Actor.SameOrigin(i.origin) {
		return signer, nil // of an actor of this node nobody passes anything on to it
	}
	p, err := proof.Read(a.Raw())
	if errors.Is(err, proof.ErrNone) {
		return signer, nil // the rules of authority refuse it
	}
	if err != nil {
		return signer, fmt.Errorf("%w: %w", err, essaim.ErrForbidden)
	}
	id, err := essaim.ParseIRI(p.VerificationMethod)
	if err != nil || !id.SameOrigin(a.Actor) {
		return signer, fmt.Errorf("proof by a key of another origin than the actor: %w", essaim.ErrForbidden)
	}
	for _, fresh := range [...]bool{false, true} { // the key may have changed since it was read
		if err = i.proved(ctx, a, id, fresh); !errors.Is(err, proof.ErrInvalid) {
			break
		}
	}
	switch {
	case err == nil:
		i.keys.verified(ctx)
		return a.Actor, nil
	case errors.Is(err, essaim.ErrUnavailable):
		return signer, err
	}
	return signer, fmt.Errorf("%w: %w", err, essaim.ErrForbidden)
}

// proved checks the proof with a key of the actor's.
func (i *Inbox) proved(ctx context.Context, a *wire.Activity, id essaim.IRI, fresh bool) error {
	key, err := i.keys.Key(ctx, id, fresh)
	if err != nil {
		return err
	}
	public, ok := key.Public.(ed25519.PublicKey)
	if !ok || key.Owner != a.Actor {
		return fmt.Errorf("proof by a key that is not the actor's: %w", essaim.ErrForbidden)
	}
	return proof.Verify(a.Raw(), public)
}
