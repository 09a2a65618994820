package arrowapi

import (
	"context"
	"math"
	"testing"

	"freshline/serving/internal/lookup"
	"freshline/serving/internal/lookup/lookuptest"
	"freshline/serving/internal/row"
)

// The streams themselves are read by pyarrow: tests/serving/test_arrow.py.

func answerOf(t *testing.T, request *lookup.Request) *lookup.Answer {
	t.Helper()
	store := lookuptest.NewStore()
	views := lookuptest.Bundle(t).Projects["p"].Views
	header := row.Header{EventTimeUS: lookuptest.NowUS - 1_000_000, WriteTimeUS: lookuptest.NowUS, Lane: row.Direct}
	store.Put(t, views["carrier_facts"], `"UA"`, header, `"United"`, "0.1", `"AAE="`, "-1500000", `["EWR","ORD"]`, "true")
	engine, _ := lookuptest.Engine(t, store, new(lookuptest.Observer))
	answer, err := engine.Lookup(context.Background(), request)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestAStreamIsWrittenWithoutAllocating(t *testing.T) {
	answer := answerOf(t, &lookup.Request{
		Project:  "p",
		Features: []string{"carrier_facts:name", "carrier_facts:delay", "carrier_facts:founded", "carrier_facts:hubs", "carrier_facts:low_cost"},
		Entities: []lookup.EntityColumn{{Name: "carrier", Values: [][]byte{[]byte(`"UA"`), []byte(`"AA"`)}}},
	})
	writer, to := newWriter(), []byte(nil) // no pool: the race detector has it lose things on purpose
	allocated := testing.AllocsPerRun(100, func() {
		var err error
		if to, err = writer.appendStream(to[:0], answer, false, []byte(`{}`)); err != nil {
			t.Fatal(err)
		}
	})
	if allocated != 0 {
		t.Errorf("%v allocations", allocated)
	}
}

func TestWhatArrowsOffsetsCannotReachIsRefused(t *testing.T) {
	var w writer
	w.offset(nil, math.MaxInt32)
	if w.tooMuch {
		t.Error("the greatest offset is refused")
	}
	w.offset(nil, math.MaxInt32+1)
	if !w.tooMuch {
		t.Error("an offset beyond 32 bits is taken")
	}
}
