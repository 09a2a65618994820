// Package observe counts how lookups went, and takes the counts to the control plane: increments
// per view, service and minute, kept on disk while the control plane is away.
package observe

import (
	"math/rand/v2"
	"runtime"
	"sync"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/enforce"
	"freshline/serving/internal/lookup"
)

const (
	usPerMinute = 60_000_000
	// maxSamples and maxTold are what the control plane takes in one report, and as an age.
	maxSamples      = 1000
	samplesPerShard = 8
	maxTold         = 1 << 53
)

// Counters counts lookups, each in a shard that no other request has at that moment.
type Counters struct {
	ages        *ageScale
	sampleEvery uint32
	plainKeys   []string // projects whose sampled keys may be told; "*": all
	perShard    int      // samples at most
	shards      []shard
}

type shard struct {
	mu      sync.Mutex
	series  map[seriesKey]*series // since the last drain
	totals  map[viewName]*Totals  // since the start
	samples []Sample
	_       [64]byte // neighbours must not share a cache line
}

// seriesKey compares pointers: within one bundle they are as good as names, and the drain merges
// what two bundles call by one name.
type seriesKey struct {
	view    *bundle.View
	service *bundle.Service
	minute  int64
}

type viewName struct{ project, view string }

type series struct {
	requests, rows, rejected, failed uint64
	tally                            enforce.Tally
	features                         map[string]*featureCounts
	ages, latencies                  [ageBuckets]uint64
}

// featureCounts are one feature's values by verdict, and by bin where its contract declares bins.
type featureCounts struct {
	verdicts [enforce.VerdictCount]uint64
	bins     *bundle.Bins
	binned   []uint64
}

func newFeatureCounts(feature *bundle.Feature) *featureCounts {
	counts := new(featureCounts)
	if feature != nil && feature.Bins != nil {
		counts.bins, counts.binned = feature.Bins, make([]uint64, feature.Bins.Size)
	}
	return counts
}

// Totals are the counts of one view since the start.
type Totals struct {
	Project, View string
	Verdicts      [enforce.VerdictCount]uint64
	Ages          [ageBuckets]uint64
	AgeSumSeconds float64
	CorruptRows   uint64
	UnknownLayout uint64
	RejectedRows  uint64
}

var _ lookup.Observer = (*Counters)(nil)

// NewCounters samples one in sampleEvery lookups; 0 samples none. Keys are told as they are for plainKeys alone:
// the names of projects, or "*".
func NewCounters(sampleEvery int, plainKeys ...string) *Counters {
	c := &Counters{
		ages:        newAgeScale(),
		sampleEvery: uint32(sampleEvery),
		plainKeys:   plainKeys,
		shards:      make([]shard, 4*runtime.GOMAXPROCS(0)),
	}
	c.perShard = min(samplesPerShard, max(1, maxSamples/len(c.shards)))
	for i := range c.shards {
		c.shards[i].series = make(map[seriesKey]*series)
		c.shards[i].totals = make(map[viewName]*Totals)
	}
	return c
}

// Observe implements lookup.Observer.
func (c *Counters) Observe(answer *lookup.Answer) {
	s := c.free()
	defer s.mu.Unlock()
	for _, view := range answer.Views {
		s.add(c.ages, answer, view)
	}
	if c.sampleEvery > 0 && answer.Rows > 0 && len(s.samples) < c.perShard && rand.Uint32N(c.sampleEvery) == 0 {
		view := answer.Views[rand.IntN(len(answer.Views))]
		s.samples = append(s.samples, c.sample(answer, view, rand.IntN(answer.Rows)))
	}
}

// free returns a shard that nobody else has, locked. There are more shards than processors, so that a request
// waits only where the others were all interrupted while they counted.
func (c *Counters) free() *shard {
	first := rand.IntN(len(c.shards))
	for i := range c.shards {
		if s := &c.shards[(first+i)%len(c.shards)]; s.mu.TryLock() {
			return s
		}
	}
	c.shards[first].mu.Lock()
	return &c.shards[first]
}

func (s *shard) add(ages *ageScale, answer *lookup.Answer, view *lookup.View) {
	sum := s.seriesFor(seriesKey{view.View, answer.Service, answer.NowUS / usPerMinute})
	total := s.totalsFor(view.View)
	sum.requests++
	sum.latencies[ages.latencyBucket(answer.Took)]++
	sum.rows += uint64(answer.Rows)
	if answer.Failure != nil {
		sum.failed++
	}
	for _, rejected := range view.Rejected {
		if rejected {
			sum.rejected++
			total.RejectedRows++
		}
	}
	for _, column := range view.Columns {
		sum.tally.Add(&column.Tally)
		counts := sum.features[column.Ref.Name]
		if counts == nil {
			counts = newFeatureCounts(column.Feature)
			sum.features[column.Ref.Name] = counts
		}
		for verdict, n := range column.Tally.Verdicts {
			counts.verdicts[verdict] += n
			total.Verdicts[verdict] += n
		}
		if counts.bins != nil && answer.Failure == nil {
			countBins(counts, answer, column)
		}
	}
	total.CorruptRows += uint64(view.Damage.Corrupt)
	total.UnknownLayout += uint64(view.Damage.UnknownLayout)
	countAges(&sum.ages, total, ages, &view.Table)
}

// countAges counts the ages of a view's rows. Those that one watermark vouches for are of one age, and counted
// together.
func countAges(sum *[ageBuckets]uint64, total *Totals, ages *ageScale, rows *enforce.Table) {
	for i, end := 0, 0; i < len(rows.States); i = end {
		state, age := rows.States[i], rows.AgeUS[i]
		for end = i + 1; end < len(rows.States) && rows.States[end] == state && rows.AgeUS[end] == age; end++ {
		}
		n := uint64(end - i)
		bucket := unknownAge
		switch {
		case !state.Found():
			continue
		case state == enforce.Young || state == enforce.Old:
			bucket = ages.bucket(age)
			total.AgeSumSeconds += float64(n) * (float64(age) / 1e6)
		}
		sum[bucket] += n
		total.Ages[bucket] += n
	}
}

func (s *shard) seriesFor(key seriesKey) *series {
	found := s.series[key]
	if found == nil {
		found = &series{features: make(map[string]*featureCounts, len(key.view.Features))}
		s.series[key] = found
	}
	return found
}

func (s *shard) totalsFor(view *bundle.View) *Totals {
	name := viewName{view.Project, view.Name}
	found := s.totals[name]
	if found == nil {
		found = &Totals{Project: view.Project, View: view.Name}
		s.totals[name] = found
	}
	return found
}

// Totals returns the counts of all views since the start.
func (c *Counters) Totals() []Totals {
	merged := make(map[viewName]*Totals)
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		for name, part := range s.totals {
			sum := merged[name]
			if sum == nil {
				sum = &Totals{Project: part.Project, View: part.View}
				merged[name] = sum
			}
			sum.merge(part)
		}
		s.mu.Unlock()
	}
	all := make([]Totals, 0, len(merged))
	for _, sum := range merged {
		all = append(all, *sum)
	}
	return all
}

func (t *Totals) merge(part *Totals) {
	for i, n := range part.Verdicts {
		t.Verdicts[i] += n
	}
	for i, n := range part.Ages {
		t.Ages[i] += n
	}
	t.AgeSumSeconds += part.AgeSumSeconds
	t.CorruptRows += part.CorruptRows
	t.UnknownLayout += part.UnknownLayout
	t.RejectedRows += part.RejectedRows
}
