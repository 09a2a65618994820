package redis

import (
	"errors"
	"fmt"
	"strings"
)

const (
	maxElements = 1 << 20   // of an array; the largest we read is a project's watermarks
	maxNesting  = 16        // of arrays
	maxBulk     = 512 << 20 // bytes; Redis takes no more itself
	maxLine     = 64 << 10  // bytes of an error or a status
	maxDigits   = 19
	maxShort    = 10 // bytes of a line that is taken at once, its end aside: numbers that no int32 lacks room for
)

// errNotRedis is wrapped by every complaint about what came over a connection.
var errNotRedis = errors.New("not an answer of Redis")

// fixedForms are the bytes that may stand in each place of the messages that have no line of their own.
var fixedForms = map[byte][]string{'_': {"\r", "\n"}, '#': {"tf", "\r", "\n"}}

// framing follows the messages of one direction of a connection, piece by piece as they come, and counts
// those that are whole. It knows the forms that Redis uses towards a client that never subscribes, and
// refuses all others.
type framing struct {
	whole int64 // messages

	kind   byte   // of the message whose first line is being read; 0: none
	line   []byte // that line's text so far, of kinds that have a number there
	length int    // of that line so far
	last   byte   // of that line
	skip   int    // bytes of a bulk string, and of the line's end behind it, that are still to come
	open   []int  // elements that arrays still lack, the innermost last
}

// take follows the next bytes. After an error nothing can be said of the connection any more.
func (f *framing) take(data []byte) error {
	for len(data) > 0 {
		if f.skip > 0 {
			passed := min(f.skip, len(data))
			f.skip -= passed
			data = data[passed:]
			if f.skip == 0 {
				f.ended()
			}
			continue
		}
		taken, err := f.short(data)
		if taken == 0 && err == nil {
			taken, err = 1, f.next(data[0])
		}
		if err != nil {
			return err
		}
		data = data[taken:]
	}
	return nil
}

// short takes a whole first line that is a kind and a short number, as almost all are, and returns its length; 0
// for any other, which is taken byte by byte.
func (f *framing) short(data []byte) (taken int, err error) {
	if kind := data[0]; f.kind != 0 || kind != '$' && kind != '*' && kind != ':' {
		return 0, nil
	}
	number, end := int64(0), 1
	for end < min(len(data), maxShort) && data[end]-'0' <= 9 {
		number = number*10 + int64(data[end]-'0')
		end++
	}
	if end == 1 || end+2 > len(data) || data[end] != '\r' || data[end+1] != '\n' {
		return 0, nil
	}
	switch data[0] {
	case '$':
		err = f.bulk(number)
	case '*':
		err = f.array(number)
	default:
		f.ended()
	}
	return end + 2, err
}

// next takes one byte of a message's first line.
func (f *framing) next(c byte) error {
	if f.kind == 0 {
		f.kind, f.line, f.length, f.last = c, f.line[:0], 0, 0
		switch c {
		case '+', '-', ':', '$', '*', '%', '~', '_', '#', ',', '(', '!', '=':
			return nil
		}
		return fmt.Errorf("%w: a message begins with %q", errNotRedis, c)
	}
	// The library takes these for whole by their length, whatever is in them.
	if forms, fixed := fixedForms[f.kind]; fixed && (f.length >= len(forms) || !strings.ContainsRune(forms[f.length], rune(c))) {
		return fmt.Errorf("%w: %q in a message of the kind %q", errNotRedis, c, f.kind)
	}
	if c != '\n' {
		f.length++
		f.last = c
		if f.length > maxLine {
			return fmt.Errorf("%w: a line without an end", errNotRedis)
		}
		if len(f.line) <= maxDigits+2 {
			f.line = append(f.line, c)
		}
		return nil
	}
	if f.last != '\r' {
		return fmt.Errorf("%w: half of a line's end", errNotRedis)
	}
	return f.lineEnded()
}

func (f *framing) lineEnded() error {
	kind := f.kind
	f.kind = 0
	switch kind {
	case '+', '-', ',', '(', '_', '#':
		f.ended()
		return nil
	}
	number, err := f.number()
	if err != nil {
		return err
	}
	switch {
	case kind == ':' || number == -1 && (kind == '$' || kind == '*'): // an absent value
		f.ended()
		return nil
	case kind == '$' || kind == '!' || kind == '=':
		return f.bulk(number)
	case kind == '%':
		number *= 2
	}
	return f.array(number)
}

func (f *framing) number() (int64, error) {
	digits := f.line[:len(f.line)-1]
	negative := len(digits) > 0 && digits[0] == '-'
	if negative {
		digits = digits[1:]
	}
	if len(digits) == 0 || len(digits) > maxDigits {
		return 0, fmt.Errorf("%w: %q is no number", errNotRedis, f.line)
	}
	var number int64
	for _, digit := range digits {
		if digit < '0' || digit > '9' {
			return 0, fmt.Errorf("%w: %q is no number", errNotRedis, f.line)
		}
		number = number*10 + int64(digit-'0') // beyond an int64 it comes out as some other number, as Redis has it
	}
	if negative {
		number = -number
	}
	return number, nil
}

func (f *framing) bulk(size int64) error {
	if size < 0 || size > maxBulk {
		return fmt.Errorf("%w: a text of %d bytes", errNotRedis, size)
	}
	f.skip = int(size) + len("\r\n")
	return nil
}

func (f *framing) array(elements int64) error {
	if elements < 0 || elements > maxElements || len(f.open) == maxNesting {
		return fmt.Errorf("%w: %d elements, %d deep", errNotRedis, elements, len(f.open))
	}
	if elements == 0 {
		f.ended()
		return nil
	}
	f.open = append(f.open, int(elements))
	return nil
}

// ended notes that a value is whole, and with it every array whose last element it is.
func (f *framing) ended() {
	for i := len(f.open) - 1; i >= 0; i-- {
		if f.open[i]--; f.open[i] > 0 {
			return
		}
		f.open = f.open[:i]
	}
	f.whole++
}
