package lookup

import (
	"testing"

	"freshline/serving/internal/row"
)

func TestARetiredFeatureIsNeverGivenAsItIsStored(t *testing.T) {
	// No rows: all of none are fresh, and the cells are still those of an earlier request.
	if new(Answer).IsPlain(new(Column)) {
		t.Error("the values of an earlier request are given")
	}
}

// PollAtOnce is pollAtOnce.
const PollAtOnce = pollAtOnce

// Pooled takes what the engine would take for the next request.
func Pooled(e *Engine) *Answer { return e.answers.Get().(*Answer) }

func TestAReleasedAnswerHoldsNoRowsAndALargeOneIsNotKept(t *testing.T) {
	kept := make([]byte, 1)
	a := &Answer{Rows: 1, Columns: []*Column{{cells: row.Column{Blobs: [][]byte{kept}}}}}
	a.groups = []group{{read: Read{Rows: [][]byte{kept}}}}
	if a.isLarge() {
		t.Error("one value is large")
	}
	a.forget()
	if a.groups[0].read.Rows[0] != nil || a.Columns[0].cells.Blobs[0] != nil {
		t.Error("the answer holds a row")
	}
	a.groups[0].bytes = make([]byte, maxPooledKeys+1)
	if !a.isLarge() {
		t.Error("long keys are kept")
	}
	if a := (&Answer{Rows: maxPooledValues + 1, Columns: []*Column{nil}}); !a.isLarge() {
		t.Error("many values are kept")
	}
}
