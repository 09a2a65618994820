package row

import (
	"encoding/binary"
	"hash/crc32"
	"math"

	"freshline/serving/internal/arena"
)

// Encode lays out a row; values[i] nil is a null, and a tombstone's values are all null. Serving
// never writes rows to a store: what reads a foreign layout makes them, and the judge command, tests and
// benchmarks do, to feed the decoder real bytes.
func Encode(h Header, l *Layout, values []*Value) []byte {
	plain, nulls := make([]Value, len(values)), make([]bool, len(values))
	for i, value := range values {
		if nulls[i] = value == nil; !nulls[i] {
			plain[i] = *value
		}
	}
	return new(Encoder).Encode(h, l, plain, nulls)
}

// Encoder lays out one row after the other in few allocations. It is used by one goroutine, for rows that live
// and die together; the zero Encoder is ready.
type Encoder struct{ rows arena.Arena }

// Encode returns a row of values, of which nulls says which are null.
func (e *Encoder) Encode(h Header, l *Layout, values []Value, nulls []bool) []byte {
	size := l.data + checksumSize
	for i := range l.Fields {
		if l.Fields[i].slot >= 0 && !nulls[i] {
			size += len(values[i].Blob)
		}
	}
	data := e.rows.Take(size)
	encodeHeader(data, h, l)
	var end int
	for i := range l.Fields {
		field := &l.Fields[i]
		if nulls[i] {
			at, mask := field.nullBit()
			data[at] |= mask
		}
		switch {
		case field.slot >= 0:
			if !nulls[i] {
				end += copy(data[l.data+end:], values[i].Blob)
			}
			binary.LittleEndian.PutUint32(data[l.ends+4*field.slot:], uint32(end))
		case !nulls[i]:
			putFixed(data[field.fixed:], field.Dtype, values[i].Word)
		}
	}
	body := size - checksumSize
	binary.LittleEndian.PutUint32(data[body:], crc32.Checksum(data[:body], castagnoli))
	return data
}

func encodeHeader(data []byte, h Header, l *Layout) {
	binary.BigEndian.PutUint64(data, uint64(h.EventTimeUS)^1<<63)
	binary.BigEndian.PutUint64(data[8:], uint64(h.Lane)<<positionBits|h.Position)
	data[16] = formatVersion
	data[17] = flags(h)
	binary.LittleEndian.PutUint32(data[20:], l.Number)
	binary.LittleEndian.PutUint64(data[24:], uint64(h.WriteTimeUS))
	binary.LittleEndian.PutUint64(data[32:], h.RunNumber)
}

func putFixed(to []byte, dtype Dtype, word uint64) {
	switch dtype {
	case Bool:
		to[0] = byte(word)
	case Int32:
		binary.LittleEndian.PutUint32(to, uint32(word))
	case Float32:
		binary.LittleEndian.PutUint32(to, math.Float32bits(float32(math.Float64frombits(word))))
	default:
		binary.LittleEndian.PutUint64(to, word)
	}
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
