// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"cmp"
	"fmt"
	"testing"
	"time"

	"essaim"
	"essaim/federation/fetch"
)

func TestWhatAnAnswerComesTo(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	unavailable := fmt.Errorf("x: %w", essaim.ErrUnavailable)
	for _, tt := range []struct {
		status int
		page   bool
		before int // status of the try before
		err    error
		age    time.Duration
		want   essaim.DeliveryState
		down   bool
		wait   time.Duration // a minute when 0
	}{
		{status: 200, want: essaim.DeliveryDone},
		{status: 202, want: essaim.DeliveryDone},
		{status: 204, want: essaim.DeliveryDone},
		{status: 200, page: true, want: essaim.DeliveryWaiting, down: true},
		{status: 301, want: essaim.DeliveryWaiting},
		{status: 302, before: 302, age: 4 * day, want: essaim.DeliveryFailed},
		{status: 400, want: essaim.DeliveryFailed},
		{status: 401, want: essaim.DeliveryWaiting},
		{status: 401, before: 401, age: 4 * day, want: essaim.DeliveryFailed},
		{status: 403, want: essaim.DeliveryWaiting},
		{status: 404, want: essaim.DeliveryWaiting},
		{status: 404, before: 404, age: 4 * day, want: essaim.DeliveryFailed},
		{status: 404, before: 401, age: 4 * day, want: essaim.DeliveryFailed},
		// It waited for a host that was down, or hung, and comes back misconfigured.
		{status: 404, before: 503, age: 4 * day, want: essaim.DeliveryWaiting, wait: 12 * time.Hour},
		{status: 404, age: 4 * day, want: essaim.DeliveryWaiting, wait: 12 * time.Hour},
		{status: 404, age: 15 * day, want: essaim.DeliveryFailed},
		{status: 408, want: essaim.DeliveryWaiting},
		{status: 410, want: essaim.DeliveryWaiting, wait: day},
		{status: 410, before: 410, age: day, want: essaim.DeliveryFailed},
		// It waited for a host that was down, and this is the first 410 of all.
		{status: 410, before: 503, age: 4 * day, want: essaim.DeliveryWaiting, wait: day},
		{status: 413, want: essaim.DeliveryFailed},
		{status: 422, want: essaim.DeliveryFailed},
		{status: 429, want: essaim.DeliveryWaiting, down: true},
		{status: 500, want: essaim.DeliveryWaiting, down: true},
		{status: 501, want: essaim.DeliveryFailed},
		{status: 503, want: essaim.DeliveryWaiting, down: true},
		{status: 503, age: 13 * day, want: essaim.DeliveryWaiting, down: true},
		{status: 503, age: 15 * day, want: essaim.DeliveryFailed, down: true},
		{err: unavailable, want: essaim.DeliveryWaiting, down: true},
		{err: unavailable, age: 15 * day, want: essaim.DeliveryFailed, down: true},
		{err: fetch.ErrAddress, want: essaim.DeliveryFailed},
	} {
		t.Run(fmt.Sprintf("%d %v %v after %s and %d", tt.status, tt.page, tt.err, tt.age, tt.before), func(t *testing.T) {
			t.Parallel()
			v := judge(fetch.Result{Status: tt.status, Page: tt.page}, tt.err)
			got := settle(v, essaim.Delivery{ID: 1, Attempt: 1, CreatedAt: now.Add(-tt.age), Status: tt.before}, tt.status, "reason", now, 0, 0.5)
			if got.State != tt.want || v.down != tt.down {
				t.Errorf("got %s, down %v, want %s, %v", got.State, v.down, tt.want, tt.down)
			}
			if got.State == essaim.DeliveryWaiting && got.NextAt.Sub(now) != cmp.Or(tt.wait, time.Minute) {
				t.Errorf("got another try in %s, want in %s", got.NextAt.Sub(now), cmp.Or(tt.wait, time.Minute))
			}
		})
	}
}

func TestBackoffStaysWithinAQuarter(t *testing.T) {
	t.Parallel()
	for failures, want := range map[int]time.Duration{0: time.Minute, 1: time.Minute, 2: 5 * time.Minute, 6: 12 * time.Hour, 40: 12 * time.Hour} {
		low, high := backoff(failures, 0), backoff(failures, 0.999999)
		if low < want*3/4 || high > want*5/4 || backoff(failures, 0.5) != want {
			t.Errorf("after %d failures: got %s to %s, want %s ± 25 %%", failures, low, high, want)
		}
	}
}
