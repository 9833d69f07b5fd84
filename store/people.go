// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"encoding/json"
	"fmt"

	"essaim"
)

// peopleTogether bounds what one page of people reads.
const peopleTogether = 200

// People lists, by their names on the Fediverse, up to n people of this node who
// let directories list them: those after one ("" = from the first).
func (s *Store) People(ctx context.Context, after string, n int) ([]essaim.LocalActor, error) {
	n = min(max(n, 1), maxLimit)
	var found []essaim.LocalActor
	for {
		read := 0
		err := s.query().each(ctx, "people_page", func(scan func(...any) error) error {
			a := essaim.LocalActor{Kind: essaim.ActorPerson}
			var profile string
			if err := scan(&a.ID, &a.Username, &profile); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(profile), &a.Profile); err != nil {
				return err
			}
			read, after = read+1, a.Username
			if yes := a.Profile.Discoverable; yes != nil && *yes && len(found) < n {
				found = append(found, a)
			}
			return nil
		}, after, peopleTogether)
		if err != nil {
			return nil, fmt.Errorf("people: %w", err)
		}
		if read < peopleTogether || len(found) == n {
			return found, nil
		}
	}
}
