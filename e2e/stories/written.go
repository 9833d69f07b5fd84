// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"essaim"
)

// bound are the texts whose form says what they may be, by type and name: what they
// hold instead, nothing for those that are left out. link stands for an address with
// the word in it.
var bound = map[string]any{
	"Content.kind": nil, "Content.language": nil, "Content.licence": nil, "Content.themes": []string{"alimentation"},
	"Content.collectedOn": nil, "Content.reviewedOn": nil,
	"Content.derivedFrom": nil, "Content.translationOf": nil, "Content.mentions": nil, // found or made, not written
	"Content.contacts": nil, // by import alone: see importContacts
	"Content.networks": []any{link}, "Content.body": nil,
	"Place.country": nil, "Place.insee": "29019", "Place.epci": nil, "Place.departement": nil, "Place.region": nil, "Place.level": nil,
	"Image.url": link, "Image.mediaType": "image/jpeg", "Image.licence": nil,
	"Link.url": link, "Source.url": link, "Source.fetched": nil,
	"Credit.actor": link, "Credit.kind": nil, "Credit.role": "partenaire", "Credit.fromStage": nil, "Credit.toStage": nil, "Credit.since": nil,
	"Credit.consent": nil, "Relation.type": "cites", "Relation.target": link, "HelpNotice.kind": "materiel", "HelpNotice.until": nil,
	"Initiative.stage": nil, "Initiative.activity": nil, "Initiative.since": nil, "Initiative.until": nil, "Initiative.purposes": nil,
	"Initiative.forms": nil, "Initiative.scope": nil, "Indicator.date": nil,
	"Recipe.difficulty": nil, "Recipe.readiness": nil,
	"Meeting.timezone": nil, "Meeting.form": nil, "Meeting.status": nil, "Meeting.registration": link, "Meeting.online": link,
	"Venue.openingHours":     nil,
	"Organisation.legalForm": nil, "Organisation.addressSince": nil, "Organisation.founded": nil, "Organisation.rna": nil, "Organisation.siren": nil,
	"Remake.outcome": "works", "Remake.on": nil,
}

const link = "https://lien.example/"

// writer writes a word wherever a person may write.
type writer struct {
	word  string
	texts int             // that hold it
	met   map[string]bool // of bound
}

// everyField is a record of a kind in which every text that a person may write holds
// a word. A field that is made later is filled too, or bound above.
func everyField(k essaim.KindInfo, word string) map[string]any {
	w := &writer{word: word, met: map[string]bool{}}
	return w.record(k)
}

func (w *writer) record(k essaim.KindInfo) map[string]any {
	in := w.value(reflect.TypeFor[essaim.Content]()).(map[string]any)
	in["body"] = w.value(reflect.TypeOf(k.Body()).Elem())
	// Its address keeps the first words of a title only.
	in["title"] = "Une fiche dont le titre est assez long pour que son adresse n'en garde pas la fin, " + w.word
	in["text"] = "Un texte, " + w.word + ", et " + strings.Repeat("encore "+w.word+" ", 400)
	if k.Kind == essaim.KindRemake {
		in["relations"] = append(in["relations"].([]any), map[string]any{"type": "remakes", "target": link + w.word + "/refait", "name": w.word})
	}
	return in
}

// value is one of a type, with the word in it; nil of what says nothing of anybody: a
// number, a yes or no.
func (w *writer) value(t reflect.Type) any {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "2031-05-04T18:00:00Z"
	case t.Kind() == reflect.Pointer:
		return w.value(t.Elem())
	case t.Kind() == reflect.Slice:
		if v := w.value(t.Elem()); v != nil {
			return []any{v}
		}
	case t.Kind() == reflect.String:
		w.texts++
		return w.word
	case t.Kind() == reflect.Struct:
		out := map[string]any{}
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			if v := w.field(t.Name()+"."+name, t.Field(i).Type); v != nil && name != "" && name != "-" {
				out[name] = v
			}
		}
		return out
	}
	return nil
}

func (w *writer) field(name string, t reflect.Type) any {
	v, ok := bound[name]
	if !ok {
		return w.value(t)
	}
	w.met[name] = true
	switch v := v.(type) {
	case string:
		return w.linked(v)
	case []any:
		return []any{w.linked(v[0].(string))}
	}
	return v
}

func (w *writer) linked(v string) string {
	if v == link {
		w.texts++
		v += w.word
	}
	return v
}

// covered tells whether what is written of all kinds is what they have.
func covered() error {
	w := &writer{word: "mot", met: map[string]bool{}}
	for _, k := range essaim.Kinds() {
		before := w.texts
		w.record(k)
		if n := w.texts - before; n < 25 {
			return fmt.Errorf("%d texts of %s are written", n, k.Kind)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(bound)) {
		if !w.met[name] {
			return errors.New("no field is " + name)
		}
	}
	return nil
}

// emptied is a record without any of what another has written.
func emptied(in map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range in {
		if out[name] = nil; name == "body" {
			out[name] = emptied(v.(map[string]any))
		}
	}
	return out
}
