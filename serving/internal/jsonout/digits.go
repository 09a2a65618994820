package jsonout

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

const (
	// room is what one value may write to: more than it is long, because digits are written eight at a time.
	room      = 40
	intWidth  = 20                 // the longest int64
	zeroBytes = 0x3030303030303030 // "00000000"
)

// small holds the text of each number below 1000, the first digit in the lowest byte, and in the
// highest how many digits there are.
var small = func() (table [1000]uint32) {
	for i := range uint32(1000) {
		switch a, b, c := '0'+i/100, '0'+i/10%10, '0'+i%10; {
		case i < 10:
			table[i] = c | 1<<24
		case i < 100:
			table[i] = b | c<<8 | 2<<24
		default:
			table[i] = a | b<<8 | c<<16 | 3<<24
		}
	}
	return table
}()

// eight spreads a number below 10^8 over eight bytes, the first digit in the lowest: halves of four
// digits, quarters of two, then single digits, each step for all at once. The factors are 1/100 and 1/10
// in fixed point, exact for so few digits (Paul Khuong, "How to print integers really fast", 2017).
func eight(number uint64) uint64 {
	fours := number/10_000 | number%10_000<<32
	hundreds := fours * 10_486 >> 20 & 0x0000007f_0000007f
	twos := hundreds | (fours-100*hundreds)<<16
	tens := twos * 103 >> 10 & 0x000f_000f_000f_000f
	return tens | (twos-10*tens)<<8
}

// appendInt appends a whole number.
func appendInt(to []byte, number int64) []byte {
	to = slices.Grow(to, room)
	return to[:len(to)+putInt((*[room]byte)(to[len(to):len(to)+room]), 0, number)]
}

// ints appends a column of int64, a comma after each.
func ints(to []byte, words []uint64) []byte {
	to = slices.Grow(to, len(words)*(intWidth+1)+room)
	at, free := len(to), to[:cap(to)]
	for _, word := range words {
		one := (*[room]byte)(free[at:])
		n := putInt(one, 0, int64(word))
		one[n] = ','
		at += n + 1
	}
	return free[:at]
}

// putInt writes a whole number at n and returns its end.
func putInt(to *[room]byte, n int, number int64) int {
	if number < 0 {
		to[n] = '-'
		return putUint(to, n+1, -uint64(number))
	}
	return putUint(to, n, uint64(number))
}

func putUint(to *[room]byte, n int, number uint64) int {
	if number < uint64(len(small)) {
		text := small[number]
		binary.LittleEndian.PutUint32(to[n:], text)
		return n + int(text>>24)
	}
	return putLong(to, n, number)
}

func putLong(to *[room]byte, n int, number uint64) int {
	if number >= 1e8 {
		n = putUint(to, n, number/1e8)
		binary.LittleEndian.PutUint64(to[n:], eight(number%1e8)|zeroBytes)
		return n + 8
	}
	digits := eight(number)
	zeros := bits.TrailingZeros64(digits) / 8
	binary.LittleEndian.PutUint64(to[n:], (digits|zeroBytes)>>(8*zeros))
	return n + 8 - zeros
}

// putFraction writes a number below 10^16 as 16 digits, and returns the end without trailing zeros.
func putFraction(to *[room]byte, n int, number uint64) int {
	first, rest := eight(number/1e8), number%1e8
	binary.LittleEndian.PutUint64(to[n:], first|zeroBytes)
	if rest == 0 {
		binary.LittleEndian.PutUint64(to[n+8:], zeroBytes)
		return n + 8 - bits.LeadingZeros64(first)/8
	}
	last := eight(rest)
	binary.LittleEndian.PutUint64(to[n+8:], last|zeroBytes)
	return n + 16 - bits.LeadingZeros64(last)/8
}
