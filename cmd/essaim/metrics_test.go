// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"essaim"
)

func TestMetricsCountRequestsAndWhatWaits(t *testing.T) {
	t.Parallel()
	away := false
	m := newMetrics(func(context.Context) (int, int, error) {
		if away {
			return 0, 0, essaim.ErrUnavailable
		}
		return 3, 5, nil
	})
	site := m.count(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/none" {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	for _, path := range []string{"/", "/", "/none"} {
		site.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
	}
	site.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("BREW", "/", nil))
	scrape := func() string {
		w := httptest.NewRecorder()
		m.handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		if w.Code != http.StatusOK {
			t.Errorf("status %d", w.Code)
		}
		return w.Body.String()
	}
	got := scrape()
	for _, want := range []string{
		`essaim_http_requests_total{method="GET",status="200"} 2`, `essaim_http_requests_total{method="GET",status="404"} 1`,
		`essaim_http_requests_total{method="other",status="200"} 1`, "essaim_deliveries_waiting 3", "essaim_inbox_waiting 5", "go_goroutines ",
	} {
		if !strings.Contains(got, want+"\n") && !strings.Contains(got, "\n"+want) {
			t.Errorf("no %s", want)
		}
	}
	away = true
	if got := scrape(); strings.Contains(got, "essaim_inbox_waiting") || !strings.Contains(got, "go_goroutines") {
		t.Error("a database that is away must hide its own figures only")
	}
}
