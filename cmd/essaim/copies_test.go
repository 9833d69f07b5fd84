// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/federation"
	"essaim/federation/fedtest"
	"essaim/federation/fetch"
	"essaim/federation/proof"
	"essaim/federation/vocab"
	"essaim/store/storetest"
)

// copiesPage is a page of copies as a stranger reads it.
type copiesPage struct {
	ID, Type, Next string
	Of             string            `json:"essaim:of"`
	Cursor         string            `json:"essaim:cursor"`
	Heads          []json.RawMessage `json:"essaim:heads"`
	Items          []json.RawMessage `json:"orderedItems"`
}

// copiesOf reads what a node holds of a host as any reader does.
func (n *commonsNode) copiesOf(t testing.TB, host string) (items, heads []json.RawMessage, pages int) {
	t.Helper()
	for next := n.base + "/commons/copies?of=" + host; next != ""; pages++ {
		status, _, body := n.get(t, next, "")
		var p copiesPage
		if err := json.Unmarshal(body, &p); status != http.StatusOK || err != nil || len(body) >= 1<<20 {
			t.Fatalf("%s: status %d, %d bytes, %v", next, status, len(body), err)
		}
		if p.ID != next || p.Type != "OrderedCollectionPage" || p.Of != host || len(p.Items) > 100 {
			t.Errorf("page %s of %s with %d items at %s", p.ID, p.Of, len(p.Items), next)
		}
		items, heads, next = append(items, p.Items...), p.Heads, p.Next
	}
	return items, heads, pages
}

// changer asks a network as the client of a node does.
type changer struct{ network http.RoundTripper }

func (c changer) Changed(ctx context.Context, address, _ string) (a fetch.Answer, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return a, err
	}
	r.Header.Set("Accept", vocab.ContentType)
	answer, err := c.network.RoundTrip(r)
	if err != nil {
		return a, err
	}
	defer answer.Body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(answer.Body)
	if answer.StatusCode != http.StatusOK {
		return a, fmt.Errorf("status %d: %w", answer.StatusCode, essaim.ErrNotFound)
	}
	return fetch.Answer{Body: b.Bytes()}, err
}

// toulonsCopies is how the copies that the second node of a pair holds of the first
// are read.
func (p *pair) toulonsCopies(t testing.TB) federation.CopiesOf {
	t.Helper()
	origin, err := essaim.ParseIRI(p.brest.base + "/actor")
	if err != nil {
		t.Fatal(err)
	}
	return federation.CopiesOf{
		Client: changer{p.network}, Holder: p.toulon.base, Origin: origin,
		Keys: []essaim.PeerKey{{Key: proof.EncodeMultikey(p.brest.key)}}, Now: func() time.Time { return storetest.Start },
	}
}

// readCopies reads them all.
func readCopies(t testing.TB, c federation.CopiesOf) (all essaim.CopiesPage) {
	t.Helper()
	err := federation.ReadCopies(t.Context(), c, func(_ context.Context, page essaim.CopiesPage) error {
		all.Copies, all.Refused = append(all.Copies, page.Copies...), append(all.Refused, page.Refused...)
		all.Heads, all.Cursor, all.Held, all.More = page.Heads, page.Cursor, all.Held+page.Held, page.More
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWhatIsHeldOfAnotherNodeIsServedAgainByteForByte(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p := newPair(t, db)
		ids := p.stock(t)
		p.follow(t)
		p.catchUp(t)
		h, head := p.brest.readHead(t)
		want, _ := p.brest.crawl(t, h.First)
		items, heads, pages := p.toulon.copiesOf(t, brestHost)
		slices.SortFunc(want, func(a, b json.RawMessage) int {
			return strings.Compare(essaim.CommonsKey(vocab.ID(a)), essaim.CommonsKey(vocab.ID(b)))
		})
		if !slices.EqualFunc(items, want, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) }) || pages != 3 {
			t.Errorf("%d copies in %d pages, want the %d documents in the order of their keys", len(items), pages, len(want))
		}
		if len(heads) != 1 || !bytes.Equal(heads[0], head) {
			t.Errorf("heads %s, want %s", heads, head)
		}
		// One of them, and the tree of all: it is that of the head.
		var one copiesPage
		if _, _, body := p.toulon.get(t, p.toulon.base+"/commons/copies?of="+brestHost+"&under="+essaim.CommonsKey(ids[9]), ""); json.Unmarshal(body, &one) != nil || len(one.Items) != 1 || vocab.ID(one.Items[0]) != ids[9] {
			t.Errorf("under one key: %+v", one)
		}
		var tree struct {
			Root     string   `json:"essaim:root"`
			Children []string `json:"essaim:children"`
		}
		if _, _, body := p.toulon.get(t, p.toulon.base+"/commons/copies/digest?of="+brestHost, ""); json.Unmarshal(body, &tree) != nil || tree.Root != h.Root || len(tree.Children) != 16 {
			t.Errorf("tree %+v, want the root %s of the head", tree, h.Root)
		}
		// The second head follows a change.
		p.brest.publish(t, "Une de plus")
		p.catchUp(t)
		if _, heads, _ = p.toulon.copiesOf(t, brestHost); len(heads) != 2 || !bytes.Equal(heads[1], head) {
			t.Errorf("%d heads after a change, want the latest and the one before", len(heads))
		}
		first := p.toulon.base + "/commons/copies?of=" + brestHost
		_, tag, _ := p.toulon.get(t, first, "")
		if status, _, body := p.toulon.get(t, first, tag); status != http.StatusNotModified || len(body) > 0 {
			t.Errorf("asked again: %d with %d bytes", status, len(body))
		}
		for address, want := range map[string]int{
			"?of=": 400, "": 400, "?of=Brest.example": 400, "?of=brest.example/x": 400, "?of=brest.example&after=zz": 400,
			"?of=brest.example&after=abc": 400, "?of=inconnu.example": 404, "?of=toulon.example": 404,
			"?of=brest.example&under=g": 400, "/digest": 400, "/digest?of=inconnu.example": 404, "/digest/g?of=brest.example": 404, "/digest/ab?of=brest.example": 200,
		} {
			if status, _, _ := p.toulon.get(t, p.toulon.base+"/commons/copies"+address, ""); status != want {
				t.Errorf("%q: %d, want %d", address, status, want)
			}
		}
		// What became damaged is left out, whatever the column says.
		p.damage(t, db, "UPDATE record SET document = $2 WHERE id = $1", ids[3], []byte(`{"id":"damaged"}`))
		p.damage(t, db, "UPDATE record SET document = $2 WHERE id = $1", ids[4], []byte{0xff, 0x00})
		if items, _, _ = p.toulon.copiesOf(t, brestHost); len(items) != len(want)+1-2 {
			t.Errorf("%d copies of %d, two of which are damaged", len(items), len(want)+1)
		}
		if _, err := p.toulon.AddMeasure(t.Context(), essaim.Measure{Scope: essaim.MeasureHost, Value: brestHost, Level: essaim.LevelBlock}, 0); err != nil {
			t.Fatal(err)
		}
		if status, _, _ := p.toulon.get(t, first, ""); status != http.StatusNotFound {
			t.Errorf("of a blocked host: %d", status)
		}
	})
}

func TestCopiesAreReadFromAThirdNodeByTheKeyOfTheirOrigin(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p := newPair(t, db)
		edited, gone := p.brest.publish(t, "Une").ID, p.brest.publish(t, "Retirée").ID
		for i := range 130 {
			p.brest.publish(t, fmt.Sprint("Fiche ", i))
		}
		p.follow(t)
		p.catchUp(t)
		third := newCommonsNode(t, storetest.SQLite(t), "tourcoing", p.network)
		c := p.toulonsCopies(t)
		c.Standing = third.HeldCopies
		all := readCopies(t, c)
		sorts := map[essaim.CopySort]int{}
		for _, v := range all.Copies {
			sorts[v.Sort]++
			want, err := p.toulon.Document(t.Context(), v.ID)
			if v.Sort == essaim.CopyRecord && (err != nil || !bytes.Equal(want, v.Document) || v.Version.Revision != 1 || v.Version.Incarnation == 0 || v.Updated.IsZero()) {
				t.Errorf("%s: %+v, %v", v.ID, v.Version, err)
			}
		}
		if sorts[essaim.CopyRecord] != 132 || sorts[essaim.CopyActor] != 1 || len(all.Refused) != 0 || all.More || len(all.Heads) != 1 {
			t.Errorf("read %v, refused %v, %d heads", sorts, all.Refused, len(all.Heads))
		}
		// Who holds as much wants nothing of it; nothing older than what it holds,
		// and nothing that was deleted.
		c.Standing = p.toulon.HeldCopies
		if again := readCopies(t, c); len(again.Copies) != 0 || again.Held != 133 {
			t.Errorf("%d copies for who holds them, %d held", len(again.Copies), again.Held)
		}
		p.brest.moved.Add(1 << 40)
		if _, err := p.brest.UpdateRecord(t.Context(), edited, 0, storetest.Initiative("Revue"), essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		if err := p.brest.WithdrawRecord(t.Context(), gone, storetest.Author); err != nil {
			t.Fatal(err)
		}
		c.Standing = p.brest.HeldCopies
		if older := readCopies(t, c); len(older.Copies) != 0 {
			t.Errorf("%d copies for who is ahead: %s", len(older.Copies), older.Copies[0].ID)
		}
		// What is damaged is wanted.
		p.damage(t, db, "UPDATE commons SET digest = $2 WHERE id = $1", edited, strings.Repeat("0", 64))
		held, err := p.toulon.HeldCopies(t.Context(), []string{edited, "https://brest.example/objects/inconnu"})
		if err != nil || len(held) != 1 || held[edited].CopyDigest != "" || held[edited].Version.Revision != 1 {
			t.Errorf("held %+v, %v", held, err)
		}
		c = p.toulonsCopies(t)
		c.Keys = nil
		if err := federation.ReadCopies(t.Context(), c, nil); !errors.Is(err, essaim.ErrForbidden) {
			t.Errorf("without a key: %v", err)
		}
		c = p.toulonsCopies(t)
		c.Holder = third.base
		if err := federation.ReadCopies(t.Context(), c, nil); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("from who holds nothing: %v", err)
		}
	})
}

// rewritten answers the pages of copies as another would.
func (p *pair) rewritten(t testing.TB, change func(page object)) {
	t.Helper()
	p.network.Serve("toulon.example", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _, body := p.toulon.get(t, p.toulon.base+r.URL.RequestURI(), "")
		page := decode(t, body)
		change(page)
		w.Header().Set("Content-Type", vocab.ContentType)
		_, _ = w.Write(encodeObject(page))
	}))
}

func TestWhoIsAskedForCopiesIsBelievedInNothing(t *testing.T) {
	t.Parallel()
	p := newPair(t, storetest.SQLite(t))
	for i := range 130 {
		p.brest.publish(t, fmt.Sprint("Fiche ", i))
	}
	p.follow(t)
	p.catchUp(t)
	mallory := fedtest.Ed25519("mallory.example")
	resigned := func(doc object, as string) object { return decode(t, signed(t, doc, mallory, as)) }
	items := func(page object) []any { return page["orderedItems"].([]any) }
	first := func(page object) object { return items(page)[0].(object) }
	method := func(doc object) string {
		return doc["proof"].(object)["verificationMethod"].(string)
	}
	for _, c := range []struct {
		name    string
		change  func(page object)
		copies  int
		refused int
		heads   int
		fails   bool
	}{
		{"as it is", func(object) {}, 131, 0, 1, false},
		{"a text changed", func(m object) { first(m)["name"] = "Autre" }, 129, 2, 1, false},
		{"signed by another in its name", func(m object) { items(m)[0] = resigned(first(m), method(first(m))) }, 129, 2, 1, false},
		{"signed by another in his own", func(m object) {
			items(m)[0] = resigned(first(m), "https://mallory.example/actor#k")
		}, 129, 2, 1, false},
		{"without proof", func(m object) { delete(first(m), "proof") }, 129, 2, 1, false},
		{"of another origin", func(m object) { first(m)["id"] = "https://mallory.example/objects/1" }, 129, 2, 1, false},
		{"attributed to another", func(m object) { first(m)["attributedTo"] = "https://mallory.example/actor" }, 129, 2, 1, false},
		{"one twice", func(m object) { items(m)[1] = items(m)[0] }, 129, 2, 1, false},
		{"a head changed", func(m object) {
			m["essaim:heads"].([]any)[0].(object)["essaim:n"] = 99
		}, 131, 0, 0, false},
		{"no heads", func(m object) { delete(m, "essaim:heads") }, 131, 0, 0, false},
		{"of another host", func(m object) { m["essaim:of"] = "mallory.example" }, 0, 0, 0, true},
		{"a cursor that does not move", func(m object) { m["essaim:cursor"] = strings.Repeat("0", 64) }, 0, 0, 0, true},
		{"a cursor that is none", func(m object) { m["essaim:cursor"] = "z" }, 0, 0, 0, true},
		{"no cursor", func(m object) { delete(m, "essaim:cursor") }, 0, 0, 0, true},
		{"too many", func(m object) { m["orderedItems"] = append(items(m), items(m)...) }, 0, 0, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.rewritten(t, c.change)
			var got essaim.CopiesPage
			err := federation.ReadCopies(t.Context(), p.toulonsCopies(t), func(_ context.Context, page essaim.CopiesPage) error {
				got.Copies, got.Refused, got.Heads = append(got.Copies, page.Copies...), append(got.Refused, page.Refused...), page.Heads
				return nil
			})
			if fails := err != nil; fails != c.fails {
				t.Fatalf("%v, want an error: %t", err, c.fails)
			}
			if !c.fails && (len(got.Copies) != c.copies || len(got.Refused) != c.refused || len(got.Heads) != c.heads) {
				t.Errorf("%d copies, %d refused (%v), %d heads", len(got.Copies), len(got.Refused), got.Refused, len(got.Heads))
			}
		})
	}
}
