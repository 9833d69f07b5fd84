// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"fmt"

	"essaim"
)

// What follows does once, and to its end, what Run does whenever it becomes due:
// for who keeps the time himself, as a rig does whose clock stands still until it
// is moved. A node runs by Run alone.

// TurnStart does what a start does first: what was put off is due again, and the
// peers are told that this node is up.
func (s *Server) TurnStart(ctx context.Context) error {
	if err := errors.Join(s.store.WakeHosts(ctx), s.store.WakeCommons(ctx, s.now())); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	s.rescuer.Ask(ctx)
	s.greet(ctx)
	s.tasks.Wait()
	return nil
}

// TurnInwards applies what came and fetches what it named.
func (s *Server) TurnInwards(ctx context.Context) error {
	one, err := newReader(s.ingest)
	for n := 1; n > 0 && err == nil && ctx.Err() == nil; {
		n, err = s.ingest.batch(ctx, []*reader{one})
	}
	for err == nil && ctx.Err() == nil {
		err = s.gather.next(ctx, make(chan struct{}, 1))
	}
	s.tasks.Wait()
	if err != nil && !errors.Is(err, essaim.ErrNotFound) {
		return fmt.Errorf("turn inwards: %w", err)
	}
	return ctx.Err()
}

// TurnReplicas gets back what this node lost, if it did, mends what is damaged of
// its own, signs its head, reads on in the commons of the nodes whose time it is, and
// compares with those whose day it is.
func (s *Server) TurnReplicas(ctx context.Context) error {
	for _, step := range [...]func(context.Context) error{s.rescuer.Step, s.rescuer.examineDue, s.renewHead} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("turn of replicas: %w", err)
		}
	}
	s.replicas.readDue(ctx, 1) // in their order, so that a rig can do the same again
	s.replicas.erasuresDue(ctx)
	for s.replicas.compareDue(ctx) {
	}
	s.tasks.Wait()
	return ctx.Err()
}

// TurnOutwards fans out what is published and makes one try of each delivery that
// is due.
func (s *Server) TurnOutwards(ctx context.Context) error {
	s.dispatch.all(ctx)
	err := s.deliver.run(ctx, true)
	s.tasks.Wait()
	return errors.Join(err, ctx.Err())
}
