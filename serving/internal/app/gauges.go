package app

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/observe"
)

// addGauges shows what only the app can see of its parts.
func (a *App) addGauges() {
	a.metrics.Register(&bundleInfo{a.bundles, prometheus.NewDesc(
		"freshline_serving_bundle_info", "Always 1; the labels say which bundle is in force.",
		[]string{"registry", "digest"}, nil,
	)})
	a.metrics.Add(
		observe.Gauge{Name: "freshline_serving_bundle_number", Help: "Number of the bundle in force; 0: none.", Read: func() float64 {
			if b := a.bundles.Load(); b != nil {
				return float64(b.Number)
			}
			return 0
		}},
		observe.Gauge{Name: "freshline_serving_bundle_age_seconds", Help: "Time since the control plane last confirmed the bundle; -1: never since the start.", Read: func() float64 {
			if at := a.poller.ContactedUS(); at > 0 {
				return time.Since(time.UnixMicro(at)).Seconds()
			}
			return -1
		}},
		observe.Gauge{Name: "freshline_serving_bundle_kept", Help: "1 while the bundle in force is on disk for the next start.", Read: func() float64 {
			if a.poller.Kept() {
				return 1
			}
			return 0
		}},
		observe.Gauge{Name: "freshline_serving_bundle_refusals_total", Help: "Bundles that were refused as corrupt or older.", Read: func() float64 {
			return float64(a.poller.Refusals())
		}},
		observe.Gauge{Name: "freshline_serving_reports_waiting", Help: "Observation reports on disk that the control plane has not taken yet.", Read: func() float64 {
			return float64(a.sender.Waiting())
		}},
		observe.Gauge{Name: "freshline_serving_reports_dropped_total", Help: "Observation reports that were lost for want of space, or refused.", Read: func() float64 {
			return float64(a.sender.Dropped())
		}},
	)
	for name := range a.stores {
		a.addStoreGauges(name)
	}
}

func (a *App) addStoreGauges(store string) {
	a.metrics.Add(
		observe.Gauge{Name: "freshline_serving_breaker_open", Store: store, Help: "1 while reads from the store fail at once, because the last ones failed.", Read: func() float64 {
			if a.engine.Breaker(store).Open() {
				return 1
			}
			return 0
		}},
		observe.Gauge{Name: "freshline_serving_lookups_in_flight", Store: store, Help: "Lookups under way, by the store of their project.", Read: func() float64 {
			return float64(a.engine.InFlight(store))
		}},
	)
}

// bundleInfo names the bundle in force.
type bundleInfo struct {
	bundles *bundle.Holder
	desc    *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (b *bundleInfo) Describe(to chan<- *prometheus.Desc) { to <- b.desc }

// Collect implements prometheus.Collector.
func (b *bundleInfo) Collect(to chan<- prometheus.Metric) {
	if current := b.bundles.Load(); current != nil {
		to <- prometheus.MustNewConstMetric(b.desc, prometheus.GaugeValue, 1, current.Registry, current.Digest)
	}
}
