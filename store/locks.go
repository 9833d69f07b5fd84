// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"hash/fnv"
	"strconv"
	"strings"
)

// Where several processes write, these make some of their transactions wait
// for one another until the end of the first. On SQLite they do nothing.

// lockInbox lets one process claim inbound activities at a time.
func (tx *Tx) lockInbox(ctx context.Context) error {
	_, err := list(ctx, tx, only[any], "lock_inbox")
	return err
}

// lockObjects keeps others from creating or erasing the same objects.
func (tx *Tx) lockObjects(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		h := fnv.New64a()
		h.Write([]byte(id))
		keys[i] = strconv.FormatInt(int64(h.Sum64()), 10)
	}
	_, err := list(ctx, tx, only[any], "lock_objects", strings.Join(keys, ","))
	return err
}

// freeLeases ends the leases of processes that are gone, where this one is alone:
// whoever holds the data directory's lock is, and on PostgreSQL whoever is the first
// to listen. Where others run, leases end by themselves.
func (s *Store) freeLeases(ctx context.Context) error {
	return s.write(ctx, urgent, func(tx *Tx) error {
		if err := tx.row(ctx, "lock_alone").Scan(bit{&s.alone}); err != nil || !s.alone {
			return err
		}
		for _, name := range []string{"inbox_free_leases", "delivery_free_leases", "wanted_free_leases", "sync_free_leases", "recovery_free_leases"} {
			if _, err := tx.exec(ctx, name); err != nil {
				return err
			}
		}
		return nil
	})
}

// Alone tells whether no other process of the node ran when this one opened it.
func (s *Store) Alone() bool { return s.alone }
