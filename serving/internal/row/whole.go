package row

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// FillWhole does what Reset and Fill do for rows that all have one layout and a value in this column:
// nearly always the case, and then no row need be asked for either. It returns false when it cannot
// (lists, types that do not widen, a value without its dtype's shape); Reset must then follow.
func (c *Column) FillWhole(rows [][]byte, dtype Dtype, l *Layout, field Field) bool {
	if !field.Dtype.ReadsAs(dtype) || dtype.IsList() {
		return false
	}
	c.Dtype, c.Whole = dtype, true
	c.Cells = resized(c.Cells, len(rows))
	clear(c.Cells)
	if !dtype.IsFixed() {
		c.Blobs = resized(c.Blobs, len(rows))
		return c.wholeBlobs(rows, l, field)
	}
	c.Words = resized(c.Words, len(rows))
	return c.wholeWords(rows, field)
}

func (c *Column) wholeWords(rows [][]byte, field Field) bool {
	offset, words := field.fixed, c.Words[:len(rows)]
	switch field.Dtype {
	case Int32:
		for i, data := range rows {
			words[i] = uint64(int64(int32(binary.LittleEndian.Uint32(data[offset:]))))
		}
	case Float32:
		for i, data := range rows {
			words[i] = math.Float64bits(float64(math.Float32frombits(binary.LittleEndian.Uint32(data[offset:]))))
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

func (c *Column) wholeBlobs(rows [][]byte, l *Layout, field Field) bool {
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
	for i, bits := range data[headerSize : headerSize+l.bitmap] {
		bitmap[i] |= bits
	}
}

// NullsOf returns an empty bitmap for AddNulls, in the memory of an earlier one.
func (l *Layout) NullsOf(earlier []byte) []byte {
	bitmap := resized(earlier, l.bitmap)
	clear(bitmap)
	return bitmap
}

// IsNullIn tells whether any row that was added to the bitmap has a null in this column.
func (f Field) IsNullIn(bitmap []byte) bool { return bitmap[f.index>>3]&(1<<(f.index&7)) != 0 }
