// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/piprate/json-gold/ld"

	"essaim"
	"essaim/store/storetest"
	"essaim/web/transfer"
)

const (
	dcat    = "http://www.w3.org/ns/dcat#"
	dcterms = "http://purl.org/dc/terms/"
	spdx    = "http://spdx.org/rdf/terms#"
	rdfs    = "http://www.w3.org/2000/01/rdf-schema#"
	rdfType = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
)

// triples are what a portal's own reader of JSON-LD makes of a document.
type triples []*ld.Quad

// offline fails a reader that would fetch anything.
type offline struct{ t testing.TB }

func (o offline) LoadDocument(u string) (*ld.RemoteDocument, error) {
	o.t.Errorf("reading the catalogue fetches %s", u)
	return nil, io.EOF
}

func readTriples(t testing.TB, body []byte) triples {
	t.Helper()
	var doc any
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatal(err)
	}
	options := ld.NewJsonLdOptions("")
	options.DocumentLoader = offline{t}
	out, err := ld.NewJsonLdProcessor().ToRDF(doc, options)
	if err != nil {
		t.Fatal(err)
	}
	return out.(*ld.RDFDataset).GetQuads("@default")
}

// of lists what a subject says by a predicate.
func (all triples) of(subject, predicate string) (out []ld.Node) {
	for _, q := range all {
		if q.Subject.GetValue() == subject && q.Predicate.GetValue() == predicate {
			out = append(out, q.Object)
		}
	}
	return out
}

// a lists the subjects of a type.
func (all triples) a(class string) (out []string) {
	for _, q := range all {
		if q.Predicate.GetValue() == rdfType && q.Object.GetValue() == class {
			out = append(out, q.Subject.GetValue())
		}
	}
	return out
}

// one is the only value of a property.
func (all triples) one(t testing.TB, subject, predicate string) string {
	t.Helper()
	values := all.of(subject, predicate)
	if len(values) != 1 {
		t.Errorf("%s has %d of %s", subject, len(values), predicate)
		return ""
	}
	return values[0].GetValue()
}

func TestTheCatalogueSaysWhatTheFilesAre(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := dumped(t, db, func(s *site) {
			c := fullContents()[0]
			c.Title, c.Licence, c.DerivedFrom = "D’une autre licence", "etalab-2.0", nil
			s.replicate(t, c, 1)
		})
		answer := read(t, s.ask(http.MethodGet, "/export/catalogue.jsonld", ""), "the catalogue", http.StatusOK)
		if typ := answer.resp.Header.Get("Content-Type"); typ != "application/ld+json" {
			t.Errorf("of type %s", typ)
		}
		all := readTriples(t, []byte(answer.raw))
		catalogues, sets, files := all.a(dcat+"Catalog"), all.a(dcat+"Dataset"), all.a(dcat+"Distribution")
		if len(catalogues) != 1 || len(sets) != 2 || len(files) != 6 {
			t.Fatalf("%d catalogues, %d datasets, %d files", len(catalogues), len(sets), len(files))
		}
		if got := all.of(catalogues[0], dcat+"dataset"); len(got) != 2 || all.one(t, catalogues[0], dcterms+"publisher") != s.cfg.Node.Territory.Actor {
			t.Errorf("the catalogue has %v", got)
		}
		// What DCAT-AP 3.0 wants of each.
		for _, subject := range append(slices.Clone(catalogues), sets...) {
			if len(all.of(subject, dcterms+"title")) != len(s.languages) || len(all.of(subject, dcterms+"description")) != len(s.languages) {
				t.Errorf("%s has %v, %v", subject, all.of(subject, dcterms+"title"), all.of(subject, dcterms+"description"))
			}
		}
		if spatial := all.of(s.abs("/export/#own"), dcterms+"spatial"); !slices.ContainsFunc(spatial, func(n ld.Node) bool { return n.GetValue() == insee+"commune/29019" }) {
			t.Errorf("the territory is at %v", spatial)
		}
		list, err := s.cfg.Dumps.Dumps(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			file := s.abs("/export/" + d.File)
			if !slices.Contains(files, file) || all.one(t, file, dcat+"accessURL") != s.abs("/export/") {
				t.Fatalf("no %s among %v", file, files)
			}
			address := all.one(t, file, dcat+"downloadURL")
			b, err := io.ReadAll(s.ask(http.MethodGet, strings.TrimPrefix(address, storetest.Base), "").Body)
			sum := sha256.Sum256(b)
			if err != nil || all.one(t, file, dcat+"byteSize") != strconv.Itoa(len(b)) {
				t.Errorf("%s: %d bytes, said to be %s", file, len(b), all.one(t, file, dcat+"byteSize"))
			}
			if got := all.one(t, all.one(t, file, spdx+"checksum"), spdx+"checksumValue"); got != hex.EncodeToString(sum[:]) {
				t.Errorf("%s: the catalogue says %s, not %x", file, got, sum)
			}
			rights := map[string]string{}
			for _, n := range all.of(file, dcterms+"rights") {
				rights[all.one(t, n.GetValue(), rdfs+"seeAlso")] = all.one(t, n.GetValue(), rdfs+"label")
			}
			if want := s.rightsOf(t, d.Scope); !maps.Equal(rights, want) {
				t.Errorf("%s: rights %v, want %v", file, rights, want)
			}
		}
		for _, q := range all {
			for _, n := range []ld.Node{q.Subject, q.Object} {
				if u, err := url.Parse(n.GetValue()); ld.IsIRI(n) && (err != nil || !u.IsAbs()) {
					t.Errorf("%q is no IRI", n.GetValue())
				}
			}
		}
	})
}

// rightsOf counts the records of a scope by licence, in the words of the catalogue.
func (s *site) rightsOf(t testing.TB, scope transfer.DumpScope) map[string]string {
	t.Helper()
	q := essaim.Query{Limit: 100}
	if scope == transfer.DumpOwn {
		q.Origin = "local"
	}
	res, err := s.store.Search(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	count := map[essaim.Licence]int{}
	for _, r := range res.Records {
		l, _ := essaim.LicenceByID(r.Licence)
		count[l]++
	}
	if want := map[transfer.DumpScope]int{transfer.DumpOwn: 1, transfer.DumpNetwork: 2}[scope]; len(count) != want {
		t.Errorf("%s: %d licences, want %d", scope, len(count), want)
	}
	rights := map[string]string{}
	for l, n := range count {
		rights[l.IRI] = strconv.Itoa(n) + " × " + l.Name
	}
	return rights
}

func TestAFileOfOneLicenceIsUnderIt(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	for _, l := range essaim.Licences() {
		if !l.Free {
			continue
		}
		got := s.licenceDocument(transfer.Dump{Licences: map[string]int{l.ID: 3}})
		if got["@id"] != l.IRI {
			t.Errorf("%s: %v", l.ID, got)
		}
	}
	if got := s.licenceDocument(transfer.Dump{Licences: map[string]int{"cc-by-4.0": 3, "cc0-1.0": 1}}); got["@id"] != s.abs("/export/#h-use") {
		t.Errorf("of two licences: %v", got)
	}
}

func TestHomeAndExportLeadToTheCatalogue(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	for _, path := range []string{"/", "/export/"} {
		links := s.get(t, path, http.StatusOK).with("link", "type", "application/ld+json")
		if len(links) != 1 || value(links[0], "href") != "/export/catalogue.jsonld" {
			t.Errorf("%s leads to %d catalogues", path, len(links))
		}
	}
	all := readTriples(t, []byte(read(t, s.ask(http.MethodGet, "/export/catalogue.jsonld", ""), "catalogue", http.StatusOK).raw))
	if len(all.a(dcat+"Catalog")) != 1 || len(all.a(dcat+"Distribution")) != 0 {
		t.Errorf("without dumps: %d catalogues", len(all.a(dcat+"Catalog")))
	}
}
