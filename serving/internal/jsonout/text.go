package jsonout

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"
)

const (
	eachByte    = 0x0101010101010101
	beyondASCII = 0x80 * eachByte
)

// appendText is String for bytes, nearly all of which stand for themselves: those are copied while they are
// looked at.
func appendText(to, text []byte) []byte {
	length := len(text) + len(`""`)
	to = slices.Grow(to, length)
	free := to[len(to) : len(to)+length]
	if !copyUnescaped(free[1:], text) {
		return String(to, text)
	}
	free[0], free[length-1] = '"', '"'
	return to[:len(to)+length]
}

// copyUnescaped copies a text eight bytes at a time and returns whether JSON takes it as it is. Where less
// than eight are left, it takes some bytes again.
func copyUnescaped(to, text []byte) bool {
	n, all := len(text), uint64(0)
	to = to[:n]
	switch {
	case n >= 8:
		for i := 0; i < n-8; i += 8 {
			word := binary.LittleEndian.Uint64(text[i:])
			if escaped(word) {
				return false
			}
			binary.LittleEndian.PutUint64(to[i:], word)
			all |= word
		}
		word := binary.LittleEndian.Uint64(text[n-8:])
		if escaped(word) {
			return false
		}
		binary.LittleEndian.PutUint64(to[n-8:], word)
		all |= word
	case n >= 4:
		first, last := binary.LittleEndian.Uint32(text), binary.LittleEndian.Uint32(text[n-4:])
		all = uint64(first) | uint64(last)<<32
		if escaped(all) {
			return false
		}
		binary.LittleEndian.PutUint32(to, first)
		binary.LittleEndian.PutUint32(to[n-4:], last)
	default:
		for i, c := range text {
			if !plain[c] {
				return false
			}
			to[i] = c
		}
	}
	return all&beyondASCII == 0 || utf8.Valid(text)
}

// escaped returns whether one of eight bytes is a control, '"' or '\\': a difference below zero sets its
// highest bit. It borrows from the next byte, but then the answer is yes already.
func escaped(word uint64) bool {
	control := word - ' '*eachByte
	quote := (word ^ '"'*eachByte) - eachByte
	backslash := (word ^ '\\'*eachByte) - eachByte
	return (control|quote|backslash)&^word&beyondASCII != 0
}
