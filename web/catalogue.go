// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"essaim"
	"essaim/web/transfer"
)

// The vocabularies of the European Union that DCAT-AP 3 asks for.
const (
	euLanguage  = "http://publications.europa.eu/resource/authority/language/"
	euFileType  = "http://publications.europa.eu/resource/authority/file-type/"
	euFrequency = "http://publications.europa.eu/resource/authority/frequency/"
	euDataTheme = "http://publications.europa.eu/resource/authority/data-theme/"
	ianaTypes   = "https://www.iana.org/assignments/media-types/"
	// The address that French catalogues give to a territory by its code.
	insee = "http://id.insee.fr/geo/"
)

// most communes of a perimeter that the catalogue names one by one.
const cataloguedCommunes = 200

// dumpTypes are the media type and the EU file type of what is in a dump.
var dumpTypes = map[string][2]string{
	"csv": {"text/csv", "CSV"}, "geojson": {"application/geo+json", "GEOJSON"}, "jsonld": {"application/ld+json", "JSON_LD"},
}

// catalogueContext says what the prefixes stand for; nothing is to be fetched to
// read the catalogue.
func catalogueContext() object {
	return object{
		"dcat": "http://www.w3.org/ns/dcat#", "dcterms": "http://purl.org/dc/terms/", "foaf": "http://xmlns.com/foaf/0.1/",
		"spdx": "http://spdx.org/rdf/terms#", "vcard": "http://www.w3.org/2006/vcard/ns#", "skos": "http://www.w3.org/2004/02/skos/core#",
		"rdfs": "http://www.w3.org/2000/01/rdf-schema#", "xsd": "http://www.w3.org/2001/XMLSchema#", "geo": "http://www.opengis.net/ont/geosparql#",
	}
}

func iri(id string) object { return object{"@id": id} }

func literal(value, datatype string) object { return object{"@value": value, "@type": datatype} }

func dateTime(t time.Time) object { return literal(t.UTC().Format(time.RFC3339), "xsd:dateTime") }

// inLanguages says a sentence in each language of the site, with the territory's name.
func (s *Server) inLanguages(key string) []object {
	var out []object
	for _, lang := range s.languages {
		out = append(out, object{"@value": s.locales[lang].F(key, "Territory", s.cfg.Node.Territory.Name), "@language": lang})
	}
	return out
}

// euLanguages are the languages of the catalogue's own sentences; the European
// vocabulary names them by ISO 639-3.
func (s *Server) euLanguages() (out []object) {
	for _, lang := range s.languages {
		base, _ := language.Make(lang).Base()
		out = append(out, iri(euLanguage+strings.ToUpper(base.ISO3())))
	}
	return out
}

// showCatalogue answers the catalogue of the dumps, which open data portals harvest
// (DCAT-AP 3.0, https://semiceu.github.io/DCAT-AP/releases/3.0.0/).
func (s *Server) showCatalogue(w http.ResponseWriter, r *http.Request) error {
	list, err := s.dumps(r.Context())
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(s.catalogue(list), "", " ")
	if err != nil {
		return fmt.Errorf("catalogue: %w", err)
	}
	w.Header().Set("Content-Type", "application/ld+json")
	return s.serveMade(w, r, b)
}

func (s *Server) catalogue(list []transfer.Dump) object {
	page, base := s.abs("/export/"), s.abs("/")
	t := s.cfg.Node.Territory
	publisher := object{
		"@id": t.Actor, "@type": []string{"foaf:Agent", "foaf:Organization"}, "foaf:name": t.Name, "foaf:homepage": iri(base),
	}
	catalogue := object{
		"@id": page + "#catalogue", "@type": "dcat:Catalog",
		"dcterms:title": s.inLanguages("catalogue.title"), "dcterms:description": s.inLanguages("export.description"),
		"dcterms:publisher": iri(t.Actor), "foaf:homepage": iri(page),
		"dcterms:language": s.euLanguages(),
		"dcterms:spatial":  s.spatial(),
	}
	graph := []object{catalogue, publisher}
	var sets, served []object
	for _, scope := range []transfer.DumpScope{transfer.DumpOwn, transfer.DumpNetwork} {
		files := newest(scope, list)
		if len(files) == 0 {
			continue
		}
		set := s.dataset(scope, files)
		graph = append(graph, set)
		for _, f := range files {
			graph = append(graph, s.distribution(f))
		}
		sets, served = append(sets, iri(set["@id"].(string))), append(served, iri(set["@id"].(string)))
		catalogue["dcterms:modified"] = dateTime(files[0].At)
	}
	if len(sets) > 0 {
		catalogue["dcat:dataset"] = sets
		catalogue["dcat:service"] = iri(page + "#api")
		graph = append(graph, object{
			"@id": page + "#api", "@type": "dcat:DataService", "dcterms:title": s.inLanguages("catalogue.api"),
			"dcat:endpointURL": iri(s.abs("/api/v1/")), "dcat:endpointDescription": iri(s.abs("/api/v1/openapi.json")), "dcat:servesDataset": served,
		})
	}
	return object{"@context": catalogueContext(), "@graph": graph}
}

// newest are the files of the newest dump of a scope.
func newest(scope transfer.DumpScope, list []transfer.Dump) []transfer.Dump {
	var out []transfer.Dump
	for _, d := range list {
		if d.Scope == scope && (len(out) == 0 || d.At.Equal(out[0].At)) {
			out = append(out, d)
		}
	}
	return out
}

// dataset describes what a scope has, whatever the format.
func (s *Server) dataset(scope transfer.DumpScope, files []transfer.Dump) object {
	page := s.abs("/export/")
	t := s.cfg.Node.Territory
	set := object{
		"@id": page + "#" + string(scope), "@type": "dcat:Dataset", "dcterms:identifier": page + "#" + string(scope),
		"dcterms:title": s.inLanguages("catalogue." + string(scope)), "dcterms:description": s.inLanguages("catalogue." + string(scope) + "_text"),
		"dcterms:publisher": iri(t.Actor), "dcterms:creator": iri(t.Actor),
		"dcat:contactPoint":          object{"@type": "vcard:Organization", "vcard:fn": t.Name, "vcard:hasURL": iri(s.abs("/mentions"))},
		"dcterms:language":           iri(euLanguage + "FRA"),
		"dcterms:accrualPeriodicity": iri(euFrequency + "DAILY"),
		"dcat:theme":                 iri(euDataTheme + "SOCI"),
		"dcat:keyword":               []object{{"@value": "innovation sociale", "@language": "fr"}, {"@value": "communs", "@language": "fr"}, {"@value": "social innovation", "@language": "en"}},
		"dcat:landingPage":           iri(page),
		"dcterms:conformsTo":         iri(page + "#dictionnaire"),
		"dcterms:modified":           dateTime(files[0].At),
		"dcterms:temporal":           object{"@type": "dcterms:PeriodOfTime", "dcat:endDate": literal(files[0].Date(), "xsd:date")},
	}
	if scope == transfer.DumpOwn {
		set["dcterms:spatial"] = s.spatial()
	}
	var distributions []object
	for _, f := range files {
		distributions = append(distributions, iri(s.abs("/export/"+f.File)))
	}
	set["dcat:distribution"] = distributions
	return set
}

// distribution describes a file.
func (s *Server) distribution(f transfer.Dump) object {
	page, kind := s.abs("/export/"), dumpTypes[f.Format]
	out := object{
		"@id": s.abs("/export/" + f.File), "@type": "dcat:Distribution",
		"dcterms:title": f.File, "dcterms:description": s.inLanguages("export.format." + f.Format),
		"dcat:accessURL": iri(page), "dcat:downloadURL": iri(s.abs("/export/" + f.File)),
		"dcat:mediaType": iri(ianaTypes + kind[0]), "dcterms:format": iri(euFileType + kind[1]), "dcat:compressFormat": iri(ianaTypes + "application/gzip"),
		"dcat:byteSize": literal(strconv.FormatInt(f.Bytes, 10), "xsd:nonNegativeInteger"),
		"spdx:checksum": object{
			"@type": "spdx:Checksum", "spdx:algorithm": iri("http://spdx.org/rdf/terms#checksumAlgorithm_sha256"), "spdx:checksumValue": literal(f.SHA256, "xsd:hexBinary"),
		},
		"dcterms:issued": dateTime(f.At), "dcterms:modified": dateTime(f.At),
		"dcterms:language": iri(euLanguage + "FRA"), "dcterms:conformsTo": iri(page + "#dictionnaire"),
	}
	var rights []object
	for _, id := range slices.Sorted(maps.Keys(f.Licences)) {
		l, ok := essaim.LicenceByID(id)
		if !ok {
			continue
		}
		rights = append(rights, object{
			"@type": "dcterms:RightsStatement", "rdfs:label": strconv.Itoa(f.Licences[id]) + " × " + l.Name, "rdfs:seeAlso": iri(l.IRI),
		})
	}
	out["dcterms:license"] = s.licenceDocument(f)
	if len(rights) > 0 {
		out["dcterms:rights"] = rights
	}
	return out
}

// licenceDocument is the licence of all the records of a file, or where it is said
// that each has its own: no other would be true.
func (s *Server) licenceDocument(f transfer.Dump) object {
	if len(f.Licences) == 1 {
		for id := range f.Licences {
			if l, ok := essaim.LicenceByID(id); ok {
				return object{"@id": l.IRI, "@type": "dcterms:LicenseDocument", "rdfs:label": l.Name, "skos:exactMatch": iri("https://spdx.org/licenses/" + spdxID(id))}
			}
		}
	}
	return object{"@id": s.abs("/export/#h-use"), "@type": "dcterms:LicenseDocument", "rdfs:label": s.inLanguages("catalogue.licences")}
}

// spdxID is a licence's identifier in the letters of SPDX.
func spdxID(id string) string {
	switch id {
	case "odbl-1.0":
		return "ODbL-1.0"
	case "fal-1.3":
		return "LAL-1.3"
	case "etalab-2.0":
		return id
	}
	return strings.ToUpper(id)
}

// spatial is where the territory is: its name, middle and extent, its départements
// and, unless they are many, its communes.
func (s *Server) spatial() []object {
	t, g := s.cfg.Node.Territory, s.cfg.Gazetteer
	here := object{"@type": "dcterms:Location", "skos:prefLabel": object{"@value": t.Name, "@language": "fr"}}
	if lat, lon, ok := g.Centre(t); ok {
		here["dcat:centroid"] = literal(fmt.Sprintf("POINT(%.4f %.4f)", lon, lat), "geo:wktLiteral")
	}
	if b, ok := extent(g.Within(t)); ok {
		here["dcat:bbox"] = literal(fmt.Sprintf("POLYGON((%[1]g %[2]g,%[3]g %[2]g,%[3]g %[4]g,%[1]g %[4]g,%[1]g %[2]g))", b.West, b.South, b.East, b.North), "geo:wktLiteral")
	}
	out := []object{here}
	for _, d := range t.Departements {
		out = append(out, iri(insee+"departement/"+d))
	}
	if len(s.communes) <= cataloguedCommunes {
		for _, code := range s.communes {
			out = append(out, iri(insee+"commune/"+code))
		}
	}
	return out
}

// extent is the box around the middles of communes.
func extent(communes []essaim.Commune) (b essaim.Box, ok bool) {
	for _, c := range communes {
		switch {
		case !c.Located():
			continue
		case !ok:
			b, ok = essaim.Box{South: c.Lat, North: c.Lat, West: c.Lon, East: c.Lon}, true
		}
		b.South, b.North = min(b.South, c.Lat), max(b.North, c.Lat)
		b.West, b.East = min(b.West, c.Lon), max(b.East, c.Lon)
	}
	return b, ok
}
