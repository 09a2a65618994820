// Package jsonout appends JSON to a buffer by hand: an answer is mostly numbers, and reflection would
// cost more than everything before it.
package jsonout

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"slices"
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

// plain are the bytes that stand for themselves in a JSON string: ASCII but for controls, '"' and '\\'.
var plain = func() (table [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		table[c] = c != '"' && c != '\\'
	}
	return table
}()

// String appends a JSON string. Invalid UTF-8 becomes the replacement character.
func String[T ~string | ~[]byte](to []byte, text T) []byte {
	to = append(to, '"')
	from := 0
	for i := 0; ; {
		for i < len(text) && plain[text[i]] {
			i++
		}
		if i == len(text) {
			break
		}
		switch c := text[i]; {
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(string(text[i:min(i+utf8.UTFMax, len(text))]))
			if r == utf8.RuneError && size == 1 {
				to = append(append(to, text[from:i]...), `\ufffd`...)
				from = i + 1
			}
			i += size
		default:
			to = appendEscape(append(to, text[from:i]...), c)
			i++
			from = i
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

// Column appends all values of a column without a null, a comma after each. It asks for the dtype
// once, not for each value.
func (s Style) Column(to []byte, column *row.Column) []byte {
	switch dtype := column.Dtype; {
	case dtype == row.Float64 || dtype == row.Float32 && s.Widened:
		to = float64s(to, column.Words)
	case dtype == row.Float32:
		to = float32s(to, column.Words)
	case dtype == row.Int64 || dtype == row.Int32 || dtype == row.Timestamp && !s.Seconds:
		to = ints(to, column.Words)
	case dtype == row.String:
		for _, blob := range column.Blobs {
			to = append(appendText(to, blob), ',')
		}
	default:
		for i := range column.Cells {
			to = append(s.Value(to, dtype, column.Value(i)), ',')
		}
	}
	return to
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
			return appendInt(to, floorSeconds(int64(word)))
		}
	}
	return appendInt(to, int64(word))
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
		return appendText(to, blob)
	}
	to = append(to, '"')
	to = base64.StdEncoding.AppendEncode(to, blob)
	return append(to, '"')
}

// The bounds of what RFC 3339 can say: years 1 to 9999.
const (
	leastTimeUS    = -62_135_596_800_000_000
	greatestTimeUS = 253_402_300_799_999_999
	usPerMinute    = 60_000_000
)

// Times appends times one after another. It remembers the minute of the last one, because the rows of an
// answer were mostly written in the same few. The zero value is ready.
type Times struct {
	minute  int64 // since 1970; that of text
	text    [len(`"2006-01-02T15:04:`)]byte
	started bool
}

// Append appends a quoted RFC 3339 time in UTC with 0, 3 or 6 digits of a second, as Feast does.
func (t *Times) Append(to []byte, us int64) []byte {
	us = min(max(us, leastTimeUS), greatestTimeUS)
	minute := us / usPerMinute
	within := us % usPerMinute
	if within < 0 { // before 1970
		minute, within = minute-1, within+usPerMinute
	}
	if minute != t.minute || !t.started {
		t.begin(minute)
	}
	to = slices.Grow(to, room)
	free := (*[room]byte)(to[len(to) : len(to)+room])
	n := copy(free[:], t.text[:])
	seconds, fraction := uint64(within)/1e6, uint64(within)%1e6
	free[n], free[n+1] = byte('0'+seconds/10), byte('0'+seconds%10)
	n += 2
	if fraction > 0 {
		free[n] = '.'
		binary.LittleEndian.PutUint64(free[n+1:], eight(fraction*100)|zeroBytes)
		n += 4
		if fraction%1e3 > 0 {
			n += 3
		}
	}
	free[n], free[n+1] = 'Z', '"'
	return to[:len(to)+n+2]
}

// begin writes the text by hand: time.AppendFormat reads its layout anew each time.
func (t *Times) begin(minute int64) {
	at := time.Unix(60*minute, 0).UTC()
	year, month, day := at.Date()
	to := digits(append(t.text[:0], '"'), year, 4)
	to = digits(append(to, '-'), int(month), 2)
	to = digits(append(to, '-'), day, 2)
	to = digits(append(to, 'T'), at.Hour(), 2)
	to = digits(append(to, ':'), at.Minute(), 2)
	_ = append(to, ':')
	t.minute, t.started = minute, true
}

// Time appends one time alone.
func Time(to []byte, us int64) []byte { return new(Times).Append(to, us) }

// digits appends a number that is not negative with leading zeros, at most six digits wide.
func digits(to []byte, number, width int) []byte {
	to = append(to, "000000"[:width]...)
	for i := len(to) - 1; number > 0; i-- {
		to[i] = byte('0' + number%10)
		number /= 10
	}
	return to
}
