// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"time"

	"essaim"
	"essaim/federation/sig"
)

// judge takes in the answer of a try: for its row, and for its host.
func (d *Deliverer) judge(ctx context.Context, a answer) {
	t, l, now := a.try, a.try.lane, d.Now()
	d.total--
	l.running = slices.DeleteFunc(l.running, func(r *try) bool { return r == t })
	if errors.Is(a.err, errUnsure) {
		d.Logger.Warn("delivery not begun", "delivery", t.ID, "error", a.err)
		d.giveBack(l, []essaim.Delivery{t.Delivery}, now.Add(cutPause), "")
		return
	}
	v := judge(a.result, a.err)
	switch {
	case errors.Is(a.err, errStopping), errors.Is(a.err, errPanic):
		v.down = false
	case a.err != nil:
		if errors.Is(a.err, errImpatient) {
			v.down = t.down
		}
		// What was answered speaks for itself: a host that says 503 or 429 is in
		// trouble, whatever it answered before.
		v.down = v.down && !l.vouches(t, hung(a.err))
	}
	if again(t.Delivery) {
		if l.proven++; v.outcome != delivered {
			l.proven = 0
		}
	}
	reason := reasonOf(a)
	d.log(ctx, a, v, reason)
	save := false
	switch {
	case v.down:
		l.hostFailed(now, reason, a.result.RetryAfter, d.Random())
		save = true
		if l.broken {
			d.release(l, l.state.NextAt, reason)
		}
	case a.err == nil:
		var recovered bool
		save, recovered = l.succeeded(now, now.Sub(t.began))
		if rfc := a.style == sig.RFC9421; v.outcome == delivered && rfc != l.state.RFC9421 {
			l.state.RFC9421, save = rfc, true
		}
		if recovered {
			host := l.state.Host
			d.tasks.Go(func() { d.wake(ctx, host) })
		}
	}
	if save {
		if err := d.Store.SaveHost(ctx, l.state); err != nil {
			d.Logger.Warn("host not saved", "host", l.state.Host, "error", err)
		}
	}
	wait := a.result.RetryAfter
	if errors.Is(a.err, errImpatient) && !again(t.Delivery) {
		// It may have been a moment's delay: a minute would be long.
		wait = cutPause
	}
	r := settle(v, t.Delivery, a.result.Status, reason, now, wait, d.Random())
	if v.outcome == gone && r.State == essaim.DeliveryFailed {
		d.tasks.Go(func() { d.lose(ctx, t.Inbox, t.Host) })
	}
	d.pending = append(d.pending, hostResult{l.state.Host, r})
}

// syncFor is what to say of our followers at the host of a delivery, if it goes
// to followers.
func (d *Deliverer) syncFor(ctx context.Context, t *try) string {
	if d.Sync == nil || !addressesFollowers(t.Body, t.Actor) {
		return ""
	}
	return d.Sync(ctx, t.Actor, t.Host)
}

// wake makes what was put off because of the host due at once.
func (d *Deliverer) wake(ctx context.Context, host string) {
	if err := d.Store.WakeHost(ctx, host); err != nil {
		d.Logger.Warn("host not woken", "host", host, "error", err)
	}
}

// lose forgets the followers behind an inbox that says it is gone, again; unless
// somebody else may speak there for a node that is replicated.
func (d *Deliverer) lose(ctx context.Context, inbox, host string) {
	if d.Continues != nil {
		if err := d.Continues(ctx, host); err != nil {
			d.Logger.Warn("inbox says that it is gone, and is not believed", "inbox", inbox, "reason", err)
			return
		}
	}
	if err := d.Store.LoseInbox(ctx, inbox); err != nil {
		d.Logger.Warn("inbox not forgotten", "inbox", inbox, "error", err)
	}
}

// release gives back what a lane had claimed and will not send before at.
func (d *Deliverer) release(l *lane, at time.Time, reason string) {
	d.giveBack(l, l.queue, at, reason)
	l.queue = nil
}

// giveBack returns deliveries that were not tried: the claim is not counted
// among their tries.
func (d *Deliverer) giveBack(l *lane, list []essaim.Delivery, at time.Time, reason string) {
	for _, c := range list {
		d.pending = append(d.pending, hostResult{l.state.Host, essaim.DeliveryResult{
			ID: c.ID, Attempt: c.Attempt, State: essaim.DeliveryWaiting, NextAt: at, Reason: reason, Untried: c.LeaseUntil,
		}})
	}
}

// cutHanging ends tries of inboxes that hang where their place is needed.
func (d *Deliverer) cutHanging() {
	now := d.Now()
	for _, l := range d.order {
		l.probe(now)
		for _, t := range l.impatient(now) {
			t.cancel(errImpatient)
		}
	}
}

// take puts claimed deliveries into their lane.
func (d *Deliverer) take(c claimAnswer) {
	d.claiming--
	if c.err != nil {
		d.Logger.Warn("deliveries not claimed", "host", c.host, "error", c.err)
		c.lane.claiming, c.lane.dry = false, true
		return
	}
	c.lane.add(c.list, c.n, d.Now())
	if c.lane.broken {
		d.release(c.lane, c.lane.state.NextAt, c.lane.state.LastReason)
	}
}

// claimer asks the database for deliveries, one claim at a time.
func (d *Deliverer) claimer(ctx context.Context) {
	for r := range d.ask {
		list, err := d.Store.ClaimDeliveries(ctx, r.host, r.n, lease)
		d.claims <- claimAnswer{claimRequest: r, list: list, err: err}
	}
}

// acker writes results, as many in one transaction as came during the last.
func (d *Deliverer) acker(ctx context.Context) {
	for batch := range d.results {
		d.ack(ctx, batch)
		d.acked <- batch
	}
}

// ack writes a batch, and tries again while the leases still hold: what cannot
// be written is sent a second time, never lost.
func (d *Deliverer) ack(ctx context.Context, batch []hostResult) {
	results := make([]essaim.DeliveryResult, len(batch))
	for i, r := range batch {
		results[i] = r.DeliveryResult
	}
	for n := range 10 {
		err := d.Store.FinishDeliveries(ctx, results)
		if err == nil {
			return
		}
		d.Logger.Warn("deliveries not finished", "deliveries", len(results), "error", err)
		pause := time.NewTimer(min(time.Duration(n+1)*500*time.Millisecond, 3*time.Second))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return
		}
	}
}

// reasonOf is one line for an administrator, without secrets.
func reasonOf(a answer) string {
	switch {
	case errors.Is(a.err, errImpatient), errors.Is(a.err, errStopping), errors.Is(a.err, errPanic):
		return a.err.Error()
	case errors.Is(a.err, essaim.ErrInvalid):
		return "address that must not be reached"
	case errors.Is(a.err, context.DeadlineExceeded):
		return "no answer within " + tryTime.String()
	case a.err != nil:
		return oneLine(a.err.Error(), 200)
	case a.result.Page:
		return "answered " + strconv.Itoa(a.result.Status) + " with a page for people"
	}
	return "answered " + strconv.Itoa(a.result.Status)
}

// hung tells whether a try was heard, as far as is known, and not answered in
// time. A connection that does not come about says something of the host, an
// answer that does not come maybe of one inbox only.
func hung(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return false
	}
	return errors.Is(err, errImpatient) || errors.Is(err, context.DeadlineExceeded)
}

func oneLine(s string, limit int) string {
	out := make([]rune, 0, limit)
	for _, r := range s {
		if len(out) == limit {
			break
		}
		if r < ' ' {
			r = ' '
		}
		out = append(out, r)
	}
	return string(out)
}

// log writes one line a try.
func (d *Deliverer) log(ctx context.Context, a answer, v verdict, reason string) {
	level, message := slog.LevelInfo, "delivered"
	if v.outcome != delivered {
		level, message = slog.LevelWarn, "not delivered"
	}
	d.Logger.LogAttrs(ctx, level, message,
		slog.Int64("delivery", a.try.ID), slog.String("inbox", a.try.Inbox), slog.String("activity", a.try.ActivityID),
		slog.Int("attempt", a.try.Attempt), slog.Int("status", a.result.Status), slog.String("reason", reason),
		slog.Duration("took", d.Now().Sub(a.try.began)))
}

func other(style sig.Style) sig.Style {
	if style == sig.Cavage {
		return sig.RFC9421
	}
	return sig.Cavage
}

// wind gives back what was claimed and not begun, and waits for what is under
// way, at most a few seconds.
func (d *Deliverer) wind(ctx context.Context) {
	for _, r := range d.wanting {
		r.lane.claiming = false
	}
	d.wanting = nil
	patience := time.NewTimer(5 * time.Second)
	defer patience.Stop()
	for {
		for _, l := range d.lanes {
			d.release(l, d.Now(), "")
		}
		if d.rests() {
			return
		}
		select {
		case a := <-d.answers:
			d.judge(ctx, a)
		case c := <-d.claims:
			d.take(c)
		case d.writes() <- d.pending:
			d.pending, d.writing = nil, d.writing+1
		case batch := <-d.acked:
			d.freed(batch)
		case <-patience.C:
			for _, l := range d.lanes {
				for _, t := range l.running {
					t.cancel(errStopping)
				}
			}
		}
	}
}

var errStopping = errors.New("the node stopped")
