package lookup_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/enforce"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/lookup/lookuptest"
	"freshline/serving/internal/row"
)

// twoStores is an engine whose project p lives in the store fast and its twin in the default one.
type twoStores struct {
	*fixture
	fast *lookuptest.Store
}

func newTwoStores(t *testing.T) *twoStores {
	f := &twoStores{newFixture(t), lookuptest.NewStore()}
	f.fast.Put(t, lookuptest.Bundle(t).Projects["p"].Views["carrier_delays"], `"UA"`, young(), "99.5", "7")
	f.publish("fast")
	config := f.engine.Config
	config.Stores = lookup.Stores{bundle.DefaultStore: f.store, "fast": f.fast}
	config.Limits.Concurrent = 1
	f.engine = lookup.NewEngine(config)
	return f
}

// publish puts project p into a store, and leaves a project twin with the same views in the default one.
func (f *twoStores) publish(store string) {
	f.t.Helper()
	text := strings.Replace(lookuptest.Document, `"p":{"services"`, `"p":{"store":"`+store+`","services"`, 1)
	b, err := bundle.Parse([]byte(text))
	if err != nil {
		f.t.Fatal(err)
	}
	twin := *lookuptest.Bundle(f.t).Projects["p"]
	b.Projects["twin"] = &twin
	f.holder.Store(b)
}

func (f *twoStores) ask(project string) (*lookup.Answer, error) {
	return f.engine.Lookup(context.Background(), &lookup.Request{
		Project: project, Features: []string{"carrier_delays:delay"}, Entities: carriers(`"UA"`),
	})
}

func (f *twoStores) delay(project string) string {
	f.t.Helper()
	answer, err := f.ask(project)
	if err != nil {
		f.t.Fatalf("%s: %v", project, err)
	}
	value, _ := answer.Value(answer.Columns[0], 0)
	return fmt.Sprint(math.Float64frombits(value.Word))
}

func TestAProjectIsReadFromItsOwnStore(t *testing.T) {
	f := newTwoStores(t)
	if own, twin := f.delay("p"), f.delay("twin"); own != "99.5" || twin != "12.5" {
		t.Errorf("p has %s and its twin %s", own, twin)
	}
}

func TestAProjectInAStoreWithoutAnAddressIsToldSo(t *testing.T) {
	f := newTwoStores(t)
	f.publish("lost")
	_, err := f.ask("p")
	var failed *lookup.Error
	if !errors.As(err, &failed) || failed.Kind != lookup.StoreUnavailable || !strings.Contains(failed.Message, "store lost") {
		t.Errorf("answered %v", err)
	}
	if f.store.Reads+f.fast.Reads != 0 {
		t.Error("another store was asked")
	}
	f.delay("twin")
}

func TestAStoreThatFailsOpensItsOwnBreakerOnly(t *testing.T) {
	f := newTwoStores(t)
	f.fast.Fault = func(*lookup.Read) error { return errors.New("down") }
	for range 6 {
		if answer, err := f.ask("p"); err != nil || answer.Failure == nil {
			t.Fatalf("answered %v", err)
		}
	}
	if !f.engine.Breaker("fast").Open() || f.engine.Breaker(bundle.DefaultStore).Open() {
		t.Error("not the one breaker is open")
	}
	if got := f.delay("twin"); got != "12.5" {
		t.Errorf("the twin has %s", got)
	}
}

func TestAFullStoreTurnsNobodyAwayFromTheOthers(t *testing.T) {
	f := newTwoStores(t)
	inside := 0
	f.fast.WhileReading = func() {
		inside++
		if inside > 1 {
			return
		}
		_, err := f.ask("p")
		var failed *lookup.Error
		if !errors.As(err, &failed) || failed.Kind != lookup.Busy {
			t.Errorf("a second lookup in the full store: %v", err)
		}
		f.delay("twin")
		if f.engine.InFlight("fast") != 1 || f.engine.InFlight(bundle.DefaultStore) != 0 {
			t.Errorf("%d and %d in flight", f.engine.InFlight("fast"), f.engine.InFlight(bundle.DefaultStore))
		}
	}
	f.delay("p")
	if inside != 1 || f.engine.InFlight("fast") != 0 {
		t.Errorf("%d readers, %d left behind", inside, f.engine.InFlight("fast"))
	}
}

func TestWatermarksProveNothingOfTheRowsInAnotherStore(t *testing.T) {
	f := newTwoStores(t)
	old := row.Header{EventTimeUS: nowUS - 100_000_000, WriteTimeUS: nowUS}
	f.fast.Put(t, lookuptest.Bundle(t).Projects["p"].Views["carrier_delays"], `"UA"`, old, "1", "1")
	f.store.Marks = map[string]enforce.Watermarks{"carrier_delays": {US: [3]int64{nowUS}, Has: [3]bool{true}}}
	marks := lookup.NewWatermarks(f.engine.Stores)
	f.engine.Marks = marks
	// Before the move the project's watermarks are those of the default store.
	if err := marks.Add(context.Background(), nil, []lookup.Place{lookuptest.PlaceOfP}); err != nil {
		t.Fatal(err)
	}
	answer, err := f.ask("p")
	if err != nil {
		t.Fatal(err)
	}
	if got := verdicts(answer); got != "stale" {
		t.Errorf("verdict %s", got)
	}
}

func TestAStoreThatIsAwayKeepsNoOthersWatermarks(t *testing.T) {
	f := newTwoStores(t)
	mark := enforce.Watermarks{US: [3]int64{7}, Has: [3]bool{true}}
	f.store.MarksFault = errors.New("away")
	f.fast.Marks = map[string]enforce.Watermarks{"v": mark}
	marks := lookup.NewWatermarks(f.engine.Stores)
	place := lookup.Place{Project: "p", Store: "fast"}
	lost := lookup.Place{Project: "q", Store: "lost"}
	if err := marks.Add(context.Background(), nil, []lookup.Place{lookuptest.PlaceOfP, place, lost}); err == nil {
		t.Error("no error")
	}
	if marks.Load()[place]["v"] != mark {
		t.Errorf("%v", marks.Load())
	}
}

func TestAProjectThatMovesThereAndBackIsNotJudgedByItsOldWatermarks(t *testing.T) {
	f := newTwoStores(t)
	mark := func(us int64) map[string]enforce.Watermarks {
		return map[string]enforce.Watermarks{"v": {US: [3]int64{us}, Has: [3]bool{true}}}
	}
	here, there := []lookup.Place{lookuptest.PlaceOfP}, []lookup.Place{{Project: "p", Store: "fast"}}
	marks := lookup.NewWatermarks(f.engine.Stores)
	move := func(from, to []lookup.Place) {
		t.Helper()
		if err := marks.Add(context.Background(), from, to); err != nil {
			t.Fatal(err)
		}
	}
	f.store.Marks = mark(1)
	move(nil, here)
	f.store.Marks = mark(2)
	move(here, there)
	if marks.Load()[here[0]]["v"].US[0] != 1 {
		t.Errorf("while the project is still here: %v", marks.Load())
	}
	move(there, here)
	if marks.Load()[here[0]]["v"].US[0] != 2 {
		t.Errorf("once it is back: %v", marks.Load())
	}
	move(here, here)
	if _, kept := marks.Load()[there[0]]; kept || len(marks.Load()) != 1 {
		t.Errorf("long after: %v", marks.Load())
	}
}

// A store of Feast's makes layouts up, so that its number 2 need not be another's.
func TestALayoutOfOneStoreIsNotTakenForAnothersOfTheSameNumber(t *testing.T) {
	f := newTwoStores(t)
	view := lookuptest.Bundle(t).Projects["p"].Views["carrier_delays"]
	put := func(store *lookuptest.Store, value float64, names ...string) {
		layout, err := row.NewLayout(2, []row.Spec{{Name: names[0], Dtype: "float64"}, {Name: names[1], Dtype: "float64"}})
		if err != nil {
			t.Fatal(err)
		}
		store.Layouts[2] = layout
		wanted, other := &row.Value{Word: math.Float64bits(value)}, &row.Value{Word: math.Float64bits(-1)}
		cells := []*row.Value{wanted, other}
		if names[0] != "delay" {
			cells = []*row.Value{other, wanted}
		}
		store.PutBytes(t, view, `"UA"`, row.Encode(row.Header{EventTimeUS: nowUS, WriteTimeUS: nowUS, Layout: 2}, layout, cells))
	}
	put(f.fast, 1.5, "delay", "other")
	put(f.store, 2.5, "other", "delay")
	if got := f.delay("p"); got != "1.5" {
		t.Fatalf("in the store fast: %s", got)
	}
	f.publish(bundle.DefaultStore) // the project moves
	if got := f.delay("p"); got != "2.5" {
		t.Errorf("in the default store: %s", got)
	}
}

// together waits until as many projects are asked for at once as may be.
type together struct {
	*lookuptest.Store
	under atomic.Int64
	full  chan struct{}
	once  sync.Once
}

func (s *together) ReadWatermarks(ctx context.Context, project string) (map[string]enforce.Watermarks, error) {
	under := s.under.Add(1)
	defer s.under.Add(-1)
	if under == lookup.PollAtOnce {
		s.once.Do(func() { close(s.full) })
	}
	<-s.full
	if project == "3" {
		return nil, errors.New("away")
	}
	return map[string]enforce.Watermarks{project: {}}, nil
}

func TestProjectsOfOneStoreAreAskedForSideBySide(t *testing.T) {
	store := &together{Store: lookuptest.NewStore(), full: make(chan struct{})}
	marks := lookup.NewWatermarks(lookup.OnlyStore(store))
	places := make([]lookup.Place, lookup.PollAtOnce)
	for i := range places {
		places[i] = lookup.Place{Project: strconv.Itoa(i), Store: bundle.DefaultStore}
	}
	err := marks.Add(context.Background(), nil, places)
	if err == nil || !strings.Contains(err.Error(), `project "3": away`) {
		t.Errorf("the error is %v", err)
	}
	for i, place := range places {
		if _, ok := marks.Load()[place][place.Project]; ok != (i != 3) {
			t.Errorf("project %d has watermarks: %v", i, ok)
		}
	}
}
