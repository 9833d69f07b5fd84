// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what the second listener serves. They hold no address and no
// name: methods, statuses and totals only.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

// backlog counts what waits: deliveries to send and activities to apply.
type backlog func(ctx context.Context) (deliveries, inbound int, err error)

func newMetrics(waiting backlog) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "essaim_http_requests_total", Help: "Requests answered.",
		}, []string{"method", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "essaim_http_request_duration_seconds", Help: "Time to answer.",
			Buckets: []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"method"}),
	}
	m.registry.MustRegister(m.requests, m.duration, &backlogCollector{waiting: waiting},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// handler serves /metrics and the profiles.
func (m *metrics) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// count wraps the public handler.
func (m *metrics) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now() // what passed between two readings, not a date
		sw := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(sw, r)
		method := knownMethod(r.Method)
		m.requests.WithLabelValues(method, strconv.Itoa(sw.status)).Inc()
		m.duration.WithLabelValues(method).Observe(time.Since(start).Seconds())
	})
}

// knownMethod bounds the label, which comes from outside.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader remembers the status.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

var (
	deliveriesDesc = prometheus.NewDesc("essaim_deliveries_waiting", "Deliveries to send.", nil, nil)
	inboxDesc      = prometheus.NewDesc("essaim_inbox_waiting", "Activities received and not yet applied.", nil, nil)
)

// backlogCollector counts when it is asked, and stays silent when the database
// is away.
type backlogCollector struct{ waiting backlog }

// Describe implements prometheus.Collector.
func (c *backlogCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- deliveriesDesc
	ch <- inboxDesc
}

// Collect implements prometheus.Collector.
func (c *backlogCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second) // the interface hands none down
	defer cancel()
	deliveries, inbound, err := c.waiting(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(inboxDesc, err)
		return
	}
	ch <- prometheus.MustNewConstMetric(deliveriesDesc, prometheus.GaugeValue, float64(deliveries))
	ch <- prometheus.MustNewConstMetric(inboxDesc, prometheus.GaugeValue, float64(inbound))
}
