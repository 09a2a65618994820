package redis

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

const (
	leastMemory = 16 << 10  // bytes that a connection is asked for at once
	reusedFrom  = 256 << 10 // bytes that were taken: with fewer a larger memory costs less than moving what is left
	mostDigits  = 10        // of a length
)

// Refusal is a command that the server would not carry out; the connection goes on.
type Refusal string

// Error implements error.
func (r Refusal) Error() string { return string(r) }

// answers takes apart what a server says to commands that ask for the fields of hashes: RESP2, and of it only
// what they may be answered with. What it hands out lies where it was read, without a copy, and is never moved:
// when the memory is used up a larger one takes its place, with what was not handed out yet.
type answers struct {
	conn io.Reader
	data []byte // what came; data[from:] is still to be taken
	from int
}

// fill reads until at least n bytes are there to be taken. Memory grows with what comes, not with what a server
// says is to come.
func (a *answers) fill(n int) error {
	for len(a.data)-a.from < n {
		if len(a.data) == cap(a.data) {
			rest := a.data[a.from:]
			larger := make([]byte, len(rest), max(2*cap(a.data), 2*len(rest), leastMemory))
			copy(larger, rest)
			a.data, a.from = larger, 0
		}
		got, err := a.conn.Read(a.data[len(a.data):cap(a.data)])
		a.data = a.data[:len(a.data)+got]
		if err != nil && len(a.data)-a.from < n {
			return err
		}
	}
	return nil
}

// reuse lets what comes next lie where the answers so far do, of which nothing may be in use any more. No more is
// moved than was taken.
func (a *answers) reuse() {
	if rest := a.data[a.from:]; a.from >= reusedFrom && len(rest) <= a.from {
		a.data = a.data[:copy(a.data, rest)]
		a.from = 0
	}
}

// line takes the rest of a line, without its end.
func (a *answers) line() ([]byte, error) {
	for seen := 0; ; {
		rest := a.data[a.from:]
		if end := bytes.IndexByte(rest[seen:], '\n'); end >= 0 {
			end += seen
			if end == 0 || rest[end-1] != '\r' {
				return nil, fmt.Errorf("%w: half of a line's end", errNotRedis)
			}
			a.from += end + 1
			return rest[:end-1], nil
		}
		if seen = len(rest); seen > maxLine {
			return nil, fmt.Errorf("%w: a line without an end", errNotRedis)
		}
		if err := a.fill(seen + 1); err != nil {
			return nil, err
		}
	}
}

// begin takes the first line of a message of that kind and returns its number; -1 is what is not there. A refusal
// in its place is an error of the type Refusal.
func (a *answers) begin(kind byte) (int, error) {
	if err := a.fill(1); err != nil {
		return 0, err
	}
	got := a.data[a.from]
	a.from++
	if got == kind {
		return a.number()
	}
	said, err := a.line()
	switch {
	case err != nil:
		return 0, err
	case got == '-':
		return 0, Refusal(said)
	}
	return 0, fmt.Errorf("%w: a message of the kind %q, not %q", errNotRedis, got, kind)
}

// number takes a line that is a number which is not negative, or -1.
func (a *answers) number() (int, error) {
	n, at := 0, a.from
	for ; at < len(a.data) && a.data[at]-'0' <= 9; at++ {
		n = n*10 + int(a.data[at]-'0')
	}
	if digits := at - a.from; digits > 0 && digits <= mostDigits && at+2 <= len(a.data) && a.data[at] == '\r' && a.data[at+1] == '\n' {
		a.from = at + 2
		return n, nil
	}
	line, err := a.line()
	if err != nil {
		return 0, err
	}
	if string(line) == "-1" {
		return -1, nil
	}
	n = 0
	for _, digit := range line {
		if digit-'0' > 9 || len(line) > mostDigits {
			return 0, fmt.Errorf("%w: %q is no length", errNotRedis, line)
		}
		n = n*10 + int(digit-'0')
	}
	if len(line) == 0 {
		return 0, fmt.Errorf("%w: a length without a digit", errNotRedis)
	}
	return n, nil
}

// bulk takes a text; nil is none, which an empty one is not.
func (a *answers) bulk() ([]byte, error) {
	// Almost always all of it has come, and then it is taken at one look.
	data, size, at := a.data, 0, a.from+1
	if at <= len(data) && data[at-1] == '$' {
		for at < len(data) && data[at]-'0' <= 9 {
			size = size*10 + int(data[at]-'0')
			at++
		}
		digits, from, to := at-a.from-1, at+2, at+2+size
		if digits > 0 && digits <= mostDigits && size <= maxBulk && to+2 <= len(data) &&
			data[at] == '\r' && data[at+1] == '\n' && data[to] == '\r' && data[to+1] == '\n' {
			a.from = to + 2
			return data[from:to:to], nil
		}
	}
	return a.brokenBulk()
}

// brokenBulk takes a text of which a part is still to come, or that is none.
func (a *answers) brokenBulk() ([]byte, error) {
	size, err := a.begin('$')
	if err != nil {
		if refusal := Refusal(""); errors.As(err, &refusal) { // not within an array
			return nil, fmt.Errorf("%w: a refusal as a field", errNotRedis)
		}
		return nil, err
	}
	if size < 0 {
		return nil, nil
	}
	if size > maxBulk {
		return nil, fmt.Errorf("%w: a text of %d bytes", errNotRedis, size)
	}
	if len(a.data)-a.from < size+2 {
		if err := a.fill(size + 2); err != nil {
			return nil, err
		}
	}
	text := a.data[a.from : a.from+size : a.from+size]
	if a.data[a.from+size] != '\r' || a.data[a.from+size+1] != '\n' {
		return nil, fmt.Errorf("%w: a text that does not end", errNotRedis)
	}
	a.from += size + 2
	return text, nil
}

// status takes the answer to a command that is answered with a word.
func (a *answers) status() error {
	if err := a.fill(1); err != nil {
		return err
	}
	kind := a.data[a.from]
	a.from++
	said, err := a.line()
	switch {
	case err != nil:
		return err
	case kind == '-':
		return Refusal(said)
	case kind != '+':
		return fmt.Errorf("%w: a message of the kind %q, not '+'", errNotRedis, kind)
	}
	return nil
}

// hash takes the values of a hash's fields, of so many; nil are those that it lacks.
func (a *answers) hash(values [][]byte) error {
	n, err := a.begin('*')
	if err != nil {
		return err
	}
	if n != len(values) {
		return fmt.Errorf("%w: %d fields, %d were asked for", errNotRedis, n, len(values))
	}
	for i := range values {
		if values[i], err = a.bulk(); err != nil {
			return err
		}
	}
	return nil
}
