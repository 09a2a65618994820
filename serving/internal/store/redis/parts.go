package redis

import (
	"strings"

	"freshline/serving/internal/lookup"
)

const (
	slots        = 1 << 14 // of a Cluster
	slotsPerPart = slots / 64
)

var _ lookup.Divided = (*Store)(nil)

// Parts implements lookup.Divided: each bit is a run of a Cluster's slots.
func (s *Store) Parts(read *lookup.Read) uint64 {
	prefix := rowPrefix + read.Project + ":"
	return s.PartsOf(len(read.Keys), func(k int) string { return prefix + string(read.Keys[k]) })
}

// PartsOf returns the parts in which a number of Redis keys lie.
func (s *Store) PartsOf(keys int, key func(k int) string) uint64 {
	if s.option.ForceSingleClient {
		return lookup.EveryPart
	}
	var parts uint64
	for k := range keys {
		parts |= 1 << (slotOf(key(k)) / slotsPerPart)
	}
	return parts
}

// slotOf is where a Cluster keeps a key: CRC-16 (XMODEM) of what is between its first braces, else of all.
func slotOf(key string) int {
	if _, rest, ok := strings.Cut(key, "{"); ok {
		if tag, _, ok := strings.Cut(rest, "}"); ok && tag != "" {
			key = tag
		}
	}
	var crc uint16
	for i := range len(key) {
		crc ^= uint16(key[i]) << 8
		for range 8 {
			carry := crc & 0x8000
			crc <<= 1
			if carry != 0 {
				crc ^= 0x1021
			}
		}
	}
	return int(crc) % slots
}
