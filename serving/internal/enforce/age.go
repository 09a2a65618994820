package enforce

import (
	"math"

	"freshline/serving/internal/row"
)

// FutureToleranceUS is how far clocks may differ: what claims to be from later is no evidence.
const FutureToleranceUS = 5_000_000

// Watermarks are those of one view, by lane, as read before the rows were.
type Watermarks struct {
	US  [row.LaneCount]int64
	Has [row.LaneCount]bool
}

// AsOf returns the time at which the row is known to have been right; false when no evidence is
// left. A held row stands on its event time alone.
func AsOf(header *row.Header, marks *Watermarks, nowUS int64) (int64, bool) {
	latest := nowUS + FutureToleranceUS
	asOf, ok := header.EventTimeUS, true
	if asOf > latest {
		asOf, ok = header.WriteTimeUS, header.WriteTimeUS <= latest
	}
	if header.Held || !marks.Has[header.Lane] {
		return asOf, ok
	}
	if mark := marks.US[header.Lane]; mark <= latest && (!ok || mark > asOf) {
		return mark, true
	}
	return asOf, ok
}

// age returns how old that makes the row, never negative, at most what an int64 holds.
func age(asOfUS, nowUS int64) int64 {
	if asOfUS >= nowUS {
		return 0
	}
	if difference := nowUS - asOfUS; difference > 0 {
		return difference
	}
	return math.MaxInt64
}
