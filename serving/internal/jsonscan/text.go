package jsonscan

import (
	"bytes"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// Text returns the characters of a validated JSON string, as AppendText does.
func Text(raw []byte) (string, error) {
	var some [64]byte // enough for nearly every name, so that only the result is allocated
	text, err := AppendText(some[:0], raw)
	return string(text), err
}

// AppendText appends the characters of a validated JSON string. A lone surrogate is refused: it is
// no character, and a key made from it could never match one that another program wrote.
func AppendText(to, raw []byte) ([]byte, error) {
	if len(raw) < 2 || raw[0] != '"' {
		return to, fmt.Errorf("%.40s is no string", raw)
	}
	raw = raw[1 : len(raw)-1]
	if bytes.IndexByte(raw, '\\') < 0 {
		return append(to, raw...), nil
	}
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			to = append(to, raw[i])
			continue
		}
		i++
		if raw[i] != 'u' {
			to = append(to, plain(raw[i]))
			continue
		}
		unit := hex(raw[i+1:])
		i += 4
		if utf16.IsSurrogate(unit) {
			var low rune
			if i+6 < len(raw) && raw[i+1] == '\\' && raw[i+2] == 'u' {
				low = hex(raw[i+3:])
			}
			unit = utf16.DecodeRune(unit, low)
			if unit == utf8.RuneError {
				return to, fmt.Errorf("%.40q has half of a surrogate pair", raw)
			}
			i += 6
		}
		to = utf8.AppendRune(to, unit)
	}
	return to, nil
}

func plain(escape byte) byte {
	switch escape {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return escape
}

func hex(digits []byte) rune {
	var value rune
	for _, digit := range digits[:4] {
		value <<= 4
		switch {
		case digit <= '9':
			value |= rune(digit - '0')
		case digit <= 'F':
			value |= rune(digit-'A') + 10
		default:
			value |= rune(digit-'a') + 10
		}
	}
	return value
}
