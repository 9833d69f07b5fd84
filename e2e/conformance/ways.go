// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"slices"
	"strings"
)

// sends are the activities by which people of another server do something, and
// the objects in them, for which a document of that software must stand in
// testdata/shapes.tsv.
func (s software) sends(verb string) []string {
	switch verb {
	case "followed":
		return []string{"Follow", "Undo"}
	case "reply":
		return []string{"Create", "Note", "Delete"}
	case "like":
		if s.name == "pleroma" {
			return []string{"EmojiReact", "Undo"}
		}
		return []string{"Like", "Undo"}
	case "boost":
		return []string{"Announce", "Undo"}
	}
	return nil
}

// key is one that a server reads in what we send: of documents of some kinds, of a
// type.
type key struct {
	kinds []string
	path  string
	kind  string
}

var objects, persons = []string{"Note", "Article", "Page", "Event"}, []string{"Person"}

func texts(kinds []string, paths ...string) (keys []key) {
	for _, p := range paths {
		keys = append(keys, key{kinds, p, "text"})
	}
	return keys
}

// reads are the keys on which a verb rests where people of another server look at
// what we send: its own documents must have them, for ours to be held against
// them.
func (s software) reads(verb string) []key {
	switch verb {
	case "found":
		return texts(persons, "id", "type", "inbox", "outbox", "preferredUsername", "publicKey.id", "publicKey.owner", "publicKey.publicKeyPem")
	case "title":
		return texts(objects, "name")
	case "summary":
		if s.name == "lemmy" {
			return texts(objects, "content", "mediaType")
		}
		return texts(objects, "summary")
	case "link":
		switch s.name {
		case "lemmy", "wordpress":
			return texts(objects, "id")
		case "mobilizon":
			return texts(objects, "externalParticipationUrl")
		}
		return texts(objects, "url")
	case "image":
		if s.name == "lemmy" {
			return texts(objects, "image.type", "image.url")
		}
		return texts(objects, "attachment.type", "attachment.mediaType", "attachment.url", "attachment.name")
	case "edit":
		return append(append(texts([]string{"Update"}, "type", "actor", "to"), key{[]string{"Update"}, "object", "object"}), texts(objects, "updated")...)
	case "delete":
		return texts([]string{"Delete"}, "type", "actor", "object.id", "object.type")
	}
	return nil
}

// shows tells whether a document of the software has a key, of that type.
func (s software) shows(k key) bool {
	return slices.ContainsFunc(wrote(s.name, k.kinds...), func(w written) bool { return w.shape[k.path] == k.kind })
}

// byItsDocuments and the other ways are how a cell of docs/FEDIVERSE.md was tried.
const (
	byItsDocuments = "its documents"
	bySource       = "its source"
	byFedify       = "Fedify"
)

// way is how a verb is tried for a software: by its own documents, where there
// are such of all that the verb needs; else by what its source says alone, and
// what no document of it that was found is or has.
func (s software) way(verb string) (tried bool, text string) {
	var kinds, keys []string
	lacks := func(names *[]string, name string) {
		if name = "`" + name + "`"; !slices.Contains(*names, name) {
			*names = append(*names, name)
		}
	}
	for _, kind := range s.sends(verb) {
		if len(wrote(s.name, kind)) == 0 {
			lacks(&kinds, kind)
		}
	}
	for _, k := range s.reads(verb) {
		switch {
		case len(wrote(s.name, k.kinds...)) == 0:
			lacks(&kinds, k.kinds[0])
		case !s.shows(k):
			lacks(&keys, k.path)
		}
	}
	if len(kinds)+len(keys) > 0 {
		text = bySource + "; no document of it"
		if len(kinds) > 0 {
			text += " is a " + strings.Join(kinds, ", ")
		}
		if len(keys) > 0 {
			text += " has " + strings.Join(keys, ", ")
		}
		return false, text
	}
	if verb == "reply" && len(wrote(s.name, "Update")) == 0 {
		return true, byItsDocuments + ", none of them an `Update`"
	}
	return true, byItsDocuments
}

// asRead holds what we send against the documents of the software, in the keys on
// which the verb rests. A verb that they do not cover is not compared.
func (s software) asRead(j *judge, verb string, docs ...map[string]any) {
	if tried, _ := s.way(verb); !tried {
		return
	}
	for _, k := range s.reads(verb) {
		for _, doc := range docs {
			if slices.Equal(k.kinds, persons) || slices.Contains(k.kinds, text(doc, "type")) {
				same(j, "our "+k.path+" is of the type that this software writes", shapeOf(doc)[k.path], k.kind)
			}
		}
	}
}
