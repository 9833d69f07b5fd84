// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"reflect"
	"strings"

	"essaim"
)

// describeSimilar writes the operations that tell what resembles a record.
func describeSimilar(paths, schemas object) {
	like := schemaOf(reflect.TypeFor[APISimilar]())
	properties := like["properties"].(object)
	var kinds []object
	for _, k := range essaim.Kinds() {
		kinds = append(kinds, ref(strings.ToUpper(string(k.Kind[:1]))+string(k.Kind[1:])))
	}
	properties["record"] = object{"oneOf": kinds}
	sorts := []essaim.ReasonSort{
		essaim.ReasonOrigin, essaim.ReasonNeed, essaim.ReasonTheme, essaim.ReasonNear, essaim.ReasonPurpose, essaim.ReasonPublic,
		essaim.ReasonMethod, essaim.ReasonWords, essaim.ReasonKind, essaim.ReasonActivity, essaim.ReasonDistance,
	}
	reason := properties["reasons"].(object)["items"].(object)["properties"].(object)
	reason["reason"] = object{"type": "string", "enum": sorts}
	schemas["Similar"] = like
	schemas["SimilarList"] = object{"type": "object", "properties": object{"items": object{"type": "array", "items": ref("Similar")}}}
	get := func(summary string, parameters ...object) object {
		parameters = append(
			parameters,
			object{"name": paramHere, "in": "query", "schema": object{"type": "boolean", "default": false}, "description": "records of the same territory too"},
			object{"name": paramLimit, "in": "query", "schema": object{"type": "integer", "minimum": 1, "maximum": 20, "default": shownSimilar}},
		)
		return object{"get": object{"summary": summary, "parameters": parameters, "responses": object{
			"200": answer("the likest first, each with the reasons and what they count for", "SimilarList"),
			"404": answer("none", "Error"), "410": answer("withdrawn", "Error"), "422": answer("problems by parameter", "Problems"),
		}}}
	}
	for _, k := range essaim.Kinds() {
		paths["/api/v1/"+k.API+"/{slug}/similar"] = get("Records of other territories that resemble a local one",
			object{"name": "slug", "in": "path", "required": true, "schema": object{"type": "string"}})
	}
	paths["/api/v1/similar"] = get("Records of other territories than its own that resemble one",
		object{"name": "id", "in": "query", "required": true, "schema": object{"type": "string", "format": "uri"}, "description": "ActivityPub id of a record, local or replicated"})
}
