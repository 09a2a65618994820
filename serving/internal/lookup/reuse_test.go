package lookup_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/lookup/lookuptest"
)

func TestAnAnswerThatGrewForOneHugeRequestIsNotKept(t *testing.T) {
	engine := lookup.NewEngine(lookup.Config{})
	huge := &lookup.Answer{Rows: 1 << 18, Columns: make([]*lookup.Column, 2)}
	engine.Release(huge)
	if lookup.Pooled(engine) == huge {
		t.Error("a huge answer is kept for the next request")
	}
}

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
