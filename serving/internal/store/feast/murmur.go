package feast

import (
	"encoding/binary"
	"math/bits"
)

// fieldOf returns the name of a feature's field: the MurmurHash3 (32 bits, seed 0) of "view:feature",
// little-endian.
func fieldOf(view, feature string) string {
	return string(binary.LittleEndian.AppendUint32(nil, murmur3([]byte(view+":"+feature))))
}

func murmur3(data []byte) uint32 {
	const c1, c2 = 0xcc9e2d51, 0x1b873593
	size := uint32(len(data))
	var hash uint32
	for ; len(data) >= 4; data = data[4:] {
		hash ^= bits.RotateLeft32(binary.LittleEndian.Uint32(data)*c1, 15) * c2
		hash = bits.RotateLeft32(hash, 13)*5 + 0xe6546b64
	}
	var tail uint32
	for i := len(data) - 1; i >= 0; i-- {
		tail = tail<<8 | uint32(data[i])
	}
	if len(data) > 0 {
		hash ^= bits.RotateLeft32(tail*c1, 15) * c2
	}
	hash ^= size
	hash = (hash ^ hash>>16) * 0x85ebca6b
	hash = (hash ^ hash>>13) * 0xc2b2ae35
	return hash ^ hash>>16
}
