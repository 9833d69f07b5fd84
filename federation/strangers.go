// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"

	"essaim"
)

// Bounds of what requests that nobody signed yet may make us ask: whoever names
// a key makes us fetch it, so that thousands of names would turn us against
// their host. The client pays first, so that no address alone can use up what a
// host is asked for others. A fetch that led to a signature that holds is given
// back. All of it is in memory: a restart gives everyone a full minute again.
const (
	strangersPerAddress = 40  // fetches a minute that one client makes us do
	strangersPerHost    = 120 // fetches a minute, whoever makes us
	hostsPerSite        = 60  // hosts never asked before below one domain, a minute
	maxBudgets          = 20_000
)

// errTooMany is why a key is not fetched for now. It is answered 429.
var errTooMany = fmt.Errorf("too many keys are asked for: %w", essaim.ErrUnavailable)

// stranger is who sent a request whose signature is not checked yet, and what
// it made us spend.
type stranger struct {
	address string // empty when it is not known

	mu        sync.Mutex
	addresses int
	hosts     []string
}

type strangerKey struct{}

// asStranger returns a context in which keys are fetched on the account of an
// address. One of this machine or its network pays nothing: it is a proxy that
// was not declared, and speaks for everybody.
func asStranger(ctx context.Context, from netip.Prefix) context.Context {
	s := &stranger{}
	if a := from.Addr(); from.IsValid() && !a.IsLoopback() && !a.IsPrivate() && !a.IsLinkLocalUnicast() {
		s.address = from.String()
	}
	return context.WithValue(ctx, strangerKey{}, s)
}

func strangerIn(ctx context.Context) *stranger {
	if s, ok := ctx.Value(strangerKey{}).(*stranger); ok {
		return s
	}
	return &stranger{}
}

// paidBy takes one fetch from what an address has, if one is known.
func (b *budget) paidBy(s *stranger) bool {
	if s.address == "" {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bound()
	if !b.take(s.address, 1, strangersPerAddress) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addresses++
	return true
}

// asked notes that a host was asked for it.
func (s *stranger) asked(host string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hosts = append(s.hosts, host)
}

// settle empties the account of who proved to be no stranger, and tells what it
// had spent.
func (s *stranger) settle() (addresses int, hosts []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	addresses, hosts = s.addresses, s.hosts
	s.addresses, s.hosts = 0, nil
	return addresses, hosts
}

// budget gives each host a number of fetches a minute, in a bucket that fills
// again evenly.
type budget struct {
	now func() time.Time

	mu      sync.Mutex
	buckets map[string]bucket // by host, and by "." and site
}

type bucket struct {
	left float64
	at   time.Time
}

// spend takes one fetch from a host's budget, and for a host not asked lately
// from that of its site; false when there is none left.
func (b *budget) spend(host string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bound()
	if _, known := b.buckets[host]; !known && !b.take("."+site(host), 1, hostsPerSite) {
		return false
	}
	return b.take(host, 1, strangersPerHost)
}

// spendSite takes a cost of so much a minute from what the hosts of one site share.
func (b *budget) spendSite(host string, cost, perMinute float64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bound()
	return b.take("."+site(host), cost, perMinute)
}

// bound forgets all when there is too much of it, which gives a little more to
// each: the bound in memory matters more.
func (b *budget) bound() {
	if len(b.buckets) >= maxBudgets || b.buckets == nil {
		b.buckets = make(map[string]bucket)
	}
}

// siteSpent tells whether a site has nothing left, and takes nothing.
func (b *budget) siteSpent(host string, perMinute float64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	k, ok := b.buckets["."+site(host)]
	return ok && k.left+b.now().Sub(k.at).Minutes()*perMinute < 1
}

func (b *budget) take(key string, cost, perMinute float64) bool {
	now := b.now()
	k, ok := b.buckets[key]
	if !ok {
		k = bucket{left: perMinute, at: now}
	}
	k.left = min(perMinute, k.left+now.Sub(k.at).Minutes()*perMinute)
	k.at = now
	defer func() { b.buckets[key] = k }()
	if k.left < 1 {
		return false
	}
	k.left -= cost // below nothing, so that what is large is let through once and paid for
	return true
}

// refund gives back what fetches for a signature took that holds.
func (b *budget) refund(key string, fetches int, perMinute float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if k, ok := b.buckets[key]; ok {
		k.left = min(perMinute, k.left+float64(fetches))
		b.buckets[key] = k
	}
}

// site is the domain that a host's neighbours share, below a public suffix: those
// who rent a name below one are not each other's neighbours. An address is its own.
func site(host string) string {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if net.ParseIP(strings.Trim(name, "[]")) != nil {
		return host
	}
	domain, err := publicsuffix.EffectiveTLDPlusOne(name)
	if err != nil { // a suffix itself
		return name
	}
	return domain
}
