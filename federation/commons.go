// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"essaim"
	"essaim/federation/proof"
	"essaim/federation/vocab"
)

// Bounds of what is served of the commons (docs/PROFILE.md).
const (
	commonsPage  = 100       // items of a page
	commonsBytes = 900 << 10 // of a page's documents: below the 1 MB that others read
	headAge      = 24 * time.Hour
)

// CommonsStore knows what this node's commons hold, and the heads signed of them.
type CommonsStore interface {
	// CommonsState is the head as of now, not signed.
	CommonsState(ctx context.Context) (essaim.CommonsHead, error)
	// Incarnation is this node's: another after it got back what it lost.
	Incarnation(ctx context.Context) (int64, error)
	// CommonsNode is a node of the digest tree, with the state of which it is one:
	// of an inner node the children, of a leaf the items.
	CommonsNode(ctx context.Context, prefix string) (essaim.CommonsHead, essaim.CommonsNode, [16]essaim.CommonsNode, []essaim.CommonsItem, error)
	// CommonsAfter lists up to n documents whose latest change is after a number,
	// the oldest change first, and no more than size bytes after the first one.
	CommonsAfter(ctx context.Context, after int64, n, size int) (list []essaim.CommonsDocument, head essaim.CommonsNumber, more bool, err error)
	// CopiesAfter lists up to n documents held of another host below a prefix, in the
	// order of their keys, those after one, and no more than size bytes after the first.
	CopiesAfter(ctx context.Context, host, under, after string, n, size int) (list []essaim.CommonsCopy, more bool, err error)
	// CopyNode is a node of the digest tree of those, with the root of which it is one.
	CopyNode(ctx context.Context, host, prefix string) (root, n essaim.CommonsNode, children [16]essaim.CommonsNode, items []essaim.CommonsItem, err error)
	// Heads lists the latest signed heads of a host, the newest first; of this node
	// for the empty one.
	Heads(ctx context.Context, host string, n int) ([]essaim.CommonsHead, error)
	SaveHead(ctx context.Context, host string, h essaim.CommonsHead) error
}

// head is the signed head as of now: the one signed last while nothing of the
// commons changed, for a day.
func (s *Server) head(ctx context.Context) (essaim.CommonsHead, error) {
	s.signing.Lock()
	defer s.signing.Unlock()
	now, err := s.store.CommonsState(ctx)
	if err != nil {
		return now, err
	}
	held, err := s.store.Heads(ctx, "", 1)
	if err != nil {
		return now, err
	}
	if len(held) > 0 {
		h := held[0]
		if h.Number == now.Number && h.Root == now.Root && s.now().Before(h.At.Add(headAge)) && s.renderer.Signed(h.Document) {
			return h, nil
		}
		// At least a second later: readers compare it.
		now.At = h.At.Add(time.Second)
	}
	if at := s.now().UTC().Truncate(time.Second); at.After(now.At) {
		now.At = at
	}
	if now.Document, err = s.renderer.CommonsHead(now); err != nil {
		return now, err
	}
	return now, s.store.SaveHead(ctx, "", now)
}

// renewHead signs the head when something changed or a day went by, though nobody
// asks for it: what the node said of itself is kept with what it is of.
func (s *Server) renewHead(ctx context.Context) error {
	under, err := s.store.Recovering(ctx)
	if err == nil && !under {
		_, err = s.head(ctx)
	}
	return err
}

// showCommons serves the signed head, or a page of the collection.
func (s *Server) showCommons(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept")
	if r.URL.Query().Has("after") {
		s.showCommonsPage(w, r)
		return
	}
	h, err := s.head(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	serve(w, r, served{body: h.Document, etag: h.Number.String() + "-" + strconv.FormatInt(h.At.Unix(), 10)})
}

// showCommonsPage serves what changed after a number, each item once, at its
// latest change. A number of an earlier incarnation is below all of this one's.
func (s *Server) showCommonsPage(w http.ResponseWriter, r *http.Request) {
	after, err := essaim.ParseCommonsNumber(r.URL.Query().Get("after"))
	if err != nil {
		s.refuse(w, r, http.StatusBadRequest)
		return
	}
	incarnation, err := s.store.Incarnation(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	from := after.N
	if after.Incarnation < incarnation {
		from = 0
	} else if after.Incarnation > incarnation {
		from = maxNumber
	}
	list, head, more, err := s.store.CommonsAfter(r.Context(), from, commonsPage, commonsBytes)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	tag, err := s.commonsTag(r.Context(), after, head)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	serve(w, r, served{body: s.commonsPage(after, list, head, more), etag: tag})
}

// commonsTag names a page: it is a function of the number asked for and the head's.
// The root, once it is signed, tells another history of the same number from it: a
// reader looks at the head then.
func (s *Server) commonsTag(ctx context.Context, after, head essaim.CommonsNumber) (string, error) {
	tag := after.String() + "-" + head.String()
	signed, err := s.store.Heads(ctx, "", 1)
	if err == nil && len(signed) > 0 && signed[0].Number == head {
		tag += fmt.Sprintf("-%.16s", signed[0].Root)
	}
	return tag, err
}

// maxNumber is behind every change.
const maxNumber = 1<<63 - 1

func (s *Server) commonsPage(after essaim.CommonsNumber, list []essaim.CommonsDocument, head essaim.CommonsNumber, more bool) []byte {
	cursor := head
	if more {
		cursor = essaim.CommonsNumber{Incarnation: head.Incarnation, N: list[len(list)-1].Number}
	} else if after.Compare(head) > 0 {
		cursor = after
	}
	var b bytes.Buffer
	b.WriteString(`{"@context":["` + activityStreams + `",{"essaim":"` + essaim.Namespace + `"}],"id":` + quote(vocab.CommonsAfter(s.base, after)) +
		`,"type":"OrderedCollectionPage","partOf":` + quote(vocab.Commons(s.base)))
	if more {
		b.WriteString(`,"next":` + quote(vocab.CommonsAfter(s.base, cursor)))
	}
	b.WriteString(`,"essaim:head":"` + head.String() + `","essaim:cursor":"` + cursor.String() + `","orderedItems":[`)
	first, reader := true, proof.Reader{}
	for _, d := range list {
		// What is damaged is never told; a comparison finds it once it is mended.
		if whole(&reader, Stored{Bytes: d.Bytes, Digest: d.Digest}) != nil {
			s.rescuer.Tell(d.ID)
			continue
		}
		if !first {
			b.WriteByte(',')
		}
		first = false
		b.Write(d.Bytes)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

// showDigests serves a node of the digest tree: the hashes of the children of an
// inner one, the lines of a leaf.
func (s *Server) showDigests(w http.ResponseWriter, r *http.Request) {
	prefix := chi.URLParam(r, "prefix")
	if !essaim.CommonsPrefix(prefix) {
		s.refuse(w, r, http.StatusNotFound)
		return
	}
	h, n, children, items, err := s.store.CommonsNode(r.Context(), prefix)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Vary", "Accept")
	of := `"partOf":` + quote(vocab.Commons(s.base)) + `,"essaim:head":"` + h.Number.String() + `"`
	serve(w, r, served{body: digestNode(vocab.CommonsDigests(s.base, prefix), of, prefix, h.Root, n, children, items), etag: prefix + "-" + h.Number.String()})
}

// digestNode writes a node of a tree: id and of say which, root is the tree's.
func digestNode(id, of, prefix string, root essaim.Digest, n essaim.CommonsNode, children [16]essaim.CommonsNode, items []essaim.CommonsItem) []byte {
	var b bytes.Buffer
	b.WriteString(`{"@context":["` + activityStreams + `",{"essaim":"` + essaim.Namespace + `"}],"id":` + quote(id) + `,"type":"Collection",` + of +
		`,"essaim:root":"` + root.String() + `","essaim:prefix":"` + prefix + `","essaim:hash":"` + n.Hash.String() +
		`","totalItems":` + strconv.Itoa(n.Count))
	if !n.Leaf() {
		b.WriteString(`,"essaim:children":[`)
		for i, c := range children {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(`"` + c.Hash.String() + `"`)
		}
		b.WriteString(`]}`)
		return b.Bytes()
	}
	b.WriteString(`,"essaim:lines":[`)
	for i, it := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"id":` + quote(it.ID) + `,"essaim:copyDigest":"` + it.Digest + `"}`)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}
