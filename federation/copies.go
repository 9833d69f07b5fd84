// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"essaim"
	"essaim/federation/proof"
	"essaim/federation/vocab"
)

// servedHeads is how many heads of another node are shown with its copies.
const servedHeads = 2

// showCopies serves what this node holds of another, byte for byte, in the order
// of the digest tree, with the latest heads that it knows of it: what is left when
// its origin is away. A host of which nothing is held is 404, as is one that is
// blocked.
func (s *Server) showCopies(w http.ResponseWriter, r *http.Request) {
	q, ctx := r.URL.Query(), r.Context()
	after, under := q.Get("after"), q.Get("under")
	if after != "" && !isKey(after) || !essaim.CommonsPrefix(under) {
		s.refuse(w, r, http.StatusBadRequest)
		return
	}
	host, ok := s.copiedHost(w, r)
	if !ok {
		return
	}
	heads, err := s.store.Heads(ctx, host, servedHeads)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	list, more, err := s.store.CopiesAfter(ctx, host, under, after, commonsPage, commonsBytes)
	if err != nil || len(heads) == 0 && len(list) == 0 {
		s.failOr(w, r, err, http.StatusNotFound)
		return
	}
	body := s.copiesPage(host, under, after, heads, list, more)
	sum := sha256.Sum256(body)
	w.Header().Set("Vary", "Accept")
	serve(w, r, served{body: body, etag: hex.EncodeToString(sum[:16])})
}

// showCopyDigests serves a node of the digest tree of what this node holds of
// another.
func (s *Server) showCopyDigests(w http.ResponseWriter, r *http.Request) {
	prefix := chi.URLParam(r, "prefix")
	if !essaim.CommonsPrefix(prefix) {
		s.refuse(w, r, http.StatusNotFound)
		return
	}
	host, ok := s.copiedHost(w, r)
	if !ok {
		return
	}
	root, n, children, items, err := s.store.CopyNode(r.Context(), host, prefix)
	if err != nil || root.Count == 0 {
		s.failOr(w, r, err, http.StatusNotFound)
		return
	}
	w.Header().Set("Vary", "Accept")
	body := digestNode(vocab.CopyDigests(s.base, host, prefix), `"essaim:of":`+quote(host), prefix, root.Hash, n, children, items)
	serve(w, r, served{body: body, etag: prefix + "-" + n.Hash.String() + "-" + root.Hash.String()})
}

// copiedHost is the host whose copies are asked for; it answers itself when there
// is none, or the node deals with it no more.
func (s *Server) copiedHost(w http.ResponseWriter, r *http.Request) (string, bool) {
	host := r.URL.Query().Get("of")
	if !isHost(host) {
		s.refuse(w, r, http.StatusBadRequest)
		return "", false
	}
	st, err := s.store.Standing(r.Context(), "https://"+host+"/")
	if err != nil || st.Blocked {
		s.failOr(w, r, err, http.StatusNotFound)
		return "", false
	}
	return host, true
}

// failOr answers an error or, when there is none, a status.
func (s *Server) failOr(w http.ResponseWriter, r *http.Request, err error, status int) {
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.refuse(w, r, status)
}

// isHost tells whether a text is the host of an origin as it is written here.
func isHost(s string) bool {
	iri, err := essaim.ParseIRI("https://" + s + "/")
	return err == nil && iri.Host() == s
}

// keyDigits is how long a place in a digest tree is.
const keyDigits = 2 * sha256.Size

// isKey tells whether a text is a place in a digest tree.
func isKey(s string) bool { return len(s) == keyDigits && essaim.CommonsPrefix(s) }

// keyBefore is the place before another; empty for the first, which stands behind
// nothing.
func keyBefore(key string) string {
	digits := []byte(key)
	for i := len(digits) - 1; i >= 0; i-- {
		if at := strings.IndexByte(essaim.CommonsDigits, digits[i]); at > 0 {
			digits[i] = essaim.CommonsDigits[at-1]
			return string(digits)
		}
		digits[i] = 'f'
	}
	return ""
}

func (s *Server) copiesPage(host, under, after string, heads []essaim.CommonsHead, list []essaim.CommonsCopy, more bool) []byte {
	var b bytes.Buffer
	b.WriteString(`{"@context":["` + activityStreams + `",{"essaim":"` + essaim.Namespace + `"}],"id":` + quote(vocab.CopiesOf(s.base, host, under, after)) +
		`,"type":"OrderedCollectionPage","partOf":` + quote(vocab.CopiesOf(s.base, host, "", "")) + `,"essaim:of":` + quote(host))
	if more {
		b.WriteString(`,"next":` + quote(vocab.CopiesOf(s.base, host, under, list[len(list)-1].Key)))
	}
	b.WriteString(`,"essaim:heads":[`)
	for i, h := range heads {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(h.Document)
	}
	b.WriteByte(']')
	if len(list) > 0 {
		b.WriteString(`,"essaim:cursor":"` + list[len(list)-1].Key + `"`)
	}
	b.WriteString(`,"orderedItems":[`)
	first, reader := true, proof.Reader{}
	for _, c := range list {
		// What became damaged is never told again.
		if exact, err := reader.Of(c.Bytes).Digest(); err != nil || exact != c.Digest {
			continue
		}
		if !first {
			b.WriteByte(',')
		}
		first = false
		b.Write(c.Bytes)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}
