package grpcapi

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"freshline/serving/internal/jsonout"
	"freshline/serving/internal/lookup"
)

// onlineRequest is a GetOnlineFeaturesRequest as it came in.
type onlineRequest struct {
	lookup.Request
	versions bool // include_feature_view_version_metadata
	keys     []keyColumn
	entries  int // of the map of entities, those that a later one took the place of included
}

// keyColumn is the part of one join key.
type keyColumn struct {
	name   string
	sent   [][]byte // each value's message, to be sent back as it is
	binary []bool   // which values came as bytes; nil: none
}

// maxColumns bounds the comparisons of names. No view has near as many join keys.
const maxColumns = 1000

var (
	errText    = errors.New("a string is not UTF-8")
	errColumns = fmt.Errorf("entities names more than %d join keys", maxColumns)
	errNested  = errors.New("an entity's values are not of the form that they should have")
)

// eachField calls take for every field of a message. number is the content of scalar fields, and text
// that of the others.
func eachField(data []byte, take func(field protowire.Number, kind protowire.Type, number uint64, text []byte) error) error {
	for len(data) > 0 {
		field, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return protowire.ParseError(n)
		}
		data = data[n:]
		var number uint64
		var text []byte
		switch kind {
		case protowire.VarintType:
			number, n = protowire.ConsumeVarint(data)
		case protowire.Fixed64Type:
			number, n = protowire.ConsumeFixed64(data)
		case protowire.Fixed32Type:
			var short uint32
			short, n = protowire.ConsumeFixed32(data)
			number = uint64(short)
		case protowire.BytesType:
			text, n = protowire.ConsumeBytes(data)
		default:
			n = protowire.ConsumeFieldValue(field, kind, data)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		data = data[n:]
		if err := take(field, kind, number, text); err != nil {
			return err
		}
	}
	return nil
}

// parse reads the message, which it keeps. Fields of another type than Feast's are unknown ones, and
// those are ignored.
func (r *onlineRequest) parse(data []byte) error {
	return eachField(data, func(field protowire.Number, kind protowire.Type, number uint64, text []byte) error {
		switch {
		case field == 1 && kind == protowire.BytesType: // feature_service and features: the later wins
			r.Service, r.Features = string(text), nil
			return checkText(text)
		case field == 2 && kind == protowire.BytesType:
			r.Service = ""
			return r.addFeatures(text)
		case field == 3 && kind == protowire.BytesType:
			return r.addColumn(text)
		case field == 4 && kind == protowire.VarintType:
			r.FullNames = number != 0
		case field == 6 && kind == protowire.VarintType:
			r.versions = number != 0
		}
		return nil
	})
}

func checkText(text []byte) error {
	if !utf8.Valid(text) {
		return errText
	}
	return nil
}

func (r *onlineRequest) addFeatures(list []byte) error {
	return eachField(list, func(field protowire.Number, kind protowire.Type, _ uint64, text []byte) error {
		if field == 1 && kind == protowire.BytesType {
			r.Features = append(r.Features, string(text))
			return checkText(text)
		}
		return nil
	})
}

// addColumn reads an entry of the map of entities. Of two with one name the later one counts.
func (r *onlineRequest) addColumn(entry []byte) error {
	var column keyColumn
	err := eachField(entry, func(field protowire.Number, kind protowire.Type, _ uint64, text []byte) error {
		switch {
		case field == 1 && kind == protowire.BytesType:
			column.name = string(text)
			return checkText(text)
		case field == 2 && kind == protowire.BytesType:
			return column.add(text)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if r.entries++; r.entries > maxColumns {
		return errColumns
	}
	for i := range r.keys {
		if r.keys[i].name == column.name {
			r.keys[i] = column
			return nil
		}
	}
	r.keys = append(r.keys, column)
	return nil
}

func (c *keyColumn) add(repeated []byte) error {
	return eachField(repeated, func(field protowire.Number, kind protowire.Type, _ uint64, text []byte) error {
		if field == 1 {
			if kind != protowire.BytesType {
				return errNested
			}
			if len(c.sent) == lookup.MaxKeyValues {
				return lookup.ErrKeyValues
			}
			c.sent = append(c.sent, text)
		}
		return nil
	})
}

// columns fills the request's entities: keys are JSON there, as HTTP's callers send them.
func (r *onlineRequest) columns() error {
	for i := range r.keys {
		column := &r.keys[i]
		texts, ends := []byte(nil), make([]int, len(column.sent))
		for k, value := range column.sent {
			var err error
			if texts, err = column.appendKey(texts, k, value); err != nil {
				return err
			}
			ends[k] = len(texts)
		}
		values, from := make([][]byte, len(ends)), 0
		for k, end := range ends {
			values[k], from = texts[from:end:end], end
		}
		r.Entities = append(r.Entities, lookup.EntityColumn{Name: column.name, Values: values, Typed: true, Binary: column.binary})
	}
	return nil
}

// appendKey appends value k as JSON. What no key can be becomes something that no key accepts.
func (c *keyColumn) appendKey(to []byte, k int, value []byte) ([]byte, error) {
	from, binary := len(to), false
	to = append(to, "null"...)
	err := eachField(value, func(field protowire.Number, kind protowire.Type, number uint64, text []byte) error {
		if field < 1 || field > 48 || field == 9 || field == 10 {
			return nil // no kind of value that Feast has
		}
		to, binary = to[:from], field == 1 && kind == protowire.BytesType
		switch {
		case binary:
			to = append(base64.StdEncoding.AppendEncode(append(to, '"'), text), '"')
		case field == 2 && kind == protowire.BytesType:
			to = jsonout.String(to, text)
			return checkText(text)
		case field == 3 && kind == protowire.VarintType:
			to = strconv.AppendInt(to, int64(int32(number)), 10)
		case (field == 4 || field == 8) && kind == protowire.VarintType:
			to = strconv.AppendInt(to, int64(number), 10)
		case field == 5 && kind == protowire.Fixed64Type:
			to = strconv.AppendFloat(to, math.Float64frombits(number), 'g', -1, 64)
		case field == 6 && kind == protowire.Fixed32Type:
			to = strconv.AppendFloat(to, float64(math.Float32frombits(uint32(number))), 'g', -1, 64)
		case field == 7 && kind == protowire.VarintType:
			to = strconv.AppendBool(to, number != 0)
		case field == 19:
			to = append(to, "null"...)
		default:
			to = append(to, "[]"...)
		}
		return nil
	})
	if binary {
		if c.binary == nil {
			c.binary = make([]bool, len(c.sent))
		}
		c.binary[k] = true
	}
	return to, err
}
