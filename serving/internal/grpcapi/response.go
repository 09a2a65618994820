package grpcapi

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"freshline/serving/internal/enforce"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/row"
)

// onlineResponse is what a GetOnlineFeaturesResponse is made of. The message is written straight from the
// answer: a protobuf object for each value would cost more than all the rest.
type onlineResponse struct {
	request *onlineRequest
	answer  *lookup.Answer
	vector  []byte // one FeatureVector, before its length is known
	texts   []byte // one list, likewise
}

const (
	tagBytes1 = 1<<3 | 2 // field 1, of bytes: names, values, lists
	tagBytes2 = 2<<3 | 2
	tagBytes3 = 3<<3 | 2
	present   = 1
)

// statuses are Feast's FieldStatus by verdict.
var statuses = [enforce.VerdictCount]byte{
	enforce.Fresh: present, enforce.Null: 2, enforce.Missing: 3, enforce.Stale: 4, enforce.Invalid: 0, enforce.Unavailable: 3,
}

func appendBytes[T ~string | ~[]byte](to []byte, tag byte, content T) []byte {
	to = protowire.AppendVarint(append(to, tag), uint64(len(content)))
	return append(to, content...)
}

func (o *onlineResponse) append(to []byte) []byte {
	answer, names := o.answer, o.texts[:0]
	for _, column := range o.request.keys {
		names = appendBytes(names, tagBytes1, column.name)
	}
	for _, column := range answer.Columns {
		names = appendBytes(names, tagBytes1, column.ColumnName(o.request.FullNames))
	}
	metadata := appendBytes(o.vector[:0], tagBytes1, names)
	if o.request.versions {
		metadata = appendVersions(metadata, answer)
	}
	o.texts, o.vector = names, metadata
	to = appendBytes(to, tagBytes1, metadata)
	for _, column := range o.request.keys {
		o.vector = appendKeys(o.vector[:0], column.sent)
		to = appendBytes(to, tagBytes2, o.vector)
	}
	for _, view := range answer.Views {
		view.Rendered = appendEventTimes(view.Rendered[:0], view)
	}
	for _, column := range answer.Columns {
		o.vector = o.appendVector(o.vector[:0], column)
		to = appendBytes(to, tagBytes2, o.vector)
	}
	return to
}

func appendVersions(to []byte, answer *lookup.Answer) []byte {
	var one []byte
	for _, view := range answer.Views {
		one = appendBytes(one[:0], tagBytes1, view.View.Name)
		one = protowire.AppendVarint(append(one, 2<<3), uint64(view.View.Contract))
		to = appendBytes(to, tagBytes2, one)
	}
	return to
}

// appendKeys echoes a join key: present, and of no time.
func appendKeys(to []byte, sent [][]byte) []byte {
	for _, value := range sent {
		to = appendBytes(to, tagBytes1, value)
	}
	to = protowire.AppendVarint(append(to, tagBytes2), uint64(len(sent)))
	for range sent {
		to = append(to, present)
	}
	for range sent {
		to = append(to, tagBytes3, 0)
	}
	return to
}

// appendEventTimes appends the event times of a view's rows, once for all of its columns.
func appendEventTimes(to []byte, view *lookup.View) []byte {
	for i, state := range view.Table.States {
		if state > enforce.Undated {
			to = append(to, tagBytes3, 0) // the epoch, as Feast says for what is not there
			continue
		}
		seconds, nanoseconds := floored(view.Table.Headers[i].EventTimeUS)
		size := 0
		if seconds != 0 {
			size += 1 + protowire.SizeVarint(uint64(seconds))
		}
		if nanoseconds != 0 {
			size += 1 + protowire.SizeVarint(nanoseconds)
		}
		to = append(to, tagBytes3, byte(size))
		if seconds != 0 {
			to = protowire.AppendVarint(append(to, 1<<3), uint64(seconds))
		}
		if nanoseconds != 0 {
			to = protowire.AppendVarint(append(to, 2<<3), nanoseconds)
		}
	}
	return to
}

func floored(us int64) (seconds int64, nanoseconds uint64) {
	seconds = us / 1e6
	rest := us % 1e6
	if rest < 0 {
		seconds, rest = seconds-1, rest+1e6
	}
	return seconds, uint64(rest) * 1e3
}

func (o *onlineResponse) appendVector(to []byte, column *lookup.Column) []byte {
	answer := o.answer
	plain := answer.IsPlain(column)
	if plain && column.Feature.Dtype == row.Float64 {
		for _, word := range column.Cells.Words {
			to = protowire.AppendFixed64(append(to, tagBytes1, 9, 5<<3|1), word)
		}
	} else {
		for i := range answer.Rows {
			if value, ok := answer.Value(column, i); ok {
				to = o.appendValue(to, column.Feature.Dtype, value)
			} else {
				to = append(to, tagBytes1, 0) // no field at all is a null
			}
		}
	}
	to = protowire.AppendVarint(append(to, tagBytes2), uint64(answer.Rows))
	for i := range answer.Rows {
		if plain {
			to = append(to, present)
		} else {
			to = append(to, statuses[answer.Shown(column, i)])
		}
	}
	return append(to, column.View.Rendered...)
}

// appendValue appends a Value with its tag and length.
func (o *onlineResponse) appendValue(to []byte, dtype row.Dtype, value row.Value) []byte {
	switch dtype {
	case row.Float64:
		return protowire.AppendFixed64(append(to, tagBytes1, 9, 5<<3|1), value.Word)
	case row.Float32:
		narrow := math.Float32bits(float32(math.Float64frombits(value.Word)))
		return protowire.AppendFixed32(append(to, tagBytes1, 5, 6<<3|5), narrow)
	case row.Int32:
		return appendScalar(to, 3<<3, value.Word)
	case row.Int64:
		return appendScalar(to, 4<<3, value.Word)
	case row.Bool:
		return appendScalar(to, 7<<3, value.Word)
	case row.Timestamp:
		seconds, _ := floored(int64(value.Word))
		return appendScalar(to, 8<<3, uint64(seconds))
	case row.String:
		return appendText(to, tagBytes2, value.Blob)
	case row.Bytes:
		return appendText(to, tagBytes1, value.Blob)
	}
	o.texts = appendItems(o.texts[:0], dtype, value.Blob)
	field := listFields[dtype.Element()]
	to = append(to, tagBytes1)
	to = protowire.AppendVarint(to, uint64(protowire.SizeTag(field)+protowire.SizeBytes(len(o.texts))))
	to = protowire.AppendTag(to, field, protowire.BytesType)
	return protowire.AppendBytes(to, o.texts)
}

func appendScalar(to []byte, tag byte, word uint64) []byte {
	to = append(to, tagBytes1, byte(1+protowire.SizeVarint(word)), tag)
	return protowire.AppendVarint(to, word)
}

func appendText(to []byte, tag byte, text []byte) []byte {
	to = protowire.AppendVarint(append(to, tagBytes1), uint64(1+protowire.SizeBytes(len(text))))
	return appendBytes(to, tag, text)
}

// listFields are the fields of a Value that hold lists, by the dtype of their elements.
var listFields = [row.Timestamp + 1]protowire.Number{
	row.Bytes: 11, row.String: 12, row.Int32: 13, row.Int64: 14, row.Float64: 15, row.Float32: 16, row.Bool: 17, row.Timestamp: 18,
}

// appendItems appends a list's own message: its items, packed where they are numbers.
func appendItems(to []byte, dtype row.Dtype, blob []byte) []byte {
	items, element := row.Items(dtype, blob), dtype.Element()
	switch element {
	case row.String, row.Bytes:
		for k := range items {
			to = appendBytes(to, tagBytes1, row.Text(blob, k))
		}
		return to
	case row.Float64, row.Float32, row.Bool: // packed by rows as protobuf packs them
		if items == 0 {
			return to
		}
		return appendBytes(to, tagBytes1, blob)
	}
	size := 0
	for k := range items {
		size += protowire.SizeVarint(itemWord(dtype, blob, k))
	}
	if items == 0 {
		return to
	}
	to = protowire.AppendVarint(append(to, tagBytes1), uint64(size))
	for k := range items {
		to = protowire.AppendVarint(to, itemWord(dtype, blob, k))
	}
	return to
}

func itemWord(dtype row.Dtype, blob []byte, k int) uint64 {
	word := row.Word(dtype, blob, k)
	if dtype.Element() == row.Timestamp {
		seconds, _ := floored(int64(word))
		return uint64(seconds)
	}
	return word
}
