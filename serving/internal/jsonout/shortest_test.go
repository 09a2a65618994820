package jsonout

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"testing"
)

// A power of ten in 128 bits is the exact one, or the next greater.
func TestPowersOfTen(t *testing.T) {
	one := big.NewRat(1, 1)
	for n := leastPower; n <= greatestPower; n++ {
		g := powers[n-leastPower]
		if g.high>>63 != 1 {
			t.Errorf("10^%d does not fill its 128 bits: %x", n, g.high)
		}
		got := new(big.Int).Lsh(new(big.Int).SetUint64(g.high), 64)
		got.Add(got, new(big.Int).SetUint64(g.low))
		over := new(big.Rat).SetInt(got)
		over.Sub(over, new(big.Rat).Mul(twoTo(127-floorLog2OfPower(n)), ratPower(10, n)))
		if over.Sign() < 0 || over.Cmp(one) >= 0 {
			t.Errorf("10^%d is off by %s of its last bit", n, over.FloatString(3))
		}
	}
}

func ratPower(base int64, n int) *big.Rat {
	power := new(big.Int).Exp(big.NewInt(base), big.NewInt(int64(max(n, -n))), nil)
	if n < 0 {
		return new(big.Rat).SetFrac(big.NewInt(1), power)
	}
	return new(big.Rat).SetInt(power)
}

func twoTo(n int) *big.Rat { return ratPower(2, n) }

func TestLogarithmsOfEveryExponent(t *testing.T) {
	for q := -1074; q <= 971; q++ {
		width := twoTo(q)
		checkLogarithm(t, width, floorLog10(q))
		checkLogarithm(t, new(big.Rat).Mul(big.NewRat(3, 4), width), floorLog10OfThreeQuarters(q))
		for _, k := range []int{floorLog10(q), floorLog10OfThreeQuarters(q)} {
			if shift := q + floorLog2OfPower(-k) + 1; shift < 1 || shift > 5 {
				t.Errorf("2^%d is shifted by %d: 58 bits and more do not fit", q, shift)
			}
			if -k < leastPower || -k > greatestPower {
				t.Errorf("2^%d needs 10^%d", q, -k)
			}
		}
	}
}

func checkLogarithm(t *testing.T, width *big.Rat, k int) {
	t.Helper()
	if ratPower(10, k).Cmp(width) > 0 || ratPower(10, k+1).Cmp(width) <= 0 {
		t.Errorf("10^%d is not the greatest power of ten within %s", k, width)
	}
}

// The digits alone, without any layout: those of the standard library, with zeros behind them.
func TestShortestDigits(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		word := random.Uint64() >> 1 % math.Float64bits(math.Inf(1))
		if random.IntN(8) == 0 {
			word &^= 1<<52 - 1 // a power of two
		}
		if word == 0 {
			continue
		}
		c, q, narrow := parts(word, 52, 1075)
		digits, exponent := shortest(c, q, narrow)
		for digits%10 == 0 {
			digits /= 10
			exponent++
		}
		text := strconv.FormatUint(digits, 10)
		exponent += len(text) - 1
		if len(text) > 1 {
			text = text[:1] + "." + text[1:]
		}
		text += "e" + []string{"+", "-"}[bit(exponent < 0)] + []string{"", "0"}[bit(max(exponent, -exponent) < 10)]
		text += strconv.Itoa(max(exponent, -exponent))
		if want := strconv.FormatFloat(math.Float64frombits(word), 'e', -1, 64); text != want {
			t.Fatalf("%x is %s, want %s", word, text, want)
		}
	}
}

func bit(is bool) int {
	if is {
		return 1
	}
	return 0
}
