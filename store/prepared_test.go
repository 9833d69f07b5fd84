// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

// After a start nothing is compiled yet: those who read at once must not wait for a
// connection while they hold all that there are.
func TestReadersThatComeAtOnceAfterAStartDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, err := Open(ctx, Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	l := s.db.(*lite)
	readers := l.db.Reader.Stats().MaxOpenConnections
	if readers < 2 {
		t.Fatalf("%d readers", readers)
	}
	statements := []string{"last_number", "commons_last", "changes_total", "schema_version"}
	bounded, stop := context.WithTimeout(ctx, 20*time.Second)
	defer stop()
	var inside, ended sync.WaitGroup
	inside.Add(readers)
	errs := make([]error, readers)
	for i := range readers {
		ended.Go(func() {
			errs[i] = s.read(bounded, func(tx *Tx) error {
				inside.Done()
				inside.Wait() // each has its connection, and no other is left
				var n int64
				for j := range statements {
					if err := tx.row(bounded, statements[(i+j)%len(statements)]).Scan(&n); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
	ended.Wait()
	for i, err := range errs {
		if err != nil {
			t.Errorf("reader %d: %v", i, err)
		}
	}
	for _, name := range statements {
		if l.reads.compiled(name) == nil {
			t.Error(fmt.Sprint(name, " is compiled again by each reader"))
		}
	}
}
