// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"essaim/e2e/rig"
)

// fieldSpecials are the items in which one field holds nonsense. Of a stranger
// nothing is kept: the same field also stands in a record, an answer and a
// publication of hosts that are followed, which are shown and exported.
func fieldSpecials(items []item) map[string]special {
	m := map[string]special{}
	for _, it := range items {
		if it.Category == "JSON" && it.Class == "field" {
			m[it.ID] = special{after: nonsense}
		}
	}
	return m
}

// nonsense publishes the item's field in every way, reads all that shows it, and
// takes it back.
func nonsense(t *trial) error {
	doc, object, err := t.asFollowed()
	if err != nil {
		return err
	}
	fields := maps.Clone(object)
	for _, plain := range []string{"id", "type", "attributedTo", "content", "to"} {
		delete(fields, plain)
	}
	if len(fields) != 1 {
		return fmt.Errorf("%d fields stand out: %v", len(fields), fields)
	}
	record, err := t.recordWith(object["type"], fields)
	if err != nil {
		return err
	}
	answer := note("https://peer.test/n/answer-"+strings.ToLower(t.item.ID), t.names["PACTOR"])
	maps.Copy(answer, fields)
	answer["inReplyTo"] = t.object
	if err := t.post(t.ctx, t.fakes["peer.test"], t.names["PACTOR"], "Create", answer, nil); err != nil {
		return err
	}
	if err := t.showComment(answer["id"].(string)); err != nil {
		return fmt.Errorf("an answer with it: %w", err)
	}
	if err := t.tell(doc); err != nil {
		return err
	}
	if object["type"] != "Place" { // which publishes nothing
		if err := t.held(object["id"], true); err != nil {
			return err
		}
	}
	if err := errors.Join(t.readable(record), t.exportable(record.ID)); err != nil {
		return err
	}
	for _, of := range []struct{ host, actor, id string }{
		{"victim.test", t.names["VACTOR"], record.ID}, {"peer.test", t.names["PACTOR"], answer["id"].(string)}, {"peer.test", t.names["PACTOR"], object["id"].(string)},
	} {
		if err := t.post(t.ctx, t.fakes[of.host], of.actor, "Delete", of.id, nil); err != nil {
			return err
		}
	}
	return t.applied(t.ctx)
}

// recordWith has the victim, which is replicated, publish a record with the fields:
// of a place where that is what they are of, a meeting where they are an Event's.
func (t *trial) recordWith(typ any, fields map[string]any) (rig.Listed, error) {
	name := strings.ToLower(t.item.ID)
	doc := t.record("victim.test", name, "Champ "+name, nil)
	switch typ {
	case "Place":
		place := map[string]any{"type": "Place", "name": "Quelque part", "latitude": 48.39, "longitude": -4.48}
		maps.Copy(place, fields)
		doc["location"], doc["essaim:places"] = []any{place}, []any{place}
	case "Event":
		doc["type"], doc["essaim:kind"] = "Event", "meeting"
		maps.Copy(doc, fields)
	default:
		maps.Copy(doc, fields)
	}
	if err := t.post(t.ctx, t.victim(), t.names["VACTOR"], "Create", doc, nil); err != nil {
		return rig.Listed{}, err
	}
	var found rig.Listed
	err := rig.Eventually(5*time.Second, func() error {
		rows, err := t.node.Records(t.ctx, "")
		if err != nil {
			return err
		}
		i := slices.IndexFunc(rows, func(r rig.Listed) bool { return r.ID == doc["id"] })
		if i < 0 {
			return errors.New("a record with it is not kept")
		}
		found = rows[i]
		return nil
	})
	return found, err
}

// readable holds that every page and document that shows some of it is whole.
func (t *trial) readable(record rig.Listed) error {
	copied := "/ailleurs/victim.test/" + record.Slug
	for path, types := range map[string][]string{
		copied: {"text/html", rig.ActivityJSON}, copied + "/copies": {"text/html"}, t.routes["OBJ"]: {"text/html", rig.ActivityJSON}, "/": {"text/html"},
		t.routes["OBJ"] + "/replies?page=true": {rig.ActivityJSON}, "/initiatives": {"text/html"}, "/rencontres": {"text/html"},
		"/recherche?q=" + url.QueryEscape("champ"): {"text/html"}, "/recherche?near=29019&radius=50": {"text/html"},
		"/api/v1/initiatives": {"application/json"}, "/api/v1/meetings": {"application/json"}, "/api/v1/comments?record=" + url.QueryEscape(t.object): {"application/json"},
	} {
		for _, accept := range types {
			status, header, body, err := t.get(t.ctx, path, accept)
			if err == nil && status == http.StatusSeeOther { // an object's page
				status, _, body, err = t.get(t.ctx, header.Get("Location"), accept)
			}
			whole := bytes.HasSuffix(bytes.TrimSpace(body), []byte("</html>"))
			if accept != "text/html" {
				whole = json.Valid(body)
			}
			if err != nil || status != http.StatusOK || !whole {
				return fmt.Errorf("%s (%s): %d, whole %v, %w: %.300s", path, accept, status, whole, err, body)
			}
		}
	}
	return nil
}

// exportable holds that each export is valid and holds the record, with no point
// outside the world.
func (t *trial) exportable(id string) error {
	export := func(format string) (string, error) {
		out, err := t.node.Run(t.ctx, "export", "--data", t.node.Dir, "--format", format, "--all")
		if err == nil && !strings.Contains(out, id) {
			err = fmt.Errorf("the export as %s does not hold %s", format, id)
		}
		return out, err
	}
	sheet, err := export("csv")
	if err != nil {
		return err
	}
	reader := csv.NewReader(strings.NewReader(strings.TrimPrefix(sheet, "\ufeff")))
	if first, _, _ := strings.Cut(sheet, "\n"); strings.Count(first, ";") > strings.Count(first, ",") {
		reader.Comma = ';'
	}
	if _, err := reader.ReadAll(); err != nil {
		return fmt.Errorf("the sheet: %w", err)
	}
	text, err := export("geojson")
	if err != nil {
		return err
	}
	var plan struct {
		Features []struct {
			Geometry *struct{ Coordinates json.RawMessage }
		}
	}
	if err := json.Unmarshal([]byte(text), &plan); err != nil || len(plan.Features) == 0 {
		return fmt.Errorf("the map has %d features: %w", len(plan.Features), err)
	}
	for _, f := range plan.Features {
		if f.Geometry == nil {
			continue
		}
		var at []float64
		if err := json.Unmarshal(f.Geometry.Coordinates, &at); err != nil || len(at) != 2 || math.Abs(at[0]) > 180 || math.Abs(at[1]) > 90 {
			return fmt.Errorf("a point at %s: %w", f.Geometry.Coordinates, err)
		}
	}
	if text, err = export("jsonld"); err != nil {
		return err
	}
	for dec := json.NewDecoder(strings.NewReader(text)); ; {
		var doc any
		if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("the documents: %w", err)
		}
	}
}
