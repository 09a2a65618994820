package lookup_test

import (
	"testing"

	"freshline/serving/internal/lookup"
)

func TestAnAnswerThatGrewForOneHugeRequestIsNotKept(t *testing.T) {
	engine := lookup.NewEngine(lookup.Config{})
	huge := &lookup.Answer{Rows: 1 << 18, Columns: make([]*lookup.Column, 2)}
	engine.Release(huge)
	if lookup.Pooled(engine) == huge {
		t.Error("a huge answer is kept for the next request")
	}
}
