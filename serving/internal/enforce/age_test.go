package enforce

import (
	"math"
	"testing"

	"freshline/serving/internal/leaktest"
	"freshline/serving/internal/row"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func TestAsOf(t *testing.T) {
	const now = 1_000_000_000
	const none = math.MinInt64
	for _, test := range []struct {
		name               string
		event, write, mark int64
		held               bool
		want               int64
		gone               bool
	}{
		{name: "the event time, without a watermark", event: 7, write: 9, mark: none, want: 7},
		{name: "the watermark, when it is later", event: 7, write: 9, mark: 8, want: 8},
		{name: "the event time, when it is later", event: 8, write: 9, mark: 7, want: 8},
		{name: "a held row has no watermark", event: 7, write: 9, mark: 8, held: true, want: 7},
		{name: "five seconds ahead is a clock that differs", event: now + 5_000_000, write: 9, mark: none, want: now + 5_000_000},
		{name: "a microsecond more is replaced by the write time", event: now + 5_000_001, write: 9, mark: none, want: 9},
		{name: "a write time as late is no evidence", event: now + 5_000_001, write: now + 5_000_001, mark: none, gone: true},
		{name: "then the watermark stands alone", event: now + 5_000_001, write: now + 5_000_001, mark: 6, want: 6},
		{name: "a watermark five seconds ahead counts", event: 7, write: 9, mark: now + 5_000_000, want: now + 5_000_000},
		{name: "a microsecond more does not", event: 7, write: 9, mark: now + 5_000_001, want: 7},
		{name: "a held row from the future with a late write time has nothing", event: now * 9, write: now * 9, mark: 6, held: true, gone: true},
	} {
		header := row.Header{EventTimeUS: test.event, WriteTimeUS: test.write, Held: test.held, Lane: row.Stream}
		var marks Watermarks
		marks.US[row.Batch], marks.Has[row.Batch] = now, true // another lane's watermark never counts
		if test.mark != none {
			marks.US[row.Stream], marks.Has[row.Stream] = test.mark, true
		}
		got, ok := AsOf(&header, &marks, now)
		if ok == test.gone || ok && got != test.want {
			t.Errorf("%s: %d %v, want %d", test.name, got, ok, test.want)
		}
	}
}

func TestAgesAreNeverNegativeAndNeverWrapAround(t *testing.T) {
	for _, test := range []struct{ asOf, now, want int64 }{
		{5, 5, 0}, {6, 5, 0}, {4, 5, 1}, {math.MinInt64, 5, math.MaxInt64}, {0, math.MaxInt64, math.MaxInt64},
	} {
		if got := age(test.asOf, test.now); got != test.want {
			t.Errorf("age(%d, %d) is %d, want %d", test.asOf, test.now, got, test.want)
		}
	}
}
