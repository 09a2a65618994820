package jsonout

import (
	"encoding/binary"
	"math/big"
	"math/bits"
)

// The powers of ten that a float64 may need, and so a float32.
const (
	leastPower    = -292
	greatestPower = 324
)

// powers holds the most significant 128 bits of 10^n for each n from leastPower, rounded up: what the paper
// named beside shortest calls g.
var powers = func() (table [greatestPower - leastPower + 1]struct{ high, low uint64 }) {
	setQuotient := func(n int, a, b *big.Int) {
		quotient := new(big.Int).Add(a, b)
		quotient.Sub(quotient, big.NewInt(1)).Div(quotient, b)
		words := quotient.FillBytes(make([]byte, 16))
		table[n-leastPower].high = binary.BigEndian.Uint64(words)
		table[n-leastPower].low = binary.BigEndian.Uint64(words[8:])
	}
	one, ten, power := big.NewInt(1), big.NewInt(10), big.NewInt(1)
	for n := range greatestPower + 1 {
		size := uint(power.BitLen())
		setQuotient(n, new(big.Int).Lsh(power, 128), new(big.Int).Lsh(one, size))
		if n > 0 && -n >= leastPower {
			setQuotient(-n, new(big.Int).Lsh(one, 127+size), power)
		}
		power.Mul(power, ten)
	}
	return table
}()

// shortest returns the decimal digits × 10^exponent with the fewest digits that reads back as the float
// c × 2^q, and of those the nearest to it; the even one of two as near. The digits may end in zeros.
// A narrow float is a power of two: the next one below is half as far away as the one above.
//
// This is Schubfach (Raffaello Giulietti, "The Schubfach way to render doubles", 2022). With the greatest
// 10^k that is no more than the width of the interval which reads back as the float, one or more
// multiples of 10^k lie in it, but no more than one of 10^(k+1), which has fewer digits. Everything is
// counted in quarters of 10^k. The paper shows that with an odd last quarter for "and something more",
// 126 bits of the powers of ten decide every comparison as exact arithmetic would.
func shortest(c uint64, q int, narrow bool) (digits uint64, exponent int) {
	k := floorLog10(q)
	below := uint64(2)
	if narrow {
		k, below = floorLog10OfThreeQuarters(q), 1
	}
	g := &powers[-k-leastPower]
	shift := uint(q+floorLog2OfPower(-k)+1) & 63
	low := quarters(g.high, g.low, (4*c-below)<<shift)
	value := quarters(g.high, g.low, 4*c<<shift)
	high := quarters(g.high, g.low, (4*c+2)<<shift)

	// A bound itself reads back as the float when c is even: IEEE 754 rounds ties to even.
	odd := c & 1
	low, high = low+odd, high-odd

	// No branches: which of these it is changes from one float to the next.
	floor := value / 4
	digits = (value + 1 + floor&1) / 4
	if low > 4*digits { // only below a narrow one
		digits++
	}
	ten := floor / 10 * 10
	if 4*(ten+10) <= high {
		digits = ten + 10
	}
	if low <= 4*ten {
		digits = ten
	}
	return digits, k
}

// quarters multiplies g and c and rounds the product to odd: its last bit is set when anything follows.
func quarters(high, low, c uint64) uint64 {
	carry, _ := bits.Mul64(low, c)
	whole, rest := bits.Mul64(high, c)
	rest, over := bits.Add64(rest, carry, 0)
	whole += over
	if rest > 1 {
		whole |= 1
	}
	return whole
}

// The logarithms are fractions near log10(2), log10(3/4) and log2(10), right for every exponent of a float64.

func floorLog10(q int) int                { return q * 1_262_611 >> 22 }
func floorLog10OfThreeQuarters(q int) int { return (q*1_262_611 - 524_031) >> 22 }
func floorLog2OfPower(n int) int          { return n * 1_741_647 >> 19 }
