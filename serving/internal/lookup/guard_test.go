package lookup_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/enforce"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/lookup/lookuptest"
	"freshline/serving/internal/row"
)

func TestAStoreThatKeepsFailingIsAskedOnceASecond(t *testing.T) {
	f := newFixture(t)
	now := lookuptest.Now()
	f.engine.Now = func() time.Time { return now }
	var log bytes.Buffer
	f.engine.Log = slog.New(slog.NewTextHandler(&log, nil))
	engine := lookup.NewEngine(f.engine.Config)
	down := errors.New("down")
	f.store.Fault = func(*lookup.Read) error { return down }
	ask := func() *lookup.Error {
		answer, err := engine.Lookup(context.Background(), &lookup.Request{Project: "p", Features: []string{"carrier_delays:delay"}, Entities: carriers(`"UA"`)})
		if err != nil {
			t.Fatal(err)
		}
		return answer.Failure
	}
	for range 20 {
		if failure := ask(); failure == nil || failure.Kind != lookup.StoreUnavailable {
			t.Fatalf("failure %v", failure)
		}
	}
	if f.store.Reads != 5 || !engine.Breaker(bundle.DefaultStore).Open() {
		t.Errorf("%d reads, open %v; want 5 and then none", f.store.Reads, engine.Breaker(bundle.DefaultStore).Open())
	}
	now = now.Add(time.Second)
	ask()
	ask()
	if f.store.Reads != 6 {
		t.Errorf("%d reads after a second, want one more", f.store.Reads)
	}
	f.store.Fault = nil
	now = now.Add(time.Second)
	if failure := ask(); failure != nil || engine.Breaker(bundle.DefaultStore).Open() {
		t.Errorf("once the store is back: %v, open %v", failure, engine.Breaker(bundle.DefaultStore).Open())
	}
	if got := log.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "views=[carrier_delays] error=down") {
		t.Errorf("logged %s", got)
	}
}

func TestALookupOfManyGroupsIsOneFailureAndNotMany(t *testing.T) {
	f := newFixture(t)
	down := func(*lookup.Read) error { return errors.New("down") }
	f.store.Fault = down
	ask := func(times int) bool {
		for range times {
			f.lookup(&lookup.Request{
				Features: []string{"carrier_delays:delay", "airport_weather:wind"},
				Entities: []lookup.EntityColumn{carriers(`"UA"`)[0], {Name: "airport", Values: [][]byte{[]byte("5")}}},
			})
		}
		return f.engine.Breaker(bundle.DefaultStore).Open()
	}
	if ask(4) {
		t.Error("four lookups of two groups opened the breaker")
	}
	f.store.Fault = func(read *lookup.Read) error {
		if read.Views[0] == "airport_weather" {
			return errors.New("slow")
		}
		return nil
	}
	if ask(10) {
		t.Error("a store that reads one of two groups is taken for failing")
	}
	f.store.Fault = down
	if ask(4) || !ask(1) {
		t.Error("the breaker opens at another failure than the fifth in a row")
	}
}

func TestACallerInAHurryDoesNotBlameTheStore(t *testing.T) {
	f := newFixture(t)
	f.store.Hang = true
	for range 6 {
		f.lookup(&lookup.Request{Features: []string{"carrier_delays:delay"}, Entities: carriers(`"UA"`), Timeout: time.Millisecond})
	}
	if f.engine.Breaker(bundle.DefaultStore).Open() {
		t.Error("the breaker is open")
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	for range 6 {
		answer, err := f.engine.Lookup(gone, &lookup.Request{Project: "p", Features: []string{"carrier_delays:delay"}, Entities: carriers(`"UA"`)})
		if err != nil || answer.Failure == nil {
			t.Fatal("a caller that left was answered")
		}
	}
	if f.engine.Breaker(bundle.DefaultStore).Open() {
		t.Error("the breaker is open after callers left")
	}
}

func TestAFailedPollKeepsTheLastWatermarks(t *testing.T) {
	store := lookuptest.NewStore()
	mark := enforce.Watermarks{US: [3]int64{7}, Has: [3]bool{true}}
	store.Marks = map[string]enforce.Watermarks{"v": mark}
	marks := lookup.NewWatermarks(lookup.OnlyStore(store))
	ctx, cancel := context.WithCancel(context.Background())
	outcomes := make(chan error)
	var running sync.WaitGroup
	running.Go(func() {
		marks.Run(ctx, time.Millisecond, func() []lookup.Place { return []lookup.Place{lookuptest.PlaceOfP} }, func(err error) {
			select {
			case outcomes <- err:
			case <-ctx.Done():
			}
		})
	})
	if err := <-outcomes; err != nil || marks.Load()[lookuptest.PlaceOfP]["v"] != mark {
		t.Errorf("%v, %v", err, marks.Load())
	}
	cancel()
	running.Wait()
	store.MarksFault = errors.New("away")
	if err := marks.Add(context.Background(), []lookup.Place{lookuptest.PlaceOfP}, []lookup.Place{lookuptest.PlaceOfP, {Project: "q", Store: bundle.DefaultStore}}); err == nil || marks.Load()[lookuptest.PlaceOfP]["v"] != mark {
		t.Errorf("after a failure: %v, %v", err, marks.Load())
	}
}

func TestALayoutIsFetchedOnceAndAnUnknownOneAskedForAgain(t *testing.T) {
	f := newFixture(t)
	now := lookuptest.Now()
	f.engine.Now = func() time.Time { return now }
	engine := lookup.NewEngine(f.engine.Config)
	view := lookuptest.Bundle(t).Projects["p"].Views["carrier_delays"]
	layout, err := row.NewLayout(2, []row.Spec{{Name: "delay", Dtype: "float32"}})
	if err != nil {
		t.Fatal(err)
	}
	value, _ := row.ParseValue(row.Float32, []byte("1.5"))
	f.store.PutBytes(t, view, `"UA"`, row.Encode(young(), layout, []*row.Value{&value}))
	ask := func() string {
		answer, err := engine.Lookup(context.Background(), &lookup.Request{
			Project: "p", Features: []string{"carrier_delays:delay", "carrier_delays:flights"}, Entities: carriers(`"UA"`),
		})
		if err != nil {
			t.Fatal(err)
		}
		return verdicts(answer)
	}
	for range 3 {
		if got := ask(); got != "invalid invalid" {
			t.Errorf("while nobody knows the layout: %s", got)
		}
	}
	if f.store.LayoutReads != 1 {
		t.Errorf("asked %d times within a second", f.store.LayoutReads)
	}
	f.store.LayoutFault = errors.New("away")
	now = now.Add(time.Second)
	if got := ask(); got != "unavailable unavailable" {
		t.Errorf("when nobody can be asked: %s", got)
	}
	f.store.LayoutFault = nil
	f.store.Layouts[2] = layout
	for range 3 {
		if got := ask(); got != "fresh missing" {
			t.Errorf("once the store has it: %s", got)
		}
	}
	if f.store.LayoutReads != 3 {
		t.Errorf("asked %d times, want 3", f.store.LayoutReads)
	}
}

func TestALayoutThatCannotBeFetchedIsAskedForOnceAndNotForEveryRow(t *testing.T) {
	f := newFixture(t)
	view := lookuptest.Bundle(t).Projects["p"].Views["carrier_delays"]
	layout, err := row.NewLayout(2, []row.Spec{{Name: "delay", Dtype: "float64"}})
	if err != nil {
		t.Fatal(err)
	}
	f.store.PutBytes(t, view, `"UA"`, row.Encode(young(), layout, make([]*row.Value, 1)))
	f.store.LayoutFault = errors.New("away")
	for request := 1; request <= 2; request++ {
		answer := f.lookup(&lookup.Request{Features: []string{"carrier_delays:delay"}, Entities: carriers(`"UA"`, `"UA"`, `"UA"`)})
		if got := verdicts(answer); got != "unavailable unavailable unavailable" || f.store.LayoutReads != request {
			t.Errorf("%s, after %d lookups asked %d times", got, request, f.store.LayoutReads)
		}
		f.engine.Release(answer)
	}
}

// divided is a store whose keys lie in the parts that they name: "3" in the third.
type divided struct{ *lookuptest.Store }

func (divided) Parts(read *lookup.Read) uint64 {
	var parts uint64
	for _, key := range read.Keys {
		parts |= 1 << (key[len(key)-1] % 64)
	}
	return parts
}

func TestAPartOfAStoreThatFailsKeepsNobodyFromTheOthers(t *testing.T) {
	f := newFixture(t)
	config := f.engine.Config
	config.Stores = lookup.OnlyStore(divided{f.store})
	engine := lookup.NewEngine(config)
	f.store.Fault = func(*lookup.Read) error { return errors.New("down") }
	ask := func(last int) {
		t.Helper()
		key := `"` + string(rune(0x400+last)) + `"` // the last byte of which counts up
		answer, err := engine.Lookup(context.Background(), &lookup.Request{Project: "p", Features: []string{"carrier_delays:delay"}, Entities: carriers(key)})
		if err != nil {
			t.Fatal(err)
		}
		engine.Release(answer)
	}
	for range 3 { // a third of all parts is down, again and again
		for part := range 20 {
			ask(part)
		}
	}
	if engine.Breaker(bundle.DefaultStore).Open() {
		t.Fatal("parts that answer are kept from being asked")
	}
	for part := range 60 {
		ask(part)
	}
	if !engine.Breaker(bundle.DefaultStore).Open() {
		t.Error("nothing of the store answers, and it is still asked")
	}
}
