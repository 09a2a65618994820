package jsonout

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"strconv"
)

const (
	floatWidth = 25 // the longest float: a sign, "0.00000" and 17 digits
	// shortWidth is the length up to which a float makes floats expect another one of few decimals.
	shortWidth = 11
	// tiedFloat32 is 2^-12, the power of two between two shortest decimals that are as near. We would take
	// the even one, and so does Go 1.25; Go 1.26 takes the other. Answers stay what its strconv says.
	tiedFloat32 = 0x39800000
)

// tens are the powers of ten up to the greatest that a uint64 holds; the rest spares a bounds check.
var tens = func() (table [32]uint64) {
	table[0] = 1
	for i := range 19 {
		table[i+1] = 10 * table[i]
	}
	return table
}()

// Float appends the shortest number that reads back as the same float of so many bits. It always
// looks like a float, and the three values that JSON lacks are strings.
func Float(to []byte, value float64, bits int) []byte {
	to = slices.Grow(to, room)
	free := (*[room]byte)(to[len(to) : len(to)+room])
	if bits == 32 {
		return to[:len(to)+putFloat32(free, value)]
	}
	return to[:len(to)+putFloat64(free, value)]
}

// float64s appends a column of float64, a comma after each. Some columns are measured to a few decimals and
// some are computed and have all digits: the last value says what to try first.
func float64s(to []byte, words []uint64) []byte {
	to = slices.Grow(to, len(words)*(floatWidth+1)+room)
	at, free, short := len(to), to[:cap(to)], false
	for _, word := range words {
		one, value, n := (*[room]byte)(free[at:]), math.Float64frombits(word), 0
		if short {
			n = putShort(one, value)
		}
		if n == 0 {
			n = putFloat64(one, value)
		}
		if one[n-1] != '0' { // whole numbers are among both
			short = n <= shortWidth
		}
		one[n] = ','
		at += n + 1
	}
	return free[:at]
}

// float32s appends a column of float32, a comma after each.
func float32s(to []byte, words []uint64) []byte {
	to = slices.Grow(to, len(words)*(floatWidth+1)+room)
	at, free := len(to), to[:cap(to)]
	for _, word := range words {
		one := (*[room]byte)(free[at:])
		n := putFloat32(one, math.Float64frombits(word))
		one[n] = ','
		at += n + 1
	}
	return free[:at]
}

// putShort writes a float64 of at most four decimals and returns its length, or 0 for any other. A quotient
// is rounded to the nearest float: when that of two whole numbers equals the value, it reads back as
// the value. With at most 15 digits no other decimal as short does (a float64 tells all of them apart).
func putShort(to *[room]byte, value float64) int {
	size := math.Abs(value)
	if !(size < 1e10) {
		return 0
	}
	scaled := int64(size*1e4 + 0.5)
	if float64(scaled)/1e4 != size {
		return 0
	}
	n := 0
	if value < 0 {
		to[0], n = '-', 1
	}
	n = putUint(to, n, uint64(scaled)/1e4)
	to[n] = '.'
	digits := eight(uint64(scaled) % 1e4 * 1e4)
	binary.LittleEndian.PutUint64(to[n+1:], digits|zeroBytes)
	return max(n+9-bits.LeadingZeros64(digits)/8, n+2)
}

// putFloat64 writes a float64 and returns its length.
func putFloat64(to *[room]byte, value float64) int {
	if whole := int64(value); isShortWhole(whole, value) {
		return putWhole(to, whole)
	}
	if !(math.Abs(value) <= math.MaxFloat64) {
		return copy(to[:], nameOf(value))
	}
	c, q, narrow := parts(math.Float64bits(math.Abs(value)), 52, 1075)
	digits, exponent := shortest(c, q, narrow)
	return putDecimal(to, value, digits, exponent)
}

// putFloat32 writes the float32 that equals the value.
func putFloat32(to *[room]byte, value float64) int {
	if whole := int64(value); isShortWhole(whole, value) {
		return putWhole(to, whole)
	}
	if !(math.Abs(value) <= math.MaxFloat64) {
		return copy(to[:], nameOf(value))
	}
	word := math.Float32bits(float32(math.Abs(value)))
	if word == tiedFloat32 {
		return len(strconv.AppendFloat(to[:0], value, 'f', -1, 32))
	}
	c, q, narrow := parts(uint64(word), 23, 150)
	digits, exponent := shortest(c, q, narrow)
	return putDecimal(to, value, digits, exponent)
}

// parts takes a float without its sign, in IEEE 754's form with so many bits of fraction, as c × 2^q. The
// bias is the one that makes c whole.
func parts(word uint64, fraction, bias int) (c uint64, q int, narrow bool) {
	hidden := uint64(1) << fraction
	c, q = word&(hidden-1), int(word>>fraction)
	narrow = c == 0 && q > 1
	if q == 0 { // subnormal
		return c, 1 - bias, narrow
	}
	return c | hidden, q - bias, narrow
}

// isShortWhole returns whether the value is whole and written with all of its digits.
func isShortWhole(whole int64, value float64) bool {
	return float64(whole) == value && -1e15 < value && value < 1e15
}

func putWhole(to *[room]byte, whole int64) int {
	n := putInt(to, 0, whole) // no sign for minus zero
	to[n], to[n+1] = '.', '0'
	return n + 2
}

// putDecimal lays out digits × 10^exponent, the shortest decimal of the value but for its sign.
func putDecimal(to *[room]byte, value float64, digits uint64, exponent int) int {
	to[0] = '-'
	n, size := int(math.Float64bits(value)>>63), math.Abs(value)
	if 1 <= size && size < 1<<52 && exponent < 0 {
		// Whole floats lie on both sides of the decimal as they do of the float: both have the same whole part.
		whole, decimals := uint64(int64(size)), -exponent
		n = putUint(to, n, whole)
		to[n] = '.'
		rest := (digits - whole*tens[decimals&31]) * tens[(16-decimals)&31]
		return max(putFraction(to, n+1, rest), n+2)
	}
	if digits < 1e9 { // all of a float32
		digits *= 1e8
		exponent -= 8
	}
	for digits < 1e16 {
		digits *= 10
		exponent--
	}
	first, rest := byte('0'+digits/1e16), digits%1e16
	switch exponent += 16; {
	case size < 1e-6 || size >= 1e21:
		return putScientific(to, n, first, rest, exponent)
	case size < 1:
		copy(to[n:], "0.00000")
		n += 1 - exponent
		to[n] = first
		return putFraction(to, n+1, rest)
	}
	to[n] = first
	putFraction(to, n+1, rest)
	copy(to[n+17:], "0000")
	n += 1 + exponent
	to[n], to[n+1] = '.', '0'
	return n + 2
}

// putScientific writes a digit and 16 more after the point, times a power of ten.
func putScientific(to *[room]byte, n int, first byte, rest uint64, exponent int) int {
	to[n], to[n+1] = first, '.'
	n++
	if rest > 0 {
		n = putFraction(to, n+1, rest)
	}
	to[n], to[n+1] = 'e', '+'
	if exponent < 0 {
		to[n+1] = '-'
		exponent = -exponent
	}
	n += 2
	if exponent < 10 {
		to[n] = '0'
		n++
	}
	return putUint(to, n, uint64(exponent))
}

// nameOf returns what stands for a float that JSON has no number for.
func nameOf(value float64) string {
	switch {
	case math.IsInf(value, 1):
		return `"Infinity"`
	case math.IsInf(value, -1):
		return `"-Infinity"`
	}
	return `"NaN"`
}
