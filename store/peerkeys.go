// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"essaim"
)

// How a key stands that is not pinned: it is what a host shows and none of its
// others introduced; an administrator did not believe it.
const (
	keyContested = "contested"
	keyRefused   = "refused"
)

// PeerTrust is what is known of the keys of a host; nothing of one that was
// never followed.
func (s *Store) PeerTrust(ctx context.Context, host string) (essaim.PeerTrust, error) {
	t, err := s.query().peerTrust(ctx, host)
	if err != nil {
		return t, fmt.Errorf("keys of %s: %w", host, err)
	}
	return t, nil
}

func (tx *Tx) peerTrust(ctx context.Context, host string) (t essaim.PeerTrust, err error) {
	err = tx.row(ctx, "peer_key_replicated", host).Scan(&t.Actor, stamp{&t.BehindAt}, moment{&t.GoneAt})
	if err != nil && !errors.Is(err, essaim.ErrNotFound) {
		return t, err
	}
	return t, tx.each(ctx, "peer_key_list", func(scan func(...any) error) error {
		var k essaim.PeerKey
		if err := scan(&k.Key, (*string)(&k.How), moment{&k.Since}, moment{&k.Until}, &k.Statement); err != nil {
			return err
		}
		switch k.How {
		case keyContested:
			t.Offered, t.ContestedAt = k.Key, k.Since
		case keyRefused:
			t.Refused = append(t.Refused, k.Key)
		default:
			t.Keys = append(t.Keys, k)
		}
		return nil
	}, host)
}

// contested tells whether somebody else may speak for a host that is replicated.
func (tx *Tx) contested(ctx context.Context, host string) (bool, error) {
	known, err := tx.peerTrust(ctx, host)
	return known.Binds() && known.Contested(), err
}

// PinPeerKeys takes keys that follow the one that holds, which must be after
// ("" for none): essaim.ErrConflict when another holds by now. The last of them
// holds from now on; what was contested is settled.
func (s *Store) PinPeerKeys(ctx context.Context, host, after string, keys ...essaim.PeerKey) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		known, err := tx.peerTrust(ctx, host)
		if err != nil {
			return err
		}
		if known.Current() != after {
			return fmt.Errorf("another key holds: %w", essaim.ErrConflict)
		}
		return tx.pinKeys(ctx, host, keys, s.now())
	})
	if err != nil {
		return fmt.Errorf("keys of %s: %w", host, err)
	}
	return nil
}

func (tx *Tx) pinKeys(ctx context.Context, host string, keys []essaim.PeerKey, now time.Time) error {
	known, err := tx.peerTrust(ctx, host)
	if err != nil {
		return err
	}
	at := now.Add(-time.Microsecond)
	if n := len(known.Keys); n > 0 && !known.Keys[n-1].Since.Before(at) {
		at = known.Keys[n-1].Since
	}
	for _, k := range keys {
		at = at.Add(time.Microsecond) // in their order, whatever the clock says
		if _, err := tx.exec(ctx, "peer_key_retire", host, micros(at)); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, "peer_key_pin", host, k.Key, string(k.How), micros(at), k.Statement); err != nil {
			return err
		}
	}
	return tx.settlePeer(ctx, host, now)
}

// settlePeer ends a contest, if there is one: what was kept meanwhile is read
// again, and what the key that holds did not prove is refused then.
func (tx *Tx) settlePeer(ctx context.Context, host string, now time.Time) error {
	n, err := tx.exec(ctx, "peer_key_settle", host)
	if err == nil && n > 0 {
		_, err = tx.exec(ctx, "inbox_settle", host, micros(now), "contested:%")
	}
	return err
}

// pinFirst pins the key of a host that has none yet.
func (tx *Tx) pinFirst(ctx context.Context, host, key string, now time.Time) error {
	known, err := tx.peerTrust(ctx, host)
	if err != nil || key == "" || len(known.Keys) > 0 {
		return err
	}
	return tx.pinKeys(ctx, host, []essaim.PeerKey{{Key: key, How: essaim.KeyFirst}}, now)
}

// ContestPeer notes that a host that is followed shows another key than those that
// are pinned, "" for none, and that no statement introduces it; nothing of one
// that an administrator refused.
func (s *Store) ContestPeer(ctx context.Context, host, key string) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		known, err := tx.peerTrust(ctx, host)
		if err != nil || !known.Binds() || slices.Contains(known.Refused, key) || known.Contested() && known.Offered == key {
			return err
		}
		if _, err := tx.exec(ctx, "peer_key_settle", host); err != nil {
			return err
		}
		since := s.now()
		if known.Contested() {
			since = known.ContestedAt
		}
		_, err = tx.exec(ctx, "peer_key_contest", host, key, micros(since))
		return err
	})
	if err != nil {
		return fmt.Errorf("contest %s: %w", host, err)
	}
	return nil
}

// SettlePeer ends a contest: the host shows a key that is pinned again.
func (s *Store) SettlePeer(ctx context.Context, host string) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		return tx.settlePeer(ctx, host, s.now())
	})
	if err != nil {
		return fmt.Errorf("settle %s: %w", host, err)
	}
	return nil
}

// TrustPeer is an administrator's decision about a contested host. The key is
// the one that it shows, or the one that holds already: the other is then refused
// for good, or until it is trusted in turn. What was kept meanwhile is read again,
// by the key that holds. Any other key is essaim.ErrInvalid, a host that is not
// contested essaim.ErrConflict.
func (s *Store) TrustPeer(ctx context.Context, host, key string) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		known, err := tx.peerTrust(ctx, host)
		refused := key != "" && slices.Contains(known.Refused, key)
		switch {
		case err != nil:
			return err
		case !known.Contested() && !refused:
			return fmt.Errorf("its key is not contested: %w", essaim.ErrConflict)
		case key == "" || key != known.Offered && key != known.Current() && !refused:
			return fmt.Errorf("%q is neither the key that holds nor the one that it shows: %w", key, essaim.ErrInvalid)
		}
		now := s.now()
		if key == known.Current() {
			if _, err := tx.exec(ctx, "peer_key_refuse", host, known.Offered, micros(now)); err != nil {
				return err
			}
			return tx.settlePeer(ctx, host, now)
		}
		if _, err := tx.exec(ctx, "peer_key_again", host, key); err != nil {
			return err
		}
		return tx.pinKeys(ctx, host, []essaim.PeerKey{{Key: key, How: essaim.KeyTrusted}}, now)
	})
	if err != nil {
		return fmt.Errorf("trust %s: %w", host, err)
	}
	return nil
}

// ForgetPeerKeys is an administrator's decision about a host that is followed no
// more: it is anybody's, who may delete the copies kept here as well. What was
// kept because of its keys is read again. A host that is followed is
// essaim.ErrConflict, one without keys essaim.ErrNotFound.
func (s *Store) ForgetPeerKeys(ctx context.Context, host string) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		known, err := tx.peerTrust(ctx, host)
		switch {
		case err != nil:
			return err
		case known.Actor != "":
			return fmt.Errorf("it is followed: %w", essaim.ErrConflict)
		}
		n, err := tx.exec(ctx, "peer_key_forget", host)
		if err == nil && n == 0 {
			err = essaim.ErrNotFound
		}
		if err == nil {
			_, err = tx.exec(ctx, "inbox_settle", host, micros(s.now()), "contested:%")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("keys of %s: %w", host, err)
	}
	return nil
}

// KeepsCopy tells whether something of another node is held under an id.
func (s *Store) KeepsCopy(ctx context.Context, id string) (bool, error) {
	kept, err := s.query().found(ctx, "copy_kept", id)
	if err != nil {
		return false, fmt.Errorf("copy of %s: %w", id, err)
	}
	return kept, nil
}
