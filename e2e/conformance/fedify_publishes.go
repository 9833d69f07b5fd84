// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"essaim/e2e/rig"
)

// proposed is why an object is not a candidate that waits, of an author and with
// words in its title; without words it must have left nothing to decide.
func (w *world) proposed(object, author, words string) error {
	var all []error
	for _, state := range []string{"held", "accepted", "hidden"} {
		rows, err := w.items(state)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(rows, func(r item) bool { return r.Kind == "candidate" && r.Ref == object })
		switch wanted := words != "" && state == "held"; {
		case i < 0 && wanted:
			all = append(all, fmt.Errorf("%s is no candidate: %d wait", object, len(rows)))
		case i >= 0 && !wanted:
			all = append(all, fmt.Errorf("%s is a candidate, %s: %+v", object, state, rows[i]))
		case i >= 0 && (rows[i].Actor != author || !strings.Contains(rows[i].Excerpt, words)):
			all = append(all, fmt.Errorf("candidate %+v, want %q by %s", rows[i], words, author))
		}
	}
	return errors.Join(all...)
}

// fedifyPublishes follows an account of the peer: what it publishes comes here.
func (w *world) fedifyPublishes(j *judge) {
	account, ctx := "@camille@"+rig.Host(w.fedify.URL), w.ctx
	camille, dominique := w.fedify.URL+"/users/camille", w.fedify.URL+"/users/dominique"
	_, err := w.a.Run(ctx, "peer", "follow", "--data", w.a.Dir, account)
	j.no(err)
	same(j, "who follows", w.fedify.verified(j, "Follow", camille, cavageName).Actor, w.a.URL+"/actor")
	j.soon(w.patience, func() error {
		out, err := w.a.Run(ctx, "peer", "accounts", "--data", w.a.Dir)
		if err == nil && !strings.Contains(out, " followed ") {
			err = errors.New(out)
		}
		return err
	})

	note := w.fedify.must(j, "publish", args{"as": "camille", "content": "<p>Un rucher de quartier</p>"})
	j.soon(w.patience, func() error { return w.proposed(note, camille, "Un rucher de quartier") })
	w.fedify.must(j, "edit", args{"as": "camille", "note": note, "content": "<p>Une miellerie de quartier</p>"})
	j.soon(w.patience, func() error { return w.proposed(note, camille, "Une miellerie de quartier") })
	w.fedify.must(j, "delete", args{"as": "camille", "note": note})
	j.soon(w.patience, func() error { return w.proposed(note, camille, "") })

	// Nobody follows dominique: what camille boosts comes by the boost alone.
	boosted := w.fedify.must(j, "publish", args{"as": "dominique", "content": "<p>Une presse à jus</p>"})
	boost := w.fedify.must(j, "boost", args{"as": "camille", "object": boosted})
	j.soon(w.patience, func() error { return w.proposed(boosted, dominique, "Une presse à jus") })
	w.fedify.must(j, "unboost", args{"as": "camille", "object": boosted, "boost": boost})
	j.soon(w.patience, func() error { return w.proposed(boosted, dominique, "") })

	_, err = w.a.Run(ctx, "peer", "remove", "--data", w.a.Dir, account)
	j.no(err)
	var followers []string
	j.soon(w.patience, func() error {
		err := w.fedify.do("followers", args{"as": "camille"}, &followers)
		if err == nil && len(followers) > 0 {
			err = fmt.Errorf("followers at Fedify: %v", followers)
		}
		return err
	})
}
