// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"strings"
	"testing"

	"essaim"
	"essaim/federation/fedtest"
)

func BenchmarkRender(b *testing.B) {
	r := testRenderer(b)
	info, _ := essaim.KindInitiative.Info()
	rec := fedtest.FullRecord(b, info)
	for b.Loop() {
		if _, err := r.Render(request(rec, essaim.VerbCreate)); err != nil {
			b.Fatal(err)
		}
	}
}

// typical is a record as imports and people write most of them.
func typical() essaim.Record {
	lat, lon := essaim.Point(48.3828, -4.5032)
	return essaim.Record{
		ID: "https://brest.example/objects/01j", Slug: "espace-x", Territory: "https://brest.example/actors/brest", TerritoryName: "Brest",
		URL: "https://brest.example/lieux/espace-x", State: essaim.StatePublished, Incarnation: 1, Revision: 1, Published: noon, Updated: noon,
		Content: essaim.Content{
			Kind: essaim.KindVenue, Title: "Espace public numérique", Text: strings.Repeat("On y apprend à se servir d’un ordinateur. ", 6),
			Places:  []essaim.Place{{Street: "2 rue de l’Exemple", Postcode: "29200", City: "Brest", INSEE: "29019", Lat: lat, Lon: lon}},
			Licence: "odbl-1.0", Holder: "Médiation numérique", Sources: []essaim.Source{{URL: "https://source.example/1", Name: "Source"}},
			Body: &essaim.Venue{Services: []string{"accompagnement"}, OpeningHours: []string{"Mo-Fr 09:00-12:00"}},
		},
	}
}

func BenchmarkRenderTypical(b *testing.B) {
	r := testRenderer(b)
	rec := typical()
	for b.Loop() {
		if _, err := r.Render(request(rec, essaim.VerbCreate)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseTypical(b *testing.B) {
	out, err := testRenderer(b).Render(request(typical(), essaim.VerbCreate))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(len(out.Document)), "bytes")
	for b.Loop() {
		if _, err := Parse(out.Document); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	info, _ := essaim.KindInitiative.Info()
	out, err := testRenderer(b).Render(request(fedtest.FullRecord(b, info), essaim.VerbCreate))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(len(out.Document)), "bytes")
	for b.Loop() {
		if _, err := Parse(out.Document); err != nil {
			b.Fatal(err)
		}
	}
}
