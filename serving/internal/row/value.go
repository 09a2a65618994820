package row

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// Value is one value outside a row, as a default is: Word for fixed dtypes, Blob for variable ones,
// both in the form that Column holds them.
type Value struct {
	Word uint64
	Blob []byte
}

// canonicalNaN is the one NaN that rows hold; Go's own has another last bit.
const canonicalNaN = 0x7ff8_0000_0000_0000

// ParseValue reads a value of a document of ours: floats as numbers or "NaN", "Infinity" and
// "-Infinity", bytes as base64, timestamps as integer microseconds, lists as arrays.
func ParseValue(dtype Dtype, raw json.RawMessage) (Value, error) {
	if dtype.IsList() {
		return parseList(dtype, raw)
	}
	switch dtype {
	case String:
		var text string
		err := json.Unmarshal(raw, &text)
		return Value{Blob: []byte(text)}, err
	case Bytes:
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return Value{}, err
		}
		blob, err := base64.StdEncoding.DecodeString(text)
		return Value{Blob: blob}, err
	case Bool:
		var truth bool
		err := json.Unmarshal(raw, &truth)
		if truth {
			return Value{Word: 1}, err
		}
		return Value{}, err
	case Float32, Float64:
		number, err := ParseFloat(raw)
		if dtype == Float32 {
			number = float64(float32(number))
		}
		return Value{Word: math.Float64bits(number + 0)}, err
	}
	number, err := parseInteger(raw)
	if dtype == Int32 && (number < math.MinInt32 || number > math.MaxInt32) {
		return Value{}, fmt.Errorf("%s is outside int32", raw)
	}
	return Value{Word: uint64(number)}, err
}

// parseInteger takes 7 and also 7.0, as contracts do.
func parseInteger(raw json.RawMessage) (int64, error) {
	number, err := strconv.ParseInt(string(raw), 10, 64)
	if err == nil {
		return number, nil
	}
	float, floatErr := strconv.ParseFloat(string(raw), 64)
	if floatErr != nil || float != math.Trunc(float) || math.Abs(float) >= 1<<63 {
		return 0, fmt.Errorf("%s is no integer of 64 bits", raw)
	}
	return int64(float), nil
}

// ParseFloat reads a JSON number or one of the three names that JSON has no number for.
func ParseFloat(raw json.RawMessage) (float64, error) {
	switch string(raw) {
	case `"NaN"`:
		return math.Float64frombits(canonicalNaN), nil
	case `"Infinity"`:
		return math.Inf(1), nil
	case `"-Infinity"`:
		return math.Inf(-1), nil
	}
	number, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return 0, fmt.Errorf("%s is no number", raw)
	}
	return number, nil
}

func parseList(dtype Dtype, raw json.RawMessage) (Value, error) {
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return Value{}, err
	}
	values := make([]Value, len(items))
	for i, item := range items {
		value, err := ParseValue(dtype.Element(), item)
		if err != nil {
			return Value{}, fmt.Errorf("element %d: %w", i, err)
		}
		values[i] = value
	}
	return Value{Blob: Pack(dtype, values)}, nil
}

// Pack lays out a list as rows do.
func Pack(dtype Dtype, values []Value) []byte { return AppendPacked([]byte{}, dtype, values) }

// AppendPacked appends what Pack returns.
func AppendPacked(packed []byte, dtype Dtype, values []Value) []byte {
	if dtype.Width() > 0 {
		for _, value := range values {
			packed = appendFixed(packed, dtype.Element(), value.Word)
		}
		return packed
	}
	packed = binary.LittleEndian.AppendUint32(packed, uint32(len(values)))
	end := 0
	for _, value := range values {
		end += len(value.Blob)
		packed = binary.LittleEndian.AppendUint32(packed, uint32(end))
	}
	for _, value := range values {
		packed = append(packed, value.Blob...)
	}
	return packed
}

func appendFixed(to []byte, dtype Dtype, word uint64) []byte {
	var bytes [8]byte
	putFixed(bytes[:], dtype, word)
	return append(to, bytes[:dtype.Width()]...)
}
