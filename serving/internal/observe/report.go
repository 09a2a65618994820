package observe

import (
	"cmp"
	"slices"
	"strconv"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/enforce"
)

const reportFormat = 1

// Report is what one delivery tells the control plane. Its counts are increments: a minute may
// appear in many reports, and is never closed.
type Report struct {
	Format   int      `json:"format"`
	Instance string   `json:"instance"`
	Sequence int64    `json:"sequence"`
	SentAtUS int64    `json:"sent_at_us"`
	Dropped  int64    `json:"dropped"` // reports lost since the last one, for want of space
	Minutes  []Minute `json:"minutes"`
	Sampled  []Sample `json:"sampled"`
}

// Minute is one view, read through one service, in one minute.
type Minute struct {
	Minute         int64                        `json:"minute"`
	Project        string                       `json:"project"`
	View           string                       `json:"view"`
	Service        string                       `json:"service"`
	Contract       int                          `json:"contract"`
	Requests       uint64                       `json:"requests"`
	Rows           uint64                       `json:"rows"`
	RejectedRows   uint64                       `json:"rejected_rows"`
	FailedRequests uint64                       `json:"failed_requests"`
	Values         map[string]uint64            `json:"values"`
	AlsoInvalid    uint64                       `json:"also_invalid"`
	Actions        map[string]uint64            `json:"actions"`
	Features       map[string]map[string]uint64 `json:"features"`
	AgeBuckets     map[string]uint64            `json:"age_buckets"`
	LatencyBuckets map[string]uint64            `json:"latency_buckets"` // of requests

	Bins map[string]map[string]map[string]uint64 `json:"bins,omitempty"` // values as answered, by feature, ID of its bins, and bin
}

type minuteKey struct {
	project, view, service string
	contract               int
	minute                 int64
}

// Drain takes all counts since the last drain, in a stable order.
func (c *Counters) Drain() ([]Minute, []Sample) {
	merged := make(map[minuteKey]*Minute)
	samples := []Sample{}
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		taken := s.series
		s.series = make(map[seriesKey]*series, len(taken))
		samples = append(samples, s.samples...)
		s.samples = nil
		s.mu.Unlock()
		for key, sum := range taken {
			minuteFor(merged, key).merge(sum)
		}
	}
	minutes := make([]Minute, 0, len(merged))
	for _, minute := range merged {
		minutes = append(minutes, *minute)
	}
	slices.SortFunc(minutes, func(a, b Minute) int {
		return cmp.Or(
			cmp.Compare(a.Minute, b.Minute), cmp.Compare(a.Project, b.Project), cmp.Compare(a.View, b.View),
			cmp.Compare(a.Service, b.Service), cmp.Compare(a.Contract, b.Contract),
		)
	})
	return minutes, samples
}

func minuteFor(merged map[minuteKey]*Minute, key seriesKey) *Minute {
	id := minuteKey{key.view.Project, key.view.Name, "", key.view.Contract, key.minute}
	if key.service != nil {
		id.service = key.service.Name
	}
	found := merged[id]
	if found == nil {
		found = &Minute{
			Minute: id.minute, Project: id.project, View: id.view, Service: id.service, Contract: id.contract,
			Values:     make(map[string]uint64, enforce.VerdictCount),
			Actions:    make(map[string]uint64, bundle.ActionCount),
			Features:   make(map[string]map[string]uint64),
			AgeBuckets: make(map[string]uint64), LatencyBuckets: make(map[string]uint64),
		}
		merged[id] = found
	}
	return found
}

func (m *Minute) merge(sum *series) {
	m.Requests += sum.requests
	m.Rows += sum.rows
	m.RejectedRows += sum.rejected
	m.FailedRequests += sum.failed
	m.AlsoInvalid += sum.tally.AlsoInvalid
	for verdict, n := range sum.tally.Verdicts {
		m.Values[enforce.Verdict(verdict).String()] += n
	}
	for action, n := range sum.tally.Actions {
		m.Actions[bundle.Action(action).String()] += n
	}
	for feature, counts := range sum.features {
		if m.Features[feature] == nil {
			m.Features[feature] = make(map[string]uint64)
		}
		for verdict, n := range counts.verdicts {
			if n > 0 {
				m.Features[feature][enforce.Verdict(verdict).String()] += n
			}
		}
		m.mergeBins(feature, counts)
	}
	addBuckets(m.AgeBuckets, &sum.ages)
	addBuckets(m.LatencyBuckets, &sum.latencies)
}

// mergeBins tells bins that counted something. Edges that changed within the minute have bins of their own.
func (m *Minute) mergeBins(feature string, counts *featureCounts) {
	for bin, n := range counts.binned {
		if n == 0 {
			continue
		}
		if m.Bins == nil {
			m.Bins = make(map[string]map[string]map[string]uint64)
		}
		if m.Bins[feature] == nil {
			m.Bins[feature] = make(map[string]map[string]uint64)
		}
		if m.Bins[feature][counts.bins.ID] == nil {
			m.Bins[feature][counts.bins.ID] = make(map[string]uint64)
		}
		m.Bins[feature][counts.bins.ID][counts.bins.Name(bin)] += n
	}
}

func addBuckets(to map[string]uint64, counts *[ageBuckets]uint64) {
	for bucket, n := range counts {
		if n > 0 {
			to[strconv.Itoa(bucket)] += n
		}
	}
}
