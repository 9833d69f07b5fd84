// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"time"

	"essaim"
)

// Standing is nobody's in particular, but for who is blocked.
func (s *shelf) Standing(_ context.Context, actor string) (essaim.Standing, error) {
	return essaim.Standing{Blocked: s.blocked[actor]}, s.err
}

func (s *shelf) PeerTrust(_ context.Context, host string) (essaim.PeerTrust, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trust[host], nil
}

func (s *shelf) ContestPeer(_ context.Context, host, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.trust[host]
	known.Offered, known.ContestedAt = key, time.Unix(1, 0)
	s.trust[host] = known
	return nil
}
