// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"slices"
	"time"

	"essaim"
)

const (
	firstConnections = 2 // to a host at first: with one, one bad message blocks all
	maxConnections   = 8 // to a host that answers well
	// slowPace is the time between two requests to a host that failed within
	// slowFor or holds a backlog: at most ten a second.
	slowPace = 100 * time.Millisecond
	slowFor  = time.Hour
	// backlogAge is how old a waiting delivery makes a backlog.
	backlogAge = 10 * time.Minute
	// breakAfter is how many failures in a row open the breaker.
	breakAfter = 3
	// lease is how long claimed deliveries are ours.
	lease = 60 * time.Second
	// tryTime bounds one try, with its connection.
	tryTime = 15 * time.Second
	// basePatience is how long a first try may go without an answer while others
	// wait for its place; each further try has four times longer.
	basePatience = 300 * time.Millisecond
	// coldPatience is how long a host that has answered nobody yet may take
	// before one request more asks whether it is the host that hangs, or the
	// first inboxes: up to coldConnections.
	coldPatience    = time.Second
	coldConnections = 4
	// knownFor is for how long a host that answered is known: it gets as many at first.
	knownFor    = 6 * time.Hour
	silentAfter = 2 * time.Second
	// cutPause is when a try that lost its place is made again, the first time.
	cutPause = 5 * time.Second
	// parkAfter is when a try without answer leaves its worker to others; it
	// goes on, within maxUnderWay in all.
	parkAfter   = 250 * time.Millisecond
	maxUnderWay = 256
	maxBatch    = 128
	// successNoted is how long a host's last success may be later than is noted.
	successNoted = time.Minute
	// refreshPause is how long the bell goes unheard once hosts were looked for.
	refreshPause = 10 * time.Millisecond
)

// errImpatient ends a try whose place is needed while others get answers.
var errImpatient = errors.New("no answer while others were answered")

// lane is what the deliverer holds of one host while it has something to send
// to it. Only the scheduler touches it.
type lane struct {
	state   essaim.HostState
	queue   []essaim.Delivery // claimed, in that order
	running []*try            // oldest first
	limit   int               // requests at a time
	batch   int               // how many to claim next

	claiming bool
	dry      bool // the last claim came back short; cleared when more is due
	broken   bool // nothing starts before state.NextAt
	slow     bool // at slowPace
	answered int  // tries answered so far
	proven   int  // deliveries that failed before and arrived, since the last that failed again
	excused  int  // tries that came to nothing and were not counted, since the last success
	answerAt time.Time
	askedAt  time.Time // of the first try begun since answerAt
	cutAt    time.Time
	typical  time.Duration // how long an answer takes, lately
	nextAt   time.Time
	savedAt  time.Time
}

// try is one delivery under way.
type try struct {
	essaim.Delivery
	lane   *lane
	began  time.Time
	cancel context.CancelCauseFunc
	cut    bool
	down   bool // cut because the host answers nobody
}

func newLane(state essaim.HostState, now time.Time) *lane {
	l := &lane{state: state, limit: firstConnections, batch: 2 * firstConnections}
	if state.Failures > 0 || now.Sub(state.FailedAt) < slowFor {
		l.slow = true
	}
	if state.Failures == 0 && now.Sub(state.LastSuccess) < knownFor {
		l.limit, l.batch = coldConnections, 2*coldConnections
	}
	if state.Failures >= breakAfter {
		// Half open: one request tells whether the host is back.
		l.limit, l.batch = 1, 1
	}
	return l
}

// ready tells whether the lane may start a try now; wait is how long until its
// pace allows one, when that alone stands in the way.
func (l *lane) ready(now time.Time) (ok bool, wait time.Duration) {
	if l.broken || len(l.queue) == 0 || len(l.running) >= l.limit {
		return false, 0
	}
	if l.resting(now) {
		return false, l.nextAt.Sub(now)
	}
	return true, 0
}

// resting tells whether the pace of a slow lane lets nothing start yet; forgotten
// then, its host would get the next request at once.
func (l *lane) resting(now time.Time) bool { return l.slow && now.Before(l.nextAt) }

// wantsMore tells whether to claim: before the queue runs dry, so that the
// connections never wait for the database. What must wait for a place because it
// failed before keeps nobody else in the database.
func (l *lane) wantsMore() bool {
	if l.broken || l.claiming || l.dry || len(l.queue) >= 2*maxBatch {
		return false
	}
	ready := len(l.queue)
	if l.againFull() {
		ready = 0
		for _, c := range l.queue {
			if !again(c) {
				ready++
			}
		}
	}
	return ready < max(l.limit, l.batch/4)
}

// againFull tells whether deliveries that failed before have all the places that
// they may have, a quarter and one more for each that arrived: what hangs again keeps
// nothing from what is tried for the first time.
func (l *lane) againFull() bool {
	n := 0
	for _, t := range l.running {
		if again(t.Delivery) {
			n++
		}
	}
	return n >= min(l.limit, max(1, l.limit/4)+l.proven)
}

// again tells whether a delivery failed before.
func again(d essaim.Delivery) bool { return d.Attempt > 1 }

// idle tells whether the lane may be forgotten.
func (l *lane) idle() bool {
	return len(l.queue) == 0 && len(l.running) == 0 && !l.claiming
}

// take removes the next delivery that has a place.
func (l *lane) take() (essaim.Delivery, bool) {
	full := l.againFull()
	for i, c := range l.queue {
		if !again(c) || !full {
			l.queue = slices.Delete(l.queue, i, i+1)
			return c, true
		}
	}
	return essaim.Delivery{}, false
}

// expire removes the deliveries whose lease ends before a try could be done: they
// had no place in time.
func (l *lane) expire(now time.Time) []essaim.Delivery {
	n := 0
	for n < len(l.queue) && !now.Add(tryTime+5*time.Second).Before(l.queue[n].LeaseUntil) {
		n++
	}
	lapsed := l.queue[:n:n]
	if l.queue = l.queue[n:]; n > 0 {
		l.dry = false
	}
	return lapsed
}

// add takes in what was claimed.
func (l *lane) add(list []essaim.Delivery, asked int, now time.Time) {
	l.claiming = false
	l.dry = len(list) < asked
	if len(list) == asked && !l.slow && l.state.Failures == 0 {
		l.batch = min(2*l.batch, maxBatch)
	}
	for _, d := range list {
		if now.Sub(d.CreatedAt) > backlogAge {
			l.slow = true
		}
	}
	l.queue = append(l.queue, list...)
	if l.slow {
		l.batch = min(l.batch, 20)
	}
}

// succeeded notes an answer that delivered; true when the host's state is to be
// written.
func (l *lane) succeeded(now time.Time, took time.Duration) (save, recovered bool) {
	if l.broken && l.state.PausedUntil.After(now) {
		// It was under way when the host asked to be left alone until then.
		return false, false
	}
	l.answered++
	l.answerAt, l.excused = now, 0
	l.typical += (took - l.typical) / time.Duration(min(l.answered, 4))
	recovered = l.state.Failures > 0
	if recovered {
		l.slow, l.state.FailedAt = true, now
		l.batch = max(l.batch, 2*firstConnections)
		l.limit = max(l.limit, firstConnections)
	}
	// One request more at a time for each that went well, but never past what
	// is asked of it.
	l.limit = min(l.limit+1, maxConnections)
	l.broken = false
	l.state.Failures, l.state.NextAt, l.state.DownSince, l.state.PausedUntil = 0, time.Time{}, time.Time{}, time.Time{}
	l.state.LastSuccess, l.state.LastReason = now, ""
	if recovered || now.Sub(l.savedAt) > successNoted {
		l.savedAt = now
		return true, recovered
	}
	return false, recovered
}

// hostFailed notes that the host is in trouble and opens the breaker after
// several failures in a row, or at once when it says when to come back.
func (l *lane) hostFailed(now time.Time, reason string, wait time.Duration, random float64) {
	if l.broken {
		// One of those that were under way when it opened: only a pause is news, and
		// a short one too, as no wake-up cuts it short.
		if at := now.Add(wait); wait > 0 && at.After(l.state.PausedUntil) {
			l.state.PausedUntil = at
			if at.After(l.state.NextAt) {
				l.state.NextAt = at
			}
		}
		return
	}
	l.state.Failures++
	l.state.LastReason, l.state.FailedAt = reason, now
	if l.state.DownSince.IsZero() {
		l.state.DownSince = now
	}
	l.slow = true
	l.limit = max(1, l.limit/2)
	if l.state.Failures >= breakAfter || wait > 0 {
		l.broken = true
		l.state.NextAt = now.Add(backoff(l.state.Failures-breakAfter+1, random))
		if wait > 0 {
			l.state.NextAt = now.Add(wait)
			l.state.PausedUntil = l.state.NextAt
		}
	}
}

// patience is how long a try may wait for its answer while its place is needed.
func (l *lane) patience(t *try) time.Duration {
	p := max(basePatience, 6*l.typical)
	for range min(t.Attempt-1, 4) {
		p *= 4
	}
	return min(p, tryTime)
}

// vouches tells whether a host that is well answers for itself where a try had no
// answer: it answered others since the try began or, where one hangs that failed
// before, since the delivery was made. That says something of the inbox. A few are
// excused because it answered a moment before.
func (l *lane) vouches(t *try, hung bool) bool {
	switch {
	case l.state.Failures > 0:
		return false
	case l.answerAt.After(t.began):
		return true
	case hung && again(t.Delivery):
		return l.state.LastSuccess.Add(successNoted).After(t.CreatedAt)
	case l.excused < breakAfter && t.began.Sub(l.state.LastSuccess) < successNoted:
		l.excused++
		return true
	}
	return false
}

// probe lets one request more go to a host that has answered nobody.
func (l *lane) probe(now time.Time) {
	if l.answered == 0 && l.state.Failures == 0 && len(l.running) >= l.limit && l.limit < coldConnections &&
		now.Sub(l.running[len(l.running)-1].began) >= coldPatience {
		l.limit++
	}
}

// impatient lists the tries to end: those that hang while all the places of
// their host are taken, others wait for one, and the host has answered others
// since. When it has not, one is ended at a time, to see: and once it has been
// silent for a while, that counts against the host.
func (l *lane) impatient(now time.Time) []*try {
	full := len(l.running) >= l.limit
	if len(l.queue) == 0 || l.answered == 0 || !full && (!l.againFull() || !slices.ContainsFunc(l.queue, again)) {
		return nil
	}
	silent, pause := l.silent(now), basePatience
	if silent {
		pause = coldPatience
	}
	var list []*try
	for _, t := range l.running {
		if t.cut || !full && !again(t.Delivery) || len(list) == len(l.queue) || now.Sub(t.began) < l.patience(t) {
			continue
		}
		if !l.answerAt.After(t.began) {
			if now.Sub(l.cutAt) < pause {
				continue
			}
			t.down, l.cutAt = silent, now
		}
		t.cut = true
		list = append(list, t)
	}
	return list
}

// silent tells whether the host itself seems to hang, and not one of its
// inboxes: it has been asked for a while and has answered nobody since.
func (l *lane) silent(now time.Time) bool {
	return l.askedAt.After(l.answerAt) && now.Sub(l.askedAt) > silentAfter
}
