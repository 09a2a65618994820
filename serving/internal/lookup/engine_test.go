package lookup_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/enforce"
	"freshline/serving/internal/leaktest"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/lookup/lookuptest"
	"freshline/serving/internal/row"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

const nowUS = lookuptest.NowUS

func young() row.Header { return row.Header{EventTimeUS: nowUS - 1_000_000, WriteTimeUS: nowUS} }

func values(column ...string) [][]byte {
	var raw [][]byte
	for _, text := range column {
		raw = append(raw, []byte(text))
	}
	return raw
}

func carriers(keys ...string) []lookup.EntityColumn {
	return []lookup.EntityColumn{{Name: "carrier", Values: values(keys...)}}
}

// fixture is an engine over a store with a row of UA in every view.
type fixture struct {
	t        *testing.T
	store    *lookuptest.Store
	observer *lookuptest.Observer
	engine   *lookup.Engine
	holder   *bundle.Holder
}

func newFixture(t *testing.T) *fixture {
	f := &fixture{t: t, store: lookuptest.NewStore(), observer: new(lookuptest.Observer)}
	views := lookuptest.Bundle(t).Projects["p"].Views
	f.store.Put(t, views["carrier_delays"], `"UA"`, young(), "12.5", "7")
	f.store.Put(t, views["carrier_facts"], `"UA"`, young(), `"United"`, "0.1", `"AAE="`, "1000000", `["EWR"]`, "true")
	f.store.Put(t, views["airport_weather"], `5`, young(), "3.5")
	f.store.Put(t, views["watched"], `"UA"`, young(), "9")
	f.engine, f.holder = lookuptest.Engine(t, f.store, f.observer)
	return f
}

func (f *fixture) lookup(request *lookup.Request) *lookup.Answer {
	f.t.Helper()
	if request.Project == "" {
		request.Project = "p"
	}
	answer, err := f.engine.Lookup(context.Background(), request)
	if err != nil {
		f.t.Fatalf("lookup: %v", err)
	}
	return answer
}

func verdicts(answer *lookup.Answer) string {
	var all []string
	for _, column := range answer.Columns {
		for i := range answer.Rows {
			all = append(all, column.Marks[i].Verdict.String())
		}
	}
	return strings.Join(all, " ")
}

func TestOneReadServesAllViewsOfAnEntityAndAnotherEntityHasItsOwn(t *testing.T) {
	f := newFixture(t)
	answer := f.lookup(&lookup.Request{Service: "everything", Entities: []lookup.EntityColumn{
		{Name: "airport", Values: values("5", "6")}, {Name: "carrier", Values: values(`"UA"`, `"AA"`)},
	}})
	if got := verdicts(answer); got != "fresh missing fresh missing fresh missing" {
		t.Errorf("verdicts %s", got)
	}
	if f.store.Reads != 2 {
		t.Errorf("%d reads, want 2", f.store.Reads)
	}
	if f.observer.Seen != 1 {
		t.Errorf("observed %d times", f.observer.Seen)
	}
}

func TestOneGroupsFailureDoesNotFailItsSiblings(t *testing.T) {
	f := newFixture(t)
	f.store.Fault = func(read *lookup.Read) error {
		if read.Views[0] == "airport_weather" {
			return errors.New("shard down")
		}
		return nil
	}
	answer := f.lookup(&lookup.Request{Service: "everything", Entities: []lookup.EntityColumn{
		{Name: "airport", Values: values("5")}, {Name: "carrier", Values: values(`"UA"`)},
	}})
	if got := verdicts(answer); got != "fresh fresh unavailable" || answer.Failure != nil {
		t.Errorf("verdicts %s, failure %v", got, answer.Failure)
	}
	if got := answer.Status(answer.Columns[2], 0); got != "NOT_FOUND" {
		t.Errorf("status %s", got)
	}
}

func TestAKeyThatCouldNotBeAskedForIsUnavailableAndTheOthersAreRead(t *testing.T) {
	f := newFixture(t)
	f.store.Fault = func(read *lookup.Read) error {
		read.Missed[1] = true
		return nil
	}
	answer := f.lookup(&lookup.Request{Features: []string{"carrier_delays:delay"}, Entities: carriers(`"UA"`, `"AA"`, `"DL"`)})
	if got := verdicts(answer); got != "fresh unavailable missing" || answer.Failure != nil {
		t.Errorf("verdicts %s, failure %v", got, answer.Failure)
	}
}

func TestAViewThatCouldNotBeAskedForIsUnavailableAndItsSiblingIsRead(t *testing.T) {
	f := newFixture(t)
	f.store.Fault = func(read *lookup.Read) error {
		read.MissRow(0, 1)
		return nil
	}
	request := &lookup.Request{Features: []string{"carrier_delays:delay"}, Entities: carriers(`"UA"`, `"UA"`)}
	if answer := f.lookup(request); verdicts(answer) != "fresh unavailable" || answer.Failure != nil {
		t.Errorf("verdicts %s, failure %v", verdicts(answer), answer.Failure)
	}
	f.store.Fault = nil
	if answer := f.lookup(request); verdicts(answer) != "fresh fresh" {
		t.Errorf("the next lookup remembers it: %s", verdicts(answer))
	}
}

func TestNoReadableRowAtAllFails(t *testing.T) {
	request := func() *lookup.Request {
		return &lookup.Request{Features: []string{"carrier_delays:delay"}, Entities: carriers(`"UA"`)}
	}
	f := newFixture(t)
	f.store.Fault = func(*lookup.Read) error { return errors.New("connection refused") }
	answer := f.lookup(request())
	if answer.Failure == nil || answer.Failure.Kind != lookup.StoreUnavailable || strings.Contains(answer.Failure.Message, "connection refused") {
		t.Errorf("failure %v", answer.Failure)
	}
	if got := verdicts(answer); got != "unavailable" || f.observer.Seen != 1 {
		t.Errorf("verdicts %s, observed %d times", got, f.observer.Seen)
	}
	late := newFixture(t)
	late.store.Hang = true
	impatient := request()
	impatient.Timeout = 20 * time.Millisecond
	if answer := late.lookup(impatient); answer.Failure == nil || answer.Failure.Kind != lookup.DeadlineExceeded {
		t.Errorf("past the deadline: %v", answer.Failure)
	}
	missed := newFixture(t)
	missed.store.Fault = func(read *lookup.Read) error { read.MissAll(); return nil }
	if answer := missed.lookup(request()); answer.Failure == nil || answer.Failure.Kind != lookup.StoreUnavailable {
		t.Errorf("all keys missed: %v", answer.Failure)
	}
}

func TestNoRowsNeverFail(t *testing.T) {
	f := newFixture(t)
	f.store.Fault = func(*lookup.Read) error { return errors.New("down") }
	answer := f.lookup(&lookup.Request{Service: "strict", Entities: carriers()})
	if answer.Failure != nil || answer.Rows != 0 {
		t.Errorf("failure %v", answer.Failure)
	}
}

func TestTheShareOfRejectedRowsMustExceedTheLimitToFail(t *testing.T) {
	f := newFixture(t)
	exactly := f.lookup(&lookup.Request{Service: "strict", Entities: carriers(`"UA"`, `"AA"`)})
	if exactly.Failure != nil || exactly.RejectedRows != 1 || !exactly.Rejected[1] {
		t.Errorf("exactly half: %v, %v rejected", exactly.Failure, exactly.Rejected)
	}
	more := f.lookup(&lookup.Request{Service: "strict", Entities: carriers(`"UA"`, `"AA"`, `"AA"`)})
	if more.Failure == nil || more.Failure.Kind != lookup.ContractNotMet {
		t.Errorf("two of three, one of them twice: %v", more.Failure)
	}
}

func TestAnObservedViewRejectsNothingButCounts(t *testing.T) {
	f := newFixture(t)
	answer := f.lookup(&lookup.Request{Service: "watcher", Entities: carriers(`"UA"`, `"AA"`)})
	if answer.Failure != nil || answer.RejectedRows != 0 {
		t.Errorf("failure %v, %d rejected", answer.Failure, answer.RejectedRows)
	}
	if got := fmt.Sprint(answer.Views[0].Rejected); got != "[true true]" {
		t.Errorf("would reject %s", got)
	}
	if value, ok := answer.Value(answer.Columns[0], 0); !ok || value.Word != 9 {
		t.Errorf("the invalid value is answered as %v %v", value, ok)
	}
	if got := answer.Status(answer.Columns[0], 0); got != "INVALID" {
		t.Errorf("status %s", got)
	}
}

func TestARejectedRowAnswersNothingAndEachStatusStays(t *testing.T) {
	f := newFixture(t)
	stale := young()
	stale.EventTimeUS = nowUS - 61_000_000
	f.store.Put(t, lookuptest.Bundle(t).Projects["p"].Views["watched"], `"UA"`, stale, "1")
	views := lookuptest.Bundle(t).Projects["p"].Views
	f.store.Put(t, views["carrier_delays"], `"UA"`, stale, "12.5", "7")
	answer := f.lookup(&lookup.Request{TermsOf: "strict", Features: []string{"carrier_delays:delay", "carrier_facts:name"}, Entities: carriers(`"UA"`)})
	if !answer.Rejected[0] {
		t.Fatal("the row is not rejected")
	}
	for i, want := range []string{"OUTSIDE_MAX_AGE", "NULL_VALUE"} {
		if _, ok := answer.Value(answer.Columns[i], 0); ok || answer.Status(answer.Columns[i], 0) != want {
			t.Errorf("column %d: %v %s, want null and %s", i, ok, answer.Status(answer.Columns[i], 0), want)
		}
		if answer.IsPlain(answer.Columns[i]) {
			t.Errorf("column %d would be answered as it is stored", i)
		}
	}
}

func TestARetiredFeatureIsMissingAndHasNoDefaultLeft(t *testing.T) {
	f := newFixture(t)
	answer := f.lookup(&lookup.Request{Service: "lenient", Entities: carriers(`"UA"`, `"AA"`)})
	if got := verdicts(answer); got != "fresh missing missing missing" {
		t.Errorf("verdicts %s", got)
	}
	if got := answer.Columns[1].Marks[0]; got.Reason != enforce.Retired || got.Action != bundle.Default {
		t.Errorf("marked %+v", got)
	}
	if _, ok := answer.Value(answer.Columns[1], 0); ok {
		t.Error("a retired feature has a value")
	}
	if value, ok := answer.Value(answer.Columns[0], 1); !ok || value.Word == 0 {
		t.Error("a missing value with a default has none")
	}
}

func TestARequestIsJudgedByTheWatermarksFromBeforeItsRowsWereRead(t *testing.T) {
	f := newFixture(t)
	old := row.Header{EventTimeUS: nowUS - 100_000_000, WriteTimeUS: nowUS}
	f.store.Put(t, lookuptest.Bundle(t).Projects["p"].Views["carrier_delays"], `"UA"`, old, "1", "1")
	marks := lookup.NewWatermarks(lookup.OnlyStore(f.store))
	f.engine.Marks = marks
	f.store.Marks = map[string]enforce.Watermarks{"carrier_delays": {US: [3]int64{nowUS}, Has: [3]bool{true}}}
	f.store.WhileReading = func() {
		if err := marks.Add(context.Background(), nil, []lookup.Place{lookuptest.PlaceOfP}); err != nil {
			t.Error(err)
		}
	}
	answer := f.lookup(&lookup.Request{Features: []string{"carrier_delays:delay"}, Entities: carriers(`"UA"`)})
	if got := verdicts(answer); got != "stale" {
		t.Errorf("verdict %s", got)
	}
	next := f.lookup(&lookup.Request{Features: []string{"carrier_delays:delay"}, Entities: carriers(`"UA"`)})
	if got := verdicts(next); got != "fresh" {
		t.Errorf("the next request: %s", got)
	}
}

func TestWhatCannotBeAnsweredSaysWhy(t *testing.T) {
	f := newFixture(t)
	delay := []string{"carrier_delays:delay"}
	for _, test := range []struct {
		name    string
		request lookup.Request
		kind    lookup.Kind
	}{
		{"an unknown project", lookup.Request{Project: "nope", Features: delay, Entities: carriers(`"UA"`)}, lookup.UnknownProject},
		{"an unknown service", lookup.Request{Service: "nope", Entities: carriers(`"UA"`)}, lookup.UnknownService},
		{"an unknown view", lookup.Request{Features: []string{"nope:delay"}, Entities: carriers(`"UA"`)}, lookup.UnknownView},
		{"an unknown feature", lookup.Request{Features: []string{"carrier_delays:nope"}, Entities: carriers(`"UA"`)}, lookup.UnknownFeature},
		{"a reference without a view", lookup.Request{Features: []string{"delay"}, Entities: carriers(`"UA"`)}, lookup.BadReference},
		{"no features", lookup.Request{Entities: carriers(`"UA"`)}, lookup.NoFeatures},
		{"two columns of one name", lookup.Request{Features: []string{"carrier_delays:delay", "carrier_facts:delay"}, Entities: carriers(`"UA"`)}, lookup.Collision},
		{"one feature twice", lookup.Request{FullNames: true, Features: []string{"carrier_delays:delay", "carrier_delays:delay"}, Entities: carriers(`"UA"`)}, lookup.Collision},
		{"too many features", lookup.Request{Features: []string{"a:a", "carrier_delays:delay", "b:b", "c:c", "d:d", "e:e", "f:f"}, Entities: carriers(`"UA"`)}, lookup.UnknownView},
		{"too many entities", lookup.Request{Features: delay, Entities: carriers(`1`, `2`, `3`, `4`, `5`, `6`, `7`, `8`, `9`, `10`, `11`)}, lookup.TooManyEntities},
		{"no entities", lookup.Request{Features: delay}, lookup.KeyMissing},
		{"an unknown entity", lookup.Request{Features: delay, Entities: []lookup.EntityColumn{{Name: "driver", Values: values("1")}}}, lookup.UnknownEntity},
		{"another view's entity only", lookup.Request{Features: delay, Entities: []lookup.EntityColumn{{Name: "airport", Values: values("1")}}}, lookup.KeyMissing},
		{"uneven columns", lookup.Request{Features: delay, Entities: []lookup.EntityColumn{{Name: "carrier", Values: values(`"UA"`)}, {Name: "airport", Values: values("1", "2")}}}, lookup.UnevenColumns},
		{"a join key twice", lookup.Request{Features: delay, Entities: append(carriers(`"UA"`), carriers(`"AA"`)...)}, lookup.UnevenColumns},
		{"a null key", lookup.Request{Features: delay, Entities: carriers("null")}, lookup.KeyBad},
		{"a key of another type", lookup.Request{Features: delay, Entities: carriers("1")}, lookup.KeyBad},
	} {
		if test.request.Project == "" {
			test.request.Project = "p"
		}
		_, err := f.engine.Lookup(context.Background(), &test.request)
		var failure *lookup.Error
		if !errors.As(err, &failure) || failure.Kind != test.kind {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	if f.observer.Seen != 0 || f.engine.InFlight(bundle.DefaultStore) != 0 {
		t.Errorf("observed %d times, %d in flight", f.observer.Seen, f.engine.InFlight(bundle.DefaultStore))
	}
	f.engine.Limits.Features = 1
	_, err := f.engine.Lookup(context.Background(), &lookup.Request{Project: "p", Service: "everything", Entities: carriers(`"UA"`)})
	var failure *lookup.Error
	if !errors.As(err, &failure) || failure.Kind != lookup.TooManyFeatures {
		t.Errorf("too many features: %v", err)
	}
	f.holder.Store(nil)
	_, err = f.engine.Lookup(context.Background(), &lookup.Request{Project: "p"})
	if !errors.As(err, &failure) || failure.Kind != lookup.NoBundle {
		t.Errorf("without a bundle: %v", err)
	}
}

func TestMoreLookupsThanAllowedAreTurnedAwayAtOnce(t *testing.T) {
	f := newFixture(t)
	reading, release := make(chan struct{}), make(chan struct{})
	var entered atomic.Int32
	f.store.WhileReading = func() {
		if entered.Add(1) <= 2 {
			reading <- struct{}{}
			<-release
		}
	}
	request := lookup.Request{Project: "p", Features: []string{"carrier_delays:delay"}, Entities: carriers(`"UA"`)}
	done := make(chan error, 2)
	for range 2 {
		mine := request
		go func() {
			_, err := f.engine.Lookup(context.Background(), &mine)
			done <- err
		}()
		<-reading
	}
	_, err := f.engine.Lookup(context.Background(), &request)
	var failure *lookup.Error
	if !errors.As(err, &failure) || failure.Kind != lookup.Busy {
		t.Errorf("the third: %v", err)
	}
	close(release)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	f.store.WhileReading = nil
	f.lookup(&request)
}

func TestAnExplanationIsNotObserved(t *testing.T) {
	f := newFixture(t)
	f.lookup(&lookup.Request{Features: []string{"carrier_delays:delay"}, Entities: carriers(`"UA"`), Unobserved: true})
	if f.observer.Seen != 0 {
		t.Error("it was observed")
	}
}

// TestAnswersThatAreReusedShareNothing runs requests of many shapes through the same pooled memory.
func TestAnswersThatAreReusedShareNothing(t *testing.T) {
	f := newFixture(t)
	shapes := []struct {
		request lookup.Request
		want    string
	}{
		{lookup.Request{Service: "everything", Entities: []lookup.EntityColumn{{Name: "airport", Values: values("5", "6")}, {Name: "carrier", Values: values(`"UA"`, `"AA"`)}}}, "fresh missing fresh missing fresh missing"},
		{lookup.Request{Features: []string{"airport_weather:wind"}, Entities: []lookup.EntityColumn{{Name: "airport", Values: values("6", "5", "6")}}}, "missing fresh missing"},
		{lookup.Request{Service: "lenient", Entities: carriers(`"AA"`, `"UA"`)}, "missing fresh missing missing"},
		{lookup.Request{Features: []string{"carrier_facts:photo", "watched:x", "carrier_facts:hubs"}, Entities: carriers(`"UA"`)}, "fresh invalid fresh"},
		{lookup.Request{Service: "strict", Entities: carriers()}, ""},
	}
	for round := range 50 {
		shape := shapes[(round*7+round/3)%len(shapes)]
		request := shape.request
		answer := f.lookup(&request)
		if got := verdicts(answer); got != shape.want {
			t.Fatalf("round %d: %s, want %s", round, got, shape.want)
		}
		f.engine.Release(answer)
	}
}
