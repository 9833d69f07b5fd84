// SPDX-License-Identifier: AGPL-3.0-or-later

package storetest

import (
	"bufio"
	"compress/gzip"
	"hash/fnv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"essaim"
	"essaim/store"
)

// places is the file of GeoNames in the corpus (ESSAIM_CORPUS, ../shared beside
// the repository when empty), which benchmarks need.
func places(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("ESSAIM_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared")
	}
	file := filepath.Join(dir, "data", "scale", "geonames-cities500.tsv.gz")
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("a benchmark needs the corpus (ESSAIM_CORPUS): %v", err)
	}
	return file
}

// LoadPlaces publishes the first n places of GeoNames as records: names of
// places in all scripts, with the skew of real words. Kinds, themes and stages
// are spread by a digest, some frequent and some rare.
func LoadPlaces(t testing.TB, s *store.Store, n int) {
	t.Helper()
	f, err := os.Open(places(t))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	id, err := s.BeginImport(t.Context(), essaim.Import{File: "places", Licence: "cc-by-4.0", Attribution: "GeoNames"})
	if err != nil {
		t.Fatal(err)
	}
	var rows []essaim.ImportRow
	done := 0
	for done < n && lines.Scan() {
		rows = append(rows, placeRow(strings.Split(lines.Text(), "\t")))
		done++
		if len(rows) == 100 || done == n {
			if _, err := s.ImportRows(t.Context(), id, rows); err != nil {
				t.Fatal(err)
			}
			rows = rows[:0]
		}
	}
	if err := lines.Err(); err != nil || done != n {
		t.Fatalf("%d places read, want %d: %v", done, n, err)
	}
}

func placeRow(f []string) essaim.ImportRow {
	h := fnv.New32a()
	h.Write([]byte(f[0]))
	spread := int(h.Sum32() >> 4)
	themes := essaim.Themes()
	// The square makes low numbers frequent.
	theme := themes[(spread%97)*(spread%97)*len(themes)/(97*97)]
	c := essaim.Content{
		Kind: essaim.KindVenue, Title: f[1], Licence: "cc-by-4.0", Holder: "GeoNames",
		Tagline:  "Un lieu de " + strings.ReplaceAll(f[17], "_", " "),
		Text:     strings.ReplaceAll(f[3], ",", ", ") + ". Altitude " + f[16] + ", population " + f[14] + ".",
		Themes:   []string{theme.ID},
		Sources:  []essaim.Source{{URL: "https://www.geonames.org/" + f[0], Key: f[0]}},
		Keywords: []string{f[6] + " " + f[7]},
		Body:     &essaim.Venue{},
	}
	if runes := []rune(c.Title); len(runes) > 200 {
		c.Title = string(runes[:200])
	}
	switch {
	case spread%10 == 0:
		c.Kind, c.Body = essaim.KindOrganisation, &essaim.Organisation{}
	case spread%10 < 4:
		stages := essaim.ListStage.Terms()
		c.Kind, c.Body = essaim.KindInitiative, &essaim.Initiative{Stage: stages[spread/7%len(stages)].ID}
	}
	lat, err1 := strconv.ParseFloat(f[4], 64)
	lon, err2 := strconv.ParseFloat(f[5], 64)
	if err1 == nil && err2 == nil {
		c.Places = []essaim.Place{{Label: f[1], Lat: &lat, Lon: &lon}}
	}
	return essaim.ImportRow{Key: "geonames " + f[0], Digest: f[18], Content: c, State: essaim.StatePublished}
}
