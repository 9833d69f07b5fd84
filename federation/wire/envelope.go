// SPDX-License-Identifier: AGPL-3.0-or-later

package wire

// Envelope is the activity as go-fed's streams may see it: "@context" is ours,
// the object is reduced to its id, or for a nested activity to its id, type,
// actor and object, and nothing else is left. The map is new at each call,
// since streams changes what it is given.
//
// streams.ToType tries each unknown object against some sixty types; with the
// envelope its cost does not depend on what a sender writes.
func (a *Activity) Envelope() map[string]any {
	m := map[string]any{
		"@context": Context,
		"id":       a.ID.String(),
		"type":     a.Type,
		"actor":    a.Actor.String(),
	}
	o := &a.Object
	switch {
	case len(a.Objects) > 0:
		list := make([]any, len(a.Objects))
		for i, iri := range a.Objects {
			list[i] = iri.String()
		}
		m["object"] = list
	case nests(a.Type) && o.Embedded():
		nested := map[string]any{"type": o.Type}
		for name, iri := range map[string]string{"id": o.ID.String(), "actor": o.Actor.String(), "object": o.Object.String()} {
			if iri != "" {
				nested[name] = iri
			}
		}
		m["object"] = nested
	case !o.ID.IsZero():
		m["object"] = o.ID.String()
	}
	if !a.Target.IsZero() {
		m["target"] = a.Target.String()
	}
	return m
}
