// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"

	"essaim"
)

// input is what a program writes of a record.
type input struct {
	content  essaim.Content
	state    essaim.State
	revision int // that was edited; 0 does not check
	// problems are those that only this node can find: codes that nothing has.
	problems essaim.Problems
}

// check is what is wrong with it, nil when nothing is.
func (in *input) check() error {
	p := in.content.Validate(in.state == essaim.StatePublished)
	for field, reason := range in.problems {
		p.Add(field, reason)
	}
	return p.Err()
}

// readInput reads a JSON body over a content.
func (s *Server) readInput(w http.ResponseWriter, r *http.Request, before essaim.Content) (input, error) {
	var in input
	if typ, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || typ != "application/json" {
		return in, statusError{http.StatusUnsupportedMediaType, "bad_type"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxFormBytes))
	if err != nil {
		return in, formError(err)
	}
	if err := s.decodeInput(body, before, &in); err != nil {
		return in, err
	}
	return in, s.keepConsents(r, before.Credits, &in.content)
}

// decodeInput lays the fields of a JSON object over a content. A name that no
// field has is a problem of that name: a misspelt field must not vanish.
func (s *Server) decodeInput(body []byte, before essaim.Content, in *input) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(body, &given); err != nil || given == nil {
		return fmt.Errorf("body: %w", essaim.ErrInvalid)
	}
	if text, ok := given["description"]; ok {
		given["text"] = text
		delete(given, "description")
	}
	take := func(name string, to any) error {
		raw, ok := given[name]
		delete(given, name)
		if !ok {
			return nil
		}
		if err := json.Unmarshal(raw, to); err != nil {
			return (essaim.Problems{name: "bad_type"}).Err()
		}
		return nil
	}
	if err := errors.Join(take("state", &in.state), take("revision", &in.revision)); err != nil {
		return err
	}
	if in.state != "" && in.state != essaim.StateDraft && in.state != essaim.StatePublished {
		return (essaim.Problems{"state": "unknown"}).Err()
	}
	if err := gatherBody(before.Kind, given); err != nil {
		return err
	}
	merged, err := overlay(before, given)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(merged, &in.content); err != nil {
		return typeProblem(err)
	}
	in.problems = s.locate(in.content.Places, before.Places)
	return nil
}

// contentFields are the names that a body may give; the kind is the address's
// to say, and what only an import or a consent may set is not among them.
var contentFields = map[string]bool{
	"title": true, "tagline": true, "text": true, "language": true, "places": true, "everywhere": true, "themes": true, "keywords": true,
	"networks": true, "licence": true, "holder": true, "images": true, "links": true, "sources": true, "credits": true, "relations": true,
	"derivedFrom": true, "translationOf": true, "helpWanted": true, "helpOffered": true, "collectedBy": true, "collectedOn": true,
	"reviewedOn": true, "body": true,
}

// gatherBody moves the fields of the kind's body that stand beside the others
// into it, and refuses those that nothing has.
func gatherBody(k essaim.Kind, given map[string]json.RawMessage) error {
	info, ok := k.Info()
	if !ok {
		return (essaim.Problems{"kind": "unknown"}).Err()
	}
	own := schemaOf(reflect.TypeOf(info.Body()).Elem())["properties"].(object)
	body, problems := map[string]json.RawMessage{}, essaim.Problems{}
	if raw, ok := given["body"]; ok {
		if err := json.Unmarshal(raw, &body); err != nil || body == nil {
			return (essaim.Problems{"body": "bad_type"}).Err()
		}
		for name := range body {
			if own[name] == nil {
				problems.Add("body."+name, "unknown")
			}
		}
	}
	for name, raw := range given {
		inner := name
		switch name { // as ActivityStreams says them
		case "startTime":
			inner = "start"
		case "endTime":
			inner = "end"
		}
		switch {
		case contentFields[name]:
		case own[inner] != nil:
			body[inner] = raw
			delete(given, name)
		default:
			problems.Add(name, "unknown")
		}
	}
	if err := problems.Err(); err != nil {
		return err
	}
	if len(body) > 0 {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		given["body"] = raw
	}
	return nil
}

// overlay writes the given fields over those of a content, and those of the
// given body over its body's.
func overlay(before essaim.Content, given map[string]json.RawMessage) ([]byte, error) {
	b, err := json.Marshal(before)
	if err != nil {
		return nil, err
	}
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(b, &fields); err != nil {
		return nil, err
	}
	for name, raw := range given {
		if name == "body" {
			if raw, err = overlayBody(fields["body"], raw); err != nil {
				return nil, err
			}
		}
		fields[name] = raw
	}
	return json.Marshal(fields)
}

func overlayBody(before, given json.RawMessage) (json.RawMessage, error) {
	fields, more := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	if err := json.Unmarshal(given, &more); err != nil {
		return nil, (essaim.Problems{"body": "bad_type"}).Err()
	}
	if len(before) > 0 && !bytes.Equal(before, []byte("null")) {
		if err := json.Unmarshal(before, &fields); err != nil {
			return nil, err
		}
	}
	for name, raw := range more {
		fields[name] = raw
	}
	return json.Marshal(fields)
}

// typeProblem names the field whose JSON is of another type than wanted.
func typeProblem(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		return (essaim.Problems{strings.TrimPrefix(wrong.Field, "plain."): "bad_type"}).Err()
	}
	return fmt.Errorf("body: %w", essaim.ErrInvalid)
}
