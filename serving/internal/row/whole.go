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

// isASCII looks at eight bytes at a time; what is left of a longer text is looked at with bytes before it.
// utf8.Valid would do, but goes through the last eight bytes one by one, and most texts have no more.
func isASCII(text []byte) bool {
	const high = 0x8080808080808080
	size := len(text)
	if size >= 8 {
		all := binary.LittleEndian.Uint64(text[size-8:])
		for ; len(text) > 8; text = text[8:] {
			all |= binary.LittleEndian.Uint64(text)
		}
		return all&high == 0
	}
	if size >= 4 {
		return (binary.LittleEndian.Uint32(text)|binary.LittleEndian.Uint32(text[size-4:]))&(high>>32) == 0
	}
	var all byte
	for _, c := range text {
		all |= c
	}
	return all < utf8.RuneSelf
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

// hasNulls tells whether a row has any null. It looks at 64 columns at a time, the last of them with some before.
func (l *Layout) hasNulls(data []byte) bool {
	nulls := data[headerSize : headerSize+l.bitmap]
	var all uint64
	if len(nulls) >= 8 {
		all = binary.LittleEndian.Uint64(nulls[len(nulls)-8:])
		for ; len(nulls) > 8; nulls = nulls[8:] {
			all |= binary.LittleEndian.Uint64(nulls)
		}
		return all != 0
	}
	for _, bits := range nulls {
		all |= uint64(bits)
	}
	return all != 0
}

// NullsOf returns an empty bitmap for AddNulls, in the memory of an earlier one.
func (l *Layout) NullsOf(earlier []byte) []byte {
	bitmap := resized(earlier, l.bitmap)
	clear(bitmap)
	return bitmap
}

// IsNullIn tells whether any row that was added to the bitmap has a null in this column.
func (f *Field) IsNullIn(bitmap []byte) bool { return bitmap[f.index>>3]&(1<<(f.index&7)) != 0 }
