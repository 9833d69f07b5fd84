// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"essaim"
	"essaim/federation/fetch"
	"essaim/federation/sig"
	"essaim/federation/vocab"
)

// newClient makes the one client through which the node asks and sends. Every
// GET is signed as the node's own actor: GoToSocial and Mastodon's secure mode
// ask for it.
func (s *Server) newClient(c Config) (*fetch.Client, error) {
	c.Version, c.Now = s.version, s.now
	return newClient(c, s.base, s.refused)
}

func newClient(c Config, base string, refuse func(ctx context.Context, address string) error) (*fetch.Client, error) {
	key := sig.SigningKey{ID: vocab.KeyID(base + "/actor"), Private: c.Keys.RSA}
	return fetch.New(fetch.Config{
		UserAgent:    "Essaim/" + c.Version + " (+" + base + "/)",
		AllowPrivate: c.AllowPrivate,
		Sign:         func(r *http.Request, body []byte) error { return sig.Sign(r, body, key, sig.Cavage, c.Now()) },
		SignOther:    func(r *http.Request, body []byte) error { return sig.Sign(r, body, key, sig.RFC9421, c.Now()) },
		Refuse:       refuse,
		Now:          func() time.Time { return c.Now() },
		Transport:    c.Transport,
	})
}

// deletionsOf marks a context in which a host is asked what it deleted, blocked or
// not.
type deletionsOf struct{}

// askedToForget lets requests to a host be made under ctx though it is blocked; to
// none when it is empty.
func askedToForget(ctx context.Context, host string) context.Context {
	return context.WithValue(ctx, deletionsOf{}, host)
}

// errUnsure means that our own database did not tell whether an address is blocked:
// nothing was sent, and nothing is known of its host.
var errUnsure = fmt.Errorf("not known whether it is blocked: %w", essaim.ErrUnavailable)

// refused keeps requests from hosts and actors that are blocked: nothing is
// sent there nor fetched, whoever names an address on them, but what they deleted
// (docs/adr/0016-a-block-keeps-deletions.md).
func (s *Server) refused(ctx context.Context, address string) error {
	if host, _ := ctx.Value(deletionsOf{}).(string); host != "" {
		if iri, err := essaim.ParseIRI(address); err == nil && iri.Host() == host {
			return nil
		}
	}
	st, err := s.store.Standing(ctx, address)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errUnsure, err)
	case st.Blocked:
		return fmt.Errorf("blocked: %w", fetch.ErrAddress)
	}
	return nil
}
