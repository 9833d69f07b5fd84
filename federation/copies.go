// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"

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
	host, after := r.URL.Query().Get("of"), r.URL.Query().Get("after")
	if !isHost(host) || after != "" && !isKey(after) {
		s.refuse(w, r, http.StatusBadRequest)
		return
	}
	ctx := r.Context()
	st, err := s.store.Standing(ctx, "https://"+host+"/")
	if err != nil || st.Blocked {
		s.failOr(w, r, err, http.StatusNotFound)
		return
	}
	heads, err := s.store.Heads(ctx, host, servedHeads)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	list, more, err := s.store.CopiesAfter(ctx, host, after, commonsPage, commonsBytes)
	if err != nil || len(heads) == 0 && len(list) == 0 {
		s.failOr(w, r, err, http.StatusNotFound)
		return
	}
	body := s.copiesPage(host, after, heads, list, more)
	sum := sha256.Sum256(body)
	w.Header().Set("Vary", "Accept")
	serve(w, r, served{body: body, etag: hex.EncodeToString(sum[:16])})
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

// isKey tells whether a text is a place in a digest tree.
func isKey(s string) bool { return len(s) == 2*sha256.Size && essaim.CommonsPrefix(s) }

func (s *Server) copiesPage(host, after string, heads []essaim.CommonsHead, list []essaim.CommonsCopy, more bool) []byte {
	var b bytes.Buffer
	b.WriteString(`{"@context":["` + activityStreams + `",{"essaim":"` + essaim.Namespace + `"}],"id":` + quote(vocab.CopiesOf(s.base, host, after)) +
		`,"type":"OrderedCollectionPage","essaim:of":` + quote(host))
	if more {
		b.WriteString(`,"next":` + quote(vocab.CopiesOf(s.base, host, list[len(list)-1].Key)))
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
	first := true
	for _, c := range list {
		// What became damaged is never told again.
		if _, exact, err := proof.Digests(c.Bytes); err != nil || exact != c.Digest {
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
