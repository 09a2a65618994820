package lookup

import "testing"

func TestARetiredFeatureIsNeverGivenAsItIsStored(t *testing.T) {
	// No rows: all of none are fresh, and the cells are still those of an earlier request.
	if new(Answer).IsPlain(new(Column)) {
		t.Error("the values of an earlier request are given")
	}
}
