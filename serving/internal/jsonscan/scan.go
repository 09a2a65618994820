// Package jsonscan walks a JSON text without building values: it validates, and hands out spans of
// the text itself. Request bodies go through it, so that 10,000 entity keys cost no reflection.
package jsonscan

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// ErrSyntax is wrapped by every complaint about the text.
var ErrSyntax = errors.New("not valid JSON")

// maxDepth bounds the nesting of a value that is skipped.
const maxDepth = 64

// Scanner stands at a position of a JSON text.
type Scanner struct {
	text []byte
	at   int
}

// New returns a scanner at the start of text, which it never changes.
func New(text []byte) Scanner { return Scanner{text: text} }

// Offset is the position in bytes.
func (s *Scanner) Offset() int { return s.at }

func (s *Scanner) fail(what string) error {
	return fmt.Errorf("%w: %s at byte %d", ErrSyntax, what, s.at)
}

func (s *Scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// peek returns the next byte that is no space, 0 at the end.
func (s *Scanner) peek() byte {
	s.space()
	if s.at == len(s.text) {
		return 0
	}
	return s.text[s.at]
}

// End complains unless nothing but space is left.
func (s *Scanner) End() error {
	if s.peek() != 0 || s.at < len(s.text) {
		return s.fail("something after the value")
	}
	return nil
}

// Open steps into an object ('{') or an array ('[').
func (s *Scanner) Open(bracket byte) error {
	if s.peek() != bracket {
		return s.fail(fmt.Sprintf("expected %q", bracket))
	}
	s.at++
	return nil
}

// More tells whether the open object or array has another member, given how many were read so far,
// and steps over the comma before it or the bracket that closes it ('}' or ']').
func (s *Scanner) More(closing byte, read int) (bool, error) {
	next := s.peek()
	if next == closing {
		s.at++
		return false, nil
	}
	if read == 0 {
		return true, nil
	}
	if next != ',' {
		return false, s.fail(fmt.Sprintf("expected ',' or %q", closing))
	}
	s.at++
	return true, nil
}

// Key reads a member's name and the colon after it. Names with escapes are unescaped.
func (s *Scanner) Key() (string, error) {
	if s.peek() != '"' {
		return "", s.fail("expected a name")
	}
	raw, err := s.Value()
	if err != nil {
		return "", err
	}
	if s.peek() != ':' {
		return "", s.fail("expected ':'")
	}
	s.at++
	return Text(raw)
}

// Value steps over one value and returns its text, validated.
func (s *Scanner) Value() ([]byte, error) {
	s.space()
	from := s.at
	if err := s.skip(0); err != nil {
		return nil, err
	}
	return s.text[from:s.at:s.at], nil
}

func (s *Scanner) skip(depth int) error {
	if depth > maxDepth {
		return s.fail("nested too deeply")
	}
	switch next := s.peek(); {
	case next == '"':
		return s.quoted()
	case next == '{':
		return s.object(depth)
	case next == '[':
		return s.array(depth)
	case next == '-' || next >= '0' && next <= '9':
		return s.number()
	case next == 't':
		return s.word("true")
	case next == 'f':
		return s.word("false")
	case next == 'n':
		return s.word("null")
	}
	return s.fail("expected a value")
}

func (s *Scanner) object(depth int) error {
	s.at++
	for read := 0; ; read++ {
		more, err := s.More('}', read)
		if !more || err != nil {
			return err
		}
		if s.peek() != '"' {
			return s.fail("expected a name")
		}
		if err := s.quoted(); err != nil {
			return err
		}
		if s.peek() != ':' {
			return s.fail("expected ':'")
		}
		s.at++
		if err := s.skip(depth + 1); err != nil {
			return err
		}
	}
}

func (s *Scanner) array(depth int) error {
	s.at++
	for read := 0; ; read++ {
		more, err := s.More(']', read)
		if !more || err != nil {
			return err
		}
		if err := s.skip(depth + 1); err != nil {
			return err
		}
	}
}

func (s *Scanner) word(word string) error {
	if len(s.text)-s.at < len(word) || string(s.text[s.at:s.at+len(word)]) != word {
		return s.fail("expected a value")
	}
	s.at += len(word)
	return nil
}

func (s *Scanner) digits() bool {
	from := s.at
	for s.at < len(s.text) && s.text[s.at] >= '0' && s.text[s.at] <= '9' {
		s.at++
	}
	return s.at > from
}

func (s *Scanner) accept(options string) bool {
	for i := range len(options) {
		if s.at < len(s.text) && s.text[s.at] == options[i] {
			s.at++
			return true
		}
	}
	return false
}

func (s *Scanner) number() error {
	s.accept("-")
	if !s.accept("0") && !s.digits() {
		return s.fail("expected a digit")
	}
	if s.accept(".") && !s.digits() {
		return s.fail("expected a digit")
	}
	if s.accept("eE") {
		s.accept("+-")
		if !s.digits() {
			return s.fail("expected a digit")
		}
	}
	return nil
}

// quoted steps over a string: valid UTF-8, known escapes, no bare control characters.
func (s *Scanner) quoted() error {
	s.at++
	from := s.at
	for s.at < len(s.text) {
		switch c := s.text[s.at]; {
		case c == '"':
			if !utf8.Valid(s.text[from:s.at]) {
				return s.fail("a string with invalid UTF-8")
			}
			s.at++
			return nil
		case c < ' ':
			return s.fail("a control character in a string")
		case c == '\\':
			if err := s.escape(); err != nil {
				return err
			}
		default:
			s.at++
		}
	}
	return s.fail("a string without an end")
}

func (s *Scanner) escape() error {
	s.at++
	if s.accept(`"\/bfnrt`) {
		return nil
	}
	if !s.accept("u") || len(s.text)-s.at < 4 {
		return s.fail("an unknown escape")
	}
	for range 4 {
		if !s.accept("0123456789abcdefABCDEF") {
			return s.fail("an unknown escape")
		}
	}
	return nil
}

// Null steps over a null, if that is what comes next.
func (s *Scanner) Null() bool {
	return s.peek() == 'n' && s.word("null") == nil
}
