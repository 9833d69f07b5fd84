// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"essaim"
)

// BenchmarkImport is an import into a node with its keys, its renderer and
// SQLite; b.N rows.
func BenchmarkImport(b *testing.B) {
	a := &app{out: &bytes.Buffer{}, errs: &bytes.Buffer{}}
	cfg, err := settings{URL: "https://brest.example"}.check()
	if err != nil {
		b.Fatal(err)
	}
	cfg.Dir = b.TempDir()
	if _, err := initialise(b.Context(), cfg, a.options(), newNode{Name: "Brest", EPCIs: []string{"242900314"}, Admin: demoAdmin}); err != nil {
		b.Fatal(err)
	}
	n, err := Open(b.Context(), cfg, a.options())
	if err != nil {
		b.Fatal(err)
	}
	defer n.Close()
	a.now = n.now
	var text strings.Builder
	text.WriteString("id,name,description,latitude,longitude,themes,url\n")
	for i := range b.N {
		fmt.Fprintf(&text, "%d,Lieu %d,%s,48.39,-4.48,alimentation,https://places.example/%d\n", i, i, strings.Repeat("partage quartier jardin ", 8), i)
	}
	b.ResetTimer()
	o := importOptions{Licence: "cc-by-4.0", Attribution: "A", Kind: "venue", Format: "csv"}
	if err := o.importFile(b.Context(), a, essaim.EmbeddedGazetteer(), essaim.Thesaurus{}, "f.csv", strings.NewReader(text.String()), adminSink{direct{n}}); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
