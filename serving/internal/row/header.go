package row

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/bits"
)

// Lane is the way a row came in.
type Lane uint8

// The lanes, as a row's order key codes them.
const (
	Batch Lane = iota
	Stream
	Direct

	LaneCount = 3
)

// String names the lane as contracts and watermarks do.
func (l Lane) String() string {
	switch l {
	case Batch:
		return "batch"
	case Stream:
		return "stream"
	case Direct:
		return "direct"
	}
	return "unknown"
}

// ParseLane returns the lane of that name.
func ParseLane(name string) (Lane, bool) {
	for lane := Batch; lane <= Direct; lane++ {
		if lane.String() == name {
			return lane, true
		}
	}
	return 0, false
}

// What can be wrong with the bytes of a row.
var (
	ErrTooShort = errors.New("row is too short")
	ErrChecksum = errors.New("row fails its checksum")
	ErrVersion  = errors.New("row has an unknown format version")
	ErrLane     = errors.New("row names no lane")
	ErrFlags    = errors.New("row has flags or reserved bytes that mean nothing")
	ErrShape    = errors.New("row does not have the shape of its layout")
)

const (
	flagTombstone = 1 << iota
	flagHeld
	flagClamped
	flagsKnown = flagTombstone | flagHeld | flagClamped

	formatVersion = 1
	positionBits  = 62
)

// Header is what precedes the values of a row.
type Header struct {
	EventTimeUS int64
	WriteTimeUS int64
	RunNumber   uint64
	Position    uint64
	Layout      uint32
	Lane        Lane
	Tombstone   bool
	Held        bool
	Clamped     bool
}

// castagnoli is the table of CRC-32C. The standard library hands out one shared table, and takes its
// fast path only for that one. It is asked for once, as a narrow row would notice.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Verify checks length, checksum, version and lane, and reads the header.
func Verify(data []byte, h *Header) error {
	if len(data) < headerSize+checksumSize {
		return ErrTooShort
	}
	body := len(data) - checksumSize
	if crc32.Checksum(data[:body], castagnoli) != binary.LittleEndian.Uint32(data[body:]) {
		return ErrChecksum
	}
	if data[16] != formatVersion {
		return ErrVersion
	}
	sequence := binary.BigEndian.Uint64(data[8:])
	lane := Lane(sequence >> positionBits)
	if lane >= LaneCount {
		return ErrLane
	}
	flags := data[17]
	if flags > flagsKnown || data[18]|data[19] != 0 { // of a writer that says what we would not see
		return ErrFlags
	}
	h.EventTimeUS = int64(binary.BigEndian.Uint64(data) ^ 1<<63)
	h.WriteTimeUS = int64(binary.LittleEndian.Uint64(data[24:]))
	h.RunNumber = binary.LittleEndian.Uint64(data[32:])
	h.Position = sequence & (1<<positionBits - 1)
	h.Layout = binary.LittleEndian.Uint32(data[20:])
	h.Lane = lane
	h.Tombstone = flags&flagTombstone != 0
	h.Held = flags&flagHeld != 0
	h.Clamped = flags&flagClamped != 0
	return nil
}

// FitsLayout checks that a verified row has room for every column of the layout and that the end
// offsets of its variable columns rise to the end of the data; and that no null lies past the last column
// or over a value.
func FitsLayout(data []byte, l *Layout) bool {
	size := len(data) - checksumSize - l.data
	if size < 0 || l.bitmap > 0 && data[headerSize+l.bitmap-1]&l.pastLast != 0 {
		return false
	}
	var previous uint32
	for at := l.ends; at < l.data; at += 4 {
		end := binary.LittleEndian.Uint32(data[at:])
		if end < previous {
			return false
		}
		previous = end
	}
	return uint64(previous) == uint64(size) && l.nullsAreEmpty(data)
}

// nullsAreEmpty checks that no column that is null has a value all the same: a writer that means something by it
// is none that we know. Rows without a null pay for a look at their bitmap.
func (l *Layout) nullsAreEmpty(data []byte) bool {
	if !l.hasNulls(data) {
		return true
	}
	for at, nulls := range data[headerSize : headerSize+l.bitmap] {
		for ; nulls != 0; nulls &= nulls - 1 {
			if !l.isEmpty(data, &l.Fields[8*at+bits.TrailingZeros8(nulls)]) {
				return false
			}
		}
	}
	return true
}

// isEmpty tells whether a column has the bytes that a null has, or those of a zero below 0, as the control plane
// reads it.
func (l *Layout) isEmpty(data []byte, field *Field) bool {
	switch field.Dtype {
	case Bool:
		return data[field.fixed] == 0
	case Int32:
		return binary.LittleEndian.Uint32(data[field.fixed:]) == 0
	case Float32:
		return binary.LittleEndian.Uint32(data[field.fixed:])<<1 == 0
	case Int64, Timestamp:
		return binary.LittleEndian.Uint64(data[field.fixed:]) == 0
	case Float64:
		return binary.LittleEndian.Uint64(data[field.fixed:])<<1 == 0
	}
	return len(l.variable(data, field.slot)) == 0
}
