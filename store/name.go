// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"essaim"
)

// actorNames is the space of the names in /actors/{name}; the slugs of each
// kind have a space of their own, called as the kind.
const actorNames = "actor"

// nameKey is a name in its space.
type nameKey struct{ space, name string }

// nameAsked is the question that take asks of a name.
func nameAsked(space, name string) question { return question{"name_ref", []any{space, name}} }

// take gives ref a name, unless somebody bears it already, who is then told. Where
// many are taken at once the names were asked for ahead, and are written with the
// rest: who takes the same meanwhile loses by the name's key, and finds it taken
// when its transaction runs again.
func (tx *Tx) take(ctx context.Context, space, name, ref string) (bearer string, taken bool, err error) {
	key, q, now := nameKey{space, name}, nameAsked(space, name), tx.s.now().UnixMicro()
	if bearer, ok := tx.names[key]; ok {
		return bearer, false, nil // may still wait in a batch
	}
	ahead := tx.r.asks(q)
	if !ahead {
		err := tx.row(ctx, "name_allot", space, name, ref, now).Scan(&bearer)
		if err == nil {
			tx.bears(key, ref)
		}
		if err == nil || !errors.Is(err, essaim.ErrNotFound) {
			return ref, err == nil, err
		}
	}
	err = tx.row(ctx, q.name, q.args...).Scan(&bearer)
	if !ahead || !errors.Is(err, essaim.ErrNotFound) {
		return bearer, false, err
	}
	tx.bears(key, ref)
	return ref, true, tx.later(ctx, "name_insert", space, name, ref, now)
}

// bears remembers a name that this transaction gave: an answer that was asked for
// ahead does not know of it.
func (d *draft) bears(key nameKey, ref string) {
	if d.names == nil {
		d.names = map[nameKey]string{}
	}
	d.names[key] = ref
}

// allot gives ref a name for good: the one wanted, or the first free one of
// name-2, name-3…. Names are never freed, so that an address keeps its meaning
// after what it named is gone.
func (tx *Tx) allot(ctx context.Context, space, want, ref string) (string, error) {
	if want == "" {
		return "", fmt.Errorf("empty name: %w", essaim.ErrInvalid)
	}
	name := want
	for i := 2; ; i++ {
		// What bears the name wanted may be lost and come back.
		bearer, taken, err := tx.take(ctx, space, name, ref)
		if err != nil || taken || i == 2 && bearer == ref {
			return name, err
		}
		if i == 3 {
			// Others bear the name already; go on where they stopped.
			if err := tx.row(ctx, "name_count", space, want+"-", want+".").Scan(&i); err != nil {
				return "", err
			}
			i = max(i, 1) + 2
		}
		name = want + "-" + strconv.Itoa(i)
	}
}
