package lookup_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/lookup/lookuptest"
	"freshline/serving/internal/row"
)

func TestANameRepeatedByItsServiceIsRefusedUnlessFullNamesTellThemApart(t *testing.T) {
	f := newFixture(t)
	text := strings.Replace(lookuptest.Document, `["carrier_delays","delay"],["carrier_delays","gone"]`,
		`["carrier_delays","delay"],["carrier_facts","delay"]`, 1)
	parsed, err := bundle.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	f.holder.Store(parsed)
	request := lookup.Request{Project: "p", Service: "lenient", Entities: carriers(`"UA"`)}
	_, err = f.engine.Lookup(context.Background(), &request)
	var failure *lookup.Error
	if !errors.As(err, &failure) || failure.Kind != lookup.Collision {
		t.Errorf("short names: %v", err)
	}
	request.FullNames = true
	if got := verdicts(f.lookup(&request)); got != "fresh fresh" {
		t.Errorf("full names: verdicts %s", got)
	}
}

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
