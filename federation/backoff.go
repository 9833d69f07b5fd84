// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"errors"
	"net/http"
	"time"

	"essaim"
	"essaim/federation/fetch"
)

// giveUpAfter is how long a delivery is tried. A peer that comes back later
// reads what it missed.
const giveUpAfter = 14 * 24 * time.Hour

// goneAfter is when an inbox that says that it is gone is asked again, and then
// believed: a mistaken 410 during a maintenance must not cost every follower there.
const goneAfter = 24 * time.Hour

// backoffTable is the wait after the first failure, the second, and so on; the
// last one repeats.
var backoffTable = [...]time.Duration{
	time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour,
}

// backoff is the wait after failures in a row, within ± 25 % so that those who
// failed together do not come back together. random is in [0, 1).
func backoff(failures int, random float64) time.Duration {
	d := backoffTable[min(max(failures, 1), len(backoffTable))-1]
	return time.Duration(float64(d) * (0.75 + 0.5*random))
}

// outcome is what one try of a delivery came to.
type outcome int

const (
	delivered outcome = iota
	// tryLater is a failure that may pass: the host's own (down) or not.
	tryLater
	// misplaced is a refusal that a mended configuration would lift.
	misplaced
	// gone is asked about once more a day later.
	gone
	// failed is for good.
	failed
)

// verdict says what an answer means, for the delivery and for its host.
type verdict struct {
	outcome outcome
	// down is set when the host itself is in trouble, and not one of its
	// inboxes alone: it counts towards the breaker.
	down bool
	// otherSignature is set when the other signature scheme may be what the
	// host wants.
	otherSignature bool
}

// judge is the one place where answers are classed; FEDERATION.md has the
// table. The status is 0 when there was none.
func judge(r fetch.Result, err error) verdict {
	status := r.Status
	switch {
	case errors.Is(err, essaim.ErrInvalid):
		// An address that must not be reached, or is none.
		return verdict{outcome: failed}
	case err != nil:
		return verdict{outcome: tryLater, down: true}
	case r.Page && status >= 200 && status < 300:
		// Whoever said so is not the inbox: what it was given is lost.
		return verdict{outcome: tryLater, down: true}
	case status >= 200 && status < 300:
		return verdict{outcome: delivered}
	case status >= 300 && status < 400:
		// An inbox that moves says so in its actor's document; a redirect is
		// a page for people, or a mistake.
		return verdict{outcome: misplaced}
	}
	switch status {
	case http.StatusBadRequest:
		return verdict{outcome: failed, otherSignature: true}
	case http.StatusUnauthorized:
		return verdict{outcome: misplaced, otherSignature: true}
	case http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed:
		return verdict{outcome: misplaced}
	case http.StatusRequestTimeout, http.StatusMisdirectedRequest, http.StatusTooEarly:
		return verdict{outcome: tryLater}
	case http.StatusGone:
		return verdict{outcome: gone}
	case http.StatusTooManyRequests:
		return verdict{outcome: tryLater, down: true}
	case http.StatusNotImplemented:
		return verdict{outcome: failed}
	}
	if status >= 500 {
		return verdict{outcome: tryLater, down: true}
	}
	// Every other refusal.
	return verdict{outcome: failed}
}

// settle turns a verdict into what the queue is told. age is how long the
// delivery has waited, wait what its receiver asked for.
func settle(v verdict, d essaim.Delivery, status int, reason string, now time.Time, wait time.Duration, random float64) essaim.DeliveryResult {
	r := essaim.DeliveryResult{ID: d.ID, Attempt: d.Attempt, Status: status, Reason: reason}
	age := now.Sub(d.CreatedAt)
	twice := judge(fetch.Result{Status: d.Status}, nil).outcome == v.outcome // as the try before
	switch {
	case v.outcome == delivered:
		r.State, r.Reason = essaim.DeliveryDone, ""
	case v.outcome == gone && !twice:
		r.State, r.NextAt = essaim.DeliveryWaiting, now.Add(goneAfter)
	case v.outcome == failed, v.outcome == gone, v.outcome == misplaced && twice && age > essaim.MisplacedAfter, age > giveUpAfter:
		r.State = essaim.DeliveryFailed
	case v.outcome == misplaced && age > essaim.MisplacedAfter:
		// For the last time: not within minutes, however few its tries were.
		r.State, r.NextAt = essaim.DeliveryWaiting, now.Add(max(wait, backoff(len(backoffTable), random)))
	default:
		r.State, r.NextAt = essaim.DeliveryWaiting, now.Add(backoff(d.Attempt, random))
		if wait > 0 {
			// What the receiver asks for is obeyed, not doubled.
			r.NextAt = now.Add(wait)
		}
	}
	return r
}
