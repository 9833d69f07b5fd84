// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"essaim"
	"essaim/federation/proof"
	"essaim/federation/wire"
)

// commonsTerms are those of the state collection (docs/PROFILE.md) and of its
// order (FEP-1985).
const commonsTerms = `{"essaim":"` + essaim.Namespace + `","orderType":"https://w3id.org/fep/1985/orderType"}`

var commonsContext = json.RawMessage(`["` + activityStreams + `","` + proof.ContextURL + `",` + commonsTerms + `]`)

// forward is the order of the state collection (FEP-1985): an item stands where
// its latest change put it.
const forward = "ForwardChronological"

// commonsHead is the state collection, signed: how far it is, how large, and the
// root of its digest tree.
type commonsHead struct {
	Context      json.RawMessage `json:"@context"`
	ID           iri             `json:"id"`
	Type         text            `json:"type"`
	AttributedTo iri             `json:"attributedTo"`
	OrderType    text            `json:"orderType"`
	TotalItems   int             `json:"totalItems"`
	First        iri             `json:"first"`
	Incarnation  int64           `json:"essaim:incarnation"`
	N            int64           `json:"essaim:n"`
	Count        int             `json:"essaim:count"`
	Root         text            `json:"essaim:root"`
	At           moment          `json:"essaim:at"`
	Tree         iri             `json:"essaim:digests"`
}

// Commons is the id of a node's state collection, by the node's base address.
func Commons(base string) string { return base + "/commons" }

// CommonsAfter is the address of the page of what changed after a number.
func CommonsAfter(base string, n essaim.CommonsNumber) string {
	return Commons(base) + "?after=" + n.String()
}

// CopiesOf is the address of a page of the copies that a node holds of a host:
// those below a prefix of the digest tree, behind a key; all of them for none.
func CopiesOf(base, host, under, after string) string {
	address := Commons(base) + "/copies?of=" + url.QueryEscape(host)
	if under != "" {
		address += "&under=" + under
	}
	if after != "" {
		address += "&after=" + after
	}
	return address
}

// CopyDigests is the address of a node of the digest tree of those copies.
func CopyDigests(base, host, prefix string) string {
	return digestAddress(Commons(base)+"/copies", prefix) + "?of=" + url.QueryEscape(host)
}

// CommonsDigests is the address of a node of a commons' own digest tree.
func CommonsDigests(base, prefix string) string { return digestAddress(Commons(base), prefix) }

func digestAddress(of, prefix string) string {
	if prefix == "" {
		return of + "/digest"
	}
	return of + "/digest/" + prefix
}

// CommonsHead signs a head of this node.
func (r *Renderer) CommonsHead(h essaim.CommonsHead) ([]byte, error) {
	doc, err := encode(commonsHead{
		Context: commonsContext, ID: iri(Commons(r.base)), Type: "OrderedCollection", AttributedTo: iri(r.NodeActor()),
		OrderType: forward, TotalItems: h.Count, First: iri(CommonsAfter(r.base, essaim.CommonsNumber{})),
		Incarnation: h.Number.Incarnation, N: h.Number.N, Count: h.Count, Root: text(h.Root.String()), At: utc(h.At),
		Tree: iri(Commons(r.base) + "/digest"),
	})
	if err != nil {
		return nil, err
	}
	out, err := r.sign(doc, r.NodeActor(), h.At)
	return out.Bytes, err
}

// CommonsActor is the essaim.ActorFunc of this node.
func (r *Renderer) CommonsActor(a essaim.LocalActor) (out essaim.Rendered, err error) {
	if a.Gone {
		out.Document, err = r.Farewell(a.ID, FormerType(a.Kind), a.UpdatedAt)
	} else {
		out.Document, err = r.Actor(a, false)
	}
	if err == nil {
		out.ContentDigest, out.CopyDigest, err = proof.Digests(out.Document)
	}
	return out, err
}

// ReadCommonsHead reads a head that passed the gate. Its proof, and whose it is,
// are for the caller to check.
func ReadCommonsHead(v wire.Value) (h essaim.CommonsHead, err error) {
	ints := map[string]*int64{"essaim:incarnation": &h.Number.Incarnation, "essaim:n": &h.Number.N}
	for name, into := range ints {
		if err := json.Unmarshal(v.Get(name).Raw(), into); err != nil || *into < 0 {
			return h, fmt.Errorf("head: %s: %w", name, essaim.ErrInvalid)
		}
	}
	if err := json.Unmarshal(v.Get("essaim:count").Raw(), &h.Count); err != nil || h.Count < 0 {
		return h, fmt.Errorf("head: count: %w", essaim.ErrInvalid)
	}
	root, _ := v.Get("essaim:root").Text()
	if h.Root, err = essaim.ParseDigest(root); err != nil || root == "" {
		return h, fmt.Errorf("head: root: %w", essaim.ErrInvalid)
	}
	at, ok := v.Get("essaim:at").Time()
	if !ok {
		return h, fmt.Errorf("head: at: %w", essaim.ErrInvalid)
	}
	h.At, h.Document = at.UTC().Truncate(time.Microsecond), append([]byte(nil), v.Raw()...)
	return h, nil
}
