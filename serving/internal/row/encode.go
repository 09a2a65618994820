package row

import (
	"encoding/binary"
	"hash/crc32"
)

// Encode lays out a row; values[i] nil is a null, and a tombstone's values are all null. Serving
// never writes rows to a store: what reads a foreign layout makes them, and the judge command, tests and
// benchmarks do, to feed the decoder real bytes.
func Encode(h Header, l *Layout, values []*Value) []byte {
	data := make([]byte, l.ends, l.data+64)
	binary.BigEndian.PutUint64(data, uint64(h.EventTimeUS)^1<<63)
	binary.BigEndian.PutUint64(data[8:], uint64(h.Lane)<<positionBits|h.Position)
	data[16] = formatVersion
	data[17] = flags(h)
	binary.LittleEndian.PutUint32(data[20:], l.Number)
	binary.LittleEndian.PutUint64(data[24:], uint64(h.WriteTimeUS))
	binary.LittleEndian.PutUint64(data[32:], h.RunNumber)
	var ends, texts []byte
	for i, field := range l.Fields {
		value := values[i]
		if value == nil {
			at, mask := field.nullBit()
			data[at] |= mask
		}
		switch {
		case field.slot >= 0:
			if value != nil {
				texts = append(texts, value.Blob...)
			}
			ends = binary.LittleEndian.AppendUint32(ends, uint32(len(texts)))
		case value != nil:
			fixed := appendFixed(nil, field.Dtype, value.Word)
			copy(data[field.fixed:], fixed)
		}
	}
	data = append(append(data, ends...), texts...)
	return binary.LittleEndian.AppendUint32(data, crc32.Checksum(data, checksums()))
}

func flags(h Header) byte {
	var bits byte
	if h.Tombstone {
		bits |= flagTombstone
	}
	if h.Held {
		bits |= flagHeld
	}
	if h.Clamped {
		bits |= flagClamped
	}
	return bits
}
