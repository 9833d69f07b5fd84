// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"essaim/federation/proof"
)

// The types below write one form and read several: ActivityStreams lets a
// property be a value, an array of values or an object, and peers use all
// three (interop.md 2). Reading never fails on a wrong shape; what is not
// understood is left empty, because one odd property must not lose a record.

// text is a JSON string; an array reads as its first string.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	if list := readTexts(b); len(list) > 0 {
		*t = text(list[0])
	}
	return nil
}

// texts is an array of strings; a lone string reads as an array of one.
type texts []string

// UnmarshalJSON implements json.Unmarshaler.
func (t *texts) UnmarshalJSON(b []byte) error {
	*t = readTexts(b)
	return nil
}

func readTexts(b []byte) []string {
	var list []string
	for _, raw := range elements(b) {
		if s, ok := unquote(raw); ok {
			list = append(list, s)
		}
	}
	return list
}

// iri is an absolute web address: a string, or an object with an id or href.
// An array reads as its first.
type iri string

// UnmarshalJSON implements json.Unmarshaler.
func (i *iri) UnmarshalJSON(b []byte) error {
	if list := readIRIs(b); len(list) > 0 {
		*i = iri(list[0])
	}
	return nil
}

// iris is an array of web addresses.
type iris []string

// UnmarshalJSON implements json.Unmarshaler.
func (i *iris) UnmarshalJSON(b []byte) error {
	*i = readIRIs(b)
	return nil
}

func readIRIs(b []byte) []string {
	var list []string
	for _, raw := range elements(b) {
		var s string
		if len(raw) > 0 && raw[0] == '{' {
			var o struct{ ID, Href, URL string }
			m := nested(raw)
			_ = json.Unmarshal(m["id"], &o.ID)
			_ = json.Unmarshal(m["href"], &o.Href)
			_ = json.Unmarshal(m["url"], &o.URL)
			for _, s = range []string{o.ID, o.Href, o.URL} {
				if s != "" {
					break
				}
			}
		} else if s, _ = unquote(raw); s == "" {
			continue
		}
		if strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") {
			list = append(list, s)
		}
	}
	return list
}

// words are texts by language tag: nameMap, summaryMap, contentMap.
type words map[string]string

// UnmarshalJSON implements json.Unmarshaler.
func (w *words) UnmarshalJSON(b []byte) error {
	m := words{}
	for lang, raw := range nested(b) {
		var s text
		if _ = s.UnmarshalJSON(raw); s != "" {
			m[lang] = string(s)
		}
	}
	*w = m
	return nil
}

// language is the language that a map's text is to be read in: French first,
// then the first tag in order; empty when the map is.
func (w words) language() string {
	if _, ok := w["fr"]; ok {
		return "fr"
	}
	tags := make([]string, 0, len(w))
	for tag := range w {
		tags = append(tags, tag)
	}
	slices.Sort(tags)
	for _, tag := range tags {
		if tag != "und" {
			return tag
		}
	}
	return ""
}

// moment is a date and time in RFC 3339 with whole seconds. It reads dates
// alone and times without zone too, as UTC.
type moment struct{ time.Time }

// MarshalJSON implements json.Marshaler.
func (m moment) MarshalJSON() ([]byte, error) {
	return json.Marshal(m.Truncate(time.Second).Format(time.RFC3339))
}

// UnmarshalJSON implements json.Unmarshaler.
func (m *moment) UnmarshalJSON(b []byte) error {
	var s text
	_ = s.UnmarshalJSON(b) // never fails
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, string(s)); err == nil {
			m.Time = t.UTC()
			return nil
		}
	}
	return nil
}

func utc(t time.Time) moment { return moment{t.UTC()} }

// degrees is a coordinate, always written with a decimal point: Mobilizon
// drops a point whose latitude reads as an integer. Numeric strings read too.
type degrees float64

// rounded keeps a tenth of a metre: more digits of a centre that was computed
// would promise what nobody measured.
func rounded(f float64) degrees { return degrees(math.Round(f*1e6) / 1e6) }

// MarshalJSON implements json.Marshaler.
func (d degrees) MarshalJSON() ([]byte, error) {
	b := strconv.AppendFloat(nil, float64(d), 'f', -1, 64)
	if !bytes.ContainsRune(b, '.') {
		b = append(b, ".0"...)
	}
	return b, nil
}

// UnmarshalJSON implements json.Unmarshaler. What is no number reads as NaN.
func (d *degrees) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(strings.Trim(string(b), `" `), 64)
	if err != nil || math.IsInf(f, 0) {
		f = math.NaN()
	}
	*d = degrees(f)
	return nil
}

// number is an integer; numeric strings read too.
type number int64

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) error {
	if i, err := strconv.ParseInt(strings.Trim(string(b), `" `), 10, 64); err == nil {
		*n = number(i)
	}
	return nil
}

// boolean is true or false; anything else reads as false.
type boolean bool

// UnmarshalJSON implements json.Unmarshaler.
func (f *boolean) UnmarshalJSON(b []byte) error {
	*f = string(b) == "true"
	return nil
}

// listOf is an array of objects; a lone object reads as an array of one, and
// what is not an object is skipped.
type listOf[T any] []T

// UnmarshalJSON implements json.Unmarshaler.
func (l *listOf[T]) UnmarshalJSON(b []byte) error {
	for _, raw := range elements(b) {
		var v T
		if len(raw) > 0 && raw[0] == '{' {
			read(nested(raw), &v)
			*l = append(*l, v)
		}
	}
	return nil
}

// one is an object; an array reads as its first object.
type one[T any] struct{ v *T }

func only[T any](v T) one[T] { return one[T]{&v} }

// IsZero makes omitzero leave out what is not there.
func (o one[T]) IsZero() bool { return o.v == nil }

// MarshalJSON implements json.Marshaler.
func (o one[T]) MarshalJSON() ([]byte, error) { return encode(o.v) }

// UnmarshalJSON implements json.Unmarshaler.
func (o *one[T]) UnmarshalJSON(b []byte) error {
	var l listOf[T]
	if err := l.UnmarshalJSON(b); err != nil || len(l) == 0 {
		return err
	}
	o.v = &l[0]
	return nil
}

// elements are the items of an array, or the value itself; none for null. It is a
// value of a valid document.
func elements(b []byte) []json.RawMessage {
	b = bytes.TrimSpace(b)
	if len(b) == 0 || string(b) == "null" {
		return nil
	}
	if b[0] != '[' {
		return []json.RawMessage{b}
	}
	return proof.Elements(b)
}

// members are the raw members of an object; nil when b is not one.
func members(b []byte) map[string]json.RawMessage {
	m, err := proof.Members(b)
	if err != nil {
		return nil
	}
	return m
}

// nested are the members of an object that is a value of a valid document, in which
// it need not be looked for errors again; nil when it is something else.
func nested(b []byte) map[string]json.RawMessage {
	m, err := proof.OfValid(b).Members()
	if err != nil {
		return nil
	}
	return m
}

// read fills the struct that into points to from members whose names equal
// its tags byte for byte, but for those that are only written. encoding/json alone would also take "Type" for
// "type", and our reading would differ from everybody else's.
func read(m map[string]json.RawMessage, into any) {
	v := reflect.ValueOf(into).Elem()
	t := v.Type()
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		name, _, _ := strings.Cut(tag.Get("json"), ",")
		raw, ok := m[name]
		if !ok || name == "" || name == "-" || string(raw) == "null" || tag.Get("read") == "-" {
			continue
		}
		if own, ok := v.Field(i).Addr().Interface().(json.Unmarshaler); ok {
			_ = own.UnmarshalJSON(raw) // a member is valid: it needs no second look
			continue
		}
		_ = json.Unmarshal(raw, v.Field(i).Addr().Interface())
	}
}

// unquote reads a JSON string.
func unquote(raw []byte) (s string, ok bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	if s, ok = proof.Text(raw); ok {
		return s, true
	}
	return s, json.Unmarshal(raw, &s) == nil
}

// encode writes v without escaping HTML: what is stored is what people read.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// join writes several structs as one JSON object, in order, behind a context
// that the encoder need not look at: it is longer than most records.
func join(context json.RawMessage, parts ...any) ([]byte, error) {
	out := append([]byte(`{"@context":`), context...)
	for _, p := range parts {
		b, err := encode(p)
		if err != nil {
			return nil, err
		}
		inner := b[1 : len(b)-1]
		if len(inner) == 0 {
			continue
		}
		out = append(append(out, ','), inner...)
	}
	return append(out, '}'), nil
}
