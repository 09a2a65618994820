package arrowapi

import (
	"slices"

	flatbuffers "github.com/google/flatbuffers/go"

	"freshline/serving/internal/bundle"
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

const maxDtype = 32

// schema writes schema messages. Fields take most of the work, and callers ask for the same ones again and again:
// it goes on from the last answer's where they are the same.
type schema struct {
	builder *flatbuffers.Builder
	offsets []flatbuffers.UOffsetT // of the fields
	name    []byte
	types   [maxDtype + 1]fieldType // those of this message, made when they are first needed

	fields flatbuffers.Builder // as the builder was when it had written the fields, its bytes being the builder's own
	refs   []bundle.Ref        // whose fields these are
	full   bool
	kept   bool // there are fields to go on from
}

func (s *schema) append(to []byte, columns []*lookup.Column, full bool, details []byte) []byte {
	b := s.builder
	if s.holds(columns, full) {
		*b = s.fields // which forgets what the last answer wrote before them, a flatbuffer being written from its end
	} else {
		s.writeFields(columns, full)
	}
	metadata := s.pairs(MetadataKey, details)
	b.StartVector(4, len(s.offsets), 4)
	for i := len(s.offsets) - 1; i >= 0; i-- {
		b.PrependUOffsetT(s.offsets[i])
	}
	fields := b.EndVector(len(s.offsets))
	b.StartObject(4) // Schema: endianness, fields, custom_metadata, features
	b.PrependUOffsetTSlot(1, fields, 0)
	b.PrependUOffsetTSlot(2, metadata, 0)
	finish(b, headerSchema, b.EndObject(), nil)
	to, _ = appendMessage(to, b)
	s.kept = len(b.Bytes) == len(s.fields.Bytes) // else it grew, and is to begin in the greater memory
	return to
}

// holds tells whether the fields are those of the last answer. Bundles do not change, so the same view has the same
// name and the same features.
func (s *schema) holds(columns []*lookup.Column, full bool) bool {
	if !s.kept || full != s.full || len(columns) != len(s.refs) {
		return false
	}
	for i, column := range columns {
		if column.Ref != s.refs[i] {
			return false
		}
	}
	return true
}

func (s *schema) writeFields(columns []*lookup.Column, full bool) {
	b := s.builder
	b.Reset()
	clear(s.types[:])
	b.StartVector(4, 0, 4)
	childless := b.EndVector(0)
	verdicts := fieldType{typeInt, s.integer(8, false), childless}
	ages := fieldType{typeInt, s.integer(64, true), childless}
	var view *lookup.View
	var facts flatbuffers.UOffsetT
	s.offsets, s.refs = s.offsets[:0], slices.Grow(s.refs[:0], len(columns))
	for _, column := range columns {
		if column.View != view {
			view = column.View
			facts = s.pairs("view", []byte(view.View.Name))
		}
		s.name = append(s.name[:0], column.ColumnName(full)...)
		bare := len(s.name)
		s.offsets = append(s.offsets, s.field(s.name, s.typeOf(column, childless), true, facts))
		s.name = append(s.name[:bare], "__verdict"...)
		s.offsets = append(s.offsets, s.field(s.name, verdicts, false, 0))
		s.name = append(s.name[:bare], "__age_us"...)
		s.offsets = append(s.offsets, s.field(s.name, ages, true, 0))
		s.refs = append(s.refs, column.Ref)
	}
	s.fields, s.full = *b, full
}

// finish closes a Message. bodyLength, where there is one, receives the offset of that number.
func finish(b *flatbuffers.Builder, kind byte, header flatbuffers.UOffsetT, bodyLength *flatbuffers.UOffsetT) {
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

func (s *schema) field(name []byte, of fieldType, nullable bool, facts flatbuffers.UOffsetT) flatbuffers.UOffsetT {
	b := s.builder
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
func (s *schema) pairs(name string, value []byte) flatbuffers.UOffsetT {
	b := s.builder
	left, right := b.CreateString(name), b.CreateByteString(value)
	b.StartObject(2) // KeyValue: key, value
	b.PrependUOffsetTSlot(0, left, 0)
	b.PrependUOffsetTSlot(1, right, 0)
	pair := b.EndObject()
	b.StartVector(4, 1, 4)
	b.PrependUOffsetT(pair)
	return b.EndVector(1)
}

func (s *schema) integer(bits int32, signed bool) flatbuffers.UOffsetT {
	s.builder.StartObject(2) // Int: bitWidth, is_signed
	s.builder.PrependInt32Slot(0, bits, 0)
	s.builder.PrependBoolSlot(1, signed, false)
	return s.builder.EndObject()
}

// number is the table of a type that one small number describes: FloatingPoint's precision.
func (s *schema) number(value int16) flatbuffers.UOffsetT {
	s.builder.StartObject(1)
	s.builder.PrependInt16Slot(0, value, 0)
	return s.builder.EndObject()
}

func (s *schema) empty() flatbuffers.UOffsetT {
	s.builder.StartObject(0)
	return s.builder.EndObject()
}

func (s *schema) timestamp() flatbuffers.UOffsetT {
	zone := s.builder.CreateString("UTC")
	s.builder.StartObject(2) // Timestamp: unit, timezone
	s.builder.PrependUOffsetTSlot(1, zone, 0)
	s.builder.PrependInt16Slot(0, unitMicroseconds, 0)
	return s.builder.EndObject()
}

// typeOf returns the type of a column's values. A retired feature has none, and nothing but nulls.
func (s *schema) typeOf(column *lookup.Column, childless flatbuffers.UOffsetT) fieldType {
	if column.Feature == nil {
		return fieldType{typeNull, s.empty(), childless}
	}
	return s.typeFor(column.Feature.Dtype, childless)
}

func (s *schema) typeFor(dtype row.Dtype, childless flatbuffers.UOffsetT) fieldType {
	made := &s.types[dtype]
	if made.code != 0 {
		return *made
	}
	made.children = childless
	switch dtype {
	case row.Int32:
		made.code, made.table = typeInt, s.integer(32, true)
	case row.Int64:
		made.code, made.table = typeInt, s.integer(64, true)
	case row.Float32:
		made.code, made.table = typeFloat, s.number(precisionSingle)
	case row.Float64:
		made.code, made.table = typeFloat, s.number(precisionDouble)
	case row.Bool:
		made.code, made.table = typeBool, s.empty()
	case row.String:
		made.code, made.table = typeText, s.empty()
	case row.Bytes:
		made.code, made.table = typeBinary, s.empty()
	case row.Timestamp:
		made.code, made.table = typeTimestamp, s.timestamp()
	default:
		item := s.field([]byte("item"), s.typeFor(dtype.Element(), childless), true, 0)
		s.builder.StartVector(4, 1, 4)
		s.builder.PrependUOffsetT(item)
		made.children = s.builder.EndVector(1)
		made.code, made.table = typeList, s.empty()
	}
	return *made
}
