package lookup_test

import (
	"testing"

	"freshline/serving/internal/lookup"
	"freshline/serving/internal/lookup/lookuptest"
	"freshline/serving/internal/row"
)

func TestUnenforcedTheCallerGetsWhatIsStored(t *testing.T) {
	f := newFixture(t)
	delays := lookuptest.Bundle(t).Projects["p"].Views["carrier_delays"]
	f.store.Put(t, delays, `"UA"`, row.Header{EventTimeUS: 1}, "99999", "-7")
	request := lookup.Request{Service: "strict", Entities: carriers(`"UA"`)}
	if answer := f.lookup(&request); answer.Failure == nil {
		t.Error("a stale row was not rejected")
	}
	f.engine.Unenforced = true
	answer := f.lookup(&request)
	if value, ok := answer.Value(answer.Columns[0], 0); answer.Failure != nil || !ok || verdicts(answer) != "fresh" {
		t.Errorf("%v, value %v, verdicts %s", answer.Failure, value, verdicts(answer))
	}
}
