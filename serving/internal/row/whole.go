package row

import (
	"encoding/binary"
	"unicode/utf8"
)

// FillWhole does what Reset and Fill do for rows that all have one layout and a value in this column:
// nearly always the case, and then no row need be asked for either. It returns false when it cannot
// (lists, types that do not widen, a value without its dtype's shape); Reset must then follow. The strip is
// that of these rows, for all of their columns.
func (c *Column) FillWhole(rows [][]byte, dtype Dtype, l *Layout, field *Field, strip *Strip) bool {
	if !field.Dtype.ReadsAs(dtype) || dtype.IsList() {
		return false
	}
	c.Dtype, c.Whole, c.topped = dtype, true, false
	c.Cells = resized(c.Cells, len(rows))
	if c.present < len(rows) {
		clear(c.Cells[c.present:])
		c.present = len(rows)
	}
	switch {
	case !dtype.IsFixed():
		c.Blobs = resized(c.Blobs, len(rows))
		return c.wholeBlobs(rows, l, field)
	case field.strip > 0:
		c.Words, c.top = strip.take(c.Words, rows, field)
		c.topped = true
		return true
	}
	c.Words = resized(c.Words, len(rows))
	return c.wholeWords(rows, field)
}

// wholeWords reads one column alone, as there are too few of its kind beside it for a strip.
func (c *Column) wholeWords(rows [][]byte, field *Field) bool {
	offset, words := field.fixed, c.Words[:len(rows)]
	switch field.Dtype {
	case Int32:
		for i, data := range rows {
			words[i] = wordOfInt32(data[offset:])
		}
	case Float32:
		for i, data := range rows {
			words[i] = wordOfFloat32(data[offset:])
		}
	case Bool:
		for i, data := range rows {
			if data[offset] > 1 {
				return false
			}
			words[i] = uint64(data[offset])
		}
	default:
		for i, data := range rows {
			words[i] = binary.LittleEndian.Uint64(data[offset:])
		}
	}
	return true
}

func (c *Column) wholeBlobs(rows [][]byte, l *Layout, field *Field) bool {
	blobs := c.Blobs[:len(rows)]
	isText := field.Dtype == String
	for i, data := range rows {
		blob := l.variable(data, field.slot)
		if isText && !isASCII(blob) && !utf8.Valid(blob) {
			return false
		}
		blobs[i] = blob
	}
	return true
}

// isASCII tells whether a text is. utf8.Valid would do, but goes through the last eight bytes one by one, and most
// texts have no more.
func isASCII(text []byte) bool { return allBits(text)&0x8080808080808080 == 0 }

// allBits returns the bits that any byte has set, in any byte of the result. It looks at eight bytes at a time;
// what is left of more than that is looked at with bytes before it.
func allBits(data []byte) uint64 {
	size := len(data)
	if size >= 8 {
		all := binary.LittleEndian.Uint64(data[size-8:])
		for ; len(data) > 8; data = data[8:] {
			all |= binary.LittleEndian.Uint64(data)
		}
		return all
	}
	switch {
	case size >= 4:
		return uint64(binary.LittleEndian.Uint32(data) | binary.LittleEndian.Uint32(data[size-4:]))
	case size >= 2:
		return uint64(binary.LittleEndian.Uint16(data) | binary.LittleEndian.Uint16(data[size-2:]))
	case size == 1:
		return uint64(data[0])
	}
	return 0
}

// AddNulls adds the nulls of a row that fits the layout to a bitmap of them over many rows.
func (l *Layout) AddNulls(bitmap, data []byte) {
	if !l.hasNulls(data) {
		return
	}
	for i, bits := range data[headerSize : headerSize+l.bitmap] {
		bitmap[i] |= bits
	}
}

// hasNulls tells whether a row has any null.
func (l *Layout) hasNulls(data []byte) bool {
	return allBits(data[headerSize:headerSize+l.bitmap]) != 0
}

// NullsOf returns an empty bitmap for AddNulls, in the memory of an earlier one.
func (l *Layout) NullsOf(earlier []byte) []byte {
	bitmap := resized(earlier, l.bitmap)
	clear(bitmap)
	return bitmap
}

// IsNullIn tells whether any row that was added to the bitmap has a null in this column.
func (f *Field) IsNullIn(bitmap []byte) bool { return bitmap[f.index>>3]&(1<<(f.index&7)) != 0 }
