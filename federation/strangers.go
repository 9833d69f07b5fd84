// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"

	"essaim"
)

// Bounds of what requests that nobody signed yet may make us ask: whoever names
// a key makes us fetch it, so that thousands of names would turn us against
// their host. A fetch that led to a signature that holds is given back.
const (
	strangersPerHost = 120 // fetches a minute
	hostsPerSite     = 60  // hosts never asked before below one domain, a minute
	maxBudgets       = 20_000
)

// errTooMany is why a key is not fetched for now. It is answered 429.
var errTooMany = fmt.Errorf("too many keys of this host are asked for: %w", essaim.ErrUnavailable)

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
	if len(b.buckets) >= maxBudgets || b.buckets == nil {
		// Forgetting gives a little more to each: the bound in memory matters more.
		b.buckets = make(map[string]bucket)
	}
	if _, known := b.buckets[host]; !known && !b.take("."+site(host), 1, hostsPerSite) {
		return false
	}
	return b.take(host, 1, strangersPerHost)
}

// spendSite takes a cost of so much a minute from what the hosts of one site share.
func (b *budget) spendSite(host string, cost, perMinute float64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.buckets) >= maxBudgets || b.buckets == nil {
		b.buckets = make(map[string]bucket)
	}
	return b.take("."+site(host), cost, perMinute)
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

// refund gives back what the fetch for a signature took that holds.
func (b *budget) refund(host string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if k, ok := b.buckets[host]; ok {
		k.left = min(strangersPerHost, k.left+1)
		b.buckets[host] = k
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
