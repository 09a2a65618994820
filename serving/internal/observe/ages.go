package observe

import (
	"math"
	"math/bits"
	"time"
)

const (
	ageBuckets = 79
	// unknownAge also takes what is older than the last bound, 33 days.
	unknownAge = ageBuckets - 1
)

// ageScale finds the bucket of an age. Bucket i ends at 0.1 s x 1.25^i; the report's reader knows
// the same formula.
type ageScale struct {
	bounds [unknownAge]int64 // inclusive upper bounds, microseconds
	starts [65]int           // first bucket that an age of so many bits can fall into
}

func newAgeScale() *ageScale {
	s := new(ageScale)
	for i := range s.bounds {
		s.bounds[i] = int64(100_000 * math.Pow(1.25, float64(i)))
	}
	for length := range s.starts {
		least := uint64(0)
		if length > 0 {
			least = 1 << (length - 1)
		}
		for s.starts[length] < unknownAge && uint64(s.bounds[s.starts[length]]) < least {
			s.starts[length]++
		}
	}
	return s
}

// bucket needs at most four comparisons: each doubling of the age spans a little over three buckets.
func (s *ageScale) bucket(ageUS int64) int {
	i := s.starts[bits.Len64(uint64(ageUS))]
	for i < unknownAge && ageUS > s.bounds[i] {
		i++
	}
	return i
}

// latencyBucket is a thousand times finer than an age's: bucket i ends at 0.1 ms x 1.25^i.
func (s *ageScale) latencyBucket(took time.Duration) int {
	return s.bucket(took.Nanoseconds())
}
