// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sync"
	"time"
)

// maxKept bounds the pages kept in memory, in bytes.
const maxKept = 8 << 20

// keptPages holds pages by the digest of everything that they are made of.
// None can be out of date: what is shown is read from the database at each
// visit, and a page made of something else has another name. Only the writing
// of its HTML, by far the most of the work, is spared.
type keptPages struct {
	mu    sync.Mutex
	pages map[pageDigest]keptPage
	size  int
}

type pageDigest [sha256.Size]byte

type keptPage struct {
	body []byte
	etag string
}

// steadyPage is a page whose HTML depends on its language and its own data
// only: not on the time, nor on anything that a template looks up.
type steadyPage interface {
	page
	// steady is all that the template shows, for JSON.
	steady() any
}

// steady leaves out what no record's page shows or what another field says.
func (p *RecordPage) steady() any {
	c := *p
	c.Now, c.Kinds = time.Time{}, nil
	c.Initiative, c.Recipe, c.Venue, c.Organisation, c.Meeting, c.Remake = nil, nil, nil, nil, nil, nil // Record.Body is one of them
	return &c
}

// digestOf names a page by what it is made of, the labels of the node's own themes
// included; false for one that is not kept:
// pages of people who are signed in are theirs alone.
func digestOf(name string, k templateKey, themes string, p page) (d pageDigest, ok bool) {
	sp, ok := p.(steadyPage)
	if !ok || p.base().User != nil {
		return d, false
	}
	h := sha256.New()
	err := json.NewEncoder(h).Encode(struct {
		Template, Lang, Themes string
		Explicit               bool
		Page                   any
	}{name, k.lang, themes, k.explicit, sp.steady()})
	h.Sum(d[:0])
	return d, err == nil
}

func (k *keptPages) get(d pageDigest) (keptPage, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	p, ok := k.pages[d]
	return p, ok
}

func (k *keptPages) put(d pageDigest, p keptPage) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.pages[d]; ok {
		return
	}
	if k.pages == nil {
		k.pages = map[pageDigest]keptPage{}
	}
	k.pages[d] = p
	k.size += len(p.body)
	for old, q := range k.pages {
		if k.size <= maxKept {
			return
		}
		// Any will do: what is asked for often comes back at once.
		if old != d {
			k.size -= len(q.body)
			delete(k.pages, old)
		}
	}
}

// pageTag is the ETag of a page: weak, since it may travel compressed.
func pageTag(body []byte) string {
	sum := sha256.Sum256(body)
	return `W/"` + hex.EncodeToString(sum[:8]) + `"`
}
