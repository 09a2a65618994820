// Package jsonout appends JSON to a buffer by hand: an answer is mostly numbers, and reflection would
// cost more than everything before it.
package jsonout

import (
	"encoding/base64"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"freshline/serving/internal/row"
)

// Style says how values look that JSON has no one form for.
type Style struct {
	Seconds bool // timestamps as whole seconds, as Feast gives them; else microseconds
	Widened bool // float32 with the digits of the float64 that equals it, as Feast gives them
}

const hexDigits = "0123456789abcdef"

// String appends a JSON string. Invalid UTF-8 becomes the replacement character.
func String[T ~string | ~[]byte](to []byte, text T) []byte {
	to = append(to, '"')
	from := 0
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(string(text[i:min(i+utf8.UTFMax, len(text))]))
			if r == utf8.RuneError && size == 1 {
				to = append(append(to, text[from:i]...), `\ufffd`...)
				from = i + 1
			}
			i += size
		case c < ' ' || c == '"' || c == '\\':
			to = appendEscape(append(to, text[from:i]...), c)
			i++
			from = i
		default:
			i++
		}
	}
	return append(append(to, text[from:]...), '"')
}

func appendEscape(to []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(to, '\\', c)
	case '\n':
		return append(to, '\\', 'n')
	case '\r':
		return append(to, '\\', 'r')
	case '\t':
		return append(to, '\\', 't')
	}
	return append(to, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// Float appends the shortest number that reads back as the same float of so many bits. It always
// looks like a float, and the three values that JSON lacks are strings.
func Float(to []byte, value float64, bits int) []byte {
	switch {
	case math.IsNaN(value):
		return append(to, `"NaN"`...)
	case math.IsInf(value, 1):
		return append(to, `"Infinity"`...)
	case math.IsInf(value, -1):
		return append(to, `"-Infinity"`...)
	}
	if value == math.Trunc(value) && math.Abs(value) < 1e15 {
		to = strconv.AppendInt(to, int64(value), 10)
		return append(to, '.', '0')
	}
	format := byte('f')
	if size := math.Abs(value); size < 1e-6 || size >= 1e21 {
		format = 'e'
	}
	from := len(to)
	to = strconv.AppendFloat(to, value, format, -1, bits)
	for _, c := range to[from:] {
		if c == '.' || c == 'e' {
			return to
		}
	}
	return append(to, '.', '0')
}

// Value appends a value of the dtype.
func (s Style) Value(to []byte, dtype row.Dtype, value row.Value) []byte {
	if !dtype.IsList() {
		if dtype.IsFixed() {
			return s.word(to, dtype, value.Word)
		}
		return text(to, dtype, value.Blob)
	}
	to = append(to, '[')
	element := dtype.Element()
	for i := range row.Items(dtype, value.Blob) {
		if i > 0 {
			to = append(to, ',')
		}
		if element.IsFixed() {
			to = s.word(to, element, row.Word(dtype, value.Blob, i))
		} else {
			to = text(to, element, row.Text(value.Blob, i))
		}
	}
	return append(to, ']')
}

func (s Style) word(to []byte, dtype row.Dtype, word uint64) []byte {
	switch dtype {
	case row.Float64:
		return Float(to, math.Float64frombits(word), 64)
	case row.Float32:
		if s.Widened {
			return Float(to, math.Float64frombits(word), 64)
		}
		return Float(to, math.Float64frombits(word), 32)
	case row.Bool:
		return strconv.AppendBool(to, word != 0)
	case row.Timestamp:
		if s.Seconds {
			return strconv.AppendInt(to, floorSeconds(int64(word)), 10)
		}
	}
	return strconv.AppendInt(to, int64(word), 10)
}

func floorSeconds(us int64) int64 {
	seconds := us / 1e6
	if us%1e6 < 0 {
		seconds--
	}
	return seconds
}

func text(to []byte, dtype row.Dtype, blob []byte) []byte {
	if dtype == row.String {
		return String(to, blob)
	}
	to = append(to, '"')
	to = base64.StdEncoding.AppendEncode(to, blob)
	return append(to, '"')
}

// The bounds of what RFC 3339 can say: years 1 to 9999.
const (
	leastTimeUS    = -62_135_596_800_000_000
	greatestTimeUS = 253_402_300_799_999_999
)

// Time appends a quoted RFC 3339 time in UTC with 0, 3 or 6 digits of a second, as Feast does.
func Time(to []byte, us int64) []byte {
	us = min(max(us, leastTimeUS), greatestTimeUS)
	layout := `"2006-01-02T15:04:05.000000Z"`
	switch {
	case us%1e6 == 0:
		layout = `"2006-01-02T15:04:05Z"`
	case us%1e3 == 0:
		layout = `"2006-01-02T15:04:05.000Z"`
	}
	return time.UnixMicro(us).UTC().AppendFormat(to, layout)
}
