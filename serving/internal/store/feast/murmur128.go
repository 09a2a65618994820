package feast

import (
	"encoding/binary"
	"encoding/hex"
	"math/bits"
)

// entityID returns the key of an entity's item in DynamoDB: the MurmurHash3 (x64, 128 bits, seed 0) of the entity
// key, in hexadecimal.
func entityID(key []byte) string {
	first, second := murmur128(key)
	var sum [16]byte
	binary.LittleEndian.PutUint64(sum[:], first)
	binary.LittleEndian.PutUint64(sum[8:], second)
	return hex.EncodeToString(sum[:])
}

const (
	scale1 = 0x87c37b91114253d5
	scale2 = 0x4cf5ad432745937f
)

func murmur128(data []byte) (first, second uint64) {
	size := uint64(len(data))
	for ; len(data) >= 16; data = data[16:] {
		first ^= scramble1(binary.LittleEndian.Uint64(data))
		first = (bits.RotateLeft64(first, 27)+second)*5 + 0x52dce729
		second ^= scramble2(binary.LittleEndian.Uint64(data[8:]))
		second = (bits.RotateLeft64(second, 31)+first)*5 + 0x38495ab5
	}
	var tail [16]byte
	copy(tail[:], data)
	second ^= scramble2(binary.LittleEndian.Uint64(tail[8:]))
	first ^= scramble1(binary.LittleEndian.Uint64(tail[:]))
	first, second = first^size, second^size
	first += second
	second += first
	first, second = finish(first), finish(second)
	first += second
	return first, second + first
}

func scramble1(word uint64) uint64 { return bits.RotateLeft64(word*scale1, 31) * scale2 }

func scramble2(word uint64) uint64 { return bits.RotateLeft64(word*scale2, 33) * scale1 }

func finish(word uint64) uint64 {
	word = (word ^ word>>33) * 0xff51afd7ed558ccd
	word = (word ^ word>>33) * 0xc4ceb9fe1a85ec53
	return word ^ word>>33
}
