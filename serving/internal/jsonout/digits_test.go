package jsonout

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
)

func TestWholeNumbers(t *testing.T) {
	numbers := []int64{math.MinInt64, math.MaxInt64}
	for n := range int64(50_000) {
		numbers = append(numbers, n, -n)
	}
	for power := int64(1); power < 1e18; power *= 10 {
		numbers = append(numbers, power-1, power, power+1, -power, 10*power-1)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 50_000 {
		numbers = append(numbers, int64(random.Uint64())>>random.IntN(64))
	}
	var words []uint64
	var want []byte
	for _, number := range numbers {
		words = append(words, uint64(number))
		one := strconv.FormatInt(number, 10)
		want = append(append(want, one...), ',')
		if got := string(appendInt(nil, number)); got != one || len(one) > intWidth {
			t.Fatalf("%d is %s", number, got)
		}
	}
	if got := ints(nil, words); string(got) != string(want) {
		t.Error("a column is not its numbers one by one")
	}
}

func TestFractions(t *testing.T) {
	for number, want := range map[uint64]string{
		0:                     "",
		5000000000000000:      "5",
		1:                     "0000000000000001",
		10_000_000:            "000000001",
		100_000_000:           "00000001",
		1_000_000_000:         "0000001",
		9_999_999_999_999_999: "9999999999999999",
		1_200_000_034_000_000: "1200000034",
	} {
		var to [room]byte
		end := putFraction(&to, 1, number)
		if got := string(to[1:end]); got != want {
			t.Errorf("%016d is %s, want %s", number, got, want)
		}
		if all := fmt.Sprintf("%016d", number); string(to[1:17]) != all {
			t.Errorf("the sixteen digits are %s, want %s", to[1:17], all)
		}
	}
}
