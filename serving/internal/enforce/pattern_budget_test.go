//go:build !race

package enforce

import (
	"context"
	"testing"

	"freshline/serving/internal/row"
)

// TestPatternsDoNotAllocate runs without the race detector only: regexp keeps its machines in a pool,
// and the detector empties pools at random.
func TestPatternsDoNotAllocate(t *testing.T) {
	made := newBench(t, "string", `"pattern":"[a-z]+"`, row.Value{Blob: []byte("abc")}, 20, 10)
	made.checkBudget(context.Background(), t, "patterns")
}
