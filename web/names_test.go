// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"testing"

	"essaim"
	"essaim/store/storetest"
)

func TestNamesOfTownsStandClearOfMarks(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	brest := essaim.MapCell{N: 40, Lat: 48.39, Lon: -4.48}
	frame := frameOf(essaim.Box{South: 47.5, North: 49, West: -5.2, East: -1})
	at := func(lat, lon float64) (x, y float64) {
		right, down := frame.at(lat, lon)
		return float64(right), float64(down)
	}
	x, y := at(brest.Lat, brest.Lon)
	mark := onMap{x, y, markRadius(brest.N), markRadius(brest.N)}
	named := false
	names := s.townNames(frame.box(), at, []essaim.MapCell{brest}, drawnLetters)
	for i, n := range names {
		if n.Y < drawnLetters/2 || n.Y > mapHeight-drawnLetters/2 {
			t.Errorf("%s is cut at %d", n.Name, n.Y)
		}
		box := onMap{float64(n.X), float64(n.Y), .29 * drawnLetters * float64(len([]rune(n.Name))), .5 * drawnLetters}
		if box.meets(mark) {
			t.Errorf("a mark covers %s", n.Name)
		}
		if n.Name == "Brest" {
			named = true
			if n.Down == 0 {
				t.Error("Brest stands on its mark")
			}
		} else if n.Down != 0 {
			t.Errorf("%s is %d away from where it is", n.Name, n.Down)
		}
		for _, o := range names[:i] {
			if box.meets(onMap{float64(o.X), float64(o.Y), .29 * drawnLetters * float64(len([]rune(o.Name))), .5 * drawnLetters}) {
				t.Errorf("%s covers %s", n.Name, o.Name)
			}
		}
	}
	if !named || len(names) < 4 {
		t.Errorf("%d names: %+v", len(names), names)
	}
}
