// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"reflect"

	"essaim"
)

// describeModeration writes the operations on comments, and those of moderators.
func describeModeration(paths, schemas object) {
	for name, t := range map[string]reflect.Type{
		"Receipt": reflect.TypeFor[essaim.Receipt](), "ReportInput": reflect.TypeFor[APIReport](),
		"CommentList": reflect.TypeFor[APIComments](), "ModerationList": reflect.TypeFor[APIItems](), "ModerationItem": reflect.TypeFor[essaim.ItemDetail](),
		"ModerationDecision": reflect.TypeFor[APIDecision](), "ModerationJournal": reflect.TypeFor[APIJournal](),
		"Withdrawal": reflect.TypeFor[APIWithdrawal](),
		"Measures":   reflect.TypeFor[APIMeasures](), "Measure": reflect.TypeFor[APIMeasure](),
	} {
		schemas[name] = schemaOf(t)
	}
	limit := queryOf(paramLimit, "integer", "1 to 100, 50 unless given")
	describeComments(paths, limit)
	describeDecisions(paths, limit)
}

func queryOf(name, typ, text string) object {
	return object{"name": name, "in": "query", "schema": object{"type": typ}, "description": text}
}

// describeComments writes what is open to everyone.
func describeComments(paths, limit object) {
	paths["/api/v1/comments"] = object{"get": object{
		"summary": "Comments of a record that everyone may see, in the order in which they came",
		"parameters": []object{
			queryOf("record", "string", "ActivityPub id of the record"), queryOf(paramAfter, "integer", "as next says, for the page that follows"), limit,
		},
		"responses": object{"200": answer("a page", "CommentList"), "404": answer("no such published record", "Error"), "422": answer("problems by parameter", "Problems")},
	}}
	paths["/api/v1/reports"] = object{"post": object{
		"summary":     "Report something shown here (Digital Services Act, article 16); open to everyone, ten an hour",
		"requestBody": object{"required": true, "content": object{"application/json": object{"schema": ref("ReportInput")}}},
		"responses": object{
			"201": answer("filed; Location leads to the receipt", "Receipt"), "404": answer("nothing shown here", "Error"),
			"422": answer("problems by field", "Problems"), "429": answer("too many requests", "Error"),
		},
	}}
	paths["/api/v1/reports/{id}"] = object{
		"parameters": []object{{"name": "id", "in": "path", "required": true, "schema": object{"type": "string"}}},
		"get": object{
			"summary":   "What became of a report, for who holds its receipt",
			"responses": object{"200": answer("held, accepted (found right) or hidden (found wrong), with the reason", "Receipt"), "404": answer("none", "Error")},
		},
	}
}

// describeDecisions writes what is for moderators.
func describeDecisions(paths, limit object) {
	token := []object{{"token": []string{}}}
	refused := func(more object) object {
		more["401"], more["403"] = answer("no valid token", "Error"), answer("not a moderator", "Error")
		return more
	}
	paths["/api/v1/moderation"] = object{"get": object{
		"summary": "Comments, reports, candidates and withdrawals by state, the oldest first", "security": token,
		"parameters": []object{
			queryOf("state", "string", "held unless given, accepted or hidden"), queryOf("kind", "string", "comment, report, candidate or withdrawal"),
			queryOf(paramAfter, "integer", "as next says, for the page that follows"), limit,
		},
		"responses": refused(object{"200": answer("a page", "ModerationList"), "422": answer("problems by parameter", "Problems")}),
	}}
	paths["/api/v1/moderation/{n}"] = object{
		"parameters": []object{{"name": "n", "in": "path", "required": true, "schema": object{"type": "integer"}}},
		"get": object{
			"summary": "One item, with what was decided about it", "security": token,
			"responses": refused(object{"200": answer("the item", "ModerationItem"), "404": answer("none", "Error")}),
		},
		"post": object{
			"summary": "Decide: action is accept, hide or restore", "security": token,
			"requestBody": object{"required": true, "content": object{"application/json": object{"schema": ref("ModerationDecision")}}},
			"responses":   refused(object{"200": answer("the item", "ModerationItem"), "404": answer("none", "Error"), "409": answer("the action changes nothing", "Error"), "422": answer("problems by field", "Problems")}),
		},
	}
	paths["/api/v1/moderation/withdrawals"] = object{"post": object{
		"summary": "Show a record no more, whoever its origin is, on a founded request; restore on its item lifts it", "security": token,
		"requestBody": object{"required": true, "content": object{"application/json": object{"schema": ref("Withdrawal")}}},
		"responses":   refused(object{"201": answer("its item", "ModerationItem"), "404": answer("nothing shown here", "Error"), "409": answer("withdrawn already", "Error"), "422": answer("problems by field", "Problems")}),
	}}
	paths["/api/v1/moderation/measures"] = object{
		"get": object{
			"summary": "Blocks, silences and permissions of hosts and accounts elsewhere", "security": token,
			"responses": refused(object{"200": answer("all of them", "Measures")}),
		},
		"post": object{
			"summary": "Treat a host or an account elsewhere: level is block, silence, allow or lift; for administrators", "security": token,
			"requestBody": object{"required": true, "content": object{"application/json": object{"schema": ref("Measure")}}},
			"responses":   refused(object{"200": answer("all of them", "Measures"), "404": answer("nothing to lift", "Error"), "409": answer("a node that is followed is not silenced", "Error"), "422": answer("problems by field", "Problems")}),
		},
	}
	paths["/api/v1/moderation/journal"] = object{"get": object{
		"summary": "Who decided what, when and why, newest first", "security": token,
		"parameters": []object{queryOf("before", "integer", "as next says, for the page that follows"), limit},
		"responses":  refused(object{"200": answer("a page", "ModerationJournal")}),
	}}
}
