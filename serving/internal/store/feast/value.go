package feast

import (
	"encoding/binary"
	"errors"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"freshline/serving/internal/row"
)

// errCorrupt is bytes that are no Value or Timestamp.
var errCorrupt = errors.New("not a protobuf of Feast's")

// nullTime is what Feast stores for a timestamp that is null.
const nullTime = math.MinInt64

const (
	secondUS   = 1_000_000
	maxSeconds = math.MaxInt64 / secondUS
	nullField  = 19
)

// stored says what a Value turned out to hold.
type stored uint8

const (
	present stored = iota
	null
	mistyped // a value, of a type that cannot be read as the feature's dtype
	absent   // nothing is stored, not even a null
)

// kinds maps the fields of feast.types.Value to the dtypes that they hold; the others have no dtype here.
var kinds = [...]row.Dtype{
	1: row.Bytes, 2: row.String, 3: row.Int32, 4: row.Int64, 5: row.Float64, 6: row.Float32, 7: row.Bool, 8: row.Timestamp,
	11: row.ListOf(row.Bytes), 12: row.ListOf(row.String), 13: row.ListOf(row.Int32), 14: row.ListOf(row.Int64),
	15: row.ListOf(row.Float64), 16: row.ListOf(row.Float32), 17: row.ListOf(row.Bool), 18: row.ListOf(row.Timestamp),
}

// kindOf returns the dtype that a field holds.
func kindOf(field protowire.Number) (row.Dtype, bool) {
	if field < 1 || int(field) >= len(kinds) || kinds[field] == 0 {
		return 0, false
	}
	return kinds[field], true
}

// decoder reads values. Lists are packed into its memory: they are good until it is reset.
type decoder struct {
	items []row.Value
	lists []byte
}

func (d *decoder) reset() { d.lists = d.lists[:0] }

// stored reads what is stored of a feature; nil is nothing.
func (d *decoder) stored(data []byte, dtype row.Dtype) (row.Value, stored, error) {
	if data == nil {
		return row.Value{}, absent, nil
	}
	return d.value(data, dtype)
}

// value reads a serialized feast.types.Value as dtype. Of a oneof that is given twice the last counts,
// as everywhere in protobuf.
func (d *decoder) value(data []byte, dtype row.Dtype) (row.Value, stored, error) {
	value, state := row.Value{}, null
	for len(data) > 0 {
		field, wire, size := protowire.ConsumeTag(data)
		if size < 0 {
			return value, state, errCorrupt
		}
		rest := data[size:]
		size = protowire.ConsumeFieldValue(field, wire, rest)
		if size < 0 {
			return value, state, errCorrupt
		}
		kind, known := kindOf(field)
		switch {
		case field == nullField:
			value, state = row.Value{}, null
		case !known || !kind.ReadsAs(dtype):
			value, state = row.Value{}, mistyped
		case kind.IsList():
			items, err := d.list(rest[:size], wire, kind.Element())
			if err != nil {
				return value, state, err
			}
			value, state = items, present
		default:
			scalar, err := decodeScalar(rest[:size], wire, kind)
			if err != nil {
				return value, state, err
			}
			value, state = scalar, present
			if kind == row.Timestamp {
				value, state = inMicroseconds(scalar)
			}
		}
		data = rest[size:]
	}
	return value, state, nil
}

// decodeScalar reads one value of a wire type that fits its kind; data is exactly that value.
func decodeScalar(data []byte, wire protowire.Type, kind row.Dtype) (row.Value, error) {
	if wireOf(kind) != wire {
		return row.Value{}, errCorrupt
	}
	switch kind {
	case row.String, row.Bytes:
		blob, _ := protowire.ConsumeBytes(data)
		return row.Value{Blob: blob}, nil
	case row.Float64:
		return row.Value{Word: canonical(math.Float64frombits(binary.LittleEndian.Uint64(data)))}, nil
	case row.Float32:
		return row.Value{Word: canonical(float64(math.Float32frombits(binary.LittleEndian.Uint32(data))))}, nil
	}
	number, _ := protowire.ConsumeVarint(data)
	switch kind {
	case row.Bool:
		if number != 0 {
			number = 1
		}
	case row.Int32:
		number = uint64(int64(int32(number)))
	}
	return row.Value{Word: number}, nil
}

func wireOf(kind row.Dtype) protowire.Type {
	switch kind {
	case row.String, row.Bytes:
		return protowire.BytesType
	case row.Float64:
		return protowire.Fixed64Type
	case row.Float32:
		return protowire.Fixed32Type
	}
	return protowire.VarintType
}

// canonical is how rows hold floats: one zero, one NaN.
func canonical(number float64) uint64 {
	if math.IsNaN(number) {
		return 0x7ff8_0000_0000_0000
	}
	return math.Float64bits(number + 0)
}

func inMicroseconds(seconds row.Value) (row.Value, stored) {
	whole := int64(seconds.Word)
	switch {
	case whole == nullTime:
		return row.Value{}, null
	case whole > maxSeconds || whole < -maxSeconds:
		return row.Value{}, mistyped
	}
	return row.Value{Word: uint64(whole * secondUS)}, present
}

// list reads a list message: field 1 repeated, packed or not.
func (d *decoder) list(data []byte, wire protowire.Type, kind row.Dtype) (row.Value, error) {
	if wire != protowire.BytesType {
		return row.Value{}, errCorrupt
	}
	data, _ = protowire.ConsumeBytes(data)
	items := d.items[:0]
	for len(data) > 0 {
		field, wire, size := protowire.ConsumeTag(data)
		if size < 0 {
			return row.Value{}, errCorrupt
		}
		rest := data[size:]
		size = protowire.ConsumeFieldValue(field, wire, rest)
		if size < 0 {
			return row.Value{}, errCorrupt
		}
		if field == 1 {
			var err error
			if items, err = appendItems(items, rest[:size], wire, kind); err != nil {
				return row.Value{}, err
			}
		}
		data = rest[size:]
	}
	d.items = items
	from := len(d.lists)
	d.lists = row.AppendPacked(d.lists, row.ListOf(kind), items)
	return row.Value{Blob: d.lists[from:]}, nil
}

func appendItems(items []row.Value, data []byte, wire protowire.Type, kind row.Dtype) ([]row.Value, error) {
	if wire == protowire.BytesType && wireOf(kind) != protowire.BytesType {
		packed, _ := protowire.ConsumeBytes(data)
		for len(packed) > 0 {
			size := protowire.ConsumeFieldValue(1, wireOf(kind), packed)
			if size < 0 {
				return nil, errCorrupt
			}
			var err error
			if items, err = appendItems(items, packed[:size], wireOf(kind), kind); err != nil {
				return nil, err
			}
			packed = packed[size:]
		}
		return items, nil
	}
	item, err := decodeScalar(data, wire, kind)
	if err != nil {
		return nil, err
	}
	if kind == row.Timestamp {
		var state stored
		if item, state = inMicroseconds(item); state != present {
			return nil, errCorrupt
		}
	}
	return append(items, item), nil
}

// decodeTime reads a serialized google.protobuf.Timestamp as microseconds.
func decodeTime(data []byte) (int64, error) {
	var seconds, nanos int64
	for len(data) > 0 {
		field, wire, size := protowire.ConsumeTag(data)
		if size < 0 {
			return 0, errCorrupt
		}
		rest := data[size:]
		size = protowire.ConsumeFieldValue(field, wire, rest)
		if size < 0 {
			return 0, errCorrupt
		}
		if field == 1 || field == 2 {
			if wire != protowire.VarintType {
				return 0, errCorrupt
			}
			number, _ := protowire.ConsumeVarint(rest)
			if field == 1 {
				seconds = int64(number)
			} else {
				nanos = int64(int32(number))
			}
		}
		data = rest[size:]
	}
	if seconds > maxSeconds-1 || seconds < -maxSeconds || nanos < 0 || nanos >= 1_000_000_000 {
		return 0, errCorrupt
	}
	return seconds*secondUS + nanos/1000, nil
}
