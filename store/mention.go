// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"

	"essaim"
)

// alsoTell adds those whom the version before named: they hold it.
func (p *publication) alsoTell(before []essaim.Mention) {
	if p != nil {
		p.mentions = append(p.mentions[:len(p.mentions):len(p.mentions)], before...)
	}
}

// notify queues a publication for those whom its text names, besides the
// followers. Whose inbox gets it as a follower's anyway is left to the
// dispatcher.
func (tx *Tx) notify(ctx context.Context, p *publication) error {
	told := map[string]bool{}
	for _, m := range p.mentions {
		var inbox string
		err := tx.row(ctx, "mention_inbox", m.Actor).Scan(&inbox)
		if errors.Is(err, essaim.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if told[inbox] {
			continue
		}
		told[inbox] = true
		node, err := tx.nodeActor(ctx)
		if err != nil {
			return err
		}
		if _, err := tx.exec(ctx, "delivery_mention", p.activity, p.actor, authority(inbox), inbox, p.id, p.number, micros(tx.s.now()), node); err != nil {
			return err
		}
	}
	return nil
}
