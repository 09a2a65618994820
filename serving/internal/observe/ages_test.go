package observe

import (
	"math"
	"math/rand/v2"
	"testing"

	"freshline/serving/internal/enforce"
)

// Ages of rows side by side are counted together; what comes of it is as if each were counted by itself.
func TestAgesAreCountedTogetherAsEachWouldBe(t *testing.T) {
	chance := rand.New(rand.NewPCG(5, 6))
	scale := newAgeScale()
	known := []int64{0, 1, 100_000, 100_001, 60_000_000, math.MaxInt64}
	for range 200 {
		rows := new(enforce.Table)
		for range chance.IntN(40) {
			state, age := enforce.State(chance.IntN(int(enforce.Damaged)+1)), known[chance.IntN(len(known))]
			for range 1 + chance.IntN(4) {
				rows.States, rows.AgeUS = append(rows.States, state), append(rows.AgeUS, age)
			}
		}
		var got, want [ageBuckets]uint64
		var total Totals
		countAges(&got, &total, scale, rows)
		seconds := 0.0
		for i, state := range rows.States {
			switch {
			case state == enforce.Young || state == enforce.Old:
				want[scale.bucket(rows.AgeUS[i])]++
				seconds += float64(rows.AgeUS[i]) / 1e6
			case state.Found():
				want[unknownAge]++
			}
		}
		if got != want || total.Ages != want {
			t.Fatalf("ages %v of states %v are counted as %v", rows.AgeUS, rows.States, got)
		}
		if math.Abs(total.AgeSumSeconds-seconds) > 1e-9*seconds {
			t.Errorf("they add up to %v s, want %v", total.AgeSumSeconds, seconds)
		}
	}
}
