package arrowapi

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	flatbuffers "github.com/google/flatbuffers/go"

	"freshline/serving/internal/enforce"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/row"
)

// batchFrame is where the numbers of a record batch's message lie in the output: they are known only
// once its body, which follows, is written.
type batchFrame struct {
	node, buffer int // the next of each
	body         int // where the body begins
}

// pairSize is the size of Arrow's FieldNode and Buffer: two numbers of 64 bits.
const pairSize = 16

func (w *writer) appendBatch(to []byte) []byte {
	nodes, buffers := 0, 0
	for _, column := range w.answer.Columns {
		n, b := shapeOf(column)
		nodes, buffers = nodes+n+2, buffers+b+4 // verdicts and ages: a node and two buffers each
	}
	b := w.builder
	b.Reset()
	bufferVector, nodeVector := w.pairsToBe(buffers), w.pairsToBe(nodes)
	b.StartObject(4) // RecordBatch: length, nodes, buffers, compression
	b.PrependInt64Slot(0, int64(w.answer.Rows), 0)
	b.PrependUOffsetTSlot(1, nodeVector, 0)
	b.PrependUOffsetTSlot(2, bufferVector, 0)
	var bodyLength flatbuffers.UOffsetT
	finish(b, headerRecordBatch, b.EndObject(), &bodyLength)
	size := len(b.FinishedBytes())
	to, at := appendMessage(to, b)
	// A vector's offset is that of its length, of four bytes.
	w.frame = batchFrame{
		node: at + size - int(nodeVector) + 4, buffer: at + size - int(bufferVector) + 4, body: len(to),
	}
	for _, view := range w.answer.Views {
		view.Rendered = renderAges(view.Rendered[:0], view, w.answer.Rows)
	}
	for _, column := range w.answer.Columns {
		w.column, w.plain = column, w.answer.IsPlain(column)
		to = w.appendValues(to)
		to = w.appendVerdicts(to)
		to = w.appendAges(to)
	}
	binary.LittleEndian.PutUint64(to[at+size-int(bodyLength):], uint64(len(to)-w.frame.body))
	return to
}

// pairsToBe returns a vector of n pairs that are set once they are known. Pad would place them byte by byte.
func (w *writer) pairsToBe(n int) flatbuffers.UOffsetT {
	w.builder.StartVector(pairSize, n, 8)
	for range pairSize / 8 * n {
		w.builder.PlaceUint64(0)
	}
	return w.builder.EndVector(n)
}

// shapeOf returns how many nodes and buffers the values of a column take.
func shapeOf(column *lookup.Column) (nodes, buffers int) {
	if column.Feature == nil {
		return 1, 0
	}
	dtype := column.Feature.Dtype
	nodes, buffers = 1, 2 // validity, values
	if dtype.IsList() {
		nodes, buffers = 2, 4 // validity, offsets; the items' own validity and values
	}
	if dtype.Width() == 0 {
		buffers++ // the offsets of texts
	}
	return nodes, buffers
}

// addNode notes the length and the nulls of the next array.
func (w *writer) addNode(to []byte, length, nulls int) {
	binary.LittleEndian.PutUint64(to[w.frame.node:], uint64(length))
	binary.LittleEndian.PutUint64(to[w.frame.node+8:], uint64(nulls))
	w.frame.node += pairSize
}

// endBuffer notes the next buffer, which began at from, and pads it.
func (w *writer) endBuffer(to []byte, from int) []byte {
	binary.LittleEndian.PutUint64(to[w.frame.buffer:], uint64(from-w.frame.body))
	binary.LittleEndian.PutUint64(to[w.frame.buffer+8:], uint64(len(to)-from))
	w.frame.buffer += pairSize
	return appendZeros(to, padded(len(to)-from)-(len(to)-from))
}

// appendValidity appends the node of the column's values and the bitmap of what is no null.
func (w *writer) appendValidity(to []byte) []byte {
	from, rows := len(to), w.answer.Rows
	if w.plain {
		w.addNode(to, rows, 0)
		return w.endBuffer(to, from)
	}
	to = appendZeros(to, (rows+7)/8)
	nulls := 0
	for i := range rows {
		if w.answer.Source(w.column, i) == lookup.Nothing {
			nulls++
		} else {
			to[from+i>>3] |= 1 << (i & 7)
		}
	}
	w.addNode(to, rows, nulls)
	return w.endBuffer(to, from)
}

func (w *writer) appendValues(to []byte) []byte {
	if w.column.Feature == nil {
		w.addNode(to, w.answer.Rows, w.answer.Rows)
		return to
	}
	to = w.appendValidity(to)
	switch dtype := w.column.Feature.Dtype; {
	case dtype.IsList():
		return w.appendLists(to, dtype)
	case dtype.IsFixed():
		return w.appendFixed(to, dtype)
	}
	return w.appendTexts(to)
}

// appendFixed appends values of one width, zeros for nulls.
func (w *writer) appendFixed(to []byte, dtype row.Dtype) []byte {
	from, rows := len(to), w.answer.Rows
	switch {
	case dtype == row.Bool:
		to = appendZeros(to, (rows+7)/8)
		for i := range rows {
			value, _ := w.value(i)
			to[from+i>>3] |= byte(value.Word) << (i & 7)
		}
	case dtype.Width() == 8 && w.plain:
		to = appendWords(to, w.column.Cells.Words)
	default:
		for i := range rows {
			value, _ := w.value(i)
			switch dtype {
			case row.Int32:
				to = binary.LittleEndian.AppendUint32(to, uint32(value.Word))
			case row.Float32:
				to = binary.LittleEndian.AppendUint32(to, math.Float32bits(float32(math.Float64frombits(value.Word))))
			default:
				to = binary.LittleEndian.AppendUint64(to, value.Word)
			}
		}
	}
	return w.endBuffer(to, from)
}

func appendWords[T uint64 | int64](to []byte, words []T) []byte {
	from := len(to)
	to = extended(to, 8*len(words))
	into := to[from:]
	for ; len(words) >= 4 && len(into) >= 32; words, into = words[4:], into[32:] {
		four, bytes := (*[4]T)(words), (*[32]byte)(into)
		binary.LittleEndian.PutUint64(bytes[0:8], uint64(four[0]))
		binary.LittleEndian.PutUint64(bytes[8:16], uint64(four[1]))
		binary.LittleEndian.PutUint64(bytes[16:24], uint64(four[2]))
		binary.LittleEndian.PutUint64(bytes[24:32], uint64(four[3]))
	}
	for i, word := range words {
		binary.LittleEndian.PutUint64(into[8*i:8*i+8], uint64(word))
	}
	return to
}

// extended returns to with n bytes more, whatever they hold.
func extended(to []byte, n int) []byte {
	return slices.Grow(to, n)[:len(to)+n]
}

// offset appends an offset, unless it is beyond what Arrow can say.
func (w *writer) offset(to []byte, at int) []byte {
	w.tooMuch = w.tooMuch || at > math.MaxInt32
	return binary.LittleEndian.AppendUint32(to, uint32(at))
}

func (w *writer) appendTexts(to []byte) []byte {
	if w.plain {
		return w.appendBlobs(to, w.column.Cells.Blobs[:w.answer.Rows])
	}
	from, end := len(to), 0
	to = w.offset(to, 0)
	for i := range w.answer.Rows {
		value, _ := w.value(i)
		end += len(value.Blob)
		to = w.offset(to, end)
	}
	to = w.endBuffer(to, from)
	from = len(to)
	for i := range w.answer.Rows {
		value, _ := w.value(i)
		to = append(to, value.Blob...)
	}
	return w.endBuffer(to, from)
}

// appendBlobs appends the texts of a plain column, which nothing need be asked about one by one.
func (w *writer) appendBlobs(to []byte, blobs [][]byte) []byte {
	from, end := len(to), 0
	to = extended(to, 4+4*len(blobs))
	offsets := to[from:]
	binary.LittleEndian.PutUint32(offsets, 0)
	for i, blob := range blobs {
		end += len(blob)
		binary.LittleEndian.PutUint32(offsets[4*i+4:4*i+8], uint32(end))
	}
	if end > math.MaxInt32 {
		w.tooMuch = true
		return to
	}
	to = w.endBuffer(to, from)
	from = len(to)
	to = slices.Grow(to, end)
	for _, blob := range blobs {
		to = append(to, blob...)
	}
	return w.endBuffer(to, from)
}

func (w *writer) appendVerdicts(to []byte) []byte {
	from, rows := len(to), w.answer.Rows
	w.addNode(to, rows, 0)
	to = w.endBuffer(to, from)
	from = len(to)
	to = appendZeros(to, rows)
	if !w.plain {
		for i, mark := range w.column.Marks[:rows] {
			to[from+i] = byte(mark.Verdict)
		}
	}
	return w.endBuffer(to, from)
}

// renderAges appends the ages of a view's rows and then a bitmap of those that are known.
func renderAges(to []byte, view *lookup.View, rows int) []byte {
	to = appendWords(to, view.Table.AgeUS[:rows])
	to = appendZeros(to, (rows+7)/8)
	for i, state := range view.Table.States[:rows] {
		if state == enforce.Young || state == enforce.Old {
			to[8*rows+i>>3] |= 1 << (i & 7)
			continue
		}
		clear(to[8*i : 8*i+8]) // it holds an earlier request's age
	}
	return to
}

// appendAges appends the ages of the column's view, which every column of the view has alike.
func (w *writer) appendAges(to []byte) []byte {
	from, rows := len(to), w.answer.Rows
	ages, known := w.column.View.Rendered[:8*rows], w.column.View.Rendered[8*rows:]
	nulls := rows
	for _, eight := range known {
		nulls -= bits.OnesCount8(eight)
	}
	w.addNode(to, rows, nulls)
	if nulls > 0 {
		to = append(to, known...)
	}
	to = w.endBuffer(to, from)
	from = len(to)
	return w.endBuffer(append(to, ages...), from)
}
