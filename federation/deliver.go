// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"cmp"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"essaim"
	"essaim/federation/fetch"
	"essaim/federation/sig"
	"essaim/federation/vocab"
)

// Poster sends signed activities; *fetch.Client is the one.
type Poster interface {
	Post(ctx context.Context, inbox string, body []byte, sign func(*http.Request, []byte) error) (fetch.Result, error)
}

// DelivererConfig is what a Deliverer needs.
type DelivererConfig struct {
	Store  DeliveryStore   // required
	Client Poster          // required
	Key    *rsa.PrivateKey // required: signs for every local actor
	Now    func() time.Time
	Logger *slog.Logger
	// Sync gives the Collection-Synchronization header of an activity to the
	// followers of a local actor, for a host; empty for none.
	Sync func(ctx context.Context, actor, host string) string
	// Continues is Actors': what answers 410 in the place of a node that is
	// replicated takes no follower. May be nil.
	Continues func(ctx context.Context, host string) error
	// Workers is how many tries are under way at once; 64 when 0.
	Workers int
	// Random spreads retries, in [0, 1).
	Random func() float64
}

// Deliverer sends what is queued. It schedules hosts, not rows: each host has
// its own place, pace and breaker, so that one that hangs disturbs nobody. What
// it holds in memory may be lost at any moment: a claim that is not finished is
// free again when its lease ends.
type Deliverer struct {
	DelivererConfig

	lanes map[string]*lane
	order []*lane // round robin
	total int     // tries under way
	once  bool    // lanes have their turn in the order of their hosts, else in any

	// What the scheduler has to say to the two goroutines that talk to the
	// database; it never waits for them.
	wanting  []claimRequest
	claiming int // requests not answered yet
	pending  []hostResult
	writing  int // batches not written yet

	answers chan answer
	ask     chan claimRequest
	claims  chan claimAnswer
	results chan []hostResult
	acked   chan []hostResult
	tasks   sync.WaitGroup
}

// answer is what a try came to.
type answer struct {
	try    *try
	result fetch.Result
	err    error
	style  sig.Style
}

type claimRequest struct {
	lane *lane
	host string
	n    int
}

type claimAnswer struct {
	claimRequest
	list []essaim.Delivery
	err  error
}

type hostResult struct {
	host string
	essaim.DeliveryResult
}

// NewDeliverer checks the configuration.
func NewDeliverer(c DelivererConfig) (*Deliverer, error) {
	if c.Store == nil || c.Client == nil || c.Key == nil {
		return nil, fmt.Errorf("deliverer: store, client and key are required: %w", essaim.ErrInvalid)
	}
	c.Workers = cmp.Or(c.Workers, 64)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Float64
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Deliverer{DelivererConfig: c}, nil
}

// Run delivers until ctx ends. It then starts nothing more, waits a few seconds
// for what is under way, and gives back what it had claimed.
func (d *Deliverer) Run(ctx context.Context) error { return d.run(ctx, false) }

// run is Run; once ends it when nothing more can be begun now.
func (d *Deliverer) run(ctx context.Context, once bool) error {
	d.once = once
	d.lanes, d.order, d.total = map[string]*lane{}, nil, 0
	d.answers, d.claims, d.acked = make(chan answer), make(chan claimAnswer), make(chan []hostResult)
	d.results, d.ask = make(chan []hostResult), make(chan claimRequest)
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	if !once {
		// What was put off may be due: an outage of ours looks like one of others.
		d.tasks.Go(func() {
			if err := d.Store.WakeHosts(work); err != nil {
				d.Logger.Warn("hosts not woken", "error", err)
			}
		})
	}
	d.tasks.Go(func() { d.claimer(work) })
	d.tasks.Go(func() { d.acker(work) })
	d.schedule(ctx, work)
	// A database that is away must not keep the node from stopping.
	defer time.AfterFunc(8*time.Second, stop).Stop()
	d.wind(work)
	close(d.ask)
	close(d.results)
	d.tasks.Wait()
	return nil
}

// schedule is the one goroutine that decides.
func (d *Deliverer) schedule(ctx, work context.Context) {
	var bell <-chan struct{}
	if !d.once {
		bell = d.Store.Notify()
	}
	// Our own results ring it too, a hundred times a second in a fan-out: one
	// look answers all that came since the last.
	heard := bell
	rest := time.NewTimer(time.Hour)
	defer rest.Stop()
	// Retries become due without a commit, so the bell alone is not enough.
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	pace := time.NewTimer(time.Hour)
	defer pace.Stop()
	d.refresh(work)
	for {
		pace.Reset(d.start(work))
		if d.once && d.rests() {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-heard:
			d.refresh(work)
			heard = nil
			rest.Reset(refreshPause)
		case <-rest.C:
			heard = bell
		case <-tick.C:
			d.refresh(work)
		case <-pace.C:
			d.cutHanging()
		case a := <-d.answers:
			d.judge(work, a)
		case d.asking() <- d.nextWanted():
			d.wanting, d.claiming = d.wanting[1:], d.claiming+1
		case c := <-d.claims:
			d.take(c)
		case d.writes() <- d.pending:
			d.pending, d.writing = nil, d.writing+1
		case batch := <-d.acked:
			d.freed(batch)
		}
	}
}

// rests tells whether nothing is under way: what could begin has begun.
func (d *Deliverer) rests() bool {
	return d.total+len(d.wanting)+d.claiming+len(d.pending)+d.writing == 0
}

// asking is the claimer's channel while there is something to ask, else nil.
func (d *Deliverer) asking() chan<- claimRequest {
	if len(d.wanting) == 0 {
		return nil
	}
	return d.ask
}

func (d *Deliverer) nextWanted() claimRequest {
	if len(d.wanting) == 0 {
		return claimRequest{}
	}
	return d.wanting[0]
}

// writes is the acker's channel while there is something to write, else nil.
// What comes while it writes makes the next batch.
func (d *Deliverer) writes() chan<- []hostResult {
	if len(d.pending) == 0 {
		return nil
	}
	return d.results
}

// freed notes that results were written: what was behind them may be due now.
func (d *Deliverer) freed(batch []hostResult) {
	d.writing--
	for _, r := range batch {
		if l := d.lanes[r.host]; l != nil {
			l.dry = false
		}
	}
}

// refresh looks for hosts with something due.
func (d *Deliverer) refresh(ctx context.Context) {
	now := d.Now()
	for host, l := range d.lanes {
		if l.idle() && (l.dry || l.broken) && !l.resting(now) {
			delete(d.lanes, host)
		}
	}
	due, err := d.Store.DueHosts(ctx, 1000)
	if err != nil {
		d.Logger.Warn("deliveries not read", "error", err)
		return
	}
	for _, state := range due {
		l := d.lanes[state.Host]
		if l == nil {
			l = newLane(state, now)
			d.lanes[state.Host] = l
		} else if l.broken {
			// The database says that it is due: its time came, or it woke.
			l.broken, l.limit, l.batch = false, 1, 1
		}
		l.dry = false
	}
	d.order = d.order[:0]
	for _, l := range d.lanes {
		d.order = append(d.order, l)
	}
	if d.once {
		slices.SortFunc(d.order, func(a, b *lane) int { return strings.Compare(a.state.Host, b.state.Host) })
	}
}

// start begins what may begin, one try a host in turn, asks for more where a
// queue runs low, and returns how long until something may change by itself.
func (d *Deliverer) start(ctx context.Context) time.Duration {
	next := time.Hour
	now := d.Now()
	for again := true; again; {
		again = false
		for _, l := range d.order {
			if l.wantsMore() {
				l.claiming = true
				d.wanting = append(d.wanting, claimRequest{l, l.state.Host, l.batch})
			}
			d.giveBack(l, l.expire(now), now, "")
			ok, wait := l.ready(now)
			if wait > 0 {
				next = min(next, wait)
			}
			if !ok {
				continue
			}
			if d.total >= d.Workers && d.full(now) {
				return 50 * time.Millisecond // one that hangs may make room
			}
			if c, ok := l.take(); ok {
				d.begin(ctx, l, c, now)
				again = true
			}
		}
	}
	for _, l := range d.order {
		if len(l.queue) > 0 && (len(l.running) >= l.limit || l.againFull()) {
			return min(next, 50*time.Millisecond)
		}
	}
	return next
}

// full tells whether every worker is taken. A try without answer for a while
// no longer counts: a hundred silent hosts leave room for the others.
func (d *Deliverer) full(now time.Time) bool {
	if d.total >= maxUnderWay {
		return true
	}
	busy := 0
	for _, l := range d.order {
		for _, t := range l.running {
			if now.Sub(t.began) < parkAfter {
				busy++
			}
		}
	}
	return busy >= d.Workers
}

// begin starts one try.
func (d *Deliverer) begin(ctx context.Context, l *lane, c essaim.Delivery, now time.Time) {
	ctx, cancel := context.WithCancelCause(ctx)
	t := &try{Delivery: c, lane: l, began: now, cancel: cancel}
	l.running = append(l.running, t)
	l.nextAt = now.Add(slowPace)
	if !l.askedAt.After(l.answerAt) {
		l.askedAt = now
	}
	d.total++
	style := sig.Cavage
	if l.state.RFC9421 {
		style = sig.RFC9421
	}
	d.tasks.Go(func() {
		defer cancel(nil)
		d.answers <- d.send(ctx, t, style)
	})
}

// send makes one try: signed anew, and once more with the other signature when
// the answer says that this may be what is missing.
func (d *Deliverer) send(ctx context.Context, t *try, style sig.Style) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			d.Logger.Error("delivery panicked", "delivery", t.ID, "panic", p)
			a = answer{try: t, err: errPanic}
		}
	}()
	ctx, stop := context.WithTimeout(ctx, tryTime)
	defer stop()
	a = d.post(ctx, t, style)
	if v := judge(a.result, a.err); v.otherSignature {
		if b := d.post(ctx, t, other(style)); b.err == nil && judge(b.result, nil).outcome == delivered {
			return b
		}
	}
	return a
}

var errPanic = errors.New("internal error")

func (d *Deliverer) post(ctx context.Context, t *try, style sig.Style) answer {
	key := sig.SigningKey{ID: vocab.KeyID(t.Actor), Private: d.Key}
	sync := d.syncFor(ctx, t)
	result, err := d.Client.Post(ctx, t.Inbox, t.Body, func(r *http.Request, body []byte) error {
		if sync != "" {
			r.Header.Set(sig.Synchronization, sync)
		}
		return sig.Sign(r, body, key, style, d.Now())
	})
	if cause := context.Cause(ctx); err != nil && !errors.Is(err, errUnsure) && (errors.Is(cause, errImpatient) || errors.Is(cause, errStopping)) {
		err = cause
	}
	return answer{try: t, result: result, err: err, style: style}
}
