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

// allot gives ref a name for good: the one wanted, or the first free one of
// name-2, name-3…. Names are never freed, so that an address keeps its meaning
// after what it named is gone.
func (tx *Tx) allot(ctx context.Context, space, want, ref string) (string, error) {
	if want == "" {
		return "", fmt.Errorf("empty name: %w", essaim.ErrInvalid)
	}
	name, now := want, tx.s.now().UnixMicro()
	for i := 2; ; i++ {
		var given string
		err := tx.row(ctx, "name_allot", space, name, ref, now).Scan(&given)
		if err == nil || !errors.Is(err, essaim.ErrNotFound) {
			return given, err
		}
		if i == 2 {
			// What bears it may be lost and come back.
			if err := tx.row(ctx, "name_ref", space, name).Scan(&given); err == nil && given == ref {
				return name, nil
			}
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
