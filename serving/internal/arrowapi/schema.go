package arrowapi

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"freshline/serving/internal/lookup"
	"freshline/serving/internal/row"
)

// What Arrow's Schema.fbs and Message.fbs call these.
const (
	metadataV5        = 4
	headerSchema      = 1
	headerRecordBatch = 3

	typeNull      = 1
	typeInt       = 2
	typeFloat     = 3
	typeBinary    = 4
	typeText      = 5
	typeBool      = 6
	typeTimestamp = 10
	typeList      = 12

	precisionSingle   = 1
	precisionDouble   = 2
	unitMicroseconds  = 2
	messageBodyLength = 3 // slot of a Message
)

// MetadataKey is the schema's metadata that holds the details: rejected rows, counts, versions.
const MetadataKey = "freshline"

// fieldType is a type's flatbuffer. Fields share it: a request has many columns of few types.
type fieldType struct {
	code     byte // 0: not made yet
	table    flatbuffers.UOffsetT
	children flatbuffers.UOffsetT
}

func (w *writer) appendSchema(to []byte, full bool, details []byte) []byte {
	b := w.builder
	b.Reset()
	clear(w.types[:])
	b.StartVector(4, 0, 4)
	childless := b.EndVector(0)
	verdicts := fieldType{typeInt, w.integer(8, false), childless}
	ages := fieldType{typeInt, w.integer(64, true), childless}
	var view *lookup.View
	var facts flatbuffers.UOffsetT
	w.offsets = w.offsets[:0]
	for _, column := range w.answer.Columns {
		if column.View != view {
			view = column.View
			facts = w.pairs("view", []byte(view.View.Name))
		}
		w.name = append(w.name[:0], column.ColumnName(full)...)
		bare := len(w.name)
		w.offsets = append(w.offsets, w.field(w.name, w.typeOf(column, childless), true, facts))
		w.name = append(w.name[:bare], "__verdict"...)
		w.offsets = append(w.offsets, w.field(w.name, verdicts, false, 0))
		w.name = append(w.name[:bare], "__age_us"...)
		w.offsets = append(w.offsets, w.field(w.name, ages, true, 0))
	}
	metadata := w.pairs(MetadataKey, details)
	b.StartVector(4, len(w.offsets), 4)
	for i := len(w.offsets) - 1; i >= 0; i-- {
		b.PrependUOffsetT(w.offsets[i])
	}
	fields := b.EndVector(len(w.offsets))
	b.StartObject(4) // Schema: endianness, fields, custom_metadata, features
	b.PrependUOffsetTSlot(1, fields, 0)
	b.PrependUOffsetTSlot(2, metadata, 0)
	w.finish(headerSchema, b.EndObject(), nil)
	to, _ = w.appendMessage(to)
	return to
}

// finish closes a Message. bodyLength, where there is one, receives the offset of that number.
func (w *writer) finish(kind byte, header flatbuffers.UOffsetT, bodyLength *flatbuffers.UOffsetT) {
	b := w.builder
	b.StartObject(5) // Message: version, header_type, header, bodyLength, custom_metadata
	if bodyLength != nil {
		b.PrependInt64Slot(messageBodyLength, 1, 0) // any number but the default, to be set later
		*bodyLength = b.Offset()
	}
	b.PrependUOffsetTSlot(2, header, 0)
	b.PrependInt16Slot(0, metadataV5, 0)
	b.PrependByteSlot(1, kind, 0)
	b.Finish(b.EndObject())
}

func (w *writer) field(name []byte, of fieldType, nullable bool, facts flatbuffers.UOffsetT) flatbuffers.UOffsetT {
	b := w.builder
	text := b.CreateByteString(name)
	b.StartObject(7) // Field: name, nullable, type_type, type, dictionary, children, custom_metadata
	b.PrependUOffsetTSlot(0, text, 0)
	b.PrependUOffsetTSlot(3, of.table, 0)
	b.PrependUOffsetTSlot(5, of.children, 0)
	b.PrependUOffsetTSlot(6, facts, 0)
	b.PrependByteSlot(2, of.code, 0)
	b.PrependBoolSlot(1, nullable, false)
	return b.EndObject()
}

// pairs returns a metadata vector of one pair.
func (w *writer) pairs(name string, value []byte) flatbuffers.UOffsetT {
	b := w.builder
	left, right := b.CreateString(name), b.CreateByteString(value)
	b.StartObject(2) // KeyValue: key, value
	b.PrependUOffsetTSlot(0, left, 0)
	b.PrependUOffsetTSlot(1, right, 0)
	pair := b.EndObject()
	b.StartVector(4, 1, 4)
	b.PrependUOffsetT(pair)
	return b.EndVector(1)
}

func (w *writer) integer(bits int32, signed bool) flatbuffers.UOffsetT {
	w.builder.StartObject(2) // Int: bitWidth, is_signed
	w.builder.PrependInt32Slot(0, bits, 0)
	w.builder.PrependBoolSlot(1, signed, false)
	return w.builder.EndObject()
}

// number is the table of a type that one small number describes: FloatingPoint's precision.
func (w *writer) number(value int16) flatbuffers.UOffsetT {
	w.builder.StartObject(1)
	w.builder.PrependInt16Slot(0, value, 0)
	return w.builder.EndObject()
}

func (w *writer) empty() flatbuffers.UOffsetT {
	w.builder.StartObject(0)
	return w.builder.EndObject()
}

func (w *writer) timestamp() flatbuffers.UOffsetT {
	zone := w.builder.CreateString("UTC")
	w.builder.StartObject(2) // Timestamp: unit, timezone
	w.builder.PrependUOffsetTSlot(1, zone, 0)
	w.builder.PrependInt16Slot(0, unitMicroseconds, 0)
	return w.builder.EndObject()
}

// typeOf returns the type of a column's values. A retired feature has none, and nothing but nulls.
func (w *writer) typeOf(column *lookup.Column, childless flatbuffers.UOffsetT) fieldType {
	if column.Feature == nil {
		return fieldType{typeNull, w.empty(), childless}
	}
	return w.typeFor(column.Feature.Dtype, childless)
}

func (w *writer) typeFor(dtype row.Dtype, childless flatbuffers.UOffsetT) fieldType {
	made := &w.types[dtype]
	if made.code != 0 {
		return *made
	}
	made.children = childless
	switch dtype {
	case row.Int32:
		made.code, made.table = typeInt, w.integer(32, true)
	case row.Int64:
		made.code, made.table = typeInt, w.integer(64, true)
	case row.Float32:
		made.code, made.table = typeFloat, w.number(precisionSingle)
	case row.Float64:
		made.code, made.table = typeFloat, w.number(precisionDouble)
	case row.Bool:
		made.code, made.table = typeBool, w.empty()
	case row.String:
		made.code, made.table = typeText, w.empty()
	case row.Bytes:
		made.code, made.table = typeBinary, w.empty()
	case row.Timestamp:
		made.code, made.table = typeTimestamp, w.timestamp()
	default:
		item := w.field([]byte("item"), w.typeFor(dtype.Element(), childless), true, 0)
		w.builder.StartVector(4, 1, 4)
		w.builder.PrependUOffsetT(item)
		made.children = w.builder.EndVector(1)
		made.code, made.table = typeList, w.empty()
	}
	return *made
}
