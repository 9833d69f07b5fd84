// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"essaim"
)

// input is what a program writes of a record.
type input struct {
	content  essaim.Content
	state    essaim.State
	revision int // that was edited; 0 does not check
	// problems are those that the content itself does not show: names that no field
	// has, values of another type, codes and themes of which this node knows nothing.
	problems essaim.Problems
	unread   []string // fields whose value is of another type: the content lacks them
}

// check is all that is wrong with it, nil when nothing is.
func (in *input) check() error {
	for field, reason := range in.content.Validate(in.state == essaim.StatePublished) {
		if !slices.ContainsFunc(in.unread, func(name string) bool { return field == name || strings.HasPrefix(field, name+".") }) {
			in.problems.Add(field, reason)
		}
	}
	return in.problems.Err()
}

// readInput reads a JSON body over a content.
func (s *Server) readInput(w http.ResponseWriter, r *http.Request, before essaim.Content) (input, error) {
	in := input{problems: essaim.Problems{}}
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
	return in, errors.Join(s.undefined(r.Context(), in.problems, in.content.Themes, before.Themes), s.keepConsents(r, before.Credits, &in.content))
}

// decodeInput lays the fields of a JSON object over a content. A name that no
// field has is a problem of that name: a misspelt field must not vanish. Only what
// is no object is an error.
func (s *Server) decodeInput(body []byte, before essaim.Content, in *input) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(body, &given); err != nil || given == nil {
		return fmt.Errorf("body: %w", essaim.ErrInvalid)
	}
	if text, ok := given["description"]; ok {
		given["text"] = text
		delete(given, "description")
	}
	take := func(name string, to any) {
		raw, ok := given[name]
		delete(given, name)
		if ok && json.Unmarshal(raw, to) != nil {
			in.problems.Add(name, "bad_type")
		}
	}
	take("state", &in.state)
	take("revision", &in.revision)
	if in.state != "" && in.state != essaim.StateDraft && in.state != essaim.StatePublished {
		in.problems.Add("state", "unknown")
		in.state = ""
	}
	own, err := gatherBody(before.Kind, given, in.problems)
	if err != nil {
		return err
	}
	// Each turn leaves out one field that cannot be read, and says so.
	for {
		merged, err := overlay(before, given, own)
		if err != nil {
			return err
		}
		in.content = essaim.Content{}
		err = json.Unmarshal(merged, &in.content)
		if err == nil {
			break
		}
		if err := in.leaveOut(err, given, own); err != nil {
			return err
		}
	}
	for field, reason := range s.locate(in.content.Places, before.Places) {
		in.problems.Add(field, reason)
	}
	return nil
}

// leaveOut notes the field whose JSON is of another type than wanted, and takes
// it out of what was given.
func (in *input) leaveOut(err error, given, body map[string]json.RawMessage) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) || wrong.Field == "" {
		return fmt.Errorf("body: %w", essaim.ErrInvalid)
	}
	field := strings.TrimPrefix(wrong.Field, "plain.")
	name, _, _ := strings.Cut(field, ".")
	_, head := given[name]
	_, own := body[name]
	if !head && !own {
		return fmt.Errorf("body: %w", essaim.ErrInvalid)
	}
	if head {
		delete(given, name)
	} else {
		delete(body, name)
		in.unread = append(in.unread, "body."+name)
	}
	in.unread = append(in.unread, name)
	in.problems.Add(field, "bad_type")
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

// gatherBody takes the fields of the kind's body out of the others, those that
// stand beside them and those of "body", and notes the names that nothing has.
func gatherBody(k essaim.Kind, given map[string]json.RawMessage, problems essaim.Problems) (map[string]json.RawMessage, error) {
	info, ok := k.Info()
	if !ok {
		return nil, (essaim.Problems{"kind": "unknown"}).Err()
	}
	own := schemaOf(reflect.TypeOf(info.Body()).Elem())["properties"].(object)
	body := map[string]json.RawMessage{}
	if raw, ok := given["body"]; ok {
		if err := json.Unmarshal(raw, &body); err != nil || body == nil {
			problems.Add("body", "bad_type")
			body = map[string]json.RawMessage{}
		}
		delete(given, "body")
		for name := range body {
			if own[name] == nil {
				problems.Add("body."+name, "unknown")
				delete(body, name)
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
		if contentFields[name] {
			continue
		}
		delete(given, name)
		if own[inner] != nil {
			body[inner] = raw
		} else {
			problems.Add(name, "unknown")
		}
	}
	return body, nil
}

// overlay writes the given fields over those of a content, and those of the
// given body over its body's.
func overlay(before essaim.Content, given, body map[string]json.RawMessage) ([]byte, error) {
	b, err := json.Marshal(before)
	if err != nil {
		return nil, err
	}
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(b, &fields); err != nil {
		return nil, err
	}
	maps.Copy(fields, given)
	if len(body) > 0 {
		inner := map[string]json.RawMessage{}
		if old := fields["body"]; len(old) > 0 && !bytes.Equal(old, []byte("null")) {
			if err := json.Unmarshal(old, &inner); err != nil {
				return nil, err
			}
		}
		maps.Copy(inner, body)
		if fields["body"], err = json.Marshal(inner); err != nil {
			return nil, err
		}
	}
	return json.Marshal(fields)
}
