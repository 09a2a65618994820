package row

import (
	"encoding/binary"
	"math"
)

// Items returns how many elements a well-formed packed list holds.
func Items(dtype Dtype, blob []byte) int {
	if width := dtype.Width(); width > 0 {
		return len(blob) / width
	}
	return int(binary.LittleEndian.Uint32(blob))
}

// Word returns element i of a packed list of a fixed dtype, in the form of Column.Words.
func Word(dtype Dtype, blob []byte, i int) uint64 {
	switch dtype.Element() {
	case Bool:
		if blob[i] != 0 {
			return 1
		}
		return 0
	case Int32:
		return uint64(int64(int32(binary.LittleEndian.Uint32(blob[4*i:]))))
	case Float32:
		return math.Float64bits(float64(math.Float32frombits(binary.LittleEndian.Uint32(blob[4*i:]))))
	}
	return binary.LittleEndian.Uint64(blob[8*i:])
}

// Text returns element i of a packed list of strings or bytes.
func Text(blob []byte, i int) []byte {
	texts := blob[4+4*int(binary.LittleEndian.Uint32(blob)):]
	var from uint32
	if i > 0 {
		from = binary.LittleEndian.Uint32(blob[4*i:])
	}
	return texts[from:binary.LittleEndian.Uint32(blob[4+4*i:])]
}
