// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// words of the generated texts, the most frequent first: the first stands in
// about one record of three, the last in one of three hundred.
var words = strings.Fields(`lieu partage quartier habitants atelier jardin association réparer apprendre cuisine vélo enfants
livres musique solidaire entraide collectif fabriquer récolter échanger graines outils cafés ressourcerie mobilité énergie eau
forêt sentier théâtre radio logiciel carte mémoire accueil emploi insertion monnaie coopérative compost verger potager laverie
couture bois métal numérique formation conférence débat fête marché épicerie pain ruche abeilles chèvres laine teinture poterie`)

// frequent are the five words that most records hold; search must stay fast on
// them.
var frequent = words[:5]

// placesCSV writes n venues to a CSV file: real names and points of GeoNames
// when the corpus is there, made ones otherwise; the texts are generated.
func placesCSV(file string, n int) error {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close()
	w := csv.NewWriter(out)
	if err := w.Write([]string{"id", "name", "description", "latitude", "longitude", "themes", "url"}); err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(1, 1))
	themes := [...]string{"alimentation", "reemploi", "mobilite", "numerique", "culture", "tiers-lieux", "jardins", "education"}
	names, closeNames, err := geoNames()
	if err != nil {
		return err
	}
	defer closeNames()
	for i := range n {
		name, lat, lon := fmt.Sprintf("Lieu %d", i), 42+8*rng.Float64(), -4+11*rng.Float64()
		if names != nil && names.Scan() {
			var ok bool
			if name, lat, lon, ok = parseGeoName(names.Text()); !ok {
				return fmt.Errorf("line %d of GeoNames is not understood: %.80s", i, names.Text())
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
			return err
		}
	}
	w.Flush()
	return w.Error()
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
