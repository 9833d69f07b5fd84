// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"maps"

	"essaim"
)

// describeFormats writes the lists and searches as files and feeds.
func describeFormats(paths object) {
	plain := object{"text/plain": object{"schema": object{"type": "string"}}}
	answers := func(f format) object {
		return object{
			"200": object{"description": f.about(), "content": object{f.media: object{}}},
			"304": object{"description": "not changed since the ETag or the date given"},
			"400": object{"description": "a parameter is not understood; says which", "content": plain},
		}
	}
	add := func(k essaim.Kind, path, what string) {
		var more []object
		switch k {
		case "":
			more = []object{queryOf(paramKind, "string", "kind of record; may be repeated")}
		case essaim.KindMeeting:
			more = []object{queryOf(paramWhen, "string", "\"toutes\" for meetings of all dates, not only those to come; feeds have all")}
		}
		for _, f := range formats {
			if f.of(k) {
				paths[path+"."+f.ext] = object{"get": object{"summary": what + ", as " + f.media, "parameters": append(searchParameters(), more...), "responses": answers(f)}}
			}
		}
	}
	add("", "/recherche", "Everything, local and replicated")
	for _, k := range essaim.Kinds() {
		add(k.Kind, "/"+k.Path, "All "+k.API+", local and replicated")
	}
	for _, o := range rolls() {
		for _, f := range o.in() {
			responses := answers(f)
			delete(responses, "400")
			responses["200"].(object)["description"] = "all of them; a feed has the 50 that came last"
			paths[o.path+"."+f.ext] = object{"get": object{"summary": o.what + ", as " + f.media, "parameters": []object{queryOf("lang", "string", "language of what is said in words")}, "responses": responses}}
		}
	}
	describeDumps(paths)
	paths[cellsPath] = object{"get": object{
		"summary": "A search counted by cell of the map, 400 cells at most: GeoJSON with the count of each, and the record where it is alone",
		"parameters": append(searchParameters(), queryOf(paramKind, "string", "kind of record; may be repeated"),
			queryOf(paramBox, "string", "what the map shows: west,south,east,north in degrees"), queryOf(paramZoom, "integer", "of a web map, 0 to 19: a cell is some 64 pixels wide")),
		"responses": object{
			"200": object{"description": "the cells; partial when there is more than was counted", "content": object{"application/geo+json": object{}}},
			"304": object{"description": "not changed since the ETag given"},
			"400": object{"description": "a parameter is not understood; says which", "content": plain},
		},
	}}
	slug := object{"name": "slug", "in": "path", "required": true, "schema": object{"type": "string"}}
	host := object{"name": "host", "in": "path", "required": true, "schema": object{"type": "string"}}
	calendar, _ := formatOf("x.ics")
	paths["/rencontres/{slug}.ics"] = object{"get": object{"summary": "One local meeting for a calendar", "parameters": []object{slug}, "responses": answers(calendar)}}
	paths["/ailleurs/{host}/{slug}.ics"] = object{"get": object{"summary": "One replicated meeting for a calendar", "parameters": []object{host, slug}, "responses": answers(calendar)}}
}

// about says what a format holds.
func (f format) about() string {
	switch {
	case f.feed:
		return "the newest changes, 50 a page; the link to the next page leads to the older ones"
	case f.only != "":
		return "all meetings found; UID is the record's id, SEQUENCE its revision, times are in UTC"
	}
	return "all records found whose licence lets others copy them, the latest change first; a file that breaks off is not whole"
}

// describeDumps writes the dated files of the commons.
func describeDumps(paths object) {
	file := func(media, summary, holds string, more object) object {
		responses := object{"200": object{"description": holds, "content": object{media: object{}}}, "304": object{"description": "not changed since the ETag given"}}
		maps.Copy(responses, more)
		return object{"summary": summary, "responses": responses}
	}
	paths["/export/"] = object{"get": object{"summary": "The page of the dumps: files, licences, checksums and data dictionary", "responses": object{"200": object{"description": "for people", "content": object{"text/html": object{}}}}}}
	paths["/export/SHA256SUMS"] = object{"get": file("text/plain", "Checksums of the dumps", "a line a file, as sha256sum reads it", nil)}
	paths["/export/catalogue.jsonld"] = object{"get": file("application/ld+json", "Catalogue of the dumps", "DCAT-AP 3", nil)}
	paths["/export/dictionnaire.csv"] = object{"get": file("text/csv", "Data dictionary of the dumps", "a line a column, then a line a field of essaim_details: name, type, values, meaning in French and in English, kinds that alone have it", nil)}
	one := file("application/gzip", "A dump, named TERRITORY-DATE.FORMAT.gz, or TERRITORY-reseau-DATE.FORMAT.gz with the records of other territories; format is csv, geojson or jsonld",
		"the records whose licence lets others copy them, as they were on that day", object{
			"206": object{"description": "the part asked for by Range"}, "404": object{"description": "none of that name; older than what was erased since"},
			"302": object{"description": "without a date in the name: where the newest is"},
		})
	one["parameters"] = []object{{"name": "file", "in": "path", "required": true, "schema": object{"type": "string"}, "example": "brest-reseau.csv.gz"}}
	paths["/export/{file}"] = object{"get": one}
}
