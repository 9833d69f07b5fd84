// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"time"

	"essaim"
)

// object is a JSON object in the making.
type object = map[string]any

// openAPI describes the JSON API. Paths come from the table of kinds and
// schemas from the types themselves; a test compares the paths with the routes.
func (s *Server) openAPI() object {
	paths, schemas := object{}, object{
		"Problems": object{"type": "object", "properties": object{"errors": object{"type": "object", "additionalProperties": object{"type": "string"}, "description": "path of a field → reason: " + reasons}}},
		"Error":    object{"type": "object", "properties": object{"error": object{"type": "string"}, "request_id": object{"type": "string"}}},
	}
	for _, k := range essaim.Kinds() {
		name := strings.ToUpper(string(k.Kind[:1])) + string(k.Kind[1:])
		in := schemaOf(reflect.TypeFor[essaim.Content]())
		properties := in["properties"].(object)
		for field := range properties {
			if !contentFields[field] {
				delete(properties, field)
			}
		}
		properties["description"] = object{"type": "string", "description": "Markdown"}
		delete(properties, "text")
		properties["state"] = object{"type": "string", "enum": []string{"draft", "published"}, "default": "published"}
		properties["revision"] = object{"type": "integer", "description": "the revision that was edited; another in between is answered 409"}
		properties["body"] = schemaOf(reflect.TypeOf(k.Body()).Elem())
		schemas[name+"Input"] = in
		out := schemaOf(reflect.TypeFor[APIRecord]())
		shown := out["properties"].(object)
		shown["body"] = properties["body"]
		delete(shown, "contacts")
		schemas[name] = out
		schemas[name+"List"] = object{"type": "object", "properties": object{
			"items": object{"type": "array", "items": ref(name)}, "total": object{"type": "integer"}, "capped": object{"type": "boolean"}, "next": object{"type": "string"},
			"back":   object{"type": "string", "format": "date-time", "description": "since when all that changed was looked at, where this page ends there, with few items or none: the next one goes further back"},
			"facets": object{"type": "object", "additionalProperties": object{"type": "array", "items": schemaOf(reflect.TypeFor[APICount]())}},
		}}
		describeKind(paths, k, name)
	}
	describeModeration(paths, schemas)
	describeFormats(paths)
	describeSimilar(paths, schemas)
	paths["/api/v1/openapi.json"] = object{"get": object{"summary": "This description", "responses": object{"200": object{"description": "OpenAPI 3.1"}}}}
	return object{
		"openapi":    "3.1.0",
		"info":       object{"title": "Essaim", "version": "1", "description": "Records of open social innovation of " + s.cfg.Node.Territory.Name + " and of the territories that it follows.", "license": object{"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"}},
		"servers":    []object{{"url": s.cfg.Node.BaseURL}},
		"paths":      paths,
		"components": object{"schemas": schemas, "securitySchemes": object{"token": object{"type": "http", "scheme": "bearer"}}},
	}
}

const reasons = "required, too_long, too_many, unknown, bad_url, bad_date, bad_text, bad_type, bad_code, out_of_range, …"

func ref(name string) object { return object{"$ref": "#/components/schemas/" + name} }

func answer(description, schema string) object {
	return object{"description": description, "content": object{"application/json": object{"schema": ref(schema)}}}
}

// describeKind writes the five operations of a kind.
func describeKind(paths object, k essaim.KindInfo, name string) {
	list, one := "/api/v1/"+k.API, "/api/v1/"+k.API+"/{slug}"
	body := object{"required": true, "content": object{"application/json": object{"schema": ref(name + "Input")}}}
	write := []object{{"token": []string{}}}
	refused := func(more object) object {
		more["401"], more["403"] = answer("no valid token", "Error"), answer("not allowed", "Error")
		more["422"], more["429"] = answer("problems by field", "Problems"), answer("too many requests", "Error")
		return more
	}
	byID := object{"name": "id", "in": "query", "schema": object{"type": "string", "format": "uri"}, "description": "ActivityPub id of one record, local or replicated"}
	paths[list] = object{
		"get": object{
			"summary":    fmt.Sprintf("Search %s, local and replicated, newest change first", k.API),
			"parameters": append([]object{byID}, searchParameters()...),
			"responses":  object{"200": answer("a page; Link: rel=next leads to the next", name+"List"), "422": answer("problems by parameter", "Problems")},
		},
		"post": object{"summary": "Create and publish", "security": write, "requestBody": body, "responses": refused(object{"201": answer("created", name)})},
		"put": object{
			"summary": "Edit by ?id=", "parameters": []object{byID}, "security": write, "requestBody": body,
			"responses": refused(object{"200": answer("edited", name), "409": answer("edited by somebody else in between", "Error"), "410": answer("withdrawn", "Error")}),
		},
		"delete": object{"summary": "Withdraw by ?id=", "parameters": []object{byID}, "security": write, "responses": refused(object{"204": object{"description": "withdrawn"}})},
	}
	slug := []object{{"name": "slug", "in": "path", "required": true, "schema": object{"type": "string"}}}
	paths[one] = object{
		"parameters": slug,
		"get":        object{"summary": "One local record", "responses": object{"200": answer("the record", name), "404": answer("none", "Error"), "410": answer("withdrawn", "Error")}},
		"put": object{
			"summary": "Edit: the fields given replace those of the record, null empties one", "security": write, "requestBody": body,
			"responses": refused(object{"200": answer("edited", name), "409": answer("edited by somebody else in between", "Error")}),
		},
		"delete": object{"summary": "Withdraw for good", "security": write, "responses": refused(object{"204": object{"description": "withdrawn"}})},
	}
}

// searchParameters are those of lists, the same for pages.
func searchParameters() []object {
	var out []object
	for _, p := range []struct{ name, typ, text string }{
		{paramText, "string", "words, \"phrases\", -exclusions, OU (or OR) between two of which one is enough"},
		{paramTheme, "string", "theme id; may be repeated"},
		{paramTerritory, "string", "actor IRI of a territory; may be repeated"},
		{paramStage, "string", "stage; may be repeated"},
		{paramCommune, "string", "INSEE code or name of a commune; may be repeated"},
		{paramPurpose, "string", "purpose; may be repeated"},
		{paramPublic, "string", "whom it is for, in people's own words; may be repeated"},
		{paramLicence, "string", "licence, as an SPDX identifier; may be repeated"},
		{paramHelp, "string", "1 for what asks for help that is still wanted"},
		{paramOrigin, "string", "\"local\", \"elsewhere\" or the host of another node"},
		{paramNear, "string", "\"latitude,longitude\", or a commune's name or INSEE code"},
		{paramRadius, "number", "kilometres around near, 20 unless given"},
		{paramSince, "string", "changed after this date or time (RFC 3339)"},
		{paramUntil, "string", "changed before this time, or by the end of this date"},
		{paramFrom, "string", "of meetings: first day (YYYY-MM-DD); with it, soonest first"},
		{paramTo, "string", "of meetings: last day (YYYY-MM-DD)"},
		{paramFacets, "string", "1 to count the values of each facet too"},
		{paramAfter, "string", "as next says, for the page that follows"},
		{paramLimit, "integer", "1 to 100, 20 unless given"},
	} {
		out = append(out, object{"name": p.name, "in": "query", "schema": object{"type": p.typ}, "description": p.text})
	}
	return out
}

// schemaOf describes a type as encoding/json writes it.
func schemaOf(t reflect.Type) object {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case t.Kind() == reflect.Pointer:
		return schemaOf(t.Elem())
	}
	switch t.Kind() {
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.Slice:
		return object{"type": "array", "items": schemaOf(t.Elem())}
	case reflect.Struct:
		properties := object{}
		addProperties(properties, t)
		return object{"type": "object", "properties": properties}
	}
	return object{}
}

func addProperties(properties object, t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			addProperties(properties, f.Type)
		case name == "" || name == "-" || name == "consent":
		case f.Type == reflect.TypeFor[struct{}](): // hides a promoted field
			delete(properties, name)
		default:
			properties[name] = schemaOf(f.Type)
		}
	}
}

func (s *Server) showOpenAPI(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Cache-Control", "public, max-age=300")
	writeJSON(w, http.StatusOK, s.openAPI())
	return nil
}
