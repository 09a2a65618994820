package row

import (
	"encoding/binary"
	"unicode/utf8"
)

// Cell says what a row holds in one column.
type Cell uint8

// Absent: the row's layout lacks the column, or there is no row. Mistyped: stored under a dtype
// that does not widen to the one asked for. Broken: the bytes do not have the dtype's shape.
// Present is the zero value, which clearing memory gives for nearly nothing.
const (
	Present Cell = iota
	Absent
	Null
	Mistyped
	Broken
)

// Column holds the values of one feature over all rows of a request. Fixed dtypes fill Words:
// integers and timestamps as int64, floats as float64 bits (float32 widened), bools as 0 or 1.
// Variable dtypes fill Blobs, which point into the rows' own bytes: text, or a packed list.
type Column struct {
	Dtype Dtype
	Cells []Cell
	Words []uint64
	Blobs [][]byte
	Whole bool // every cell is present

	present int // so many of the first cells are known to be present, and need not be made so for the next request
	top     uint64
	topped  bool // no word is greater than top
}

// Reset makes the column ready for n rows, all absent, and keeps its memory.
func (c *Column) Reset(dtype Dtype, n int) {
	c.Dtype = dtype
	c.Whole, c.topped, c.present = false, false, 0
	c.Cells = resized(c.Cells, n)
	for i := range c.Cells {
		c.Cells[i] = Absent
	}
	c.makeRoom(n)
}

func (c *Column) makeRoom(n int) {
	if c.Dtype.IsFixed() {
		c.Words = resized(c.Words, n)
		return
	}
	c.Blobs = resized(c.Blobs, n)
	clear(c.Blobs)
}

func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// Fill decodes field from each row i with layoutOf[i] == layout. Those rows must have passed
// Verify and FitsLayout for the field's layout. Nothing is allocated.
func (c *Column) Fill(rows [][]byte, layoutOf []uint16, layout uint16, l *Layout, field Field) {
	if !field.Dtype.ReadsAs(c.Dtype) {
		c.fillMistyped(rows, layoutOf, layout, field)
		return
	}
	switch field.Dtype {
	case Int64, Float64, Timestamp:
		c.fillEight(rows, layoutOf, layout, field)
	case Int32:
		c.fillInt32(rows, layoutOf, layout, field)
	case Float32:
		c.fillFloat32(rows, layoutOf, layout, field)
	case Bool:
		c.fillBool(rows, layoutOf, layout, field)
	default:
		c.fillVariable(rows, layoutOf, layout, l, field)
	}
}

// nullBit returns where the column's bit of the null bitmap lies.
func (f Field) nullBit() (at int, mask byte) { return headerSize + f.index>>3, 1 << (f.index & 7) }

func (c *Column) fillMistyped(rows [][]byte, layoutOf []uint16, layout uint16, field Field) {
	at, mask := field.nullBit()
	for i, data := range rows {
		if layoutOf[i] != layout {
			continue
		}
		c.Cells[i] = Mistyped
		if data[at]&mask != 0 {
			c.Cells[i] = Null
		}
	}
}

func (c *Column) fillEight(rows [][]byte, layoutOf []uint16, layout uint16, field Field) {
	at, mask := field.nullBit()
	offset, end := field.fixed, field.fixed+8
	cells, words, layoutOf := c.Cells[:len(rows)], c.Words[:len(rows)], layoutOf[:len(rows)]
	for i, data := range rows {
		if layoutOf[i] != layout {
			continue
		}
		if data[at]&mask != 0 {
			cells[i] = Null
			continue
		}
		words[i] = binary.LittleEndian.Uint64(data[offset:end])
		cells[i] = Present
	}
}

func (c *Column) fillInt32(rows [][]byte, layoutOf []uint16, layout uint16, field Field) {
	at, mask := field.nullBit()
	offset := field.fixed
	for i, data := range rows {
		if layoutOf[i] != layout {
			continue
		}
		if data[at]&mask != 0 {
			c.Cells[i] = Null
			continue
		}
		c.Words[i] = wordOfInt32(data[offset:])
		c.Cells[i] = Present
	}
}

func (c *Column) fillFloat32(rows [][]byte, layoutOf []uint16, layout uint16, field Field) {
	at, mask := field.nullBit()
	offset := field.fixed
	for i, data := range rows {
		if layoutOf[i] != layout {
			continue
		}
		if data[at]&mask != 0 {
			c.Cells[i] = Null
			continue
		}
		c.Words[i] = wordOfFloat32(data[offset:])
		c.Cells[i] = Present
	}
}

func (c *Column) fillBool(rows [][]byte, layoutOf []uint16, layout uint16, field Field) {
	at, mask := field.nullBit()
	for i, data := range rows {
		if layoutOf[i] != layout {
			continue
		}
		value := data[field.fixed]
		switch {
		case data[at]&mask != 0:
			c.Cells[i] = Null
		case value > 1:
			c.Cells[i] = Broken
		default:
			c.Words[i] = uint64(value)
			c.Cells[i] = Present
		}
	}
}

func (c *Column) fillVariable(rows [][]byte, layoutOf []uint16, layout uint16, l *Layout, field Field) {
	at, mask := field.nullBit()
	for i, data := range rows {
		if layoutOf[i] != layout {
			continue
		}
		if data[at]&mask != 0 {
			c.Cells[i] = Null
			continue
		}
		blob := l.variable(data, field.slot)
		if !wellFormed(field.Dtype, blob) {
			c.Cells[i] = Broken
			continue
		}
		c.Blobs[i] = blob
		c.Cells[i] = Present
	}
}

// variable returns the bytes of a variable column of a row that fits the layout.
func (l *Layout) variable(data []byte, slot int) []byte {
	var from uint32
	at := l.ends + 4*slot
	if slot > 0 {
		from = binary.LittleEndian.Uint32(data[at-4:])
	}
	to := binary.LittleEndian.Uint32(data[at:])
	return data[l.data+int(from) : l.data+int(to) : l.data+int(to)]
}

func wellFormed(dtype Dtype, blob []byte) bool {
	switch dtype {
	case String:
		return utf8.Valid(blob)
	case Bytes:
		return true
	case ListOf(String), ListOf(Bytes):
		return wellFormedTexts(dtype.Element(), blob)
	}
	return len(blob)%dtype.Width() == 0
}

func wellFormedTexts(element Dtype, blob []byte) bool {
	if len(blob) < 4 {
		return false
	}
	count := uint64(binary.LittleEndian.Uint32(blob))
	if uint64(len(blob)) < 4+4*count {
		return false
	}
	texts := blob[4+4*count:]
	var from uint32
	for k := range int(count) {
		to := binary.LittleEndian.Uint32(blob[4+4*k:])
		if to < from || uint64(to) > uint64(len(texts)) {
			return false
		}
		if element == String && !utf8.Valid(texts[from:to]) {
			return false
		}
		from = to
	}
	return uint64(from) == uint64(len(texts))
}

// Value returns the value of a present cell.
func (c *Column) Value(i int) Value {
	if c.Dtype.IsFixed() {
		return Value{Word: c.Words[i]}
	}
	return Value{Blob: c.Blobs[i]}
}

// AtMost tells whether no word of a whole column is known to be greater than this, as integers without a sign. It
// looks at no word: where it is not known, it is false.
func (c *Column) AtMost(greatest uint64) bool { return c.topped && c.top <= greatest }
