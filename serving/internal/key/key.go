// Package key encodes entity keys as the online store knows them: Feast's entity key, version 3.
package key

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"freshline/serving/internal/jsonscan"
	"freshline/serving/internal/row"
)

// ErrValue is wrapped by every complaint about a caller's key value.
var ErrValue = errors.New("bad key value")

var errDtype = errors.New("no join key has this dtype")

// JoinKey is one part of an entity key.
type JoinKey struct {
	Name  string
	Dtype row.Dtype
}

// Encoder encodes the keys of one set of join keys. It is immutable.
type Encoder struct {
	joinKeys  []JoinKey
	names     []byte // the part of the bytes that is the same for every key
	signature string
}

func typeCode(dtype row.Dtype) (uint32, error) {
	switch dtype {
	case row.Bytes:
		return 1, nil
	case row.String:
		return 2, nil
	case row.Int32:
		return 3, nil
	case row.Int64:
		return 4, nil
	}
	return 0, fmt.Errorf("%w: %s", errDtype, dtype)
}

// NewEncoder takes the join keys sorted by name.
func NewEncoder(joinKeys []JoinKey) (*Encoder, error) {
	names := binary.LittleEndian.AppendUint32(nil, uint32(len(joinKeys)))
	for i, joinKey := range joinKeys {
		if i > 0 && joinKeys[i-1].Name >= joinKey.Name {
			return nil, fmt.Errorf("join key %q is not in order", joinKey.Name)
		}
		if _, err := typeCode(joinKey.Dtype); err != nil {
			return nil, fmt.Errorf("join key %q: %w", joinKey.Name, err)
		}
		names = binary.LittleEndian.AppendUint32(names, 2)
		names = binary.LittleEndian.AppendUint32(names, uint32(len(joinKey.Name)))
		names = append(names, joinKey.Name...)
	}
	signature := string(names)
	for _, joinKey := range joinKeys {
		signature += " " + joinKey.Dtype.String()
	}
	return &Encoder{joinKeys: joinKeys, names: names, signature: signature}, nil
}

// JoinKeys returns the join keys in the order in which AppendValue wants their values.
func (e *Encoder) JoinKeys() []JoinKey { return e.joinKeys }

// Signature tells two sets of join keys apart: views with the same one share their keys.
func (e *Encoder) Signature() string { return e.signature }

// AppendNames begins a key. AppendValue must follow, once for each join key.
func (e *Encoder) AppendNames(to []byte) []byte { return append(to, e.names...) }

// AppendValue appends the value of a join key, given as JSON.
func AppendValue(to []byte, dtype row.Dtype, raw []byte) ([]byte, error) {
	switch dtype {
	case row.Int32, row.Int64:
		number, err := parseInteger(raw)
		if err != nil {
			return to, err
		}
		return appendInteger(to, dtype, number)
	}
	if len(raw) == 0 || raw[0] != '"' {
		return to, fmt.Errorf("%w: %.40s is no %s", ErrValue, raw, dtype)
	}
	code, err := typeCode(dtype)
	if err != nil {
		return to, err
	}
	to = binary.LittleEndian.AppendUint32(to, code)
	sizeAt := len(to)
	to = append(to, 0, 0, 0, 0)
	to, err = jsonscan.AppendText(to, raw)
	if err != nil {
		return to, fmt.Errorf("%w: %w", ErrValue, err)
	}
	text := to[sizeAt+4:]
	if !utf8.Valid(text) {
		return to, fmt.Errorf("%w: invalid UTF-8", ErrValue)
	}
	if dtype == row.Bytes {
		n, err := base64.StdEncoding.Decode(text, text)
		if err != nil {
			return to, fmt.Errorf("%w: %.40s is no base64", ErrValue, raw)
		}
		to = to[:sizeAt+4+n]
	}
	binary.LittleEndian.PutUint32(to[sizeAt:], uint32(len(to)-sizeAt-4))
	return to, nil
}

func appendInteger(to []byte, dtype row.Dtype, number int64) ([]byte, error) {
	if dtype == row.Int64 {
		to = binary.LittleEndian.AppendUint32(to, 4)
		to = binary.LittleEndian.AppendUint32(to, 8)
		return binary.LittleEndian.AppendUint64(to, uint64(number)), nil
	}
	if number < math.MinInt32 || number > math.MaxInt32 {
		return to, fmt.Errorf("%w: %d is outside int32", ErrValue, number)
	}
	to = binary.LittleEndian.AppendUint32(to, 3)
	to = binary.LittleEndian.AppendUint32(to, 4)
	return binary.LittleEndian.AppendUint32(to, uint32(number)), nil
}

// parseInteger takes numbers with a zero fraction, as contracts do: 7, 7.0 and 7e2.
func parseInteger(raw []byte) (int64, error) {
	if number, ok := plainInteger(raw); ok {
		return number, nil
	}
	number, err := strconv.ParseInt(string(raw), 10, 64)
	if err == nil {
		return number, nil
	}
	float, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || float != math.Trunc(float) || math.Abs(float) >= 1<<63 {
		return 0, fmt.Errorf("%w: %.40s is no integer of 64 bits", ErrValue, raw)
	}
	return int64(float), nil
}

// plainInteger reads at most 18 digits, which is nearly every key, without a string.
func plainInteger(raw []byte) (int64, bool) {
	digits := raw
	if len(digits) > 0 && digits[0] == '-' {
		digits = digits[1:]
	}
	if len(digits) == 0 || len(digits) > 18 {
		return 0, false
	}
	var number int64
	for _, digit := range digits {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		number = number*10 + int64(digit-'0')
	}
	if len(digits) < len(raw) {
		number = -number
	}
	return number, true
}
