// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"time"

	"essaim"
)

// Relations by which a server says where its people follow somebody.
const (
	relFollow    = "https://w3id.org/fep/3b86/Follow" // FEP-3b86 4
	relSubscribe = "http://ostatus.org/schema/1.0/subscribe"
	relObject    = "https://w3id.org/fep/3b86/Object" // Mastodon offers it without the first
)

// visitorTime is how long a person waits for her own server.
const visitorTime = 8 * time.Second

// FollowAddress is where the person of an account elsewhere follows a local
// actor: a page of her own server, over https and on its host. account is what
// she typed. Errors wrap essaim.ErrInvalid (no handle), ErrUnavailable (her
// server does not answer) or ErrNotFound (it knows no such account or has no
// such page). Nothing of it is kept.
func (s *Server) FollowAddress(ctx context.Context, account, actor string) (string, error) {
	h, err := essaim.ParseHandle(account)
	if err != nil {
		return "", err
	}
	if s.isHost(h.Host) {
		return "", fmt.Errorf("%s is here: %w", h, essaim.ErrNotFound)
	}
	ctx, cancel := context.WithTimeout(ctx, visitorTime)
	defer cancel()
	resources := []string{"acct:" + h.User + "@" + h.Host}
	if h.User == "" {
		// A server as a whole: FEP-d556, else the actor that bears its name.
		resources = []string{"https://" + h.Host + "/", "acct:" + h.Host + "@" + h.Host}
	}
	for _, resource := range resources {
		if !s.visitors.spend(h.Host) {
			return "", fmt.Errorf("too many ask %s through us: %w", h.Host, essaim.ErrUnavailable)
		}
		jrd, found := s.client.WebFinger(ctx, h.Host, resource)
		if err = found; errors.Is(err, essaim.ErrUnavailable) {
			return "", err
		}
		if template, ok := s.client.Template(h.Host, jrd, relFollow, relSubscribe, relObject); ok {
			return expand(template, actor), nil
		}
	}
	return "", fmt.Errorf("%s offers no page to follow from: %w", h.Host, errors.Join(essaim.ErrNotFound, err))
}

// variable is a part of a link template (RFC 6570, level 1).
var variable = regexp.MustCompile(`\{[^{}]*\}`)

// expand puts an object's id into a template; what it does not know becomes
// empty (FEP-3b86 3.2).
func expand(template, object string) string {
	return variable.ReplaceAllStringFunc(template, func(name string) string {
		if name == "{uri}" || name == "{object}" {
			return url.QueryEscape(object)
		}
		return ""
	})
}
