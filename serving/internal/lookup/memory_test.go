package lookup_test

import (
	"context"
	"errors"
	"testing"

	"freshline/serving/internal/lookup"
	"freshline/serving/internal/lookup/lookuptest"
)

func TestValuesUnderWayAreBoundedAndALookupThatIsAloneIsLetIn(t *testing.T) {
	store := lookuptest.NewStore()
	engine, _ := lookuptest.Engine(t, store, new(lookuptest.Observer))
	engine.Limits.Values = 3
	ask := func(keys ...string) (*lookup.Answer, error) {
		values := make([][]byte, len(keys))
		for i, key := range keys {
			values[i] = []byte(key)
		}
		return engine.Lookup(context.Background(), &lookup.Request{
			Project: "p", Features: []string{"carrier_delays:delay", "carrier_delays:flights"},
			Entities: []lookup.EntityColumn{{Name: "carrier", Values: values}},
		})
	}
	for range 3 { // what a refusal took is given back
		large, err := ask(`"a"`, `"b"`, `"c"`)
		if err != nil {
			t.Fatalf("a lookup that is alone: %v", err)
		}
		var refused *lookup.Error
		if _, err := ask(`"a"`); !errors.As(err, &refused) || refused.Kind != lookup.Busy {
			t.Fatalf("one more: %v", err)
		}
		engine.Release(large)
		small, err := ask(`"a"`)
		if err != nil {
			t.Fatalf("after the large one: %v", err)
		}
		engine.Release(small)
	}
}

func TestALookupThatBreaksKeepsNobodysRoom(t *testing.T) {
	f := newFixture(t)
	request := &lookup.Request{Features: []string{"carrier_delays:delay"}, Entities: carriers(`"UA"`)}
	f.observer.Look = func(*lookup.Answer) { panic("broken") }
	for range 150 { // more than there is room for values
		func() {
			defer func() { _ = recover() }()
			f.lookup(request)
		}()
	}
	f.observer.Look = nil
	f.engine.Release(f.lookup(request))
}

func TestTheMemoryOfRowsGoesFromLookupToLookupUnlessLargeRowsNeededIt(t *testing.T) {
	store := lookuptest.NewStore()
	engine, _ := lookuptest.Engine(t, store, new(lookuptest.Observer))
	var found, grown int
	store.Fault = func(read *lookup.Read) error {
		found = cap(read.Memory)
		if found < grown {
			read.Memory = make([]byte, 0, grown)
		}
		return nil
	}
	for _, test := range []struct {
		grown int
		kept  bool
	}{{1 << 20, true}, {5 << 20, false}} {
		grown = test.grown
		kept := false
		for range 20 { // a pool may drop what it has at any time
			answer, err := engine.Lookup(context.Background(), &lookup.Request{
				Project: "p", Features: []string{"carrier_delays:delay"}, Entities: carriers(`"UA"`),
			})
			if err != nil {
				t.Fatal(err)
			}
			engine.Release(answer)
			kept = kept || found >= grown
		}
		if kept != test.kept {
			t.Errorf("%d bytes are kept: %v", test.grown, kept)
		}
	}
}
