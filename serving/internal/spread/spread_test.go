package spread

import (
	"strings"
	"sync/atomic"
	"testing"

	"freshline/serving/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func TestAPanicComesToTheOneWhoWaitsOnceAllPartsHaveEnded(t *testing.T) {
	var ended atomic.Int64
	defer func() {
		told, _ := recover().(string)
		if !strings.HasPrefix(told, "this part broke\n") || !strings.Contains(told, "spread_test.go") {
			t.Errorf("told %q", told)
		}
		if ended.Load() != 7 {
			t.Errorf("%d parts had ended", ended.Load())
		}
	}()
	var group Group
	for part := range 8 {
		group.Go(func() {
			if part == 3 {
				panic("this part broke")
			}
			ended.Add(1)
		})
	}
	group.Wait()
	t.Error("nobody was told")
}

func TestPartsThatEndWellAreWaitedFor(t *testing.T) {
	var ended atomic.Int64
	var group Group
	for range 8 {
		group.Go(func() { ended.Add(1) })
	}
	group.Wait()
	if ended.Load() != 8 {
		t.Errorf("%d parts had ended", ended.Load())
	}
}
