package lookup

import "testing"

func TestARetiredFeatureIsNeverGivenAsItIsStored(t *testing.T) {
	// No rows: all of none are fresh, and the cells are still those of an earlier request.
	if new(Answer).IsPlain(new(Column)) {
		t.Error("the values of an earlier request are given")
	}
}

// Pooled takes what the engine would take for the next request.
func Pooled(e *Engine) *Answer { return e.answers.Get().(*Answer) }
