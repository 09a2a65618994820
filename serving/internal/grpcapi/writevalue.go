package grpcapi

import (
	"encoding/base64"
	"errors"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"freshline/serving/internal/jsonout"
)

var errKind = errors.New("a value is of a kind that no feature has")

// appendWritten appends a Value as JSON, in the form in which Feast's HTTP bodies hold it.
func appendWritten(to, value []byte) ([]byte, error) {
	from := len(to)
	to = append(to, "null"...)
	err := eachField(value, func(field protowire.Number, kind protowire.Type, number uint64, text []byte) (err error) {
		switch {
		case field == 19 && kind == protowire.VarintType:
			to = append(to[:from], "null"...)
		case field >= 1 && field <= 8 && kind == wireOf[field]:
			to, err = appendWrittenScalar(to[:from], field, number, text)
		case field >= 11 && field <= 18 && kind == protowire.BytesType:
			to, err = appendWrittenList(to[:from], field-10, text)
		default:
			err = errKind
		}
		return err
	})
	return to, err
}

// wireOf is how the scalars of a Value travel, by field.
var wireOf = [9]protowire.Type{
	1: protowire.BytesType, 2: protowire.BytesType, 3: protowire.VarintType, 4: protowire.VarintType,
	5: protowire.Fixed64Type, 6: protowire.Fixed32Type, 7: protowire.VarintType, 8: protowire.VarintType,
}

func appendWrittenScalar(to []byte, field protowire.Number, number uint64, text []byte) ([]byte, error) {
	switch field {
	case 1:
		return append(base64.StdEncoding.AppendEncode(append(to, '"'), text), '"'), nil
	case 2:
		return jsonout.String(to, text), checkText(text)
	case 3:
		return strconv.AppendInt(to, int64(int32(number)), 10), nil
	case 5:
		return jsonout.Float(to, math.Float64frombits(number), 64), nil
	case 6:
		return jsonout.Float(to, float64(math.Float32frombits(uint32(number))), 64), nil
	case 7:
		return strconv.AppendBool(to, number != 0), nil
	}
	return strconv.AppendInt(to, int64(number), 10), nil
}

// appendWrittenList appends a list's own message, whose numbers may be packed.
func appendWrittenList(to []byte, element protowire.Number, list []byte) ([]byte, error) {
	to = append(to, '[')
	err := eachField(list, func(field protowire.Number, kind protowire.Type, number uint64, text []byte) (err error) {
		switch {
		case field != 1:
			return nil
		case kind == wireOf[element]:
			to, err = appendWrittenScalar(to, element, number, text)
			to = append(to, ',')
			return err
		case kind == protowire.BytesType:
			to, err = appendPacked(to, element, text)
			return err
		}
		return errKind
	})
	if to[len(to)-1] == ',' {
		to = to[:len(to)-1]
	}
	return append(to, ']'), err
}

func appendPacked(to []byte, element protowire.Number, packed []byte) ([]byte, error) {
	for len(packed) > 0 {
		var number uint64
		n := -1
		switch wireOf[element] {
		case protowire.VarintType:
			number, n = protowire.ConsumeVarint(packed)
		case protowire.Fixed64Type:
			number, n = protowire.ConsumeFixed64(packed)
		case protowire.Fixed32Type:
			var short uint32
			short, n = protowire.ConsumeFixed32(packed)
			number = uint64(short)
		}
		if n < 0 {
			return to, errKind
		}
		packed = packed[n:]
		var err error
		if to, err = appendWrittenScalar(to, element, number, nil); err != nil {
			return to, err
		}
		to = append(to, ',')
	}
	return to, nil
}
