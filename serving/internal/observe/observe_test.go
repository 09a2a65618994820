package observe

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"freshline/serving/internal/golden"
	"freshline/serving/internal/leaktest"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/lookup/lookuptest"
	"freshline/serving/internal/row"
)

// Run with -rewrite to write tests/golden/observations.json anew; read the diff.
func rewriting() bool { return flag.Lookup("rewrite").Value.String() == "true" }

func TestMain(m *testing.M) {
	flag.Bool("rewrite", false, "write golden files anew")
	flag.Parse()
	leaktest.Main(m)
}

const nowUS = lookuptest.NowUS

// story is a store in which every verdict occurs, and an engine that is observed by counters.
type story struct {
	t        *testing.T
	engine   *lookup.Engine
	store    *lookuptest.Store
	counters *Counters
}

func newStory(t *testing.T, sampleEvery int) *story {
	s := &story{t: t, store: lookuptest.NewStore(), counters: NewCounters(sampleEvery)}
	views := lookuptest.Bundle(t).Projects["p"].Views
	at := func(age int64) row.Header { return row.Header{EventTimeUS: nowUS - age, WriteTimeUS: nowUS} }
	delays := views["carrier_delays"]
	s.store.Put(t, delays, `"UA"`, at(1_000_000), "12.5", "7")
	s.store.Put(t, delays, `"AA"`, at(90_000_000), "1", "-1") // stale, and flights invalid at once
	s.store.Put(t, delays, `"DL"`, at(0), "null", "null")     // null, and one that may not be
	s.store.PutBytes(t, delays, `"WN"`, []byte("no row at all, and long enough to be checked"))
	s.store.Put(t, views["watched"], `"UA"`, at(5_000_000), "9")
	s.store.Put(t, views["airport_weather"], "5", at(2_000_000), "3.5")
	s.engine, _ = lookuptest.Engine(t, s.store, s.counters)
	return s
}

func (s *story) lookup(request *lookup.Request, carriers ...string) {
	s.t.Helper()
	request.Project = "p"
	column := lookup.EntityColumn{Name: "carrier"}
	for _, carrier := range carriers {
		column.Values = append(column.Values, []byte(carrier))
	}
	request.Entities = append(request.Entities, column)
	answer, err := s.engine.Lookup(context.Background(), request)
	if err != nil {
		s.t.Fatal(err)
	}
	s.engine.Release(answer)
}

func (s *story) tell() {
	both := []string{"carrier_delays:delay", "carrier_delays:flights"}
	all := []string{`"UA"`, `"AA"`, `"DL"`, `"WN"`, `"XX"`}
	s.lookup(&lookup.Request{Features: both}, all...)
	s.lookup(&lookup.Request{Features: both}, all[:2]...)
	s.lookup(&lookup.Request{Service: "strict"}, `"UA"`, `"XX"`, `"XX"`) // fails
	s.lookup(&lookup.Request{Service: "lenient"}, `"XX"`)
	s.lookup(&lookup.Request{Service: "watcher"}, `"UA"`)
	s.store.Fault = func(read *lookup.Read) error {
		if read.Views[0] == "airport_weather" {
			return fmt.Errorf("shard down")
		}
		return nil
	}
	weather := lookup.EntityColumn{Name: "airport", Values: [][]byte{[]byte("5")}}
	s.lookup(&lookup.Request{Service: "everything", Entities: []lookup.EntityColumn{weather}}, `"UA"`)
}

func newSender(t *testing.T, counters *Counters, deliver Deliverer) *Sender {
	return NewSender(SenderConfig{
		Counters: counters, Deliver: deliver, Instance: "serving-1-0a1b2c3d", Folder: t.TempDir() + "/spool",
		MaxBytes: 1 << 20, Every: time.Millisecond, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: lookuptest.Now,
	})
}

func TestTheGoldenReportIsWhatTheStoryTells(t *testing.T) {
	s := newStory(t, 0)
	s.tell()
	sender := newSender(t, s.counters, nil)
	_, document := sender.report()
	var report Report
	if err := json.Unmarshal(document, &report); err != nil {
		t.Fatal(err)
	}
	// Which lookup is sampled is left to chance, so the golden sample is taken by hand.
	sampled := newStory(t, 1)
	sampled.lookup(&lookup.Request{Service: "strict"}, `"AA"`)
	_, report.Sampled = sampled.counters.Drain()
	text, err := json.MarshalIndent(report, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, '\n')
	if rewriting() {
		if err := os.WriteFile(golden.Path("observations.json"), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := golden.Read(t, "observations.json"); !bytes.Equal(text, want) {
		t.Errorf("the report is\n%s\nwant\n%s", text, want)
	}
}

func TestEveryValueIsCountedOnce(t *testing.T) {
	s := newStory(t, 0)
	s.tell()
	minutes, _ := s.counters.Drain()
	for _, minute := range minutes {
		var values, actions, features uint64
		for _, n := range minute.Values {
			values += n
		}
		for _, n := range minute.Actions {
			actions += n
		}
		for _, counts := range minute.Features {
			for _, n := range counts {
				features += n
			}
		}
		if want := minute.Rows * uint64(len(minute.Features)); values != want || actions != want || features != want {
			t.Errorf("%s through %q: %d values, %d actions, %d by feature, want %d", minute.View, minute.Service, values, actions, features, want)
		}
	}
	if again, _ := s.counters.Drain(); len(again) != 0 {
		t.Errorf("drained twice: %+v", again)
	}
	var totals uint64
	for _, total := range s.counters.Totals() {
		for _, n := range total.Verdicts {
			totals += n
		}
	}
	if totals != 10+4+3+2+1+3 {
		t.Errorf("the totals say %d values", totals)
	}
}

func TestAgeBucketsFollowTheFormula(t *testing.T) {
	scale := newAgeScale()
	for _, us := range []int64{0, 1, 99_999, 100_000, 100_001, 124_999, 125_000, 125_001, 1e6, 60e6, 3600e6, 86400e6, 30 * 86400e6, 40 * 86400e6, math.MaxInt64} {
		want := math.Ceil(math.Log(float64(us)/1e5) / math.Log(1.25))
		want = min(max(want, 0), 78)
		if got := scale.bucket(us); float64(got) != want {
			t.Errorf("an age of %d us is in bucket %d, want %v", us, got, want)
		}
	}
	for i := range unknownAge {
		if scale.bucket(scale.bounds[i]) != i || scale.bucket(scale.bounds[i]+1) != i+1 {
			t.Errorf("bucket %d does not end at %d", i, scale.bounds[i])
		}
	}
}

func TestObservingAllocatesNothingOnceASeriesIsKnown(t *testing.T) {
	s := newStory(t, 0)
	answer, err := s.engine.Lookup(context.Background(), &lookup.Request{
		Project: "p", Features: []string{"carrier_delays:delay"},
		Entities: []lookup.EntityColumn{{Name: "carrier", Values: [][]byte{[]byte(`"UA"`)}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 { // until every shard knows the series
		s.counters.Observe(answer)
	}
	if n := testing.AllocsPerRun(200, func() { s.counters.Observe(answer) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func TestSamplesAreBoundedAndTheirKeysHashed(t *testing.T) {
	s := newStory(t, 1)
	for range 2000 {
		s.lookup(&lookup.Request{Features: []string{"carrier_delays:delay"}}, `"UA"`)
	}
	_, samples := s.counters.Drain()
	if len(samples) == 0 || len(samples) > maxSamples {
		t.Errorf("%d samples", len(samples))
	}
	if text, _ := json.Marshal(samples[0]); strings.Contains(string(text), "UA") || len(samples[0].KeySHA256) != 64 {
		t.Errorf("sample %s", text)
	}
	if samples[0].Verdicts["delay"] != "fresh" || samples[0].AgeUS == nil || *samples[0].AgeUS != 1_000_000 {
		t.Errorf("sample %+v", samples[0])
	}
}

func TestTheTimeOfARequestIsCountedOnceForEachViewItTouches(t *testing.T) {
	s := newStory(t, 0)
	now := lookuptest.Now()
	s.engine.Now = func() time.Time { return now }
	s.store.Fault = func(*lookup.Read) error {
		now = now.Add(6 * time.Millisecond)
		return nil
	}
	s.lookup(&lookup.Request{Features: []string{"carrier_delays:delay", "watched:x"}}, `"UA"`)
	minutes, _ := s.counters.Drain()
	if len(minutes) != 2 {
		t.Fatalf("%d views were counted, want 2", len(minutes))
	}
	for _, minute := range minutes {
		// Both views are one read of the store; 0.1 ms x 1.25^19 is 6.9 ms.
		if len(minute.LatencyBuckets) != 1 || minute.LatencyBuckets["19"] != 1 {
			t.Errorf("%s counted %v, want one request in bucket 19", minute.View, minute.LatencyBuckets)
		}
	}
}

func TestLatenciesAreCountedFromATenthOfAMillisecond(t *testing.T) {
	scale := newAgeScale()
	for took, want := range map[time.Duration]int{
		0:                       0,
		100 * time.Microsecond:  0,
		101 * time.Microsecond:  1,
		125 * time.Microsecond:  1,
		time.Second:             42,
		2 * 30 * 24 * time.Hour: unknownAge,
	} {
		if got := scale.latencyBucket(took); got != want {
			t.Errorf("%v lies in bucket %d, want %d", took, got, want)
		}
	}
}
