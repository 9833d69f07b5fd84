// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"fmt"
	"time"

	"essaim/e2e/rig"
)

// rotate changes the keys of the true node while it is away.
func (t *takeover) rotate() error {
	_, err := t.nodes["brest"].Run(t.ctx, "key", "rotate", "--data", t.nodes["brest"].Dir)
	return err
}

// back starts the true node, which publishes. Whoever was asked for its key is not
// asked again for minutes, but a follower that was started meanwhile asks at once.
func (t *takeover) back(come func() error) error {
	t.impostor.Stop()
	if err := come(); err != nil {
		return err
	}
	if err := t.nodes["brest"].Start(t.ctx); err != nil {
		return err
	}
	for _, name := range followers {
		t.nodes[name].Stop()
		if err := t.nodes[name].Start(t.ctx); err != nil {
			return err
		}
	}
	title := fmt.Sprintf("Brest est de retour, %d", t.turn)
	if err := t.publish(title); err != nil {
		return err
	}
	made := t.records[len(t.records)-1]
	for _, name := range followers {
		err := rig.Eventually(90*time.Second, func() error {
			held, err := t.held(name)
			if err == nil && held[made.ID] == nil {
				err = fmt.Errorf("%s does not hold %q", name, title)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// settled waits until the followers contest nothing. Each copy is what it was or,
// once it is signed anew, what its origin serves.
func (t *takeover) settled() error {
	for _, name := range followers {
		err := rig.Eventually(time.Minute, func() error {
			p, err := t.peer(name)
			if err == nil && !p.ContestedAt.IsZero() {
				err = fmt.Errorf("at %s it is contested since %s", name, p.ContestedAt)
			}
			return err
		})
		if err != nil {
			return err
		}
		now, err := t.held(name)
		if err != nil {
			return err
		}
		for id, was := range t.copies[name] {
			_, want, err := rig.Get(t.ctx, id, rig.ActivityJSON)
			if err != nil {
				return err
			}
			if !bytes.Equal(now[id], was) && (t.turn == 1 || !bytes.Equal(now[id], want)) {
				return fmt.Errorf("%s at %s is not what it was: %.300s", id, name, now[id])
			}
		}
	}
	return t.keep()
}
