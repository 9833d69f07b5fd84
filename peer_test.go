// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim_test

import (
	"testing"
	"time"

	"essaim"
)

func TestHowAPeerFares(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 12, 10, 0, 0, 0, time.UTC)
	ago := func(days float64) time.Time { return now.Add(-time.Duration(days * 24 * float64(time.Hour))) }
	read := func(reason string, started, checked float64) essaim.CommonsProgress {
		p := essaim.CommonsProgress{Reason: reason, CheckedAt: ago(checked)}
		if started > 0 {
			p.StartedAt = ago(started)
		}
		return p
	}
	followed := essaim.Peer{State: essaim.PeerFollowed, FollowedAt: ago(100), LastReceived: ago(3), LastDelivered: ago(2), Commons: read("", 100, 1)}
	with := func(f func(*essaim.Peer)) essaim.Peer {
		p := followed
		f(&p)
		return p
	}
	for _, c := range []struct {
		name  string
		peer  essaim.Peer
		days  float64 // of silence; 14 when 0
		want  essaim.PeerLife
		since time.Time
	}{
		{"answers", followed, 0, essaim.LifeCurrent, time.Time{}},
		{"publishes nothing for long, and answers", with(func(p *essaim.Peer) { p.LastReceived, p.LastDelivered = ago(90), ago(90) }), 0, essaim.LifeCurrent, time.Time{}},
		{"deliveries fail", with(func(p *essaim.Peer) { p.DownSince = ago(1) }), 0, essaim.LifeLate, ago(1)},
		{"cannot be read", with(func(p *essaim.Peer) { p.Commons = read("503", 100, 5) }), 0, essaim.LifeLate, ago(5)},
		{"neither", with(func(p *essaim.Peer) { p.DownSince, p.Commons = ago(1), read("503", 100, 5) }), 0, essaim.LifeLate, ago(5)},
		{"never had a commons", with(func(p *essaim.Peer) { p.Commons = read("404", 0, 200) }), 0, essaim.LifeCurrent, time.Time{}},
		{"one day less than silent", with(func(p *essaim.Peer) {
			p.LastReceived, p.LastDelivered, p.DownSince, p.Commons = ago(40), ago(13), ago(13), read("503", 100, 20)
		}), 0, essaim.LifeLate, ago(20)},
		{"silent", with(func(p *essaim.Peer) {
			p.LastReceived, p.LastDelivered, p.DownSince, p.Commons = ago(40), ago(14), ago(13), read("503", 100, 20)
		}), 0, essaim.LifeSilent, ago(14)},
		{"silent, by another measure", with(func(p *essaim.Peer) {
			p.DownSince, p.LastReceived, p.LastDelivered, p.Commons = ago(2), ago(3), ago(3), read("", 100, 3)
		}), 3, essaim.LifeSilent, ago(3)},
		{"never answered since it was followed", essaim.Peer{State: essaim.PeerFollowed, FollowedAt: ago(30), DownSince: ago(29)}, 0, essaim.LifeSilent, ago(30)},
		{"still sends", with(func(p *essaim.Peer) {
			p.LastDelivered, p.DownSince, p.Commons, p.LastReceived = ago(40), ago(39), read("503", 100, 40), ago(1)
		}), 0, essaim.LifeLate, ago(40)},
		{"nothing was asked of it", with(func(p *essaim.Peer) {
			p.LastReceived, p.LastDelivered, p.Commons = ago(60), ago(60), read("", 100, 60)
		}), 0, essaim.LifeCurrent, time.Time{}},
		{"contested", with(func(p *essaim.Peer) { p.ContestedAt, p.DownSince = ago(2), ago(50) }), 0, essaim.LifeContested, ago(2)},
		{"gone, and somebody else answers", with(func(p *essaim.Peer) { p.GoneAt, p.ContestedAt = ago(6), ago(2) }), 0, essaim.LifeGone, ago(6)},
		{"not followed", with(func(p *essaim.Peer) { p.State, p.DownSince = essaim.PeerKnown, ago(50) }), 0, "", time.Time{}},
	} {
		life, since := c.peer.Life(now, time.Duration(c.days*24*float64(time.Hour)))
		if life != c.want || !since.Equal(c.since) {
			t.Errorf("%s: %q since %s, want %q since %s", c.name, life, since, c.want, c.since)
		}
	}
}
