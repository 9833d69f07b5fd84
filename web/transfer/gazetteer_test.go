// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

// fakeGazetteer is a gazetteer of a few territories, or of a whole corpus.
type fakeGazetteer struct {
	communes             map[string]Commune
	named                map[string][]Commune
	epcis, deps, regions map[string]string
}

func newGazetteer(communes ...Commune) *fakeGazetteer {
	g := &fakeGazetteer{
		communes: map[string]Commune{}, named: map[string][]Commune{}, epcis: map[string]string{},
		deps:    map[string]string{"06": "Alpes-Maritimes", "01": "Ain"},
		regions: map[string]string{"76": "Occitanie", "75": "Nouvelle-Aquitaine"},
	}
	for _, k := range communes {
		g.communes[k.Code] = k
		g.named[Fold(k.Name)] = append(g.named[Fold(k.Name)], k)
	}
	return g
}

func (g *fakeGazetteer) Commune(code string) (Commune, bool) {
	k, ok := g.communes[code]
	return k, ok
}
func (g *fakeGazetteer) CommunesNamed(name string) []Commune { return g.named[Fold(name)] }
func (g *fakeGazetteer) EPCI(code string) (string, bool)     { n, ok := g.epcis[code]; return n, ok }
func (g *fakeGazetteer) Departement(code string) (string, bool) {
	n, ok := g.deps[code]
	return n, ok
}
func (g *fakeGazetteer) Region(code string) (string, bool) { n, ok := g.regions[code]; return n, ok }

var smallGazetteer = newGazetteer(
	Commune{"01033", "Valserhône", "01", "84", "240100891", 46.11, 5.82},
	Commune{"75056", "Paris", "75", "11", "200054781", 48.86, 2.34},
	Commune{"21231", "Dijon", "21", "27", "242100410", 47.33, 5.03},
	Commune{"21023", "Arnay-le-Duc", "21", "27", "200070894", 47.13, 4.48},
	Commune{"34164", "Montaud", "34", "76", "243400017", 43.75, 3.95},
	Commune{"38248", "Montaud", "38", "84", "243800984", 45.26, 5.56},
	Commune{"09306", "Tarascon-sur-Ariège", "09", "76", "240900431", 42.84, 1.6},
	Commune{"09225", "Pamiers", "09", "76", "200066231", 43.12, 1.61},
)
