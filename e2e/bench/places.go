// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"essaim/store/french"
)

// words of the generated texts, the most frequent first: the first stands in
// about one record of three, the last in one of three hundred.
var words = strings.Fields(`lieu partage quartier habitants atelier jardin association réparer apprendre cuisine vélo enfants
livres musique solidaire entraide collectif fabriquer récolter échanger graines outils cafés ressourcerie mobilité énergie eau
forêt sentier théâtre radio logiciel carte mémoire accueil emploi insertion monnaie coopérative compost verger potager laverie
couture bois métal numérique formation conférence débat fête marché épicerie pain ruche abeilles chèvres laine teinture poterie`)

// territory is the name of the node's territory, which each of its records is
// found by.
const territory = "Brest"

// placesCSV writes n venues to a CSV file: real names and points of GeoNames
// when the corpus is there, made ones otherwise; the texts are generated. It
// returns the five terms of search that most records hold.
func placesCSV(file string, n int) (frequent []string, err error) {
	out, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	defer out.Close()
	w := csv.NewWriter(out)
	if err := w.Write([]string{"id", "name", "description", "latitude", "longitude", "themes", "url"}); err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(1, 1))
	themes := [...]string{"alimentation", "reemploi", "mobilite", "numerique", "culture", "tiers-lieux", "jardins", "education"}
	names, closeNames, err := geoNames()
	if err != nil {
		return nil, err
	}
	defer closeNames()
	for i := range n {
		name, lat, lon := fmt.Sprintf("Lieu %d", i), 42+8*rng.Float64(), -4+11*rng.Float64()
		if names != nil && names.Scan() {
			var ok bool
			if name, lat, lon, ok = parseGeoName(names.Text()); !ok {
				return nil, fmt.Errorf("line %d of GeoNames is not understood: %.80s", i, names.Text())
			}
			if strings.EqualFold(name, "None") || strings.EqualFold(name, "Nan") {
				name += " (ville)" // towns, but for an import words of an empty cell
			}
		}
		text := make([]string, 24)
		for k := range text {
			text[k] = draw(rng)
		}
		theme := themes[min(rng.IntN(len(themes)), rng.IntN(len(themes)))]
		err := w.Write([]string{
			fmt.Sprint(i), name, strings.Join(text, " ") + ".", fmt.Sprint(lat), fmt.Sprint(lon), theme, fmt.Sprintf("https://places.example/%d", i),
		})
		if err != nil {
			return nil, err
		}
		terms := french.Terms(name + " " + strings.Join(text, " ") + " " + territory)
		slices.Sort(terms)
		for _, term := range slices.Compact(terms) {
			counts[term]++
		}
	}
	w.Flush()
	frequent = slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(counts[b]-counts[a], strings.Compare(a, b)) })
	return frequent[:min(5, len(frequent))], w.Error()
}

// draw picks a word, the first ones far more often.
func draw(rng *rand.Rand) string {
	k := int(float64(len(words)+1) * rng.Float64() * rng.Float64())
	return words[min(k, len(words)-1)]
}

// geoNames opens the corpus's file; a nil scanner when there is none.
func geoNames() (*bufio.Scanner, func(), error) {
	corpus := os.Getenv("ESSAIM_CORPUS")
	if corpus == "" {
		corpus = "../shared"
	}
	f, err := os.Open(filepath.Join(corpus, "data/scale/geonames-cities500.tsv.gz"))
	if os.IsNotExist(err) {
		fmt.Println("bench: no corpus, names are made up")
		return nil, func() {}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	sc := bufio.NewScanner(z)
	sc.Buffer(nil, 1<<20)
	return sc, func() { f.Close() }, nil
}

// parseGeoName reads name, latitude and longitude of a line of GeoNames.
func parseGeoName(line string) (name string, lat, lon float64, ok bool) {
	fields := strings.Split(line, "\t")
	if len(fields) < 6 {
		return "", 0, 0, false
	}
	lat, err1 := strconv.ParseFloat(fields[4], 64)
	lon, err2 := strconv.ParseFloat(fields[5], 64)
	return fields[1], lat, lon, fields[1] != "" && err1 == nil && err2 == nil
}
