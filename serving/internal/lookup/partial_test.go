package lookup_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"freshline/serving/internal/lookup"
	"freshline/serving/internal/lookup/lookuptest"
)

// outcomes remembers how the calls to the store ended.
type outcomes []lookup.Outcome

// StoreCall implements lookup.StoreTimer.
func (o *outcomes) StoreCall(_, _ string, _ time.Duration, outcome lookup.Outcome) {
	*o = append(*o, outcome)
}

func TestAReadThatFailsInPartIsCountedAndLoggedAtMostOnceASecond(t *testing.T) {
	f := newFixture(t)
	config := f.engine.Config
	now := lookuptest.Now()
	var log bytes.Buffer
	var seen outcomes
	config.Now, config.Timer, config.Log = func() time.Time { return now }, &seen, slog.New(slog.NewTextHandler(&log, nil))
	engine := lookup.NewEngine(config)
	ask := func() {
		answer, err := engine.Lookup(context.Background(), &lookup.Request{Project: "p", Features: []string{"carrier_delays:delay"}, Entities: carriers(`"UA"`, `"AA"`)})
		if err != nil || answer.Failure != nil {
			t.Fatal(err)
		}
		engine.Release(answer)
	}
	f.store.Fault = func(read *lookup.Read) error {
		read.Missed[1], read.Partial = true, errors.New("a shard is down")
		return nil
	}
	ask()
	ask()
	now = now.Add(time.Second)
	ask()
	f.store.Fault = nil
	ask()
	if !slices.Equal(seen, outcomes{lookup.Partial, lookup.Partial, lookup.Partial, lookup.Whole}) {
		t.Errorf("counted %v", seen)
	}
	if told := log.String(); strings.Count(told, "a shard is down") != 2 || strings.Count(told, "\n") != 2 {
		t.Errorf("logged %s", told)
	}
}
