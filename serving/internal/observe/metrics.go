package observe

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"freshline/serving/internal/enforce"
	"freshline/serving/internal/lookup"
)

// Metrics is everything that /metrics shows. It is safe for many goroutines.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	latency  *prometheus.HistogramVec
	store    *prometheus.HistogramVec
	polls    prometheus.Counter
}

// Gauge is a number that is read when /metrics is asked for.
type Gauge struct {
	Name, Help string
	Store      string // the label of a store's own number; "": there is no such label
	Read       func() float64
}

// NewMetrics registers the metrics of requests, of the store, of the counters and of the runtime.
func NewMetrics(counters *Counters, build string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "freshline_serving_requests_total", Help: "Requests by endpoint and HTTP status code.",
		}, []string{"endpoint", "code"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "freshline_serving_request_seconds", Help: "Latency of requests by endpoint and HTTP status code.",
			Buckets: prometheus.ExponentialBuckets(0.00025, 2, 14),
		}, []string{"endpoint", "code"}),
		store: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "freshline_serving_store_seconds", Help: "Latency of calls to the online stores by store, operation and outcome: ok, error, or partial where some of it was read.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2, 14),
		}, []string{"store", "operation", "outcome"}),
		polls: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "freshline_serving_watermark_poll_failures_total", Help: "Polls of the watermarks that failed; the last ones stay in force.",
		}),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "freshline_serving_build_info", Help: "Always 1; the label says the version.",
		ConstLabels: prometheus.Labels{"version": build},
	})
	info.Set(1)
	m.registry.MustRegister(
		m.requests, m.latency, m.store, m.polls, info, newTotalsCollector(counters),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Add registers gauges; a name that ends in _total is a counter.
func (m *Metrics) Add(gauges ...Gauge) {
	for _, g := range gauges {
		options := prometheus.GaugeOpts{Name: g.Name, Help: g.Help}
		if g.Store != "" {
			options.ConstLabels = prometheus.Labels{"store": g.Store}
		}
		if strings.HasSuffix(g.Name, "_total") {
			m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts(options), g.Read))
			continue
		}
		m.registry.MustRegister(prometheus.NewGaugeFunc(options, g.Read))
	}
}

// Register adds a collector of its own.
func (m *Metrics) Register(collector prometheus.Collector) { m.registry.MustRegister(collector) }

// Request implements httpapi.RequestTimer.
func (m *Metrics) Request(endpoint string, code int, took time.Duration) {
	text := strconv.Itoa(code)
	m.requests.WithLabelValues(endpoint, text).Inc()
	m.latency.WithLabelValues(endpoint, text).Observe(took.Seconds())
}

// StoreCall implements lookup.StoreTimer.
func (m *Metrics) StoreCall(store, operation string, took time.Duration, outcome lookup.Outcome) {
	m.store.WithLabelValues(store, operation, string(outcome)).Observe(took.Seconds())
}

// PollFailed counts a failed poll of the watermarks.
func (m *Metrics) PollFailed() { m.polls.Inc() }

// totalsCollector shows the counters' totals, so that requests count only once.
type totalsCollector struct {
	counters                                *Counters
	values, ages, corrupt, unknown, refused *prometheus.Desc
}

func newTotalsCollector(counters *Counters) *totalsCollector {
	describe := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, append([]string{"project", "view"}, labels...), nil)
	}
	return &totalsCollector{
		counters: counters,
		values:   describe("freshline_serving_values_total", "Values by verdict.", "verdict"),
		ages:     describe("freshline_serving_served_age_seconds", "Ages of the rows that were read, when they were read."),
		corrupt:  describe("freshline_serving_corrupt_rows_total", "Rows that failed their checksum or do not have their layout's shape."),
		unknown:  describe("freshline_serving_unknown_layout_rows_total", "Rows under a layout that neither the bundle nor the store names."),
		refused:  describe("freshline_serving_rejected_rows_total", "Rows that the contract rejected, or under observe would have."),
	}
}

// Describe implements prometheus.Collector.
func (t *totalsCollector) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{t.values, t.ages, t.corrupt, t.unknown, t.refused} {
		to <- desc
	}
}

// Collect implements prometheus.Collector.
func (t *totalsCollector) Collect(to chan<- prometheus.Metric) {
	count := func(desc *prometheus.Desc, n uint64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), labels...)
	}
	for _, total := range t.counters.Totals() {
		for verdict, n := range total.Verdicts {
			count(t.values, n, total.Project, total.View, enforce.Verdict(verdict).String())
		}
		count(t.corrupt, total.CorruptRows, total.Project, total.View)
		count(t.unknown, total.UnknownLayout, total.Project, total.View)
		count(t.refused, total.RejectedRows, total.Project, total.View)
		sum, buckets := cumulative(t.counters.ages, total.Ages)
		to <- prometheus.MustNewConstHistogram(t.ages, sum, total.AgeSumSeconds, buckets, total.Project, total.View)
	}
}

// bucketsShown thins the 79 buckets of a report out to what a dashboard needs.
const bucketsShown = 4

func cumulative(ages *ageScale, counts [ageBuckets]uint64) (sum uint64, buckets map[float64]uint64) {
	buckets = make(map[float64]uint64)
	for i, n := range counts {
		sum += n
		if i%bucketsShown == 0 && i < unknownAge {
			buckets[float64(ages.bounds[i])/1e6] = sum
		}
	}
	return sum, buckets
}
